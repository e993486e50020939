"""The JSON door as a whole: whoever refuses below /api/ answers in the envelope, and nothing that is sent breaks it."""

import json
import re
import secrets

import pytest
from django.conf import settings as django_settings
from django.contrib.admin import site as admin_site
from django.test import Client
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from marketplace.accounts import tokens
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.ledger.tests.factories import fund
from project import urls as site
from project.settings import base
from project.tests.test_bad_input import NAUGHTY
from project.tests.test_settings import fit, production

pytestmark = pytest.mark.django_db
DOORS = ["register", "login", "refresh", "token/refresh", "logout"]
JSON = "application/json"


class Broken(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, _request):
        raise RuntimeError("the machine room is on fire")


class ForAll(APIView):
    permission_classes = ()

    def get(self, _request):
        return Response({"ok": True})


class ForVerified(APIView):
    def get(self, _request):
        return Response({"ok": True})


urlpatterns = [
    path("api/v1/broken/", Broken.as_view()),
    path("api/v1/all/", ForAll.as_view()),
    path("api/v1/verified/", ForVerified.as_view()),
    *site.urlpatterns,
]
handler500 = site.handler500
with_views = pytest.mark.urls(__name__)


def error(response):
    assert response["Content-Type"] == JSON, response.content[:300]
    body = response.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["message"]
    return body["error"]


def bearer(user):
    return {"Authorization": f"Bearer {tokens.issue(user=user).access}"}


# --- The envelope -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "head"])
@pytest.mark.parametrize(
    "address",
    [
        "/api/",
        "/api/v1/",
        "/api/v1/nothing/",
        "/api/v1/auth/me",
        "/api/v2/x/",
        "/api/v1/%00/",
        "/api/v1/%FF/",
    ],
)
def test_an_unknown_address_is_said_in_the_envelope(client, method, address):
    response = getattr(client, method)(address)

    assert response.status_code == 404
    assert method == "head" or error(response)["code"] == "not_found"


@pytest.mark.parametrize("door", DOORS)
def test_a_wrong_method_is_said_in_the_envelope(client, door):
    response = client.get(f"/api/v1/auth/{door}/")

    assert (response.status_code, error(response)["code"]) == (405, "method_not_allowed")
    assert "POST" in response["Allow"]


def test_what_a_view_of_django_refuses_is_in_the_envelope_too(client):
    response = client.post("/api/health/")

    assert (response.status_code, error(response)["code"]) == (405, "method_not_allowed")
    assert "GET" in response["Allow"]
    assert client.get("/api/health/").json()["status"] == "ok"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"]
)
def test_only_json_is_taken(client, kind):
    response = client.post("/api/v1/auth/login/", b"email=a&password=b", content_type=kind)

    assert (response.status_code, error(response)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b'{"email": NaN}', b"[" * 50_000, b"null x", b'{"email": 1e999}']
)
@pytest.mark.parametrize("door", DOORS)
def test_a_body_that_is_no_json_is_said_in_the_envelope(client, door, body):
    response = client.post(f"/api/v1/auth/{door}/", body, content_type=JSON)

    assert (response.status_code, error(response)["code"]) == (400, "bad_request")


def test_a_body_that_is_too_large_is_said_in_the_envelope(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    response = client.post("/api/v1/auth/login/", {"email": "x" * 200}, content_type=JSON)

    assert (response.status_code, error(response)["code"]) == (413, "too_large")


def test_an_unknown_host_is_said_in_the_envelope(client, settings):
    settings.ALLOWED_HOSTS = ["wibestore.example"]

    assert client.get("/api/v1/auth/me/", headers={"Host": "evil.example"}).status_code == 400
    assert error(client.get("/api/v1/auth/me/", headers={"Host": "evil.example"}))["code"] == "bad_request"


@with_views
def test_a_bug_is_said_in_the_envelope_with_its_code_and_nothing_of_the_inside():
    client = Client(raise_request_exception=False)

    response = client.get("/api/v1/broken/", headers={"X-Request-ID": "code-4711-abc"})

    assert response.status_code == 500
    assert error(response)["code"] == "server_error"
    assert error(response)["details"] == {"request_id": "code-4711-abc"}
    assert "machine room" not in response.content.decode()


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "*/*", "", "x", "a/b;q=\x7f", ",,,", "text/html;q=0"]
)
def test_the_answer_is_json_whatever_is_asked_for(client, accept):
    response = client.get("/api/v1/auth/me/?format=xml", headers={"Accept": accept})

    assert response.status_code in {401, 406}
    error(response)


def test_nothing_below_the_api_is_kept_by_caches(client):
    user = UserFactory()

    answers = [
        client.get("/api/v1/auth/me/", headers=bearer(user)),
        client.post("/api/v1/auth/login/", {"email": user.email, "password": PASSWORD}, content_type=JSON),
        client.get("/api/v1/nothing/"),
    ]

    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize(
    ("address", "code"),
    [("nothing/", "not_found"), ("auth/me/", "not_authenticated"), ("auth/login/", "method_not_allowed")],
)  # fmt: skip
def test_a_refusal_is_in_the_readers_language(client, address, code):
    said = {}
    for language in ("uz", "ru", "en"):
        response = client.get(f"/api/v1/{address}", headers={"Accept-Language": language})
        assert error(response)["code"] == code
        assert response["Content-Language"] == language
        said[language] = error(response)["message"]

    assert len(set(said.values())) == 3
    assert re.search("[а-я]", said["ru"])


@pytest.mark.parametrize("language", ["uz", "ru"])
def test_what_is_wrong_with_a_field_is_in_the_readers_language(client, language):
    bodies = [{}, {"email": "nobody", "password": "short"}, {"email": None, "password": []}]
    for body in bodies:
        texts = [
            json.dumps(error(client.post("/api/v1/auth/register/", body, content_type=JSON, headers={"Accept-Language": spoken})))
            for spoken in (language, "en")
        ]  # fmt: skip
        assert texts[0] != texts[1]
        assert "This field" not in texts[0]


def test_the_webhooks_of_providers_are_not_shadowed(client):
    response = client.post("/api/v1/payments/webhooks/nobody/", {}, content_type=JSON)

    assert error(response)["code"] != "not_authenticated"
    assert client.get("/api/v1/payments/webhooks/sandbox/").status_code == 405


# --- Who may ----------------------------------------------------------------------------------------


@with_views
def test_an_address_that_is_not_confirmed_is_asked_to_confirm_it(client):
    unsure, sure = UserFactory(is_verified=False), UserFactory()

    refused = client.get("/api/v1/verified/", headers=bearer(unsure))

    assert (refused.status_code, error(refused)["code"]) == (403, "email_not_verified")
    assert client.get("/api/v1/auth/me/", headers=bearer(unsure)).status_code == 200
    assert client.get("/api/v1/profile/", headers=bearer(unsure)).status_code == 200
    assert client.get("/api/v1/verified/", headers=bearer(sure)).json() == {"ok": True}


@with_views
def test_visitors_and_people_are_limited_apart(client, settings):
    settings.RATE_LIMITS = {"api": "2/hour"}
    one, other = bearer(UserFactory()), bearer(UserFactory())

    visitor = [client.get("/api/v1/all/").status_code for _time in range(3)]
    person = [client.get("/api/v1/verified/", headers=one) for _time in range(3)]

    assert visitor == [200, 200, 429]
    assert [answer.status_code for answer in person] == [200, 200, 429]
    assert error(person[2])["code"] == "too_many_requests"
    assert int(person[2]["Retry-After"]) > 0
    assert client.get("/api/v1/verified/", headers=other).status_code == 200


def test_a_provider_is_never_told_to_wait(client, settings):
    settings.RATE_LIMITS = {"api": "1/minute"}

    answers = [
        client.post("/api/v1/payments/webhooks/sandbox/", b"{}", content_type=JSON).status_code
        for _time in range(3)
    ]

    assert 429 not in answers


def test_the_house_has_limits_and_the_tests_have_none():
    assert base.RATE_LIMITS["authentication"] == "10/minute"
    assert base.RATE_LIMITS["api"] == "100/minute"
    assert django_settings.RATE_LIMITS == {}


def test_the_admin_shows_no_tokens():
    assert OutstandingToken not in admin_site._registry


# --- The profile ------------------------------------------------------------------------------------


def test_a_profile_shows_the_purse_and_costs_two_queries(client, django_assert_num_queries):
    user = UserFactory()
    fund(user, 50_000_00)
    headers = bearer(user)

    with django_assert_num_queries(2):
        body = client.get("/api/v1/profile/", headers=headers).json()

    assert (body["balance"], body["held"], body["currency"]) == ("50000.00", "0.00", "UZS")
    assert body["email"] == user.email


def test_a_profile_is_changed_like_oneself_and_the_purse_is_not(client):
    user = UserFactory()

    response = client.patch(
        "/api/v1/profile/",
        {"full_name": "Aziza K.", "balance": "9.00"},
        content_type=JSON,
        headers=bearer(user),
    )
    refused = client.patch("/api/v1/profile/", {"username": "1"}, content_type=JSON, headers=bearer(user))

    assert (response.json()["full_name"], response.json()["balance"]) == ("Aziza K.", "0.00")
    assert list(error(refused)["details"]) == ["username"]


def test_a_profile_needs_a_person(client):
    response = client.get("/api/v1/profile/")

    assert (response.status_code, error(response)["code"]) == (401, "not_authenticated")


# --- Whatever is sent -------------------------------------------------------------------------------

FIELDS = [
    "email",
    "password",
    "password2",
    "full_name",
    "username",
    "phone_number",
    "code",
    "refresh",
    "language",
    "timezone",
]
ODD = [*NAUGHTY, None, True, 0, -1, 10**30, 1.5, [], {}, ["\x00"], {"a": {"b": "\ud800"}}, "\ud800"]


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:20])
def test_no_value_breaks_a_door(value):
    client = Client(raise_request_exception=False)
    headers = bearer(UserFactory())
    found = []
    calls = [("post", f"/api/v1/auth/{door}/") for door in DOORS]
    calls += [("patch", "/api/v1/auth/me/"), ("patch", "/api/v1/profile/")]
    for method, address in calls:
        for body in (value, dict.fromkeys(FIELDS, value)):
            response = getattr(client, method)(address, json.dumps(body), content_type=JSON, headers=headers)
            if response.status_code >= 500 or (response.status_code >= 400 and not error(response)["code"]):
                found.append((response.status_code, address, body))

    assert found == []


@pytest.mark.parametrize("field", FIELDS[:6])
def test_each_field_of_the_registration_alone_may_hold_anything(field):
    client = Client(raise_request_exception=False)
    good = {"email": "a@example.uz", "password": "Qorbars7741"}
    for number, value in enumerate(ODD):
        body = {**good, "email": f"p{number}@example.uz", field: value}
        response = client.post("/api/v1/auth/register/", json.dumps(body), content_type=JSON)
        assert response.status_code in {201, 400}, value
        assert response.status_code == 201 or set(error(response)["details"]) <= {field, "password2"}, value


VALUES = [
    "", "Bearer", "Bearer ", "Bearer \x00", "Bearer é", "Bearer a b c", "bearer x", "Basic eDp4", "x" * 5000, "\x7f", "é",
    "*/*;q=x", "en;q=x", "application/json; charset=bz2", "sessionid=x; sessionid=y",
]  # fmt: skip
HEADERS = [
    "Authorization", "Accept", "Accept-Language", "Content-Type", "X-Request-ID", "Idempotency-Key", "Cookie", "X-Forwarded-For",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_no_header_breaks_a_door(header):
    client = Client(raise_request_exception=False)
    for value in VALUES:
        for method in ("get", "patch"):
            response = getattr(client, method)("/api/v1/auth/me/", headers={header: value})
            assert 400 <= response.status_code < 500, (header, value)
            error(response)


# --- Settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"JWT_SECRET_KEY": "short"}, "JWT_SECRET_KEY is shorter than"),
        ({"JWT_SECRET_KEY": base.SAMPLE_SECRET_KEY}, "JWT_SECRET_KEY is a sample value"),
    ],
)
def test_production_refuses_keys_and_lifetimes_that_are_none(tmp_path, value, why):
    started = production(tmp_path, **{**fit(), **value})

    assert started.returncode != 0
    assert why in started.stderr


def test_tokens_are_signed_with_a_key_of_their_own_where_there_is_one(tmp_path):
    look = (
        "from django.conf import settings; print(settings.SIMPLE_JWT['SIGNING_KEY'] == settings.SECRET_KEY)"
    )

    alone = production(tmp_path, look, **fit())
    apart = production(tmp_path, look, **fit(), JWT_SECRET_KEY=secrets.token_urlsafe(60))

    assert (alone.stdout.strip(), apart.stdout.strip()) == ("True", "False")
