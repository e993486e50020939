"""Moderators' decisions, and the one the house takes by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.testing import run_jobs
from marketplace.listings import services
from marketplace.listings.errors import ListingNotModeratable, OwnListing
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory
from marketplace.notifications.models import Notification

pytestmark = pytest.mark.django_db


def kinds_told(user):
    return [row.data["kind"] for row in Notification.objects.filter(user=user)]


def test_an_approved_offer_is_on_sale_and_its_seller_knows():
    listing, moderator = ListingFactory(status="pending"), StaffFactory()

    approved = services.approve(listing_id=listing.pk, moderator=moderator)
    services.approve(listing_id=listing.pk, moderator=moderator)

    assert approved.is_on_sale
    assert approved.moderated_by == moderator
    assert kinds_told(listing.seller) == ["listing_approved"]


def test_a_rejected_seller_reads_the_reason():
    listing = ListingFactory(status="pending")

    rejected = services.reject(listing_id=listing.pk, moderator=StaffFactory(), reason=" Blurred pictures. ")

    assert rejected.status == Listing.Status.REJECTED
    assert rejected.rejection_reason == "Blurred pictures."
    assert "Blurred pictures." in Notification.objects.get(user=listing.seller).message


def test_a_decision_against_a_seller_needs_a_reason():
    listing = ListingFactory(status="pending")

    with pytest.raises(ValueError, match="reason"):
        services.reject(listing_id=listing.pk, moderator=StaffFactory(), reason="  ")

    listing.refresh_from_db()
    assert listing.status == Listing.Status.PENDING


def test_an_offer_that_is_to_be_changed_is_a_draft_that_can_be_sent_again(mailoutbox):
    listing = ListingFactory(status="pending")

    back = services.ask_for_changes(
        listing_id=listing.pk, moderator=StaffFactory(), reason=" Blurred pictures. "
    )

    assert (back.status, back.needs_changes, back.is_editable) == (Listing.Status.DRAFT, True, True)
    assert back.rejection_reason == "Blurred pictures."
    assert kinds_told(listing.seller) == ["listing_changes_asked"]
    run_jobs()
    assert [mail.to for mail in mailoutbox] == [[listing.seller.email]]
    assert "Blurred pictures." in str(mailoutbox[0].body)


@pytest.mark.parametrize("status", ["draft", "active", "sold", "reserved", "rejected", "blocked", "archived"])
def test_changes_are_asked_only_of_what_waits(status):
    listing = ListingFactory(status=status)

    with pytest.raises(ListingNotModeratable):
        services.ask_for_changes(listing_id=listing.pk, moderator=StaffFactory(), reason="Blurred pictures.")


@pytest.mark.parametrize("status", ["draft", "sold", "reserved", "rejected", "archived"])
def test_only_what_waits_is_approved(status):
    listing = ListingFactory(status=status)

    with pytest.raises(ListingNotModeratable):
        services.approve(listing_id=listing.pk, moderator=StaffFactory())


def test_nobody_decides_about_their_own_offer():
    moderator = StaffFactory()
    listing = ListingFactory(status="pending", seller=moderator)

    with pytest.raises(OwnListing):
        services.approve(listing_id=listing.pk, moderator=moderator)


def test_a_blocked_offer_is_off_sale_but_not_out_of_a_trade():
    listing, reserved, moderator = ListingFactory(), ListingFactory(status="reserved"), StaffFactory()

    services.block(listing_id=listing.pk, moderator=moderator, reason="Stolen account")

    listing.refresh_from_db()
    assert listing.status == Listing.Status.BLOCKED
    with pytest.raises(ListingNotModeratable):
        services.block(listing_id=reserved.pk, moderator=moderator, reason="Stolen account")


# --- Approved by the system ---------------------------------------------------------------------


def waiting(hours=49, **changes):
    seller = UserFactory()
    listing = ListingFactory(
        status="pending", seller=seller, submitted_at=timezone.now() - timedelta(hours=hours), **changes
    )
    ListingFactory(status="sold", seller=seller)
    return listing


def test_a_clean_seller_does_not_wait_for_ever():
    listing = waiting()

    assert services.auto_approve(at=timezone.now()) == 1
    assert services.auto_approve(at=timezone.now()) == 0

    listing.refresh_from_db()
    assert listing.is_on_sale
    assert listing.moderated_by is None


def test_nobody_is_approved_before_the_waiting_time_is_over():
    waiting(hours=47)

    assert services.auto_approve(at=timezone.now()) == 0


def test_a_seller_without_a_sale_waits_for_a_person():
    ListingFactory(status="pending", submitted_at=timezone.now() - timedelta(days=9))

    assert services.auto_approve(at=timezone.now()) == 0


def test_what_a_moderator_gave_back_waits_for_a_moderator_again():
    waiting(rejection_reason="Blurred pictures.")

    assert services.auto_approve(at=timezone.now()) == 0


@pytest.mark.parametrize("status", ["rejected", "blocked"])
def test_a_seller_with_a_stain_waits_for_a_person(status):
    ListingFactory(status=status, seller=waiting().seller)

    assert services.auto_approve(at=timezone.now()) == 0
