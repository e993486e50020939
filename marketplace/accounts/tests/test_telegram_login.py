"""Signing in by Telegram: what is believed, and whose account it opens."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, UserFactory, code_of_app, with_app
from marketplace.accounts.tests.telegram_oauth import TOKEN, packed, signed

pytestmark = pytest.mark.django_db
BEGIN, BACK, WAYS, CONFIRM = (
    "/accounts/telegram/login/",
    "/accounts/telegram/login/callback/",
    "/me/ways-in/",
    "/me/confirm/",
)
OK, REDIRECT, REFUSED, FORBIDDEN, GONE, CONFLICT = 200, 302, 401, 403, 404, 409


@pytest.fixture(autouse=True)
def _middle_of_a_half_minute(monkeypatch):
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture
def bot(settings):
    settings.TELEGRAM_LOGIN, settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BOT_NAME = (
        True,
        TOKEN,
        "wibestore_bot",
    )
    cache.clear()


@pytest.fixture
def user():
    user = UserFactory(email="aziza@example.uz")
    SocialAccount.objects.create(user=user, provider="telegram", uid="990011", extra_data={"name": "@aziza"})
    return user


def leaves(client, **form):
    answer = client.post(BEGIN, form)
    assert answer.status_code == REDIRECT
    return parse_qs(urlsplit(answer["Location"]).query)["return_to"][0]


def comes_back(client, told=None, **form):
    back = urlsplit(leaves(client, **form))
    return client.post(f"{back.path}?{back.query}", {"tgAuthResult": packed(told or signed())})


def is_signed_in(client):
    return "_auth_user_id" in client.session


def refused(client, answer, status=REFUSED):
    assert answer.status_code == status
    assert "Nothing has changed" in answer.text
    assert not is_signed_in(client)


def test_without_a_bot_there_is_no_button_and_no_door(client):
    assert "Continue with Telegram" not in client.get("/accounts/login/").text
    assert client.post(BEGIN).status_code == GONE
    assert client.get(BACK).status_code == client.post(BACK).status_code == GONE


def test_the_button_leads_to_telegrams_own_page_and_needs_our_token(client, bot):
    assert "Continue with Telegram" in client.get("/accounts/login/").text
    address = urlsplit(client.post(BEGIN)["Location"])
    asked = parse_qs(address.query)

    assert address.netloc == "oauth.telegram.org"
    assert asked["bot_id"] == ["4711"]
    assert TOKEN not in address.query
    assert urlsplit(asked["return_to"][0]).path == BACK
    assert Client(enforce_csrf_checks=True).post(BEGIN).status_code == FORBIDDEN
    assert client.get(BEGIN).status_code == 405


def test_the_page_that_hands_the_answer_in_runs_no_foreign_script(client, bot):
    answer = client.get(BACK + "?state=x")

    assert re.findall(r'<script[^>]*src="([^"]*)"', answer.text)
    assert not re.search(r'<script[^>]*src="(https?:)?//', answer.text)
    assert "telegram.org" not in re.search(r"script-src ([^;]*)", answer["Content-Security-Policy"]).group(1)


def test_it_opens_the_account_that_is_connected_with_it(client, bot, user):
    assert comes_back(client, next="/me/listings/").url == "/me/listings/"

    assert User.objects.get(pk=client.session["_auth_user_id"]) == user


def test_it_makes_no_account_of_its_own(client, bot):
    answer = comes_back(client)

    refused(client, answer, FORBIDDEN)
    assert "No account is connected" in answer.text
    assert not User.objects.exists()


def test_it_opens_no_account_by_its_number_at_another_provider(client, bot):
    SocialAccount.objects.create(user=UserFactory(), provider="google", uid="990011")

    refused(client, comes_back(client), FORBIDDEN)


def test_a_second_factor_is_asked_for_all_the_same(client, bot, user):
    with_app(user)

    assert comes_back(client).url == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_of_app()})
    assert is_signed_in(client)


def test_in_a_new_browser_a_code_from_the_mail_is_asked_for_besides(client, bot, user, settings):
    """Telegram's own accounts are opened by an SMS."""
    settings.NEW_BROWSER_CODE = True

    assert comes_back(client).url == "/accounts/login/mail/code/"
    assert not is_signed_in(client)


def test_whoever_is_switched_off_stays_out(client, bot, user):
    User.objects.update(is_active=False)

    refused(client, comes_back(client), FORBIDDEN)


@pytest.mark.parametrize(
    "told",
    [
        lambda: signed(token="4711:another-bot"),
        lambda: signed() | {"id": 990012},
        lambda: signed() | {"hash": "0" * 64},
        lambda: signed() | {"hash": None},
        lambda: signed() | {"hash": "ё"},
        lambda: {name: value for name, value in signed().items() if name != "hash"},
        lambda: signed(auth_date=int(time.time()) - 301),
        lambda: signed(auth_date=int(time.time()) + 3600),
        lambda: signed(auth_date=None),
        lambda: signed(auth_date="now"),
        lambda: signed(id=None),
        lambda: signed(id="990011"),
        lambda: signed(id=-1),
        lambda: signed(evil="x"),
        list,
        lambda: 7,
    ],
)
def test_what_telegram_has_not_signed_just_now_opens_nothing(client, bot, user, told):
    back = urlsplit(leaves(client))

    refused(client, client.post(f"{back.path}?{back.query}", {"tgAuthResult": packed(told())}))


@pytest.mark.parametrize("result", ["", "x", "%%%", "é", "A" * 5000, "\x00", "e30"])
def test_what_is_no_answer_opens_nothing_and_breaks_nothing(client, bot, user, result):
    back = urlsplit(leaves(client))

    refused(client, client.post(f"{back.path}?{back.query}", {"tgAuthResult": result}))


def test_an_answer_is_good_once(client, bot, user):
    told = signed()
    comes_back(client, told)

    refused(Client(), comes_back(other := Client(), told))
    assert not is_signed_in(other)


def test_a_state_that_is_none_of_this_browsers_opens_nothing(client, bot, user):
    back = urlsplit(leaves(Client()))

    refused(client, client.post(f"{back.path}?{back.query}", {"tgAuthResult": packed(signed())}))


def test_connecting_asks_first_who_it_is_and_is_told(client, bot):
    user = UserFactory()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.post(BEGIN, {"process": "connect"}).url.startswith("/accounts/reauthenticate/")

    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert comes_back(client, process="connect").url == WAYS

    assert SocialAccount.objects.get(provider="telegram").user == user
    assert "@aziza" in client.get(WAYS).text


def test_an_account_that_opens_another_persons_is_not_connected(client, bot, user):
    other = UserFactory()
    client.post("/accounts/login/", {"login": other.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert comes_back(client, process="connect").status_code == CONFLICT
    assert SocialAccount.objects.get().user == user


def test_it_says_again_who_one_is(client, bot, user):
    user.set_unusable_password()
    user.save()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Continue with Telegram" in client.get(CONFIRM).text

    assert (
        comes_back(client, process="confirm", next="/accounts/password/set/").url == "/accounts/password/set/"
    )
    assert client.get("/accounts/password/set/").status_code == OK


def test_another_telegram_confirms_nothing(client, bot, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    assert comes_back(client, signed(id=5), process="confirm").status_code == FORBIDDEN
