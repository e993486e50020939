"""What is refused."""

from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError


class AlwaysTold(DomainError):
    code = "always_told"
    message = _("This cannot be switched off: money or your account’s safety depends on it.")


class TooManyCodes(DomainError):
    code = "too_many_codes"
    status = 429
    message = _("Too many codes. Wait ten minutes, then ask for another.")
    retry_after = 600


class TelegramOff(DomainError):
    code = "telegram_off"
    status = 404
    message = _("Telegram is not set up here.")
