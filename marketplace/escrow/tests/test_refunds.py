import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.money import share
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.escrow import services
from marketplace.escrow.errors import OwnTrade, RefundTooLarge, TradeNotOpen
from marketplace.escrow.models import EscrowTransaction, TradeRefund
from marketplace.escrow.services.refunds import _commission_of
from marketplace.escrow.tests import factories as trades
from marketplace.ledger import checks
from marketplace.ledger.errors import InsufficientFunds, KeyReused
from marketplace.ledger.selectors import balances, house_balance
from marketplace.ledger.tests.factories import spend
from marketplace.payments import providers
from marketplace.payments import services as payments
from marketplace.payments.models import Refund, Transaction
from marketplace.payments.providers.base import Refund as RefundCommand
from marketplace.payments.providers.base import Settle
from marketplace.payments.selectors import debts_of
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.test_refunds import Refunding

pytestmark = pytest.mark.django_db
PRICE = trades.PRICE


def refund(trade, amount, key="k", actor=None):
    return services.refund_by_staff(
        trade_id=trade.pk, amount=amount, actor=actor or StaffFactory(), reason="Not as described",
        idempotency_key=key,
    )  # fmt: skip


def books_hold():
    assert [proof.rule for proof in checks.run() if not proof.holds] == []


def test_a_part_of_held_money_goes_back_and_the_seller_pays_commission_on_the_rest_only():
    trade = trades.disputed()
    before = balances(trade.buyer).available

    done = refund(trade, 40_000_00)

    assert balances(trade.buyer).available - before == 40_000_00
    assert balances(trade.buyer).held == 0
    assert balances(trade.seller).available == 54_000_00
    assert house_balance("commission") == 6_000_00
    assert (done.status, done.refunded_amount, done.refunded_commission) == ("confirmed", 40_000_00, 4_000_00)
    dispute = trade.disputes.get()
    assert dispute.resolved_at is not None
    assert dispute.resolution == "Not as described"
    books_hold()


def test_what_a_refund_brings_repays_the_buyers_debt_first():
    trade = trades.confirmed()
    payment = DepositFactory(user=trade.buyer, amount=30_000_00)
    payments.act(Settle(payment.pk, "sb-debt", 30_000_00), "sandbox")
    spend(trade.buyer, balances(trade.buyer).available)
    payments.act(RefundCommand(payment.pk, "sb-debt", "UZS", amount=30_000_00, refund_id="r"), "sandbox")
    assert debts_of(trade.buyer) == 30_000_00

    refund(trade, 40_000_00)

    assert (balances(trade.buyer).available, debts_of(trade.buyer)) == (10_000_00, 0)
    books_hold()


def test_the_whole_price_goes_back_and_the_shop_keeps_nothing():
    trade = trades.handed_over()

    done = refund(trade, PRICE)

    assert (done.status, done.ending) == ("refunded", "decided")
    assert balances(trade.seller).available == 0
    assert house_balance("commission") == 0
    books_hold()


def test_after_the_seller_was_paid_they_and_the_shop_give_their_shares_back():
    trade = trades.confirmed()

    refund(trade, 30_000_00)

    assert balances(trade.seller).available == 63_000_00
    assert house_balance("commission") == 7_000_00
    lines = Transaction.objects.filter(reference=trade.pk, user=trade.seller).order_by("pk")
    assert [(line.type, line.amount) for line in lines] == [("sale", 90_000_00), ("chargeback", 27_000_00)]
    books_hold()


def test_a_seller_who_has_spent_it_cannot_give_it_back():
    trade = trades.confirmed()
    spend(trade.seller, 80_000_00)

    with pytest.raises(InsufficientFunds):
        refund(trade, 30_000_00)
    assert not TradeRefund.objects.exists()
    books_hold()


@pytest.mark.parametrize("amount", [0, -1, PRICE + 1, 10**30, 1.5, True, None])
def test_never_more_than_the_buyer_paid(amount):
    with pytest.raises(RefundTooLarge):
        refund(trades.disputed(), amount)


def test_parts_after_the_sale_end_at_the_price():
    trade = trades.confirmed()
    refund(trade, 70_000_00, "one")

    with pytest.raises(RefundTooLarge):
        refund(trade, 30_000_01, "two")
    refund(trade, 30_000_00, "three")

    assert (balances(trade.seller).available, house_balance("commission")) == (0, 0)
    books_hold()


def test_a_key_names_one_refund():
    trade = trades.confirmed()
    refund(trade, 30_000_00)
    refund(trade, 30_000_00)

    assert balances(trade.seller).available == 63_000_00
    with pytest.raises(KeyReused):
        refund(trade, 20_000_00)


def test_there_is_nothing_to_give_back_of_an_unpaid_trade():
    with pytest.raises(TradeNotOpen):
        refund(trades.started(), 1_000_00)


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_nobody_decides_about_a_trade_of_their_own(side):
    trade = trades.disputed()

    with pytest.raises(OwnTrade):
        refund(trade, 1_000_00, actor=getattr(trade, side))


@given(
    price=st.integers(1, 10**12),
    rate=st.integers(0, 10_000),
    cuts=st.lists(st.floats(0, 1), min_size=1, max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_the_commission_of_any_parts_adds_up_to_that_of_the_whole(price, rate, cuts):
    trade = EscrowTransaction(
        amount=price, commission_basis_points=rate, commission_amount=share(price, rate)
    )
    for cut in [*cuts, 1.0]:
        amount = int((price - trade.refunded_amount) * cut)
        given_up = _commission_of(trade, amount)
        assert 0 <= given_up <= amount + 1
        trade.refunded_amount += amount
        trade.refunded_commission += given_up

    assert trade.refunded_amount == price
    assert trade.refunded_commission == trade.commission_amount


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_ten_refunds_at_once_never_exceed_the_price():
    trade = trades.confirmed()
    staff = StaffFactory()

    results = in_parallel(*[lambda n=n: refund(trade, 30_000_00, f"k{n}", staff) for n in range(10)])

    names = sorted(type(one).__name__ for one in results)
    assert names == ["EscrowTransaction"] * 3 + ["RefundTooLarge"] * 7
    books_hold()


@pytest.fixture
def paid_by_card(monkeypatch):
    """A trade that its buyer paid straight through a provider which gives money back."""
    PaymentMethodFactory()
    trade = trades.started()
    payment = services.pay_through(
        trade_id=trade.pk,
        buyer=trade.buyer,
        method_code="sandbox",
        idempotency_key="p",
        return_url="http://x/",
    )
    payments.act(Settle(payment.pk, "sb-1", payment.amount), "sandbox")
    monkeypatch.setattr(Refunding, "says", "re_1")
    monkeypatch.setattr(providers, "get", lambda _code: Refunding())
    return trade


def test_a_trade_paid_by_a_provider_is_refunded_to_the_payers_method(paid_by_card):
    before = balances(paid_by_card.buyer).available

    refund(paid_by_card, PRICE)
    run_jobs()

    row = Refund.objects.get()
    assert (row.amount, row.status) == (PRICE, "succeeded")
    assert balances(paid_by_card.buyer).available == before
    assert house_balance("clearing", "sandbox") == 0
    books_hold()


def test_what_the_buyer_has_spent_meanwhile_stays_spent(paid_by_card):
    refund(paid_by_card, PRICE)
    spend(paid_by_card.buyer, balances(paid_by_card.buyer).available)
    run_jobs()

    assert not Refund.objects.exists()
    books_hold()


def test_a_trade_paid_from_the_wallet_is_refunded_to_the_wallet():
    trade = trades.disputed()

    refund(trade, PRICE)
    run_jobs()

    assert not Refund.objects.exists()
    assert UserFactory().pk != trade.buyer_id
