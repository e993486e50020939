"""Random histories of deposits, holds, releases, refunds and withdrawals, beside a model that only counts."""

import hypothesis.strategies as st
import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import accounts, checks
from marketplace.ledger.errors import InsufficientFunds, KeyReused
from marketplace.ledger.models import Account, JournalEntry, Posting
from marketplace.ledger.selectors import Balances, balances
from marketplace.ledger.services import post

PEOPLE = 3
people = st.integers(0, PEOPLE - 1)
amounts = st.integers(1, 2000)


class Books(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.users = [UserFactory() for _person in range(PEOPLE)]
        self.available = [0] * PEOPLE
        self.held = [0] * PEOPLE
        self.done = []  # (kind, key, legs) of what was accepted
        self.number = 0

    def try_post(self, kind, legs, *, enough):
        """Post it; the ledger must accept exactly what the model can afford."""
        self.number += 1
        key = f"{kind}:{self.number}:{self.users[0].pk}"
        try:
            post(kind, key=key, currency="UZS", legs=legs)
        except InsufficientFunds:
            assert not enough
            return False
        assert enough
        self.done.append((kind, key, legs))
        return True

    @rule(who=people, amount=amounts)
    def deposit(self, who, amount):
        legs = {accounts.clearing("sandbox"): -amount, accounts.available(self.users[who].pk): amount}
        self.try_post("deposit", legs, enough=True)
        self.available[who] += amount

    @rule(who=people, amount=amounts)
    def withdraw(self, who, amount):
        legs = {accounts.available(self.users[who].pk): -amount, accounts.PAYOUTS: amount}
        if self.try_post("withdrawal", legs, enough=self.available[who] >= amount):
            self.available[who] -= amount

    @rule(who=people, amount=amounts)
    def hold(self, who, amount):
        user = self.users[who].pk
        legs = {accounts.available(user): -amount, accounts.held(user): amount}
        if self.try_post("hold", legs, enough=self.available[who] >= amount):
            self.available[who] -= amount
            self.held[who] += amount

    @rule(buyer=people, seller=people, amount=amounts, percent=st.integers(0, 100))
    def release(self, buyer, seller, amount, percent):
        fee = amount * percent // 100
        legs = {
            accounts.held(self.users[buyer].pk): -amount,
            accounts.available(self.users[seller].pk): amount - fee,
            accounts.COMMISSION: fee,
        }
        if self.try_post("release", legs, enough=self.held[buyer] >= amount):
            self.held[buyer] -= amount
            self.available[seller] += amount - fee

    @rule(who=people, amount=amounts)
    def refund(self, who, amount):
        user = self.users[who].pk
        legs = {accounts.held(user): -amount, accounts.available(user): amount}
        if self.try_post("refund", legs, enough=self.held[who] >= amount):
            self.held[who] -= amount
            self.available[who] += amount

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def repeat(self, data):
        kind, key, legs = data.draw(st.sampled_from(self.done))
        before = JournalEntry.objects.count()
        assert post(kind, key=key, currency="UZS", legs=legs).key == key
        assert JournalEntry.objects.count() == before

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def forge(self, data):
        _kind, key, _legs = data.draw(st.sampled_from(self.done))
        with pytest.raises(KeyReused):
            post("adjustment", key=key, currency="UZS", legs={accounts.REFUNDS: 7, accounts.COMMISSION: -7})

    @invariant()
    def balances_are_the_models(self):
        for user, available, held in zip(self.users, self.available, self.held, strict=True):
            assert balances(user) == Balances(available=available, held=held)

    @invariant()
    def all_money_sums_to_zero_and_nobody_owes(self):
        assert (Posting.objects.aggregate(total=Sum("amount"))["total"] or 0) == 0
        assert not Account.objects.filter(owner__isnull=False, balance__lt=0).exists()

    def teardown(self):
        connection.check_constraints()
        own = [checks.entries_sum_to_zero, checks.no_user_account_below_zero, checks.balances_equal_sums]
        assert [check().offending for check in own] == [[], [], []]


@pytest.mark.django_db
def test_no_history_of_money_breaks_the_books():
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
