"""Beside the sell form: the card as buyers will see it, and what would make the offer better."""

import pytest
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import LOGIN, PASSWORD, ListingFactory, game, offer, upload

pytestmark = pytest.mark.django_db
PREVIEW = "/sell/preview/"
GOOD = {
    "title": "Conqueror with the Glacier set, 214 outfits",
    "description": "Played since the second season, everything included. " * 3,
    "a_outfits": "214",
    "picture_count": "3",
}


@pytest.fixture
def seller(client):
    game()
    person = UserFactory(full_name="Aziz Karimov")
    client.force_login(person)
    return person


def preview_of(client, data, url=PREVIEW):
    response = client.post(url, data)
    assert response.status_code == 200
    return response.context["preview"], response.content.decode()


def missing(preview):
    return [check.label for check in preview.checks if not check.is_done]


def test_the_card_shows_what_is_written_and_nothing_is_saved(client, seller):
    _preview, html = preview_of(client, offer(original_price="2 000 000"))

    for shown in ("Conqueror with the Glacier set", "1\u00a0500\u00a0000", "−25%", "Aziz Karimov", "Lv 78"):
        assert shown in html
    assert not Listing.objects.exists()


def test_a_form_that_has_only_begun_has_a_card_too(client, seller):
    preview, html = preview_of(client, {"game": "pubg-mobile", "title": "Con", "price": "x", "a_level": "-4"})

    assert "Con</a>" in html
    assert preview.tile.price == 0
    assert preview.done == 0


def test_the_quality_names_what_is_still_missing(client, seller):
    everything = {item.field_name: "1" for item in game().schema.attributes if item.kind == "integer"}
    everything |= {item.field_name: item.options[0].code for item in game().schema.attributes if item.options}
    complete = offer(**GOOD) | everything

    assert missing(preview_of(client, complete)[0]) == []
    for less, said in (
        ({"title": "Conqueror"}, "title"),
        ({"description": "Played since the second season."}, "description"),
        ({"picture_count": "2"}, "pictures"),
        ({"a_level": ""}, "facts"),
        ({"price": "0"}, "price"),
    ):
        (label,) = missing(preview_of(client, complete | less)[0])
        assert said in label


def test_stored_pictures_count_as_long_as_they_are_kept(client, seller):
    client.post("/sell/", offer(pictures=[upload(name=f"{n}.png") for n in range(3)]))
    listing = Listing.objects.get()
    first, second, third = listing.images.all()
    url = reverse("listings:preview", args=[listing.pk])

    kept, _html = preview_of(client, offer(version=listing.version, first=str(second.pk)), url)
    fewer, _html = preview_of(client, offer(removed=[str(first.pk), str(third.pk)]), url)

    assert kept.tile.cover == second.card.name
    assert fewer.tile.cover == second.card.name
    assert kept.done == fewer.done + 1


def test_the_page_comes_with_the_preview_of_what_is_stored(client, seller):
    listing = ListingFactory(seller=seller, title="Stored title of an account")

    new = client.get("/sell/", {"game": "pubg-mobile"}).context["preview"]
    edited = client.get(f"/sell/{listing.pk}/").context["preview"]

    assert new.done == 0
    assert edited.tile.title == "Stored title of an account"
    assert edited.done == 2, "the title and the price"


def test_another_game_asks_the_preview_to_come_again(client, seller):
    fields = client.get("/sell/", {"game": "steam"}, headers={"HX-Request": "true", "HX-Target": "facts"})

    assert fields["HX-Trigger-After-Swap"] == "facts-changed"
    assert "HX-Trigger-After-Swap" not in client.get("/sell/", {"game": "steam"})


def test_log_in_details_and_markup_do_not_come_back(client, seller):
    _preview, html = preview_of(client, offer(title="<script>alert(1)</script>"))

    assert "<script>" not in html
    assert LOGIN not in html
    assert PASSWORD not in html


def test_a_preview_is_for_sellers_of_their_own_offers_and_real_games(client, seller):
    other = ListingFactory()

    assert client.post(PREVIEW, offer(game="no-such-game")).status_code == 404
    assert client.post(reverse("listings:preview", args=[other.pk]), offer()).status_code == 404
    assert client.get(PREVIEW).status_code == 405
    client.logout()
    assert client.post(PREVIEW, offer()).url.startswith("/accounts/login/")


@pytest.mark.parametrize("count", ["", "-1", "٣", "999999999999", "x", "\x00"])
def test_a_made_up_number_of_pictures_is_none(client, seller, count):
    preview, _html = preview_of(client, offer(picture_count=count))

    assert any("pictures" in label for label in missing(preview))
