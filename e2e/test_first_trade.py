"""The whole first trade, from two sign-ups to the seller's wallet, with scripts and without."""

import io
import re
import uuid

import pytest
from django.core.management import call_command
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from e2e.people import PASSWORD
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs

pytestmark = pytest.mark.e2e

LOGIN, SECRET = "conqueror@example.uz", "Maxfiy-parol-42"


def picture(number):
    """A PNG as a phone would take it, each different."""
    image = Image.new("RGB", (1200, 900), (40 + 60 * number, 60, 140 - 40 * number))
    draw = ImageDraw.Draw(image)
    for place in range(12):
        draw.rectangle(
            [place * 100, 80 * number, place * 100 + 60, 900 - 50 * place], fill=(200, 18 * place, 90)
        )
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return {"name": f"inventory-{number}.png", "mimeType": "image/png", "buffer": buffer.getvalue()}


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_the_first_trade(visitor, scripts):
    mark = uuid.uuid4().hex[:8]
    title = f"Conqueror with Glacier {mark}"
    seller = newcomer(visitor(scripts=scripts), f"Aziz {mark}", f"aziz-{mark}@example.uz")
    buyer = newcomer(visitor(scripts=scripts), f"Jasur {mark}", f"jasur-{mark}@example.uz")
    moderator = visitor(scripts=scripts)

    writes_an_offer(seller, title)
    approves(moderator, title)
    finds_and_saves(buyer, title)
    trade = buys_through_the_gateway(buyer)
    hands_over(seller, trade)
    reveals(buyer, seller, trade)
    releases(buyer, trade)

    seller.goes_to("/wallet/")
    seller.sees("900\u00a0000")  # one million less the ten per cent
    assert [letter.subject for letter in seller.letters(seller.email)] == [
        "Confirm your e-mail address",
        "Welcome to WibeStore",
        "Your listing is published",
        "Paid: hand over the account",
        "You are paid",
    ]
    seller.goes_to("/notifications/")
    seller.sees(title)
    buyer.goes_to("/notifications/")
    buyer.sees(title)
    call_command("reconcile", stdout=io.StringIO())


def newcomer(person, name, email):
    person.signs_up(name, email)
    person.confirms_the_address()
    person.logs_in()
    return person


def writes_an_offer(seller, title):
    seller.goes_to("/")
    seller.follows("Sell", exact=True)
    seller.chooses("Game", "PUBG Mobile")
    seller.presses("Continue")
    seller.writes("Level", "78")
    seller.chooses("Rank", "Conqueror")
    seller.writes("Title", title)
    seller.writes("Description", "Main account since season 3.\nNever shared, never banned.")
    seller.page.locator("#id_price").fill("1 000 000")
    seller.page.locator("#id_pictures").set_input_files([picture(1), picture(2)])
    seller.page.locator("#id_account_email").fill(LOGIN)
    seller.page.locator("#id_account_password").fill(SECRET)
    seller.presses("Send to review")
    seller.sees("Your offer is sent to review.")
    seller.sees(title)


def approves(moderator, title):
    person = UserFactory(is_staff=True, is_superuser=True)
    moderator.logs_in(person.email, password="Qorbars7741")
    moderator.goes_to("/moderation/")
    moderator.page.get_by_role("link", name=re.compile(title)).locator("visible=true").first.click()
    moderator.reads_heading(title)
    moderator.presses("Approve")
    moderator.sees("is published")


def finds_and_saves(buyer, title):
    buyer.goes_to("/")
    search = buyer.page.get_by_role("main").get_by_role("searchbox")
    search.fill(title)
    search.press("Enter")
    buyer.page.get_by_role("article").get_by_role("link", name=title, exact=True).first.click()
    buyer.reads_heading(title)
    buyer.page.get_by_role("button", name="Save", exact=True).click()
    expect(buyer.page.get_by_role("button", name="Saved", exact=True)).to_be_visible()
    buyer.goes_to("/me/favourites/")
    buyer.sees(title)
    buyer.page.get_by_role("article").get_by_role("link", name=title, exact=True).first.click()


def buys_through_the_gateway(buyer):
    """Returns the address of the trade."""
    buyer.follows("Buy with escrow")
    buyer.page.get_by_role("radio", name=re.compile("Sandbox|Test")).first.check()
    buyer.presses(re.compile("^Buy for"))
    buyer.sees("Sandbox Pay")
    buyer.presses("Pay", exact=True)
    run_jobs()
    trade = re.search(r"/trades/[0-9a-f-]+/", buyer.page.url)
    if trade is None:
        buyer.page.reload()
        buyer.follows("Open the trade")
        trade = re.search(r"/trades/[0-9a-f-]+/", buyer.page.url)
    buyer.goes_to(trade[0])
    buyer.sees("The seller hands over the login")
    return trade[0]


def hands_over(seller, trade):
    seller.goes_to("/trades/")
    seller.page.locator(f'a[href="{trade}"]').first.click()
    seller.sees("money is held")
    seller.presses("Hand over the login")
    seller.sees("The buyer checks the account")


def reveals(buyer, seller, trade):
    buyer.goes_to(trade)
    buyer.does_not_see(SECRET)
    buyer.writes("Your WibeStore password", "not-my-password")
    buyer.presses("Show the login")
    buyer.sees("This is not your password.")
    buyer.does_not_see(SECRET)
    buyer.writes("Your WibeStore password", PASSWORD)
    buyer.presses("Show the login")
    buyer.sees(LOGIN)
    buyer.sees(SECRET)
    buyer.goes_to(trade)
    buyer.does_not_see(SECRET)
    seller.goes_to(trade)
    seller.sees("Who looked")


def releases(buyer, trade):
    buyer.goes_to(trade)
    buyer.follows("Confirm and release")
    buyer.page.get_by_label("I changed the password and the recovery address").check()
    buyer.presses("Release money")
    buyer.sees("The trade is finished")
    run_jobs()
