"""Somebody else's hands at an account: guessing, a stolen session, a stolen password. Each ends well for its owner."""

import re

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from playwright.sync_api import expect

from e2e.people import PASSWORD
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs
from marketplace.escrow.tests import factories as trades
from marketplace.ledger.tests.factories import fund
from marketplace.listings.models import Credentials
from marketplace.payments.models import Transaction

pytestmark = pytest.mark.e2e

HOME, ELSEWHERE, FRIENDS = "91.203.174.12", "203.0.113.7", "198.51.100.20"
NEW_PASSWORD = "Yangi-parol-55"
SOM = 100


@pytest.fixture
def at(visitor, settings):
    """`at("203.0.113.7")`: somebody behind that address, as our proxy tells it."""
    settings.REAL_IP_HEADER = "X-Real-IP"

    def arrive(address, **options):
        # Only to the site itself, or the browser asks everybody else whether it may send such a header.
        person = visitor(**options)
        person.page.route(
            "**/*", lambda route: route.continue_(headers={**route.request.headers, "x-real-ip": address})
        )
        return person

    return arrive


def tries(person, email, password):
    person.goes_to("/accounts/login/")
    person.writes("Email", email)
    person.page.locator("#id_password").fill(password)
    person.presses("Log in", exact=True)


def is_out(person):
    person.goes_to("/me/")
    expect(person.page).to_have_url(re.compile("/accounts/login/"))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_guessing_passwords_ends_before_the_right_one(at, settings, scripts):
    settings.AXES_ENABLED = True
    AccessAttempt.objects.all().delete()
    owner = at(HOME, scripts=scripts)
    owner.logs_in(UserFactory(language="en").email)
    guesser = at(ELSEWHERE, scripts=scripts)

    for number in range(4):
        tries(guesser, owner.email, f"Qorbars774{number + 2}")
        guesser.sees("not correct")
    tries(guesser, owner.email, "Qorbars7740")
    guesser.reads_heading("Too many tries")
    tries(guesser, owner.email, PASSWORD)
    guesser.reads_heading("Too many tries")
    # Not another account either, nor this one from another network.
    tries(guesser, UserFactory(language="en").email, PASSWORD)
    guesser.reads_heading("Too many tries")
    guesser_at_friends = at(FRIENDS, scripts=scripts)
    tries(guesser_at_friends, owner.email, PASSWORD)
    guesser_at_friends.reads_heading("Too many tries")

    # The owner is not kept out of their own home.
    owner.goes_to("/accounts/logout/")
    owner.page.locator("main").get_by_role("button", name="Log out").click()
    owner.logs_in()


def test_too_many_questions_in_a_minute_wait(at, settings):
    settings.RATE_LIMITS = {"authentication": "10/minute"}
    cache.clear()
    guesser = at("198.51.100.77")

    # A window may end between two tries: then ten more are free, and not another ten.
    for _ in range(21):
        tries(guesser, "nobody@example.uz", "Qorbars7740")
        if guesser.page.title().startswith("Too many tries"):
            break

    guesser.reads_heading("Too many tries")


def test_a_stolen_session_opens_neither_money_nor_secrets(at, visitor, site):
    trade = trades.delivered()
    buyer = trade.buyer
    secret = Credentials.objects.get(listing=trade.listing)
    fund(buyer, 500_000 * SOM)
    owner = at(HOME)
    owner.logs_in(buyer.email)
    thief = at(ELSEWHERE, storage_state=owner.page.context.storage_state())
    thief.goes_to("/me/")
    thief.sees(buyer.email)

    thief.goes_to(f"/trades/{trade.pk}/")
    thief.writes("Your WibeStore password", "a-guess-01")
    thief.presses("Show the login")
    thief.sees("This is not your password.")
    thief.does_not_see(secret.account_password)
    thief.goes_to("/wallet/withdraw/")
    thief.page.locator("#id_amount").fill("500 000")
    thief.page.locator("#id_card_number").fill("8600 0000 0000 0007")
    thief.page.locator("#id_password").fill("a-guess-02")
    thief.presses("Withdraw")
    thief.sees("This is not your password.")
    for door, button in (("/accounts/2fa/totp/activate/", ""), ("/accounts/email/", "Add")):
        thief.goes_to(door)
        if button:
            thief.writes("Add an address", "thief@example.com")
            thief.presses(button, exact=True)
        thief.reads_heading("Is it you?")
    assert not Transaction.objects.filter(user=buyer, type=Transaction.Type.WITHDRAWAL).exists()
    assert not buyer.emailaddress_set.filter(email="thief@example.com").exists()

    # Nor is the owner put out of other browsers.
    phone = at(HOME)
    phone.logs_in(buyer.email)
    for button in ("End all others", re.compile("^End ")):
        thief.goes_to("/me/sessions/")
        thief.page.get_by_role("main").get_by_role("button", name=button).first.click()
        thief.reads_heading("Is it you?")
        thief.page.locator("#id_password").fill("a-guess-03")
        thief.presses("Go on")
        thief.sees("Incorrect password.")
    phone.goes_to("/me/")
    phone.sees(buyer.email)

    # A new password is all it takes: the copy of the session opens nothing any more.
    owner.goes_to("/accounts/password/change/")
    owner.page.locator("#id_oldpassword").fill(PASSWORD)
    owner.page.locator("#id_password1").fill(NEW_PASSWORD)
    owner.page.locator("#id_password2").fill(NEW_PASSWORD)
    owner.presses("Save the password")
    owner.goes_to("/me/")
    owner.sees(buyer.email)
    is_out(thief)
    is_out(phone)
    for person in (owner, thief, phone):
        person.complaints.clear()  # the browser notes that the stream of a session that is over was cut


def test_a_stolen_password_is_told_at_once_and_gains_nothing(at):
    user = UserFactory(language="en")
    fund(user, 500_000 * SOM)
    owner = at(HOME)
    owner.logs_in(user.email)
    owner.goes_to("/me/")
    thief = at(ELSEWHERE, user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    thief.logs_in(user.email)
    thief.goes_to("/wallet/withdraw/")

    letter = owner.letters(user.email)[-1]
    assert letter.subject == "New sign-in to your account"
    assert ELSEWHERE in letter.body
    owner.goes_to("/me/sessions/")
    owner.sees("Firefox, Linux")
    owner.goes_to(re.search(r"http\S+/me/not-me/\S+", letter.body)[0])
    owner.sees("Firefox, Linux")
    owner.presses("This was not me")
    owner.reads_heading("Everybody is out")

    # The thief sits before an open form for money; the page takes itself away and leads out.
    expect(thief.page).to_have_url(re.compile("/accounts/login/"))
    tries(thief, user.email, PASSWORD)
    thief.sees("not correct")

    (link,) = re.findall(r"http\S+/password/reset/key/\S+", owner.letters(user.email)[-1].body)
    owner.goes_to(link)
    owner.page.locator("#id_password1").fill(NEW_PASSWORD)
    owner.page.locator("#id_password2").fill(NEW_PASSWORD)
    owner.presses("Save the password")
    owner.logs_in(password=NEW_PASSWORD)
    owner.goes_to("/wallet/withdraw/")
    owner.page.locator("#id_amount").fill("500 000")
    owner.page.locator("#id_card_number").fill("8600 0000 0000 0007")
    owner.page.locator("#id_password").fill(NEW_PASSWORD)
    owner.presses("Withdraw")
    owner.sees("For your safety, payouts are locked until")
    run_jobs()
    assert not Transaction.objects.filter(user=user, type=Transaction.Type.WITHDRAWAL).exists()
    owner.goes_to("/wallet/")
    owner.sees("500\u00a0000")
    for person in (owner, thief):
        person.complaints.clear()  # the browser notes that the stream of a session that is over was cut


def test_a_stolen_password_does_not_even_come_in_where_a_new_browser_is_asked_for_a_code(at, settings):
    settings.NEW_BROWSER_CODE = True
    settings.AXES_ENABLED = True
    AccessAttempt.objects.all().delete()
    user = UserFactory(language="en")
    thief = at(ELSEWHERE)
    tries(thief, user.email, PASSWORD)
    thief.reads_heading("Look in your mail")
    code = re.search(r"^(\d{6})$", thief.letters(user.email)[-1].body, re.MULTILINE)[1]

    for number in range(1, 5):
        thief.writes("Code from the mail", f"{(int(code) + number) % 1_000_000:06}")
        thief.presses("Log in")
        thief.sees("This code is wrong or too old.")
    thief.writes("Code from the mail", f"{(int(code) + 5) % 1_000_000:06}")
    thief.presses("Log in")
    thief.reads_heading("Too many tries")
    is_out(thief)
