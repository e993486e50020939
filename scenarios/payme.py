"""Payme calls: JSON-RPC 2.0 with HTTP Basic, always answered with HTTP 200. Source: reference, section Payme."""

import base64
import json
import secrets
import time
from typing import Any

from scenarios.runner import (
    CROWD,
    LARGEST_BODY,
    NOT_JSON,
    WRONG_AMOUNTS,
    Answer,
    Deposit,
    Failed,
    Request,
    Site,
    each,
    expect,
    expect_in,
    scenario,
    setting,
    wrong_references,
)

CODE = "payme"
URL = "/api/v1/payments/webhooks/payme/"
# What is said of a deposit that is not Payme's.
UNKNOWN = -31050
HOUR = 3_600_000


def basic(login: str, key: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{key}".encode()).decode()


def request(body: object, *, authorization: str | None = None, method: str = "POST") -> Request:
    """A call as Payme makes it; `body` is sent as it is when it is bytes."""
    right = basic(setting("PAYME_LOGIN"), setting("PAYME_SECRET_KEY"))
    headers = {"Content-Type": "text/json; charset=UTF-8", "Authorization": right}
    if authorization is not None:
        headers["Authorization"] = authorization
    return Request(method, URL, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)


def rpc(name: str, /, **params: Any) -> Request:
    return request({"jsonrpc": "2.0", "id": 7, "method": name, "params": params})


def told(answer: Answer) -> dict[str, Any]:
    """The envelope of the protocol: HTTP 200, and either a result or an error."""
    expect(answer.status, 200, "the HTTP status")
    data: dict[str, Any] = answer.json()
    if ("result" in data) == ("error" in data) or "id" not in data:
        raise Failed(f"not a result nor an error: {data!r:.300}")
    return data


def ask(site: Site, name: str, /, **params: Any) -> dict[str, Any]:
    data = told(site.send(rpc(name, **params)))
    expect(data["id"], 7, "the id of the call")
    return data


def code(data: dict[str, Any]) -> int:
    """The error's code; 0 of a result."""
    return int(data["error"]["code"]) if "error" in data else 0


def result(data: dict[str, Any]) -> dict[str, Any]:
    if "error" in data:
        raise Failed(f"refused: {data['error']!r:.300}")
    return dict(data["result"])


def number() -> str:
    return secrets.token_hex(12)


def now() -> int:
    return time.time_ns() // 1_000_000


def account(deposit: Deposit) -> dict[str, str]:
    return {"transaction_id": deposit.id}


def check(site: Site, deposit: Deposit, **changed: Any) -> dict[str, Any]:
    params = {"amount": deposit.amount, "account": account(deposit)}
    return ask(site, "CheckPerformTransaction", **{**params, **changed})


def creation(deposit: Deposit, own: str, **changed: Any) -> Request:
    params = {"id": own, "time": now(), "amount": deposit.amount, "account": account(deposit)}
    return rpc("CreateTransaction", **{**params, **changed})


def create(site: Site, deposit: Deposit, own: str, **changed: Any) -> dict[str, Any]:
    return told(site.send(creation(deposit, own, **changed)))


def perform(site: Site, own: str) -> dict[str, Any]:
    return ask(site, "PerformTransaction", id=own)


def cancel(site: Site, own: str, reason: int = 5) -> dict[str, Any]:
    return ask(site, "CancelTransaction", id=own, reason=reason)


def state(site: Site, own: str) -> dict[str, Any]:
    return result(ask(site, "CheckTransaction", id=own))


def pay(site: Site, deposit: Deposit) -> int:
    """Walk through a whole payment. The code that stopped it, or 0."""
    own = number()
    for step in (
        lambda: check(site, deposit),
        lambda: create(site, deposit, own),
        lambda: perform(site, own),
    ):
        if stopped := code(step()):
            return stopped
    return 0


def paid(site: Site) -> tuple[Deposit, str]:
    """A deposit that was paid, and Payme's number of it."""
    deposit, own = site.deposit(CODE), number()
    result(create(site, deposit, own))
    result(perform(site, own))
    return deposit, own


# --- As it should go --------------------------------------------------------------------------------


@scenario(CODE, "a payment: check, create, perform; only perform credits")
def whole_payment(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    deposit.must_be("pending")
    expect(result(check(site, deposit)), {"allow": True})
    created = result(create(site, deposit, own))
    expect((created["state"], created["receivers"]), (1, None))
    expect((type(created["transaction"]), type(created["create_time"])), (str, int), "types")
    deposit.must_be("open")
    performed = result(perform(site, own))
    expect((performed["transaction"], performed["state"]), (created["transaction"], 2))
    deposit.must_be("completed")
    expect(
        state(site, own),
        {
            "create_time": created["create_time"],
            "perform_time": performed["perform_time"],
            "cancel_time": 0,
            "transaction": created["transaction"],
            "state": 2,
            "reason": None,
        },
    )


@scenario(CODE, "the payer's link carries merchant, deposit and amount")
def link(site: Site) -> None:
    deposit = site.deposit(CODE)
    text = base64.b64decode(deposit.payment_url.rstrip("/").rpartition("/")[2]).decode()
    fields = dict(part.partition("=")[::2] for part in text.split(";"))
    expect(fields["m"], setting("PAYME_MERCHANT_ID"))
    expect((fields["ac.transaction_id"], fields["a"]), (deposit.id, str(deposit.amount)))


@scenario(CODE, "the sandbox's first walk: create and cancel, each twice, a second create in between")
def sandbox_cancels(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    at = now()
    first = create(site, deposit, own, time=at)
    expect(create(site, deposit, own, time=at), first, "the repeated create")
    expect_in(code(create(site, deposit, number())), (-31008, *range(-31099, -31049)), "another create")
    expect(state(site, own)["state"], 1)
    gone = cancel(site, own, 3)
    expect(result(gone)["state"], -1)
    expect(cancel(site, own, 3), gone, "the repeated cancel")
    last = state(site, own)
    expect((last["state"], last["reason"], last["perform_time"]), (-1, 3, 0))
    expect(last["cancel_time"], result(gone)["cancel_time"])
    deposit.must_be("pending")


@scenario(CODE, "the sandbox's second walk: create, perform and cancel, each twice")
def sandbox_refunds(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    at = now()
    expect(create(site, deposit, own, time=at), create(site, deposit, own, time=at), "create")
    expect(perform(site, own), perform(site, own), "perform")
    deposit.must_be("completed")
    gone = cancel(site, own, 5)
    expect(result(gone)["state"], -2)
    expect(cancel(site, own, 5), gone, "the repeated cancel")
    last = state(site, own)
    expect((last["state"], last["reason"]), (-2, 5))
    expect(deposit.person.balance(), 0, "the balance")


@scenario(CODE, "a fiscal receipt is taken; of an unknown transaction it is not")
def fiscal(site: Site) -> None:
    _deposit, own = paid(site)
    data = {"receipt_id": 1, "status_code": 0, "fiscal_sign": "7", "qr_code_url": "https://ofd.example/"}
    expect(result(ask(site, "SetFiscalData", id=own, type="PERFORM", fiscal_data=data)), {"success": True})
    expect(code(ask(site, "SetFiscalData", id=number(), type="PERFORM", fiscal_data=data)), -32001)
    expect(code(ask(site, "SetFiscalData", id=own, type="OTHER", fiscal_data=data)), -32602)


# --- Who calls, and how -----------------------------------------------------------------------------


@scenario(CODE, "wrong credentials are -32504 before anything in the body is judged (-32504)")
def credentials(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    result(create(site, deposit, own))
    login, key = setting("PAYME_LOGIN"), setting("PAYME_SECRET_KEY")
    performing = {"id": 7, "method": "PerformTransaction", "params": {"id": own}}
    for wrong in ("", "Basic", "Basic !!!", "Bearer x", basic(login, ""), basic(login, key + "x"), basic("x", key),
                  basic(login.lower(), key), basic(f"{login}:{key[:3]}", key[3:]), basic(key, login)):  # fmt: skip
        for body in (performing, {"id": 7}, b"{", b"\xff"):
            data = told(site.send(request(body, authorization=wrong)))
            expect(code(data), -32504, wrong)
    deposit.must_be("open")


@scenario(CODE, "another HTTP method than POST is told in Payme's words (-32300)")
def not_post(site: Site) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        expect(code(told(site.send(request(b"", method=method)))), -32300, method)


@scenario(CODE, "a body that is no JSON, not UTF-8, or holds NaN (-32700)")
def not_json(site: Site) -> None:
    for body in NOT_JSON:
        data = told(site.send(request(body)))
        expect((code(data), data["id"]), (-32700, None), body[:40])


@scenario(CODE, "members that are missing or of a wrong type (-32600)")
def bad_request(site: Site) -> None:
    for body in (b"[]", b"null", b'"x"', b"7", {}, {"id": 1}, {"id": 1, "method": 5, "params": {}},
                 {"id": 1, "method": "CheckTransaction"}, {"id": 1, "method": "CheckTransaction", "params": []},
                 [{"id": 1, "method": "CheckTransaction", "params": {"id": "x"}}]):  # fmt: skip
        expect(code(told(site.send(request(body)))), -32600, body)


@scenario(CODE, "an unknown method is named (-32601)")
def no_method(site: Site) -> None:
    for name in ("DeleteEverything", "ChangePassword", "createTransaction", ""):
        data = ask(site, name, id="x", password="abcdef")
        expect((code(data), data["error"]["data"]), (-32601, name))


@scenario(CODE, "parameters of a wrong type are refused, never a server error (-32602)")
def bad_params(site: Site) -> None:
    deposit = site.deposit(CODE)
    for method in ("PerformTransaction", "CancelTransaction", "CheckTransaction"):
        for wrong in each(None, 5.5, True, "", "x" * 200, [], {"a": 1}, "Ж"):
            expect(code(ask(site, method, id=wrong, reason=5)), -32602, (method, wrong))
    for wrong in each(None, "5", 5.5, True, 2**31, []):
        expect(code(ask(site, "CancelTransaction", id=number(), reason=wrong)), -32602, wrong)
    for wrong in each(None, "now", -1, 10**20, 1.5, True):
        expect(code(create(site, deposit, number(), time=wrong)), -32602, wrong)
        expect(code(ask(site, "GetStatement", **{"from": wrong, "to": 1})), -32602, wrong)
    for wrong in each(None, "x", [], 5):
        expect(code(check(site, deposit, account=wrong)), -32602, wrong)


@scenario(CODE, "a body of 64 KB is read, one byte more is not")
def oversized(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    right = creation(deposit, own).body
    for size, status in ((LARGEST_BODY + 1, 413), (LARGEST_BODY, 200)):
        answer = site.send(request(right.ljust(size)))
        expect(answer.status, status, f"{size} bytes")
        expect(code(ask(site, "CheckTransaction", id=own)), 0 if status == 200 else -31003)


# --- Amounts and accounts ---------------------------------------------------------------------------


@scenario(CODE, "a wrong amount: zero, negative, another, a fraction, a text, huge (-31001)")
def wrong_amount(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    for amount in (*WRONG_AMOUNTS, None, 10**17, 10**30):
        expect(code(check(site, deposit, amount=amount)), -31001, amount)
        expect(code(create(site, deposit, own, amount=amount)), -31001, amount)
    expect(code(perform(site, own)), -31003, "nothing was created")
    deposit.must_be("pending")


@scenario(CODE, "an unknown account, with a message in three languages and the field's name (-31050)")
def unknown_account(site: Site) -> None:
    deposit = site.deposit(CODE)
    for wrong in (*wrong_references(deposit.id), None):
        for data in (
            check(site, deposit, account={"transaction_id": wrong}),
            create(site, deposit, number(), account={"transaction_id": wrong}),
        ):
            expect((code(data), data["error"]["data"]), (-31050, "transaction_id"), wrong)
            expect(sorted(data["error"]["message"]), ["en", "ru", "uz"])
    expect(code(check(site, deposit, account={"order_id": deposit.id})), -31050)


@scenario(CODE, "an unknown transaction; a call that comes before its create (-31003)")
def unknown_transaction(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    for data in (perform(site, own), cancel(site, own), ask(site, "CheckTransaction", id=own)):
        expect(code(data), -31003)
    result(create(site, deposit, own))
    result(perform(site, own))
    deposit.must_be("completed")


@scenario(CODE, "a transaction's number cannot move to another deposit (-31008)")
def number_moves(site: Site) -> None:
    _first, own = paid(site)
    other = site.deposit(CODE)
    expect(code(create(site, other, own)), -31008)
    other.must_be("pending")


# --- Repeats and order ------------------------------------------------------------------------------


@scenario(CODE, "a paid deposit cannot be paid again (-31051)")
def already_paid(site: Site) -> None:
    deposit, own = paid(site)
    expect(code(check(site, deposit)), -31051)
    expect(code(create(site, deposit, number())), -31051)
    expect(code(create(site, deposit, own)), -31008, "the same number")
    deposit.must_be("completed")


@scenario(CODE, "a second transaction waits while the first is open (-31008)")
def busy(site: Site) -> None:
    deposit, own, other = site.deposit(CODE), number(), number()
    result(create(site, deposit, own))
    expect(code(create(site, deposit, other)), -31008)
    expect(code(perform(site, other)), -31003)
    result(perform(site, own))
    deposit.must_be("completed")


@scenario(CODE, "after a cancelled try: it stays cancelled, another one pays")
def cancelled_before(site: Site) -> None:
    deposit, own, other = site.deposit(CODE), number(), number()
    result(create(site, deposit, own))
    expect(result(cancel(site, own, 3))["state"], -1)
    expect(code(perform(site, own)), -31008, "a late perform")
    expect(code(create(site, deposit, own)), -31008, "a late create")
    deposit.must_be("pending")
    result(create(site, deposit, other))
    result(perform(site, other))
    expect(code(perform(site, own)), -31008, "the first one still")
    deposit.must_be("completed")


@scenario(CODE, "after a refund: nothing can be performed or created again, the first reason is kept")
def cancelled_after(site: Site) -> None:
    deposit, own = paid(site)
    first = cancel(site, own, 5)
    expect(result(first)["state"], -2)
    expect(cancel(site, own, 1), first, "with another reason")
    expect(state(site, own)["reason"], 5)
    expect(code(perform(site, own)), -31008)
    expect(code(create(site, deposit, own)), -31008)
    expect_in(code(create(site, deposit, number())), (-31008, *range(-31099, -31049)))
    expect(deposit.person.balance(), 0, "the balance")


@scenario(CODE, "money that is spent cannot be cancelled (-31007)", needs_local=True)
def spent(site: Site) -> None:
    deposit, own = paid(site)
    site.beside.spend(deposit.person.email, 1_000_00)
    expect(code(cancel(site, own)), -31007)
    expect(state(site, own)["state"], 2)
    expect(deposit.person.balance(), 49_000_00, "the balance")


# --- Time -------------------------------------------------------------------------------------------


@scenario(CODE, "a first create that is twelve hours old by Payme's clock (-31008)")
def old_create(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(code(create(site, deposit, own, time=now() - 12 * HOUR - 1000)), -31008)
    expect(code(ask(site, "CheckTransaction", id=own)), -31003)
    result(create(site, deposit, own, time=now() - 12 * HOUR + 60_000))
    deposit.must_be("open")


@scenario(CODE, "an open transaction ends after twelve hours: -31008, state -1, reason 4", needs_local=True)
def expiry(site: Site) -> None:
    for late in ("perform", "create"):
        deposit, own = site.deposit(CODE), number()
        at = now()
        result(create(site, deposit, own, time=at))
        site.beside.age(CODE, own, hours=13)
        answer = perform(site, own) if late == "perform" else create(site, deposit, own, time=at)
        expect(code(answer), -31008, late)
        last = state(site, own)
        expect((last["state"], last["reason"], last["perform_time"]), (-1, 4, 0))
        deposit.must_be("pending")
        expect(pay(site, deposit), 0, "another try")
        deposit.must_be("completed")


@scenario(CODE, "a statement: Payme's times, both ends included, oldest first, cancelled ones too")
def statement(site: Site) -> None:
    start = now() - 10 * HOUR - secrets.randbelow(HOUR)
    made: dict[int, tuple[Deposit, str]] = {}
    for offset in (3, 1, 2, 0, 4):
        made[offset] = site.deposit(CODE), number()
        result(create(site, *made[offset], time=start + offset))
    result(perform(site, made[1][1]))
    result(cancel(site, made[2][1], 3))
    expect(code(create(site, site.deposit(CODE), number(), time=start + 2, amount=1)), -31001)

    lines = result(ask(site, "GetStatement", **{"from": start + 1, "to": start + 3}))["transactions"]

    expect([line["id"] for line in lines], [made[offset][1] for offset in (1, 2, 3)])
    expect([line["time"] for line in lines], [start + 1, start + 2, start + 3])
    expect([line["state"] for line in lines], [2, -1, 1])
    first, (deposit, own) = lines[0], made[1]
    expect((first["amount"], first["account"], first["receivers"]), (deposit.amount, account(deposit), None))
    expect({name: first[name] for name in state(site, own)}, state(site, own), "as CheckTransaction says")


@scenario(CODE, "a statement of a time in which nothing was, or that runs backwards, is empty")
def empty_statement(site: Site) -> None:
    for since, until in ((0, 1), (now(), 0), (253_402_300_799_000, 253_402_300_799_000)):
        expect(result(ask(site, "GetStatement", **{"from": since, "to": until})), {"transactions": []})


# --- At the same moment -----------------------------------------------------------------------------


@scenario(CODE, "twenty performs of one transaction at once: one answer, money once")
def crowd_performs(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    result(create(site, deposit, own))
    answers = [told(answer) for answer in site.at_once([rpc("PerformTransaction", id=own)] * CROWD)]
    for answer in answers:
        expect(answer, answers[0])
    expect(result(answers[0])["state"], 2)
    deposit.must_be("completed")


@scenario(CODE, "twenty creates of one transaction at once: one transaction")
def crowd_creates(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    answers = [told(answer) for answer in site.at_once([creation(deposit, own, time=now())] * CROWD)]
    for answer in answers:
        expect(answer, answers[0])
    result(answers[0])
    result(perform(site, own))
    deposit.must_be("completed")


@scenario(CODE, "twenty creates of other numbers at once: one is opened, the others wait")
def crowd_of_numbers(site: Site) -> None:
    deposit = site.deposit(CODE)
    answers = site.at_once([creation(deposit, number()) for _one in range(CROWD)])
    expect(sorted(code(told(answer)) for answer in answers), [-31008] * (CROWD - 1) + [0])


@scenario(CODE, "twenty cancellations of a paid one at once: taken back once")
def crowd_cancels(site: Site) -> None:
    deposit, own = paid(site)
    person = deposit.person
    expect(pay(site, person.deposit(CODE)), 0, "another, so that taking back twice would show")
    answers = site.at_once([rpc("CancelTransaction", id=own, reason=5)] * CROWD)
    for answer in answers:
        expect(told(answer), told(answers[0]))
    expect(result(told(answers[0]))["state"], -2)
    expect(person.balance(), 50_000_00, "the balance")


@scenario(CODE, "performs and cancellations at once end as one of them, and the money agrees")
def crowd_quarrels(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    result(create(site, deposit, own))
    site.at_once(
        [rpc("PerformTransaction", id=own), rpc("CancelTransaction", id=own, reason=3)] * (CROWD // 2)
    )
    last = state(site, own)
    expect_in(last["state"], (-1, -2), "a cancellation comes in the end")
    expect(last["perform_time"] > 0, last["state"] == -2)
    expect(deposit.person.balance(), 0, "the balance")
