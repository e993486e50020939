"""Things that happen at the same moment. Each race has a control that shows it with the guard off."""

import itertools
import threading
from datetime import timedelta
from importlib import import_module

import pytest
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.ledger import checks
from marketplace.ledger import selectors as ledger
from marketplace.subscriptions import services
from marketplace.subscriptions.errors import AlreadySubscribed
from marketplace.subscriptions.models import Period, UserSubscription
from marketplace.subscriptions.services import clock as clock_services
from marketplace.subscriptions.tests.factories import (
    MONTH,
    RICH,
    arrive,
    buy,
    plan,
    plan_of,
    rich,
    subscribed,
)

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PRICE = MONTH["premium"]
# The package hands out a function of the same name.
purchasing = import_module("marketplace.subscriptions.services.purchase")


def books():
    return [row for proof in checks.run() for row in proof.offending]


def sold():
    return ledger.house_balance("subscription")


def test_a_form_sent_several_times_at_once_buys_once():
    user = rich()

    results = in_parallel(*[lambda: buy(user, key="same")] * 4)

    assert {result.pk for result in results} == {UserSubscription.objects.get().pk}
    assert (sold(), ledger.balances(user).available) == (PRICE, RICH - PRICE)
    assert books() == []


def test_two_purchases_at_once_with_two_keys_buy_one_plan():
    user = rich()

    results = in_parallel(*[lambda key=key: buy(user, key=key) for key in ("one", "two", "three")])

    assert all(isinstance(result, UserSubscription | AlreadySubscribed) for result in results), results
    assert sum(isinstance(result, UserSubscription) for result in results) == 1
    assert (sold(), UserSubscription.objects.count()) == (PRICE, 1)
    assert books() == []


@pytest.fixture
def no_lock(monkeypatch):
    """As if nobody waited for anybody: all have read before the first writes."""

    def together(*modules, number=2):
        gate, readers = threading.Barrier(number), itertools.count(1)
        for module in modules:
            monkeypatch.setattr(module, "lock", lambda _user_id: None)
            original = module.current_of

            def read(user_id, original=original):
                found = original(user_id)
                if next(readers) <= number:
                    gate.wait(timeout=10)
                return found

            monkeypatch.setattr(module, "current_of", read)

    return together


def test_control_without_the_lock_only_the_law_of_the_database_keeps_two_plans_apart(no_lock):
    user = rich()
    no_lock(purchasing)

    results = in_parallel(lambda: buy(user, key="one"), lambda: buy(user, key="two"))

    # The loser got past the check that the lock protects: it is told only by the constraint.
    assert sorted(type(result).__name__ for result in results) == ["AlreadySubscribed", "UserSubscription"]
    assert UserSubscription.objects.current().count() == 1
    assert sold() == PRICE


def test_upgrades_at_once_count_the_unused_days_once():
    user = subscribed("premium").user

    in_parallel(*[lambda key=key: buy(user, "pro", key=key) for key in ("one", "two")])

    # The seconds between are worth a few tiyin.
    assert sold() - MONTH["pro"] < 100_00
    assert UserSubscription.objects.current().count() == 1
    assert plan_of(user) == "pro"
    assert books() == []


def test_renewal_and_cancellation_at_once_have_one_winner():
    for _round in range(3):
        bought = subscribed()
        late = bought.ends_at + timedelta(minutes=1)

        in_parallel(
            lambda bought=bought, late=late: services.auto_renew(subscription_id=bought.pk, at=late),
            lambda bought=bought: services.cancel(user=bought.user),
        )

        before = bought.ends_at
        bought.refresh_from_db()
        is_renewed = bought.ends_at > before
        assert bought.status == "cancelled"
        assert ledger.balances(bought.user).available == RICH - (PRICE if is_renewed else 0)
        assert books() == []


def test_sweepers_and_renewals_at_once_take_one_period():
    bought = subscribed()
    late = bought.ends_at + timedelta(minutes=1)

    in_parallel(
        *[lambda: services.sweep(at=late)] * 2,
        *[lambda: services.auto_renew(subscription_id=bought.pk, at=late)] * 3,
    )
    run_jobs()

    assert ledger.balances(bought.user).available == RICH - PRICE
    assert books() == []


def test_control_without_lock_and_key_a_renewal_is_paid_twice(no_lock, monkeypatch):
    bought = subscribed()
    late = bought.ends_at + timedelta(minutes=1)
    no_lock(clock_services)
    original = clock_services.take
    number = iter(range(10))

    def take(subscription, amount, *, starts_at, **more):
        return original(subscription, amount, starts_at=starts_at + timedelta(seconds=next(number)), **more)

    monkeypatch.setattr(clock_services, "take", take)

    in_parallel(*[lambda: services.auto_renew(subscription_id=bought.pk, at=late)] * 2)

    assert ledger.balances(bought.user).available == RICH - 2 * PRICE


def test_without_the_lock_the_key_alone_still_lets_a_period_be_paid_once(no_lock):
    bought = subscribed()
    no_lock(clock_services)

    in_parallel(
        *[lambda: services.auto_renew(subscription_id=bought.pk, at=bought.ends_at + timedelta(minutes=1))]
        * 2
    )

    assert ledger.balances(bought.user).available == RICH - PRICE


def test_sweepers_at_once_end_a_plan_once():
    bought = subscribed()
    services.cancel(user=bought.user)

    results = in_parallel(*[lambda: services.sweep(at=bought.ends_at)] * 3)

    assert [result for result in results if isinstance(result, Exception)] == []
    assert plan_of(bought.user) == "free"
    assert bought.user.notifications.filter(data__kind="plan_ended").count() == 1
    assert books() == []


def test_the_providers_money_and_a_purchase_from_the_wallet_at_once_give_one_plan():
    for _round in range(3):
        user = rich()
        _waiting, payment = services.purchase_through(
            user=user, plan=plan(), period=Period.MONTHLY, method_code="sandbox", idempotency_key="provider"
        )

        results = in_parallel(
            lambda user=user: buy(user, key="wallet"),
            lambda payment=payment: arrive(payment),
        )  # fmt: skip

        assert not isinstance(results[1], Exception), results[1]
        assert UserSubscription.objects.current().filter(user=user).count() == 1
        assert ledger.balances(user).available == RICH
        assert books() == []


def test_reminders_at_once_are_sent_once():
    bought = subscribed()

    in_parallel(*[lambda: services.remind(user_id=bought.user_id, at=bought.ends_at - timedelta(days=1))] * 3)

    assert bought.user.notifications.filter(data__kind="plan_renewal_soon").count() == 1


def test_a_first_purchase_makes_one_row_to_lock():
    user = UserFactory()

    results = in_parallel(*[lambda: services.remind(user_id=user.pk, at=timezone.now())] * 3)

    assert results == [False, False, False]
