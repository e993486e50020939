"""Google as the demo plays it: the same sign-in as by the real one, over HTTP, by our own wire."""

import hashlib
from base64 import urlsafe_b64encode
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core import http

pytestmark = pytest.mark.django_db(transaction=True)
BEGIN, OK, REDIRECT, GONE, INVALID, BAD = "/accounts/google/login/", 200, 302, 404, 422, 400


@pytest.fixture
def google(settings, live_server):
    """This site plays Google, as on a laptop. Returns the issuer."""
    cache.clear()
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = "sandbox-google", "sample-secret"
    settings.GOOGLE_ISSUER = live_server.url.replace("localhost", "127.0.0.1") + "/sandbox/google"
    return settings.GOOGLE_ISSUER


@pytest.fixture
def visitor():
    return Client(HTTP_HOST="localhost:8000")


def at_google(visitor):
    """The page that the button leads to, and what the product asks there."""
    answer = visitor.post(BEGIN)
    assert answer.status_code == REDIRECT, answer.text
    url = urlsplit(answer["Location"])
    page = visitor.get(f"{url.path}?{url.query}")
    return page, {name: values[0] for name, values in parse_qs(url.query).items()}


def picks(visitor, **who):
    """Somebody is picked: the answer of the page, and of our callback."""
    _page, asked = at_google(visitor)
    back = visitor.post("/sandbox/google/auth/", asked | who)
    url = urlsplit(back["Location"])
    return visitor.get(f"{url.path}?{url.query}")


def test_one_of_the_demos_people_signs_in(google, visitor):
    person = UserFactory(email="aziza@wibestore.uz")

    page, _asked = at_google(visitor)
    picks(visitor, name="Aziza", email=person.email)

    assert "aziza@wibestore.uz" in unescape(page.text)
    assert visitor.session["_auth_user_id"] == str(person.pk)


def test_somebody_new_gets_an_account(google, visitor):
    picks(visitor, name="Bobur", email="bobur@gmail.com")

    made = User.objects.get(email="bobur@gmail.com")
    assert visitor.session["_auth_user_id"] == str(made.pk)
    assert not made.has_usable_password()


def test_staff_is_not_offered(google, visitor):
    staff = StaffFactory()

    page, _asked = at_google(visitor)

    assert staff.email not in page.text


def test_whoever_gives_up_is_back_and_signed_out(google, visitor):
    answer = picks(visitor, cancel="1")

    assert answer["Location"] == "/accounts/3rdparty/login/cancelled/"
    assert "_auth_user_id" not in visitor.session


def test_a_form_that_is_wrong_is_shown_again(google, visitor):
    _page, asked = at_google(visitor)

    answer = visitor.post("/sandbox/google/auth/", asked | {"name": "", "email": "no address"})

    assert answer.status_code == INVALID


@pytest.mark.parametrize(
    "changed",
    [{"redirect_uri": "https://thief.example/accounts/google/login/callback/"},
     {"redirect_uri": "http://localhost:8000/elsewhere/"}, {"client_id": "another"}],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_with_a_code(google, visitor, changed):
    _page, asked = at_google(visitor)

    answer = visitor.post("/sandbox/google/auth/", asked | {"name": "B", "email": "b@gmail.com"} | changed)

    assert answer.status_code == GONE


@pytest.mark.parametrize(
    ("changed", "status"),
    [({}, OK), ({"code_verifier": "of another"}, BAD), ({"client_secret": "guessed"}, BAD),
     ({"client_id": "another"}, BAD), ({"redirect_uri": "http://localhost:8000/"}, BAD), ({"code": "guessed"}, BAD)],
)  # fmt: skip
def test_a_code_is_good_for_whoever_began_and_once(google, visitor, changed, status):
    verifier = "verifier-of-this-test"
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    _page, asked = at_google(visitor)
    asked |= {"code_challenge": challenge, "name": "B", "email": "b@gmail.com"}
    code = parse_qs(urlsplit(visitor.post("/sandbox/google/auth/", asked)["Location"]).query)["code"][0]
    given = {"code": code, "client_id": "sandbox-google", "client_secret": "sample-secret",
             "code_verifier": verifier, "redirect_uri": asked["redirect_uri"]}  # fmt: skip

    answers = [Client().post("/sandbox/google/token/", one) for one in (given | changed, given, given)]

    assert answers[0].status_code == status
    # A code that was tried is spent, whoever tried it.
    assert answers[1].status_code == (OK if "code" in changed else BAD)
    assert answers[2].status_code == BAD


def test_where_google_is_the_real_one_nobody_plays_it(settings, client):
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = "4711", "a-secret"

    assert client.get("/sandbox/google/.well-known/openid-configuration").status_code == GONE
    assert client.get("/sandbox/google/auth/").status_code == GONE
    assert client.get("/sandbox/google/keys/").status_code == GONE
    assert client.post("/sandbox/google/token/").status_code == GONE


def test_its_addresses_are_answered_over_the_wire(google):
    reply = http.send("GET", f"{google}/.well-known/openid-configuration")

    assert reply.status == OK
    assert google.encode() in reply.body
