"""Hostile input, thrown by Hypothesis at every door of the list by somebody who may open it.

Whatever comes: no crash, no markup of a stranger's as markup, no word of the database, no way to another site. The suite throws a
small sample, always the same; `make test-long` throws ten thousand cases, new ones each time.
"""

import json
import os
import re
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings as site
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.core.testing import run_jobs
from marketplace.payments.tests.wire import through_test_client
from project.tests.test_bad_input import MARK, NAUGHTY, QUERY
from project.tests.test_doors import doors
from project.tests.town import Caller, Town, address, built

CASES = int(os.environ.get("FUZZ_CASES", "120"))
IMAGE = '"><img src=x onerror=alert(4711)>'
HOSTILE = [
    *NAUGHTY, IMAGE,
    "x\r\nSet-Cookie: a=b", "x\nBcc: all@evil.example", "'; DROP TABLE accounts_user; --", "1 OR 1=1", '" OR ""="',
    "%' AND 1=CAST((SELECT version()) AS int)--", "a & b | !c <-> d:*", "((((", "\\", "*", "-*", "' & !", "a" * 300,
    "https://evil.example/", "/\\evil.example", "https:evil.example", "///evil.example", "/%09/evil.example", "data:text/html,x",
    "{{ settings.SECRET_KEY }}", "{% include 'x' %}", "${7*7}", "../" * 20 + "etc/passwd", "..\\..\\x", "file.php%00.png",
    "9" * 400, "-9223372036854775809", "1e-400", "0,1", "2026-13-45", "24:61", "=cmd|' /C calc'!A0", "\ufeff", "\u2028", "ﷺ" * 99,
]  # fmt: skip
FIELDS = [
    "amount", "body", "card", "card_number", "channel", "client_id", "code", "conversation", "email", "file", "full_name", "id",
    "ids", "key", "language", "listing", "message", "method", "next", "note", "password", "period", "phone_number", "plan",
    "provider", "reason", "statement", "text", "timezone", "type", "username", "words",
]  # fmt: skip
# What only a database would say.
DATABASE = re.compile(
    r"syntax error|psycopg|sqlite3?\.|OperationalError|ProgrammingError|DataError|SELECT .{1,80} FROM "
)

# Markup often: it has to meet the one field of the one page that shows it again.
words = st.one_of(
    st.sampled_from([MARK, IMAGE]),
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.integers().map(str),
    st.uuids().map(str),
)
# What a program may send where a word is wanted.
things = st.recursive(
    st.one_of(
        words, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=5,
)


def open_doors() -> list[tuple[str, str, str]]:
    """Each door with the first who gets behind its guard: (method, route, role)."""
    shut = {"in", "401", "403", "404", "405"}
    found = []
    for method, route, cells in doors():
        role = next((role for role, cell in cells.items() if cell not in shut), None)
        if role and route not in {"/metrics/", "/live/"}:
            found.append((method, route, role))
    return found


@pytest.fixture
def town(db, monkeypatch) -> Town:
    through_test_client(monkeypatch)
    return built()


@pytest.fixture
def throw(town):
    """Throw one case at one door, and say what is wrong with the answer."""
    callers = {role: Caller(user) for role, user in town.people.items()}

    @cache
    def own_fields(path: str, role: str) -> list[str]:
        page = callers[role].call("GET", path)
        html = "" if page.streaming else page.content.decode(errors="replace")
        return sorted({*re.findall(r'name="([\w-]+)"', html)} - {"csrfmiddlewaretoken"})

    def sent_to(path: str, role: str, others: list[str], data: st.DataObject) -> dict[str, str]:
        """Some fields of the page, or of others, with a word each; or all of them with the same word."""
        own = own_fields(path, role)
        if data.draw(st.booleans(), label="everywhere"):
            return dict.fromkeys([*own, *others], data.draw(words, label="word"))
        names = st.one_of(st.sampled_from(own or others), st.sampled_from(others))
        return data.draw(st.dictionaries(names, words, max_size=8), label="fields")

    def thrown(door: tuple[str, str, str], data: st.DataObject) -> list[str]:
        method, route, role = door
        path = address(route, town.here.ids)
        body, kind, headers = b"", "", {}
        if method == "GET":
            path += "?" + urlencode(sent_to(path, role, QUERY, data), errors="replace")
        elif path.startswith("/api/"):
            sent = data.draw(
                st.one_of(st.dictionaries(st.sampled_from(FIELDS), things, max_size=5), things), label="body"
            )
            body = json.dumps(sent).encode(errors="replace")
        else:
            form: dict[str, Any] = dict(sent_to(path, role, FIELDS, data))
            if data.draw(st.booleans(), label="with a file"):
                name = data.draw(words, label="filename") or "x"
                field = data.draw(st.sampled_from([*own_fields(path, role), *FIELDS]))
                form[field] = SimpleUploadedFile("x", data.draw(st.binary(max_size=40)), "image/png")
                form_file = next(value for value in form.values() if isinstance(value, SimpleUploadedFile))
                form_file._name = name  # as a client that is no browser writes it
                kind, body = MULTIPART_CONTENT, encode_multipart(BOUNDARY, form)
            else:
                body = urlencode(form, errors="replace").encode()
        if data.draw(st.booleans(), label="by htmx"):
            target = data.draw(words).encode("ascii", "ignore").decode().replace("\r", "").replace("\n", "")
            headers = {"HX-Request": "true", "HX-Target": target}
        answer = callers[role].call(method, path, body, kind=kind, headers=headers)
        event(f"{method} {answer.status_code // 100}xx")
        return faults(answer)

    return thrown


def faults(answer) -> list[str]:
    found = []
    if answer.status_code >= 500:
        found.append(f"{answer.status_code}: {getattr(answer, 'exc_info', None) and answer.exc_info[1]!r}")
    text = "" if answer.streaming else answer.content.decode(errors="replace")
    is_html = answer.get("Content-Type", "").startswith("text/html")
    found += [f"markup: {probe}" for probe in (MARK, IMAGE) if is_html and probe in text]
    if said := DATABASE.search(text):
        found.append(f"the database: {said[0]}")
    if not is_ours(answer.get("Location", "")) or not is_ours(answer.get("HX-Redirect", "")):
        found.append(f"leads away: {answer.get('Location')} {answer.get('HX-Redirect')}")
    return found


def is_ours(location: str) -> bool:
    """Whether a browser would stay here. It takes a backslash for a slash, and leaves tabs and line ends out."""
    parts = urlsplit(re.sub(r"[\t\r\n]", "", location).replace("\\", "/").strip())
    return parts.scheme in {"", "http", "https"} and parts.netloc in {
        "",
        "testserver",
        urlsplit(site.SITE_URL).netloc,
    }


@settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=CASES <= 1000,
    suppress_health_check=list(HealthCheck),
)
@given(door=st.sampled_from(open_doors()), data=st.data())
def test_nothing_that_is_sent_breaks_a_door_or_comes_back_as_markup(throw, door, data):
    assert throw(door, data) == []


# --- Where one value decides --------------------------------------------------------------------------

AWAY = [
    "https://evil.example/", "//evil.example", "/\\evil.example", "///evil.example", "\\\\evil.example", "https:evil.example",
    "javascript:alert(1)", "/\t/evil.example", "http://testserver@evil.example/", "https://testserver.evil.example/",
    "\x00//evil.example",
]  # fmt: skip


@pytest.mark.parametrize("target", AWAY)
@pytest.mark.django_db
def test_no_next_leads_to_another_site(client, target):
    person = UserFactory()
    sign_in = {"login": person.email, "password": PASSWORD, "next": target}

    answers = [
        client.post("/accounts/login/", sign_in),
        client.post(f"/accounts/login/?{urlencode({'next': target})}", sign_in),
        client.post("/preferences/", {"theme": "dark", "next": target}),
        client.get(f"/accounts/login/?{urlencode({'next': target})}"),
        client.post("/accounts/logout/", {"next": target}),
        client.post("/accounts/login/", {"login": person.email, "password": PASSWORD}),
    ]

    assert [answer.get("Location") for answer in answers if not is_ours(answer.get("Location", ""))] == []
    assert "evil" not in client.get("/").content.decode()


@pytest.mark.parametrize(
    "name", ["Ali\r\nBcc: all@evil.example", "Ali\nSubject: You won", "Ali\u2028Bcc: x@evil.example"]
)
@pytest.mark.django_db
def test_no_name_writes_into_the_head_of_a_mail(client, name):
    form = {
        "email": "ali@example.uz",
        "full_name": name,
        "password1": PASSWORD,
        "password2": PASSWORD,
        "terms": "on",
    }

    client.post("/accounts/signup/", form)
    run_jobs()

    assert mail.outbox
    for sent in mail.outbox:
        message = sent.message()
        assert message["Bcc"] is None
        assert sent.recipients() == ["ali@example.uz"]
        assert "You won" not in (message["Subject"] or "")
