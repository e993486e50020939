"""Somebody signs up, puts a second lock on their account, and comes in again without their phone."""

import re

import pytest
from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import expect

from e2e.people import PASSWORD
from marketplace.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.e2e


@pytest.fixture
def half_minute(monkeypatch):
    """The clock of codes stands still, for the server too, which runs in this process."""
    monkeypatch.setattr(totp, "yield_hotp_counters_from_time", lambda: iter([59_000_000]))
    return 59_000_000


def says_the_password_again(person):
    person.reads_heading("Is it you?")
    person.page.locator("#id_password").fill(PASSWORD)
    person.presses("Go on")


def logs_out(person):
    person.goes_to("/accounts/logout/")
    person.page.locator("main").get_by_role("button", name="Log out").click()


def gives_the_password(person):
    person.goes_to("/accounts/login/")
    person.writes("Email", person.email)
    person.page.locator("#id_password").fill(PASSWORD)
    person.presses("Log in", exact=True)


def is_in(person):
    person.goes_to("/me/")
    person.sees(person.email)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_signing_up_to_a_recovery_code(visitor, half_minute, scripts):
    person = visitor(scripts=scripts)
    person.signs_up("Aziza Karimova", f"aziza-{scripts}@example.uz".lower())
    person.confirms_the_address()
    gives_the_password(person)

    person.goes_to("/me/")
    person.follows("Second factor")
    person.follows("Set up")
    says_the_password_again(person)
    secret = person.page.locator("#secret").inner_text()
    person.writes("Code from the app", totp.format_hotp_value(totp.hotp_value(secret, half_minute)))
    person.presses("Turn it on")
    person.reads_heading("Recovery codes")
    codes = person.page.locator("#codes li").all_inner_texts()
    assert len(codes) == 10
    with person.page.expect_download() as begun:
        person.presses("Download")
    assert begun.value.path().read_text().split("\n")[:10] == codes
    person.reads_heading("Recovery codes")  # the file takes nobody away from the page
    person.follows("I have kept them")
    person.sees("Your account asks for a second factor")
    person.sees("10 codes left")
    person.goes_to("/accounts/2fa/recovery-codes/")
    for code in codes:
        person.does_not_see(code)
    assert person.letters(person.email)[-1].subject == "A second factor was set up"

    logs_out(person)
    gives_the_password(person)
    person.reads_heading("Confirm it is you")
    person.writes("Code", "123")
    person.presses("Confirm")
    person.sees("This code is wrong or too old.")
    person.follows("Use a recovery code")
    person.writes("Recovery code", codes[4])
    person.presses("Confirm")
    is_in(person)
    assert person.letters(person.email)[-1].subject == "A recovery code was used"

    elsewhere = visitor(scripts=scripts)
    elsewhere.email = person.email
    gives_the_password(elsewhere)
    elsewhere.follows("Use a recovery code")
    elsewhere.writes("Recovery code", codes[5])
    elsewhere.presses("Confirm")
    is_in(elsewhere)
    person.goes_to("/me/sessions/")
    expect(person.page.get_by_role("main").get_by_role("listitem")).to_have_count(2)
    person.presses("End all others")
    says_the_password_again(person)
    person.sees("1 sign-in is ended.")
    expect(person.page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    elsewhere.page.reload()
    expect(elsewhere.page).to_have_url(re.compile("/accounts/login/"))
    elsewhere.complaints.clear()  # the browser notes that the stream of its ended session was cut
    is_in(person)

    logs_out(person)
    gives_the_password(person)
    person.follows("Use a recovery code")
    person.writes("Recovery code", codes[4])
    person.presses("Confirm")
    person.sees("This code is wrong or too old.")


def test_a_passkey_is_added_and_signs_in(visitor, site):
    user = UserFactory(language="en")
    # A passkey belongs to a name, and an address of numbers is none.
    base = site.replace("127.0.0.1", "localhost")
    person = visitor(base_url=base)
    person.email = user.email
    device = person.page.context.new_cdp_session(person.page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    gives_the_password(person)

    person.goes_to("/accounts/2fa/")
    person.follows("Add one")
    says_the_password_again(person)
    person.writes("Name", "My laptop")
    person.presses("Add a passkey")
    person.reads_heading("Recovery codes")
    person.goes_to("/accounts/2fa/webauthn/")
    person.sees("My laptop")

    logs_out(person)
    person.goes_to("/accounts/login/")
    person.presses("Sign in with a passkey")
    expect(person.page).to_have_url(f"{base}/")
    is_in(person)

    # It says who one is, too, where that is asked.
    person.goes_to("/accounts/2fa/")
    person.follows("Make new ones")
    person.follows("Use a passkey")
    person.presses("Use a passkey")
    person.reads_heading("Make new recovery codes?")
    person.presses("Make new ones")
    person.reads_heading("Recovery codes")

    logs_out(person)
    gives_the_password(person)
    person.reads_heading("Confirm it is you")
    person.presses("Use a passkey")
    expect(person.page).to_have_url(f"{base}/")
    is_in(person)


def test_a_device_that_gives_no_passkey_is_told_so(visitor, site):
    user = UserFactory(language="en")
    person = visitor(base_url=site.replace("127.0.0.1", "localhost"))
    person.email = user.email
    person.goes_to("/accounts/login/")
    person.page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')) }"
    )
    person.presses("Sign in with a passkey")

    person.sees("No passkey was given.")


def test_without_scripts_no_passkey_is_offered(visitor, site):
    person = visitor(scripts=False)

    person.goes_to("/accounts/login/")

    expect(person.page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_new_browser_needs_a_code_from_the_mail_and_a_known_one_does_not(visitor, settings, scripts):
    settings.NEW_BROWSER_CODE = True
    person = visitor(scripts=scripts)
    person.signs_up("Aziza Karimova", f"aziza-new-{scripts}@example.uz".lower())
    person.confirms_the_address()
    person.logs_in()  # the mailbox was just shown in this browser
    logs_out(person)
    person.logs_in()

    elsewhere = visitor(scripts=scripts)
    elsewhere.email = person.email
    gives_the_password(elsewhere)
    elsewhere.reads_heading("Look in your mail")
    elsewhere.presses("Send another code")
    elsewhere.sees("Wait a little")
    letter = elsewhere.letters(person.email)[-1]
    assert letter.subject == "Your code to log in"
    code = re.search(r"^(\d{6})$", letter.body, re.MULTILINE)[1]
    elsewhere.writes("Code from the mail", f"{(int(code) + 1) % 1_000_000:06}")
    elsewhere.presses("Log in")
    elsewhere.sees("This code is wrong or too old.")
    elsewhere.writes("Code from the mail", code)
    elsewhere.presses("Log in")
    is_in(elsewhere)
    person.goes_to("/me/security/")
    person.sees("Code mailed: somebody signs in with a new browser")
    logs_out(elsewhere)
    elsewhere.logs_in()
