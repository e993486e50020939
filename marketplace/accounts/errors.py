"""What is refused at the door."""

from http import HTTPStatus

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError


class InvalidCredentials(DomainError):
    """The same for a wrong password, an unknown address and a person who is switched off."""

    code = "invalid_credentials"
    status = HTTPStatus.UNAUTHORIZED
    message = _("The e-mail address or the password is wrong.")


class SecondFactorRequired(DomainError):
    """The password was right; the same request with a `code` will do."""

    code = "mfa_required"
    status = HTTPStatus.UNAUTHORIZED
    message = _("Enter the code of your second factor too.")


class WrongCode(DomainError):
    code = "mfa_invalid"
    status = HTTPStatus.UNAUTHORIZED
    message = _("This code is not right.")


class SecondFactorMissing(DomainError):
    """A member of staff who has not set one up (STAFF_SECOND_FACTOR)."""

    code = "second_factor_missing"
    status = HTTPStatus.FORBIDDEN
    message = _("Staff work here with a second factor only. Set one up on the site first.")


class LockedOut(DomainError):
    """Too many failures for this account from this address (django-axes). Waits as long as the lock does."""

    code = "locked_out"
    status = HTTPStatus.TOO_MANY_REQUESTS
    message = _("Too many failed tries. Wait a while, then try again.")

    @property
    def retry_after(self) -> int:
        """Seconds."""
        return int(settings.AXES_COOLOFF_TIME.total_seconds())


class TokenNotValid(DomainError):
    """A refresh token that is broken, too old, used before, or of somebody who may not come in any more."""

    code = "token_not_valid"
    status = HTTPStatus.UNAUTHORIZED
    message = _("The token is not valid. Sign in again.")


class LinkNotValid(DomainError):
    """The token of a mail's link is made up, too old or used."""

    code = "link_not_valid"
    status = HTTPStatus.BAD_REQUEST
    message = _("This link no longer works. Ask for a new one.")


class ExportTooSoon(DomainError):
    """One export a day: it reads all that is there of a person."""

    code = "export_too_soon"
    status = HTTPStatus.TOO_MANY_REQUESTS
    message = _("You have asked for a copy already today. Ask again tomorrow.")


class AccountLeaving(DomainError):
    """Who waits for their account to be deleted neither buys nor sells."""

    code = "account_leaving"
    message = _("Your account is to be deleted. Keep it, on the page about your data, to buy and sell again.")


class DeletionRefused(DomainError):
    """Money, trades or debts are open; the page lists them."""

    code = "deletion_refused"
    message = _("Your account cannot be deleted yet: something is still open.")


class StaffStays(DomainError):
    """Who works here is known to the records of what they decided; an administrator takes their rights first."""

    code = "staff_stays"
    status = HTTPStatus.FORBIDDEN
    message = _("An account of staff cannot be deleted here. Ask an administrator.")


class AlreadyOrganizer(DomainError):
    code = "already_organizer"
    message = _("You hold events already.")


class OrganizerDecided(DomainError):
    """Somebody else was quicker, or it was taken back."""

    code = "organizer_decided"
    message = _("This application is decided already.")


class OwnApplication(DomainError):
    code = "own_application"
    status = HTTPStatus.FORBIDDEN
    message = _("This application is your own: somebody else decides about it.")
