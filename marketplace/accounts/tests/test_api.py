"""Signing up, in and out through the API, and one's own profile there."""

import hashlib
import re
import time

import jwt
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from marketplace.accounts import second_factor, services, tokens
from marketplace.accounts.errors import TokenNotValid
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.core import password_marks
from marketplace.core.testing import in_parallel, run_jobs

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/auth/"
NEW = {"email": "aziza@example.uz", "password": "Qorbars7741"}
CLOSED = 429


def send(client, path, body=None, *, token=None, method="post", **headers):
    if token:
        headers["Authorization"] = f"Bearer {token}"
    call = getattr(client, method)
    return call(ROOT + path, body, content_type="application/json", headers=headers)


def sign_in(client, user, password=PASSWORD, **more):
    return send(client, "login/", {"email": user.email, "password": password, **more})


def me(client, token, **headers):
    return client.get(f"{ROOT}me/", headers={"Authorization": f"Bearer {token}", **headers})


def error(response):
    body = response.json()
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "details"}
    return body["error"]


# --- Registration -----------------------------------------------------------------------------------


def test_registration_gives_tokens_and_the_person(client):
    more = {"full_name": "Aziza", "username": "aziza_k", "phone_number": "90 123 45 67"}

    response = send(client, "register/", {**NEW, **more})

    body = response.json()
    user = User.objects.get()
    assert response.status_code == 201
    assert set(body) == {"access", "refresh", "user"}
    assert (body["user"]["email"], body["user"]["username"]) == ("aziza@example.uz", "aziza_k")
    assert (user.full_name, user.phone_number, user.is_verified) == ("Aziza", "+998901234567", False)
    assert user.check_password(NEW["password"])
    assert user.old_passwords.count() == 1
    assert me(client, body["access"]).json()["id"] == str(user.pk)
    assert "password" not in str(body["user"])


def test_registration_sends_the_mail_of_the_page_whose_link_confirms(client, mailoutbox):
    send(client, "register/", NEW, **{"Accept-Language": "ru"})
    run_jobs()

    (message,) = mailoutbox
    link = next(word for word in message.body.split() if "/accounts/confirm-email/" in word)
    Client().post("/" + link.split("/", 3)[3])
    user = User.objects.get()
    assert message.to == ["aziza@example.uz"]
    assert (user.language, user.is_verified) == ("ru", True)
    assert EmailAddress.objects.get().verified


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""), ("email", "nobody"), ("email", None), ("email", "a\x00@example.uz"), ("email", "x" * 300 + "@example.uz"),
        ("email", ["a@example.uz"]), ("email", True), ("password", ""), ("password", None), ("password", "Qor7741"),
        ("password", "password123"), ("password", "Qorbarslar"), ("password", "aziza@example.uz1"), ("password", "x1" * 600),
        ("password2", "Another7741"), ("username", "1abc"), ("username", "a/b"), ("username", {"a": 1}),
        ("phone_number", "12345"), ("phone_number", "call me"), ("full_name", "x" * 121), ("full_name", [1]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_under_its_name(client, field, value):
    response = send(client, "register/", {**NEW, field: value})

    found = error(response)
    assert response.status_code == 400
    assert found["code"] == "validation_error"
    assert list(found["details"]) == [field]
    assert not User.objects.exists()


def test_everything_that_is_wrong_is_said_at_once(client):
    response = send(client, "register/", {"email": "aziza@example.uz", "password": "short", "username": "1"})

    assert set(error(response)["details"]) == {"password", "username"}


def test_a_known_address_is_refused_under_its_name_and_its_owner_is_told(client, mailoutbox):
    UserFactory(email="owner@example.uz")

    response = send(client, "register/", {**NEW, "email": "Owner@Example.uz"})
    run_jobs()

    assert response.status_code == 400
    assert list(error(response)["details"]) == ["email"]
    assert User.objects.count() == 1
    assert [message.to for message in mailoutbox] == [["owner@example.uz"]]
    assert mailoutbox[0].subject == "You already have an account"


def test_a_taken_name_is_refused_under_its_name(client):
    UserFactory(username="taken")

    response = send(client, "register/", {**NEW, "username": "TAKEN"})

    assert list(error(response)["details"]) == ["username"]


def test_nobody_learns_by_signing_up_whose_number_is_known(client):
    UserFactory(phone_number="+998901234567", phone_confirmed_at=timezone.now())

    assert send(client, "register/", {**NEW, "phone_number": "901234567"}).status_code == 201


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_of_two_registrations_at_the_same_moment_wins_and_the_other_reads_why():
    answers = in_parallel(*[lambda: send(Client(), "register/", NEW)] * 2)

    assert sorted(answer.status_code for answer in answers) == [201, 400]
    loser = next(answer for answer in answers if answer.status_code == 400)
    assert list(error(loser)["details"]) == ["email"]
    assert User.objects.count() == EmailAddress.objects.count() == 1


# --- An address that is not confirmed ---------------------------------------------------------------


def test_an_address_that_is_not_confirmed_signs_in_and_gets_its_link_again(client, mailoutbox):
    send(client, "register/", NEW)
    response = send(client, "login/", NEW)

    run_jobs()

    assert response.status_code == 200
    assert response.json()["user"]["is_verified"] is False
    assert [message.to for message in mailoutbox] == [["aziza@example.uz"]] * 2


def test_a_link_is_not_sent_more_often_than_the_page_sends_it(client, mailoutbox, settings):
    settings.ACCOUNT_RATE_LIMITS = {}
    send(client, "register/", NEW)
    for _time in range(3):
        send(client, "login/", NEW)

    run_jobs()

    assert len(mailoutbox) == 1


# --- Sign-in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["person@example.uz", "PERSON@Example.UZ", "  person@example.uz "])
def test_an_address_signs_in_however_it_is_written(client, typed):
    user = UserFactory(email="person@example.uz")

    response = send(client, "login/", {"email": typed, "password": PASSWORD})

    body = response.json()
    assert response.status_code == 200
    assert set(body) == {"access", "refresh", "user"}
    assert body["user"]["id"] == str(user.pk)
    assert User.objects.get().last_login is not None
    assert not client.cookies, "a token needs no session"


def test_wrong_password_unknown_address_and_switched_off_person_read_the_same(client):
    user, off = UserFactory(), UserFactory(is_active=False)

    answers = [
        sign_in(client, user, "Wrong7741"),
        send(client, "login/", {"email": "nobody@example.uz", "password": PASSWORD}),
        sign_in(client, off),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert error(answers[0])["code"] == "invalid_credentials"
    assert answers[0]["WWW-Authenticate"].startswith("Bearer")


def test_an_unknown_address_costs_the_same_work(client, monkeypatch):
    user, work = UserFactory(), []
    real = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *given: work.append(given) or real(*given))

    sign_in(client, user, "Wrong7741")
    known = len(work)
    send(client, "login/", {"email": "nobody@example.uz", "password": "Wrong7741"})

    assert known > 0
    assert len(work) == 2 * known


@pytest.fixture
def guarded(settings):
    settings.AXES_ENABLED = True


def test_five_failures_lock_the_account_at_this_door_and_at_the_page(client, guarded):
    user = UserFactory()

    answers = [sign_in(client, user, f"Wrong774{number}") for number in range(5)]
    right = sign_in(client, user)
    page = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})

    assert [answer.status_code for answer in answers] == [401] * 4 + [CLOSED]
    assert (right.status_code, error(right)["code"]) == (CLOSED, "locked_out")
    assert right["Retry-After"] == "900"
    assert right["Content-Type"] == "application/json"
    assert page.status_code == CLOSED


def test_a_right_password_forgives_the_wrong_ones_before_it(client, guarded):
    user = UserFactory()
    for _try in range(4):
        sign_in(client, user, "Wrong7741")
    sign_in(client, user)

    assert sign_in(client, user, "Wrong7741").status_code == 401


def test_a_locked_account_does_not_lock_its_neighbours_elsewhere(client, guarded):
    locked, neighbour = UserFactory(), UserFactory()
    for _try in range(6):
        sign_in(client, locked, "Wrong7741")

    client.defaults["REMOTE_ADDR"] = "203.0.113.9"
    assert sign_in(client, neighbour).status_code == 200


class Device:
    """A second factor with one code."""

    def __init__(self, *owners):
        self.owners = {owner.pk for owner in owners}

    def is_required(self, user):
        return user.pk in self.owners

    def check(self, user, code):
        return code == "4711"


@pytest.fixture
def careful():
    """A person with a second factor."""
    user = UserFactory()
    device = Device(user)
    second_factor.register(device)
    yield user
    second_factor.forget(device)


def test_who_has_a_second_factor_is_asked_for_its_code(client, careful):
    without = sign_in(client, careful)
    with_code = sign_in(client, careful, code="4711")

    assert (without.status_code, error(without)["code"]) == (401, "mfa_required")
    assert with_code.status_code == 200


def test_a_wrong_password_says_nothing_of_a_second_factor(client, careful):
    assert error(sign_in(client, careful, "Wrong7741"))["code"] == "invalid_credentials"


def test_others_are_not_asked_for_a_code(client, careful):
    assert sign_in(client, UserFactory()).status_code == 200


def test_wrong_codes_lock_the_account_like_wrong_passwords(client, careful, guarded):
    answers = [sign_in(client, careful, code=f"000{number}") for number in range(5)]
    right = sign_in(client, careful, code="4711")

    assert [error(answer)["code"] for answer in answers] == ["mfa_invalid"] * 4 + ["locked_out"]
    assert right.status_code == CLOSED


# --- Tokens -----------------------------------------------------------------------------------------


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def pair(user):
    return tokens.issue(user=user)


def renew(client, refresh):
    return send(client, "refresh/", {"refresh": refresh})


def test_tokens_live_as_long_as_the_settings_say(pair):
    access, refresh = (
        jwt.decode(token, options={"verify_signature": False}) for token in (pair.access, pair.refresh)
    )

    assert access["exp"] - access["iat"] == 15 * 60
    assert refresh["exp"] - refresh["iat"] == 7 * 24 * 3600
    assert set(access) == {"token_type", "exp", "iat", "jti", "user_id", "password_mark", "sid", "aud", "iss"}


def test_what_a_token_tells_of_the_password_is_a_digest_under_a_key_of_ours(user, pair, settings):
    said = jwt.decode(pair.access, options={"verify_signature": False})["password_mark"]
    guesses = [
        hashlib.new(name, user.password.encode(), usedforsecurity=False).hexdigest()
        for name in ("md5", "sha1", "sha256", "sha512")
    ]

    settings.SIMPLE_JWT = settings.SIMPLE_JWT | {"SIGNING_KEY": "another key of at least thirty-two signs"}
    under_another_key = password_marks.mark_of(user)

    assert re.fullmatch("[0-9a-f]{64}", said)
    assert said not in guesses
    assert said != under_another_key


@pytest.mark.parametrize("mark", [None, "", "made up", 7, ["made up"]])
def test_a_token_without_the_mark_of_the_password_opens_nothing_and_is_not_renewed(client, user, mark):
    token = tokens.Refresh.for_user(user)
    token[password_marks.CLAIM] = mark
    if mark is None:
        del token[password_marks.CLAIM]

    assert me(client, str(token.access_token)).status_code == 401
    assert renew(client, str(token)).status_code == 401


@pytest.mark.parametrize("path", ["refresh/", "token/refresh/"])
def test_a_refresh_token_gives_a_new_pair(client, user, pair, path):
    body = send(client, path, {"refresh": pair.refresh}).json()

    assert set(body) == {"access", "refresh"}
    assert body["refresh"] != pair.refresh
    assert me(client, body["access"]).json()["id"] == str(user.pk)
    assert renew(client, body["refresh"]).status_code == 200


def test_a_refresh_token_is_good_once(client, pair):
    renew(client, pair.refresh)

    again = renew(client, pair.refresh)

    assert (again.status_code, error(again)["code"]) == (401, "token_not_valid")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_refresh_token_is_good_once_at_the_same_moment_too():
    for _time in range(5):
        pair = tokens.issue(user=UserFactory())

        results = in_parallel(*[lambda: tokens.renew(refresh=pair.refresh)] * 4)  # noqa: B023

        assert len([one for one in results if isinstance(one, tokens.Pair)]) == 1
        assert len([one for one in results if isinstance(one, TokenNotValid)]) == 3


def test_signing_out_kills_the_refresh_token(client, pair):
    out = send(client, "logout/", {"refresh": pair.refresh})

    assert (out.status_code, out.content) == (204, b"")
    assert renew(client, pair.refresh).status_code == 401
    assert send(client, "logout/", {"refresh": pair.refresh}).status_code == 401


def test_signing_out_leaves_the_persons_other_devices_alone(client, user, pair):
    other = tokens.issue(user=user)

    send(client, "logout/", {"refresh": pair.refresh})

    assert renew(client, other.refresh).status_code == 200


def test_a_new_password_ends_all_tokens(client, user, pair):
    services.change_password(user=user, password="Yangi-parol-55")

    assert error(me(client, pair.access))["code"] == "token_not_valid"
    assert renew(client, pair.refresh).status_code == 401


@pytest.mark.parametrize(
    "gone", [{"is_active": False}, {"is_active": False, "deleted_at": "2026-01-01T00:00Z"}]
)
def test_who_is_gone_gets_no_new_tokens(client, user, pair, gone):
    User.objects.filter(pk=user.pk).update(**gone)

    assert renew(client, pair.refresh).status_code == 401


def test_who_is_switched_off_is_out_at_once(client, user, pair):
    User.objects.filter(pk=user.pk).update(is_active=False)

    response = me(client, pair.access)

    assert (response.status_code, error(response)["code"]) == (401, "token_not_valid")
    assert response["WWW-Authenticate"].startswith("Bearer")


def made(**changes):
    """A token as somebody else might make it."""
    key = changes.pop("key", django_settings.SIMPLE_JWT["SIGNING_KEY"])
    payload = {
        "token_type": "access", "exp": int(time.time()) + 600, "iat": 0, "jti": "1", "user_id": "x", **changes,
    }  # fmt: skip
    return jwt.encode({name: value for name, value in payload.items() if value is not None}, key, "HS256")


def test_neither_kind_of_token_does_the_others_work(client, pair):
    assert me(client, pair.refresh).status_code == 401
    assert renew(client, pair.access).status_code == 401


@pytest.mark.parametrize(
    "token",
    [
        "x", "a.b.c", "null", "e30.e30.", made(key="k" * 40), made(exp=1), made(exp=None), made(user_id=None), made(jti=None),
        made(user_id=5), made(user_id="\x00"), made(token_type="refresh"), "é", "x" * 3000, "a b",
        jwt.encode({"token_type": "access", "user_id": "x", "exp": 9e9, "jti": "1"}, "", "none"),
    ],
)  # fmt: skip
def test_no_made_up_token_is_believed_or_breaks_anything(client, user, token):
    assert error(me(client, token))["code"] == "token_not_valid"
    assert error(renew(client, token))["code"] == "token_not_valid"
    assert error(send(client, "logout/", {"refresh": token}))["code"] == "token_not_valid"


@pytest.mark.parametrize("claim", ["aud", "iss"])
@pytest.mark.parametrize("value", ["another-service", None])
def test_a_token_for_another_service_opens_nothing(client, pair, claim, value):
    payload = jwt.decode(pair.access, options={"verify_signature": False})
    payload = (
        {**payload, claim: value} if value else {name: payload[name] for name in payload if name != claim}
    )
    token = jwt.encode(payload, django_settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")

    assert me(client, pair.access).status_code == 200
    assert error(me(client, token))["code"] == "token_not_valid"


def test_the_table_of_tokens_holds_nothing_that_signs_in(client, pair):
    renew(client, pair.refresh)

    assert set(OutstandingToken.objects.values_list("token", flat=True)) == {""}


def test_tokens_are_forgotten_once_they_are_too_old(client, user, pair):
    renew(client, pair.refresh)
    fresh = tokens.issue(user=user)
    first = OutstandingToken.objects.earliest("pk").expires_at
    OutstandingToken.objects.exclude(pk=OutstandingToken.objects.latest("pk").pk).update(expires_at=first)
    OutstandingToken.objects.filter(pk=OutstandingToken.objects.latest("pk").pk).update(
        expires_at=first.replace(year=first.year + 1)
    )

    tokens.forget_expired(at=first)

    assert OutstandingToken.objects.count() == 1
    assert not BlacklistedToken.objects.exists()
    assert tokens.renew(refresh=fresh.refresh)


def test_a_stale_token_does_not_keep_anybody_from_signing_in(client, user):
    response = send(client, "login/", {"email": user.email, "password": PASSWORD}, Authorization="Bearer old")

    assert response.status_code == 200


# --- Oneself ----------------------------------------------------------------------------------------


def patch(client, pair, body):
    return send(client, "me/", body, token=pair.access, method="patch")


def test_me_needs_a_person(client):
    response = client.get(f"{ROOT}me/")

    assert (response.status_code, error(response)["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_me_costs_one_query(client, user, pair, django_assert_num_queries):
    with django_assert_num_queries(1):
        body = me(client, pair.access).json()

    assert (body["email"], body["rating"], body["plan"]) == (user.email, None, "free")
    assert body["created_at"].endswith("Z")
    assert set(body) == {
        "id", "email", "username", "handle", "full_name", "display_name", "phone_number", "avatar", "is_verified", "is_staff",
        "plan", "is_premium", "rating", "rating_count", "total_sales", "total_purchases", "language", "timezone", "created_at",
    }  # fmt: skip


def test_what_is_sent_changes_and_the_rest_stays(client, user, pair):
    response = patch(client, pair, {"full_name": "Aziza K.", "phone_number": "(90) 123-45-67"})

    after = User.objects.get()
    assert response.status_code == 200
    assert response.json()["phone_number"] == "+998901234567"
    assert (after.full_name, after.phone_number) == ("Aziza K.", "+998901234567")
    assert (after.timezone, after.language) == (user.timezone, user.language)


@pytest.mark.parametrize("nothing", ["", None])
def test_a_username_and_a_number_can_be_taken_away(client, user, pair, nothing):
    patch(client, pair, {"username": "aziza_k", "phone_number": "901234567"})

    response = patch(client, pair, {"username": nothing, "phone_number": nothing})

    assert (response.json()["username"], response.json()["phone_number"]) == (None, None)


def test_nothing_else_can_be_changed(client, user, pair):
    response = patch(
        client, pair,
        {"email": "x@example.uz", "is_staff": True, "is_verified": True, "plan": "pro", "rating": "5", "handle": "boss"},
    )  # fmt: skip

    after = User.objects.get()
    assert response.status_code == 200
    assert (after.email, after.is_staff, after.plan, after.handle) == (user.email, False, "free", user.handle)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "1abc"), ("username", "a" * 31), ("username", "имя"), ("username", ["x"]), ("username", "a\x00b"),
        ("username", "TAKEN"), ("username", True), ("phone_number", "12345"), ("phone_number", "٩٠١٢٣٤٥٦٧"),
        ("language", "de"), ("language", None), ("language", ""), ("timezone", "Mars/Olympus"),
        ("timezone", "../etc/passwd"), ("timezone", 5), ("full_name", "x" * 121), ("full_name", {}), ("full_name", "\ud800"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_under_its_name_and_changes_nothing(client, user, pair, field, value):
    UserFactory(username="taken")

    response = patch(client, pair, {"full_name": "New Name", field: value})

    assert response.status_code == 400
    assert list(error(response)["details"]) == [field]
    assert User.objects.get(pk=user.pk).full_name == user.full_name


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_of_two_who_take_a_name_at_the_same_moment_gets_it():
    for number in range(5):
        pairs = [tokens.issue(user=UserFactory()) for _person in range(2)]

        answers = in_parallel(
            *[lambda pair=pair: patch(Client(), pair, {"username": f"aziza_{number}"}) for pair in pairs]  # noqa: B023
        )

        assert sorted(answer.status_code for answer in answers) == [200, 400]
        loser = next(answer for answer in answers if answer.status_code == 400)
        assert list(error(loser)["details"]) == ["username"]


def test_an_answer_is_in_the_language_that_is_asked_for_and_else_in_the_persons_own(client):
    pair = tokens.issue(user=UserFactory(language="ru"))

    own = error(patch(client, pair, {"username": "1"}))["message"]
    asked = send(
        client, "me/", {"username": "1"}, token=pair.access, method="patch", **{"Accept-Language": "uz"}
    )
    english = send(
        client, "me/", {"username": "1"}, token=pair.access, method="patch", **{"Accept-Language": "en"}
    )

    assert error(english)["message"] == "Some of what was sent is not right."
    assert len({own, error(asked)["message"], error(english)["message"]}) == 3


def test_a_session_of_the_site_is_a_person_here_too_and_shows_its_form_token(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)

    assert client.get(f"{ROOT}me/").json()["email"] == user.email
    refused = send(client, "me/", {"full_name": "Stranger"}, method="patch")
    assert (refused.status_code, error(refused)["code"]) == (403, "permission_denied")


# --- Limits -----------------------------------------------------------------------------------------


def test_tries_are_limited_and_the_answer_says_how_long(client, settings):
    settings.RATE_LIMITS = {"authentication": "2/minute"}
    user = UserFactory()

    answers = [sign_in(client, user, "Wrong7741") for _try in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, CLOSED]
    assert error(answers[2])["code"] == "too_many_requests"
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert error(answers[2])["details"] == {"retry_after": int(answers[2]["Retry-After"])}


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("register", "register/"),
        ("authentication", "register/"),
        ("authentication", "login/"),
        ("refresh", "refresh/"),
        ("refresh", "logout/"),
    ],
)
def test_each_door_counts_its_addresses(client, settings, scope, path):
    settings.RATE_LIMITS = {scope: "1/hour"}

    answers = [send(client, path, {"email": f"p{number}@example.uz"}).status_code for number in range(2)]
    elsewhere = client.post(ROOT + path, {}, content_type="application/json", REMOTE_ADDR="203.0.113.9")

    assert answers == [400, CLOSED]
    assert elsewhere.status_code == 400


def test_a_forwarded_address_that_anybody_can_write_counts_for_nothing(client, settings):
    settings.RATE_LIMITS = {"register": "1/hour"}

    answers = [
        send(client, "register/", {}, **{"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(2)
    ]

    assert answers == [400, CLOSED]
