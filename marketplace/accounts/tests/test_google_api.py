"""Programs that sign their user in by Google: which ID tokens count, and once."""

import time

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from axes.models import AccessAttempt
from django.core.cache import cache
from django.db import IntegrityError

from marketplace.accounts import social
from marketplace.accounts.models import SignIn, User
from marketplace.accounts.tests import openid_server
from marketplace.accounts.tests.factories import UserFactory, code_of_app, with_app

pytestmark = pytest.mark.django_db
PATH = "/api/v1/auth/google/"
OK, MADE, BAD, REFUSED, FORBIDDEN, GONE, CONFLICT, TOO_MANY, DOWN = (
    200,
    201,
    400,
    401,
    403,
    404,
    409,
    429,
    503,
)


@pytest.fixture(scope="module")
def server():
    with openid_server.running() as google:
        yield google


@pytest.fixture
def google(server, settings):
    server.__dict__.update(openid_server.Google(url=server.url).__dict__)
    openid_server.offered(settings, server)
    cache.clear()
    return server


@pytest.fixture(autouse=True)
def _middle_of_a_half_minute(monkeypatch):
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)


def post(client, **body):
    return client.post(PATH, body, content_type="application/json")


def code_of(answer):
    return answer.json()["error"]["code"]


def census():
    return (
        User.objects.count(),
        EmailAddress.objects.count(),
        SocialAccount.objects.count(),
        SignIn.objects.count(),
    )


def test_without_credentials_there_is_no_such_door(client):
    assert post(client, id_token="x").status_code == GONE


def test_the_first_time_makes_a_person(client, google):
    answer = post(client, id_token=google.id_token())

    assert answer.status_code == MADE
    user = User.objects.get()
    assert answer.json()["user"]["id"] == str(user.pk)
    assert (user.email, user.full_name, user.is_verified) == ("aziza@gmail.com", "Aziza Karimova", True)
    me = client.get("/api/v1/auth/me/", headers={"Authorization": f"Bearer {answer.json()['access']}"})
    assert me.json()["email"] == "aziza@gmail.com"


def test_the_next_time_signs_in(client, google):
    first = post(client, id_token=google.id_token(jti="1")).json()["user"]["id"]

    answer = post(client, id_token=google.id_token(jti="2"))

    assert (answer.status_code, answer.json()["user"]["id"]) == (OK, first)
    assert SignIn.objects.filter(user=first, kind="program").count() == 2


def test_an_apps_own_client_counts_as_well(client, google):
    token = google.id_token(audience=openid_server.APP_CLIENT_ID)

    assert post(client, id_token=token).status_code == MADE


def test_an_account_is_opened_when_both_sides_have_confirmed_the_address(client, google):
    user = UserFactory(email="aziza@gmail.com")

    answer = post(client, id_token=google.id_token())

    assert (answer.status_code, answer.json()["user"]["id"]) == (OK, str(user.pk))
    assert SocialAccount.objects.get().user == user


def test_an_account_that_nobody_confirmed_is_not_handed_over(client, google):
    squatter = UserFactory(email="aziza@gmail.com", is_verified=False)
    EmailAddress.objects.filter(user=squatter).update(verified=False)
    before = census()

    answer = post(client, id_token=google.id_token())

    assert (answer.status_code, code_of(answer)) == (CONFLICT, "account_email_not_verified")
    assert census() == before


@pytest.mark.parametrize("said", [False, None, "true"])
def test_an_address_that_google_has_not_confirmed_opens_nothing(client, google, said):
    UserFactory(email="aziza@gmail.com")
    before = census()

    answer = post(client, id_token=google.id_token(email_verified=said))

    assert (answer.status_code, code_of(answer)) == (FORBIDDEN, "provider_email_not_verified")
    assert census() == before


def test_whoever_is_switched_off_stays_out(client, google):
    UserFactory(email="aziza@gmail.com", is_active=False)

    answer = post(client, id_token=google.id_token())

    assert (answer.status_code, code_of(answer)) == (FORBIDDEN, "account_closed")
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "of-another-site"},
        {"aud": [openid_server.CLIENT_ID, "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_opens_nothing(client, google, wrong):
    UserFactory(email="aziza@gmail.com")
    before = census()

    answer = post(client, id_token=google.id_token(**wrong))

    assert (answer.status_code, code_of(answer)) == (REFUSED, "provider_token_not_valid")
    assert census() == before


@pytest.mark.parametrize(
    ("algorithm", "signed_with"), [("RS256", "two"), ("none", "one"), ("HS256", "one"), ("RS512", "one")]
)
def test_a_token_that_google_did_not_sign_opens_nothing(client, google, algorithm, signed_with):
    google.algorithm, google.signed_with = algorithm, signed_with

    assert code_of(post(client, id_token=google.id_token())) == "provider_token_not_valid"


@pytest.mark.parametrize("token", ["x", "a.b.c", "....", "\x00", "eyJhbGciOiJSUzI1NiJ9.e30.", "é" * 50])
def test_what_is_no_token_opens_nothing_and_breaks_nothing(client, google, token):
    assert post(client, id_token=token).status_code in {BAD, REFUSED}


@pytest.mark.parametrize(
    "body", [{}, {"id_token": ""}, {"id_token": 7, "nonce": []}, {"id_token": "x" * 9000}]
)
def test_a_body_that_is_wrong_is_said_beside_its_field(client, google, body):
    answer = post(client, **body)

    assert (answer.status_code, code_of(answer)) in {
        (BAD, "validation_error"),
        (REFUSED, "provider_token_not_valid"),
    }


@pytest.mark.parametrize("nonce", ["another", ""])
def test_the_nonce_that_is_said_must_be_the_tokens(client, google, nonce):
    answer = post(client, id_token=google.id_token(nonce="of-the-app"), nonce=nonce)

    assert answer.status_code in {BAD, REFUSED}
    assert not User.objects.exists()


def test_the_right_nonce_lets_in(client, google):
    assert post(client, id_token=google.id_token(nonce="of-the-app"), nonce="of-the-app").status_code == MADE


def test_a_token_is_good_once(client, google):
    token = google.id_token()
    post(client, id_token=token)

    assert code_of(post(client, id_token=token)) == "provider_token_not_valid"
    assert SignIn.objects.count() == 1


def test_nor_once_more_with_its_signature_spelt_in_another_way(client, google):
    """The last sign of a signature holds four bits that nobody reads."""
    token = google.id_token()
    post(client, id_token=token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    respelt = token[:-1] + alphabet[last + 1 if last % 16 < 15 else last - 1]

    assert code_of(post(client, id_token=respelt)) == "provider_token_not_valid"
    assert SignIn.objects.count() == 1


def test_a_second_factor_is_asked_for_and_the_token_lives_until_it_is_given(client, google):
    with_app(UserFactory(email="aziza@gmail.com"))
    token = google.id_token()

    assert code_of(post(client, id_token=token)) == "mfa_required"
    assert not SocialAccount.objects.exists()
    assert code_of(post(client, id_token=token, code="000000")) == "mfa_invalid"
    assert post(client, id_token=token, code=code_of_app()).status_code == OK
    assert SocialAccount.objects.exists()


def test_a_wrong_code_counts_as_a_failure(client, google, settings):
    settings.AXES_ENABLED = True
    with_app(UserFactory(email="aziza@gmail.com"))

    post(client, id_token=google.id_token(), code="000000")

    assert AccessAttempt.objects.filter(username="aziza@gmail.com").exists()


def test_coming_twice_at_once_makes_one_person(client, google, monkeypatch):
    make = social.make_person

    def is_late(request, login):
        make(request, login)
        raise IntegrityError

    monkeypatch.setattr(social, "make_person", is_late)
    answer = post(client, id_token=google.id_token())

    assert answer.status_code == OK
    assert User.objects.count() == 1


@pytest.mark.parametrize("mode", ["down", "garbage"])
def test_when_google_is_down_it_says_so(client, google, mode):
    token = google.id_token()
    google.mode = mode

    answer = post(client, id_token=token)

    assert (answer.status_code, code_of(answer)) == (DOWN, "provider_unavailable")


def test_tries_are_counted_with_those_of_sign_in(client, google, settings):
    settings.RATE_LIMITS = {"authentication": "1/minute"}
    client.post("/api/v1/auth/login/", {"email": "a@b.uz", "password": "x"}, content_type="application/json")

    assert post(client, id_token=google.id_token()).status_code == TOO_MANY


def test_a_token_of_the_page_opens_the_api_only_for_the_person_it_is_about(client, google):
    """The claims are the person; what else a client sends is nobody's word."""
    victim = UserFactory(email="victim@gmail.com")

    answer = client.post(
        PATH,
        {"id_token": google.id_token(), "email": victim.email, "sub": "1"},
        content_type="application/json",
    )

    assert answer.json()["user"]["email"] == "aziza@gmail.com"


def test_keys_are_asked_for_once_an_hour(client, google):
    for number in range(3):
        post(client, id_token=google.id_token(jti=str(number)))

    assert google.asked.count("/oauth2/v3/certs") == 1


def test_a_key_that_google_has_begun_to_use_is_found(client, google, monkeypatch):
    post(client, id_token=google.id_token())
    old = google.key_set()
    new = jwt.algorithms.RSAAlgorithm.to_jwk(openid_server.key("two").public_key(), as_dict=True)
    monkeypatch.setattr(
        openid_server.Google, "key_set", lambda _self: {"keys": [*old["keys"], new | {"kid": "two"}]}
    )
    claims = google.who | {
        "iss": google.url,
        "aud": openid_server.CLIENT_ID,
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
    }
    token = jwt.encode(claims, openid_server.key("two"), algorithm="RS256", headers={"kid": "two"})

    assert post(client, id_token=token).status_code == OK
