"""FreedomPay calls: check and result, signed forms, answered in signed XML; tenge. Source: reference, section FreedomPay."""

import hashlib
import re
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
    each,
    expect,
    expect_in,
    scenario,
    setting,
)

CODE = "freedompay"
URL = "/api/v1/payments/webhooks/freedompay/"
UNKNOWN = "rejected"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def signature(fields: dict[str, str], *, script: str = "", secret: str = "") -> str:
    values = [value for name, value in sorted(fields.items()) if name != "pg_sig"]
    text = ";".join([script, *values, secret or setting("FREEDOMPAY_SECRET_KEY")])
    return hashlib.md5(text.encode()).hexdigest()


def number() -> str:
    return str(10**8 + secrets.randbelow(10**15))


def fields_of(deposit: Deposit, own: str, **changed: Any) -> dict[str, str]:
    fields = {
        "pg_order_id": deposit.id,
        "pg_payment_id": own,
        "pg_amount": deposit.major,
        "pg_currency": "KZT",
        "pg_can_reject": "1",
        "pg_result": "1",
        "pg_payment_date": "2026-03-14 15:09:26",
        "pg_salt": secrets.token_hex(4),
        **changed,
    }
    return {name: str(value) for name, value in fields.items() if value is not None}


def form(fields: dict[str, str], *, action: str = "result/") -> Request:
    return Request("POST", URL + action, urlencode(fields).encode(), FORM)


def signed(fields: dict[str, str], *, script: str = "", action: str = "result/") -> Request:
    return form({**fields, "pg_sig": signature(fields, script=script)}, action=action)


def told(answer: Answer, *, script: str = "") -> str:
    """`pg_status` of an answer whose signature is right."""
    expect(answer.status, 200, "the HTTP status")
    found = dict(re.findall(r"<(pg_\w+)>([^<]*)</\1>", answer.body.decode()))
    expect(found.get("pg_sig"), signature(found, script=script), "the answer's signature")
    return found["pg_status"]


def result(site: Site, deposit: Deposit, own: str, **changed: Any) -> str:
    return told(site.send(signed(fields_of(deposit, own, **changed))))


def check(site: Site, deposit: Deposit, **changed: Any) -> str:
    fields = fields_of(deposit, number(), pg_result=None, pg_can_reject=None, **changed)
    return told(site.send(signed(fields, action="check/")))


def pay(site: Site, deposit: Deposit) -> object:
    """Check and result. What stopped it, or 0."""
    for said in (check(site, deposit), result(site, deposit, number())):
        if said != "ok":
            return said
    return 0


def paid(site: Site) -> tuple[Deposit, str]:
    deposit, own = site.deposit(CODE), number()
    expect(result(site, deposit, own), "ok")
    return deposit, own


@scenario(CODE, "a payment: check, result; the result again is ok and counts once")
def whole_payment(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(check(site, deposit), "ok")
    deposit.must_be("pending")
    for _time in range(3):
        expect(result(site, deposit, own), "ok")
        deposit.must_be("completed")


@scenario(CODE, "either reading of the script's name is taken, and answered with the same one")
def script_names(site: Site) -> None:
    for action, script in (("result/", ""), ("result/", "result"), ("", ""), ("", "freedompay")):
        deposit = site.deposit(CODE)
        answer = site.send(signed(fields_of(deposit, number()), script=script, action=action))
        expect(told(answer, script=script), "ok", (action, script))
        deposit.must_be("completed")


@scenario(CODE, "a wrong signature, none, another script's or secret's (error)")
def wrong_signature(site: Site) -> None:
    deposit = site.deposit(CODE)
    fields = fields_of(deposit, number())
    for sig in ("", "x", "0" * 32, "Ж", signature(fields, script="init_payment.php"), signature(fields, secret="other"),
                signature(fields, script="check"), signature(fields).upper()):  # fmt: skip
        expect(told(site.send(form({**fields, "pg_sig": sig}))), "error", sig)
    expect(told(site.send(form(fields))), "error", "none")
    right = {**fields, "pg_sig": signature(fields)}
    for name in fields:
        expect(told(site.send(form({**right, name: "7"}))), "error", name)
    expect(told(site.send(form({**right, "pg_more": "1"}))), "error", "a field that was added")
    deposit.must_be("pending")


@scenario(CODE, "a wrong amount or currency is rejected; an error when it cannot be")
def wrong_amount(site: Site) -> None:
    deposit = site.deposit(CODE)
    for amount in WRONG_TEXTS:
        expect(check(site, deposit, pg_amount=amount), "rejected", amount)
        expect(result(site, deposit, number(), pg_amount=amount), "rejected", amount)
        expect(result(site, deposit, number(), pg_amount=amount, pg_can_reject=0), "error", amount)
    for currency in each("UZS", "USD", "", None, "kzt"):
        expect(result(site, deposit, number(), pg_currency=currency), "rejected", currency)
    deposit.must_be("pending")


@scenario(CODE, "an unknown order is rejected")
def unknown_order(site: Site) -> None:
    deposit = site.deposit(CODE)
    for wrong in each(str(uuid4()), "1042", "", None, "\0", "Ж", deposit.id.replace("-", "")):
        expect(check(site, deposit, pg_order_id=wrong), "rejected", wrong)
        expect(result(site, deposit, number(), pg_order_id=wrong), "rejected", wrong)
    deposit.must_be("pending")


@scenario(CODE, "a result that is none, or without a sensible number, or an unknown address (error)")
def malformed(site: Site) -> None:
    deposit = site.deposit(CODE)
    for value in each("2", "-1", "", "true", None, "١"):
        expect_in(result(site, deposit, number(), pg_result=value), ("error",), value)
    for value in each("", None, "x" * 200, "a b", "\0"):
        expect(result(site, deposit, str(value), pg_payment_id=value), "error", value)
    expect(told(site.send(signed(fields_of(deposit, number()), action="refund/"))), "error")
    for body in (b"", b"x", b"{}", b"\xff\xfe", b"pg_sig=%ff", b"&&&", b"a=1&" * 500, b"\0"):
        expect(told(site.call("POST", URL, body, FORM)), "error", body[:20])
    expect(site.call("GET", URL).status, 405)
    deposit.must_be("pending")


@scenario(CODE, "a body of 64 KB is read, one byte more is not")
def oversized(site: Site) -> None:
    deposit = site.deposit(CODE)
    for size, status in ((LARGEST_BODY + 1, 413), (LARGEST_BODY, 200)):
        fields = fields_of(deposit, number(), pg_description="")
        length = len(signed(fields).body)
        request = signed({**fields, "pg_description": "x" * (size - length)})
        expect(len(request.body), size)
        expect(site.send(request).status, status, f"{size} bytes")
        deposit.must_be("completed" if status == 200 else "pending")


@scenario(CODE, "another payment of a paid order goes back to the payer")
def already_paid(site: Site) -> None:
    deposit, _own = paid(site)
    expect(check(site, deposit), "rejected")
    expect(result(site, deposit, number()), "rejected")
    expect(result(site, deposit, number(), pg_can_reject=0), "error", "for a person to look at")
    deposit.must_be("completed")


@scenario(CODE, "a number cannot move to another order")
def number_moves(site: Site) -> None:
    _first, own = paid(site)
    other = site.deposit(CODE)
    expect(result(site, other, own), "rejected")
    other.must_be("pending")


@scenario(CODE, "a failure closes the order; a success after it is rejected, and counts when it cannot be")
def declined(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(result(site, deposit, own, pg_result=0, pg_failure_code="101"), "ok")
    deposit.must_be("failed")
    expect(result(site, deposit, number()), "rejected")
    deposit.must_be("failed")
    expect(result(site, deposit, number(), pg_can_reject=0), "ok")
    deposit.must_be("completed")


@scenario(CODE, "a failure that comes late changes nothing")
def late_failure(site: Site) -> None:
    deposit, own = paid(site)
    expect(result(site, deposit, own, pg_result=0), "ok")
    expect(result(site, deposit, number(), pg_result=0), "ok")
    deposit.must_be("completed")


@scenario(CODE, "money that is only held waits until it is taken")
def held(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(result(site, deposit, own, pg_captured=0), "ok")
    deposit.must_be("open")
    expect(result(site, deposit, own, pg_captured=1), "ok")
    deposit.must_be("completed")


@scenario(CODE, "twenty results at once, and twenty payments of one order: money once")
def crowd(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    answers = site.at_once([signed(fields_of(deposit, own))] * CROWD)
    expect([told(answer) for answer in answers], ["ok"] * CROWD)
    deposit.must_be("completed")
    deposit = site.deposit(CODE)
    answers = site.at_once([signed(fields_of(deposit, number())) for _one in range(CROWD)])
    expect(sorted(told(answer) for answer in answers), ["ok"] + ["rejected"] * (CROWD - 1))
    deposit.must_be("completed")
