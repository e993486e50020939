"""Sending a short text to a phone. Who does it is a setting; each provider is one class with one method."""

from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class NotSent(Exception):
    """The provider was not reached, or refused; what it says holds neither the text nor our password."""


class Provider(Protocol):
    def send(self, *, number: str, text: str, callback: str) -> str:
        """Send it now. `number` as E.164; `callback`: where the provider may say later what became of it.

        Returns what it says of it at once. Raises NotSent.
        """


def is_on() -> bool:
    """Whether anything of phones is offered."""
    return bool(settings.SMS_PROVIDER)


def provider() -> Provider:
    made: Provider = import_string(settings.SMS_PROVIDERS[settings.SMS_PROVIDER])()
    return made
