"""Codes by SMS: what is sent, to whom, how often, and what they open."""

import logging
import re
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from marketplace.accounts import alarms, phones, sms
from marketplace.accounts.models import KnownDevice, PhoneCode, SignIn, User
from marketplace.accounts.sms.console import Console
from marketplace.accounts.sms.eskiz import Eskiz
from marketplace.accounts.tests import sms_server
from marketplace.accounts.tests.factories import PASSWORD, UserFactory, code_of_app, with_app
from marketplace.core import http
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs

pytestmark = pytest.mark.django_db
NUMBER, OTHER, THIRD = "+998901234567", "+998907654321", "+998911111111"
BEGIN, CODE = "/accounts/login/phone/", "/accounts/login/phone/code/"
PHONE, PHONE_CODE, WAYS = "/me/phone/", "/me/phone/code/", "/me/ways-in/"
REQUEST, VERIFY = "/api/v1/auth/otp/request/", "/api/v1/auth/otp/verify/"
OK, REDIRECT, BAD, REFUSED, GONE, WRONG, TOO_MANY, DOWN = 200, 302, 400, 401, 404, 422, 429, 503


@pytest.fixture(scope="module")
def server():
    with sms_server.running() as eskiz:
        yield eskiz


@pytest.fixture
def eskiz(server, settings):
    server.reset()
    settings.SMS_PROVIDER = "eskiz"
    settings.ESKIZ_BASE_URL = server.url
    settings.ESKIZ_EMAIL, settings.ESKIZ_PASSWORD = sms_server.EMAIL, sms_server.PASSWORD
    settings.ESKIZ_SENDER = sms_server.SENDER
    settings.PHONE_CODE_PAUSE = timedelta(0)
    cache.clear()
    return server


@pytest.fixture(autouse=True)
def _middle_of_a_half_minute(monkeypatch):
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture
def owner():
    return UserFactory(phone_number=NUMBER, phone_confirmed_at=timezone.now())


@pytest.fixture
def user(client):
    user = UserFactory(phone_number=NUMBER)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return user


def code_in(eskiz):
    """What the last SMS says."""
    run_jobs()
    return re.search(r"\b(\d{6})\b", eskiz.sent[-1]["message"]).group(1)


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def is_signed_in(client):
    return "_auth_user_id" in client.session


def who(client):
    return User.objects.get(pk=client.session["_auth_user_id"])


def post(client, path, **body):
    return client.post(path, body, content_type="application/json")


def code_of(answer):
    return answer.json()["error"]["code"]


def asked(client, number=NUMBER):
    return post(client, REQUEST, phone_number=number).json()["request_id"]


# --- Offered only where it works ------------------------------------------------------------------------


def test_without_a_provider_nothing_of_phones_is_offered(client, owner):
    for path in (BEGIN, CODE):
        assert client.get(path).status_code == GONE
    assert post(client, REQUEST, phone_number=NUMBER).status_code == GONE
    assert post(client, VERIFY, request_id="x", code="1").status_code == GONE
    assert "Code to my phone" not in client.get("/accounts/login/").text
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    for path in (PHONE, PHONE_CODE):
        assert client.get(path).status_code == GONE
    assert PHONE not in client.get(WAYS).text


# --- Confirming ------------------------------------------------------------------------------------------


def test_a_number_is_confirmed_by_the_code_that_went_to_it(
    client, eskiz, user, django_capture_on_commit_callbacks
):
    assert client.post(PHONE, {"number": "90 123-45-67"}).url == PHONE_CODE
    code = code_in(eskiz)
    assert eskiz.sent[-1]["mobile_phone"] == "998901234567"
    assert "•• 67" in client.get(PHONE_CODE).text

    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(PHONE_CODE, {"code": code}).url == WAYS
    run_jobs()

    user.refresh_from_db()
    assert user.phone_number == NUMBER
    assert user.phone_confirmed_at
    assert "account_way_added" in [one.data["kind"] for one in user.notifications.all()]


def test_a_wrong_code_confirms_nothing(client, eskiz, user):
    client.post(PHONE, {"number": NUMBER})

    answer = client.post(PHONE_CODE, {"code": wrong(code_in(eskiz))})

    assert answer.status_code == WRONG
    assert "wrong or too old" in answer.text
    user.refresh_from_db()
    assert not user.phone_confirmed_at


@pytest.mark.parametrize(
    "number", ["", "12345", "call me", "+7 701 123 45 67", "+99890123456", "9" * 40, "٩٠١٢٣٤٥٦٧"]
)
def test_what_is_no_number_is_said_beside_the_field(client, eskiz, user, number):
    answer = client.post(PHONE, {"number": number})

    assert answer.status_code == WRONG
    assert answer.context["form"].errors.keys() == {"number"}
    assert not PhoneCode.objects.exists()


def test_a_stolen_session_confirms_no_phone_of_its_own(client, eskiz):
    user = UserFactory()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})

    assert client.post(PHONE, {"number": OTHER}).url.startswith("/accounts/reauthenticate/")
    assert not PhoneCode.objects.exists()


def test_a_code_for_one_person_confirms_nothing_for_another(client, eskiz, user):
    other = UserFactory()
    phones.ask_to_confirm(user=other, number=OTHER, address="")
    code = code_in(eskiz)
    row = phones.check(request_id=PhoneCode.objects.get().pk, code=code, purpose="confirm")

    with pytest.raises(phones.WrongPhoneCode):
        phones.confirm(user=user, row=row)


def test_a_code_to_sign_in_confirms_nothing_and_the_other_way_round(client, eskiz, owner):
    signing_in = phones.ask_to_sign_in(number=NUMBER, address="")
    confirming = phones.ask_to_confirm(user=owner, number=NUMBER, address="")
    run_jobs()
    codes = [re.search(r"\d{6}", one["message"]).group() for one in eskiz.sent]

    for request, code, purpose in (
        (signing_in, codes[0], "confirm"), (confirming, codes[1], "sign_in"),
    ):  # fmt: skip
        with pytest.raises(phones.WrongPhoneCode):
            phones.check(request_id=request.request_id, code=code, purpose=purpose)


def test_a_number_that_was_given_out_again_leaves_who_had_it_before(
    client, eskiz, user, django_capture_on_commit_callbacks
):
    before = UserFactory(phone_number=OTHER, phone_confirmed_at=timezone.now())
    client.post(PHONE, {"number": OTHER})
    code = code_in(eskiz)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(PHONE_CODE, {"code": code})
    run_jobs()

    before.refresh_from_db()
    user.refresh_from_db()
    assert (before.phone_number, before.phone_confirmed_at) == (None, None)
    assert user.phone_number == OTHER
    assert "account_way_removed" in [one.data["kind"] for one in before.notifications.all()]


def test_the_database_lets_a_number_be_confirmed_by_one_person_only(owner):
    UserFactory(phone_number=NUMBER)  # written, not confirmed

    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(phone_number=NUMBER, phone_confirmed_at=timezone.now())


def test_no_empty_number_is_confirmed():
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(phone_number=None, phone_confirmed_at=timezone.now())


def test_another_number_in_the_profile_is_not_confirmed(client, eskiz, user):
    User.objects.filter(pk=user.pk).update(phone_confirmed_at=timezone.now())

    form = {
        "full_name": "A",
        "username": "",
        "phone_number": OTHER,
        "language": "en",
        "timezone": "Asia/Tashkent",
    }
    client.post("/me/edit/", form)

    user.refresh_from_db()
    assert (user.phone_number, user.phone_confirmed_at) == (OTHER, None)


def test_the_phone_is_taken_away_by_who_says_again_who_they_are(client, eskiz, user):
    User.objects.filter(pk=user.pk).update(phone_confirmed_at=timezone.now())
    stranger = Client()
    stranger.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    assert stranger.post("/me/phone/disconnect/").url.startswith("/accounts/reauthenticate/")
    user.refresh_from_db()
    assert user.phone_confirmed_at
    client.post("/me/phone/disconnect/")

    user.refresh_from_db()
    assert not user.phone_confirmed_at


def test_the_last_way_in_stays(eskiz, owner):
    owner.set_unusable_password()
    owner.save()

    with pytest.raises(phones.LastWayIn):
        phones.disconnect(user=owner)


def test_this_was_not_me_takes_a_phone_away_that_a_stranger_may_have_confirmed(client, eskiz, owner):
    device = KnownDevice.objects.create(user=owner, trait_hash="x")

    alarms.raise_alarm(token=alarms.token_of(device.pk))

    owner.refresh_from_db()
    assert not owner.phone_confirmed_at


# --- Signing in --------------------------------------------------------------------------------------------


def test_a_code_signs_its_owner_in(client, eskiz, owner):
    assert "Code to my phone" in client.get("/accounts/login/").text
    assert (
        client.post(BEGIN, {"number": "901234567", "next": "/me/listings/"}).url
        == f"{CODE}?next=%2Fme%2Flistings%2F"
    )

    answer = client.post(CODE, {"code": code_in(eskiz), "next": "/me/listings/"})

    assert answer.url == "/me/listings/"
    assert who(client) == owner
    assert KnownDevice.objects.filter(user=owner).exists()
    client.get("/")
    assert SignIn.objects.filter(user=owner, kind="browser").exists()


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example"])
def test_nobody_is_led_elsewhere(client, eskiz, owner, wanted):
    client.post(BEGIN, {"number": NUMBER, "next": wanted})

    assert client.post(CODE, {"code": code_in(eskiz), "next": wanted}).url == "/"


def test_nobody_gives_a_code_before_asking_for_one(client, eskiz):
    assert client.get(CODE).url == BEGIN
    assert client.post(CODE, {"code": "123456"}).url == BEGIN


def test_a_second_factor_is_asked_for_all_the_same(client, eskiz, owner):
    with_app(owner)
    client.post(BEGIN, {"number": NUMBER})

    assert client.post(CODE, {"code": code_in(eskiz)}).url == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_of_app()})
    assert who(client) == owner


def test_it_is_no_confirmation(client, eskiz, owner):
    client.post(BEGIN, {"number": NUMBER})
    client.post(CODE, {"code": code_in(eskiz)})

    assert client.post("/me/phone/disconnect/").url.startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize(
    "state",
    [
        {"phone_confirmed_at": None},
        {"is_active": False},
        {"is_active": False, "deleted_at": timezone.now()},
        {"phone_number": OTHER},
    ],
)
def test_what_is_not_theirs_or_not_confirmed_signs_nobody_in(client, eskiz, owner, state):
    User.objects.filter(pk=owner.pk).update(**state)

    client.post(BEGIN, {"number": NUMBER})
    run_jobs()

    assert eskiz.sent == []
    assert client.post(CODE, {"code": "000000"}).status_code == WRONG


@pytest.mark.parametrize("state", [{"phone_confirmed_at": None}, {"is_active": False}])
def test_nor_what_changed_after_the_code_was_sent(client, eskiz, owner, state):
    client.post(BEGIN, {"number": NUMBER})
    code = code_in(eskiz)
    User.objects.filter(pk=owner.pk).update(**state)

    assert client.post(CODE, {"code": code}).status_code == WRONG
    assert not is_signed_in(client)


def test_nobody_learns_whether_a_number_is_known(client, eskiz, owner):
    answers = []
    for number in (NUMBER, OTHER):
        answer = client.post(BEGIN, {"number": number})
        page = client.get(CODE).text
        answers.append(
            (
                answer.status_code,
                answer.url,
                page.replace("•• 67", "").replace("•• 21", "").replace(number, ""),
            )
        )

    assert strip_tokens(answers[0][2]) == strip_tokens(answers[1][2])
    assert answers[0][:2] == answers[1][:2]


def strip_tokens(page):
    return re.sub(r'(csrfmiddlewaretoken" value|nonce|X-CSRFToken&quot;: &quot;)="?[^"&]*', "", page)


def test_it_is_the_same_work_for_a_number_that_nobody_has(client, eskiz, owner, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for number in (NUMBER, OTHER):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            phones.ask_to_sign_in(number=number, address="192.0.2.1")
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert Job.objects.count() == 2


# --- The code itself -----------------------------------------------------------------------------------------


def test_only_a_keyed_digest_of_the_code_is_kept(client, eskiz, owner):
    phones.ask_to_sign_in(number=NUMBER, address="")
    job = Job.objects.get()
    code = code_in(eskiz)

    row = PhoneCode.objects.get()
    assert code not in f"{row.digest}"
    assert code not in str(job.kwargs)
    assert len(row.digest) == 64
    assert row.digest != phones._digest(PhoneCode(pk=row.pk, number=OTHER), code)


def test_a_code_is_good_once(client, eskiz, owner):
    request = phones.ask_to_sign_in(number=NUMBER, address="").request_id
    code = code_in(eskiz)
    phones.sign_in(phones.check(request_id=request, code=code, purpose="sign_in"))

    with pytest.raises(phones.WrongPhoneCode):
        phones.check(request_id=request, code=code, purpose="sign_in")


def test_with_it_goes_whatever_else_was_sent(client, eskiz, owner):
    first = phones.ask_to_sign_in(number=NUMBER, address="").request_id
    old = code_in(eskiz)
    second = phones.ask_to_sign_in(number=NUMBER, address="").request_id
    phones.sign_in(phones.check(request_id=second, code=code_in(eskiz), purpose="sign_in"))

    with pytest.raises(phones.WrongPhoneCode):
        phones.check(request_id=first, code=old, purpose="sign_in")


def test_a_code_lives_five_minutes(client, eskiz, owner):
    request = phones.ask_to_sign_in(number=NUMBER, address="").request_id
    code = code_in(eskiz)
    assert PhoneCode.objects.get().expires_at - timezone.now() <= timedelta(minutes=5)
    PhoneCode.objects.update(expires_at=timezone.now())

    with pytest.raises(phones.WrongPhoneCode):
        phones.check(request_id=request, code=code, purpose="sign_in")


def test_a_code_bears_five_tries(client, eskiz, owner):
    request = phones.ask_to_sign_in(number=NUMBER, address="").request_id
    code = code_in(eskiz)
    for _ in range(5):
        with pytest.raises(phones.WrongPhoneCode):
            phones.check(request_id=request, code=wrong(code), purpose="sign_in")

    with pytest.raises(phones.WrongPhoneCode):
        phones.check(request_id=request, code=code, purpose="sign_in")


def test_a_strangers_tries_use_up_none_of_the_owners(client, eskiz, owner):
    client.post(BEGIN, {"number": NUMBER})
    code = code_in(eskiz)
    stranger = Client()
    stranger.post(BEGIN, {"number": NUMBER})
    for _ in range(6):
        stranger.post(CODE, {"code": wrong(code)})

    client.post(CODE, {"code": code})

    assert who(client) == owner


@pytest.mark.parametrize("code", ["", " ", "abc", "１２３４５６", "0" * 13, "12 34 5", "\x00"])
def test_what_is_no_code_opens_nothing_and_breaks_nothing(client, eskiz, owner, code):
    client.post(BEGIN, {"number": NUMBER})

    assert client.post(CODE, {"code": code}).status_code == WRONG
    assert not is_signed_in(client)


def test_spaces_in_a_code_are_no_mistake(client, eskiz, owner):
    client.post(BEGIN, {"number": NUMBER})
    code = code_in(eskiz)

    client.post(CODE, {"code": f" {code[:3]} {code[3:]} "})

    assert who(client) == owner


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_code_at_the_same_moment_lets_in_once(eskiz):
    owner = UserFactory(phone_number=NUMBER, phone_confirmed_at=timezone.now())
    request = phones.ask_to_sign_in(number=NUMBER, address="").request_id
    code = code_in(eskiz)

    def tries():
        return phones.sign_in(phones.check(request_id=request, code=code, purpose="sign_in"))

    results = in_parallel(tries, tries, tries)

    assert [one for one in results if one == owner] == [owner]


def test_old_codes_are_forgotten(eskiz, owner):
    phones.ask_to_sign_in(number=NUMBER, address="")
    PhoneCode.objects.update(expires_at=timezone.now() - timedelta(days=2))

    assert phones.forget_old(at=timezone.now()) == 1


# --- How often -------------------------------------------------------------------------------------------------


def test_the_next_code_waits_a_minute(client, eskiz, owner, settings):
    settings.PHONE_CODE_PAUSE = timedelta(seconds=60)
    client.post(BEGIN, {"number": NUMBER})

    answer = client.post(BEGIN, {"number": NUMBER})

    assert answer.status_code == TOO_MANY
    assert 0 < int(answer["Retry-After"]) <= 61
    assert PhoneCode.objects.count() == 1


@pytest.mark.parametrize(
    ("scope", "numbers"),
    [
        ("sms_number", [NUMBER] * 3),
        ("sms_number_daily", [NUMBER] * 3),
        ("sms_address", [NUMBER, OTHER, "+998911111111"]),
    ],
)
def test_codes_are_bounded_by_number_and_by_address(client, eskiz, owner, settings, scope, numbers):
    settings.RATE_LIMITS = {scope: "2/hour"}
    statuses = [client.post(BEGIN, {"number": one}).status_code for one in numbers]

    assert statuses == [REDIRECT, REDIRECT, TOO_MANY]


def test_codes_are_bounded_by_person(client, eskiz, user, settings):
    settings.RATE_LIMITS = {"sms_person": "2/hour"}
    statuses = [client.post(PHONE, {"number": f"+99890000000{n}"}).status_code for n in range(3)]

    assert statuses == [REDIRECT, REDIRECT, TOO_MANY]


def test_the_days_cap_stops_what_is_paid_for(client, eskiz, user, settings):
    """Whoever earns by SMS to numbers of theirs gets no more than the cap."""
    settings.RATE_LIMITS = {"sms_all": "1/day"}
    client.post(PHONE, {"number": NUMBER})

    answer = client.post(PHONE, {"number": OTHER})
    run_jobs()

    assert answer.status_code == DOWN
    assert len(eskiz.sent) == 1


def test_the_cap_tells_a_stranger_nothing_about_a_number(client, eskiz, owner, settings):
    settings.RATE_LIMITS = {"sms_all": "1/day"}
    for number in (NUMBER, NUMBER, OTHER):
        assert client.post(BEGIN, {"number": number}).status_code == REDIRECT
    run_jobs()

    assert len(eskiz.sent) == 1


def test_a_strangers_numbers_cost_nothing(client, eskiz, owner, settings):
    settings.RATE_LIMITS = {"sms_all": "1/day"}
    for number in range(5):
        client.post(BEGIN, {"number": f"+99890000000{number}"})
    run_jobs()

    assert eskiz.sent == []

    client.post(BEGIN, {"number": NUMBER})
    run_jobs()
    assert len(eskiz.sent) == 1, "the day's one message was not used up"


def test_failures_lock_the_address_and_not_the_owner(client, eskiz, owner, settings):
    settings.AXES_ENABLED = True
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    for _ in range(2):
        stranger.post(BEGIN, {"number": NUMBER})
        for _try in range(3):
            stranger.post(CODE, {"code": "000000"})

    assert stranger.post(CODE, {"code": "000000"}).status_code == TOO_MANY
    assert AccessAttempt.objects.filter(ip_address="203.0.113.9").exists()
    client.post(BEGIN, {"number": NUMBER})
    client.post(CODE, {"code": code_in(eskiz)})
    assert who(client) == owner


# --- The API ---------------------------------------------------------------------------------------------------


def test_a_program_signs_in_by_a_code(client, eskiz, owner):
    answer = post(client, REQUEST, phone_number="90 123 45 67")
    assert answer.json() == {
        "request_id": str(PhoneCode.objects.get().pk), "expires_in": 300, "resend_in": 0,
    }  # fmt: skip

    answer = post(client, VERIFY, request_id=answer.json()["request_id"], code=code_in(eskiz))

    assert answer.status_code == OK
    assert answer.json()["user"]["id"] == str(owner.pk)
    assert SignIn.objects.filter(user=owner, kind="program").exists()


def test_nobodys_number_is_answered_alike(client, eskiz, owner):
    known, unknown = (post(client, REQUEST, phone_number=number) for number in (NUMBER, OTHER))

    assert known.status_code == unknown.status_code == OK
    assert known.json().keys() == unknown.json().keys()
    for one in (known, unknown):
        assert (
            code_of(post(client, VERIFY, request_id=one.json()["request_id"], code="000000"))
            == "code_not_valid"
        )


def test_a_second_factor_is_asked_for_and_the_code_lives_until_it_is_given(client, eskiz, owner):
    with_app(owner)
    request, code = asked(client), code_in(eskiz)

    assert code_of(post(client, VERIFY, request_id=request, code=code)) == "mfa_required"
    assert code_of(post(client, VERIFY, request_id=request, code=code, mfa_code="000000")) == "mfa_invalid"
    assert post(client, VERIFY, request_id=request, code=code, mfa_code=code_of_app()).status_code == OK
    assert (
        code_of(post(client, VERIFY, request_id=request, code=code, mfa_code=code_of_app()))
        == "code_not_valid"
    )


@pytest.mark.parametrize("number", ["", "12345", "call me", None, 7, [], "9" * 40])
def test_a_wrong_number_is_said_beside_its_field(client, eskiz, number):
    answer = post(client, REQUEST, phone_number=number)

    assert (answer.status_code, code_of(answer)) == (BAD, "validation_error")
    assert "phone_number" in answer.json()["error"]["details"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"request_id": "x", "code": "1"},
        {"request_id": "0" * 32, "code": ""},
        {"request_id": 7, "code": []},
    ],
)
def test_a_wrong_body_is_said_beside_its_field(client, eskiz, body):
    assert code_of(post(client, VERIFY, **body)) == "validation_error"


def test_an_id_that_is_nobodys_is_like_a_wrong_code(client, eskiz):
    answer = post(client, VERIFY, request_id="0190b5a0-0000-7000-8000-000000000000", code="123456")

    assert (answer.status_code, code_of(answer)) == (REFUSED, "code_not_valid")


def test_too_many_say_when_to_try_again(client, eskiz, settings):
    settings.PHONE_CODE_PAUSE = timedelta(seconds=60)
    asked(client)

    answer = post(client, REQUEST, phone_number=NUMBER)

    assert (answer.status_code, code_of(answer)) == (TOO_MANY, "too_many_codes")
    assert int(answer["Retry-After"]) > 0


def test_failures_by_the_api_lock_the_address(client, eskiz, owner, settings):
    settings.AXES_ENABLED = True
    request = asked(client)
    for _ in range(5):
        post(client, VERIFY, request_id=request, code="000000")

    answer = post(client, VERIFY, request_id=asked(client), code="000000")

    assert (answer.status_code, code_of(answer)) == (TOO_MANY, "locked_out")


# --- Eskiz -------------------------------------------------------------------------------------------------------


def send():
    return Eskiz().send(
        number=NUMBER, text="WibeStore: 123456", callback="https://wibestore.uz/accounts/sms/x/"
    )


def test_a_message_goes_out_in_our_name_with_a_token_that_is_kept(eskiz):
    assert send() == send() == "waiting"

    assert eskiz.logins == 1
    assert eskiz.sent[0] == {
        "mobile_phone": "998901234567", "message": "WibeStore: 123456", "from": "WIBE",
        "callback_url": "https://wibestore.uz/accounts/sms/x/",
    }  # fmt: skip
    assert "eyJ-token" not in str(cache.get("eskiz:token"))


def test_a_token_that_ran_out_is_renewed_once(eskiz):
    send()
    eskiz.valid.clear()

    assert send() == "waiting"
    assert eskiz.logins == 2


@pytest.mark.parametrize("mode", ["down", "mute", "garbage", "refusing", "locked"])
def test_what_is_not_plainly_sent_is_not_sent(eskiz, mode):
    eskiz.mode = mode

    with pytest.raises(sms.NotSent) as error:
        send()

    assert sms_server.PASSWORD not in str(error.value)
    assert "123456" not in str(error.value)


def test_nobody_there_is_not_sent_either(eskiz, settings):
    settings.ESKIZ_BASE_URL = "http://127.0.0.1:9"

    with pytest.raises(sms.NotSent):
        send()


def test_a_silent_provider_is_not_waited_for_long(eskiz, monkeypatch):
    def silent(*_args, **_kwargs):
        raise http.NoAnswer("notify.eskiz.uz: timed out")

    monkeypatch.setattr(http, "send", silent)
    with pytest.raises(sms.NotSent):
        send()


def test_a_code_that_could_not_be_sent_is_tried_again_and_not_once_it_is_too_old(eskiz, owner):
    phones.ask_to_sign_in(number=NUMBER, address="")
    eskiz.mode = "down"
    run_jobs()
    job = Job.objects.get()
    assert (job.status, eskiz.sent) == ("pending", [])

    eskiz.mode = ""
    Job.objects.update(run_at=timezone.now())
    PhoneCode.objects.update(expires_at=timezone.now())
    run_jobs()

    assert eskiz.sent == []
    assert Job.objects.get().status == "done"


def test_neither_the_code_nor_the_password_is_in_any_log_line(client, eskiz, owner, caplog):
    caplog.set_level(logging.DEBUG)
    client.post(BEGIN, {"number": NUMBER})
    code = code_in(eskiz)
    client.post(CODE, {"code": wrong(code)})
    client.post(CODE, {"code": code})
    eskiz.mode = "down"
    client.post("/accounts/logout/")
    client.post(BEGIN, {"number": NUMBER})
    run_jobs()

    assert code not in caplog.text
    assert sms_server.PASSWORD not in caplog.text
    assert "eyJ-token" not in caplog.text


def test_what_became_of_a_message_is_noted(client, eskiz, owner):
    phones.ask_to_sign_in(number=NUMBER, address="")
    code_in(eskiz)
    told = urlsplit(eskiz.sent[-1]["callback_url"]).path

    assert client.post(told, {"status": "DELIVRD", "user_sms_id": "x"}).status_code == 204
    assert PhoneCode.objects.get().delivery == "DELIVRD"
    assert client.post("/accounts/sms/made-up/", {"status": "DELIVRD"}).status_code == GONE
    assert client.post(told, {"status": "x" * 500}).status_code == 204


def test_what_the_provider_tells_is_no_try_to_sign_in(client, eskiz, owner, settings):
    """It tells of many messages a minute, from one address."""
    settings.RATE_LIMITS = {"authentication": "1/minute"}
    phones.ask_to_sign_in(number=NUMBER, address="")
    code_in(eskiz)
    told = urlsplit(eskiz.sent[-1]["callback_url"]).path

    assert {client.post(told, {"status": "DELIVRD"}).status_code for _ in range(3)} == {204}


def test_a_message_is_in_the_language_of_its_reader(eskiz, owner):
    for language, word in (("uz", "kod"), ("ru", "код"), ("en", "code")):
        User.objects.filter(pk=owner.pk).update(language=language)
        phones.ask_to_sign_in(number=NUMBER, address="")
        code_in(eskiz)
        assert word in eskiz.sent[-1]["message"].lower()


def test_the_console_prints_it(capsys):
    Console().send(number=NUMBER, text="WibeStore: 123456", callback="")

    assert "123456" in capsys.readouterr().out
