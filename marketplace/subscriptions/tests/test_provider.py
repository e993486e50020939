"""A plan that is paid at a provider: the money lands in the wallet and goes on from there at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import checks
from marketplace.ledger import selectors as ledger
from marketplace.ledger.errors import KeyReused
from marketplace.ledger.tests.factories import fund
from marketplace.notifications.models import Notification
from marketplace.payments.errors import AmountOutOfRange, MethodNotAvailable
from marketplace.payments.models import PaymentMethod
from marketplace.subscriptions import services
from marketplace.subscriptions.errors import NothingToPay
from marketplace.subscriptions.models import Period, UserSubscription
from marketplace.subscriptions.tests.factories import (
    MONTH,
    RICH,
    YEAR,
    arrive,
    buy,
    plan,
    plan_of,
    rich,
    subscribed,
)

pytestmark = pytest.mark.django_db


def start(user, slug="premium", period=Period.MONTHLY, key="key", **more):
    return services.purchase_through(
        user=user, plan=plan(slug), period=period, method_code="sandbox", idempotency_key=key, **more
    )


def last_told(user):
    return Notification.objects.filter(user=user).order_by("-pk")[0].data["kind"]


def books():
    return [row for proof in checks.run() for row in proof.offending]


def test_until_the_money_is_there_nothing_is_different():
    user = UserFactory()

    waiting, payment = start(user)

    assert (waiting.status, waiting.paid, payment.amount) == ("pending", MONTH["premium"], MONTH["premium"])
    assert (payment.purpose, payment.reference, payment.status) == ("subscription", waiting.pk, "pending")
    assert payment.payment_url
    assert plan_of(user) == "free"


def test_the_money_buys_the_plan_in_the_transaction_in_which_it_arrives(clock):
    user = UserFactory()
    waiting, payment = start(user)
    clock.on(minutes=4)

    arrive(payment)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.starts_at) == ("active", clock.at)
    assert (plan_of(user), ledger.balances(user).available) == ("premium", 0)
    assert ledger.house_balance("subscription") == MONTH["premium"]
    assert books() == []


def test_money_that_arrives_twice_buys_once():
    user = UserFactory()
    _waiting, payment = start(user)

    arrive(payment)
    arrive(payment)

    assert ledger.house_balance("subscription") == MONTH["premium"]


def test_a_form_sent_twice_opens_one_payment():
    user = UserFactory()

    first, again = start(user), start(user)

    assert (first[0].pk, first[1].pk) == (again[0].pk, again[1].pk)


def test_the_better_plan_costs_at_the_provider_what_was_quoted_there(clock):
    bought = subscribed("premium")
    clock.on(days=15)
    waiting, payment = start(bought.user, "pro")
    UserSubscription.objects.filter(pk=waiting.pk).update(created_at=clock.at)
    clock.on(hours=3)

    arrive(payment)

    waiting.refresh_from_db()
    assert payment.amount == MONTH["pro"] - MONTH["premium"] // 2
    assert (waiting.status, waiting.starts_at, plan_of(bought.user)) == ("active", clock.at, "pro")
    assert ledger.balances(bought.user).available == RICH
    assert books() == []


@pytest.mark.parametrize("why", ["switched off", "dearer", "waited too long", "bought meanwhile"])
def test_money_for_what_cannot_begin_stays_in_the_wallet(clock, why):
    user = UserFactory()
    waiting, payment = start(user)
    UserSubscription.objects.filter(pk=waiting.pk).update(created_at=clock.at)
    one = plan()
    if why == "switched off":
        one.is_active = False
        services.save_plan(plan=one)
    elif why == "dearer":
        one.price_monthly += 1
        services.save_plan(plan=one)
    elif why == "waited too long":
        clock.on(hours=26)
        services.sweep(at=clock.at)
    else:
        fund(user, MONTH["premium"])
        buy(user)

    arrive(payment)

    waiting.refresh_from_db()
    assert waiting.status == "expired"
    assert ledger.balances(user).available == MONTH["premium"]
    assert last_told(user) == "plan_not_started"
    assert books() == []


def test_a_price_that_has_fallen_takes_less_and_leaves_the_rest(clock):
    user = UserFactory()
    _waiting, payment = start(user)
    one = plan()
    one.price_monthly = 40_000_00
    services.save_plan(plan=one)

    arrive(payment)

    assert (plan_of(user), ledger.balances(user).available) == ("premium", MONTH["premium"] - 40_000_00)


def test_what_ran_at_the_quote_and_has_ended_no_longer_counts(clock):
    bought = subscribed("premium")
    services.cancel(user=bought.user)
    clock.at = bought.ends_at - timedelta(hours=1)
    waiting, payment = start(bought.user, "pro")
    UserSubscription.objects.filter(pk=waiting.pk).update(created_at=clock.at)
    clock.on(hours=2)
    services.sweep(at=clock.at)

    arrive(payment)

    assert payment.amount < MONTH["pro"]
    assert plan_of(bought.user) == "free"
    assert ledger.balances(bought.user).available == RICH + payment.amount


def test_who_pays_twice_in_two_windows_gets_one_plan_and_keeps_the_rest():
    user = UserFactory()
    _first, one = start(user, key="one")
    second, two = start(user, key="two")

    arrive(one)
    arrive(two)

    second.refresh_from_db()
    assert second.status == "expired"
    assert ledger.balances(user).available == MONTH["premium"]
    assert books() == []


def test_where_nothing_is_due_no_payment_is_opened():
    user = subscribed("premium", Period.YEARLY).user
    with pytest.raises(NothingToPay):
        start(user, "pro")
    with pytest.raises(NothingToPay):
        start(subscribed("pro").user, "premium")


def test_who_comes_back_from_the_provider_and_pays_from_the_wallet_has_the_plan_at_once():
    user = rich()
    waiting, payment = start(user, key="form")

    bought = buy(user, key="form")

    assert (bought.pk, bought.status, plan_of(user)) == (waiting.pk, "active", "premium")
    arrive(payment)
    assert ledger.balances(user).available == RICH
    assert ledger.house_balance("subscription") == MONTH["premium"]
    assert books() == []


def test_a_repeat_after_the_money_came_gives_the_same_pair_whatever_it_cost():
    user = UserFactory()
    waiting, payment = start(user)
    one = plan()
    one.price_monthly = 40_000_00
    services.save_plan(plan=one)
    arrive(payment)

    again, same = start(user)

    assert (again.pk, again.status, same.pk, same.status) == (waiting.pk, "active", payment.pk, "completed")


def test_a_key_that_was_used_at_the_wallet_opens_no_payment():
    user = rich()
    buy(user, key="key")

    with pytest.raises(KeyReused):
        start(user, key="key")


def test_a_key_whose_wait_was_in_vain_is_used_up(clock):
    user = rich()
    waiting, _payment = start(user)
    UserSubscription.objects.filter(pk=waiting.pk).update(created_at=clock.at)
    services.sweep(at=clock.on(hours=26))

    with pytest.raises(KeyReused):
        buy(user, key="key")


def test_unknown_methods_and_sums_beyond_their_limits_are_refused():
    with pytest.raises(MethodNotAvailable):
        services.purchase_through(
            user=rich(), plan=plan(), period=Period.MONTHLY, method_code="nobody", idempotency_key="1"
        )
    PaymentMethod.objects.filter(code="sandbox").update(max_amount=YEAR["premium"] - 1)
    with pytest.raises(AmountOutOfRange):
        start(rich(), period=Period.YEARLY)


def test_what_waits_for_its_money_is_forgotten_after_a_day(clock):
    waiting, _payment = start(UserFactory())
    UserSubscription.objects.filter(pk=waiting.pk).update(created_at=clock.at)

    services.sweep(at=clock.at + timedelta(hours=24))
    waiting.refresh_from_db()
    assert waiting.status == "pending"

    services.sweep(at=clock.at + timedelta(hours=26))
    waiting.refresh_from_db()
    assert waiting.status == "expired"


def test_real_time_is_the_default_clock():
    waiting, payment = start(UserFactory())

    arrive(payment)

    waiting.refresh_from_db()
    assert timezone.now() - waiting.starts_at < timedelta(minutes=1)
