"""Paynet calls: JSON-RPC 2.0 with HTTP Basic; PerformTransaction is the payment. Source: reference, section Paynet."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

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
    scenario,
    setting,
    wrong_references,
)

CODE = "paynet"
URL = "/api/v1/payments/webhooks/paynet/"
UNKNOWN = 302
TASHKENT = timedelta(hours=5)
LEFT_OUT = object()


def basic(login: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


def request(body: object, *, authorization: str | None = None, method: str = "POST") -> Request:
    right = basic(setting("PAYNET_LOGIN"), setting("PAYNET_PASSWORD"))
    headers = {"Content-Type": "application/json"}
    headers["Authorization"] = right if authorization is None else authorization
    return Request(method, URL, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)


def rpc(name: str, /, **params: Any) -> Request:
    given = {"serviceId": int(setting("PAYNET_SERVICE_ID")), **params}
    given = {name: value for name, value in given.items() if value is not LEFT_OUT}
    return request({"jsonrpc": "2.0", "id": 11, "method": name, "params": given})


def told(answer: Answer, status: int = 200) -> dict[str, Any]:
    expect(answer.status, status, "the HTTP status")
    data: dict[str, Any] = answer.json()
    if ("result" in data) == ("error" in data) or "id" not in data:
        raise Failed(f"not a result nor an error: {data!r:.300}")
    return data


def ask(site: Site, name: str, /, **params: Any) -> dict[str, Any]:
    data = told(site.send(rpc(name, **params)))
    expect((data["jsonrpc"], data["id"]), ("2.0", 11))
    return data


def code(data: dict[str, Any]) -> int:
    return int(data["error"]["code"]) if "error" in data else 0


def result(data: dict[str, Any]) -> Any:
    if "error" in data:
        raise Failed(f"refused: {data['error']!r:.300}")
    return data["result"]


def number() -> int:
    return 10**6 + secrets.randbelow(2**62)


def fields(deposit: Deposit) -> dict[str, str]:
    return {"transaction_id": deposit.id}


def written(at: datetime) -> str:
    return f"{at + TASHKENT:%Y-%m-%d %H:%M:%S}"


def performing(deposit: Deposit, own: int, **changed: Any) -> Request:
    params = {"transactionId": own, "amount": deposit.amount, "transactionTime": written(datetime.now(UTC))}
    return rpc("PerformTransaction", **{**params, "fields": fields(deposit), **changed})


def perform(site: Site, deposit: Deposit, own: int, **changed: Any) -> dict[str, Any]:
    return told(site.send(performing(deposit, own, **changed)))


def cancel(site: Site, own: int) -> dict[str, Any]:
    return ask(site, "CancelTransaction", transactionId=own)


def state(site: Site, own: int) -> tuple[int, int]:
    """How Paynet's transaction stands with us, and our number of it."""
    data = result(ask(site, "CheckTransaction", transactionId=own))
    return data["transactionState"], data["providerTrnId"]


def pay(site: Site, deposit: Deposit) -> int:
    """Walk through a whole payment. The code that stopped it, or 0."""
    if stopped := code(ask(site, "GetInformation", fields=fields(deposit))):
        return stopped
    return code(perform(site, deposit, number()))


def paid(site: Site) -> tuple[Deposit, int]:
    deposit, own = site.deposit(CODE), number()
    result(perform(site, deposit, own))
    return deposit, own


# --- As it should go --------------------------------------------------------------------------------


@scenario(CODE, "a payment: information, perform, check")
def whole_payment(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    shown = result(ask(site, "GetInformation", fields=fields(deposit)))
    expect((shown["status"], shown["fields"]["amount"]), ("0", "50000.00"))
    deposit.must_be("pending")
    expect(state(site, own), (3, 0), "not there yet")
    performed = result(perform(site, deposit, own))
    expect(type(performed["providerTrnId"]), int, "our number")
    expect(performed["fields"], {"balance": 0}, "nothing about the wallet")
    deposit.must_be("completed")
    expect(state(site, own), (1, performed["providerTrnId"]))


@scenario(CODE, "the payer's link carries the deposit and the amount")
def link(site: Site) -> None:
    deposit = site.deposit(CODE)
    query = parse_qs(urlsplit(deposit.payment_url).query)
    expect((query["c"], query["a"]), ([deposit.id], [str(deposit.amount)]))


@scenario(CODE, "the time may be called `time`, or be left out")
def time_is_optional(site: Site) -> None:
    for changed in (
        {"transactionTime": LEFT_OUT},
        {"transactionTime": LEFT_OUT, "time": "2026-03-14 15:09:40"},
    ):
        deposit = site.deposit(CODE)
        result(perform(site, deposit, number(), **changed))
        deposit.must_be("completed")


# --- Who calls, and how -----------------------------------------------------------------------------


@scenario(CODE, "wrong credentials are HTTP 401 before anything in the body is judged (412)")
def credentials(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    login, password = setting("PAYNET_LOGIN"), setting("PAYNET_PASSWORD")
    for wrong in ("", "Basic", "Basic !!!", "Bearer x", basic(login, ""), basic(login, password + "x"), basic("x", password),
                  basic(login.upper(), password), basic(password, login)):  # fmt: skip
        for body in (performing(deposit, own).body, b'{"id": 7}', b"{", b"\xff"):
            expect(code(told(site.send(request(body, authorization=wrong)), 401)), 412, wrong)
    deposit.must_be("pending")


@scenario(CODE, "another HTTP method than POST is told in Paynet's words (-32300)")
def not_post(site: Site) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        expect(code(told(site.send(request(b"", method=method)))), -32300, method)


@scenario(CODE, "a body that is no JSON, not UTF-8, or holds NaN (-32700)")
def not_json(site: Site) -> None:
    for body in NOT_JSON:
        data = told(site.send(request(body)))
        expect((code(data), data["id"]), (-32700, None), body[:40])


@scenario(CODE, "members that are missing or of a wrong type (-32600, -32601, -32602)")
def bad_request(site: Site) -> None:
    for body in (b"[]", b"null", b'"x"', b"7", {}, {"id": 1}, {"id": 1, "method": 5, "params": {}}):
        expect(code(told(site.send(request(body)))), -32600, body)
    for name in ("Refund", "performTransaction", ""):
        expect(code(ask(site, name)), -32601, name)
    for params in each(None, [], "x", 5):
        call = {"id": 1, "method": "CheckTransaction", "params": params}
        expect(code(told(site.send(request(call)))), -32602, params)


@scenario(CODE, "a parameter that is missing or null (411)")
def missing(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    time = "2026-03-14 15:09:40"
    given: dict[str, dict[str, Any]] = {
        "GetInformation": {"fields": fields(deposit)},
        "PerformTransaction": {"transactionId": own, "amount": deposit.amount, "fields": fields(deposit)},
        "CheckTransaction": {"transactionId": own},
        "CancelTransaction": {"transactionId": own},
        "GetStatement": {"dateFrom": time, "dateTo": time},
        "ChangePassword": {"newPassword": "n3w-pass-word"},
    }
    for method, params in given.items():
        for name in ("serviceId", *params):
            expect(code(ask(site, method, **{**params, name: LEFT_OUT})), 411, (method, name))
            expect(code(ask(site, method, **{**params, name: None})), 411, (method, name))
        expect(code(ask(site, method, **params, serviceId=10**9)), 305, method)
    expect(code(ask(site, "GetInformation", fields={})), 411)
    deposit.must_be("pending")


@scenario(CODE, "parameters of a wrong type are refused, never a server error (-32602)")
def bad_params(site: Site) -> None:
    deposit = site.deposit(CODE)
    for wrong in each(0, -1, 1.5, True, "9900123", "", 2**63, 10**40, [], {"a": 1}):
        expect(code(perform(site, deposit, 1, transactionId=wrong)), -32602, wrong)
        for method in ("CheckTransaction", "CancelTransaction"):
            expect(code(ask(site, method, transactionId=wrong)), -32602, wrong)
    for wrong in each([], "x", 5, True):
        expect(code(ask(site, "GetInformation", fields=wrong)), -32602, wrong)
    for wrong in each("", "short", 5, ["abcdef"], "Парольпароль", "x" * 200, "with space"):
        expect(code(ask(site, "ChangePassword", newPassword=wrong)), -32602, wrong)
    deposit.must_be("pending")


@scenario(CODE, "another service, or one that is no number (305)")
def foreign_service(site: Site) -> None:
    deposit = site.deposit(CODE)
    for service in each(10**9, 0, -1, setting("PAYNET_SERVICE_ID"), 1.0, True, 10**30, [], {}):
        expect(code(perform(site, deposit, number(), serviceId=service)), 305, service)
    deposit.must_be("pending")


@scenario(CODE, "a time that cannot be read (414)")
def wrong_time(site: Site) -> None:
    deposit, good = site.deposit(CODE), "2026-03-14 15:09:40"
    for wrong in each("now", "2026-02-30 00:00:00", "2026-03-14", "0001-01-01 00:00:00", 5, True, [], ""):
        expect(code(perform(site, deposit, number(), transactionTime=wrong)), 414, wrong)
        expect(code(ask(site, "GetStatement", dateFrom=wrong, dateTo=good)), 414, wrong)
        expect(code(ask(site, "GetStatement", dateFrom=good, dateTo=wrong)), 414, wrong)
    deposit.must_be("pending")


@scenario(CODE, "a body of 64 KB is read, one byte more is not")
def oversized(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    right = performing(deposit, own).body
    expect(site.send(request(right.ljust(LARGEST_BODY + 1))).status, 413)
    deposit.must_be("pending")
    expect(code(told(site.send(request(right.ljust(LARGEST_BODY))))), 0)
    deposit.must_be("completed")


@scenario(CODE, "a new password opens the door, and the old one does not any more", needs_local=True)
def change_password(site: Site) -> None:
    old, new = setting("PAYNET_PASSWORD"), "n3w-pass-word"
    calls = {password: basic(setting("PAYNET_LOGIN"), password) for password in (old, new)}

    def change(by: str, to: str) -> int:
        body = rpc("ChangePassword", newPassword=to).body
        return code(site.send(request(body, authorization=calls[by])).json())

    expect(change(old, new), 0)
    try:
        expect(change(old, "an0ther-word"), 412, "the old one")
        expect(code(site.send(rpc("CheckTransaction", transactionId=1)).json()), 412)
    finally:
        expect(change(new, old), 0, "back again")


# --- Amounts and accounts ---------------------------------------------------------------------------


@scenario(CODE, "a wrong amount: zero, negative, another, a fraction, a text (413)")
def wrong_amount(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    for amount in WRONG_AMOUNTS:
        expect(code(perform(site, deposit, own, amount=amount)), 413, amount)
    expect(state(site, own), (3, 0))
    deposit.must_be("pending")


@scenario(CODE, "an amount above the limit is refused as such (415)")
def too_much(site: Site) -> None:
    deposit = site.deposit(CODE)
    for amount in (50_000_000_01 * 100, 10**17, 10**30):
        expect(code(perform(site, deposit, number(), amount=amount)), 415, amount)
    deposit.must_be("pending")


@scenario(CODE, "an unknown account (302)")
def unknown_account(site: Site) -> None:
    deposit = site.deposit(CODE)
    for wrong in wrong_references(deposit.id):
        expect(code(ask(site, "GetInformation", fields={"transaction_id": wrong})), 302, wrong)
        expect(code(perform(site, deposit, number(), fields={"transaction_id": wrong})), 302, wrong)
    deposit.must_be("pending")


@scenario(CODE, "an unknown transaction: a result of state 3, no cancellation (203)")
def unknown_transaction(site: Site) -> None:
    own = number()
    expect(state(site, own), (3, 0))
    expect(code(cancel(site, own)), 203)


# --- Repeats and order ------------------------------------------------------------------------------


@scenario(CODE, "the same perform again is no second success (201)")
def perform_again(site: Site) -> None:
    deposit, own = paid(site)
    expect(code(perform(site, deposit, own)), 201)
    expect(code(perform(site, deposit, own, transactionTime="2026-03-14 15:09:40")), 201, "at another time")
    deposit.must_be("completed")


@scenario(CODE, "a paid deposit is not to be paid, nor looked at (302)")
def already_paid(site: Site) -> None:
    deposit, _own = paid(site)
    expect(code(perform(site, deposit, number())), 302)
    expect(code(ask(site, "GetInformation", fields=fields(deposit))), 302)
    deposit.must_be("completed")


@scenario(CODE, "a transaction cannot move to another deposit (201)")
def number_moves(site: Site) -> None:
    _first, own = paid(site)
    other = site.deposit(CODE)
    expect(code(perform(site, other, own)), 201)
    other.must_be("pending")


@scenario(CODE, "a cancellation takes the money back, once (202), and cannot be undone (201)")
def cancelled_after(site: Site) -> None:
    deposit, own = paid(site)
    _state, ours = state(site, own)
    gone = result(cancel(site, own))
    expect((gone["transactionState"], gone["providerTrnId"]), (2, ours))
    expect(deposit.person.balance(), 0, "the balance")
    expect(code(cancel(site, own)), 202)
    expect(state(site, own), (2, ours))
    expect(code(perform(site, deposit, own)), 201)
    expect(code(perform(site, deposit, number())), 302, "with another number")
    expect(deposit.person.balance(), 0, "the balance")


@scenario(CODE, "a cancellation that overtakes its perform changes nothing (203)")
def cancelled_before(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    expect(code(cancel(site, own)), 203)
    result(perform(site, deposit, own))
    deposit.must_be("completed")


@scenario(CODE, "money that is spent cannot be taken back (77)", needs_local=True)
def spent(site: Site) -> None:
    deposit, own = paid(site)
    site.beside.spend(deposit.person.email, 1_000_00)
    expect(code(cancel(site, own)), 77)
    expect(state(site, own)[0], 1)
    expect(deposit.person.balance(), 49_000_00, "the balance")


@scenario(CODE, "a deposit that was given up cannot be paid (302)", needs_local=True)
def given_up(site: Site) -> None:
    deposit = site.deposit(CODE)
    site.beside.give_up(deposit.id)
    expect(pay(site, deposit), 302)
    expect(code(perform(site, deposit, number())), 302)
    deposit.must_be("cancelled")


# --- Statements -------------------------------------------------------------------------------------


@scenario(CODE, "a statement: Paynet's times, both ends included, oldest first, no cancelled ones")
def statement(site: Site) -> None:
    start = datetime(2011, 1, 1, tzinfo=UTC) + timedelta(seconds=secrets.randbelow(10**8))
    times = {offset: written(start + timedelta(seconds=offset)) for offset in range(6)}
    made = {offset: number() for offset in (4, 1, 3, 5, 2, 0)}
    ours = {}
    for offset, own in made.items():
        done = perform(site, site.deposit(CODE), own, transactionTime=times[offset])
        ours[offset] = result(done)["providerTrnId"]
    result(cancel(site, made[2]))

    lines = result(ask(site, "GetStatement", dateFrom=times[1], dateTo=times[4]))["statements"]

    expect([line["transactionId"] for line in lines], [made[offset] for offset in (1, 3, 4)])
    line = {"amount": 50_000_00, "providerTrnId": ours[1], "transactionId": made[1], "timestamp": times[1]}
    expect(lines[0], line)


@scenario(CODE, "a statement of a time in which nothing was, or that runs backwards, is empty")
def empty_statement(site: Site) -> None:
    for since, until in (
        ("2001-01-01 00:00:00", "2001-01-01 23:59:59"),
        ("2030-01-01 00:00:00", "2001-01-01 00:00:00"),
    ):
        expect(result(ask(site, "GetStatement", dateFrom=since, dateTo=until)), {"statements": []})


# --- At the same moment -----------------------------------------------------------------------------


@scenario(CODE, "twenty performs of one transaction at once: one success, the others 201, money once")
def crowd_performs(site: Site) -> None:
    deposit, own = site.deposit(CODE), number()
    answers = site.at_once([performing(deposit, own)] * CROWD)
    expect(sorted(code(told(answer)) for answer in answers), [0] + [201] * (CROWD - 1))
    deposit.must_be("completed")


@scenario(CODE, "twenty performs of other numbers at once: one is paid")
def crowd_of_numbers(site: Site) -> None:
    deposit = site.deposit(CODE)
    answers = site.at_once([performing(deposit, number()) for _one in range(CROWD)])
    expect(sorted(code(told(answer)) for answer in answers), [0] + [302] * (CROWD - 1))
    deposit.must_be("completed")


@scenario(CODE, "twenty cancellations at once: taken back once")
def crowd_cancels(site: Site) -> None:
    person, own = site.person(), number()
    result(perform(site, person.deposit(CODE), number()))  # stays, so that taking back twice would show
    result(perform(site, person.deposit(CODE), own))
    answers = site.at_once([rpc("CancelTransaction", transactionId=own)] * CROWD)
    expect(sorted(code(told(answer)) for answer in answers), [0] + [202] * (CROWD - 1))
    expect(person.balance(), 50_000_00, "the balance")
