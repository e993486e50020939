"""Every page as people see it: written to e2e/screens for a person to look at, and checked for what a machine can see."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.urls import reverse

from e2e import axe
from e2e import town as towns

pytestmark = pytest.mark.e2e

FOLDER = Path(__file__).parent / "screens"
NARROW, PHONE, DESKTOP = 320, 390, 1440
COLOURS = ["color-contrast"]
HEIGHTS = {NARROW: 640, PHONE: 844, DESKTOP: 900}


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
        Shot("login", reverse("account_login")),
        Shot("login-errors", reverse("account_login"), act=submit("Log in")),
        Shot("signup", reverse("account_signup")),
        Shot("signup-errors", reverse("account_signup"), act=submit("Create an account")),
        Shot("password-reset", reverse("account_reset_password")),
        *(
            Shot(slug, reverse("core:page", args=[slug]))
            for slug in ("how-it-works", "fees", "terms", "privacy", "contacts")
        ),
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
        Shot("deposit", reverse("payments:deposit"), buyer),
        Shot("deposit-errors", reverse("payments:deposit"), buyer, act=submit("Go to payment")),
        Shot(
            "gateway", urlsplit(money["pending"].payment_url)._replace(scheme="", netloc="").geturl(), buyer
        ),
        *(
            Shot(f"payment-{n}", reverse("payments:return", args=[money[n].pk]), buyer)
            for n in ("pending", "completed", "failed")
        ),
        Shot("withdraw", reverse("payments:withdraw"), buyer),
        Shot("transaction", reverse("payments:transaction", args=[money["completed"].pk]), buyer),
        Shot("profile", reverse("accounts:profile"), buyer),
        Shot("profile-edit", reverse("accounts:edit"), buyer),
        Shot("403", reverse("moderation:queue"), buyer),
    )
    newcomer = town.newcomer
    yield from (
        Shot("favourites-empty", reverse("listings:favourites"), newcomer),
        Shot("mine-empty", reverse("listings:mine"), newcomer),
        Shot("wallet-empty", reverse("payments:wallet"), newcomer),
        Shot("trades-empty", reverse("escrow:list"), newcomer),
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
        Shot("notifications", reverse("notifications:list"), seller),
    )
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
    )


def submit(name):
    return lambda page: page.get_by_role("button", name=name).locator("visible=true").last.click()


def open_filters(page):
    page.get_by_role("button", name="Filters").first.click()


def open_menu(page):
    page.locator("details.menu summary").first.click()


def reveal(page):
    page.get_by_label("Your WibeStore password").fill("Qorbars7741")
    page.get_by_role("button", name="Show the login").click()
    page.get_by_text("Change the password now").wait_for()


class Walk:
    """One window size, walked through page by page. `problems` is what was found."""

    def __init__(self, browser, site, town, width):
        self.town, self.site, self.who, self.width = town, site, None, width
        self.context = browser.new_context(base_url=site, reduced_motion="reduce", has_touch=width < DESKTOP)
        self.context.set_default_timeout(15_000)
        self.context.add_cookies([{"name": "theme", "value": "light", "url": site}])
        self.page = self.context.new_page()
        self.problems, self.here = [], ""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.note(f"script: {error}"))

    def _heard(self, message):
        address = message.location.get("url", "")
        is_own_answer = address.split("?")[0] == self.page.url.split("?")[0].split("#")[0]
        if message.type == "error" and not ("Failed to load resource" in message.text and is_own_answer):
            self.note(f"console: {message.text} {address}")

    def note(self, text):
        self.problems.append(f"{self.here}: {text}")

    def open(self, shot):
        self.here = shot.name
        if shot.who is not self.who:
            self.context.clear_cookies(name="sessionid")
            if shot.who:
                cookie = self.town.cookie_of(shot.who)
                self.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.site}])
            self.who = shot.who
        self.page.set_viewport_size({"width": self.width, "height": HEIGHTS[self.width]})
        self.page.goto(shot.path)
        if shot.act:
            shot.act(self.page)

    def wear(self, theme):
        """What the theme cookie does, without asking the server for the same page again."""
        self.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)

    def take(self, theme):
        """Write the picture. The window grows to the page's height, so that bars stand at its end and not across it."""
        tall = self.page.evaluate("() => document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": self.width, "height": max(tall, HEIGHTS[self.width])})
        self.page.screenshot(path=FOLDER / f"{self.here}-{self.width}-{theme}.png", animations="disabled")
        self.page.set_viewport_size({"width": self.width, "height": HEIGHTS[self.width]})

    def examine(self, axe_source, **which):
        for violation in axe.violations(self.page, axe_source, **which):
            self.note(violation)

    def narrow(self):
        """On the smallest phone nothing may stick out."""
        self.page.set_viewport_size({"width": NARROW, "height": HEIGHTS[NARROW]})
        for element in self.page.evaluate(_TOO_WIDE):
            self.note(f"wider than {NARROW}: {element}")


_TOO_WIDE = """() => {
  const most = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= most) return [];
  return [...document.body.querySelectorAll('*')].filter(one => one.getBoundingClientRect().right > most + 1)
    .slice(0, 3).map(one => one.tagName + '.' + one.className + ' ' + Math.round(one.getBoundingClientRect().right));
}"""


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_every_page_shows_well_and_bars_nobody(browser, site, town, axe_source, width):
    """In both themes: pictures, axe, a silent console, and on a phone no sideways scrolling."""
    FOLDER.mkdir(exist_ok=True)
    walk = Walk(browser, site, town, width)
    for shot in shots(town):
        if shot.only not in (None, width):
            continue
        walk.open(shot)
        walk.take("light")
        # The colours are the same in every size, and take axe longest.
        walk.examine(axe_source, without=() if width == PHONE else COLOURS)
        walk.wear("dark")
        walk.take("dark")
        if width == PHONE:
            walk.examine(axe_source, rules=COLOURS)
            walk.narrow()
    walk.context.close()

    assert not walk.problems, "\n".join(walk.problems)
