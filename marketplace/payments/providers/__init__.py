"""Payment providers: adapters that turn each one's own protocol into a few neutral commands."""

from django.conf import settings
from django.utils.module_loading import import_string

from marketplace.payments.providers.base import PaymentProvider


def get(code: str) -> PaymentProvider:
    """The provider of that code. Raises KeyError when the settings have none."""
    provider: PaymentProvider = import_string(settings.PAYMENT_PROVIDERS[code])()
    return provider
