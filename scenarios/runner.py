"""What a scenario is, the little HTTP it speaks, the people and deposits it makes, and the run of all of them.

A scenario asserts on what goes over the wire, and on the money its own person sees before and after. Amounts are whole minor
units. Where a protocol's rule hangs on our clock, or needs money to be spent, a `Local` helps from the inside; against a
server somewhere else those scenarios are skipped, and the table says so.
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from project.settings.providers import PROVIDERS

# Each registers its scenarios when it is imported; `crossing` plays all the others against each other.
MODULES = (
    "payme", "click", "paynet", "atmos", "stripe", "kaspi", "freedompay", "cloudpayments", "mock", "crossing",
)  # fmt: skip
TIMEOUT = 60  # seconds for one answer
CROWD = 20  # how many deliver the same thing at the same moment
LARGEST_BODY = 64 * 1024
PASSWORD = "Qorbars-7741"
JSON = {"Content-Type": "application/json"}

# What an adapter must never take for an amount of 5 000 000 tiyin, as JSON.
WRONG_AMOUNTS: tuple[Any, ...] = (
    0,
    -5_000_000,
    4_999_999,
    5_000_001,
    50_000,
    5000000.0,
    "5000000",
    True,
    [5_000_000],
    {"a": 1},
)
# Nor for an amount of 50000.00, as text.
WRONG_TEXTS = (
    "0", "-50000.00", "49999.99", "50000.01", "50000.001", "5000000", "NaN", "Infinity", "5e4", "", "50000,00", "true",
    "9" * 400, " 50000", "٥٠٠٠٠",
)  # fmt: skip
# Bodies that are no JSON at all: cut off, not UTF-8, constants that Python's parser would take, texts no database can keep.
NOT_JSON = (
    b"", b"{", b"x", b"\xff\xfe", b'{"id": "\xd0"}', b"NaN", b'{"id": 1, "params": {"amount": NaN}}',
    b'{"id": 1, "params": {"amount": -Infinity}}', b'{"id": 1, "x": "\\u0000"}', b'{"id": 1, "x": "\\ud800"}',
    b"[" * 30_000, b"1" * 6000,
)  # fmt: skip


class Failed(AssertionError):
    """The server did not do what the protocol asks."""


def each(*values: Any) -> tuple[Any, ...]:
    """Values of all sorts, to go through."""
    return values


def wrong_references(right: str) -> tuple[Any, ...]:
    """What names no deposit, as JSON may carry it; `right` is the id of one that is there."""
    return (
        str(uuid4()),
        "no-such",
        "",
        5,
        [],
        True,
        right.replace("-", ""),
        f"{right} ",
        "٠" * 36,
        {"a": right},
    )


def expect(got: object, wanted: object, about: object = "") -> None:
    """Raises Failed unless both are the same."""
    if got != wanted or type(got) is not type(wanted):
        raise Failed(f"{about}: got {got!r:.300}, not {wanted!r:.300}".removeprefix(": "))


def expect_in(got: object, allowed: Iterable[object], about: object = "") -> None:
    allowed = list(allowed)
    if got not in allowed:
        raise Failed(f"{about}: got {got!r:.300}, not one of {allowed!r:.300}".removeprefix(": "))


def setting(variable: str) -> str:
    """A provider's credential: the environment's, else the documented sample that the server takes outside production."""
    return os.environ.get(variable) or _SAMPLES[variable]


_SAMPLES = {
    "SANDBOX_SECRET": "sandbox-test-secret",
    **{value.variable: value.sample or value.default for provider in PROVIDERS for value in provider.values},
}


# --- The wire ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed(f"an answer of {self.status} that is no JSON: {self.body!r:.300}") from None

    @property
    def refusal(self) -> str:
        """The code in our own envelope."""
        data = self.json()
        expect(data.get("success"), False, "success")
        return str(data["error"]["code"])


class Local(Protocol):
    """What only somebody beside the server can do."""

    def age(self, provider: str, provider_id: str, *, hours: int) -> None:
        """Let a provider's try be so many hours older by our clock."""

    def spend(self, email: str, amount: int) -> None:
        """Take money out of somebody's wallet, as if it was spent."""

    def give_up(self, deposit_id: str) -> None:
        """Close a deposit that nobody came to pay."""

    def balance(self, email: str, currency: str) -> int:
        """What somebody has in a currency that the API does not show."""


@dataclass(frozen=True)
class Site:
    """A running server."""

    base: str
    local: Local | None = None

    @property
    def beside(self) -> Local:
        assert self.local is not None, "only for scenarios that need somebody beside the server"
        return self.local

    def call(
        self, method: str, path: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        data = body.encode() if isinstance(body, str) else body
        return self.send(Request(method, path, data, headers or {}))

    def send(self, request: Request) -> Answer:
        return _send(self._connection(), request)

    def at_once(self, requests: Sequence[Request]) -> list[Answer]:
        """Send all at the same moment, each from a thread of its own whose connection stands already."""
        gate = threading.Barrier(len(requests))

        def deliver(request: Request) -> Answer:
            connection = self._connection()
            connection.connect()
            gate.wait(TIMEOUT)
            return _send(connection, request)

        with ThreadPoolExecutor(len(requests)) as crowd:
            return list(crowd.map(deliver, requests))

    def person(self) -> "Person":
        email = f"scenario-{secrets.token_hex(8)}@example.uz"
        body = json.dumps({"email": email, "password": PASSWORD})
        answer = self.call("POST", "/api/v1/auth/register/", body, JSON)
        expect(answer.status, 201, f"registering: {answer.body!r:.200}")
        return Person(self, email, answer.json()["access"])

    def deposit(self, provider: str, amount: int = 50_000_00) -> "Deposit":
        """A person of its own with an open deposit, in the currency of the provider's method."""
        return self.person().deposit(provider, amount)

    def _connection(self) -> HTTPConnection:
        url = urlsplit(self.base)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        return kind(url.hostname or "", url.port, timeout=TIMEOUT)


def _send(connection: HTTPConnection, request: Request) -> Answer:
    try:
        connection.request(request.method, request.path, request.body or None, dict(request.headers))
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read())
    except (OSError, HTTPException) as error:
        raise Failed(f"no answer to {request.method} {request.path[:100]}: {error!r}") from error
    finally:
        connection.close()
    if answer.status >= 500:
        raise Failed(f"{answer.status} to {request.method} {request.path[:100]}: {answer.body!r:.300}")
    return answer


@dataclass(frozen=True)
class Person:
    site: Site
    email: str
    token: str

    def call(self, method: str, path: str, data: object = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", **JSON}
        return self.site.call(method, path, b"" if data is None else json.dumps(data), headers)

    def deposit(self, provider: str, amount: int = 50_000_00) -> "Deposit":
        asked = {"amount": f"{amount // 100}.{amount % 100:02}", "provider": provider}
        answer = self.call("POST", "/api/v1/payments/deposit/", asked)
        expect(answer.status, 201, f"a deposit by {provider}: {answer.body!r:.200}")
        data = answer.json()
        expect(data["status"], "pending", "a new deposit")
        return Deposit(self, provider, data["id"], amount, data["currency"], data["payment_url"])

    def balance(self, currency: str = "UZS") -> int:
        """What the person sees in the wallet. The API shows soʻm; of others it shows what deposits have brought."""
        if currency == "UZS":
            return _minor(self.call("GET", "/api/v1/profile/").json()["balance"])
        if self.site.local is not None:
            return self.site.local.balance(self.email, currency)
        rows = self.call("GET", "/api/v1/payments/transactions/?type=deposit&status=completed").json()[
            "results"
        ]
        return sum(
            _minor(row["amount"]) - _minor(row["refunded"]) for row in rows if row["currency"] == currency
        )


@dataclass(frozen=True)
class Deposit:
    person: Person
    provider: str
    id: str
    amount: int
    currency: str
    payment_url: str

    @property
    def major(self) -> str:
        """The amount as most forms have it: 50000.00."""
        return f"{self.amount // 100}.{self.amount % 100:02}"

    def status(self) -> str:
        return str(self.person.call("GET", f"/api/v1/payments/transactions/{self.id}/").json()["status"])

    def must_be(self, status: str, *, balance: int | None = None) -> None:
        """The deposit's state, and its person's money: the amount when it is completed, else nothing."""
        wanted = balance if balance is not None else self.amount if status == "completed" else 0
        expect(self.person.balance(self.currency), wanted, "the balance")
        expect_in(self.status(), (status,) if status != "open" else ("pending", "processing"), "the deposit")


def _minor(text: str) -> int:
    major, _point, rest = text.partition(".")
    return int(major) * 100 + int(rest.ljust(2, "0")) * (-1 if major.startswith("-") else 1)


# --- Scenarios --------------------------------------------------------------------------------------

type Play = Callable[[Site], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    provider: str
    title: str
    play: Play
    needs_local: bool = False

    @property
    def name(self) -> str:
        return f"{self.provider}-{self.play.__name__}"


_found: dict[str, Scenario] = {}


def scenario(provider: str, title: str, *, needs_local: bool = False) -> Callable[[Play], Play]:
    """Collect a function that plays one scenario, on people and deposits of its own."""

    def collect(play: Play) -> Play:
        one = Scenario(provider, title, play, needs_local)
        if one.name in _found:
            raise ValueError(f"{one.name} is there already")
        _found[one.name] = one
        return play

    return collect


def collected() -> list[Scenario]:
    for module in MODULES:
        import_module(f"scenarios.{module}")
    return list(_found.values())


@dataclass(frozen=True, slots=True)
class Report:
    scenario: Scenario
    verdict: str  # ok, failed or skipped
    milliseconds: int = 0
    why: str = ""


def run(one: Scenario, site: Site) -> Report:
    """Play it, whatever comes."""
    if one.needs_local and site.local is None:
        return Report(one, "skipped", why="needs somebody beside the server")
    begun = time.perf_counter()
    verdict, why = "ok", ""
    try:
        one.play(site)
    except Exception as error:  # noqa: BLE001 (an answer that has another shape is a failure too)
        verdict, why = "failed", str(error) if isinstance(error, Failed) else repr(error)
    return Report(one, verdict, round((time.perf_counter() - begun) * 1000), why)
