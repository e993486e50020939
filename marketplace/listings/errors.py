"""What is refused about listings."""

from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError


class ListingNotAvailable(DomainError):
    code = "listing_not_available"
    message = _("This offer is no longer available: somebody has just bought it, or the seller took it back.")


class OwnListing(DomainError):
    code = "own_listing"
    message = _("This is your own offer.")


class ListingNotEditable(DomainError):
    code = "listing_not_editable"
    message = _(
        "This offer cannot be changed while it is being bought, or after it was sold, rejected or blocked."
    )


class ListingChanged(DomainError):
    code = "listing_changed"
    message = _(
        "This offer was changed elsewhere since you opened the form. Open it again, so that nothing gets lost."
    )


class ListingNotModeratable(DomainError):
    code = "listing_not_moderatable"
    message = _("This offer is not waiting for a decision any more.")


class CredentialsMissing(DomainError):
    code = "credentials_missing"
    message = _("Add the log-in details: a buyer gets them from us after paying.")


class TooManyPictures(DomainError):
    code = "too_many_pictures"
    message = _("An offer has at most five pictures.")


class TooManyListings(DomainError):
    code = "too_many_listings"
    status = 429
    message = _("You have very many offers waiting for review. Add more once some of them are decided.")
