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


class MailedCodeRequired(DomainError):
    """What was shown is right, but the browser or program is new to the person: a code went to their mailbox.

    `request_id` belongs to the code; `expires_in`: seconds.
    """

    code = "mail_code_required"
    status = HTTPStatus.UNAUTHORIZED
    message = _("This device is new to your account. Enter the code that we have sent to your mailbox.")

    def __init__(self, why: str, *, request_id: str, expires_in: int) -> None:
        super().__init__(why)
        self.details = {"request_id": request_id, "expires_in": expires_in}


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


# --- Ways in by others ------------------------------------------------------------------------------


class ProviderSilent(DomainError):
    """Google could not be reached, or answered what is no answer."""

    code = "provider_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    message = _("Google does not answer right now. Try again a little later, or sign in another way.")


class ProviderNotBelieved(DomainError):
    """What came in Google's name was not signed by Google, not for us, not for now, or not for this sign-in."""

    code = "provider_token_not_valid"
    status = HTTPStatus.UNAUTHORIZED
    message = _("Google's answer could not be checked. Begin again.")


class TelegramNotBelieved(DomainError):
    """As ProviderNotBelieved, of Telegram."""

    code = "provider_token_not_valid"
    status = HTTPStatus.UNAUTHORIZED
    message = _("Telegram's answer could not be checked, or it is too old. Begin again.")


class NotConnected(DomainError):
    """Telegram tells no address, so it makes no account; it opens one that was connected with it."""

    code = "not_connected"
    status = HTTPStatus.FORBIDDEN
    message = _(
        "No account is connected with this Telegram. Log in another way, then connect it under “Ways in”."
    )


class AddressNotConfirmedThere(DomainError):
    """Google has an address of the person, and does not know whether it is theirs."""

    code = "provider_email_not_verified"
    status = HTTPStatus.FORBIDDEN
    message = _("Google has not confirmed your address. Confirm it there, or sign up here by e-mail.")


class AddressNotConfirmedHere(DomainError):
    """An account has this address, and nobody has shown that it is theirs: it may be a stranger who typed it first."""

    code = "account_email_not_verified"
    status = HTTPStatus.CONFLICT
    message = _(
        "There is an account with your address already, and it was never confirmed. Log in to it first, then connect Google."
    )


class AccountClosed(DomainError):
    code = "account_closed"
    status = HTTPStatus.FORBIDDEN
    message = _("This account is switched off. Write to us if that is a mistake.")


class ConnectedElsewhere(DomainError):
    code = "connected_elsewhere"
    message = _("That account opens somebody else's account here already.")


class AnotherAccount(DomainError):
    """Somebody was to show again who they are, and came back as somebody else."""

    code = "another_account"
    status = HTTPStatus.FORBIDDEN
    message = _("That is not the account you are connected with.")


class LastWayIn(DomainError):
    code = "last_way_in"
    message = _("This is the only way into your account. Set a password first.")


# --- Codes by SMS -------------------------------------------------------------------------------------


class WrongMailedCode(DomainError):
    """The same for a wrong code and for one that is used up, too old or has been guessed at too often."""

    code = "code_not_valid"
    status = HTTPStatus.UNAUTHORIZED
    message = _("This code is wrong or too old.")


class WrongPhoneCode(DomainError):
    """The same for a wrong code, one that is used up or too old, and one that was sent to nobody."""

    code = "code_not_valid"
    status = HTTPStatus.UNAUTHORIZED
    message = _("This code is wrong or too old.")


class TooManyCodes(DomainError):
    """Codes to this number, for this person or from this network address. `retry_after`: seconds."""

    code = "too_many_codes"
    status = HTTPStatus.TOO_MANY_REQUESTS
    message = _("A code was asked for a moment ago, or too often. Wait a little, then try again.")

    def __init__(self, why: str, *, retry_after: int) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class SmsUnavailable(DomainError):
    code = "sms_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    message = _("No codes can be sent right now. Try again later.")
