"""Uzcard and Humo: ATMOS's callback, which is accepted or refused and credits nothing. Source: reference, section ATMOS."""

import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from scenarios.runner import (
    CROWD,
    JSON,
    LARGEST_BODY,
    NOT_JSON,
    Answer,
    Deposit,
    Request,
    Site,
    each,
    expect,
    scenario,
    setting,
)

CODES = ("uzcard", "humo")
# What a refused callback stands for below.
UNKNOWN = "refused"


def number() -> int:
    return 10**6 + secrets.randbelow(10**15)


def callback(
    code: str, deposit: Deposit, own: object, *, member: str = "invoice", key: str = "", **changed: Any
) -> Request:
    facts = {"store_id": setting(f"{code.upper()}_STORE_ID"), "transaction_id": own, "amount": deposit.amount,
             "transaction_time": "2026-03-14 15:09:26", member: deposit.id, **changed}  # fmt: skip
    text = "".join(str(facts.get(name)) for name in ("store_id", "transaction_id", member, "amount"))
    digest = hashlib.new(
        setting("ATMOS_SIGN_HASH"), f"{text}{key or setting('ATMOS_API_KEY')}".encode()
    ).hexdigest()
    return raw(code, json.dumps({"sign": digest, **facts}).encode())


def raw(code: str, body: bytes) -> Request:
    return Request("POST", f"/api/v1/payments/webhooks/{code}/", body, JSON)


def told(answer: Answer) -> int:
    expect(answer.status, 200, "the HTTP status")
    data = answer.json()
    expect(sorted(data), ["message", "status"])
    return int(data["status"])


def payer(code: str) -> Callable[[Site, Deposit], object]:
    def pay(site: Site, deposit: Deposit) -> object:
        return 0 if told(site.send(callback(code, deposit, number()))) == 1 else UNKNOWN

    return pay


def _both(play: Callable[[Site, str], None], title: str) -> None:
    for code in CODES:

        def one(site: Site, code: str = code) -> None:
            play(site, code)

        one.__name__ = play.__name__
        scenario(code, title)(one)


def accepted(site: Site, code: str) -> None:
    deposit, own = site.deposit(code), number()
    expect(deposit.payment_url.endswith(f"/wallet/{deposit.id}/card/"), True, deposit.payment_url)
    for member in ("invoice", "account"):
        for given in each(own, str(own), own):
            expect(told(site.send(callback(code, deposit, given, member=member))), 1, (member, given))
    deposit.must_be("pending")


def wrong_signature(site: Site, code: str) -> None:
    deposit, own = site.deposit(code), number()
    for sign in each("", "x", "0" * 32, "é", None, 5, [], {"a": 1}, "x" * 5000):
        expect(told(site.send(callback(code, deposit, own, sign=sign))), 0, sign)
    expect(told(site.send(callback(code, deposit, own, key="guess"))), 0)
    right = json.loads(callback(code, deposit, own).body)
    for name, value in (
        ("amount", deposit.amount + 1),
        ("transaction_id", own + 1),
        ("invoice", str(uuid4())),
        ("store_id", "1"),
    ):
        expect(told(site.send(raw(code, json.dumps({**right, name: value}).encode()))), 0, name)
    deposit.must_be("pending")


def refused(site: Site, code: str) -> None:
    deposit, own = site.deposit(code), number()
    for amount in each(0, -5_000_000, 4_999_999, 5_000_001, 5000000.0, "5000000", True, None, 10**30, []):
        expect(told(site.send(callback(code, deposit, own, amount=amount))), 0, amount)
    for invoice in each(str(uuid4()), "no-such", "", 5, None, "٠" * 36):
        expect(told(site.send(callback(code, deposit, own, invoice=invoice))), 0, invoice)
    for given in each("", "x" * 200, "a b", 10**50, None, 1.5, []):
        expect(told(site.send(callback(code, deposit, given))), 0, given)
    other = next(one for one in CODES if one != code)
    for store in (setting(f"{other.upper()}_STORE_ID"), "8090", ""):
        expect(told(site.send(callback(code, deposit, own, store_id=store))), 0, store)
    deposit.must_be("pending")


def malformed(site: Site, code: str) -> None:
    deposit = site.deposit(code)
    for body in (*NOT_JSON, b"[]", b"null", b"{}", b'{"sign": "x"}'):
        expect(told(site.send(raw(code, body))), 0, body[:40])
    right = callback(code, deposit, number()).body
    expect(site.send(raw(code, right.ljust(LARGEST_BODY + 1))).status, 413)
    expect(told(site.send(raw(code, right.ljust(LARGEST_BODY)))), 1)
    deposit.must_be("pending")


def crowd(site: Site, code: str) -> None:
    deposit, own = site.deposit(code), number()
    answers = site.at_once([callback(code, deposit, own)] * CROWD)
    expect([told(answer) for answer in answers], [1] * CROWD)
    deposit.must_be("pending")


_both(accepted, "a right callback is accepted, as often as it comes, and credits nothing")
_both(wrong_signature, "a wrong signature, or what was changed after signing, is refused")
_both(refused, "another amount, invoice, number or store is refused, though rightly signed")
_both(malformed, "a body that is no JSON or too large breaks nothing")
_both(crowd, "twenty callbacks at once are all accepted and credit nothing")


@scenario("uzcard", "a deposit that was given up is refused", needs_local=True)
def given_up(site: Site) -> None:
    deposit = site.deposit("uzcard")
    site.beside.give_up(deposit.id)
    expect(told(site.send(callback("uzcard", deposit, number()))), 0)
    deposit.must_be("cancelled")
