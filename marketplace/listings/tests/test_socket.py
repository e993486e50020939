"""/ws/listings/<id>/: what programs are told of an offer."""

import uuid

import pytest

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.live.codes import Close
from marketplace.core.testing import call, played, socket, ticket_of
from marketplace.listings import services
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def offer():
    return ListingFactory(price=777_000_00)


async def follow(offer, user=None):
    return socket(f"/ws/listings/{offer.pk}/", ticket=await call(ticket_of, user or await call(UserFactory)))


def new_price(offer, price):
    offer = Listing.objects.get(pk=offer.pk)
    content = services.Content(
        game=offer.game, title=offer.title, description=offer.description, price=price, original_price=None,
        attributes=offer.attributes, features=offer.features, login_method=offer.login_method,
    )  # fmt: skip
    return services.edit(listing_id=offer.pk, seller=offer.seller, version=offer.version, content=content)


@played
async def test_the_state_comes_first_then_what_becomes_of_it(offer):
    buyer = await call(UserFactory)
    async with await follow(offer) as wire:
        state = {"id": str(offer.pk), "status": "active", "price": "777000.00", "currency": "UZS"}
        assert await wire.hear() == {"event": "state", "data": state}

        await call(new_price, offer, 666_000_00)
        assert await wire.hear() == {
            "event": "price_changed", "data": {**state, "price": "666000.00", "old": "777000.00"}
        }  # fmt: skip

        await call(services.reserve, listing_id=offer.pk, buyer=buyer)
        assert (await wire.hear("status_changed"))["status"] == "reserved"

        await call(services.mark_sold, listing_id=offer.pk)
        assert (await wire.hear())["data"]["old"] == "reserved"
        assert (await wire.hear())["event"] == "sold"


@played
async def test_what_changes_nothing_that_is_shown_is_not_told(offer):
    async with await follow(offer) as wire:
        await wire.hear("state")

        await call(new_price, offer, 777_000_00)

        await wire.say("ping")
        assert (await wire.hear())["event"] == "pong"


@pytest.mark.parametrize("way", ["blocked", "deleted"])
def test_why_an_offer_is_gone_is_its_sellers_business(offer, way):
    def go():
        if way == "blocked":
            services.block(listing_id=offer.pk, moderator=StaffFactory(), reason="A secret reason.")
        else:
            services.delete(listing_id=offer.pk, seller=offer.seller)

    @played
    async def story():
        async with await follow(offer) as wire, await follow(offer, offer.seller) as sellers:
            await call(go)

            assert (await wire.hear("status_changed"))["status"] == "withdrawn"
            told = (await sellers.hear("status_changed"))["status"]
            assert told == ("blocked" if way == "blocked" else "withdrawn")

    story()


@pytest.mark.parametrize("status", ["draft", "pending", "rejected", "blocked", "archived"])
def test_an_offer_that_is_not_public_is_not_there_for_others(status):
    @played
    async def story():
        offer = await call(ListingFactory, status=status)
        async with await follow(offer) as wire:
            assert await wire.closed() == Close.NOT_FOUND
        async with await follow(offer, offer.seller) as wire:
            assert (await wire.hear("state"))["status"] == status

    story()


@played
async def test_an_offer_that_never_was_is_not_there():
    ticket = await call(ticket_of, await call(UserFactory))
    async with socket(f"/ws/listings/{uuid.uuid4()}/", ticket=ticket) as wire:
        assert await wire.closed() == Close.NOT_FOUND
