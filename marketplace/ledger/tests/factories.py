from uuid import uuid4

from marketplace.ledger import accounts
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post


def fund(user, amount, currency="UZS"):
    """Put money (minor units) into a person's wallet, as a deposit would."""
    return post(
        JournalEntry.Kind.DEPOSIT,
        key=f"test:{uuid4()}",
        currency=currency,
        legs={accounts.clearing("test"): -amount, accounts.available(user.pk): amount},
    )
