"""\"This was not me\": the link in the mail about a new sign-in."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import signing
from django.test import Client, TestCase
from django.utils import timezone

from marketplace.accounts import alarms, services, tokens
from marketplace.accounts.errors import TokenNotValid
from marketplace.accounts.models import KnownDevice, PayoutLock, SignIn
from marketplace.accounts.selectors import payout_lock_of
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from marketplace.core.testing import in_parallel, run_jobs

pytestmark = pytest.mark.django_db
THIEF = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "Yangi-parol-55"


@pytest.fixture
def user():
    return UserFactory(email="person@example.uz")


def sign_in(
    user, *, agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36", address="91.203.174.12"
):
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


def is_in(client):
    return client.get("/me/").status_code == 200


@pytest.fixture
def thief(user):
    """Somebody who knows the password, in another browser than the person's own."""
    user.browser = sign_in(user)
    return sign_in(user, agent=THIEF, address="203.0.113.7")


@pytest.fixture
def link(thief, mailoutbox):
    run_jobs()
    return re.search(r"https?://[^/\s]+(/me/not-me/\S+)", mailoutbox[-1].body).group(1)


def test_the_mail_about_a_new_sign_in_has_the_link_and_the_site_has_not(user, link, mailoutbox):
    message = mailoutbox[-1]
    page = user.browser.get("/notifications/").content.decode()

    assert message.subject == "New sign-in to your account"
    assert link in message.alternatives[0].content
    assert "not-me" not in page, "who holds the session must not find it"


def test_looking_at_the_link_changes_nothing(user, thief, link):
    page = Client().get(link)

    assert "Firefox, Linux" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert "Place" not in page.content.decode()  # nobody's network
    assert is_in(thief)
    assert not PayoutLock.objects.exists()


def test_the_link_names_the_country_of_the_device_where_it_is_known(user, mailoutbox):
    sign_in(user)
    sign_in(user, agent=THIEF, address="95.56.1.1")
    run_jobs()
    link = re.search(r"https?://[^/\s]+(/me/not-me/\S+)", mailoutbox[-1].body).group(1)

    page = Client(headers={"Accept-Language": "uz"}).get(link).content.decode()

    assert "Qozogʻiston" in page


def test_pressing_it_ends_everything_and_locks_the_money(user, thief, link, mailoutbox):
    pair = tokens.issue(user=user)

    answer = Client().post(link)

    assert "Everybody is out" in answer.content.decode()
    assert (is_in(thief), is_in(user.browser)) == (False, False)
    with pytest.raises(TokenNotValid):
        tokens.renew(refresh=pair.refresh)
    assert not SignIn.objects.filter(ended_at__isnull=True).exists()
    assert payout_lock_of(user.pk, at=timezone.now()).ends_at is None
    assert not is_in(sign_in(user, agent=THIEF)), "the thief knows the password"


def test_it_works_in_the_browser_where_one_is_signed_in(user, link):
    answer = user.browser.post(link)

    assert answer.status_code == 200
    assert not is_in(user.browser)


def test_a_new_password_comes_by_mail_and_is_not_the_stolen_one(user, link, mailoutbox):
    Client().post(link)
    run_jobs()
    reset = re.search(r"^https?://[^/\s]+(/accounts/\S+)$", mailoutbox[-1].body, re.MULTILINE).group(1)
    client = Client()
    form = client.get(reset).url

    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    user.refresh_from_db()
    with_the_old_one = user.has_usable_password()
    client.post(form, {"password1": NEW, "password2": NEW})

    user.refresh_from_db()
    assert not with_the_old_one
    assert user.check_password(NEW)


def test_the_link_works_once(user, link):
    Client().post(link)
    services.change_password(user=user, password=NEW)

    again = Client().post(link)
    looked = Client().get(link)

    user.refresh_from_db()
    assert (again.status_code, looked.status_code) == (410, 410)
    assert user.check_password(NEW)
    assert PayoutLock.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_pressed_twice_at_the_same_moment_it_works_once(user):
    device = KnownDevice.objects.create(user=user, trait_hash="x")
    token = alarms.token_of(device.pk)

    done = in_parallel(*[lambda: alarms.raise_alarm(token=token)] * 3)

    assert sorted(one is None for one in done) == [False, True, True]
    assert PayoutLock.objects.count() == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda token: "x",
        lambda token: token[:-1],
        lambda token: signing.dumps("no-id", salt="accounts.alarms"),
        lambda token: signing.dumps(str(KnownDevice.objects.first().pk), salt="other"),
        lambda token: signing.dumps([1], salt="accounts.alarms"),
    ],
)
def test_a_link_of_ones_own_making_does_nothing(user, thief, link, make):
    path = f"/me/not-me/{make(link.split('/')[-2])}/"

    assert Client().get(path).status_code == 410
    assert Client().post(path).status_code == 410
    assert is_in(thief)


def test_an_old_link_does_nothing(user, link, settings):
    settings.ALARM_LINK_AGE = timedelta(seconds=-1)

    assert Client().post(link).status_code == 410


def test_the_same_device_is_told_again_when_it_comes_back(user, link, mailoutbox):
    Client().post(link)
    services.change_password(user=user, password=PASSWORD)
    run_jobs()
    mailoutbox.clear()

    sign_in(user, agent=THIEF, address="203.0.113.7")
    run_jobs()

    assert [message.subject for message in mailoutbox] == ["New sign-in to your account"]


# --- The lock of payouts ----------------------------------------------------------------------------


def test_the_lock_ends_a_day_after_the_new_password(user, link):
    Client().post(link)
    services.change_password(user=user, password=NEW)
    now = timezone.now()

    assert payout_lock_of(user.pk, at=now + timedelta(hours=23, minutes=59)) is not None
    assert payout_lock_of(user.pk, at=now + timedelta(hours=24, minutes=1)) is None


def test_another_password_does_not_move_the_end(user):
    lock = PayoutLock.objects.create(user=user, ends_at=timezone.now() + timedelta(hours=3))

    services.change_password(user=user, password=NEW)

    assert PayoutLock.objects.get().ends_at == lock.ends_at


def lift(staff, lock):
    client = Client()
    client.force_login(staff)
    client.post("/admin/accounts/payoutlock/", {"action": "lift", "_selected_action": [str(lock.pk)]})
    lock.refresh_from_db()
    return lock.lifted_by


def test_staff_with_the_permission_lifts_it(user):
    lock = PayoutLock.objects.create(user=user)
    looker, lifter = UserFactory(is_staff=True), UserFactory(is_staff=True)
    view = Permission.objects.get(codename="view_payoutlock")
    looker.user_permissions.add(view)
    lifter.user_permissions.add(view, Permission.objects.get(codename="lift_payoutlock"))

    assert lift(looker, lock) is None
    assert lift(lifter, lock) == lifter
    assert payout_lock_of(user.pk, at=timezone.now()) is None


def test_nobody_lifts_their_own():
    staff = StaffFactory()
    lock = PayoutLock.objects.create(user=staff)

    assert lift(staff, lock) is None
