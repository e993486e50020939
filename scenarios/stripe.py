"""Stripe tells by signed events, in any order and more than once; we answer 200 to all that is signed. Source: reference."""

import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from uuid import uuid4

from scenarios.runner import CROWD, LARGEST_BODY, Deposit, Request, Site, each, expect, scenario, setting

CODE = "stripe"
URL = "/api/v1/payments/webhooks/stripe/"
# Stripe hears 200 whatever we think of an event: only the deposit shows it.
UNKNOWN = 0
COMPLETED = "checkout.session.completed"
ARRIVED = "checkout.session.async_payment_succeeded"
FAILED = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"


def number(kind: str = "pi") -> str:
    return f"{kind}_{secrets.token_hex(12)}"


def signature(body: bytes, *, age: int = 0, secret: str = "") -> str:
    at = int(time.time()) - age
    key = (secret or setting("STRIPE_WEBHOOK_SECRET")).encode()
    return f"t={at},v1={hmac.new(key, b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def signed(body: bytes, *, header: str | None = None) -> Request:
    header = signature(body) if header is None else header
    return Request("POST", URL, body, {"Content-Type": "application/json", "Stripe-Signature": header})


def event(kind: str, told: dict[str, Any]) -> bytes:
    return json.dumps(
        {"id": number("evt"), "object": "event", "type": kind, "data": {"object": told}}
    ).encode()


def session(deposit: Deposit, own: str, **changed: Any) -> dict[str, Any]:
    facts = {
        "id": f"cs_test_{own}",
        "object": "checkout.session",
        "amount_total": deposit.amount,
        "currency": deposit.currency.lower(),
        "payment_status": "paid",
        "payment_intent": own,
        "client_reference_id": deposit.id,
        "metadata": {"transaction_id": deposit.id},
    }
    return {**facts, **changed}


def charge(deposit: Deposit, own: str, refunded: Any, **changed: Any) -> dict[str, Any]:
    facts = {"id": number("ch"), "object": "charge", "amount": deposit.amount, "amount_refunded": refunded,
             "currency": deposit.currency.lower(), "payment_intent": own, "metadata": {"transaction_id": deposit.id}}  # fmt: skip
    return {**facts, **changed}


def tell(site: Site, kind: str, told: dict[str, Any], about: object = "") -> None:
    expect(site.send(signed(event(kind, told))).status, 200, about or kind)


def pay(site: Site, deposit: Deposit) -> int:
    tell(site, COMPLETED, session(deposit, number()))
    return 0


def paid(site: Site) -> tuple[Deposit, str]:
    deposit, own = site.deposit(CODE), number()
    tell(site, COMPLETED, session(deposit, own))
    deposit.must_be("completed")
    return deposit, own


@scenario(CODE, "a paid session credits; the same event again, and another of the same session, do not")
def whole_payment(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    body = event(COMPLETED, session(deposit, own))
    answers = {site.send(signed(body)).body for _time in range(3)}
    expect(len(answers), 1, "the same answer")
    deposit.must_be("completed")
    tell(site, COMPLETED, session(deposit, own))
    tell(site, ARRIVED, session(deposit, own))
    deposit.must_be("completed")


@scenario(CODE, "a wrong signature, none, another secret's, a changed body (400)")
def wrong_signature(site: Site) -> None:
    deposit = site.deposit(CODE)
    body = event(COMPLETED, session(deposit, number()))
    right = signature(body)
    at, _comma, mac = right.partition(",")
    for header in ("", "x", at, mac, f"{at},v1=", f"{at},v1={'0' * 64}", f"{at},{mac.replace('v1', 'v0')}", f"t=x,{mac}",
                   f"t=,{mac}", f"t={'9' * 30},{mac}", f"{at}0,{mac}", signature(body, secret="whsec_other"),
                   signature(body + b" ")):  # fmt: skip
        expect(site.send(signed(body, header=header)).status, 400, header)
    expect(site.call("POST", URL, body, {"Content-Type": "application/json"}).status, 400, "no header")
    deposit.must_be("pending")


@scenario(CODE, "a signature is good for five minutes (400 then), and of several one is enough")
def signature_age(site: Site) -> None:
    deposit = site.deposit(CODE)
    body = event(COMPLETED, session(deposit, number()))
    expect(site.send(signed(body, header=signature(body, age=330))).status, 400)
    deposit.must_be("pending")
    at, _comma, mac = signature(body, age=240).partition(",")
    expect(site.send(signed(body, header=f"{at},v1={'0' * 64},{mac},v0=abc")).status, 200)
    deposit.must_be("completed")


@scenario(CODE, "signed, but no JSON, not UTF-8, NaN, or no event (400)")
def not_json(site: Site) -> None:
    deposit = site.deposit(CODE)
    nan = event(COMPLETED, session(deposit, number())).replace(b"5000000", b"NaN")
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", nan, b"{}", b'{"id": 5.5}', b"[" * 30_000):
        expect(site.send(signed(body)).status, 400, body[:40])
    deposit.must_be("pending")


@scenario(CODE, "an unknown type and an object that makes no sense are acknowledged")
def odd_events(site: Site) -> None:
    deposit = site.deposit(CODE)
    for kind in each("customer.created", "", None, 5, []):
        tell(site, kind, session(deposit, number()))
    for told in each(None, [], "x", {}, {"id": 5}, {"id": "\ud83d"}):
        expect(site.send(signed(event(COMPLETED, told))).status in {200, 400}, True, told)
    deposit.must_be("pending")


@scenario(CODE, "a body of 64 KB is read, one byte more is not; only POST (405)")
def oversized(site: Site) -> None:
    deposit = site.deposit(CODE)
    body = event(COMPLETED, session(deposit, number()))
    expect(site.send(signed(body.ljust(LARGEST_BODY + 1))).status, 413)
    expect(site.call("GET", URL).status, 405)
    deposit.must_be("pending")
    expect(site.send(signed(body.ljust(LARGEST_BODY))).status, 200)
    deposit.must_be("completed")


@scenario(CODE, "another amount or currency is acknowledged and credits nothing")
def wrong_amount(site: Site) -> None:
    deposit = site.deposit(CODE)
    for amount in each(0, -5_000_000, 4_999_999, 5_000_001, 5000000.0, "5000000", True, None, 10**30, []):
        tell(site, COMPLETED, session(deposit, number(), amount_total=amount), amount)
    for currency in each("usd", "kzt", "", None, 5, "uzsx"):
        tell(site, COMPLETED, session(deposit, number(), currency=currency), currency)
    deposit.must_be("pending")


@scenario(CODE, "an event of a deposit that is not there is acknowledged")
def unknown_reference(site: Site) -> None:
    deposit = site.deposit(CODE)
    for wrong in each(str(uuid4()), "no-such", "", 5, None, [], "x" * 300):
        changed = {"client_reference_id": wrong, "metadata": {"transaction_id": wrong}}
        tell(site, COMPLETED, session(deposit, number(), **changed), wrong)
    deposit.must_be("pending")


@scenario(CODE, "a session that is unpaid, or needed no payment, credits nothing")
def not_paid(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    for status in each("no_payment_required", "", None, True):
        tell(site, COMPLETED, session(deposit, own, payment_status=status), status)
    deposit.must_be("pending")
    tell(site, COMPLETED, session(deposit, own, payment_status="unpaid"))
    deposit.must_be("open")


@scenario(CODE, "a delayed method: waits, then its money comes, or fails")
def delayed(site: Site) -> None:
    for kind, status in ((ARRIVED, "completed"), (FAILED, "failed")):
        deposit, own = site.deposit(CODE), number()
        tell(site, COMPLETED, session(deposit, own, payment_status="unpaid"))
        deposit.must_be("open")
        tell(site, kind, session(deposit, own, payment_status="paid" if kind == ARRIVED else "unpaid"))
        deposit.must_be(status)


@scenario(CODE, "out of order: the money before the session that waits for it, an expiry after the money")
def out_of_order(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    tell(site, ARRIVED, session(deposit, own))
    tell(site, COMPLETED, session(deposit, own, payment_status="unpaid"))
    tell(site, FAILED, session(deposit, own, payment_status="unpaid"))
    tell(site, EXPIRED, session(deposit, own, payment_status="unpaid"))
    deposit.must_be("completed")


@scenario(CODE, "an expired session cancels the deposit; money that was taken after all counts")
def expired(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    tell(site, EXPIRED, session(deposit, own, payment_status="unpaid", payment_intent=None))
    deposit.must_be("cancelled")
    tell(site, COMPLETED, session(deposit, own))
    deposit.must_be("completed")


@scenario(CODE, "a declined card is not the end")
def declined(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    intent = {
        "id": own,
        "metadata": {"transaction_id": deposit.id},
        "last_payment_error": {"code": "card_declined"},
    }
    tell(site, "payment_intent.payment_failed", intent)
    deposit.must_be("pending")
    tell(site, COMPLETED, session(deposit, own))
    deposit.must_be("completed")


@scenario(CODE, "refunds are cumulative, whatever their order, and told twice count once")
def refunds(site: Site) -> None:
    deposit, own = paid(site)
    for total, left in ((20_000_00, 30_000_00), (20_000_00, 30_000_00), (50_000_00, 0), (20_000_00, 0)):
        tell(site, "charge.refunded", charge(deposit, own, total))
        expect(deposit.person.balance(), left, total)
    for total in each(0, -1, 50_000_01, 10**30, "5", None, 1.5):
        tell(site, "charge.refunded", charge(deposit, own, total), total)
    expect(deposit.person.balance(), 0, "the balance")


@scenario(CODE, "a refund that overtakes its payment leaves nothing to spend")
def early_refund(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    tell(site, "charge.refunded", charge(deposit, own, deposit.amount))
    tell(site, COMPLETED, session(deposit, own))
    expect(deposit.person.balance(), 0, "the balance")


@scenario(CODE, "a refund of spent money takes what is left, the rest is owed", needs_local=True)
def spent(site: Site) -> None:
    deposit, own = paid(site)
    site.beside.spend(deposit.person.email, 30_000_00)
    tell(site, "charge.refunded", charge(deposit, own, deposit.amount))
    expect(deposit.person.balance(), 0, "the balance")
    expect(deposit.status(), "completed")


@scenario(CODE, "a dispute that is won leaves the money, one that is lost takes it, once")
def disputes(site: Site) -> None:
    for outcome, left in (("won", 50_000_00), ("lost", 0)):
        deposit, own = paid(site)
        told = {
            "id": number("du"),
            "amount": deposit.amount,
            "currency": "uzs",
            "payment_intent": own,
            "status": "needs_response",
        }
        tell(site, "charge.dispute.created", told)
        expect(deposit.person.balance(), 50_000_00, "while it is open")
        for _time in range(2):
            tell(site, "charge.dispute.closed", {**told, "status": outcome})
            expect(deposit.person.balance(), left, outcome)


@scenario(CODE, "twenty deliveries of one event, and twenty events of one session, at once: money once")
def crowd(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    body = event(COMPLETED, session(deposit, own))
    expect({answer.status for answer in site.at_once([signed(body)] * CROWD)}, {200})
    deposit.must_be("completed")
    deposit, own = site.deposit(CODE), number()
    bodies = [event(COMPLETED, session(deposit, own)) for _one in range(CROWD)]
    expect({answer.status for answer in site.at_once([signed(body) for body in bodies])}, {200})
    deposit.must_be("completed")


@scenario(CODE, "payment, whole refund and expiry at once leave nothing to spend")
def crowd_quarrels(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    kinds = [(COMPLETED, session(deposit, own)), ("charge.refunded", charge(deposit, own, deposit.amount)),
             (EXPIRED, session(deposit, own, payment_status="unpaid"))]  # fmt: skip
    site.at_once([signed(event(kind, told)) for kind, told in kinds * 6])
    expect(deposit.person.balance(), 0, "the balance")
