"""What `manage.py reconcile` says of plans, and what it finds."""

import pytest
from django.db import IntegrityError, transaction

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.ids import uuid7
from marketplace.ledger import accounts, checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.services import post
from marketplace.subscriptions import proofs
from marketplace.subscriptions.models import UserSubscription
from marketplace.subscriptions.tests.factories import subscribed

pytestmark = pytest.mark.django_db


def test_all_is_proven_for_plans_that_were_bought():
    subscribed("premium")
    subscribed("pro")

    proven = {proof.rule: proof for proof in checks.run()}

    for rule in (
        "sold plans equal their account",
        "each running plan was paid as it says",
        "people have the plan they pay for",
    ):
        assert (proven[rule].counted, proven[rule].offending) == (2, [])


def test_money_on_the_account_that_nobody_paid_is_found():
    bought = subscribed()
    post(
        JournalEntry.Kind.ADJUSTMENT,
        key="stray",
        currency="UZS",
        legs={accounts.available(bought.user_id): -7, accounts.SUBSCRIPTION: 7},
    )

    [row] = proofs.sold_plans_equal_their_account().offending

    assert "4900007" in row


def test_a_period_that_was_not_paid_as_it_says_is_found():
    bought = subscribed()
    UserSubscription.objects.filter(pk=bought.pk).update(paid=bought.paid - 1)

    [row] = proofs.paid_periods_have_their_entry().offending

    assert str(bought.pk) in row


@pytest.mark.parametrize("plan", ["free", "pro"])
def test_somebody_with_another_plan_than_they_pay_for_is_found(plan):
    bought = subscribed("premium")
    User.objects.filter(pk=bought.user_id).update(plan=plan)

    found = proofs.people_have_the_plan_they_pay_for().offending

    assert any("pays for premium" in row for row in found)


def test_somebody_with_a_plan_that_nobody_pays_for_is_found():
    user = UserFactory(plan="pro")

    [row] = proofs.people_have_the_plan_they_pay_for().offending

    assert str(user.pk) in row


def test_the_database_itself_lets_one_plan_run():
    bought = subscribed()
    bought.pk, bought.idempotency_key, bought._state.adding = uuid7(), "another", True

    with pytest.raises(IntegrityError), transaction.atomic():
        bought.save(force_insert=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"due_at": None}, {"ends_at": None}, {"paid": 10**9}, {"journal_entry": None}, {"price": 0}, {"paid": -1},
        {"status": "cancelled"}, {"status": "expired"}, {"status": "odd"}, {"period": "daily"},
        {"next_period": "monthly"},
    ],
)  # fmt: skip
def test_what_must_always_hold_is_kept_by_the_database(changes):
    bought = subscribed()

    with pytest.raises(IntegrityError), transaction.atomic():
        UserSubscription.objects.filter(pk=bought.pk).update(**changes)
