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


def spend(user, amount, currency="UZS"):
    """Take money (minor units) out of a person's wallet, as a payout that was sent would."""
    return post(
        JournalEntry.Kind.WITHDRAWAL,
        key=f"test:{uuid4()}",
        currency=currency,
        legs={accounts.available(user.pk): -amount, accounts.clearing("test"): amount},
    )
