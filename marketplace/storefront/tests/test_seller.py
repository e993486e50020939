"""A seller as others see them."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.services import edit_profile
from marketplace.accounts.tests.factories import UserFactory
from marketplace.escrow import services as escrow
from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.tests import factories as trades
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory, game
from marketplace.storefront import selectors

pytestmark = pytest.mark.django_db


def url(name):
    return reverse("storefront:seller", args=[name])


def test_a_seller_is_shown_with_what_is_on_sale(client):
    seller = UserFactory(
        full_name="Aziz Karimov", username="azizk", rating=4.9, rating_count=12, total_sales=31
    )
    ListingFactory(seller=seller, title="His offer")
    ListingFactory(seller=seller, title="His draft", status=Listing.Status.DRAFT)
    ListingFactory(title="Another's offer")

    html = client.get(url("azizk")).content.decode()

    assert "Aziz Karimov" in html
    assert "4.9" in html
    assert "12 reviews" in html
    assert "His offer" in html
    assert "His draft" not in html
    assert "Another&#x27;s offer" not in html
    assert seller.email not in html


def test_a_newcomer_has_no_rating_and_no_empty_grid(client):
    seller = UserFactory()

    html = client.get(url(seller.handle)).content.decode()

    assert "No reviews yet" in html
    assert "Nothing on sale now" in html


def test_offers_can_be_narrowed_to_one_game(client):
    seller = UserFactory(username="azizk")
    ListingFactory(seller=seller, title="His outfits")
    ListingFactory(seller=seller, title="His library", game=game("steam"))

    everything = client.get(url("azizk")).content.decode()
    steam = client.get(url("azizk"), {"game": "steam"}).content.decode()
    unknown = client.get(url("azizk"), {"game": "no-such-game"}).content.decode()

    assert "?game=steam" in everything
    assert "His library</a>" in steam
    assert "His outfits</a>" not in steam
    assert "His outfits</a>" in unknown


def test_one_game_needs_no_filter(client):
    ListingFactory(seller=UserFactory(username="azizk"))

    assert "?game=pubg-mobile" not in client.get(url("azizk")).content.decode().split('id="on-sale"')[1]


def test_the_last_sales_are_shown(client):
    seller = UserFactory(username="azizk")
    ListingFactory(seller=seller, title="Gone to its buyer", status=Listing.Status.SOLD)
    ListingFactory(seller=seller, title="Taken back", status=Listing.Status.ARCHIVED)

    html = client.get(url("azizk")).content.decode()

    assert "Sold lately" in html
    assert "Gone to its buyer" in html
    assert "Taken back" not in html


def test_a_sellers_trades_tell_how_they_hand_over():
    seller = UserFactory()
    for minutes in (10, 30, 20):
        handed_over(seller, after=timedelta(minutes=minutes))
    kept_waiting = trades.paid(seller=seller)
    escrow.sweep(at=kept_waiting.due_at + timedelta(minutes=1))
    trades.paid(seller=seller)  # has time left, and tells nothing yet

    record = selectors.record(seller)

    assert record.in_time == 75
    assert record.hand_over == timedelta(minutes=20)


def test_two_trades_tell_nothing_about_a_seller():
    seller = UserFactory()
    for _trade in range(2):
        handed_over(seller, after=timedelta(minutes=1))

    record = selectors.record(seller)

    assert record.in_time is None
    assert record.hand_over is None


def test_who_never_hands_over_has_no_usual_time(client):
    seller = UserFactory(username="azizk")
    for _trade in range(3):
        trade = trades.paid(seller=seller)
        escrow.sweep(at=trade.due_at + timedelta(minutes=1))

    html = client.get(url("azizk")).content.decode()

    assert "0% handed over in time" in html
    assert "Usually hands over" not in html


def handed_over(seller, *, after):
    trade = trades.handed_over(seller=seller)
    EscrowTransaction.objects.filter(pk=trade.pk).update(handed_over_at=trade.paid_at + after)


@pytest.mark.parametrize("name", ["handle", "upper"])
def test_every_name_leads_to_the_one_address(client, name):
    seller = UserFactory(username="azizk")
    spelt = {"handle": seller.handle, "upper": "AzizK"}[name]

    response = client.get(url(spelt))

    assert response.status_code == 302
    assert response.url == url("azizk")


@pytest.mark.parametrize("gone", [{"is_active": False}, {"is_active": False, "deleted_at": timezone.now()}])
def test_who_is_gone_or_blocked_is_not_found(client, gone):
    seller = UserFactory(username="azizk", **gone)

    assert client.get(url("azizk")).status_code == 404
    assert client.get(url(seller.handle)).status_code == 404


def test_more_offers_come_by_a_plain_link_and_as_a_partial(client, monkeypatch):
    monkeypatch.setattr("marketplace.listings.selectors.PAGE_SIZE", 2)
    seller = UserFactory(username="azizk")
    for title in ("First", "Second", "Third"):
        ListingFactory(seller=seller, title=title)

    first = client.get(url("azizk")).content.decode()
    second = client.get(url("azizk"), {"page": 2}).content.decode()
    part = client.get(
        url("azizk"), {"page": 2}, headers={"HX-Request": "true", "HX-Target": "more"}
    ).content.decode()

    assert "?page=2" in first
    assert "First</a>" not in first
    assert "First</a>" in second
    assert "First</a>" in part
    assert "<html" not in part


@pytest.mark.django_db(transaction=True)
def test_a_signed_in_reader_costs_at_most_eight_queries(client, django_assert_max_num_queries):
    seller = UserFactory(username="azizk")
    ListingFactory.create_batch(9, seller=seller)
    client.force_login(UserFactory())
    client.get(url("azizk"))

    with django_assert_max_num_queries(8):
        client.get(url("azizk"))


def test_a_new_name_is_seen_by_the_next_visitor(client, django_capture_on_commit_callbacks):
    seller = UserFactory(username="azizk", full_name="Before")
    assert "Before" in client.get(url("azizk")).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        seller.full_name = "After"
        edit_profile(user=seller, changed=["full_name"])

    assert "After" in client.get(url("azizk")).content.decode()
