"""Every page as people see it: written to e2e/screens for a person to look at, and checked for what a machine can see."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone, translation

from e2e import axe, fit
from e2e import town as towns
from e2e.people import PASSWORD
from marketplace.accounts.alarms import token_of
from marketplace.messaging.models import Conversation
from marketplace.notifications.selectors import EVERYTHING, unsubscribe_token

pytestmark = pytest.mark.e2e

FOLDER = Path(__file__).parent / "screens"
PHONE, DESKTOP = 390, 1440
HEIGHTS = {PHONE: 844, DESKTOP: 900}
# Most phones here are as wide as the first; none is narrower than the second.
SMALL, SHORT = (360, 320), 640
COLOURS = ["color-contrast"]
# So many tests share the pages between them, for as many processes as there are to run them.
PARTS = 8


@dataclass(frozen=True)
class Shot:
    """One page: its name, its address, who looks at it, and what is done before the picture is taken."""

    name: str
    path: str
    who: object = None
    act: Callable | None = None
    only: int | None = None


@pytest.fixture(scope="session")
def town(site):
    # In a thread of its own: the browser driver keeps a loop running in this one, which realtime messages do not like.
    with ThreadPoolExecutor(1) as thread:
        built = thread.submit(towns.build).result()
        thread.submit(connections.close_all).result()
    return built


def shots(town):
    """All pages, by who looks at them, so that cookies change seldom."""
    listing, trade, money = town.listing, town.trades, town.payments
    yield from (
        Shot("home", "/"),
        Shot("games", reverse("games:list")),
        Shot("catalogue", reverse("listings:catalogue")),
        Shot("catalogue-game", reverse("listings:catalogue") + "?game=pubg-mobile"),
        Shot("catalogue-empty", reverse("listings:catalogue") + "?q=qwxzqwxz"),
        Shot(
            "catalogue-filters",
            reverse("listings:catalogue") + "?game=pubg-mobile",
            act=open_filters,
            only=PHONE,
        ),
        Shot("listing", listing.get_absolute_url()),
        Shot("listing-sold", town.sold.get_absolute_url()),
        Shot("listing-reserved", trade["paid"].listing.get_absolute_url()),
        Shot("seller", reverse("storefront:seller", args=["azizk"])),
        Shot("plans", reverse("subscriptions:plans")),
        Shot("plans-yearly", reverse("subscriptions:plans") + "?period=yearly"),
        Shot("login", reverse("account_login")),
        Shot("login-errors", reverse("account_login"), act=submit("Log in")),
        Shot("signup", reverse("account_signup")),
        Shot("signup-errors", reverse("account_signup"), act=submit("Create an account")),
        Shot("password-reset", reverse("account_reset_password")),
        *(
            Shot(slug, reverse("core:page", args=[slug]))
            for slug in ("how-it-works", "fees", "terms", "privacy", "contacts")
        ),
        Shot("books-empty", reverse("ledger:status"), act=audited(is_green=None)),
        Shot("books-green", reverse("ledger:status"), act=audited(is_green=True)),
        Shot("books-red", reverse("ledger:status"), act=audited(is_green=False)),
        Shot("404", "/no-such-page/"),
        Shot("500", "/broken/"),
    )
    buyer = town.buyer
    yield from (
        Shot("home-signed-in", "/", buyer),
        Shot("home-menu", "/", buyer, act=open_menu),
        Shot("listing-signed-in", listing.get_absolute_url(), buyer),
        Shot("buy", reverse("escrow:buy", args=[listing.pk]), buyer),
        Shot("favourites", reverse("listings:favourites"), buyer),
        Shot("wallet", reverse("payments:wallet"), buyer),
        Shot("wallet-tenge", reverse("payments:wallet") + "?currency=KZT", buyer),
        Shot("wallet-wrong-dates", reverse("payments:wallet") + "?from=2026-03-02&to=2026-03-01", buyer),
        Shot("statements", reverse("payments:statements"), buyer),
        Shot("statement", reverse("payments:statement", args=[f"{timezone.localdate():%Y-%m}"]), buyer),
        Shot("statement-empty", reverse("payments:statement", args=["2025-01"]), buyer),
        Shot("deposit", reverse("payments:deposit"), buyer),
        Shot("deposit-errors", reverse("payments:deposit"), buyer, act=submit("Go to payment")),
        *(
            Shot(name, urlsplit(money[which].payment_url)._replace(scheme="", netloc="").geturl(), buyer)
            for name, which in (("gateway", "pending"), ("gateway-payme", "payme"))
        ),
        *(
            Shot(f"payment-{n}", reverse("payments:return", args=[money[n].pk]), buyer)
            for n in ("pending", "completed", "failed")
        ),
        Shot("withdraw", reverse("payments:withdraw"), buyer),
        Shot("transaction", reverse("payments:transaction", args=[money["completed"].pk]), buyer),
        Shot("checkout", reverse("subscriptions:checkout", args=["premium"]), buyer),
        Shot("profile", reverse("accounts:profile"), buyer),
        Shot("profile-edit", reverse("accounts:edit"), buyer),
        Shot("sessions", reverse("accounts:sessions"), buyer),
        Shot("security", reverse("accounts:security"), buyer),
        Shot(
            "not-me",
            reverse("accounts:not_me", args=[token_of(town.buyer.known_devices.get(trait_hash="x").pk)]),
            buyer,
        ),
        Shot("not-me-used", reverse("accounts:not_me", args=["used"])),
        Shot("403", reverse("moderation:queue"), buyer),
        Shot("preferences-bounced", reverse("notifications:preferences"), buyer),
        Shot("telegram", reverse("notifications:telegram"), buyer),
        Shot("telegram-code", reverse("notifications:telegram"), buyer, act=submit("Connect Telegram")),
        Shot(
            "unsubscribe",
            reverse("notifications:unsubscribe", args=[unsubscribe_token(buyer.pk, "listings")]),
            buyer,
        ),
        Shot(
            "unsubscribed",
            reverse("notifications:unsubscribe", args=[unsubscribe_token(buyer.pk, EVERYTHING)]),
            buyer,
            act=submit("Stop these mails"),
        ),
    )
    newcomer = town.newcomer
    yield from (
        Shot("favourites-empty", reverse("listings:favourites"), newcomer),
        Shot("mine-empty", reverse("listings:mine"), newcomer),
        Shot("plan-free", reverse("subscriptions:mine"), newcomer),
        Shot(
            "checkout-errors",
            reverse("subscriptions:checkout", args=["pro"]) + "?period=yearly",
            newcomer,
            act=pay_from_empty_wallet,
        ),
        Shot("wallet-empty", reverse("payments:wallet"), newcomer),
        Shot("trades-empty", reverse("escrow:list"), newcomer),
        Shot("forecast-empty", reverse("escrow:forecast"), newcomer),
        Shot("statements-empty", reverse("payments:statements"), newcomer),
        Shot("notifications-empty", reverse("notifications:list"), newcomer),
    )
    seller = town.seller
    yield from (
        Shot("sell-game", reverse("listings:sell"), seller),
        Shot("sell", reverse("listings:sell") + "?game=pubg-mobile", seller),
        Shot(
            "sell-errors",
            reverse("listings:sell") + "?game=pubg-mobile",
            seller,
            act=submit("Send to review"),
        ),
        Shot("sell-edit", reverse("listings:edit", args=[town.own.pk]), seller),
        Shot("listing-own", town.own.get_absolute_url(), seller),
        Shot("listing-delete", reverse("listings:delete", args=[town.own.pk]), seller),
        Shot("mine", reverse("listings:mine"), seller),
        Shot("trades", reverse("escrow:list"), seller),
        Shot("forecast", reverse("escrow:forecast"), seller),
        Shot("notifications", reverse("notifications:list"), seller),
        Shot("notifications-group", reverse("notifications:list") + "?group=trades", seller),
        Shot("preferences", reverse("notifications:preferences"), seller),
        Shot("preferences-group", reverse("notifications:group_preferences", args=["trades"]), seller),
        Shot(
            "preferences-errors", reverse("notifications:preferences"), seller, act=save_half_of_quiet_hours
        ),
        Shot("telegram-linked", reverse("notifications:telegram"), seller),
        Shot("plans-seller", reverse("subscriptions:plans"), seller),
        Shot("checkout-better", reverse("subscriptions:checkout", args=["pro"]), seller),
        Shot("checkout-own", reverse("subscriptions:checkout", args=["premium"]), seller),
        Shot("plan", reverse("subscriptions:mine"), seller),
        Shot("plan-cancel", reverse("subscriptions:cancel"), seller),
        Shot("plan-pro", reverse("subscriptions:mine"), town.pro),
        Shot("checkout-smaller", reverse("subscriptions:checkout", args=["premium"]), town.pro),
        Shot("profile-pro", reverse("accounts:profile"), town.pro),
    )
    yield from talks(town)
    yield from factors(town)
    yield from own_data(town)
    yield from ways_in(town)
    for step, one in trade.items():
        place = reverse("escrow:trade", args=[one.pk])
        yield Shot(f"trade-{step}-seller", place, seller)
        yield Shot(f"trade-{step}-buyer", place, one.buyer)
    handed = trade["handed_over"]
    yield from (
        Shot("trade-revealed", reverse("escrow:trade", args=[handed.pk]), handed.buyer, act=reveal),
        Shot("confirm", reverse("escrow:confirm", args=[handed.pk]), handed.buyer),
        Shot("dispute", reverse("escrow:dispute", args=[handed.pk]), handed.buyer),
        Shot("moderation", reverse("moderation:queue"), town.moderator),
        *desks(town),
        Shot("books-red-staff", reverse("ledger:status"), town.moderator, act=audited(is_green=False)),
        Shot("reconciliation", reverse("payments:reconciliation"), town.moderator),
        Shot(
            "reconciliation-errors",
            reverse("payments:reconciliation"),
            town.moderator,
            act=submit("Compare"),
        ),
        Shot(
            "reconciliation-result", reverse("payments:reconciled", args=[town.statement.pk]), town.moderator
        ),
    )


def talks(town):
    """Conversations: the two of them, somebody who has none, and those who decide on reports."""
    thread, message = reverse("messaging:thread", args=[town.talk.pk]), town.overdone
    inbox, buyer, seller = reverse("messaging:inbox"), town.talk.buyer, town.seller
    of_overdone = [message.conversation_id, message.pk]
    own = [town.talk.pk, town.talk.messages.filter(sender=buyer, kind="text").first().pk]
    reports = reverse("moderation:reports")
    yield from (
        Shot("chats", inbox, seller),
        Shot("chats-unread", f"{inbox}?show=unread", buyer),
        Shot("chats-nothing-found", f"{inbox}?q=qwxzqwxz", seller),
        Shot("chats-empty", inbox, town.newcomer),
        Shot("chat", thread, seller),
        Shot("chat-buyer", thread, buyer),
        Shot("chat-guard", thread, buyer, act=say("Yozing: +998 90 123 45 67 yoki t.me/konqueror")),
        Shot("chat-menu", thread, buyer, act=lambda page: page.locator("#chat header summary").click()),
        Shot("chat-edit", reverse("messaging:edit", args=own), buyer),
        Shot("chat-delete-message", reverse("messaging:take_back", args=own), buyer),
        Shot("chat-delete", reverse("messaging:clear", args=[town.talk.pk]), buyer),
        Shot("chat-report", reverse("messaging:report", args=of_overdone), seller),
        Shot(
            "chat-report-errors", reverse("messaging:report", args=of_overdone), seller, act=submit("Report")
        ),
        Shot("reports", reports, town.moderator),
        Shot("reports-around", f"{reports}?report={message.reports.get().pk}", town.moderator),
        Shot("reports-decided-empty", f"{reports}?show=decided", town.moderator),
        Shot("reports-guard", f"{reports}?show=guard", town.moderator),
    )


def factors(town):
    """The second factor: set up, asked for, taken away; and the question who somebody is."""
    careful, newcomer = town.careful, town.newcomer
    activate, codes = reverse("mfa_activate_totp"), reverse("mfa_generate_recovery_codes")
    passkey = careful.authenticator_set.get(type="webauthn").pk
    yield from (
        Shot("factor-step", reverse("account_login"), act=give_password_of(careful)),
        Shot("factor-step-errors", reverse("account_login"), act=in_turn(give_password_of(careful), submit("Confirm"))),
        Shot("factor-step-recovery", reverse("account_login"), act=in_turn(give_password_of(careful), recover)),
        Shot("factor-none", reverse("mfa_index"), newcomer),
        Shot("factor-staff", reverse("mfa_index") + "?for=staff", newcomer),
        Shot("factor-app", activate, newcomer, act=say_again),
        Shot("factor-app-errors", activate, newcomer, act=in_turn(say_again, submit("Turn it on"))),
        Shot("factor-passkey-add", reverse("mfa_add_webauthn"), newcomer, act=say_again),
        Shot("factor-again", codes, careful),
        Shot("factor-again-code", reverse("mfa_reauthenticate"), careful),
        Shot("factor-again-passkey", reverse("mfa_reauthenticate_webauthn"), town.keyed),
        Shot("factor", reverse("mfa_index"), careful),
        Shot("factor-passkeys", reverse("mfa_list_webauthn"), careful),
        Shot("factor-passkeys-none", reverse("mfa_list_webauthn"), newcomer),
        Shot("factor-withdraw", reverse("payments:withdraw"), careful),
        Shot("factor-codes", codes, careful, act=say_again),
        Shot("factor-codes-new", codes, careful, act=in_turn(say_again, submit("Make new ones"))),
        Shot("factor-app-off", reverse("mfa_deactivate_totp"), careful, act=say_again),
        Shot("factor-passkey-rename", reverse("mfa_edit_webauthn", args=[passkey]), careful, act=say_again),
        Shot("factor-passkey-off", reverse("mfa_remove_webauthn", args=[passkey]), careful, act=say_again),
    )  # fmt: skip


def own_data(town):
    """A copy of one's data, deleting the account, and asking to hold events."""
    data, delete, apply = reverse("accounts:privacy"), reverse("accounts:delete"), reverse("organizer_apply")
    desk, gone = reverse("moderation:organizers"), Conversation.objects.get(buyer=town.leaving, listing=None)
    yield from (
        Shot("own-data", data, town.newcomer),
        Shot("own-data-leaving", data, town.leaving),
        Shot("profile-leaving", reverse("accounts:profile"), town.leaving),
        Shot("delete", delete, town.newcomer),
        Shot("delete-errors", delete, town.newcomer, act=submit("Delete my account")),
        Shot("delete-factor", delete, town.careful),
        Shot("delete-refused", delete, town.seller),
        Shot("delete-staff", delete, town.moderator),
        Shot("chat-gone", reverse("messaging:thread", args=[gone.pk]), town.leaving),
        Shot("organizer", apply, town.newcomer),
        Shot("organizer-errors", apply, town.newcomer, act=submit("Apply")),
        Shot("organizer-rejected", apply, town.refused),
        Shot("organizers", desk, town.moderator),
        Shot("organizers-decided", f"{desk}?show=decided", town.moderator),
        Shot(
            "organizers-errors",
            desk,
            town.moderator,
            act=in_turn(unfold("Reject"), submit("Reject with this reason")),
        ),
    )


def ways_in(town):
    """What opens an account, and what happens on the way."""
    careful, newcomer = town.careful, town.newcomer
    phone, sign_in, login = reverse("accounts:phone"), reverse("phone_sign_in"), reverse("account_login")
    yield from (
        Shot("ways-in", reverse("accounts:ways"), careful),
        Shot("ways-in-few", reverse("accounts:ways"), newcomer),
        Shot("ways-in-confirm", reverse("accounts:confirm"), careful),
        Shot("ways-in-confirm-nothing", reverse("accounts:confirm"), newcomer),
        Shot("ways-in-phone", phone, newcomer),
        Shot("ways-in-phone-errors", phone, newcomer, act=submit("Send the code")),
        Shot("google-begin", reverse("google_login")),
        Shot("google-cancelled", reverse("socialaccount_login_cancelled")),
        Shot("google-broken", reverse("google_callback")),
        Shot("google-refused", reverse("account_login"), act=come_by_google),
        Shot("phone-sign-in", sign_in),
        Shot("phone-sign-in-errors", sign_in, act=submit("Send the code")),
        Shot("phone-sign-in-code", sign_in, act=ask_for_a_code),
        Shot("phone-sign-in-code-errors", sign_in, act=in_turn(ask_for_a_code, submit("Log in"))),
        Shot("new-browser", login, act=come_with_a_new_browser(newcomer)),
        Shot("new-browser-errors", login, act=in_turn(come_with_a_new_browser(newcomer), submit("Log in"))),
        Shot(
            "new-browser-too-soon",
            login,
            act=in_turn(come_with_a_new_browser(newcomer), submit("Send another code")),
        ),
    )


def come_by_google(page):
    submit("Continue with Google")(page)
    page.get_by_role("link").first.click()


def ask_for_a_code(page):
    page.locator("#id_number").fill("90 123 45 67")
    submit("Send the code")(page)


def come_with_a_new_browser(user):
    def act(page):
        page.context.clear_cookies(name="sessionid")  # another step may still wait
        page.reload()
        with override_settings(NEW_BROWSER_CODE=True):
            give_password_of(user)(page)
            page.wait_for_url("**" + reverse("new_browser_code"))

    return act


def give_password_of(user):
    def act(page):
        if page.url.endswith(reverse("account_login")):  # else the step still waits
            page.locator("#id_login").fill(user.email)
            page.locator("#id_password").fill(PASSWORD)
            page.locator("#id_password").press("Enter")

    return act


def recover(page):
    page.get_by_role("link", name=said(page, "Use a recovery code")).click()


def say_again(page):
    """Who one is, where the page asks for it first: it remembers for a while."""
    if page.url.startswith(page.url.split("/accounts/")[0] + reverse("account_reauthenticate")):
        page.locator("#id_password").fill(PASSWORD)
        submit("Go on")(page)


def say(words):
    def act(page):
        page.locator("#composer textarea").fill(words)
        page.locator("#composer button").last.click()
        page.locator("#guard").wait_for()

    return act


def desks(town):
    """Where staff decide about money: payouts, trades, payments."""
    payout, refunds = reverse("payments:desk"), reverse("payments:desk-payments")
    one_payout = reverse("payments:desk-payout", args=[town.payments["payout"].pk])
    one_trade = reverse("moderation:trade", args=[town.trades["disputed"].pk])
    doubtful = reverse("payments:desk-payment", args=[town.doubtful.pk])
    plain = reverse("payments:desk-payment", args=[town.payments["completed"].pk])
    for name, path, act in (
        ("payouts", payout, None),
        ("payouts-over", f"{payout}?show=over", None),
        ("payout", one_payout, None),
        ("payout-number", one_payout, submit("Show the whole number")),
        ("payout-errors", one_payout, in_turn(unfold("Give the money back"), submit("Give the money back"))),
        ("trades-staff", reverse("moderation:trades"), None),
        ("trades-staff-empty", reverse("moderation:trades") + "?number=99999999", None),
        ("trade-staff", one_trade, None),
        ("trade-staff-errors", one_trade, submit("Refund")),
        ("refund-desk", refunds, None),
        ("refund-desk-unclear", f"{refunds}?show=unclear", None),
        ("refund-desk-empty", f"{refunds}?q=99999999", None),
        ("refund-desk-payment", doubtful, None),
        ("refund-desk-errors", doubtful, submit("Refund")),
        ("refund-desk-decision", doubtful, in_turn(unfold("It was made"), unfold("It was not made"))),
        ("refund-desk-plain", plain, None),
    ):
        yield Shot(name, path, town.moderator, act=act)


def said(page, words):
    """The same words in the language of the page."""
    with translation.override(page.locator("html").get_attribute("lang")):
        return translation.gettext(words)


def submit(name):
    return lambda page: page.get_by_role("button", name=said(page, name)).locator("visible=true").last.click()


def unfold(name):
    return lambda page: page.locator("summary").filter(has_text=said(page, name)).first.click()


def in_turn(*acts):
    def act(page):
        for one in acts:
            one(page)

    return act


def audited(*, is_green):
    """The books after such an audit, looked at again; None: before the first."""

    def act(page):
        with ThreadPoolExecutor(1) as thread:
            thread.submit(towns.audit_books, is_green=is_green).result()
            thread.submit(connections.close_all).result()
        page.reload()

    return act


def open_filters(page):
    page.get_by_role("button", name=said(page, "Filters")).first.click()


def pay_from_empty_wallet(page):
    page.locator("input[value=balance]").check()
    page.locator("main form button").last.click()


def save_half_of_quiet_hours(page):
    page.locator("input[name=quiet_from]").fill("")
    page.locator("main form button").last.click()


def open_menu(page):
    page.locator("details.menu summary").first.click()


def reveal(page):
    password = page.get_by_label(said(page, "Your WibeStore password"))
    if password.count():  # not said a moment ago
        password.fill(PASSWORD)
    page.get_by_role("button", name=said(page, "Show the login")).click()
    page.get_by_text(said(page, "Note from the seller")).wait_for()


class Walk:
    """One window in which page after page is opened, once each, then resized and dressed. `problems` is what was found."""

    def __init__(self, browser, site, town):
        self.town, self.site, self.who, self.cookies = town, site, None, {}
        self.context = browser.new_context(
            base_url=site, reduced_motion="reduce", viewport={"width": SMALL[0], "height": SHORT}
        )
        self.context.set_default_timeout(15_000)
        self.context.add_init_script(_STILL)
        self.page = self.context.new_page()
        self.debugger = self.context.new_cdp_session(self.page)
        self.problems, self.here = [], ""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.note(f"script: {error}"))

    def _heard(self, message):
        address = message.location.get("url", "")
        # What a page's own form is answered, be it sent by the page's script.
        is_own_answer = address.split("?")[0].startswith(self.page.url.split("?")[0].split("#")[0])
        if message.type == "error" and not ("Failed to load resource" in message.text and is_own_answer):
            self.note(f"console: {message.text} {address}")

    def note(self, text):
        self.problems.append(f"{self.here}: {text}")

    def visit(self, shot, axe_source):
        """On small phones in each language: nothing sticks out. In both sizes and themes: pictures, and axe.

        Only colours differ between the themes, so axe asks the dark one for those alone. The page is loaded once,
        and each size drawn once: that is what takes the time.
        """
        self.here = shot.name
        self.become(shot.who)
        self.speak("en")
        self.open(shot)
        self.fit(*SMALL)
        for width, themes in ((PHONE, ("light", "dark")), (DESKTOP, ("dark", "light"))):
            if shot.only in (None, width):
                self.grow(width)
                for theme in themes:
                    self.wear(theme)
                    self.take(width, theme)
                    self.examine(axe_source, rules=COLOURS if theme == "dark" else None)
        for language in ("uz", "ru"):
            self.here = f"{shot.name} in {language}"
            self.translate(shot, language)
            self.fit(SMALL[0])

    def become(self, who):
        if who is not self.who:
            # An open chat asks for what it missed: as somebody else it would be answered 404.
            self.page.goto("about:blank")
            self.context.clear_cookies(name="sessionid")
            if who:
                cookie = self.cookies.get(who.pk) or self.town.cookie_of(who)
                self.cookies[who.pk] = cookie
                self.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.site}])
            self.who = who

    def size(self, width, height):
        """Every new size is drawn, so none is asked for twice."""
        if self.page.viewport_size != {"width": width, "height": height}:
            self.page.set_viewport_size({"width": width, "height": height})

    def grow(self, width):
        """The window is as tall as the page, so that bars stand at its end and not across it. A phone is touched."""
        self.debugger.send("Emulation.setTouchEmulationEnabled", {"enabled": width == PHONE})
        self.size(width, HEIGHTS[width])
        self.size(width, max(self.page.evaluate(_HEIGHT), HEIGHTS[width]))

    def fit(self, *widths):
        for width in widths:
            self.size(width, SHORT)
            for complaint in fit.complaints(self.page):
                self.note(f"{complaint}, {width} wide")

    def speak(self, language):
        self.context.add_cookies([{"name": "django_language", "value": language, "url": self.site}])

    def open(self, shot):
        self.page.goto(shot.path)
        self.wear("light")
        if shot.act:
            shot.act(self.page)
            self.page.wait_for_load_state()

    def translate(self, shot, language):
        """The same page in another language. What has been done to a page must be done again; else its body will do."""
        self.speak(language)
        if shot.act:
            self.open(shot)
        else:
            self.page.evaluate(_ANOTHER_BODY)
        spoken = self.page.locator("html").get_attribute("lang")
        assert spoken == language or shot.name == "500", self.here  # which says it in all three at once

    def wear(self, theme):
        """What the theme cookie does, without asking the server for the same page again."""
        self.page.evaluate(_THEME, theme)

    def take(self, width, theme):
        self.page.evaluate(_PICTURES)
        # The debugger's own JPEG takes half as long as the driver's PNG.
        picture = self.debugger.send("Page.captureScreenshot", {"format": "jpeg", "quality": 85})
        (FOLDER / f"{self.here}-{width}-{theme}.jpg").write_bytes(base64.b64decode(picture["data"]))

    def examine(self, axe_source, **which):
        for violation in axe.violations(self.page, axe_source, **which):
            self.note(violation)


# Nothing more is fetched by scrolling, for a tall window would scroll to the end of every list; and no colour fades from
# one theme into the other.
_STILL = """
  window.IntersectionObserver = class { observe() {} unobserve() {} disconnect() {} };
  const still = new CSSStyleSheet();
  still.replaceSync('*, ::before, ::after { transition: none !important }');
  document.adoptedStyleSheets.push(still);
"""
_THEME = "theme => { document.documentElement.dataset.theme = theme }"
_HEIGHT = "() => document.documentElement.scrollHeight"
# Pictures of the window that are still on their way; one that never comes holds nobody up.
_PICTURES = """() => Promise.race([new Promise(done => setTimeout(done, 1000)),
  Promise.all([...document.images].filter(one => !one.complete && one.checkVisibility())
    .map(one => new Promise(done => { one.onload = one.onerror = done })))])"""
_ANOTHER_BODY = """async () => {
  const answer = await fetch(location.href);
  const other = new DOMParser().parseFromString(await answer.text(), 'text/html');
  document.documentElement.lang = other.documentElement.lang;
  document.body.replaceWith(other.body);
}"""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_shows_well_and_bars_nobody(browser, site, town, axe_source, part):
    """In both themes and sizes: pictures, axe, a silent console; in three languages nothing is cut off on a phone."""
    FOLDER.mkdir(exist_ok=True)
    walk = Walk(browser, site, town)
    for shot in list(shots(town))[part::PARTS]:
        walk.visit(shot, axe_source)
    walk.context.close()

    assert not walk.problems, "\n".join(walk.problems)
