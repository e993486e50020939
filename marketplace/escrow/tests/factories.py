"""Trades at each step, made by the real services, so that the books fit them."""

import uuid

from marketplace.accounts.tests.factories import UserFactory
from marketplace.escrow import services
from marketplace.ledger.tests.factories import fund
from marketplace.listings.tests.factories import ListingFactory

PRICE = 100_000_00


def rich_buyer(amount=10 * PRICE):
    user = UserFactory()
    fund(user, amount)
    return user


def started(**listing):
    """A trade that waits for payment; its buyer has the money."""
    listing = ListingFactory(**{"price": PRICE, **listing})
    return services.buy(listing_id=listing.pk, buyer=rich_buyer(), idempotency_key=uuid.uuid4().hex)


def paid(**listing):
    trade = started(**listing)
    return services.pay_from_balance(trade_id=trade.pk, buyer=trade.buyer)


def handed_over(**listing):
    trade = paid(**listing)
    return services.hand_over(trade_id=trade.pk, seller=trade.seller)


def delivered(**listing):
    trade = handed_over(**listing)
    return services.accept(trade_id=trade.pk, buyer=trade.buyer)


def disputed(**listing):
    trade = delivered(**listing)
    services.open_dispute(
        trade_id=trade.pk,
        user=trade.buyer,
        reason="login_fails",
        statement="The password is refused since this morning.",
    )
    trade.refresh_from_db()
    return trade


def confirmed(**listing):
    trade = handed_over(**listing)
    return services.confirm(trade_id=trade.pk, buyer=trade.buyer)
