"""Writing an offer: what stands beside the form follows what is typed, and is not needed."""

import re

import pytest
from playwright.sync_api import expect

from e2e.pictures import inventory
from marketplace.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.e2e


def shot(number):
    return {"name": f"{number}.png", "mimeType": "image/png", "buffer": inventory(number)}


@pytest.fixture
def seller(visitor, site):
    def arrive(**options):
        person = visitor(viewport={"width": 1440, "height": 900}, **options)
        person.logs_in(UserFactory(full_name="Aziz Karimov").email)
        person.goes_to("/sell/?game=pubg-mobile")
        return person

    return arrive


def test_the_card_and_the_quality_follow_what_is_typed(seller):
    person = seller()
    card, said = person.page.locator("#preview-card"), person.page.locator("#preview [role=status]")
    expect(card).to_contain_text("Your title")
    person.page.evaluate("window.said = document.querySelector('#preview [role=status]')")

    person.page.get_by_label("Title", exact=True).press_sequentially("Conqueror with the Glacier set")
    expect(card).to_contain_text("Conqueror with the Glacier set")
    person.page.locator("#id_price").fill("1 500 000")
    expect(card).to_contain_text("1\u00a0500\u00a0000")
    person.page.locator("#id_pictures").set_input_files([shot(n) for n in (1, 2, 3)])
    expect(card.locator("img").first).to_have_attribute("src", re.compile("^blob:"))
    expect(said).to_contain_text("2 steps")

    assert person.page.evaluate("window.said.isConnected"), "a live region that is replaced is not read out"
    expect(person.page.get_by_label("Title", exact=True)).to_have_value("Conqueror with the Glacier set")


def test_log_in_details_stay_in_the_form_until_it_is_sent(seller):
    person, sent = seller(), []
    person.page.on("request", lambda request: sent.append(request.post_data or ""))

    person.page.locator("#id_account_password").fill("Maxfiy-parol-42")
    person.page.locator("#id_account_email").fill("conqueror@example.uz")
    with person.page.expect_response("**/sell/preview/"):
        person.page.locator("#id_price").fill("1 500 000")

    assert any("price=1" in body for body in sent)
    assert not [body for body in sent if "Maxfiy" in body or "conqueror" in body]


def test_another_game_changes_the_card(seller):
    person = seller()

    with person.page.expect_response("**/sell/preview/"):
        person.page.locator("#game-choice").select_option("steam")

    expect(person.page.locator("#preview-card")).to_contain_text("Steam")


def test_keys_and_screen_readers_pass_the_card_by_and_without_scripts_it_is_not_there(seller):
    expect(seller().page.locator("#preview-card a")).to_have_count(1)
    assert seller().page.evaluate("document.querySelector('#preview-card').inert")

    plain = seller(scripts=False)

    expect(plain.page.locator("#preview")).to_be_hidden()
    expect(plain.page.get_by_role("heading", name="What sells well")).to_be_visible()
