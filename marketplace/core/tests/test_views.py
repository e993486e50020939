"""Health, preferences and the plain pages."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from marketplace.core import views

pytestmark = pytest.mark.django_db
PREFERENCES = "/preferences/"


# --- Health -----------------------------------------------------------------------------------------


def test_a_healthy_site_says_so(client):
    response = client.get("/health/")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "database": "ok",
        "cache": "ok",
        "books": "none",
        "scanner": "off",
    }


def test_a_database_that_is_down_is_named(client, monkeypatch):
    class Down:
        def cursor(self):
            raise OperationalError("no such host")

    monkeypatch.setattr(views, "connection", Down())

    response = client.get("/health/")

    assert response.status_code == 503
    assert response.json() == {"status": "down", "database": "down", "cache": "ok"}


@pytest.mark.parametrize("how", ["raises", "forgets"])
def test_a_cache_that_is_down_is_named(client, monkeypatch, how):
    def down(*_args, **_kwargs):
        if how == "raises":
            raise ConnectionError

    monkeypatch.setattr(cache, "set", down)
    cache.delete("health")

    response = client.get("/health/")

    assert response.status_code == 503
    assert response.json() == {
        "status": "down",
        "database": "ok",
        "cache": "down",
        "books": "none",
        "scanner": "off",
    }


def test_health_tells_nothing_of_the_inside(client, monkeypatch):
    class Down:
        def cursor(self):
            raise OperationalError("password=hunter2 host=db.internal")

    monkeypatch.setattr(views, "connection", Down())

    assert b"hunter2" not in client.get("/health/").content


def test_a_process_that_lives_asks_nothing_of_others(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/health/live/").content == b"ok"


# --- Preferences ------------------------------------------------------------------------------------


def test_a_theme_and_a_language_are_remembered_by_the_browser(client, settings):
    response = client.post(PREFERENCES, {"theme": "dark", "lang": "ru", "next": "/about/fees/?x=1"})

    assert response.url == "/about/fees/?x=1"
    assert client.cookies["theme"].value == "dark"
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ru"
    page = client.get("/about/fees/").content.decode()
    assert '<html lang="ru" data-theme="dark">' in page


def test_the_language_of_a_signed_in_person_is_kept_in_their_row(client):
    person = get_user_model().objects.create_user("person@example.uz", "x")
    client.force_login(person)

    client.post(PREFERENCES, {"lang": "ru"})

    person.refresh_from_db()
    assert person.language == "ru"


@pytest.mark.parametrize(
    "form",
    [{"theme": "neon"}, {"lang": "xx"}, {"theme": "", "lang": ""}, {"theme": "dark;x", "lang": "ru-RU"}, {}],
)
def test_what_is_not_offered_is_ignored(client, form):
    response = client.post(PREFERENCES, form)

    assert response.status_code == 302
    assert not response.cookies


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "\x00/x",
        "nonsense",
        "core:page",
    ],
)
@pytest.mark.parametrize("way", ["next", "referer"])
def test_nobody_is_led_to_another_site(client, target, way):
    if way == "next":
        response = client.post(PREFERENCES, {"theme": "dark", "next": target})
    else:
        response = client.post(PREFERENCES, {"theme": "dark"}, headers={"referer": target})

    assert response.status_code == 302
    assert response.url.startswith("/")
    assert not response.url.startswith(("//", "/\\"))
    assert way == "referer" or response.url == "/"


def test_without_an_address_the_reader_goes_back_to_where_they_were(client):
    response = client.post(
        PREFERENCES, {"theme": "dark"}, headers={"referer": "http://testserver/about/terms/"}
    )

    assert response.url == "/about/terms/"


@pytest.mark.parametrize(
    ("origin", "status"), [("cross-site", 404), ("same-origin", 302), ("none", 302), (None, 302)]
)
def test_another_site_cannot_change_what_a_reader_likes(origin, status):
    strict = Client(enforce_csrf_checks=True)  # the form stands on kept pages, which hold no token

    response = strict.post(
        PREFERENCES, {"theme": "dark"}, headers={"Sec-Fetch-Site": origin} if origin else {}
    )

    assert response.status_code == status
    assert bool(response.cookies) == (status == 302)


def test_looking_changes_nothing(client):
    assert client.get(PREFERENCES).status_code == 405


# --- Plain pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", views.PAGES)
@pytest.mark.parametrize("language", ["uz", "ru", "en"])
def test_a_plain_page_is_there_in_every_language(client, settings, slug, language):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language

    response = client.get(f"/about/{slug}/")

    assert response.status_code == 200
    assert response["Content-Language"] == language
    assert "<h1" in response.content.decode()


@pytest.mark.parametrize("slug", ["nothing", "base", "terms2"])
def test_there_are_no_other_plain_pages(client, slug):
    assert client.get(f"/about/{slug}/").status_code == 404


# --- Whom to tell of a weakness ---------------------------------------------------------------------


def test_security_txt_says_whom_to_write_to_and_is_never_out_of_date(client, settings):
    settings.SECURITY_EMAIL, settings.SITE_URL = "holes@example.uz", "https://wibestore.example"

    response = client.get("/.well-known/security.txt")

    said = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    left = datetime.fromisoformat(said.pop("Expires")) - timezone.now()
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert said == {
        "Contact": "mailto:holes@example.uz",
        "Preferred-Languages": "uz, ru, en",
        "Canonical": "https://wibestore.example/.well-known/security.txt",
    }
    assert timedelta(days=30) < left < timedelta(days=365)


@pytest.mark.parametrize(
    "path", ["/", "/health/live/", "/.well-known/security.txt", "/accounts/login/", "/nowhere/"]
)
def test_every_text_names_its_encoding(client, path):
    assert "charset=utf-8" in client.get(path)["Content-Type"]


@pytest.mark.parametrize(
    "path", ["/", "/health/", "/accounts/login/", "/me/", "/admin/login/", "/api/v1/auth/me/"]
)
def test_nothing_echoes_a_request(client, path):
    response = client.trace(path, headers={"X-Secret": "mirror-me"})

    assert response.status_code in {302, 401, 405}
    assert b"mirror-me" not in response.content


@pytest.mark.parametrize("path", ["/", "/api/health/", "/api/v1/status/books/", "/accounts/login/"])
def test_no_other_site_may_read_an_answer(client, path):
    response = client.get(path, headers={"Origin": "https://elsewhere.example"})

    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/nowhere/", "/api/health/", "/.well-known/security.txt"]
)
def test_every_answer_says_what_a_browser_may_do_with_it(client, path):
    response = client.get(path)

    policy = response["Content-Security-Policy"]
    for rule in (
        "default-src 'none'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
