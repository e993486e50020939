"""Money paid in, and trades in every state."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from marketplace.accounts.models import User
from marketplace.core.money import Minor
from marketplace.escrow import services as escrow
from marketplace.escrow.models import EscrowTransaction
from marketplace.listings.models import Listing
from marketplace.payments import services as payments
from marketplace.payments.providers.base import Settle
from project.seed.clock import Clock

FINISHED = 36
REFUNDED = 3
CANCELLED = 3
OPEN = ("pending_payment", "pending_payment", "paid", "paid", "paid", "handed_over", "handed_over", "delivered", "delivered", "disputed", "disputed")  # fmt: skip


def top_up(user: User, amount: Minor, number: str, clock: Clock | None = None) -> None:
    """Pay in through the sandbox gateway, as its webhook would settle it."""
    payment = payments.start_payment(
        user=user, amount=amount, currency="UZS", method_code="sandbox", idempotency_key=f"seed-{number}"
    )
    if clock:
        clock.on(minutes=2)
    payments.act(Settle(payment.pk, f"seed-{number}", amount), "sandbox")


def add(buyers: Sequence[User], *, clock: Clock, now: datetime) -> int:
    """Play the trades in the order of time; nothing when there are trades already. Returns how many."""
    if EscrowTransaction.objects.exists():
        return 0
    rng = random.Random(7)  # nosec B311
    offers = list(
        Listing.objects.alive()
        .filter(status="active", price__lte=6_000_000_00)
        .select_related("seller")
        .order_by("pk")[:160]
    )
    rng.shuffle(offers)
    made = 0
    past = [*["confirmed"] * FINISHED, *["refunded"] * REFUNDED, *["cancelled"] * CANCELLED]
    rng.shuffle(past)
    pause = (now - timedelta(days=4) - clock.at) / len(past)
    for ending in past:
        begun = clock.at
        play(offers.pop(), rng.choice(buyers), ending, clock, made)
        made += 1
        clock.at = max(clock.at, begun + pause)
    clock.at = now - timedelta(hours=20)
    for state in reversed(OPEN):
        if state == "pending_payment":
            clock.at = max(clock.at, now - timedelta(minutes=3))
        play(offers.pop(), rng.choice(buyers), state, clock, made)
        made += 1
    return made


def play(listing: Listing, buyer: User, state: str, clock: Clock, number: int) -> None:
    """One trade from "Buy" up to that state, at a human pace."""
    if state not in {"pending_payment", "cancelled"}:
        top_up(buyer, -(-listing.price // 1_000_000_00) * 1_000_000_00, str(number), clock)
    clock.on(minutes=1)
    trade = escrow.buy(listing_id=listing.pk, buyer=buyer, idempotency_key=f"seed-{number}")
    if state == "pending_payment":
        return
    if state == "cancelled":
        escrow.cancel(trade_id=trade.pk, buyer=buyer)
        return
    escrow.pay_from_balance(trade_id=trade.pk, buyer=buyer)
    if state == "paid":
        return
    if state == "refunded":
        clock.on(hours=25)
        escrow.sweep(at=clock.at)
        return
    clock.on(minutes=25)
    escrow.hand_over(trade_id=trade.pk, seller=listing.seller)
    if state == "handed_over":
        return
    clock.on(minutes=12)
    escrow.reveal(trade_id=trade.pk, viewer=buyer)
    clock.on(minutes=20)
    if state == "disputed":
        words = "Parol toʻgʻri kelmayapti, sotuvchi javob bermayapti. Ikki marta urinib koʻrdim."
        escrow.open_dispute(trade_id=trade.pk, user=buyer, reason="login_fails", statement=words)
        return
    escrow.accept(trade_id=trade.pk, buyer=buyer)
    if state == "confirmed":
        clock.on(hours=2)
        escrow.confirm(trade_id=trade.pk, buyer=buyer)
