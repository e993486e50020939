"""What a seller can do with an offer, and what happens to it on the way."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import announce
from marketplace.listings import services
from marketplace.listings.errors import (
    CredentialsMissing,
    ListingChanged,
    ListingNotAvailable,
    ListingNotEditable,
)
from marketplace.listings.facts import ListingSubmitted, PriceChanged
from marketplace.listings.models import Credentials, Listing
from marketplace.listings.tests.factories import LOGIN, PASSWORD, ListingFactory, game

pytestmark = pytest.mark.django_db
SECRETS = services.Secrets(LOGIN, PASSWORD, "codes")


def content(**changes):
    values = {
        "game": game(),
        "title": "Conqueror with Glacier",
        "description": "Everything included.",
        "price": 1_500_000_00,
        "original_price": None,
        "attributes": {"level": 78, "rank": "conqueror"},
        "features": [],
    }
    return services.Content(**values | changes)


def same(listing, **changes):
    """The content that the listing has already, with changes."""
    fields = ("game", "title", "description", "price", "original_price", "attributes", "features")
    return content(**{name: getattr(listing, name) for name in fields} | changes)


def edit(listing, changed, **options):
    return services.edit(
        listing_id=listing.pk, seller=listing.seller, version=listing.version, content=changed, **options
    )


@pytest.fixture
def facts(monkeypatch, django_capture_on_commit_callbacks):
    """Every fact that is announced, as soon as it is."""
    told = []
    monkeypatch.setattr(announce, "_tell", told.append)
    monkeypatch.setattr(announce.transaction, "on_commit", lambda call: call())
    return told


def test_a_submitted_offer_waits_for_review(facts):
    listing = services.submit(seller=UserFactory(), content=content(), secrets=SECRETS)

    assert listing.status == Listing.Status.PENDING
    assert ListingSubmitted(listing_id=listing.pk, seller_id=listing.seller_id) in facts


def test_the_vault_is_ciphertext_in_the_database():
    listing = services.submit(seller=UserFactory(), content=content(), secrets=SECRETS)

    with connection.cursor() as cursor:
        cursor.execute("SELECT account_email, account_password, additional_info FROM listings_credentials")
        row = " ".join(cursor.fetchone())
    assert LOGIN not in row
    assert PASSWORD not in row
    assert "codes" not in row
    assert listing.credentials.account_password == PASSWORD


def test_secrets_do_not_show_in_a_repr():
    assert PASSWORD not in repr(SECRETS)


def test_without_log_in_details_nothing_is_submitted():
    with pytest.raises(CredentialsMissing):
        services.submit(seller=UserFactory(), content=content(), secrets=services.Secrets())

    assert not Listing.objects.exists()


def test_a_draft_needs_no_log_in_details():
    listing = services.save_draft(seller=UserFactory(), content=content())

    assert listing.status == Listing.Status.DRAFT


def test_a_pure_price_change_stays_on_sale(facts):
    listing = ListingFactory(price=200_000_00)

    edited = edit(listing, same(listing, price=150_000_00, original_price=200_000_00))

    assert edited.is_on_sale
    assert (
        PriceChanged(listing_id=listing.pk, seller_id=listing.seller_id, old=200_000_00, new=150_000_00)
        in facts
    )


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another title"},
        {"description": "Other words"},
        {"attributes": {"level": 5}},
        {"features": ["x"]},
    ],
)
def test_a_change_of_the_text_goes_to_review_again(change):
    listing = ListingFactory()

    edited = edit(listing, same(listing, **change))

    assert edited.status == Listing.Status.PENDING


def test_new_log_in_details_go_to_review_again_and_empty_ones_keep_the_old():
    listing = ListingFactory()

    edited = edit(listing, same(listing), secrets=services.Secrets(account_password="new-one"))

    assert edited.status == Listing.Status.PENDING
    vault = Credentials.objects.get(pk=listing.pk)
    assert (vault.account_email, vault.account_password) == (LOGIN, "new-one")


def test_a_draft_is_sent_and_kept_on_demand():
    sent, kept = ListingFactory(status="draft"), ListingFactory(status="draft")

    assert edit(sent, same(sent, title="A better title")).status == Listing.Status.PENDING
    assert edit(kept, same(kept), send=False).status == Listing.Status.DRAFT


def test_a_stale_form_is_refused():
    listing = ListingFactory()
    edit(listing, same(listing, price=90_000_00))

    with pytest.raises(ListingChanged):
        edit(listing, same(listing, title="Written over what changed"))


@pytest.mark.parametrize("status", ["reserved", "sold", "rejected", "blocked"])
def test_what_is_being_bought_sold_rejected_or_blocked_cannot_be_changed(status):
    listing = ListingFactory(status=status)

    with pytest.raises(ListingNotEditable):
        edit(listing, same(listing, price=1_000_00))


def test_a_stranger_changes_nothing():
    listing, stranger = ListingFactory(), UserFactory()

    with pytest.raises(ListingNotAvailable):
        services.edit(listing_id=listing.pk, seller=stranger, version=1, content=same(listing))
    with pytest.raises(ListingNotAvailable):
        services.withdraw(listing_id=listing.pk, seller=stranger)
    with pytest.raises(ListingNotAvailable):
        services.delete(listing_id=listing.pk, seller=stranger)


def test_a_withdrawn_offer_goes_back_on_sale_as_it_was():
    listing = ListingFactory()

    services.withdraw(listing_id=listing.pk, seller=listing.seller)
    services.withdraw(listing_id=listing.pk, seller=listing.seller)
    back = services.relist(listing_id=listing.pk, seller=listing.seller)

    assert back.is_on_sale


def test_a_withdrawn_offer_that_was_changed_goes_through_review():
    listing = ListingFactory(status="archived")

    edit(listing, same(listing, title="Another account altogether"), send=False)
    back = services.relist(listing_id=listing.pk, seller=listing.seller)

    assert back.status == Listing.Status.PENDING


def test_deleting_keeps_the_row_and_erases_the_secrets():
    listing = ListingFactory()

    services.delete(listing_id=listing.pk, seller=listing.seller)
    services.delete(listing_id=listing.pk, seller=listing.seller)

    assert Listing.objects.get(pk=listing.pk).deleted_at
    assert not Listing.objects.alive().exists()
    assert not Credentials.objects.exists()


@pytest.mark.parametrize("status", ["reserved", "sold"])
def test_what_is_in_a_trade_cannot_be_deleted(status):
    listing = ListingFactory(status=status)

    with pytest.raises(ListingNotEditable):
        services.delete(listing_id=listing.pk, seller=listing.seller)


@pytest.mark.parametrize(
    "law",
    [
        {"price": 0},
        {"price": -5},
        {"original_price": 100_000_00},
        {"approved_at": None},
        {"status": "sold"},
        {"sold_at": timezone.now()},
        {"status": "rejected"},
        {"status": "unknown"},
    ],
)
def test_the_database_keeps_its_laws(law):
    listing = ListingFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        Listing.objects.filter(pk=listing.pk).update(**law)
