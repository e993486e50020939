"""A browser that is new to somebody: a code from the mail, and what it is good for."""

import re
import time
from datetime import timedelta
from importlib import import_module

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from marketplace.accounts import alarms, devices, new_browser, phones
from marketplace.accounts.errors import WrongMailedCode
from marketplace.accounts.models import KnownDevice, PhoneCode, SecurityEvent, SignInCode, User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory, code_of_app, with_app
from marketplace.core import encryption
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs

pytestmark = pytest.mark.django_db
LOGIN, CODE, AGAIN = "/accounts/login/", "/accounts/login/mail/code/", "/accounts/login/mail/code/again/"
API, API_CODE = "/api/v1/auth/login/", "/api/v1/auth/login/code/"
ME = "/api/v1/auth/me/"
OK, REDIRECT, BAD, REFUSED, WRONG, TOO_MANY = 200, 302, 400, 401, 422, 429
NEW = "Yangi-parol-55"


@pytest.fixture(autouse=True)
def _asked(settings):
    settings.NEW_BROWSER_CODE = True
    cache.clear()


@pytest.fixture
def user():
    return UserFactory(email="aziza@example.uz", language="en")


def gives_the_password(client, user, password=PASSWORD, **more):
    return client.post(LOGIN, {"login": user.email, "password": password, **more})


def mailed():
    """The code in the last letter."""
    from django.core import mail

    run_jobs()
    return re.search(r"^(\d{6})$", mail.outbox[-1].body, re.MULTILINE).group(1)


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def is_signed_in(client):
    return "_auth_user_id" in client.session


def comes_in(client, user):
    gives_the_password(client, user)
    client.post(CODE, {"code": mailed()})
    assert is_signed_in(client)
    return client


def by_program(client, path, **body):
    return client.post(path, body, content_type="application/json")


def error_of(answer):
    return answer.json()["error"]


# --- The page -----------------------------------------------------------------------------------------


def test_a_password_alone_opens_nothing_in_a_new_browser(client, user, mailoutbox):
    answer = gives_the_password(client, user)

    assert answer.url == CODE
    assert not is_signed_in(client)
    assert client.get("/me/").status_code == REDIRECT
    run_jobs()
    (letter,) = mailoutbox
    assert (letter.to, letter.subject) == ([user.email], "Your code to log in")
    assert "/accounts/password/reset/" in letter.body


def test_the_code_from_the_mail_lets_in_and_leads_where_they_were_going(client, user):
    gives_the_password(client, user, next="/me/listings/")
    page = client.get(CODE)
    assert user.email in page.text
    assert "no-store" in page["Cache-Control"]

    code = mailed()
    answer = client.post(CODE, {"code": f" {code[:3]} {code[3:]} "})

    assert answer.url == "/me/listings/"
    assert is_signed_in(client)


def test_a_browser_that_was_let_in_is_asked_once(client, user):
    comes_in(client, user)
    client.post("/accounts/logout/")

    gives_the_password(client, user)

    assert is_signed_in(client)
    assert SignInCode.objects.count() == 1


def test_what_a_browser_calls_itself_and_its_network_are_no_proof(client, user):
    """A thief names the same browser, from the same mobile network."""
    comes_in(client, user)

    thief = Client()
    thief.cookies["device"] = "A" * 43
    gives_the_password(thief, user)

    assert not is_signed_in(thief)


def test_a_browser_known_to_one_person_is_new_to_another(client, user):
    comes_in(client, user)
    client.post("/accounts/logout/")

    assert gives_the_password(client, UserFactory()).url == CODE
    assert not is_signed_in(client)


def test_a_browser_that_was_not_seen_for_half_a_year_is_asked_again(client, user):
    comes_in(client, user)
    client.post("/accounts/logout/")
    KnownDevice.objects.update(seen_at=timezone.now() - devices.TRUSTED_FOR)

    assert gives_the_password(client, user).url == CODE


@pytest.mark.parametrize("typed", ["", "12345", "call me", "½", "٢٠٤٨١٦"])
def test_a_wrong_code_is_said_beside_its_field_and_opens_nothing(client, user, typed):
    gives_the_password(client, user)

    answer = client.post(CODE, {"code": typed})

    assert answer.status_code == WRONG
    assert answer.context["form"].errors.keys() == {"code"}
    assert not is_signed_in(client)


def test_five_wrong_codes_use_it_up(client, user):
    gives_the_password(client, user)
    code = mailed()
    for _try in range(5):
        client.post(CODE, {"code": wrong(code)})

    answer = client.post(CODE, {"code": code})

    assert answer.status_code == WRONG
    assert not is_signed_in(client)


def test_wrong_codes_count_like_wrong_passwords(client, user, settings):
    settings.AXES_ENABLED = True
    gives_the_password(client, user)
    code = mailed()
    for _try in range(4):
        assert client.post(CODE, {"code": wrong(code)}).status_code == WRONG

    assert client.post(CODE, {"code": wrong(code)}).status_code == TOO_MANY
    assert client.post(CODE, {"code": code}).status_code == TOO_MANY
    assert gives_the_password(Client(REMOTE_ADDR="198.51.100.9"), user).status_code == TOO_MANY


def test_the_right_code_forgives_the_failures_before_it(client, user, settings):
    settings.AXES_ENABLED = True
    gives_the_password(client, user)
    client.post(CODE, {"code": wrong(mailed())})
    assert AccessAttempt.objects.exists()

    client.post(CODE, {"code": mailed()})

    assert is_signed_in(client)
    assert not AccessAttempt.objects.exists()


FEW = {"second_factor": "3/h/key", "login_failed": False, "login": False}


def test_guesses_from_many_addresses_and_with_many_codes_end_too(client, user, settings):
    settings.ACCOUNT_RATE_LIMITS = FEW
    for number in range(3):
        thief = Client(REMOTE_ADDR=f"203.0.113.{number}")
        gives_the_password(thief, user)
        thief.post(CODE, {"code": wrong(mailed())})
    gives_the_password(client, user)

    answer = client.post(CODE, {"code": mailed()})

    assert "Too many failed tries" in answer.text
    assert not is_signed_in(client)


def test_a_right_code_forgives_the_guesses_before_it(client, user, settings):
    settings.ACCOUNT_RATE_LIMITS = FEW
    gives_the_password(client, user)
    code = mailed()
    for _try in range(2):
        client.post(CODE, {"code": wrong(code)})
    client.post(CODE, {"code": code})

    elsewhere = Client()
    gives_the_password(elsewhere, user)
    code = mailed()
    elsewhere.post(CODE, {"code": wrong(code)})
    elsewhere.post(CODE, {"code": code})

    assert is_signed_in(elsewhere)


def test_an_old_code_is_none(client, user):
    gives_the_password(client, user)
    code = mailed()
    SignInCode.objects.update(expires_at=timezone.now())

    assert client.post(CODE, {"code": code}).status_code == WRONG
    assert not is_signed_in(client)


def test_a_code_is_good_once_also_at_the_same_moment(user):
    row = new_browser.send_code(user)
    code = encryption.decrypt(Job.objects.get().kwargs["secret"])

    assert new_browser.spend_code(code_id=row.pk, code=code) == user
    with pytest.raises(WrongMailedCode):
        new_browser.spend_code(code_id=row.pk, code=code)


@pytest.mark.django_db(transaction=True)
def test_of_many_with_one_code_one_gets_in():
    user = UserFactory()
    row = new_browser.send_code(user)
    code = encryption.decrypt(Job.objects.get().kwargs["secret"])

    def spends():
        try:
            return new_browser.spend_code(code_id=row.pk, code=code).pk
        except WrongMailedCode:
            return None
        finally:
            connection.close()

    assert sorted(in_parallel(*[spends] * 4), key=bool) == [None, None, None, user.pk]


def test_a_code_belongs_to_the_request_it_was_sent_for(client, user):
    """Who knows the password too cannot use up the owner's tries, nor use their code."""
    gives_the_password(client, user)
    code = mailed()
    thief = Client()
    gives_the_password(thief, user)
    for _try in range(5):
        thief.post(CODE, {"code": code})
    assert not is_signed_in(thief)

    client.post(CODE, {"code": code})

    assert is_signed_in(client)


def test_a_new_password_makes_codes_before_it_worthless(client, user):
    gives_the_password(client, user)
    code = mailed()
    User.objects.filter(pk=user.pk).update(password=make_password(NEW))

    assert client.post(CODE, {"code": code}).status_code == WRONG
    assert not is_signed_in(client)


def test_whoever_is_switched_off_in_between_stays_out(client, user):
    gives_the_password(client, user)
    code = mailed()
    User.objects.update(is_active=False)

    assert client.post(CODE, {"code": code}).url == LOGIN
    assert not is_signed_in(client)


def test_a_second_factor_set_up_in_between_is_asked_for_as_well(client, user):
    gives_the_password(client, user)
    code = mailed()
    with_app(user)

    assert client.post(CODE, {"code": code}).url == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)


@pytest.mark.parametrize("path", [CODE, AGAIN])
def test_without_a_password_before_it_there_is_no_such_page(client, path):
    assert client.post(path, {"code": "123456"}).url == LOGIN
    assert not SignInCode.objects.exists()


def test_another_code_is_sent_a_minute_later_and_the_one_before_is_none(client, user, mailoutbox):
    gives_the_password(client, user)
    first = mailed()

    answer = client.post(AGAIN)
    assert answer.status_code == TOO_MANY
    assert 0 < int(answer["Retry-After"]) <= 61
    assert SignInCode.objects.count() == 1

    SignInCode.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert client.post(AGAIN).url == CODE
    second = mailed()
    assert len(mailoutbox) == 2
    if first != second:
        assert client.post(CODE, {"code": first}).status_code == WRONG
    client.post(CODE, {"code": second})
    assert is_signed_in(client)


def test_few_codes_an_hour_go_to_one_person(client, user, settings):
    settings.RATE_LIMITS = {"mail_code": "2/hour"}
    for _time in range(2):
        assert gives_the_password(Client(), user).url == CODE

    answer = gives_the_password(client, user)

    assert answer.url == LOGIN
    assert "too often" in client.get(LOGIN).text
    assert SignInCode.objects.count() == 2
    assert client.get(CODE).url == LOGIN, "nothing half-done stays"


def test_what_is_kept_of_a_code_does_not_tell_it(client, user):
    gives_the_password(client, user)
    job = Job.objects.get()
    code = encryption.decrypt(job.kwargs["secret"])

    assert code not in str(job.kwargs)
    assert code not in str(SignInCode.objects.values().get())
    assert code not in str(dict(client.session))
    run_jobs()
    job.refresh_from_db()
    assert job.kwargs == {}


def test_a_letter_that_is_late_is_not_sent(client, user, mailoutbox):
    gives_the_password(client, user)
    SignInCode.objects.update(expires_at=timezone.now())

    run_jobs()

    assert mailoutbox == []


def test_the_owner_sees_that_somebody_was_asked(client, user):
    gives_the_password(client, user)

    assert list(SecurityEvent.objects.values_list("kind", "user")) == [("code_mailed", user.pk)]


def test_the_page_can_be_used_up_by_somebody_else_who_signs_in(client, user):
    gives_the_password(client, user)

    client.post("/accounts/logout/", {"next": LOGIN})

    assert client.get(CODE).url == LOGIN


# --- Who is not asked ---------------------------------------------------------------------------------


def test_whoever_has_a_second_factor_shows_that_instead(client, user):
    with_app(user)

    assert gives_the_password(client, user).url == "/accounts/2fa/authenticate/"
    assert not SignInCode.objects.exists()


def test_staff_without_a_factor_are_asked_like_everybody(client):
    assert gives_the_password(client, StaffFactory()).url == CODE


def test_the_browser_in_which_the_address_was_just_confirmed_is_not_asked(client, mailoutbox):
    client.post(
        "/accounts/signup/",
        {
            "full_name": "Aziza",
            "email": "new@example.uz",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "terms": "on",
        },
    )
    run_jobs()
    link = re.search(r"(/accounts/confirm-email/\S+)", mailoutbox[-1].body).group(1)
    client.post(link)
    somebody = User.objects.get(email="new@example.uz")

    assert gives_the_password(Client(), somebody).url == CODE
    gives_the_password(client, somebody)

    assert is_signed_in(client)


def test_the_browser_in_which_a_link_has_set_a_password_is_not_asked_for_a_while(
    client, user, mailoutbox, monkeypatch
):
    client.post("/accounts/password/reset/", {"email": user.email})
    run_jobs()
    link = re.search(r"(/accounts/password/reset/key/\S+)", mailoutbox[-1].body).group(1)
    form = client.get(link).url
    client.post(form, {"password1": NEW, "password2": NEW})
    asking, later = _Asking(client.session), time.time() + 601
    assert not new_browser.has_shown_mailbox(asking, UserFactory())
    with monkeypatch.context() as clock:
        clock.setattr(new_browser.time, "time", lambda: later)
        assert not new_browser.has_shown_mailbox(asking, user)

    gives_the_password(client, user, NEW)

    assert is_signed_in(client)


class _Asking:
    def __init__(self, session):
        self.session = session


def test_an_unconfirmed_address_is_asked_to_be_confirmed_first(client, user):
    user.emailaddress_set.update(verified=False)

    assert gives_the_password(client, user).url == "/accounts/confirm-email/"
    assert not SignInCode.objects.exists()


def test_where_it_is_switched_off_a_password_is_enough(client, user, settings):
    settings.NEW_BROWSER_CODE = False

    gives_the_password(client, user)

    assert is_signed_in(client)


# --- Trust ends ---------------------------------------------------------------------------------------


def test_a_new_password_has_the_other_browsers_asked_again(client, user):
    elsewhere = comes_in(Client(), user)
    comes_in(client, user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    user.refresh_from_db()
    assert user.check_password(NEW)
    client.post("/accounts/logout/")

    assert gives_the_password(elsewhere, user, NEW).url == CODE
    gives_the_password(client, user, NEW)
    assert is_signed_in(client)


def test_ending_all_other_sign_ins_has_the_other_browsers_asked_again(client, user):
    elsewhere = comes_in(Client(), user)
    comes_in(client, user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/me/sessions/end-others/")
    client.post("/accounts/logout/")

    assert gives_the_password(elsewhere, user).url == CODE
    gives_the_password(client, user)
    assert is_signed_in(client)


def test_saying_this_was_not_me_has_every_browser_asked_again(client, user):
    comes_in(client, user)
    device = KnownDevice.objects.get()

    alarms.raise_alarm(token=alarms.token_of(KnownDevice.objects.create(user=user, trait_hash="t").pk))

    device.refresh_from_db()
    assert device.trusted_at is None


def test_the_browsers_that_were_known_before_are_not_asked(user):
    """What the migration does."""
    known = KnownDevice.objects.create(user=user, cookie_hash="a" * 64, trait_hash="t")
    program = KnownDevice.objects.create(user=user, trait_hash="u")

    import_module("marketplace.accounts.migrations.0009_new_browsers").trust_those_that_were_known(apps, None)

    known.refresh_from_db()
    program.refresh_from_db()
    assert (known.trusted_at, program.trusted_at) == (known.seen_at, None)


def test_codes_are_forgotten_a_day_after_they_ran_out(user):
    row = new_browser.send_code(user)
    SignInCode.objects.update(expires_at=timezone.now() - timedelta(days=1, minutes=1))
    kept = new_browser.send_code(user)

    assert new_browser.forget_old(at=timezone.now()) == 1

    assert list(SignInCode.objects.all()) == [kept] != [row]


# --- By phone -----------------------------------------------------------------------------------------


def test_a_code_by_sms_is_not_enough_in_a_new_browser(client, user, settings):
    """Operators give numbers out again, and who has the SIM for a day has the number."""
    settings.SMS_PROVIDER = "console"
    User.objects.update(phone_number="+998901234567", phone_confirmed_at=timezone.now())
    client.post("/accounts/login/phone/", {"number": "90 123 45 67"})
    sms = encryption.decrypt(Job.objects.get(task="tasks.accounts.send_phone_code").kwargs["secret"])

    assert client.post("/accounts/login/phone/code/", {"code": sms}).url == CODE
    assert not is_signed_in(client)
    client.post(CODE, {"code": mailed()})
    assert is_signed_in(client)


def test_a_program_that_came_by_sms_is_asked_too(client, user, settings):
    settings.SMS_PROVIDER = "console"
    User.objects.update(phone_number="+998901234567", phone_confirmed_at=timezone.now())
    asked = phones.ask_to_sign_in(number="+998901234567", address="")
    sms = encryption.decrypt(Job.objects.get().kwargs["secret"])

    answer = by_program(client, "/api/v1/auth/otp/verify/", request_id=str(asked.request_id), code=sms)

    assert error_of(answer)["code"] == "mail_code_required"
    assert PhoneCode.objects.get().used_at, "the code by SMS is used up"
    done = by_program(client, API_CODE, request_id=error_of(answer)["details"]["request_id"], code=mailed())
    assert done.status_code == OK


# --- Programs -----------------------------------------------------------------------------------------


def test_a_program_is_asked_for_the_code_and_then_known_by_its_token(client, user):
    first = by_program(client, API, email=user.email, password=PASSWORD)
    assert first.status_code == REFUSED
    assert error_of(first)["code"] == "mail_code_required"
    assert error_of(first)["details"]["expires_in"] == 600

    done = by_program(client, API_CODE, request_id=error_of(first)["details"]["request_id"], code=mailed())

    assert done.status_code == OK
    assert set(done.json()) == {"access", "refresh", "user", "device"}
    me = client.get(ME, headers={"Authorization": f"Bearer {done.json()['access']}"})
    assert me.json()["email"] == user.email
    assert "device" not in client.cookies, "programs keep no cookies"

    again = by_program(client, API, email=user.email, password=PASSWORD, device=done.json()["device"])
    assert again.status_code == OK
    assert set(again.json()) == {"access", "refresh", "user"}
    assert KnownDevice.objects.count() == 1


@pytest.mark.parametrize("device", ["", "A" * 43, "x", "ʻ" * 43])
def test_a_token_that_is_made_up_is_none(client, user, device):
    answer = by_program(client, API, email=user.email, password=PASSWORD, device=device)

    assert error_of(answer)["code"] == "mail_code_required"
    assert not KnownDevice.objects.exists()


def test_a_programs_token_opens_nothing_for_another_person(client, user):
    sent = error_of(by_program(client, API, email=user.email, password=PASSWORD))["details"]["request_id"]
    device = by_program(client, API_CODE, request_id=sent, code=mailed()).json()["device"]

    answer = by_program(client, API, email=UserFactory().email, password=PASSWORD, device=device)

    assert error_of(answer)["code"] == "mail_code_required"


def test_wrong_codes_of_a_program_are_refused_count_and_lock(client, user, settings):
    settings.AXES_ENABLED = True
    sent = error_of(by_program(client, API, email=user.email, password=PASSWORD))["details"]["request_id"]
    code = mailed()
    for _try in range(4):
        answer = by_program(client, API_CODE, request_id=sent, code=wrong(code))
        assert (answer.status_code, error_of(answer)["code"]) == (REFUSED, "code_not_valid")

    assert error_of(by_program(client, API_CODE, request_id=sent, code=wrong(code)))["code"] == "locked_out"
    assert by_program(client, API_CODE, request_id=sent, code=code).status_code == TOO_MANY


def test_guesses_of_programs_from_many_addresses_end_too(client, user, settings):
    settings.ACCOUNT_RATE_LIMITS = FEW
    for number in range(3):
        sent = error_of(by_program(client, API, email=user.email, password=PASSWORD))["details"]["request_id"]
        by_program(Client(REMOTE_ADDR=f"203.0.113.{number}"), API_CODE, request_id=sent, code=wrong(mailed()))

    answer = by_program(client, API_CODE, request_id=sent, code=mailed())

    assert (answer.status_code, error_of(answer)["code"]) == (REFUSED, "code_not_valid")


def test_a_program_chooses_no_token_of_its_own(client, user):
    """Not even one that has shown a second factor: a guessable one would be a key without a lock, once the factor is gone."""
    with_app(user)

    answer = by_program(client, API, email=user.email, password=PASSWORD, code=code_of_app(), device="A" * 43)

    assert answer.status_code == OK
    assert not devices.is_trusted(user, "A" * 43)


@pytest.mark.parametrize(
    "body",
    [{}, {"request_id": "x", "code": "1"}, {"request_id": None, "code": "123456"}, {"code": "123456"}],
)
def test_a_body_that_is_none_is_refused_with_its_fields(client, body):
    answer = by_program(client, API_CODE, **body)

    assert answer.status_code == BAD
    assert error_of(answer)["code"] == "validation_error"


def test_a_request_that_nobody_made_is_refused_like_a_wrong_code(client):
    answer = by_program(client, API_CODE, request_id="0197f7c0-0000-7000-8000-000000000000", code="123456")

    assert (answer.status_code, error_of(answer)["code"]) == (REFUSED, "code_not_valid")


def test_a_program_whose_person_has_set_up_a_factor_meanwhile_begins_again(client, user):
    sent = error_of(by_program(client, API, email=user.email, password=PASSWORD))["details"]["request_id"]
    code = mailed()
    with_app(user)

    answer = by_program(client, API_CODE, request_id=sent, code=code)

    assert error_of(answer)["code"] == "mfa_required"
    done = by_program(client, API, email=user.email, password=PASSWORD, code=code_of_app())
    assert done.status_code == OK


def test_few_codes_an_hour_go_to_one_person_by_programs_too(client, user, settings):
    settings.RATE_LIMITS = {"mail_code": "1/hour"}
    by_program(client, API, email=user.email, password=PASSWORD)

    answer = by_program(client, API, email=user.email, password=PASSWORD)

    assert (answer.status_code, error_of(answer)["code"]) == (TOO_MANY, "too_many_codes")
    assert int(answer["Retry-After"]) > 0


def test_an_unconfirmed_person_gets_tokens_as_before(client, user):
    """They may read themselves and sign out; there is nothing to guard yet."""
    user.emailaddress_set.update(verified=False)
    User.objects.update(is_verified=False)

    assert by_program(client, API, email=user.email, password=PASSWORD).status_code == OK
