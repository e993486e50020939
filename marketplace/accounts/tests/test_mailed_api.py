"""What programs do with the links of our mails: a new password, a confirmed address."""

import pytest
from allauth.account.models import EmailAddress

from marketplace.accounts import tokens
from marketplace.accounts.models import SignIn, User
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.core.testing import run_jobs

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/auth/"
NEW = "Yangi-parol-55"


def send(client, path, body=None, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post(ROOT + path, body, content_type="application/json", headers=headers)


def code(response):
    return response.json()["error"]["code"]


def token_in(message):
    """The last part of the link that stands alone on a line."""
    link = next(line for line in message.body.splitlines() if line.startswith("http"))
    return link.rstrip("/").rsplit("/", 1)[-1]


# --- A new password ---------------------------------------------------------------------------------


@pytest.fixture
def user():
    return UserFactory(email="person@example.uz")


@pytest.fixture
def token(client, user, mailoutbox):
    send(client, "password/reset/", {"email": "Person@Example.uz"})
    run_jobs()
    return token_in(mailoutbox[-1])


def test_the_mails_token_sets_a_new_password_and_ends_all_sign_ins(client, user, token):
    pair = tokens.issue(user=user)

    answer = send(client, "password/reset/confirm/", {"token": token, "password": NEW})

    user.refresh_from_db()
    assert (answer.status_code, answer.content) == (204, b"")
    assert user.check_password(NEW)
    assert SignIn.objects.get().ended_at is not None
    assert send(client, "refresh/", {"refresh": pair.refresh}).status_code == 401
    assert send(client, "login/", {"email": user.email, "password": NEW}).status_code == 200


def test_a_token_is_good_once(client, user, token):
    send(client, "password/reset/confirm/", {"token": token, "password": NEW})

    again = send(client, "password/reset/confirm/", {"token": token, "password": "Boshqa-parol-66"})

    assert (again.status_code, code(again)) == (400, "link_not_valid")


@pytest.mark.parametrize("password", ["short1", "password123", "onlyletters", PASSWORD])
def test_the_password_rules_are_the_pages(client, user, token, password):
    answer = send(client, "password/reset/confirm/", {"token": token, "password": password})

    assert set(answer.json()["error"]["details"]) == {"password"}
    assert send(client, "password/reset/confirm/", {"token": token, "password": NEW}).status_code == 204


@pytest.mark.parametrize("made_up", ["x", "-", "a-b", "1-c8f-x", "\u0000-x", "é-é", "z" * 200])
def test_a_token_of_ones_own_making_sets_nothing(client, user, made_up):
    answer = send(client, "password/reset/confirm/", {"token": made_up, "password": NEW})

    user.refresh_from_db()
    assert answer.status_code == 400
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    "gone", [{"is_active": False}, {"is_active": False, "deleted_at": "2026-01-01T00:00Z"}]
)
def test_nobody_who_is_gone_sets_a_password(client, user, token, gone):
    User.objects.filter(pk=user.pk).update(**gone)

    assert (
        code(send(client, "password/reset/confirm/", {"token": token, "password": NEW})) == "link_not_valid"
    )


def test_asking_does_not_say_who_has_an_account(client, user, mailoutbox):
    known = send(client, "password/reset/", {"email": user.email})
    unknown = send(client, "password/reset/", {"email": "nobody@example.uz"})
    run_jobs()

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (204, b"")
    assert [message.to for message in mailoutbox] == [[user.email], ["nobody@example.uz"]]


def test_one_address_gets_five_of_these_mails_a_minute(client, user, mailoutbox, settings):
    settings.ACCOUNT_RATE_LIMITS = {}

    answers = {send(client, "password/reset/", {"email": user.email}).status_code for _try in range(8)}
    run_jobs()

    assert answers == {204}, "the answer tells nothing"
    assert len(mailoutbox) == 5


@pytest.mark.parametrize("path", ["password/reset/", "password/reset/confirm/", "email/verify/"])
def test_tries_from_one_address_are_bounded(client, settings, path):
    settings.RATE_LIMITS = {"authentication": "3/minute"}

    answers = [send(client, path, {}).status_code for _try in range(4)]

    assert answers == [400, 400, 400, 429]


# --- The address ------------------------------------------------------------------------------------


@pytest.fixture
def newcomer(client):
    """Somebody who has just registered: the access token."""
    body = {"email": "aziza@example.uz", "password": PASSWORD}
    return send(client, "register/", body).json()["access"]


def test_the_mails_key_confirms_the_address(client, newcomer, mailoutbox):
    run_jobs()

    answer = send(client, "email/verify/", {"key": token_in(mailoutbox[0])})

    assert (answer.status_code, answer.content) == (204, b"")
    assert not answer.cookies
    assert User.objects.get().is_verified
    assert EmailAddress.objects.get().verified


def test_a_key_is_good_once_and_a_made_up_one_never(client, newcomer, mailoutbox):
    run_jobs()
    key = token_in(mailoutbox[0])
    send(client, "email/verify/", {"key": key})

    answers = [send(client, "email/verify/", {"key": one}) for one in (key, key[:-1], "x", "MQ:a:b", "é")]

    assert {(one.status_code, code(one)) for one in answers} == {(400, "link_not_valid")}


def test_the_link_is_sent_again_to_oneself(client, newcomer, mailoutbox):
    run_jobs()

    answer = send(client, "email/resend/", token=newcomer)
    run_jobs()

    assert answer.status_code == 204
    assert [message.to for message in mailoutbox] == [["aziza@example.uz"]] * 2
    assert send(client, "email/resend/").status_code == 401


def test_it_is_sent_no_more_often_than_the_page_would(client, mailoutbox, settings):
    settings.ACCOUNT_RATE_LIMITS = {}
    body = {"email": "aziza@example.uz", "password": PASSWORD}
    access = send(client, "register/", body).json()["access"]

    send(client, "email/resend/", token=access)
    run_jobs()

    assert len(mailoutbox) == 1


def test_who_is_confirmed_gets_no_more_links(client, user, mailoutbox):
    answer = send(client, "email/resend/", token=tokens.issue(user=user).access)
    run_jobs()

    assert answer.status_code == 204
    assert not mailoutbox
