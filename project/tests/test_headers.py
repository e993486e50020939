"""What every answer says about itself, under the settings of production: an A+ on every page, and nothing private kept."""

import json
import re

import pytest
from django.conf import settings as now
from django.http import HttpResponse
from django.test import Client

from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.payments.tests.wire import through_test_client
from project.tests.observatory import parsed, score
from project.tests.test_doors import doors
from project.tests.test_settings import fit, production
from project.tests.town import Caller, address, built

pytestmark = pytest.mark.sweep
NAMES = [
    "SECURE_CSP", "SECURE_CONTENT_TYPE_NOSNIFF", "SECURE_REFERRER_POLICY", "SECURE_CROSS_ORIGIN_OPENER_POLICY",
    "X_FRAME_OPTIONS", "SECURE_SSL_REDIRECT", "SECURE_REDIRECT_EXEMPT", "SECURE_PROXY_SSL_HEADER", "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD", "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_PATH", "SESSION_COOKIE_DOMAIN",
    "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_HTTPONLY", "CSRF_COOKIE_SAMESITE", "CSRF_COOKIE_DOMAIN",
    "LANGUAGE_COOKIE_SECURE", "LANGUAGE_COOKIE_SAMESITE", "PERMISSIONS_POLICY",
    "LANGUAGE_COOKIE_NAME", "DEVICE_COOKIE_NAME", "THEME_COOKIE_NAME", "MESSAGES_COOKIE_NAME",
]  # fmt: skip
# Not in production, or files and numbers that are no pages.
ELSEWHERE = re.compile(r"/(dev|sandbox|media|metrics)/")
INLINE = re.compile(
    r"<script(?![^>]*\b(?:src|nonce)=)[^>]*>|<style(?![^>]*\bnonce=)|\sstyle=[\"']|\son[a-z]+=[\"']|javascript:"
)


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The settings that production would have."""
    code = f"import json; from django.conf import settings; print(json.dumps({{n: getattr(settings, n) for n in {NAMES}}}))"
    started = production(tmp_path_factory.mktemp("logs"), code, **fit())
    assert started.returncode == 0, started.stderr
    return json.loads(started.stdout)


@pytest.fixture
def town(db, monkeypatch):
    through_test_client(monkeypatch)
    return built()


@pytest.fixture
def live(settings, published):
    for name, value in published.items():
        setattr(settings, name, value)


@pytest.fixture
def answers(town, live):
    """Each page once, opened by the first who may: (route, role, answer)."""
    callers = {role: Caller(user) for role, user in town.people.items()}
    found = []
    for method, route, cells in doors():
        role = next((role for role, cell in cells.items() if cell in {"200", "204", "404"}), None)
        if method == "GET" and role and not ELSEWHERE.match(route):
            found.append((route, role, callers[role].call("GET", address(route, town.here.ids), secure=True)))
    return found


def text(answer: HttpResponse) -> str:
    is_html = answer.get("Content-Type", "").startswith("text/html")
    return answer.content.decode() if is_html and not answer.streaming else ""


def test_every_page_gets_an_a_plus(answers):
    low = [
        f"{route}: {points} {marks}"
        for route, _role, answer in answers
        for points, marks in [score(answer, text(answer))]
        if points < 100 or min(marks.values()) < 0
    ]

    assert len(answers) > 70
    assert not low, "\n".join(low)


def test_no_page_allows_or_has_anything_inline(answers):
    wrong = []
    for route, _role, answer in answers:
        policy = parsed(answer["Content-Security-Policy"])
        if any(word.startswith("'unsafe") for sources in policy.values() for word in sources):
            wrong.append(f"{route}: {answer['Content-Security-Policy']}")
        wrong += [f"{route}: {tag}" for tag in INLINE.findall(text(answer))]

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", now.PERMISSIONS_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
    ],
)
def test_every_page_says_it(answers, header, value):
    assert [route for route, _role, answer in answers if answer.get(header) != value] == []


def test_what_a_signed_in_person_sees_is_kept_by_nobody(answers):
    kept = [
        f"{route} as {role}: {answer.get('Cache-Control')}"
        for route, role, answer in answers
        if role != "visitor" and "no-store" not in answer.get("Cache-Control", "")
    ]

    assert not kept, "\n".join(kept)


def test_no_page_that_may_be_kept_sets_a_cookie(answers):
    wrong = [
        f"{route}: {list(answer.cookies)}"
        for route, _role, answer in answers
        if answer.cookies
        and not {"no-store", "private"} & set(re.split(r"[ ,]+", answer.get("Cache-Control", "no-store")))
    ]

    assert not wrong, "\n".join(wrong)


def test_cookies_belong_to_this_host_alone(live, db):
    person = UserFactory()
    client = Client()
    client.get("/accounts/login/", secure=True)
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD}, secure=True)
    client.post("/preferences/", {"lang": "ru", "theme": "dark"}, secure=True)

    cookies = client.cookies.values()
    assert {name.removeprefix("__Host-") for name in client.cookies} == {
        "sessionid", "csrftoken", "device", "theme", "language", "messages",
    }  # fmt: skip
    for cookie in cookies:
        assert cookie.key.startswith("__Host-"), cookie
        assert cookie["secure"], cookie
        assert cookie["path"] == "/", cookie
        assert not cookie["domain"], cookie
        assert cookie["samesite"] in {"Lax", "Strict"}, cookie
    for name in ("__Host-sessionid", "__Host-csrftoken"):
        assert client.cookies[name]["httponly"]


def test_a_program_without_https_is_refused_and_not_led_on(live, db):
    answer = Client().post("/api/v1/auth/login/", {"email": "a@example.uz"}, content_type="application/json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "https_required")


def test_plain_http_is_sent_to_https_at_once(live, db):
    answer = Client().get("/listings/?q=x")

    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/listings/?q=x")
