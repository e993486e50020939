"""Kaspi asks by GET, `check` and `pay`, at an address that is a secret; tenge. Source: reference, section Kaspi."""

import secrets
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from scenarios.runner import (
    CROWD,
    LARGEST_BODY,
    WRONG_TEXTS,
    Answer,
    Deposit,
    Request,
    Site,
    expect,
    expect_in,
    scenario,
    setting,
)

CODE = "kaspi"
DOOR = "/api/v1/payments/webhooks/kaspi/"
UNKNOWN = 1


def asking(query: str, *, token: str | None = None, method: str = "GET", body: bytes = b"") -> Request:
    return Request(method, f"{DOOR}{token or setting('KASPI_URL_TOKEN')}/?{query}", body)


def fields_of(deposit: Deposit, own: object, **changed: object) -> str:
    fields = {
        "command": "pay",
        "txn_id": own,
        "txn_date": "20260314150926",
        "account": deposit.id,
        "sum": deposit.major,
        **changed,
    }
    return urlencode({name: str(value) for name, value in fields.items()})


def told(answer: Answer) -> dict[str, Any]:
    expect(answer.status, 200, "the HTTP status")
    data: dict[str, Any] = answer.json()
    expect((type(data["txn_id"]), type(data["result"]), type(data["comment"])), (str, int, str), "types")
    return data


def ask(site: Site, deposit: Deposit, own: object, **changed: object) -> dict[str, Any]:
    return told(site.send(asking(fields_of(deposit, own, **changed))))


def number() -> str:
    return str(10**8 + secrets.randbelow(10**18))


def pay(site: Site, deposit: Deposit) -> int:
    """Walk through a whole payment. The code that stopped it, or 0."""
    own = number()
    return int(ask(site, deposit, own, command="check")["result"] or ask(site, deposit, own)["result"])


def paid(site: Site) -> tuple[Deposit, str, dict[str, Any]]:
    deposit, own = site.deposit(CODE), number()
    first = ask(site, deposit, own)
    expect(first["result"], 0, "pay")
    return deposit, own, first


@scenario(CODE, "a payment: check, pay; the wallet has tenge")
def whole_payment(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(deposit.currency, "KZT")
    checked = ask(site, deposit, own, command="check")
    expect(checked, {"txn_id": own, "result": 0, "sum": 50000.0, "comment": ""})
    deposit.must_be("pending")
    done = ask(site, deposit, own)
    expect((done["txn_id"], done["result"], done["sum"]), (own, 0, 50000.0))
    expect(type(done["prv_txn_id"]), str, "our number")
    deposit.must_be("completed")
    expect(deposit.person.balance("UZS"), 0, "no soʻm")


@scenario(CODE, "the payer's link carries the deposit")
def link(site: Site) -> None:
    deposit = site.deposit(CODE)
    expect(deposit.id in deposit.payment_url, True, deposit.payment_url)


@scenario(CODE, "at a wrong address there is no Kaspi, in the words for nobody at all (404)")
def wrong_address(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    nobody = site.call("GET", "/api/v1/payments/webhooks/nobody/")
    right = setting("KASPI_URL_TOKEN")
    for token in ("guess", right[:-1], right + "x", right.upper(), "x" * 500):
        answer = site.send(asking(fields_of(deposit, own), token=token))
        expect((answer.status, answer.body), (404, nobody.body), token[:40])
    expect(site.call("GET", f"{DOOR}?{fields_of(deposit, own)}").status, 404)
    deposit.must_be("pending")


@scenario(CODE, "only GET is taken (405)")
def only_get(site: Site) -> None:
    deposit = site.deposit(CODE)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        expect(site.send(asking(fields_of(deposit, number()), method=method)).status, 405, method)
    deposit.must_be("pending")


@scenario(CODE, "a body of 64 KB and one byte is not read")
def oversized(site: Site) -> None:
    deposit = site.deposit(CODE)
    query = fields_of(deposit, number())
    expect(site.send(asking(query, body=b"x" * (LARGEST_BODY + 1))).status, 413)
    deposit.must_be("pending")


@scenario(CODE, "an unknown account (1)")
def unknown_account(site: Site) -> None:
    deposit = site.deposit(CODE)
    for wrong in (
        str(uuid4()),
        "1042",
        "",
        "no-such",
        deposit.id.replace("-", ""),
        f"{deposit.id} ",
        "\0",
        "Ж",
        "x" * 1500,
    ):
        for command in ("check", "pay"):
            expect(ask(site, deposit, number(), command=command, account=wrong)["result"], 1, wrong[:40])
    deposit.must_be("pending")


@scenario(CODE, "a deposit that was given up is cancelled (2)", needs_local=True)
def given_up(site: Site) -> None:
    deposit = site.deposit(CODE)
    site.beside.give_up(deposit.id)
    for command in ("check", "pay"):
        expect(ask(site, deposit, number(), command=command)["result"], 2, command)
    deposit.must_be("cancelled")


@scenario(CODE, "a paid deposit is paid (3)")
def already_paid(site: Site) -> None:
    deposit, _own, _first = paid(site)
    for command in ("check", "pay"):
        expect(ask(site, deposit, number(), command=command)["result"], 3, command)
    deposit.must_be("completed")


@scenario(CODE, "a wrong sum: zero, negative, NaN, an exponent, huge, too fine (5)")
def wrong_sum(site: Site) -> None:
    deposit = site.deposit(CODE)
    for amount in WRONG_TEXTS:
        expect(ask(site, deposit, number(), sum=amount)["result"], 5, amount)
        expect(
            ask(site, deposit, number(), sum=amount, command="check")["result"], 0, "a check may have a dummy"
        )
    deposit.must_be("pending")


@scenario(CODE, "the sum is compared as a number")
def sum_as_number(site: Site) -> None:
    for amount in ("50000", "50000.0", "50000.000"):
        deposit = site.deposit(CODE)
        expect(ask(site, deposit, number(), sum=amount)["result"], 0, amount)
        deposit.must_be("completed")


@scenario(CODE, "a parameter that is missing or malformed (5)")
def malformed(site: Site) -> None:
    deposit = site.deposit(CODE)
    for name, value in (
        ("command", "cancel"), ("command", ""), ("command", "PAY"), ("txn_id", ""), ("txn_id", "x"), ("txn_id", "-1"),
        ("txn_id", "1" * 21), ("txn_id", "١"), ("txn_id", "1\0"), ("txn_date", ""), ("txn_date", "2026-03-14"),
        ("txn_date", "20260230000000"), ("txn_date", "9" * 14), ("txn_date", "00010101000000"),
    ):  # fmt: skip
        own = str(value) if name == "txn_id" else number()
        changed = {} if name == "txn_id" else {name: value}
        expect(ask(site, deposit, own, **changed)["result"], 5, (name, value))
    for query in ("", "x", "command", "%ff=%ff", "&&&", "command=pay&command=check", "a=1&" * 200, "%00"):
        expect(told(site.send(asking(query)))["result"], 5, query[:40])
    deposit.must_be("pending")


@scenario(CODE, "the same pay again: the first answer, money once")
def pay_again(site: Site) -> None:
    deposit, own, first = paid(site)
    expect(ask(site, deposit, own), first)
    expect(ask(site, deposit, own, txn_date="20260315000000"), first, "at another time")
    deposit.must_be("completed")


@scenario(CODE, "the same number with another sum is no repeat")
def pay_again_with_more(site: Site) -> None:
    deposit, own, _first = paid(site)
    expect_in(ask(site, deposit, own, sum="99999.00")["result"], (3, 5))
    deposit.must_be("completed")


@scenario(CODE, "Kaspi's number cannot move to another deposit (5)")
def number_moves(site: Site) -> None:
    _first, own, _answer = paid(site)
    other = site.deposit(CODE)
    expect(ask(site, other, own)["result"], 5)
    other.must_be("pending")


@scenario(CODE, "a check that comes late, after the pay, moves nothing (3)")
def late_check(site: Site) -> None:
    deposit, own, _first = paid(site)
    expect(ask(site, deposit, own, command="check")["result"], 3)
    deposit.must_be("completed")


@scenario(CODE, "twenty pays of one number at once: one answer, money once")
def crowd_pays(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    answers = [told(answer) for answer in site.at_once([asking(fields_of(deposit, own))] * CROWD)]
    for answer in answers:
        expect(answer, answers[0])
    expect(answers[0]["result"], 0)
    deposit.must_be("completed")


@scenario(CODE, "twenty pays of other numbers at once: one is paid (3)")
def crowd_of_numbers(site: Site) -> None:
    deposit = site.deposit(CODE)
    answers = site.at_once([asking(fields_of(deposit, number())) for _one in range(CROWD)])
    expect(sorted(told(answer)["result"] for answer in answers), [0] + [3] * (CROWD - 1))
    deposit.must_be("completed")
