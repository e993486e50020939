from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.escrow import services
from marketplace.escrow.errors import NotHandedOver, NothingToHandOver, PriceChanged, TradeNotOpen
from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.tests import factories as trades
from marketplace.ledger import checks
from marketplace.ledger import selectors as ledger
from marketplace.ledger.errors import InsufficientFunds
from marketplace.ledger.tests.factories import fund
from marketplace.listings import services as listings
from marketplace.listings.errors import ListingNotAvailable, OwnListing
from marketplace.listings.tests.factories import LOGIN, PASSWORD, ListingFactory
from marketplace.notifications.models import Notification
from marketplace.payments.models import Transaction
from marketplace.subscriptions import rates
from marketplace.subscriptions.models import SubscriptionPlan
from marketplace.subscriptions.services import save_plan

pytestmark = pytest.mark.django_db
Status = EscrowTransaction.Status
PRICE = trades.PRICE
COMMISSION = PRICE // 10


def books_balance():
    return [row for proof in checks.run() for row in proof.offending]


def told(user):
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("data__kind", flat=True))


def after(**wait):
    return timezone.now() + timedelta(**wait)


def test_a_trade_from_buy_to_paid_seller():
    trade = trades.handed_over()
    trade, box = services.reveal(trade_id=trade.pk, viewer=trade.buyer)

    trade = services.confirm(trade_id=trade.pk, buyer=trade.buyer)

    assert (box.account_email, box.account_password) == (LOGIN, PASSWORD)
    assert trade.status == Status.CONFIRMED
    assert trade.listing.__class__.objects.get(pk=trade.listing_id).status == "sold"
    assert ledger.balances(trade.seller).available == PRICE - COMMISSION
    assert ledger.balances(trade.buyer) == ledger.Balances(available=9 * PRICE, held=0)
    assert ledger.house_balance("commission") == COMMISSION
    assert books_balance() == []


def test_both_sides_are_told_at_every_step():
    trade = trades.delivered()
    services.confirm(trade_id=trade.pk, buyer=trade.buyer)

    assert told(trade.seller) == ["trade_started", "trade_paid", "trade_accepted", "trade_confirmed"]
    assert told(trade.buyer) == [
        "purchase_paid",
        "purchase_handed_over",
        "purchase_accepted",
        "purchase_confirmed",
    ]


def test_history_shows_the_purchase_and_the_sale():
    trade = trades.confirmed()

    bought = Transaction.objects.get(user=trade.buyer, type="purchase")
    sold = Transaction.objects.get(user=trade.seller, type="sale")

    assert (bought.amount, sold.amount) == (PRICE, PRICE - COMMISSION)
    assert bought.journal_entry.kind == "hold"
    assert sold.journal_entry.kind == "release"


def test_money_is_held_and_nobody_can_spend_it():
    trade = trades.paid()

    assert ledger.balances(trade.buyer) == ledger.Balances(available=9 * PRICE, held=PRICE)
    assert ledger.balances(trade.seller).available == 0


@pytest.mark.parametrize(("plan", "fee"), [("free", 1000), ("premium", 800), ("pro", 500)])
def test_the_commission_is_that_of_the_sellers_plan(plan, fee):
    trade = trades.started(seller=UserFactory(plan=plan))

    assert trade.commission_basis_points == fee
    assert trade.commission_amount == PRICE * fee // 10_000


def test_the_commission_is_that_of_the_day_of_purchase():
    trade = trades.handed_over()
    free = SubscriptionPlan.objects.get(slug="free")
    free.commission_basis_points = 5000
    save_plan(plan=free)
    rates.forget()  # as a minute does

    trade = services.confirm(trade_id=trade.pk, buyer=trade.buyer)

    assert trade.seller_earnings == PRICE - COMMISSION


def test_a_share_that_rounds_to_nothing_costs_nothing():
    trade = trades.handed_over(price=4)

    trade = services.confirm(trade_id=trade.pk, buyer=trade.buyer)

    assert ledger.balances(trade.seller).available == 4


def test_buying_takes_the_listing_off_sale_and_cancelling_puts_it_back():
    trade = trades.started()
    listing = type(trade.listing).objects.get(pk=trade.listing_id)
    assert listing.status == "reserved"

    services.cancel(trade_id=trade.pk, buyer=trade.buyer)

    listing.refresh_from_db()
    assert listing.status == "active"
    assert ledger.balances(trade.buyer).held == 0


def test_a_listing_in_a_trade_cannot_be_bought_again():
    trade = trades.paid()

    with pytest.raises(ListingNotAvailable):
        services.buy(listing_id=trade.listing_id, buyer=trades.rich_buyer(), idempotency_key="another")


def test_nobody_buys_their_own_listing():
    listing = ListingFactory()

    with pytest.raises(OwnListing):
        services.buy(listing_id=listing.pk, buyer=listing.seller, idempotency_key="own")


def test_a_price_that_changed_since_the_page_was_opened_is_refused():
    listing = ListingFactory(price=PRICE)

    with pytest.raises(PriceChanged):
        services.buy_from_balance(
            listing_id=listing.pk, buyer=trades.rich_buyer(), idempotency_key="k", expected_amount=PRICE - 1
        )

    listing.refresh_from_db()
    assert not EscrowTransaction.objects.exists()


def test_too_little_money_reserves_nothing():
    listing = ListingFactory(price=PRICE)
    buyer = trades.rich_buyer(PRICE - 1)

    with pytest.raises(InsufficientFunds):
        services.buy_from_balance(listing_id=listing.pk, buyer=buyer, idempotency_key="k")

    listing.refresh_from_db()
    assert listing.status == "active"
    assert ledger.balances(buyer).available == PRICE - 1


def test_a_form_sent_twice_buys_once():
    listing = ListingFactory(price=PRICE)
    buyer = trades.rich_buyer()

    first = services.buy_from_balance(listing_id=listing.pk, buyer=buyer, idempotency_key="same")
    second = services.buy_from_balance(listing_id=listing.pk, buyer=buyer, idempotency_key="same")

    assert first.pk == second.pk
    assert ledger.balances(buyer).held == PRICE


def test_a_form_sent_again_after_its_trade_was_cancelled_buys_nothing():
    listing, buyer = ListingFactory(), trades.rich_buyer()
    first = services.buy(listing_id=listing.pk, buyer=buyer, idempotency_key="same")
    services.cancel(trade_id=first.pk, buyer=buyer)

    again = services.buy(listing_id=listing.pk, buyer=buyer, idempotency_key="same")
    with pytest.raises(TradeNotOpen):
        services.buy_from_balance(listing_id=listing.pk, buyer=buyer, idempotency_key="same")

    listing.refresh_from_db()
    assert (again.pk, again.status) == (first.pk, Status.CANCELLED)
    assert listing.status == "active"
    assert ledger.balances(buyer).held == 0
    assert EscrowTransaction.objects.count() == 1


def test_one_key_for_two_listings_buys_only_the_first():
    buyer, first, second = trades.rich_buyer(), ListingFactory(), ListingFactory()
    bought = services.buy_from_balance(listing_id=first.pk, buyer=buyer, idempotency_key="same")

    again = services.buy_from_balance(listing_id=second.pk, buyer=buyer, idempotency_key="same")

    second.refresh_from_db()
    assert again.pk == bought.pk
    assert second.status == "active"
    assert ledger.balances(buyer).held == bought.amount


def test_a_purchase_is_few_statements():
    """Lock and reserve the listing, lock the accounts, entry, postings, history, trade, its card, two sides told, their mails."""
    buyer = trades.rich_buyer()
    with TestCase.captureOnCommitCallbacks(
        execute=True
    ):  # what a process remembers, it remembers after a commit
        services.buy_from_balance(listing_id=ListingFactory().pk, buyer=buyer, idempotency_key="1")
    listing = ListingFactory()

    with CaptureQueriesContext(connection) as asked:
        services.buy_from_balance(listing_id=listing.pk, buyer=buyer, idempotency_key="2")

    statements = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 10, "\n".join(statements)


@pytest.mark.parametrize("step", ["pay_from_balance", "hand_over", "accept", "confirm", "cancel"])
def test_each_step_taken_twice_counts_once(step):
    ready = {
        "pay_from_balance": trades.started, "hand_over": trades.paid, "accept": trades.handed_over,
        "confirm": trades.delivered, "cancel": trades.started,
    }  # fmt: skip
    trade = ready[step]()
    person = {"hand_over": {"seller": trade.seller}}.get(step, {"buyer": trade.buyer})

    first = getattr(services, step)(trade_id=trade.pk, **person)
    entries = Transaction.objects.count()
    second = getattr(services, step)(trade_id=trade.pk, **person)

    assert (first.status, first.due_at) == (second.status, second.due_at)
    assert Transaction.objects.count() == entries
    assert books_balance() == []


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("pay_from_balance", "cancelled"), ("cancel", "paid"), ("hand_over", "started"), ("accept", "disputed"),
        ("confirm", "disputed"), ("confirm", "started"), ("open_dispute", "started"), ("open_dispute", "paid"),
        ("open_dispute", "confirmed"), ("cancel", "confirmed"),
    ],
)  # fmt: skip
def test_steps_out_of_order_are_refused_and_move_nothing(step, state):
    if state == "cancelled":
        trade = trades.started()
        trade = services.cancel(trade_id=trade.pk, buyer=trade.buyer)
    else:
        trade = getattr(trades, state)()
    before = ledger.balances(trade.buyer), ledger.balances(trade.seller)
    arguments = {
        "hand_over": {"seller": trade.seller},
        "open_dispute": {
            "user": trade.buyer,
            "reason": "other",
            "statement": "Something is not as it should be.",
        },
    }.get(step, {"buyer": trade.buyer})

    with pytest.raises(TradeNotOpen):
        getattr(services, step)(trade_id=trade.pk, **arguments)

    assert (ledger.balances(trade.buyer), ledger.balances(trade.seller)) == before
    assert EscrowTransaction.objects.get(pk=trade.pk).status == trade.status


@pytest.mark.parametrize(
    "step", ["pay_from_balance", "cancel", "accept", "confirm", "hand_over", "reveal", "open_dispute"]
)
def test_a_stranger_finds_no_trade(step):
    trade, stranger = trades.handed_over(), UserFactory()
    arguments = {
        "hand_over": {"seller": stranger}, "reveal": {"viewer": stranger},
        "open_dispute": {"user": stranger, "reason": "other", "statement": "x"},
    }.get(step, {"buyer": stranger})  # fmt: skip

    with pytest.raises(EscrowTransaction.DoesNotExist):
        getattr(services, step)(trade_id=trade.pk, **arguments)


def test_the_seller_cannot_confirm_for_the_buyer():
    trade = trades.handed_over()

    with pytest.raises(EscrowTransaction.DoesNotExist):
        services.confirm(trade_id=trade.pk, buyer=trade.seller)


def test_nothing_is_accepted_confirmed_or_shown_before_the_hand_over():
    trade = trades.paid()

    for step in (services.accept, services.confirm):
        with pytest.raises(NotHandedOver):
            step(trade_id=trade.pk, buyer=trade.buyer)
    with pytest.raises(NotHandedOver):
        services.reveal(trade_id=trade.pk, viewer=trade.buyer)
    assert not trade.reveals.exists()


def test_an_empty_box_cannot_be_handed_over():
    trade = trades.paid(vault=False)

    with pytest.raises(NothingToHandOver), transaction.atomic():
        services.hand_over(trade_id=trade.pk, seller=trade.seller, login="only@login.uz")

    trade = services.hand_over(
        trade_id=trade.pk, seller=trade.seller, login="a@b.uz", password="Parol-7", note="2FA"
    )
    _trade, box = services.reveal(trade_id=trade.pk, viewer=trade.buyer)
    assert (box.account_email, box.account_password, box.note) == ("a@b.uz", "Parol-7", "2FA")


def test_every_look_into_the_box_is_written_down_and_the_seller_is_told():
    trade = trades.handed_over()

    services.reveal(trade_id=trade.pk, viewer=trade.buyer)
    services.reveal(trade_id=trade.pk, viewer=trade.buyer)

    assert trade.reveals.filter(viewer=trade.buyer).count() == 2
    assert told(trade.seller).count("credentials_revealed") == 2


def test_a_dispute_freezes_the_trade_and_a_second_one_joins_the_first():
    trade = trades.delivered()
    say = {"reason": "taken_back", "statement": "The seller changed the password back."}

    first = services.open_dispute(trade_id=trade.pk, user=trade.buyer, **say)
    second = services.open_dispute(trade_id=trade.pk, user=trade.seller, **say)
    services.sweep(at=after(days=30))

    trade.refresh_from_db()
    assert first == second
    assert (trade.status, trade.due_at) == (Status.DISPUTED, None)
    assert ledger.balances(trade.buyer).held == PRICE


# --- Deadlines --------------------------------------------------------------------------------------


def test_an_unpaid_trade_is_cancelled_after_half_an_hour_and_not_before():
    trade = trades.started()

    services.sweep(at=after(minutes=29))
    trade.refresh_from_db()
    assert trade.status == Status.PENDING_PAYMENT

    services.sweep(at=after(minutes=31))
    trade.refresh_from_db()
    trade.listing.refresh_from_db()
    assert (trade.status, trade.ending) == (Status.CANCELLED, "not_paid")
    assert trade.listing.status == "active"


def test_a_silent_seller_loses_the_sale_and_the_buyer_gets_everything_back():
    trade = trades.paid()

    services.sweep(at=after(hours=25))

    trade.refresh_from_db()
    trade.listing.refresh_from_db()
    assert (trade.status, trade.ending) == (Status.REFUNDED, "seller_silent")
    assert ledger.balances(trade.buyer) == ledger.Balances(available=10 * PRICE, held=0)
    assert trade.listing.status == "archived"
    assert told(trade.buyer)[-1] == "purchase_refunded"
    assert books_balance() == []


def test_a_silent_buyer_counts_as_served_and_a_day_later_the_seller_is_paid():
    trade = trades.handed_over()

    services.sweep(at=after(hours=25))
    trade.refresh_from_db()
    assert trade.status == Status.DELIVERED
    assert ledger.balances(trade.seller).available == 0

    services.sweep(at=after(hours=50))
    trade.refresh_from_db()
    assert trade.status == Status.CONFIRMED
    assert ledger.balances(trade.seller).available == PRICE - COMMISSION


def test_sweeping_again_changes_nothing():
    trade = trades.delivered()
    services.sweep(at=after(hours=25))

    assert services.sweep(at=after(hours=25)) == 0
    assert ledger.balances(trade.seller).available == PRICE - COMMISSION


def test_one_broken_trade_does_not_hold_up_the_others(monkeypatch):
    broken, fine = trades.started(), trades.started()
    original = listings.release_reservation

    def refuses(*, listing_id):
        if listing_id == broken.listing_id:
            raise RuntimeError
        return original(listing_id=listing_id)

    monkeypatch.setattr(listings, "release_reservation", refuses)

    services.sweep(at=after(hours=1))

    fine.refresh_from_db()
    broken.refresh_from_db()
    assert fine.status == Status.CANCELLED
    assert broken.status == Status.PENDING_PAYMENT


# --- Payment at the gateway -------------------------------------------------------------------------


def payment_for(trade, amount=PRICE):
    fund(trade.buyer, amount)
    return Transaction(
        user=trade.buyer, amount=amount, currency="UZS", type="deposit", purpose="trade", reference=trade.pk
    )


def test_money_from_the_gateway_goes_on_into_escrow():
    trade = trades.started()

    services.settle_payment(payment_for(trade))

    trade.refresh_from_db()
    assert trade.status == Status.PAID
    assert ledger.balances(trade.buyer).held == PRICE


def test_money_that_comes_after_the_cancellation_stays_in_the_wallet():
    trade = trades.started()
    services.cancel(trade_id=trade.pk, buyer=trade.buyer)

    services.settle_payment(payment_for(trade))

    trade.refresh_from_db()
    assert trade.status == Status.CANCELLED
    assert ledger.balances(trade.buyer) == ledger.Balances(available=11 * PRICE, held=0)


def test_money_that_comes_twice_is_held_once():
    trade = trades.started()
    services.settle_payment(payment_for(trade))

    services.settle_payment(payment_for(trade))

    assert ledger.balances(trade.buyer) == ledger.Balances(available=11 * PRICE, held=PRICE)


# --- Laws of the database ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0}, {"commission_amount": 1}, {"status": "paid"}, {"status": "confirmed"}, {"due_at": None},
        {"status": "delivered"}, {"commission_basis_points": 10_001},
    ],
)  # fmt: skip
def test_the_database_refuses_a_trade_that_cannot_be(wrong):
    trade = trades.started()

    with pytest.raises(IntegrityError), transaction.atomic():
        EscrowTransaction.objects.filter(pk=trade.pk).update(**wrong)


def test_the_database_refuses_a_second_open_trade_of_a_listing():
    trade = trades.started()
    trade.pk, trade.idempotency_key = None, "second"
    trade.id = EscrowTransaction._meta.pk.get_default()
    trade._state.adding = True

    with pytest.raises(IntegrityError), transaction.atomic():
        trade.save()
