"""Somebody comes by Google, gives the account a password, and takes Google away; somebody else comes by a code to their phone."""

import re

import pytest
from playwright.sync_api import expect

from e2e.people import PASSWORD, KeptSms
from marketplace.accounts.tests import openid_server
from marketplace.accounts.tests.factories import UserFactory
from marketplace.accounts.tests.telegram_oauth import packed, signed
from marketplace.core.testing import run_jobs

pytestmark = pytest.mark.e2e


def agrees_at_google(person):
    person.reads_heading("Choose an account")
    person.page.get_by_role("link").click()


def logs_out(person):
    person.goes_to("/accounts/logout/")
    person.page.locator("main").get_by_role("button", name="Log out").click()


def is_in(person):
    person.goes_to("/me/")
    person.sees(person.email)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_by_google_to_a_password_of_ones_own(visitor, google, scripts):
    person = visitor(scripts=scripts)
    person.email = f"aziza.{scripts}@gmail.com".lower()
    google.who = openid_server.person(sub=f"e2e-{scripts}", email=person.email)

    person.goes_to("/accounts/signup/")
    person.presses("Continue with Google")
    agrees_at_google(person)
    expect(person.page).to_have_url(re.compile(r"/$"))
    is_in(person)
    person.sees("Aziza Karimova")

    person.follows("Ways in")
    person.sees(person.email)
    person.follows("Set a password")
    person.reads_heading("Is it you?")
    person.presses("Continue with Google")
    agrees_at_google(person)
    person.reads_heading("Set a password")
    person.page.locator("#id_password1").fill(PASSWORD)
    person.page.locator("#id_password2").fill(PASSWORD)
    person.presses("Save the password")

    person.goes_to("/me/ways-in/")
    person.presses("Take away Google")
    person.sees("It opens your account no longer.")
    assert person.letters(person.email)[-1].subject == "A way into your account was taken away"
    logs_out(person)
    person.logs_in()
    is_in(person)


def test_who_stops_at_an_account_that_nobody_confirmed_reads_how_to_go_on(visitor, google):
    person = visitor()
    UserFactory(email="typed@gmail.com", is_verified=False).emailaddress_set.update(verified=False)
    google.who = openid_server.person(sub="e2e-typed", email="typed@gmail.com")

    person.goes_to("/accounts/login/")
    person.presses("Continue with Google")
    agrees_at_google(person)

    person.reads_heading("There is an account with your address already")
    person.follows("Choose a new password")
    person.reads_heading("Forgot the password")


def code_to(number):
    run_jobs()
    return re.search(r"[0-9]{6}", KeptSms.kept[number])[0]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_by_a_code_to_ones_phone(visitor, scripts):
    number = "+998901110011" if scripts else "+998901110022"
    person = visitor(scripts=scripts)
    person.logs_in(UserFactory().email)

    person.goes_to("/me/ways-in/")
    person.follows("Confirm it")
    person.writes("Phone number", number)
    person.presses("Send the code")
    person.reads_heading("Is it you?")
    person.page.locator("#id_password").fill(PASSWORD)
    person.presses("Go on")
    person.reads_heading("Enter the code")
    person.writes("Code from the SMS", "12")
    person.presses("Confirm")
    person.sees("This code is wrong or too old.")
    person.writes("Code from the SMS", code_to(number))
    person.presses("Confirm")
    person.sees("Your phone is confirmed")

    logs_out(person)
    person.goes_to("/accounts/login/")
    person.follows("Code to my phone")
    person.writes("Phone number", "(90) 111-00-" + number[-2:])
    person.presses("Send the code")
    person.writes("Code from the SMS", code_to(number))
    person.presses("Log in", exact=True)
    is_in(person)


def test_by_telegram(visitor, google):
    google.telegram = lambda: packed(signed(token="1:e2e", id=4242, username="aziza_k"))
    person = visitor()
    person.logs_in(UserFactory().email)

    person.goes_to("/me/ways-in/")
    person.presses("Connect Telegram")
    person.reads_heading("Is it you?")
    person.page.locator("#id_password").fill(PASSWORD)
    person.presses("Go on")
    agrees_at_google(person)
    person.sees("It is connected")
    person.sees("@aziza_k")

    logs_out(person)
    person.goes_to("/accounts/login/")
    person.presses("Continue with Telegram")
    agrees_at_google(person)
    expect(person.page).to_have_url(re.compile(r"/$"))  # a script of ours hands the answer in
    is_in(person)
