"""Secrets that providers change over their own protocols."""

import logging

from marketplace.core.transactions import joins_transaction
from marketplace.payments.models import ProviderCredential
from marketplace.payments.providers.base import ChangeSecret, Outcome
from marketplace.payments.services.attempts import act

logger = logging.getLogger("marketplace.payments")


@act.register
@joins_transaction
def change_secret(command: ChangeSecret, provider: str) -> Outcome:
    """From now on only this secret opens the door to the provider. Twice is harmless."""
    ProviderCredential.objects.update_or_create(provider=provider, defaults={"secret": command.secret})
    logger.warning("%s has changed its secret", provider)
    return Outcome()
