"""Any order of steps, by anybody, at any time: the books stay right and the trade stays lawful."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from marketplace.core.errors import DomainError
from marketplace.escrow import services
from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.tests import factories as trades
from marketplace.ledger import checks
from marketplace.ledger import selectors as ledger
from marketplace.listings.tests.factories import ListingFactory

Status = EscrowTransaction.Status
FOLLOWS = {
    None: {Status.PENDING_PAYMENT, Status.PAID},
    Status.PENDING_PAYMENT: {Status.PAID, Status.CANCELLED},
    Status.PAID: {Status.DELIVERED, Status.CONFIRMED, Status.DISPUTED, Status.REFUNDED},
    Status.DELIVERED: {Status.CONFIRMED, Status.DISPUTED},
    Status.DISPUTED: set(),
    Status.CONFIRMED: set(),
    Status.REFUNDED: set(),
    Status.CANCELLED: set(),
}


class Trades(RuleBasedStateMachine):
    """One listing, two buyers, a clock; every step may come at any moment."""

    @initialize(price=st.integers(1, 10**12))
    def open_the_shop(self, price):
        self.listing = ListingFactory(price=price)
        self.seller = self.listing.seller
        self.buyers = [trades.rich_buyer(price), trades.rich_buyer(price)]
        self.wealth = 2 * price
        self.price = price
        self.now = timezone.now()
        self.seen = {}
        self.key = 0

    def trade(self):
        return EscrowTransaction.objects.order_by("-id").first()

    def attempt(self, step, **arguments):
        try:
            step(**arguments)
        except (DomainError, EscrowTransaction.DoesNotExist):
            return False
        return True

    @rule(who=st.integers(0, 1), from_balance=st.booleans(), again=st.booleans())
    def buy(self, who, from_balance, again):
        self.key += not again
        step = services.buy_from_balance if from_balance else services.buy
        self.attempt(
            step, listing_id=self.listing.pk, buyer=self.buyers[who], idempotency_key=f"key-{self.key}"
        )

    @precondition(lambda self: self.trade())
    @rule(who=st.integers(0, 1), step=st.sampled_from(["pay_from_balance", "cancel", "accept", "confirm"]))
    def buyer_acts(self, who, step):
        self.attempt(getattr(services, step), trade_id=self.trade().pk, buyer=self.buyers[who])

    @precondition(lambda self: self.trade())
    @rule()
    def seller_hands_over(self):
        self.attempt(services.hand_over, trade_id=self.trade().pk, seller=self.seller)

    @precondition(lambda self: self.trade())
    @rule(by_buyer=st.booleans())
    def somebody_disputes(self, by_buyer):
        trade = self.trade()
        self.attempt(
            services.open_dispute,
            trade_id=trade.pk, user=trade.buyer if by_buyer else trade.seller, reason="other", statement="Not right.",
        )  # fmt: skip

    @rule(hours=st.sampled_from([0.3, 1, 12, 24, 72]))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)
        services.sweep(at=self.now)

    @rule()
    def seller_relists(self):
        type(self.listing).objects.filter(pk=self.listing.pk, status="archived").update(status="active")

    @invariant()
    def the_books_are_right(self):
        assert [row for proof in checks.run() for row in proof.offending] == []
        people = [*self.buyers, self.seller]
        total = sum(ledger.balances(person).available + ledger.balances(person).held for person in people)
        assert total + ledger.house_balance("commission") == self.wealth

    @invariant()
    def states_follow_one_another(self):
        for trade in EscrowTransaction.objects.all():
            before = self.seen.get(trade.pk)
            assert trade.status == before or trade.status in FOLLOWS[before]
            self.seen[trade.pk] = trade.status

    @invariant()
    def the_listing_fits_its_trade(self):
        self.listing.refresh_from_db()
        open_ones = EscrowTransaction.objects.filter(
            listing=self.listing, status__in=EscrowTransaction.OPEN
        ).count()
        assert open_ones <= 1
        assert (self.listing.status == "reserved") == (open_ones == 1)
        assert (self.listing.status == "sold") == EscrowTransaction.objects.filter(
            status=Status.CONFIRMED
        ).exists()


class TradesTest(TestCase):
    def test_any_order_of_steps_keeps_trade_and_books_lawful(self):
        from django.db import transaction

        class Rolled(Trades):
            """Each run starts from an empty shop: what it wrote is rolled back at its end."""

            def __init__(self):
                super().__init__()
                self.block = transaction.atomic()
                self.block.__enter__()

            def teardown(self):
                transaction.set_rollback(True)
                self.block.__exit__(None, None, None)

        run_state_machine_as_test(
            Rolled,
            settings=settings(
                max_examples=25, stateful_step_count=20, deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )  # fmt: skip


pytestmark = pytest.mark.django_db
