"""What moderators are told."""

from django.urls import reverse

from marketplace.listings.facts import ListingSubmitted
from marketplace.listings.models import Listing
from marketplace.moderation import selectors
from marketplace.notifications.services import notify


def tell_moderators(fact: ListingSubmitted) -> None:
    """A listing waits: every moderator gets a notification."""
    listing = Listing.objects.select_related("seller").filter(pk=fact.listing_id).first()
    if listing is None:
        return
    for moderator in selectors.moderators():
        notify(
            user=moderator,
            kind="listing_waiting",
            context={"title": listing.title, "seller": listing.seller.display_name},
            action_url=f"{reverse('moderation:queue')}?listing={listing.pk}",
        )
