"""CloudPayments, TipTop Pay: signed notifications, one address for each kind; tenge. Source: reference, section CloudPayments."""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any
from urllib.parse import unquote_plus, urlencode
from uuid import uuid4

from scenarios.runner import (
    CROWD,
    JSON,
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

CODE = "cloudpayments"
URL = "/api/v1/payments/webhooks/cloudpayments/"
UNKNOWN = 10
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def number() -> int:
    return 10**6 + secrets.randbelow(10**15)


def signature(message: bytes, secret: str = "") -> str:
    key = (secret or setting("CLOUDPAYMENTS_API_SECRET")).encode()
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def signed(kind: str, body: bytes, **headers: str) -> Request:
    given = headers or {"Content-HMAC": signature(body)}
    path = URL + (f"{kind}/" if kind else "")
    return Request(
        "POST", path, body, {**FORM, **{name.replace("_", "-"): value for name, value in given.items()}}
    )


def body_of(deposit: Deposit, own: object, **changed: Any) -> bytes:
    fields = {
        "TransactionId": own,
        "Amount": deposit.major,
        "Currency": "KZT",
        "DateTime": "2026-03-14 10:09:26",
        "Status": "Completed",
        "OperationType": "Payment",
        "InvoiceId": deposit.id,
        "TestMode": 1,
        **changed,
    }
    return urlencode({name: value for name, value in fields.items() if value is not None}).encode()


def told(answer: Answer) -> int:
    expect(answer.status, 200, "the HTTP status")
    return int(answer.json()["code"])


def tell(site: Site, kind: str, deposit: Deposit, own: object, **changed: Any) -> int:
    return told(site.send(signed(kind, body_of(deposit, own, **changed))))


def pay(site: Site, deposit: Deposit) -> int:
    """Check and pay. The code of a check that stopped it, or 0: a pay is always answered 0."""
    own = number()
    stopped = tell(site, "check", deposit, own)
    expect(tell(site, "pay", deposit, own), 0, "pay")
    return stopped


def paid(site: Site) -> tuple[Deposit, int]:
    deposit, own = site.deposit(CODE), number()
    expect(tell(site, "pay", deposit, own), 0)
    deposit.must_be("completed")
    return deposit, own


@scenario(CODE, "a payment: check, pay; told again it counts once")
def whole_payment(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(tell(site, "check", deposit, own), 0)
    deposit.must_be("pending")
    for _time in range(3):
        expect(tell(site, "pay", deposit, own), 0)
        deposit.must_be("completed")


@scenario(CODE, "either header signs: over the body, or over its decoded text; JSON too")
def signatures(site: Site) -> None:
    for header in ("raw", "decoded", "json"):
        deposit, own = site.deposit(CODE), number()
        body = body_of(deposit, own, Name="A Ж+B")
        if header == "json":
            data = {
                "TransactionId": own,
                "Amount": 50000.0,
                "Currency": "KZT",
                "Status": "Completed",
                "InvoiceId": deposit.id,
            }
            body = json.dumps(data).encode()
            request = Request("POST", f"{URL}pay/", body, {**JSON, "Content-HMAC": signature(body)})
        elif header == "raw":
            request = signed("pay", body, Content_HMAC=signature(body))
        else:
            request = signed("pay", body, X_Content_HMAC=signature(unquote_plus(body.decode()).encode()))
        expect(told(site.send(request)), 0, header)
        deposit.must_be("completed")


@scenario(CODE, "a wrong signature, none, another secret's, a changed body (401)")
def wrong_signature(site: Site) -> None:
    deposit = site.deposit(CODE)
    body = body_of(deposit, number())
    for kind in ("check", "pay", "confirm", "refund", "cancel", "fail", ""):
        for sign in ("", "x", signature(body, "other"), signature(body + b"&"), signature(body).lower()):
            expect(
                site.send(signed(kind, body, Content_HMAC=sign, X_Content_HMAC=sign)).status,
                401,
                (kind, sign),
            )
        expect(site.call("POST", f"{URL}pay/", body, FORM).status, 401, "none")
    deposit.must_be("pending")


@scenario(CODE, "a check's codes: order (10), account (11), amount and currency (12), paid (13)")
def check_codes(site: Site) -> None:
    deposit = site.deposit(CODE)
    for wrong in each(str(uuid4()), "1042", "", None, "\0", "Ж"):
        expect(tell(site, "check", deposit, number(), InvoiceId=wrong), 10, wrong)
    expect(tell(site, "check", deposit, number(), AccountId="somebody-else"), 11)
    for amount in WRONG_TEXTS:
        expect(tell(site, "check", deposit, number(), Amount=amount), 12, amount)
    for currency in each("UZS", "USD", "", None):
        expect(tell(site, "check", deposit, number(), Currency=currency), 12, currency)
    expect(tell(site, "check", deposit, None), 13, "no number")
    deposit.must_be("pending")
    deposit, _own = paid(site)
    expect(tell(site, "check", deposit, number()), 13, "paid")


@scenario(CODE, "a check of a deposit that was given up (20)", needs_local=True)
def given_up(site: Site) -> None:
    deposit = site.deposit(CODE)
    site.beside.give_up(deposit.id)
    expect(tell(site, "check", deposit, number()), 20)
    deposit.must_be("cancelled")


@scenario(CODE, "a pay of another amount, currency, order or status is acknowledged and credits nothing")
def wrong_pay(site: Site) -> None:
    deposit = site.deposit(CODE)
    for kind in ("pay", "confirm"):
        for amount in WRONG_TEXTS:
            expect(tell(site, kind, deposit, number(), Amount=amount), 0, amount)
        for changed in each(
            {"Currency": "UZS"}, {"Currency": ""}, {"InvoiceId": str(uuid4())}, {"InvoiceId": "x"}
        ):
            expect(tell(site, kind, deposit, number(), **changed), 0, changed)
    for status in each("Declined", "Cancelled", "", None):
        expect(tell(site, "pay", deposit, number(), Status=status), 0, status)
    for own in each(None, "", "x" * 200, "a b"):
        expect(tell(site, "pay", deposit, own), 0, own)
    deposit.must_be("pending")


@scenario(CODE, "a body that makes no sense, not UTF-8, NaN: no server error, no credit")
def malformed(site: Site) -> None:
    deposit = site.deposit(CODE)
    for body in (b"", b"x", b"\xff\xfe", b"Amount=%ff", b"&&&", b"a=1&" * 500, b"\0"):
        for kind in ("check", "pay", ""):
            expect_in(told(site.send(signed(kind, body))), (0, 10, 12, 13), (kind, body[:20]))
    for body in (b"{", b"[]", b"NaN", b'{"Amount": NaN}', b"\xff", b"[" * 30_000):
        answer = site.send(Request("POST", f"{URL}pay/", body, {**JSON, "Content-HMAC": signature(body)}))
        expect(told(answer), 13, body[:20])
    expect(tell(site, "other", deposit, number()), 13)
    expect(site.call("GET", URL).status, 405)
    deposit.must_be("pending")


@scenario(CODE, "a body of 64 KB is read, one byte more is not")
def oversized(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    right = body_of(deposit, own) + b"&More="
    expect(site.send(signed("pay", right.ljust(LARGEST_BODY + 1, b"x"))).status, 413)
    deposit.must_be("pending")
    expect(told(site.send(signed("pay", right.ljust(LARGEST_BODY, b"x")))), 0)
    deposit.must_be("completed")


@scenario(CODE, "at the bare address a check credits nothing, and a pay is known by what only it carries")
def bare_address(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(tell(site, "", deposit, own), 0)
    deposit.must_be("pending")
    expect(tell(site, "", deposit, own, Token="tk_1"), 0)
    deposit.must_be("completed")


@scenario(CODE, "a second payment of a paid deposit, and a number that moves, count nothing")
def already_paid(site: Site) -> None:
    deposit, own = paid(site)
    expect(tell(site, "pay", deposit, number()), 0)
    deposit.must_be("completed")
    other = site.deposit(CODE)
    expect(tell(site, "confirm", other, own), 0)
    other.must_be("pending")


@scenario(CODE, "a declined card is not the end")
def declined(site: Site) -> None:
    deposit = site.deposit(CODE)
    expect(
        tell(site, "fail", deposit, number(), Status="Declined", Reason="InsufficientFunds", ReasonCode=5051),
        0,
    )
    deposit.must_be("pending")
    expect(pay(site, deposit), 0)
    deposit.must_be("completed")


@scenario(CODE, "two stages: held, then taken or let go; a cancellation after the money changes nothing")
def two_stages(site: Site) -> None:
    for kind, status in (("confirm", "completed"), ("cancel", "cancelled")):
        deposit, own = site.deposit(CODE), number()
        expect(tell(site, "pay", deposit, own, Status="Authorized"), 0)
        deposit.must_be("open")
        for _time in range(2):
            expect(tell(site, kind, deposit, own), 0)
            deposit.must_be(status)
    deposit, own = paid(site)
    expect(tell(site, "cancel", deposit, own), 0)
    deposit.must_be("completed")


def refund(site: Site, deposit: Deposit, paid_by: int, own: int, amount: str) -> int:
    return tell(
        site, "refund", deposit, own, PaymentTransactionId=paid_by, OperationType="Refund", Amount=amount
    )


@scenario(CODE, "refunds leave the wallet once each; one that overtakes its pay comes again (13)")
def refunds(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    first, second = number(), number()
    expect(refund(site, deposit, own, first, "20000.00"), 13, "before the pay")
    expect(tell(site, "pay", deposit, own), 0)
    for refund_id, amount, left in (
        (first, "20000.00", 30_000_00),
        (first, "20000.00", 30_000_00),
        (second, "30000.00", 0),
    ):
        expect(refund(site, deposit, own, refund_id, amount), 0)
        expect(deposit.person.balance("KZT"), left, refund_id)
    expect(refund(site, deposit, own, number(), "0.01"), 0, "more than was paid")
    expect(deposit.person.balance("KZT"), 0, "the balance")


@scenario(CODE, "twenty pays at once, and twenty refunds at once: each counts once")
def crowd(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    answers = site.at_once([signed("pay", body_of(deposit, own))] * CROWD)
    expect([told(answer) for answer in answers], [0] * CROWD)
    deposit.must_be("completed")
    fields = {"PaymentTransactionId": own, "OperationType": "Refund", "Amount": "20000.00"}
    answers = site.at_once([signed("refund", body_of(deposit, own + 1, **fields))] * CROWD)
    expect([told(answer) for answer in answers], [0] * CROWD)
    expect(deposit.person.balance("KZT"), 30_000_00, "the balance")
