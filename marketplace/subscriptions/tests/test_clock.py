"""What happens when time passes: reminders, renewals, late money, the end; and what people decide in between."""

import uuid
from datetime import timedelta

import pytest

from marketplace.accounts.models import User
from marketplace.core.testing import run_jobs
from marketplace.ledger import checks
from marketplace.ledger import selectors as ledger
from marketplace.ledger.tests.factories import fund
from marketplace.notifications.models import Notification
from marketplace.subscriptions import services
from marketplace.subscriptions.errors import NotSubscribed, PlanNotAvailable
from marketplace.subscriptions.models import UserSubscription
from marketplace.subscriptions.tests.factories import MONTH, RICH, buy, plan, plan_of, rich, subscribed

pytestmark = pytest.mark.django_db

PRICE = MONTH["premium"]


def books():
    return [row for proof in checks.run() for row in proof.offending]


def told(user):
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("data__kind", flat=True))


def last_words(user):
    return Notification.objects.filter(user=user).order_by("-pk")[0].message


def balance(user):
    return ledger.balances(user).available


def hour(clock):
    """What beat and the worker do in an hour."""
    services.sweep(at=clock.at)
    run_jobs()


# --- Renewal ------------------------------------------------------------------------------------------


def test_a_plan_renews_from_the_wallet_without_a_gap(clock):
    bought = subscribed()
    first_end = bought.ends_at
    clock.at = first_end + timedelta(minutes=40)

    hour(clock)

    bought.refresh_from_db()
    assert (bought.status, bought.starts_at) == ("active", first_end)
    assert bought.ends_at == first_end + timedelta(days=30)
    assert balance(bought.user) == RICH - PRICE
    assert told(bought.user)[-1] == "plan_renewed"
    assert (plan_of(bought.user), books()) == ("premium", [])


def test_each_period_is_paid_once_however_often_it_is_swept(clock):
    bought = subscribed()
    clock.at = bought.ends_at

    for _time in range(3):
        services.sweep(at=clock.at)
    run_jobs()
    again = services.auto_renew(subscription_id=bought.pk, at=clock.at)

    assert again is False
    assert balance(bought.user) == RICH - PRICE


def test_nothing_is_renewed_before_its_time(clock):
    bought = subscribed()

    assert services.auto_renew(subscription_id=bought.pk, at=bought.ends_at - timedelta(seconds=1)) is False
    assert services.auto_renew(subscription_id=uuid.uuid4(), at=clock.at) is False
    assert balance(bought.user) == RICH


def test_a_renewal_takes_the_price_of_its_day(clock):
    bought = subscribed()
    one = plan()
    one.price_monthly = 60_000_00
    services.save_plan(plan=one)
    clock.at = bought.ends_at

    hour(clock)

    assert balance(bought.user) == RICH - 60_000_00


def test_after_a_long_standstill_nobody_pays_for_the_days_between(clock):
    bought = subscribed()
    clock.at = bought.ends_at + timedelta(days=45)

    hour(clock)

    bought.refresh_from_db()
    assert bought.starts_at == clock.at
    assert balance(bought.user) == RICH - PRICE


@pytest.mark.parametrize("gone", ["plan", "person"])
def test_what_is_switched_off_is_not_renewed(clock, gone):
    bought = subscribed()
    if gone == "plan":
        one = plan()
        one.is_active = False
        services.save_plan(plan=one)
    else:
        User.objects.filter(pk=bought.user_id).update(is_active=False)
    clock.at = bought.ends_at

    hour(clock)

    bought.refresh_from_db()
    assert (bought.status, plan_of(bought.user), balance(bought.user)) == ("expired", "free", RICH)


# --- Late money ---------------------------------------------------------------------------------------


def test_without_money_the_benefits_stay_for_three_days(clock):
    bought = subscribed(left=0)
    clock.at = bought.ends_at

    hour(clock)

    bought.refresh_from_db()
    assert (bought.status, plan_of(bought.user)) == ("grace", "premium")
    assert bought.grace_ends_at == bought.ends_at + timedelta(days=3)
    assert told(bought.user) == ["plan_started", "plan_payment_late"]


def test_it_is_tried_again_each_day_and_said_once(clock):
    bought = subscribed(left=0)
    clock.at = bought.ends_at
    hour(clock)

    clock.on(hours=5)
    hour(clock)
    fund(bought.user, PRICE)
    clock.on(hours=18)
    hour(clock)
    still_waiting = balance(bought.user)
    clock.on(hours=2)
    hour(clock)

    assert still_waiting == PRICE
    assert balance(bought.user) == 0
    assert told(bought.user) == ["plan_started", "plan_payment_late", "plan_renewed"]
    end = bought.ends_at
    bought.refresh_from_db()
    assert (bought.status, bought.starts_at) == ("active", end)
    assert books() == []


def test_after_three_days_it_is_over(clock):
    bought = subscribed(left=PRICE - 1)
    clock.at = bought.ends_at

    for _hour in range(73):
        hour(clock)
        clock.on(hours=1)

    bought.refresh_from_db()
    assert (bought.status, bought.due_at) == ("expired", None)
    assert (plan_of(bought.user), balance(bought.user)) == ("free", PRICE - 1)
    assert told(bought.user) == ["plan_started", "plan_payment_late", "plan_ended"]
    assert books() == []


def test_who_cancels_while_a_payment_is_late_is_on_free_at_once(clock):
    bought = subscribed(left=0)
    clock.at = bought.ends_at
    hour(clock)

    services.cancel(user=bought.user, reason="too dear")

    bought.refresh_from_db()
    assert (bought.status, bought.cancel_reason, plan_of(bought.user)) == ("expired", "too dear", "free")


def test_switching_renewal_off_while_a_payment_is_late_is_cancelling(clock):
    bought = subscribed(left=0)
    clock.at = bought.ends_at
    hour(clock)

    assert services.set_auto_renew(user=bought.user, is_on=False).status == "expired"
    assert plan_of(bought.user) == "free"


# --- The end ------------------------------------------------------------------------------------------


def test_a_cancelled_plan_runs_to_its_end(clock):
    bought = subscribed()
    cancelled = services.cancel(user=bought.user, reason="I sell nothing in summer.")
    assert (cancelled.status, cancelled.cancelled_at, cancelled.auto_renew) == ("cancelled", clock.at, False)

    clock.at = bought.ends_at - timedelta(minutes=1)
    hour(clock)
    assert plan_of(bought.user) == "premium"

    clock.on(minutes=1)
    hour(clock)
    bought.refresh_from_db()
    assert (bought.status, bought.ended_at) == ("expired", clock.at)
    assert (plan_of(bought.user), balance(bought.user)) == ("free", RICH)
    assert told(bought.user) == ["plan_started", "plan_cancelled", "plan_ending", "plan_ended"]
    assert books() == []


def test_cancelling_twice_is_harmless_and_without_a_plan_refused():
    bought = subscribed()
    services.cancel(user=bought.user, reason="first")

    assert services.cancel(user=bought.user, reason="second").cancel_reason == "first"
    with pytest.raises(NotSubscribed):
        services.cancel(user=rich())
    with pytest.raises(NotSubscribed):
        services.set_auto_renew(user=rich(), is_on=True)


def test_a_cancellation_can_be_taken_back_until_the_end(clock):
    bought = subscribed()
    services.cancel(user=bought.user)

    kept = services.set_auto_renew(user=bought.user, is_on=True)

    assert (kept.status, kept.auto_renew, kept.cancelled_at) == ("active", True, None)
    clock.at = bought.ends_at
    hour(clock)
    assert balance(bought.user) == RICH - PRICE


def test_renewal_of_a_plan_that_is_no_longer_sold_cannot_be_switched_on():
    bought = subscribed()
    services.set_auto_renew(user=bought.user, is_on=False)
    one = plan()
    one.is_active = False
    services.save_plan(plan=one)

    with pytest.raises(PlanNotAvailable):
        services.set_auto_renew(user=bought.user, is_on=True)


def test_with_the_switch_off_it_ends_by_itself(clock):
    bought = subscribed()
    services.set_auto_renew(user=bought.user, is_on=False)
    clock.at = bought.ends_at

    hour(clock)

    assert (plan_of(bought.user), balance(bought.user)) == ("free", RICH)


def test_after_the_end_a_plan_can_be_bought_again(clock):
    bought = subscribed()
    services.cancel(user=bought.user)
    clock.at = bought.ends_at
    hour(clock)
    clock.on(days=3)

    again = buy(bought.user)

    assert (again.starts_at, again.paid) == (clock.at, PRICE)


def test_one_persons_trouble_keeps_nobody_waiting(clock, monkeypatch):
    from marketplace.subscriptions.services import clock as module

    first, second = subscribed(), subscribed()
    for one in (first, second):
        services.cancel(user=one.user)
    clock.at = second.ends_at
    original = module._expire

    def stumbling(subscription, *, at):
        if subscription.pk == first.pk:
            raise RuntimeError("no")
        original(subscription, at=at)

    monkeypatch.setattr(module, "_expire", stumbling)
    hour(clock)

    assert (plan_of(first.user), plan_of(second.user)) == ("premium", "free")


# --- Reminders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "kind", "words"),
    [
        (PRICE, "plan_renewal_soon", "There is enough"),
        (PRICE - 100_00, "plan_renewal_short", "It lacks 100 soʻm"),
    ],
)
def test_three_days_before_the_person_hears_what_will_be_taken_and_whether_it_is_there(
    clock, left, kind, words
):
    bought = subscribed(left=left)
    clock.at = bought.ends_at - timedelta(days=3, seconds=1)
    hour(clock)
    assert told(bought.user) == ["plan_started"]

    clock.on(hours=1)
    for _time in range(3):
        hour(clock)
        clock.on(hours=1)

    assert told(bought.user) == ["plan_started", kind]
    assert words in last_words(bought.user).replace("\u00a0", " ")
    assert "49 000 soʻm" in last_words(bought.user).replace("\u00a0", " ")


def test_the_reminder_goes_out_by_mail_too(clock, mailoutbox):
    bought = subscribed()
    run_jobs()
    mailoutbox.clear()
    clock.at = bought.ends_at - timedelta(days=2)

    hour(clock)

    [mail] = mailoutbox
    assert mail.to == [bought.user.email]
    assert mail.subject == "Your Premium plan will be renewed"
    assert "/me/plan/" in mail.body


def test_who_will_not_be_renewed_hears_that_it_ends(clock):
    bought = subscribed()
    services.set_auto_renew(user=bought.user, is_on=False)
    clock.at = bought.ends_at - timedelta(days=2)

    hour(clock)

    assert told(bought.user)[-1] == "plan_ending"


def test_the_next_period_is_announced_again(clock):
    bought = subscribed(left=3 * PRICE)
    clock.at = bought.ends_at - timedelta(days=1)
    hour(clock)
    clock.on(days=1)
    hour(clock)
    clock.on(days=28)
    hour(clock)

    assert told(bought.user) == ["plan_started", "plan_renewal_soon", "plan_renewed", "plan_renewal_soon"]


def test_a_change_for_afterwards_is_announced_at_its_own_price(clock):
    bought = subscribed("pro")
    buy(bought.user, "premium")
    clock.at = bought.ends_at - timedelta(days=1)

    hour(clock)

    assert "49 000 soʻm" in last_words(bought.user).replace("\u00a0", " ")


def test_sweeping_costs_the_same_for_any_number_of_renewals(clock, django_assert_num_queries):
    for _one in range(3):
        bought = subscribed()
    clock.at = bought.ends_at

    with django_assert_num_queries(7):
        services.sweep(at=clock.at)

    assert UserSubscription.objects.current().count() == 3
