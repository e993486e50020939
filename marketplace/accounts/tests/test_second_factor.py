"""The second factor: set up, asked for, lost, and who must have one."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import call_command
from django.urls import reverse

from marketplace.accounts import factors, second_factor
from marketplace.accounts.models import User
from marketplace.accounts.selectors import is_staff_with
from marketplace.accounts.tests.factories import (
    PASSWORD,
    SECRET,
    StaffFactory,
    UserFactory,
    code_of_app,
    recovery_codes,
    with_app,
)
from marketplace.core import encryption
from marketplace.core.testing import run_jobs

pytestmark = pytest.mark.django_db
LOGIN, STEP, INDEX = "/accounts/login/", "/accounts/2fa/authenticate/", "/accounts/2fa/"
SET_UP, AGAIN = "/accounts/2fa/totp/activate/", "/accounts/reauthenticate/"
NEW_CODES = "/accounts/2fa/recovery-codes/generate/"
LOCKED_OUT, REDIRECT, OK, FORBIDDEN = 429, 302, 200, 403


@pytest.fixture(autouse=True)
def _middle_of_a_half_minute(monkeypatch):
    """A code that a test has computed is not dead a moment later."""
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture
def user():
    return UserFactory(email="aziza@example.uz")


@pytest.fixture
def guarded(settings):
    settings.AXES_ENABLED = True


@pytest.fixture
def strict(settings):
    settings.STAFF_SECOND_FACTOR = True


def gives_password(client, user):
    return client.post(LOGIN, {"login": user.email, "password": PASSWORD})


def gives_code(client, code):
    return client.post(STEP, {"code": code})


def is_signed_in(client):
    return "_auth_user_id" in client.session


def says_again(client):
    return client.post(AGAIN, {"password": PASSWORD})


def wrong(code):
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def kinds(user):
    return [one.data["kind"] for one in user.notifications.order_by("pk")]


# --- Signing in ---------------------------------------------------------------------------------------


def test_the_password_alone_does_not_let_in_who_has_a_second_factor(client, user):
    with_app(user)

    answer = gives_password(client, user)

    assert answer.url == STEP
    assert not is_signed_in(client)


def test_the_apps_code_lets_in(client, user):
    with_app(user)
    gives_password(client, user)

    assert "Confirm it is you" in client.get(STEP).text
    assert gives_code(client, code_of_app()).status_code == REDIRECT
    assert is_signed_in(client)


def test_nobody_gives_a_code_before_the_password(client, user):
    with_app(user)

    assert gives_code(client, code_of_app()).url == LOGIN
    assert not is_signed_in(client)


@pytest.mark.parametrize("code", ["", " ", "abc", "１２３４５６", "0" * 500, "a\x00b"])
def test_what_is_no_code_lets_nobody_in(client, user, code):
    with_app(user)
    gives_password(client, user)

    assert gives_code(client, code).status_code == OK
    assert not is_signed_in(client)


def test_a_code_lets_in_once(client, user):
    with_app(user)
    code = code_of_app()
    gives_password(client, user)
    gives_code(client, code)
    client.post("/accounts/logout/")

    gives_password(client, user)
    again = gives_code(client, code)

    assert "wrong or too old" in again.text
    assert not is_signed_in(client)


@pytest.mark.parametrize("later", [-1, 1])
def test_a_code_of_another_half_minute_does_not_let_in(client, user, later):
    with_app(user)
    gives_password(client, user)

    gives_code(client, code_of_app(later=later))

    assert not is_signed_in(client)


def test_a_recovery_code_lets_in_once_and_its_owner_is_told(client, user, django_capture_on_commit_callbacks):
    with_app(user)
    code = recovery_codes(user)[3]
    gives_password(client, user)
    with django_capture_on_commit_callbacks(execute=True):
        gives_code(client, f"{code[:4]} {code[4:8]} {code[8:]}")
    assert is_signed_in(client)
    client.post("/accounts/logout/")

    gives_password(client, user)
    gives_code(client, code)

    assert not is_signed_in(client)
    assert kinds(user) == ["account_code_used"]
    assert "Codes left: 9" in user.notifications.get().message


def test_anothers_codes_do_not_let_in(client, user):
    with_app(user)
    other = with_app(UserFactory(), secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    gives_password(client, user)

    gives_code(client, code_of_app("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
    gives_code(client, recovery_codes(other)[0])

    assert not is_signed_in(client)


def test_wrong_codes_lock_the_account_like_wrong_passwords(client, user, guarded):
    with_app(user)
    gives_password(client, user)
    right = code_of_app()

    answers = [gives_code(client, wrong(right)).status_code for _try in range(5)]
    late = gives_code(client, right)

    assert answers == [OK] * 4 + [LOCKED_OUT]
    assert late.status_code == LOCKED_OUT
    assert not is_signed_in(client)


def test_guesses_from_many_addresses_end_too(client, user, settings):
    settings.ACCOUNT_RATE_LIMITS = {"second_factor": "20/h/key", "login_failed": False, "login": False}
    with_app(user)
    gives_password(client, user)
    right = code_of_app()
    for number in range(20):
        client.post(STEP, {"code": wrong(right)}, REMOTE_ADDR=f"203.0.113.{number}")

    late = client.post(STEP, {"code": right}, REMOTE_ADDR="198.51.100.7")

    assert "Too many failed tries" in late.text
    assert not is_signed_in(client)


def test_a_right_code_forgives_the_wrong_ones_before(client, user, settings):
    settings.ACCOUNT_RATE_LIMITS = {"second_factor": "3/h/key", "login_failed": False, "login": False}
    with_app(user)
    gives_password(client, user)
    for _try in range(2):
        gives_code(client, wrong(code_of_app()))
    gives_code(client, code_of_app())
    client.post("/accounts/logout/")

    gives_password(client, user)
    for _try in range(2):
        gives_code(client, "000000x")
    gives_code(client, recovery_codes(user)[0])

    assert is_signed_in(client)


# --- Setting it up ------------------------------------------------------------------------------------


def test_an_app_is_set_up_by_its_first_code(client, user, django_capture_on_commit_callbacks):
    client.force_login(user)
    says_again(client)
    page = client.get(SET_UP).text
    secret = re.search(r'id="secret">([A-Z2-7]{32})<', page)[1]

    with django_capture_on_commit_callbacks(execute=True):
        done = client.post(SET_UP, {"code": code_of_app(secret)})

    assert done.status_code == OK
    assert second_factor.is_required(user)
    assert "Recovery codes" in done.text
    assert kinds(user) == ["account_factor_added"]
    run_jobs()
    assert [letter.subject for letter in mail.outbox] == ["A second factor was set up"]


def test_a_wrong_code_sets_nothing_up_and_the_key_stays(client, user):
    client.force_login(user)
    says_again(client)
    secret = re.search(r'id="secret">([A-Z2-7]{32})<', client.get(SET_UP).text)[1]

    again = client.post(SET_UP, {"code": wrong(code_of_app(secret))}).text

    assert f'id="secret">{secret}<' in again
    assert not second_factor.is_required(user)


def test_the_code_to_scan_is_drawn_without_any_style(client, user):
    client.force_login(user)
    says_again(client)

    svg = re.search(r"<svg viewBox=\"0 0 \d+ \d+\" role=\"img\".*?</svg>", client.get(SET_UP).text)[0]

    assert "style" not in svg
    assert "QR code" in svg


def test_the_secrets_are_encrypted_at_rest(user):
    with_app(user)

    kept = {factor.type: factor.data for factor in Authenticator.objects.all()}

    assert encryption.decrypt(kept["totp"]["secret"]) == SECRET
    assert SECRET not in str(kept)


def test_the_secrets_move_to_a_new_key(user, settings):
    with_app(user)
    new = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    settings.FERNET_KEYS = [new, *settings.FERNET_KEYS]

    call_command("reencrypt", stdout=open("/dev/null", "w"))  # noqa: PTH123, SIM115

    settings.FERNET_KEYS = [new]
    assert factors.FACTOR.check(user, code_of_app())


@pytest.mark.parametrize(
    "path",
    [SET_UP, NEW_CODES, "/accounts/2fa/totp/deactivate/", "/accounts/2fa/webauthn/add/"],
)  # fmt: skip
def test_the_second_factor_is_changed_only_by_who_has_just_said_who_they_are(client, user, path):
    if path != SET_UP:
        with_app(user)
    client.force_login(user)

    before = client.get(path)
    says_again(client)
    after = client.get(path)

    assert before.status_code == REDIRECT
    assert before.url.startswith(AGAIN)
    assert after.status_code == OK


def test_taking_the_app_away_is_told_and_takes_the_codes_along(
    client, user, django_capture_on_commit_callbacks
):
    with_app(user)
    client.force_login(user)
    says_again(client)

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/deactivate/")

    assert not Authenticator.objects.filter(user=user).exists()
    assert kinds(user) == ["account_factor_removed"]


def test_new_recovery_codes_are_told_and_end_the_old_ones(client, user, django_capture_on_commit_callbacks):
    with_app(user)
    old = recovery_codes(user)
    client.force_login(user)
    says_again(client)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(NEW_CODES)

    assert not any(factors.FACTOR.check(user, code) for code in old)
    assert kinds(user) == ["account_codes_renewed"]


def test_who_has_a_second_factor_may_still_add_an_address(client, user):
    with_app(user)
    client.force_login(user)
    says_again(client)

    client.post("/accounts/email/", {"action_add": "", "email": "new@example.uz"})

    assert user.emailaddress_set.filter(email="new@example.uz").exists()


def test_the_page_shows_what_is_set_up(client, user):
    client.force_login(user)
    assert "Your account asks for a second factor" not in client.get(INDEX).text

    with_app(user)

    page = client.get(INDEX).text
    assert "Your account asks for a second factor" in page
    assert "10 codes left" in page


# --- Saying again who one is --------------------------------------------------------------------------


def test_a_code_says_it_as_well_as_the_password(client, user):
    with_app(user)
    client.force_login(user)

    client.post("/accounts/2fa/reauthenticate/", {"code": code_of_app()})

    assert client.get(NEW_CODES).status_code == OK


def test_wrong_codes_there_lock_as_well(client, user, guarded):
    with_app(user)
    client.force_login(user)
    answers = [
        client.post("/accounts/2fa/reauthenticate/", {"code": wrong(code_of_app())}).status_code
        for _try in range(5)
    ]

    assert answers == [OK] * 4 + [LOCKED_OUT]


def test_it_is_asked_again_after_a_while(client, user, monkeypatch):
    with_app(user)
    client.force_login(user)
    says_again(client)
    now = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: now)

    assert client.get(NEW_CODES).url.startswith(AGAIN)


def test_signing_in_is_not_saying_it_again(client, user):
    gives_password(client, user)

    assert client.get(SET_UP).url.startswith(AGAIN)


@pytest.mark.parametrize(
    "form",
    [
        {"action_add": "", "email": "thief@example.uz"},
        {"action_primary": "", "email": "second@example.uz"},
        {"action_remove": "", "email": "second@example.uz"},
    ],
)
def test_addresses_are_changed_only_by_who_has_just_said_who_they_are(client, user, form):
    user.emailaddress_set.create(email="second@example.uz", verified=True)
    client.force_login(user)
    was = set(user.emailaddress_set.values_list("email", "primary"))

    asked = client.post("/accounts/email/", form)

    assert asked.url.startswith(AGAIN)
    assert set(user.emailaddress_set.values_list("email", "primary")) == was


def test_what_was_asked_for_goes_on_once_it_is_said(client, user):
    client.force_login(user)

    asked = client.post("/accounts/email/", {"action_add": "", "email": "new@example.uz"})
    client.post(asked.url, {"password": PASSWORD, "next": "/accounts/email/"})

    assert user.emailaddress_set.filter(email="new@example.uz").exists()


# --- Staff --------------------------------------------------------------------------------------------

STAFF_PAGES = ["moderation:queue", "payments:desk", "payments:reconciliation"]


@pytest.mark.parametrize("name", STAFF_PAGES)
def test_staff_without_a_second_factor_are_led_to_set_one_up(client, strict, name):
    client.force_login(StaffFactory())

    assert client.get(reverse(name)).url == f"{INDEX}?for=staff"
    assert "Staff pages open once you have a second factor" in client.get(f"{INDEX}?for=staff").text


@pytest.mark.parametrize("name", STAFF_PAGES)
def test_staff_with_a_second_factor_work(client, strict, name):
    client.force_login(with_app(StaffFactory()))

    assert client.get(reverse(name)).status_code == OK


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/", "/admin/mfa/authenticator/"])
def test_the_admin_leads_them_there_too(client, strict, path):
    staff = StaffFactory()
    client.force_login(staff)

    led = client.get(path, follow=True)
    with_app(staff)

    assert led.redirect_chain[-1][0] == f"{INDEX}?for=staff"
    assert client.get(path).status_code == OK


def test_the_figures_are_closed_to_them_as_well(client, strict):
    staff = StaffFactory()
    client.force_login(staff)

    closed = client.get("/metrics/", headers={"x-forwarded-for": "203.0.113.9"})
    with_app(staff)

    assert closed.status_code != OK
    assert client.get("/metrics/", headers={"x-forwarded-for": "203.0.113.9"}).status_code == OK


def test_what_pages_show_to_staff_alone_is_not_shown_to_them(strict):
    staff, working = StaffFactory(), with_app(StaffFactory())

    assert not is_staff_with(staff, "ledger.view_audit")
    assert is_staff_with(working, "ledger.view_audit")


def test_the_api_says_what_is_missing(client, strict):
    staff = StaffFactory()
    client.force_login(staff)

    refused = client.get("/api/v1/notifications/")
    with_app(staff)

    assert refused.status_code == FORBIDDEN
    assert refused.json()["error"]["code"] == "second_factor_missing"
    assert client.get("/api/v1/notifications/").status_code == OK


def test_people_who_are_no_staff_owe_nothing(client, strict, user):
    client.force_login(user)

    assert client.get("/api/v1/notifications/").status_code == OK
    assert client.get(reverse("moderation:queue")).status_code == FORBIDDEN


def test_the_demo_may_do_without(client):
    client.force_login(StaffFactory())

    assert client.get(reverse("moderation:queue")).status_code == OK


def test_staff_helps_somebody_who_has_lost_theirs_and_they_are_told(
    client, user, django_capture_on_commit_callbacks
):
    with_app(user)
    client.force_login(StaffFactory())
    chosen = Authenticator.objects.get(user=user, type="totp")

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/admin/mfa/authenticator/", {"action": "take_away", "_selected_action": [chosen.pk]})

    assert not Authenticator.objects.filter(user=user).exists()
    assert kinds(user) == ["account_factor_removed"]


def test_the_admin_shows_no_secret(client, user):
    with_app(user)
    client.force_login(StaffFactory())
    factor = Authenticator.objects.get(user=user, type="totp")

    page = client.get(f"/admin/mfa/authenticator/{factor.pk}/change/").text

    assert factor.data["secret"] not in page
    assert user.email in page or user.display_name in page


# --- The API ------------------------------------------------------------------------------------------


def signs_in_by_the_api(client, user, **more):
    body = {"email": user.email, "password": PASSWORD, **more}
    return client.post("/api/v1/auth/login/", body, content_type="application/json")


def said(answer):
    return answer.status_code, answer.json().get("error", {}).get("code")


def test_the_api_asks_for_the_code_and_takes_it_once(client, user):
    with_app(user)
    code = code_of_app()

    answers = [signs_in_by_the_api(client, user, **more) for more in ({}, {"code": code}, {"code": code})]

    assert [said(answer) for answer in answers] == [(401, "mfa_required"), (OK, None), (401, "mfa_invalid")]


def test_the_api_takes_a_recovery_code_once_and_its_owner_is_told(
    client, user, django_capture_on_commit_callbacks
):
    with_app(user)
    code = recovery_codes(user)[0]

    with django_capture_on_commit_callbacks(execute=True):
        answers = [signs_in_by_the_api(client, user, code=code) for _try in range(2)]

    assert [said(answer) for answer in answers] == [(OK, None), (401, "mfa_invalid")]
    assert "account_code_used" in kinds(user)


def test_wrong_codes_at_the_api_lock_like_wrong_passwords(client, user, guarded):
    with_app(user)
    bad = wrong(code_of_app())

    answers = [said(signs_in_by_the_api(client, user, code=bad)) for _try in range(5)]
    late = signs_in_by_the_api(client, user, code=code_of_app())

    assert answers == [(401, "mfa_invalid")] * 4 + [(LOCKED_OUT, "locked_out")]
    assert said(late) == (LOCKED_OUT, "locked_out")


def test_the_api_bounds_guesses_from_many_addresses(client, user, settings):
    settings.ACCOUNT_RATE_LIMITS = {"second_factor": "3/h/key"}
    with_app(user)
    for _try in range(3):
        signs_in_by_the_api(client, user, code=wrong(code_of_app()))

    assert said(signs_in_by_the_api(client, user, code=code_of_app())) == (401, "mfa_invalid")


def test_the_first_superuser_comes_in_by_the_sites_door(client, strict, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", email="chief@example.uz", interactive=False, verbosity=0)
    chief = User.objects.get(email="chief@example.uz")
    gives_password(client, chief)
    run_jobs()
    link = re.search(r"/accounts/confirm-email/\S+", mail.outbox[0].body)[0]
    client.post(link)

    gives_password(client, chief)

    assert is_signed_in(client)
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == f"{INDEX}?for=staff"
