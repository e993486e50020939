"""The mock: its owner charges it by our API, its page tells us by a signed webhook. Source: docs/payments/mock.md."""

import hashlib
import hmac
import json
import time
from uuid import uuid4

from scenarios.runner import (
    CROWD,
    JSON,
    LARGEST_BODY,
    Answer,
    Deposit,
    Person,
    Request,
    Site,
    each,
    expect,
    scenario,
    setting,
)

CODE = "mock"
CHARGE = "/api/v1/payments/mock/charge/"
URL = "/api/v1/payments/webhooks/mock/"
UNKNOWN = 404


def charge(
    deposit: Deposit, status: object = "paid", *, by: Person | None = None, **changed: object
) -> Answer:
    data = {"transaction_id": deposit.id, "status": status, **changed}
    return (by or deposit.person).call("POST", CHARGE, data)


def signed(body: bytes, *, age: int = 0, secret: str | None = None) -> Request:
    at = int(time.time()) - age
    key = (secret or setting("SANDBOX_SECRET")).encode()
    digest = hmac.new(key, b"%d." % at + body, hashlib.sha256).hexdigest()
    return Request("POST", URL, body, {"X-Sandbox-Timestamp": str(at), "X-Sandbox-Signature": digest, **JSON})


def event(deposit: Deposit, status: str = "paid") -> bytes:
    return json.dumps({"transaction_id": deposit.id, "status": status}).encode()


def pay(_site: Site, deposit: Deposit) -> int:
    """Charge it. The HTTP status that refused it, or 0."""
    status = charge(deposit).status
    return 0 if status == 200 else status


@scenario(CODE, "a charge by its owner pays, and says the same again")
def whole_payment(site: Site) -> None:
    deposit = site.deposit(CODE)
    first = charge(deposit)
    expect((first.status, first.json()), (200, {"status": "paid", "transaction_id": deposit.id}))
    expect((charge(deposit).status, charge(deposit).json()), (200, first.json()), "again")
    deposit.must_be("completed")


@scenario(CODE, "a charge can fail, and the end is final (409)")
def declined(site: Site) -> None:
    for first, then, refusal, status in (
        ("failed", "paid", "payment_not_open", "failed"),
        ("paid", "failed", "already_paid", "completed"),
    ):
        deposit = site.deposit(CODE)
        expect(charge(deposit, first).status, 200)
        answer = charge(deposit, then)
        expect((answer.status, answer.refusal), (409, refusal))
        deposit.must_be(status)


@scenario(CODE, "only the owner charges: a stranger gets 404, a visitor 401")
def strangers(site: Site) -> None:
    deposit = site.deposit(CODE)
    answer = charge(deposit, by=site.person())
    expect((answer.status, answer.refusal), (404, "not_found"))
    expect(site.call("POST", CHARGE, event(deposit), JSON).status, 401)
    expect(site.call("POST", CHARGE, event(deposit), {"Authorization": "Bearer x", **JSON}).status, 401)
    expect(charge(deposit, transaction_id=str(uuid4())).status, 404, "a deposit that is not there")
    deposit.must_be("pending")


@scenario(CODE, "what cannot be one is said beside its field (400)")
def bad_input(site: Site) -> None:
    deposit = site.deposit(CODE)
    wrong = [{"transaction_id": value} for value in each(None, "", "x", [], {}, 10**60, "\0", -1)]
    wrong += [{"status": value} for value in each(None, "", "refunded", 5, [], {}, "\0")]
    for changed in wrong:
        data = {"transaction_id": deposit.id, "status": "paid", **changed}
        answer = deposit.person.call("POST", CHARGE, data)
        expect((answer.status, answer.refusal), (400, "validation_error"), changed)
        expect(list(answer.json()["error"]["details"]), list(changed), changed)
    headers = {"Authorization": f"Bearer {deposit.person.token}", **JSON}
    for body in (b"", b"[]", b"null", b"{", b"NaN", b"\xff\xfe", b"1" * 6000, b"[" * 30_000):
        answer = site.call("POST", CHARGE, body, headers)
        expect(answer.status, 400, body[:20])
        expect(bool(answer.refusal), True)
    deposit.must_be("pending")


@scenario(CODE, "the page's webhook pays, and again changes nothing")
def webhook(site: Site) -> None:
    deposit = site.deposit(CODE)
    for _time in range(3):
        expect(site.send(signed(event(deposit))).status, 200)
        deposit.must_be("completed")


@scenario(CODE, "a webhook with a wrong signature, an old one, or none (401)")
def wrong_signature(site: Site) -> None:
    deposit = site.deposit(CODE)
    body = event(deposit)
    right = signed(body)
    other = {name: value for name, value in right.headers.items() if name != "X-Sandbox-Signature"}
    for request in (
        signed(body, secret="wrong"), signed(body, age=301), signed(body, age=-330), Request("POST", URL, body, JSON),
        Request("POST", URL, body, other), Request("POST", URL, body + b" ", right.headers),
        Request("POST", URL, body, {**right.headers, "X-Sandbox-Timestamp": "x"}),
        Request("POST", URL, body, {**right.headers, "X-Sandbox-Timestamp": "9" * 30}),
        Request("POST", URL, body, {**right.headers, "X-Sandbox-Signature": ""}),
    ):  # fmt: skip
        expect(site.send(request).status, 401, request.headers)
    deposit.must_be("pending")


@scenario(CODE, "a signed webhook that says nothing (400), or of a deposit that is not there (404)")
def bad_webhook(site: Site) -> None:
    deposit = site.deposit(CODE)
    bodies = [
        b"",
        b"[]",
        b"NaN",
        b"{",
        b"{}",
        b"\xff",
        b'{"status": "paid"}',
        b'{"transaction_id": 5, "status": "paid"}',
    ]
    for body in (*bodies, event(deposit, "refunded"), event(deposit, "\0")):
        expect(site.send(signed(body)).status, 400, body[:40])
    unknown = json.dumps({"transaction_id": str(uuid4()), "status": "paid"}).encode()
    expect(site.send(signed(unknown)).status, 404)
    deposit.must_be("pending")


@scenario(CODE, "a webhook that comes late or tells another end moves nothing (409)")
def late_webhook(site: Site) -> None:
    deposit = site.deposit(CODE)
    expect(site.send(signed(event(deposit))).status, 200)
    expect(site.send(signed(event(deposit, "failed"))).status, 409)
    deposit.must_be("completed")
    deposit = site.deposit(CODE)
    expect(charge(deposit, "failed").status, 200)
    expect(site.send(signed(event(deposit))).status, 409)
    deposit.must_be("failed")


@scenario(CODE, "a webhook of 64 KB is read, one byte more is not; only POST (405)")
def oversized(site: Site) -> None:
    deposit = site.deposit(CODE)
    expect(site.send(signed(event(deposit).ljust(LARGEST_BODY + 1))).status, 413)
    expect(site.call("GET", URL).status, 405)
    deposit.must_be("pending")
    expect(site.send(signed(event(deposit).ljust(LARGEST_BODY))).status, 200)
    deposit.must_be("completed")


@scenario(CODE, "twenty charges and webhooks at once: money once")
def crowd_charges(site: Site) -> None:
    deposit = site.deposit(CODE)
    headers = {"Authorization": f"Bearer {deposit.person.token}", **JSON}
    charges = [Request("POST", CHARGE, event(deposit), headers), signed(event(deposit))] * (CROWD // 2)
    expect([answer.status for answer in site.at_once(charges)], [200] * CROWD)
    deposit.must_be("completed")


@scenario(CODE, "success and failure at once end as one of them, and the money agrees")
def crowd_quarrels(site: Site) -> None:
    deposit = site.deposit(CODE)
    answers = site.at_once([signed(event(deposit)), signed(event(deposit, "failed"))] * (CROWD // 2))
    expect(sorted(answer.status for answer in answers), [200] * (CROWD // 2) + [409] * (CROWD // 2))
    deposit.must_be("completed" if answers[0].status == 200 else "failed")
