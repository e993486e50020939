"""What people do on the site, in their words."""

import re

from playwright.sync_api import Page, expect

PASSWORD = "Qorbars7741"


class KeptSms:
    """What would have been sent to phones, the last of each number."""

    kept = {}

    def send(self, *, number, text, callback):
        self.kept[number] = text
        return "kept"


class Person:
    """Somebody in front of a browser. `complaints` is what the browser's console had to say."""

    def __init__(self, page: Page, letters):
        self.page, self.letters = page, letters
        self.email, self.complaints = "", []
        page.on(
            "console",
            lambda message: self._heard(message.type, message.text, message.location.get("url", "")),
        )
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))

    def _heard(self, kind, text, url):
        # A page that answers 4xx on purpose is reported as a resource that failed to load: its own address.
        is_own_answer = "Failed to load resource" in text and url.split("#")[0] == self.page.url.split("#")[0]
        if kind == "error" and not is_own_answer:
            self.complaints.append(f"{self.page.url}: {text} ({url})")

    # --- Words ---------------------------------------------------------------------------------------

    def goes_to(self, path):
        self.page.goto(path)

    def presses(self, name, **where):
        self.page.get_by_role("button", name=name, **where).locator("visible=true").first.click()

    def follows(self, name, **where):
        self.page.get_by_role("link", name=name, **where).locator("visible=true").first.click()

    def writes(self, label, text):
        self._field(label).fill(text)

    def chooses(self, label, option):
        self._field(label).select_option(label=option)

    def _field(self, label):
        controls = self.page.locator("input, textarea, select")
        return self.page.get_by_label(label, exact=True).and_(controls).locator("visible=true").first

    def sees(self, text):
        expect(self.page.locator("body")).to_contain_text(text)

    def does_not_see(self, text):
        expect(self.page.locator("body")).not_to_contain_text(text)

    def reads_heading(self, text):
        expect(self.page.get_by_role("heading", name=text).locator("visible=true").first).to_be_visible()

    # --- Coming in -----------------------------------------------------------------------------------

    def signs_up(self, name, email):
        self.email = email
        self.goes_to("/accounts/signup/")
        self.writes("Name", name)
        self.writes("Email", email)
        self.page.locator("#id_password1").fill(PASSWORD)
        self.page.locator("#id_password2").fill(PASSWORD)
        self.page.locator("#id_terms").check()
        self.presses("Create an account")
        self.reads_heading("Look in your mail")

    def confirms_the_address(self):
        (letter,) = self.letters(self.email)
        link = re.search(r"http\S+/confirm-email/\S+", letter.body)
        assert link, letter.body
        self.goes_to(link[0])
        self.presses("Confirm")

    def logs_in(self, email="", password=PASSWORD):
        self.email = email or self.email
        self.goes_to("/accounts/login/")
        self.writes("Email", self.email)
        self.page.locator("#id_password").fill(password)
        self.presses("Log in")
        expect(self.page.locator("details.menu summary")).to_be_visible()
