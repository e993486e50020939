"""Signing in with a browser that is new to a person is told to them; with one they know it is not."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client, TestCase
from django.utils import timezone

from marketplace.accounts import devices
from marketplace.accounts.models import KnownDevice, SignIn, User
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.core.testing import run_jobs
from marketplace.notifications.models import Notification

pytestmark = pytest.mark.django_db
CHROME = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOME, HOME_TOMORROW, ABROAD = "91.203.174.12", "91.203.9.200", "203.0.113.7"
KAZAKH = "95.56.1.1"


def sign_in(user, *, client=None, agent="", address=HOME):
    """Chrome at home, unless said otherwise; the browser keeps its cookies but that of the session."""
    client, agent = client or Client(), agent or CHROME.format(140)
    client.cookies.pop("sessionid", None)
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = client.post(
            "/accounts/login/", {"login": user.email, "password": PASSWORD},
            headers={"User-Agent": agent}, REMOTE_ADDR=address,
        )  # fmt: skip
    assert answer.status_code == 302, answer.content
    return client


def warnings(user):
    return Notification.objects.filter(user=user, type__code="new-sign-in")


@pytest.fixture
def user():
    """Somebody who has signed in once, with Chrome, at home."""
    user = UserFactory(language="en")
    user.browser = sign_in(user)
    assert not warnings(user).exists()  # the first one of all
    return user


def test_another_browser_is_told_with_its_name_and_address(user, mailoutbox):
    sign_in(user, agent=FIREFOX, address=ABROAD)
    run_jobs()

    (told,) = warnings(user)
    assert "Firefox, Linux" in told.message
    assert ABROAD in told.message
    (message,) = [one for one in mailoutbox if one.to == [user.email]]
    assert message.subject == "New sign-in to your account"
    assert ABROAD in message.body


LOUD = "We know of no other sign-in of yours from this country."


def test_the_letter_names_the_country_in_the_language_its_reader_has_by_then(user, mailoutbox):
    sign_in(user, agent=FIREFOX, address=KAZAKH)
    User.objects.filter(pk=user.pk).update(language="uz")
    run_jobs()

    (told,) = warnings(user)
    assert f"Kazakhstan · {KAZAKH}" in told.message
    (message,) = mailoutbox
    for text in (message.body, message.alternatives[0].content):
        assert f"Qozogʻiston · {KAZAKH}" in text


def test_a_country_that_is_new_to_the_person_is_said_loudly(user, mailoutbox):
    sign_in(user, agent=FIREFOX, address=KAZAKH)
    run_jobs()

    (message,) = mailoutbox
    assert LOUD in message.body
    assert LOUD in message.alternatives[0].content


@pytest.mark.parametrize("address", ["213.230.64.1", ABROAD, "10.0.0.1"])
def test_the_same_country_and_one_that_nobody_knows_are_not(user, mailoutbox, address):
    sign_in(user, agent=FIREFOX, address=address)
    run_jobs()

    (message,) = mailoutbox
    assert address in message.body
    assert LOUD not in message.body


def test_nor_is_the_country_of_an_older_sign_in(user, mailoutbox):
    SignIn.objects.create(
        user=user,
        kind="browser",
        mark="m",
        address="2.72.0.1",
        expires_at=timezone.now(),
        ended_at=timezone.now(),
    )

    sign_in(user, agent=FIREFOX, address=KAZAKH)
    run_jobs()

    assert LOUD not in mailoutbox[0].body


def test_nor_the_first_that_is_known_at_all(user, mailoutbox):
    KnownDevice.objects.update(country="")
    SignIn.objects.update(address=None)

    sign_in(user, agent=FIREFOX, address=KAZAKH)
    run_jobs()

    assert KAZAKH in mailoutbox[0].body
    assert LOUD not in mailoutbox[0].body


def test_the_sign_ins_of_others_make_no_country_known(user, mailoutbox):
    sign_in(UserFactory(), agent=FIREFOX, address=KAZAKH)

    sign_in(user, agent=FIREFOX, address=KAZAKH)
    run_jobs()

    (message,) = [one for one in mailoutbox if one.to == [user.email]]
    assert LOUD in message.body


def test_a_program_from_a_new_country_is_said_loudly_too(user, client, mailoutbox):
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post(
            "/api/v1/auth/login/", {"email": user.email, "password": PASSWORD}, content_type="application/json",
            headers={"User-Agent": "WibeApp/1.0"}, REMOTE_ADDR=KAZAKH,
        )  # fmt: skip
    run_jobs()

    assert LOUD in mailoutbox[-1].body


def test_the_same_browser_is_known_from_every_network_by_its_cookie(user):
    sign_in(user, client=user.browser, address=ABROAD)

    assert not warnings(user).exists()


def test_a_browser_without_its_cookie_is_known_at_home_after_its_updates(user):
    sign_in(user, agent=CHROME.format(155), address=HOME_TOMORROW)

    assert not warnings(user).exists()


@pytest.mark.parametrize("changed", [{"agent": FIREFOX}, {"address": ABROAD}])
def test_without_its_cookie_another_name_or_network_is_another_browser(user, changed):
    sign_in(user, **changed)

    assert warnings(user).count() == 1


def test_a_browser_is_told_once(user):
    thief = sign_in(user, agent=FIREFOX, address=ABROAD)
    sign_in(user, client=thief, agent=FIREFOX, address=ABROAD)

    assert warnings(user).count() == 1


def test_a_browser_of_somebody_else_is_new_to_this_person(user):
    other = UserFactory()
    sign_in(other, agent=FIREFOX, address=ABROAD)
    shared = sign_in(other, client=user.browser)  # hers, borrowed

    sign_in(user, client=sign_in(other, agent=FIREFOX, address=ABROAD), agent=FIREFOX, address=ABROAD)

    assert warnings(user).count() == 1
    assert warnings(other).count() == 1
    assert shared.cookies["device"].value


@pytest.mark.parametrize("cookie", ["x", "a" * 43, "a" * 5000, "\x7f", "'; DROP TABLE"])
def test_a_cookie_of_ones_own_making_opens_nothing(user, cookie):
    client = Client()
    client.cookies["device"] = cookie

    sign_in(user, client=client, agent=FIREFOX, address=ABROAD)

    assert warnings(user).count() == 1


def test_a_program_is_known_by_what_it_is(user, client):
    def call(agent):
        with TestCase.captureOnCommitCallbacks(execute=True):
            return client.post(
                "/api/v1/auth/login/", {"email": user.email, "password": PASSWORD}, content_type="application/json",
                headers={"User-Agent": agent}, REMOTE_ADDR=HOME,
            )  # fmt: skip

    answers = [call("WibeApp/1.0"), call("WibeApp/1.1")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "device" not in answers[0].cookies
    assert warnings(user).count() == 1
    assert "An unknown device" in warnings(user).get().message


def test_the_cookie_is_kept_from_scripts_and_lasts(user):
    cookie = user.browser.cookies["device"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert int(cookie["max-age"]) > 300 * 24 * 3600


def test_of_the_network_the_country_is_kept(user):
    first = KnownDevice.objects.get().country
    sign_in(user, client=user.browser, address=KAZAKH)

    assert (first, KnownDevice.objects.get().country) == ("UZ", "KZ")


def test_only_hashes_are_kept(user):
    kept = str(list(KnownDevice.objects.values()))

    assert user.browser.cookies["device"].value not in kept
    assert HOME not in kept


def test_of_many_devices_the_oldest_are_forgotten(user, monkeypatch):
    monkeypatch.setattr(devices, "MOST", 3)
    for number in range(5):
        sign_in(user, address=f"203.{number}.113.7")

    assert KnownDevice.objects.filter(user=user).count() == 3


def test_the_database_keeps_a_browser_once(user):
    known = KnownDevice.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        KnownDevice.objects.create(user=user, cookie_hash=known.cookie_hash, trait_hash="x")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME.format(140), "Chrome, Android"), (FIREFOX, "Firefox, Linux"), ("curl/8.5", ""), ("", ""),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/139.0 YaBrowser/25.8 Safari/537.36", "Yandex Browser, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile Safari/604", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/139.0 Safari/537.36 Edg/139.0", "Edge, Windows"),
    ],
)  # fmt: skip
def test_browsers_are_called_by_their_names(agent, name):
    assert devices.name_of(agent) == name
