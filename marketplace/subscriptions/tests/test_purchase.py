"""Buying a plan from the wallet, changing to a better one, and to a smaller one."""

from datetime import timedelta

import pytest

from marketplace.ledger import checks
from marketplace.ledger import selectors as ledger
from marketplace.ledger.errors import InsufficientFunds, KeyReused
from marketplace.ledger.tests.factories import fund
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory
from marketplace.notifications.models import Notification
from marketplace.payments.models import Transaction
from marketplace.subscriptions import services
from marketplace.subscriptions.errors import AlreadySubscribed, PlanNotAvailable, QuoteChanged
from marketplace.subscriptions.models import Period, UserSubscription
from marketplace.subscriptions.pricing import Change, quote, unused
from marketplace.subscriptions.tests.factories import MONTH, RICH, YEAR, buy, plan, plan_of, rich, subscribed

pytestmark = pytest.mark.django_db


def books():
    return [row for proof in checks.run() for row in proof.offending]


def told(user):
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("data__kind", flat=True))


def balance(user):
    return ledger.balances(user).available


# --- The first plan -----------------------------------------------------------------------------------


def test_a_plan_costs_its_price_and_runs_for_thirty_days(clock):
    user = rich()

    bought = buy(user, "premium")

    assert (bought.status, bought.starts_at, bought.ends_at) == (
        "active", clock.at, clock.at + timedelta(days=30),
    )  # fmt: skip
    assert balance(user) == RICH - MONTH["premium"]
    assert ledger.house_balance("subscription") == MONTH["premium"]
    assert plan_of(user) == "premium"
    assert told(user) == ["plan_started"]
    assert books() == []


def test_a_year_costs_its_own_price_and_runs_for_365_days(clock):
    bought = buy(rich(), "pro", Period.YEARLY)

    assert (bought.paid, bought.ends_at) == (YEAR["pro"], clock.at + timedelta(days=365))


def test_the_history_shows_what_was_paid_and_points_to_the_entry():
    user = rich()
    bought = buy(user)

    line = Transaction.objects.get(user=user, type="subscription")

    assert (line.amount, line.status, line.reference) == (MONTH["premium"], "completed", bought.pk)
    assert line.journal_entry_id == bought.journal_entry_id
    assert line.title == "WibeStore Premium"


def test_without_enough_money_nothing_is_left_behind():
    user = rich(MONTH["premium"] - 1)

    with pytest.raises(InsufficientFunds):
        buy(user)

    assert balance(user) == MONTH["premium"] - 1
    assert not UserSubscription.objects.exists()
    assert not Transaction.objects.exists()
    assert (plan_of(user), told(user)) == ("free", [])


def test_a_form_sent_twice_buys_once():
    user = rich()

    first, again = buy(user, key="same"), buy(user, key="same")

    assert first.pk == again.pk
    assert balance(user) == RICH - MONTH["premium"]


def test_a_key_that_has_bought_something_else_is_refused():
    user = rich()
    buy(user, "premium", key="same")

    with pytest.raises(KeyReused):
        buy(user, "pro", key="same")


def test_two_people_may_use_the_same_key():
    assert buy(rich(), key="same").pk != buy(rich(), key="same").pk


@pytest.mark.parametrize("slug", ["free", "premium"])
def test_free_and_what_is_switched_off_cannot_be_bought(slug):
    one = plan(slug)
    one.is_active = slug == "free"
    services.save_plan(plan=one)

    with pytest.raises(PlanNotAvailable):
        buy(rich(), slug)


def test_the_plan_that_runs_cannot_be_bought_again():
    bought = subscribed()

    with pytest.raises(AlreadySubscribed):
        buy(bought.user)


# --- What the person saw ------------------------------------------------------------------------------


def test_another_price_than_was_seen_is_refused(clock):
    user = rich()

    with pytest.raises(QuoteChanged):
        buy(user, quoted_at=clock.at, expected_amount=MONTH["premium"] - 1)

    assert balance(user) == RICH


def test_a_price_seen_some_minutes_ago_is_what_is_taken(clock):
    bought = subscribed()
    clock.on(days=10)
    seen_at = clock.at
    seen = quote(bought, plan("pro"), Period.MONTHLY, at=seen_at)
    clock.on(minutes=7)

    better = buy(bought.user, "pro", quoted_at=seen_at, expected_amount=seen.due)

    assert better.paid == seen.due
    assert (better.starts_at, better.ends_at) == (clock.at, clock.at + timedelta(days=30))


@pytest.mark.parametrize("ago", [timedelta(minutes=31), timedelta(days=400), timedelta(minutes=-5)])
def test_a_price_of_long_ago_or_of_tomorrow_is_refused(clock, ago):
    with pytest.raises(QuoteChanged):
        buy(rich(), quoted_at=clock.at - ago, expected_amount=MONTH["premium"])


# --- To a better plan ---------------------------------------------------------------------------------


def test_the_unused_days_are_taken_off_the_better_plans_price(clock):
    bought = subscribed("premium")
    clock.on(days=20)

    better = buy(bought.user, "pro")

    assert better.paid == MONTH["pro"] - 16_334_00  # a third of 49 000, rounded up
    assert balance(bought.user) == RICH - better.paid
    assert plan_of(bought.user) == "pro"
    bought.refresh_from_db()
    assert (bought.status, bought.ended_at) == ("expired", clock.at)
    assert books() == []


def test_the_unused_value_is_counted_in_seconds_and_rounded_up_to_a_whole_som(clock):
    bought = subscribed("premium")

    assert unused(bought, at=clock.at) == MONTH["premium"]
    # A soʻm of 49 000 lasts 52.9 seconds.
    assert unused(bought, at=clock.at + timedelta(seconds=52)) == MONTH["premium"]
    assert unused(bought, at=clock.at + timedelta(seconds=53)) == MONTH["premium"] - 1_00
    assert unused(bought, at=bought.ends_at - timedelta(seconds=1)) == 1_00
    assert unused(bought, at=bought.ends_at) == 0
    assert unused(bought, at=clock.at - timedelta(days=9)) == MONTH["premium"]


def test_what_counted_towards_a_period_is_part_of_its_worth(clock):
    """Premium to Pro to a year of Pro: the days that Premium paid for are not lost on the second change."""
    user = subscribed("premium").user
    pro = buy(user, "pro")

    year = buy(user, "pro", Period.YEARLY)

    assert pro.price == MONTH["pro"]
    assert year.paid == YEAR["pro"] - MONTH["pro"]


def test_a_year_instead_of_a_month_begins_at_once(clock):
    user = subscribed("premium").user
    clock.on(days=15)

    year = buy(user, "premium", Period.YEARLY)

    assert year.paid == YEAR["premium"] - MONTH["premium"] // 2
    assert year.ends_at == clock.at + timedelta(days=365)


def test_what_is_worth_more_than_the_price_lengthens_the_period_and_costs_nothing(clock):
    user = subscribed("premium", Period.YEARLY).user

    pro = buy(user, "pro", Period.MONTHLY)

    assert pro.paid == 0
    assert balance(user) == RICH
    whole = 30 * 86_400
    extra = (YEAR["premium"] - MONTH["pro"]) * whole // MONTH["pro"]
    assert pro.ends_at == clock.at + timedelta(seconds=whole + extra)
    assert pro.price == YEAR["premium"]
    assert (plan_of(user), books()) == ("pro", [])


def test_who_cannot_pay_the_difference_keeps_what_runs(clock):
    bought = subscribed("premium", left=0)

    with pytest.raises(InsufficientFunds):
        buy(bought.user, "pro")

    bought.refresh_from_db()
    assert (bought.status, plan_of(bought.user)) == ("active", "premium")


def test_who_comes_late_to_a_renewal_pays_for_the_days_between(clock):
    bought = subscribed("premium", left=0)
    clock.on(days=31)
    services.auto_renew(subscription_id=bought.pk, at=clock.at)
    fund(bought.user, MONTH["premium"])

    again = buy(bought.user, "premium")

    assert again.starts_at == bought.ends_at
    assert again.paid == MONTH["premium"]


# --- To a smaller plan --------------------------------------------------------------------------------


def test_a_smaller_plan_waits_for_the_end_of_the_period(clock):
    bought = subscribed("pro")

    noted = buy(bought.user, "premium")

    assert (noted.pk, noted.plan.slug, noted.next_plan.slug) == (bought.pk, "pro", "premium")
    assert balance(bought.user) == RICH
    assert plan_of(bought.user) == "pro"

    clock.at = bought.ends_at
    services.auto_renew(subscription_id=bought.pk, at=clock.at)

    assert balance(bought.user) == RICH - MONTH["premium"]
    assert plan_of(bought.user) == "premium"
    assert books() == []


def test_a_month_instead_of_a_year_waits_too():
    noted = buy(subscribed("pro", Period.YEARLY).user, "pro", Period.MONTHLY)

    assert (noted.period, noted.next_period, noted.renewal_price) == ("yearly", "monthly", MONTH["pro"])


def test_choosing_what_runs_drops_the_change_for_afterwards():
    user = subscribed("pro").user
    buy(user, "premium")

    kept = buy(user, "pro")

    assert (kept.next_plan, kept.next_period, kept.renewal_plan.slug) == (None, "", "pro")


def test_the_same_change_twice_is_harmless():
    user = subscribed("pro").user

    buy(user, "premium")
    services.change_later(user=user, plan=plan("premium"), period=Period.MONTHLY)
    noted = buy(user, "premium")

    assert (noted.plan.slug, noted.next_plan.slug) == ("pro", "premium")


@pytest.mark.parametrize("slug", ["premium", "pro"])
def test_a_change_for_afterwards_is_for_smaller_plans_only(slug):
    user = subscribed("premium").user

    with pytest.raises(AlreadySubscribed):
        services.change_later(user=user, plan=plan(slug), period=Period.MONTHLY)
    with pytest.raises(PlanNotAvailable):
        services.change_later(user=user, plan=plan("free"), period=Period.MONTHLY)


def test_a_change_for_afterwards_takes_a_cancellation_back():
    user = subscribed("pro").user
    services.cancel(user=user)

    noted = buy(user, "premium")

    assert (noted.status, noted.auto_renew, noted.cancelled_at) == ("active", True, None)


# --- What a plan brings -------------------------------------------------------------------------------


def test_the_offers_of_a_paying_seller_carry_the_mark(django_capture_on_commit_callbacks, client):
    offer = ListingFactory()
    before = client.get("/listings/").content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        fund(offer.seller, RICH)
        buy(offer.seller, "pro")

    offer.refresh_from_db()
    assert offer.is_premium
    assert "badge-pro" not in before
    assert "badge-pro" in client.get("/listings/").content.decode()


def test_offers_of_paying_sellers_come_first():
    plain = ListingFactory()
    offer = ListingFactory(seller=rich())
    later = ListingFactory()

    buy(offer.seller)

    shelf = Listing.objects.on_sale().order_by("-is_premium", "-id").values_list("pk", flat=True)
    assert list(shelf) == [offer.pk, later.pk, plain.pk]


def test_prices_of_a_quote_are_what_the_docs_say():
    offer = quote(None, plan("premium"), Period.YEARLY, at=rich().created_at)

    assert (offer.change, offer.price, offer.credit, offer.due) == (
        Change.START, YEAR["premium"], 0, YEAR["premium"],
    )  # fmt: skip
