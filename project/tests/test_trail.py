"""The audit trail: every kind of event as it comes about, at its own door, and the laws of its table."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from axes.models import AccessAttempt
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client, TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import alarms, tokens, trail
from marketplace.accounts.models import DataExport, KnownDevice, PayoutLock, SecurityEvent, SignIn, User
from marketplace.accounts.tests.factories import (
    PASSWORD,
    StaffFactory,
    UserFactory,
    code_of_app,
    recovery_codes,
    with_app,
    with_passkey,
)
from marketplace.core import encryption
from marketplace.core.live.door import Door
from marketplace.core.models import Job
from marketplace.core.testing import call, played, run_jobs, session_of
from marketplace.core.visitors import caller
from marketplace.escrow.tests import factories as trades
from marketplace.ledger.tests.factories import fund
from marketplace.messaging import services as messaging
from marketplace.messaging.attachments import prepare
from marketplace.messaging.tests.factories import picture
from marketplace.payments import services as payments
from tasks.accounts import forget_old_security_events

pytestmark = pytest.mark.django_db
Kind = SecurityEvent.Kind
CHROME = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
HOME = "91.203.174.12"
NEW = "Yangi-parol-55"
# What is done by the clock, from nowhere.
BY_ITSELF = {Kind.DELETED}


def browser(user=None, *, by="password"):
    """Somebody's browser; one that has signed in by its own door, or (`by=None`) has its session already."""
    client = Client(headers={"User-Agent": CHROME}, REMOTE_ADDR=HOME)
    if user is not None and by:
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    elif user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def sure(user):
    """A browser whose person has just said again who they are."""
    client = browser(user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def sure_by_app(user):
    """The same of somebody with a second factor."""
    with_app(user)
    client = browser(user)
    client.post("/accounts/2fa/authenticate/", {"code": code_of_app()})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def staff(*rights, **fields):
    person = UserFactory(is_staff=True, **fields)
    for right in rights:
        app, codename = right.split(".")
        person.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label=app))
    return person


def events(kind=None, **found):
    rows = SecurityEvent.objects.filter(**found).order_by("id")
    return list(rows.filter(kind=kind) if kind else rows)


def api(path, body, client=None):
    return (client or browser()).post(f"/api/v1/auth/{path}/", body, content_type="application/json")


def set_app_up(client):
    """Through the page, as people do it."""
    page = client.get("/accounts/2fa/totp/activate/")
    with TestCase.captureOnCommitCallbacks(execute=True):
        return client.post("/accounts/2fa/totp/activate/", {"code": code_of_app(page.context["form"].secret)})


# --- Each kind, by what people really do ------------------------------------------------------------
#
# A story does it and gives whose event it is and who did it (None: nobody was signed in).


def signs_up(user):
    form = {
        "full_name": "Aziza", "email": "yangi@example.uz", "password1": PASSWORD, "password2": PASSWORD, "terms": "on",
    }  # fmt: skip
    browser().post("/accounts/signup/", form)
    return User.objects.get(email="yangi@example.uz"), None


def signs_in(user):
    browser(user)
    return user, user


def signs_in_with_an_app(user):
    api("login", {"email": user.email, "password": PASSWORD})
    return user, user


def gives_a_wrong_password(user):
    browser().post("/accounts/login/", {"login": user.email, "password": "not mine 1"})
    return user, None


def signs_in_with_a_new_browser(user):
    with override_settings(NEW_BROWSER_CODE=True):
        browser(user)
    return user, None


def is_locked_out(user):
    for _try in range(5):
        browser().post("/accounts/login/", {"login": user.email, "password": "not mine 1"})
    return user, None


def signs_out(user):
    browser(user).post("/accounts/logout/")
    return user, user


def ends_the_others(user):
    browser(user)
    sure(user).post("/me/sessions/end-others/")
    return user, user


def says_again_who_they_are(user):
    sure(user)
    return user, user


def cannot_say_again_who_they_are(user):
    browser(user).post("/accounts/reauthenticate/", {"password": "not mine 1"})
    return user, user


def changes_the_password(user):
    sure(user).post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )
    return user, user


def asks_for_a_link(user):
    browser().post("/accounts/password/reset/", {"email": user.email})
    return user, None


def sets_a_password_by_the_link(user):
    client = browser()
    client.post("/accounts/password/reset/", {"email": user.email})
    run_jobs()
    link = re.search(r"^https?://[^/\s]+(/accounts/\S+)$", mail.outbox[-1].body, re.MULTILINE)[1]
    client.post(client.get(link).url, {"password1": NEW, "password2": NEW})
    return user, None


def is_given_a_password_in_the_admin(user):
    boss = StaffFactory()
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    browser(boss, by=None).post(f"/admin/accounts/user/{user.pk}/password/", form)
    return user, boss


def adds_an_address(user):
    sure(user).post("/accounts/email/", {"action_add": "", "email": "ikkinchi@example.uz"})
    return user, user


def confirms_an_address(user):
    address = EmailAddress.objects.create(user=user, email="ikkinchi@example.uz")
    browser().post(f"/accounts/confirm-email/{EmailConfirmationHMAC(address).key}/")
    return user, None


def changes_the_address(user):
    other = EmailAddress.objects.create(user=user, email="ikkinchi@example.uz", verified=True)
    sure(user).post("/accounts/email/", {"action_primary": "", "email": other.email})
    return user, user


def removes_an_address(user):
    other = EmailAddress.objects.create(user=user, email="ikkinchi@example.uz", verified=True)
    sure(user).post("/accounts/email/", {"action_remove": "", "email": other.email})
    return user, user


def sets_an_app_up(user):
    assert "Recovery codes" in set_app_up(sure(user)).text
    return user, user


def takes_the_app_away(user):
    sure_by_app(user).post("/accounts/2fa/totp/deactivate/")
    return user, user


def signs_in_with_a_code(user):
    with_app(user)
    browser(user).post("/accounts/2fa/authenticate/", {"code": code_of_app()})
    return user, None  # not signed in yet


def makes_new_recovery_codes(user):
    sure_by_app(user).post("/accounts/2fa/recovery-codes/generate/")
    return user, user


def signs_in_with_a_recovery_code(user):
    with_app(user)
    browser(user).post("/accounts/2fa/authenticate/", {"code": recovery_codes(user)[0]})
    return user, None


def says_it_was_not_them(user):
    device = KnownDevice.objects.create(user=user, trait_hash="x", name="Firefox, Linux")
    browser().post(reverse("accounts:not_me", args=[alarms.token_of(device.pk)]))
    return user, None


def gets_payouts_again(user):
    lock, boss = PayoutLock.objects.create(user=user), StaffFactory()
    form = {"action": "lift", "_selected_action": [str(lock.pk)]}
    browser(boss, by=None).post("/admin/accounts/payoutlock/", form)
    return user, boss


def shows_a_spent_token(user):
    pair = tokens.issue(user=user)
    tokens.renew(refresh=pair.refresh)
    assert api("refresh", {"refresh": pair.refresh}).status_code == 401
    return user, None


def hands_over(_user):
    trade = trades.paid()
    client = browser(trade.seller, by=None)
    form = {"login": "player@game.example", "login_password": "Game-secret-9", "password": PASSWORD}
    page = client.get(reverse("escrow:trade", args=[trade.pk]))
    form = {name: form.get(name, "") for name in page.context["hand_over_form"].fields} | form
    client.post(reverse("escrow:hand_over", args=[trade.pk]), form)
    return trade.seller, trade.seller


def looks_into_the_box(_user):
    trade = trades.handed_over()
    browser(trade.buyer, by=None).post(reverse("escrow:reveal", args=[trade.pk]), {"password": PASSWORD})
    return trade.seller, trade.buyer


def has_a_conversation_read(_user):
    trade = trades.disputed()
    talk = messaging.open_about(listing=trade.listing, buyer=trade.buyer)
    moderator = staff("escrow.refund_trade")
    assert browser(moderator, by=None).get(reverse("messaging:thread", args=[talk.pk])).status_code == 200
    return trade.seller, moderator


def has_a_reported_message_read(_user):
    trade = trades.handed_over()
    talk = messaging.open_about(listing=trade.listing, buyer=trade.buyer)
    message = messaging.send(conversation_id=talk.pk, sender=trade.buyer, text="Salom")
    report = messaging.report(
        conversation_id=talk.pk, message_id=message.pk, reporter=trade.seller, reason="fraud"
    )
    moderator = staff("messaging.read_reported")
    browser(moderator, by=None).get(f"{reverse('moderation:reports')}?report={report.pk}")
    return trade.buyer, moderator


def has_a_trade_looked_at(_user):
    trade, moderator = trades.disputed(), staff("escrow.refund_trade")
    browser(moderator, by=None).get(reverse("moderation:trade", args=[trade.pk]))
    return trade.buyer, moderator


def has_a_card_number_shown(user):
    fund(user, 1_000_000_00)
    payout = payments.withdraw(
        user=user, amount=400_000_00, card_number="8600 0000 0000 0007", idempotency_key="p"
    )
    clerk = staff("payments.settle_withdrawal")
    browser(clerk, by=None).post(reverse("payments:desk-number", args=[payout.pk]))
    return user, clerk


def is_changed_in_the_admin(user):
    boss = StaffFactory()
    client = browser(boss, by=None)
    page = client.get(f"/admin/accounts/user/{user.pk}/change/")
    form = {
        name: value for name, value in page.context["adminform"].form.initial.items() if value is not None
    }
    form.pop("password")
    client.post(f"/admin/accounts/user/{user.pk}/change/", {**form, "avatar": "", "is_staff": "on"})
    assert User.objects.get(pk=user.pk).is_staff
    return user, boss


def asks_for_a_copy(user):
    sure(user).post("/me/privacy/export/")
    return user, user


def fetches_the_copy(user):
    client = sure(user)
    client.post("/me/privacy/export/")
    run_jobs()
    answer = client.get(f"/me/privacy/export/{DataExport.objects.get(user=user).pk}/")
    assert b"".join(answer.streaming_content)[:2] == b"PK"
    return user, user


def asks_to_be_deleted(user):
    browser(user).post("/me/privacy/delete/", {"password": PASSWORD, "is_sure": "on"})
    return user, user


def keeps_the_account(user):
    asks_to_be_deleted(user)
    browser(user).post("/me/privacy/keep/")
    return user, user


def takes_google_away(user):
    account = SocialAccount.objects.create(user=user, provider="google", uid="1179")
    sure(user).post(f"/me/ways-in/{account.pk}/disconnect/")
    assert not SocialAccount.objects.exists()
    return user, user


def confirms_a_phone(user):
    client = sure(user)
    with override_settings(SMS_PROVIDER="console"):
        client.post("/me/phone/", {"number": "90 123 45 67"})
        sent = Job.objects.get(task="tasks.accounts.send_phone_code").kwargs["secret"]
        client.post("/me/phone/code/", {"code": encryption.decrypt(sent)})
    assert User.objects.get(pk=user.pk).phone_confirmed_at
    return user, user


STORIES = {
    Kind.WAY_ADDED: confirms_a_phone,
    Kind.WAY_REMOVED: takes_google_away,
    Kind.EXPORT_ASKED: asks_for_a_copy,
    Kind.DATA_EXPORTED: fetches_the_copy,
    Kind.DELETION_ASKED: asks_to_be_deleted,
    Kind.DELETION_TAKEN_BACK: keeps_the_account,
    Kind.SIGNED_UP: signs_up,
    Kind.SIGNED_IN: signs_in,
    Kind.API_SIGN_IN: signs_in_with_an_app,
    Kind.SIGN_IN_FAILED: gives_a_wrong_password,
    Kind.LOCKED: is_locked_out,
    Kind.CODE_MAILED: signs_in_with_a_new_browser,
    Kind.SIGNED_OUT: signs_out,
    Kind.SESSION_ENDED: ends_the_others,
    Kind.STEP_UP_CONFIRMED: says_again_who_they_are,
    Kind.STEP_UP_FAILED: cannot_say_again_who_they_are,
    Kind.PASSWORD_CHANGED: changes_the_password,
    Kind.RESET_ASKED: asks_for_a_link,
    Kind.PASSWORD_RESET: sets_a_password_by_the_link,
    Kind.PASSWORD_SET_BY_STAFF: is_given_a_password_in_the_admin,
    Kind.EMAIL_ADDED: adds_an_address,
    Kind.EMAIL_CONFIRMED: confirms_an_address,
    Kind.EMAIL_CHANGED: changes_the_address,
    Kind.EMAIL_REMOVED: removes_an_address,
    Kind.FACTOR_ADDED: sets_an_app_up,
    Kind.FACTOR_REMOVED: takes_the_app_away,
    Kind.FACTOR_USED: signs_in_with_a_code,
    Kind.RECOVERY_GENERATED: makes_new_recovery_codes,
    Kind.RECOVERY_USED: signs_in_with_a_recovery_code,
    Kind.NOT_ME: says_it_was_not_them,
    Kind.PAYOUTS_LOCKED: says_it_was_not_them,
    Kind.PAYOUTS_UNLOCKED: gets_payouts_again,
    Kind.TOKEN_REUSED: shows_a_spent_token,
    Kind.CREDENTIALS_HANDED_OVER: hands_over,
    Kind.CREDENTIALS_REVEALED: looks_into_the_box,
    Kind.CONVERSATION_OPENED: has_a_conversation_read,
    Kind.REPORT_OPENED: has_a_reported_message_read,
    Kind.TRADE_OPENED: has_a_trade_looked_at,
    Kind.CARD_NUMBER_SHOWN: has_a_card_number_shown,
    Kind.CHANGED_BY_STAFF: is_changed_in_the_admin,
}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in BY_ITSELF])
def test_it_is_told_of_whom_by_whom_and_from_where(kind, settings):
    settings.AXES_ENABLED = kind == Kind.LOCKED
    user = UserFactory(email="aziza@example.uz")

    whose, by = STORIES[kind](user)

    told = [one for one in events(kind, user=whose) if one.address]
    assert len(told) == 1
    assert (told[0].actor_id, told[0].address, told[0].device) == (
        by.pk if by else None,
        HOME,
        "Chrome, Android",
    )
    assert abs(timezone.now() - told[0].at) < timedelta(minutes=1)


@pytest.mark.parametrize("kind", [Kind.CONVERSATION_OPENED, Kind.REPORT_OPENED, Kind.TRADE_OPENED])
def test_a_look_at_what_belongs_to_two_is_told_of_both(kind):
    STORIES[kind](None)

    told = events(kind)
    assert len({one.user_id for one in told}) == len(told) == 2
    assert len({(one.object_type, one.object_id) for one in told}) == 1


def test_a_moderator_who_opens_a_file_or_older_messages_is_told_of_too():
    trade, moderator = trades.disputed(), staff("escrow.refund_trade")
    talk = messaging.open_about(listing=trade.listing, buyer=trade.buyer)
    said = messaging.send(conversation_id=talk.pk, sender=trade.buyer, text="", attachment=prepare(picture()))
    client = browser(moderator, by=None)
    pages = [
        reverse("messaging:attachment", args=[talk.pk, said.pk]),
        f"{reverse('messaging:messages', args=[talk.pk])}?since={said.pk}",
    ]

    counts = []
    for page in pages:
        assert client.get(page).status_code == 200
        counts.append(len(events(Kind.CONVERSATION_OPENED)))

    assert counts == [2, 4]


def test_the_two_of_a_conversation_are_not_told_of():
    trade = trades.handed_over()
    talk = messaging.open_about(listing=trade.listing, buyer=trade.buyer)

    browser(trade.buyer, by=None).get(reverse("messaging:thread", args=[talk.pk]))

    assert not events(Kind.CONVERSATION_OPENED)


# --- What is kept of it -----------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["Qorbars7741", "hech-kim@example.uz", "x" * 200])
def test_of_a_name_that_is_nobodys_the_words_are_not_kept(typed, settings):
    settings.AXES_ENABLED = True
    api("login", {"email": typed, "password": "not mine 1"})

    told = events(Kind.SIGN_IN_FAILED)[0]
    assert told.user_id is None
    assert told.context == {"what": "password", "tried": trail.digest(typed)}
    assert typed not in str(list(SecurityEvent.objects.values()))


def test_what_is_no_address_is_kept_by_the_lock_neither(settings):
    """People type their password where the address belongs."""
    settings.AXES_ENABLED = True
    for _try in range(2):
        api("login", {"email": "Qorbars7741", "password": "not mine 1"})

    found = AccessAttempt.objects.get()
    assert found.failures_since_start == 2
    assert "qorbars" not in str(vars(found)).lower()


def test_a_reset_for_a_strangers_address_is_told_without_it():
    browser().post("/accounts/password/reset/", {"email": "hech-kim@example.uz"})

    told = events(Kind.RESET_ASKED)[0]
    assert (told.user_id, told.context) == (None, {"tried": trail.digest("hech-kim@example.uz")})


def test_an_address_stands_as_a_digest_that_support_can_compare():
    user = UserFactory(email="aziza@example.uz")
    changes_the_address(user)

    assert events(Kind.EMAIL_CHANGED)[0].context == {
        "was": trail.digest(" Aziza@example.uz"),
        "to": trail.digest("ikkinchi@example.uz"),
    }


def test_a_lock_is_told_once_and_what_meets_it_as_one_failure_each(settings):
    settings.AXES_ENABLED = True
    user = UserFactory()
    is_locked_out(user)
    told = [one.kind for one in events()]

    browser(user)
    api("login", {"email": user.email, "password": "not mine 1"})

    assert sorted(told) == [Kind.LOCKED, *[Kind.SIGN_IN_FAILED] * 5]
    assert [(one.kind, one.user_id) for one in events()[6:]] == [(Kind.SIGN_IN_FAILED, user.pk)] * 2


def test_a_lock_of_an_address_that_tries_names_of_nobody_is_told_once(settings):
    settings.AXES_ENABLED = True
    for number in range(7):
        browser().post("/accounts/login/", {"login": f"nobody{number}@example.uz", "password": "not mine 1"})

    told = [one.kind for one in events()]

    assert sorted(told) == [Kind.LOCKED, *[Kind.SIGN_IN_FAILED] * 7]


def test_a_lock_that_goes_on_is_told_again_after_its_time(settings, monkeypatch):
    settings.AXES_ENABLED = True
    user = UserFactory()
    is_locked_out(user)
    later = timezone.now() + settings.AXES_COOLOFF_TIME - timedelta(minutes=1)
    for minutes in (0, 2):
        monkeypatch.setattr(timezone, "now", lambda at=later + timedelta(minutes=minutes): at)
        browser().post("/accounts/login/", {"login": user.email, "password": "not mine 1"})

    assert len(events(Kind.LOCKED, user=user)) == 2


def test_no_event_holds_what_opens_an_account(settings):
    secrets = {PASSWORD, NEW, "not mine 1", "Game-secret-9", "8600000000000007"}
    for number, story in enumerate(dict.fromkeys(STORIES.values())):
        settings.AXES_ENABLED = story is is_locked_out
        story(UserFactory(email=f"person{number}@example.com"))
        EmailAddress.objects.filter(email="ikkinchi@example.uz").delete()

    kept = str(list(SecurityEvent.objects.values()))
    assert len(events()) > len(STORIES)
    assert not [secret for secret in secrets if secret in kept]
    assert "/" not in str([one.context for one in events()]), "no paths either: they may hold a token"


@pytest.mark.parametrize("trusted", [True, False])
def test_the_address_is_the_real_one_behind_our_proxy_only(trusted, settings):
    settings.REAL_IP_HEADER = "X-Real-IP"
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"] if trusted else ["192.0.2.0/24"]
    user = UserFactory()

    Client(REMOTE_ADDR="10.1.1.1", headers={"X-Real-IP": "203.0.113.7"}).post(
        "/accounts/login/", {"login": user.email, "password": PASSWORD}
    )

    assert events(Kind.SIGNED_IN)[0].address == ("203.0.113.7" if trusted else "10.1.1.1")


def test_a_command_that_sets_a_password_is_told_and_ends_what_is_open(monkeypatch):
    user = UserFactory(email="aziza@example.uz")
    client = browser(user)
    monkeypatch.setattr("getpass.getpass", lambda **_prompt: NEW)

    call_command("changepassword", user.email, stdout=StringIO())

    told = events(Kind.PASSWORD_SET_BY_STAFF)
    assert [(one.user_id, one.actor_id, one.address) for one in told] == [(user.pk, None, None)]
    assert client.get("/me/").status_code == 302
    assert not SignIn.objects.filter(user=user, ended_at=None).exists()
    user.refresh_from_db()
    assert user.old_passwords.filter(password=user.password).exists()


def test_a_person_whom_the_admin_adds_or_deletes_is_told_of():
    boss = StaffFactory()
    client = browser(boss, by=None)
    form = {
        "email": "yangi@example.uz",
        "full_name": "Yangi",
        "password1": NEW,
        "password2": NEW,
        "usable_password": "true",
    }
    client.post("/admin/accounts/user/add/", form)
    made = User.objects.get(email="yangi@example.uz")
    kinds = [one.kind for one in events(user=made, actor=boss)]
    plain = UserFactory()
    client.post(f"/admin/accounts/user/{plain.pk}/delete/", {"post": "yes"})

    assert sorted(kinds) == ["changed_by_staff", "password_set_by_staff"]
    assert not User.objects.filter(pk=plain.pk).exists()
    assert events(Kind.CHANGED_BY_STAFF)[-1].context == {"is_deleted": True}


def test_an_admin_who_changes_an_address_or_rights_is_told_with_the_names_of_the_fields():
    user, _boss = is_changed_in_the_admin(UserFactory())

    assert events(Kind.CHANGED_BY_STAFF, user=user)[0].context == {"fields": ["is_staff"], "is_new": False}


def test_how_somebody_came_in_is_told():
    user = with_app(UserFactory())
    client = browser(user)
    client.post("/accounts/2fa/authenticate/", {"code": code_of_app()})

    assert events(Kind.SIGNED_IN)[0].context == {"by": ["password", "mfa"]}


@pytest.mark.parametrize("again", [False, True])
def test_a_passkey_that_is_none_is_told(again):
    user = with_passkey(UserFactory())
    client = browser(user, by=None) if again else browser()
    page = "reauthenticate/" if again else "login/"
    credential = {
        "id": "AAAA", "rawId": "AAAA", "type": "public-key", "clientExtensionResults": {},
        "response": {"clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AAAA", "userHandle": "AAAA"},
    }  # fmt: skip
    client.get(f"/accounts/2fa/webauthn/{page}", headers={"Accept": "application/json"})
    client.post(f"/accounts/2fa/webauthn/{page}", {"credential": json.dumps(credential)})

    told = [one for one in events() if one.context == {"what": "passkey"}]
    assert [(one.kind, one.user_id) for one in told] == (
        [("step_up_failed", user.pk)] if again else [("sign_in_failed", None)]
    )


def test_a_wrong_code_is_told():
    user = with_app(UserFactory())
    browser(user).post("/accounts/2fa/authenticate/", {"code": "000000"})

    assert [one.context for one in events(Kind.SIGN_IN_FAILED, user=user)] == [{"what": "code"}]


def test_a_program_that_signs_out_is_told_of():
    user = UserFactory()
    pair = tokens.issue(user=user)

    api("logout", {"refresh": pair.refresh})

    assert events(Kind.SIGNED_OUT, user=user)[0].context == {"by": "api"}


@pytest.mark.django_db(transaction=True)
@played
async def test_a_socket_knows_who_calls():
    """What a consumer does later stands under its person and address."""
    person = await call(UserFactory)
    key = await call(session_of, person)
    seen = []

    async def application(_scope, _receive, _send):
        calling = caller.get()
        seen.append((calling.person.pk, calling.address, calling.agent))

    scope = {
        "type": "websocket", "path": "/ws/x/", "query_string": b"", "client": ("203.0.113.7", 1), "scheme": "ws",
        "headers": [
            (b"host", b"testserver"), (b"origin", b"http://testserver"), (b"user-agent", CHROME.encode()),
            (b"cookie", f"sessionid={key}".encode()),
        ],
    }  # fmt: skip
    await Door(application)(scope, None, None)

    assert seen == [(person.pk, "203.0.113.7", CHROME)]


# --- One transaction --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "is_there"),
    [
        (adds_an_address, lambda user: user.emailaddress_set.count() > 1),
        (sets_an_app_up, lambda user: Authenticator.objects.filter(user=user).exists()),
        (changes_the_password, lambda user: User.objects.get(pk=user.pk).check_password(NEW)),
        (is_changed_in_the_admin, lambda user: User.objects.get(pk=user.pk).is_staff),
        (signs_in_with_an_app, lambda user: SignIn.objects.filter(user=user).exists()),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_without_its_event_nothing_is_done(story, is_there, monkeypatch):
    user, save = UserFactory(), SecurityEvent.save
    quiet = {Kind.SIGNED_IN, Kind.STEP_UP_CONFIRMED}

    def broken(event, **kwargs):
        if event.kind not in quiet:
            raise RuntimeError("the trail is full")
        save(event, **kwargs)

    monkeypatch.setattr(SecurityEvent, "save", broken)

    with pytest.raises((RuntimeError, AssertionError)):
        story(user)

    assert not is_there(user)


@pytest.mark.django_db(transaction=True)
def test_what_has_failed_is_told_although_its_transaction_is_rolled_back():
    shows_a_spent_token(UserFactory())

    assert len(events(Kind.TOKEN_REUSED)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_failure_that_was_committed_is_told_once(caplog):
    user = with_app(UserFactory())
    browser(user).post(
        "/accounts/2fa/authenticate/", {"code": "000000"}
    )  # one of the pages that are one transaction

    assert len(events(Kind.SIGN_IN_FAILED)) == 1
    assert "left undone" not in caplog.text


# --- The laws of the table --------------------------------------------------------------------------


def old(days):
    return SecurityEvent.objects.create(kind=Kind.SIGNED_IN, at=timezone.now() - timedelta(days=days))


@pytest.mark.parametrize(
    "change",
    [
        lambda row: SecurityEvent.objects.filter(pk=row.pk).update(kind="signed_out"),
        lambda row: row.save(),
        lambda row: row.delete(),
        lambda row: SecurityEvent.objects.all().delete(),
        lambda row: SecurityEvent.objects.bulk_create(
            [SecurityEvent(pk=row.pk, kind="signed_out")],
            update_conflicts=True, unique_fields=["id"], update_fields=["kind"],
        ),
    ],
)  # fmt: skip
def test_nobody_changes_or_deletes_an_event(change):
    row = old(days=400)

    with pytest.raises(DatabaseError), transaction.atomic():
        change(row)

    assert [one.kind for one in events()] == ["signed_in"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite replaces rows")
def test_nobody_replaces_an_event():
    row = old(days=400)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT OR REPLACE INTO accounts_securityevent SELECT id, datetime('now'), 'signed_out', address, device,"
            " object_type, object_id, context, actor_id, user_id FROM accounts_securityevent"
        )

    assert [one.kind for one in events()] == [row.kind]


@pytest.mark.postgres
def test_nobody_empties_the_table():
    old(days=400)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_securityevent")

    assert events()


def test_the_clean_up_forgets_what_is_too_old(settings, monkeypatch):
    settings.SECURITY_EVENTS_KEPT = timedelta(days=90)
    monkeypatch.setattr(trail, "_AT_ONCE", 2)
    for days in (400, 100, 95, 92, 91):
        old(days)
    kept = old(89)

    forget_old_security_events()

    assert events() == [kept]
    with pytest.raises(DatabaseError), transaction.atomic():
        kept.delete()


def test_even_the_clean_up_forgets_nothing_of_the_last_month(settings):
    settings.SECURITY_EVENTS_KEPT = timedelta(days=1)
    old(20)

    with pytest.raises(DatabaseError), transaction.atomic():
        trail.forget_old(at=timezone.now())

    assert len(events()) == 1
    assert [one.id for one in run_checks() if one.id == "accounts.E001"]


def test_the_trail_outlives_its_person():
    user = UserFactory()
    trail.record(Kind.SIGNED_UP, user=user)

    User.objects.get(pk=user.pk).delete()

    assert [one.user_id for one in events()] == [user.pk]
    assert browser(StaffFactory(), by=None).get("/admin/accounts/securityevent/").status_code == 200


# --- Who reads it -----------------------------------------------------------------------------------


def test_people_see_their_own_and_nobody_elses(django_assert_num_queries):
    user, other = UserFactory(), UserFactory()
    client = browser(user)
    cannot_say_again_who_they_are(user)
    browser(other)
    for _number in range(60):
        trail.record(Kind.STEP_UP_CONFIRMED, user=user, actor=user)

    with django_assert_num_queries(7):  # the session, the person, how many, the page, and three of the header
        page = client.get("/me/security/?page=3")

    assert [one.kind for one in page.context["page"]][-3:] == ["step_up_failed", "signed_in", "signed_in"]
    assert {one.user_id for one in page.context["page"]} == {user.pk}
    assert "no-store" in page["Cache-Control"]
    assert "Identity not confirmed" in page.text


def test_the_address_of_staff_who_looked_is_not_shown():
    trade, moderator = trades.disputed(), staff("escrow.refund_trade")
    Client(REMOTE_ADDR="198.51.100.99").force_login(
        moderator, backend="django.contrib.auth.backends.ModelBackend"
    )
    client = Client(REMOTE_ADDR="198.51.100.99")
    client.force_login(moderator, backend="django.contrib.auth.backends.ModelBackend")
    client.get(reverse("moderation:trade", args=[trade.pk]))

    page = browser(trade.buyer, by=None).get("/me/security/")

    assert "Trade looked at by a moderator" in page.text
    assert "198.51.100.99" not in page.text


@pytest.mark.parametrize(
    "query", ["", "?q=aziza", "?q=91.203", "?kind__exact=signed_in", "?q=%00", "?at__year=2026"]
)
def test_staff_read_and_search_it_in_the_admin_and_change_nothing(query):
    boss, user = StaffFactory(), UserFactory(email="aziza@example.uz", full_name="Aziza Karimova")
    browser(user)
    client = browser(boss, by=None)
    row = events(Kind.SIGNED_IN, user=user)[0]

    listed = client.get(f"/admin/accounts/securityevent/{query}")
    shown = client.get(f"/admin/accounts/securityevent/{row.pk}/change/")

    assert listed.status_code == 200
    assert query == "?q=%00" or "Aziza Karimova" in listed.text
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.text
    assert client.post(f"/admin/accounts/securityevent/{row.pk}/delete/", {"post": "yes"}).status_code == 403


# --- What follows -----------------------------------------------------------------------------------


@pytest.mark.parametrize("story", [sets_an_app_up, takes_the_app_away, changes_the_address])
def test_a_changed_key_ends_the_sign_ins_elsewhere_and_not_this_one(story):
    user = UserFactory()
    elsewhere, pair = browser(user), tokens.issue(user=user)

    story(user)

    assert elsewhere.get("/me/").status_code == 302
    still_open = SignIn.objects.filter(user=user, ended_at=None)
    assert [one.kind for one in still_open] == ["browser"]
    assert api("refresh", {"refresh": pair.refresh}).status_code == 401


def test_staff_who_take_a_factor_away_end_all_sign_ins_of_its_person_and_none_of_their_own():
    user, boss = with_app(UserFactory()), StaffFactory()
    theirs, mine = browser(user, by=None), browser(boss)
    theirs.get("/me/")
    factor = Authenticator.objects.get(user=user, type="totp")

    mine.post("/admin/mfa/authenticator/", {"action": "take_away", "_selected_action": [factor.pk]})

    assert not Authenticator.objects.filter(user=user).exists()
    assert not SignIn.objects.filter(user=user, ended_at=None).exists()
    assert mine.get("/me/").status_code == 200


def test_the_secret_of_an_app_that_is_being_set_up_is_in_no_session_in_the_clear():
    client = sure(UserFactory())
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret

    kept = str(dict(client.session))

    assert "mfa.totp.secret" in kept
    assert secret not in kept


def test_a_secret_that_no_key_opens_any_more_is_made_anew():
    client = sure(UserFactory())
    client.get("/accounts/2fa/totp/activate/")
    session = client.session
    session["mfa.totp.secret"] = "JBSWY3DPEHPK3PXP"
    session.save()

    answer = client.post("/accounts/2fa/totp/activate/", {"code": "123456"})

    assert answer.status_code == 200
    assert "wrong or too old" in answer.text
