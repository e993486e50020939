"""Things that happen at the same moment. Each race has a control that shows it with the guard off."""

import itertools
import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.core.testing import in_parallel
from marketplace.escrow import services
from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.services import _steps, dispute, purchase, settlement
from marketplace.escrow.tests import factories as trades
from marketplace.ledger import checks
from marketplace.ledger import selectors as ledger
from marketplace.ledger.tests.factories import fund
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PRICE = trades.PRICE


def books_balance():
    return [row for proof in checks.run() for row in proof.offending]


def buy_at_once(listing, buyers):
    return in_parallel(
        *[
            lambda buyer=buyer: services.buy_from_balance(
                listing_id=listing.pk, buyer=buyer, idempotency_key=f"race-{buyer.pk}"
            )
            for buyer in buyers
        ]
    )


def test_of_many_buyers_at_once_one_gets_the_listing():
    listing = ListingFactory(price=PRICE)
    buyers = [trades.rich_buyer() for _number in range(4)]

    results = buy_at_once(listing, buyers)

    won = [result for result in results if isinstance(result, EscrowTransaction)]
    assert len(won) == 1
    assert sum(ledger.balances(buyer).held for buyer in buyers) == PRICE
    assert books_balance() == []


def read_then_write(trade_or_listing, change, gate):
    """The same step as a service would take it without its lock: read, wait for the other, write."""
    with transaction.atomic():
        row = type(trade_or_listing)._base_manager.get(pk=trade_or_listing.pk)
        gate.wait(timeout=10)
        return change(row)


def test_control_without_the_lock_both_buyers_find_the_listing_for_sale():
    listing, gate = ListingFactory(price=PRICE), threading.Barrier(2)

    def reserve(row):
        seen = row.status
        Listing.objects.filter(pk=row.pk).update(status="reserved")
        return seen

    seen = in_parallel(*[lambda: read_then_write(listing, reserve, gate)] * 2)

    assert seen == ["active", "active"]


def test_confirm_against_dispute_has_one_winner():
    for _round in range(4):
        trade = trades.delivered()

        in_parallel(
            partial(services.confirm, trade_id=trade.pk, buyer=trade.buyer),
            partial(
                services.open_dispute,
                trade_id=trade.pk,
                user=trade.seller,
                reason="other",
                statement="Not paid.",
            ),
        )

        trade.refresh_from_db()
        held, earned = ledger.balances(trade.buyer).held, ledger.balances(trade.seller).available
        assert (trade.status, held, earned) in {
            ("confirmed", 0, PRICE - PRICE // 10),
            ("disputed", PRICE, 0),
        }
        assert trade.disputes.exists() == (trade.status == "disputed")
        assert books_balance() == []


@pytest.fixture
def no_row_locks(monkeypatch):
    """Reads that no longer wait for one another, as if the services took no lock on the trade."""
    original = QuerySet.select_for_update

    def unlocked(self, *args, **kwargs):
        return self if self.model is EscrowTransaction else original(self, *args, **kwargs)

    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)


def test_control_without_the_trade_lock_a_confirm_runs_over_a_dispute(no_row_locks, monkeypatch):
    trade, gate, disputed = trades.delivered(), threading.Barrier(2), threading.Event()
    original = _steps.locked

    def read_together(trade_id, **whose):
        found = original(trade_id, **whose)
        gate.wait(timeout=10)
        return found

    def read_and_come_second(trade_id, **whose):
        found = read_together(trade_id, **whose)
        assert disputed.wait(timeout=10)
        return found

    monkeypatch.setattr(dispute, "locked", read_together)
    monkeypatch.setattr(settlement, "locked", read_and_come_second)

    def open_dispute():
        services.open_dispute(
            trade_id=trade.pk, user=trade.seller, reason="other", statement="Not paid at all."
        )
        disputed.set()

    in_parallel(lambda: services.confirm(trade_id=trade.pk, buyer=trade.buyer), open_dispute)

    trade.refresh_from_db()
    assert trade.disputes.filter(resolved_at=None).exists()
    assert trade.status == "confirmed"
    assert ledger.balances(trade.seller).available == PRICE - PRICE // 10


def test_paying_twice_at_once_holds_once():
    trade = trades.started()

    in_parallel(*[lambda: services.pay_from_balance(trade_id=trade.pk, buyer=trade.buyer)] * 4)

    assert ledger.balances(trade.buyer) == ledger.Balances(available=9 * PRICE, held=PRICE)
    assert books_balance() == []


def test_control_with_lock_and_key_off_paying_twice_holds_twice(no_row_locks, monkeypatch):
    trade, gate, number = trades.started(), threading.Barrier(2), itertools.count()
    original_locked, original_post = _steps.locked, purchase.post

    def read_together(trade_id, **whose):
        found = original_locked(trade_id, **whose)
        gate.wait(timeout=10)
        return found

    monkeypatch.setattr(purchase, "locked", read_together)
    monkeypatch.setattr(
        purchase,
        "post",
        lambda kind, *, key, **legs: original_post(kind, key=f"{key}:{next(number)}", **legs),
    )

    in_parallel(*[lambda: services.pay_from_balance(trade_id=trade.pk, buyer=trade.buyer)] * 2)

    assert ledger.balances(trade.buyer).held == 2 * PRICE


def test_a_form_sent_twice_at_once_buys_once():
    listing, buyer = ListingFactory(price=PRICE), trades.rich_buyer()

    results = buy_at_once(listing, [buyer, buyer, buyer])

    assert {result.pk for result in results} == {EscrowTransaction.objects.get().pk}
    assert ledger.balances(buyer).held == PRICE


def test_two_sweepers_at_once_pay_once():
    trade = trades.delivered()
    late = timezone.now() + timedelta(hours=25)

    in_parallel(*[lambda: services.sweep(at=late)] * 3)

    assert ledger.balances(trade.seller).available == PRICE - PRICE // 10
    assert books_balance() == []


def test_the_gateways_money_and_a_payment_from_the_balance_at_once_hold_once():
    from marketplace.payments.models import Transaction

    trade = trades.started()
    fund(trade.buyer, PRICE)
    arrived = Transaction(
        user=trade.buyer, amount=PRICE, currency="UZS", type="deposit", purpose="trade", reference=trade.pk
    )

    def settle():
        with transaction.atomic():
            services.lock_for_payment(arrived)
            services.settle_payment(arrived)

    in_parallel(settle, lambda: services.pay_from_balance(trade_id=trade.pk, buyer=trade.buyer))

    assert ledger.balances(trade.buyer).held == PRICE
    assert books_balance() == []
