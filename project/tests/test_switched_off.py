"""A person who is switched off in the administration: nothing of theirs is for sale, and trades that run come to their end."""

import uuid

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.accounts import services as accounts
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.testing import in_parallel
from marketplace.escrow import services as escrow
from marketplace.escrow.tests import factories as trades
from marketplace.listings import services as listings
from marketplace.listings.errors import ListingNotAvailable, ListingNotModeratable
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory

pytestmark = pytest.mark.django_db


def save_in_admin(person, **changes):
    """What an administrator's browser posts when only this is changed."""
    client = Client()
    client.force_login(StaffFactory())
    path = f"/admin/accounts/user/{person.pk}/change/"
    form = client.get(path).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name != "password"} | changes
    answer = client.post(
        path, {name: value for name, value in values.items() if value not in (None, False, "")}
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def switch_off(person):
    save_in_admin(person, is_active=False)
    assert not User.objects.get(pk=person.pk).is_active


def status_of(listing):
    return Listing.objects.get(pk=listing.pk).status


def test_their_offers_leave_every_window(django_capture_on_commit_callbacks):
    listing = ListingFactory(title="Conqueror with the rare Glacier set")
    shown = ["/", "/listings/", "/listings/?q=glacier", f"/listings/?seller={listing.seller.public_handle}"]
    pages = [*shown, listing.get_absolute_url(), f"/listings/{listing.pk}/buy/"]
    reader = Client()
    reader.force_login(UserFactory())
    assert all(listing.title in reader.get(page).content.decode() for page in pages)
    for page in pages[:-1]:
        Client().get(page)  # kept in memory now

    with django_capture_on_commit_callbacks(execute=True):
        switch_off(listing.seller)

    for client in (reader, Client()):
        for page in shown:
            assert listing.title not in client.get(page).content.decode(), page
        assert client.get(listing.get_absolute_url()).status_code == 404
    assert reader.get(f"/listings/{listing.pk}/buy/").status_code == 404


def test_buying_is_refused_whatever_the_row_says():
    listing = ListingFactory()
    User.objects.filter(pk=listing.seller_id).update(is_active=False)  # past every service

    with pytest.raises(ListingNotAvailable):
        escrow.buy(listing_id=listing.pk, buyer=UserFactory(), idempotency_key=uuid.uuid4().hex)
    with pytest.raises(ListingNotAvailable):
        escrow.buy_from_balance(
            listing_id=listing.pk, buyer=trades.rich_buyer(), idempotency_key=uuid.uuid4().hex
        )

    assert status_of(listing) == "active"


def test_what_waits_leaves_the_queue_and_cannot_be_published():
    waiting, late = ListingFactory(status="pending"), ListingFactory(status="pending")

    switch_off(waiting.seller)
    User.objects.filter(pk=late.seller_id).update(is_active=False)

    assert status_of(waiting) == "archived"
    with pytest.raises(ListingNotModeratable):
        listings.approve(listing_id=late.pk, moderator=StaffFactory())
    assert listings.auto_approve(at=timezone.now()) == 0


@pytest.mark.parametrize("status", ["draft", "reserved", "sold", "rejected", "blocked"])
def test_what_is_not_for_sale_stays_as_it_is(status):
    listing = ListingFactory(status=status)

    switch_off(listing.seller)

    assert status_of(listing) == status


def test_a_running_trade_comes_to_its_end():
    trade = trades.handed_over()

    switch_off(trade.seller)
    escrow.confirm(trade_id=trade.pk, buyer=trade.buyer)

    trade.refresh_from_db()
    assert trade.status == "confirmed"
    assert status_of(trade.listing) == "sold"


def test_a_trade_that_comes_to_nothing_does_not_put_the_offer_back_on_sale():
    trade = trades.started()

    switch_off(trade.seller)
    escrow.cancel(trade_id=trade.pk, buyer=trade.buyer)

    assert status_of(trade.listing) == "archived"


def test_switched_on_again_they_put_their_offers_up_themselves():
    listing = ListingFactory()
    switch_off(listing.seller)

    save_in_admin(User.objects.get(pk=listing.seller_id), is_active=True)

    assert status_of(listing) == "archived"
    assert listings.relist(listing_id=listing.pk, seller=listing.seller).is_on_sale


def test_saving_a_person_who_is_active_takes_nothing_off_sale():
    listing = ListingFactory()

    save_in_admin(listing.seller, full_name="Another Name")

    assert status_of(listing) == "active"
    assert User.objects.get(pk=listing.seller_id).full_name == "Another Name"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_switched_off_while_a_trade_comes_to_nothing_leaves_nothing_on_sale():
    for _time in range(5):
        trade = trades.started()
        seller = User.objects.get(pk=trade.seller_id)
        seller.is_active = False

        results = in_parallel(
            lambda: escrow.cancel(trade_id=trade.pk, buyer=trade.buyer),  # noqa: B023
            lambda: accounts.save_by_staff(user=seller),  # noqa: B023
        )

        assert not [result for result in results if isinstance(result, Exception)]
        assert status_of(trade.listing) == "archived"
