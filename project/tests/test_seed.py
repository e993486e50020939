"""The seeded shop: complete, lawful, the same everywhere, and for development only."""

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from marketplace.accounts.models import User
from marketplace.core.models import Job
from marketplace.escrow.models import EscrowTransaction
from marketplace.games.models import Game
from marketplace.ledger import checks
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import game
from marketplace.notifications.models import Notification
from marketplace.payments.models import PaymentMethod, Transaction
from marketplace.subscriptions.models import UserSubscription
from project.seed import offers

COUNTED = (User, Listing, EscrowTransaction, Transaction, UserSubscription, Notification, Job)


@pytest.fixture
def one_picture(monkeypatch):
    """All offers share a single picture: drawing and encoding them is most of a seed's time."""
    drawn = offers.picture("#4f6df5", "#e0b04a", 0)
    monkeypatch.setattr(offers, "_picture", lambda _game, _number: drawn)


@pytest.fixture
def migrated_rows():
    """Games and payment methods, brought again after a test that flushed the tables."""
    game()
    if not PaymentMethod.objects.filter(code="sandbox").exists():
        import_module("marketplace.payments.migrations.0002_methods").add(apps, None)
    import_module("marketplace.subscriptions.migrations.0002_plans").add(apps, None)


@pytest.mark.django_db
def test_a_seeded_shop_shows_every_state_balances_and_does_not_grow_when_seeded_again(
    one_picture, migrated_rows
):
    call_command("seed", verbosity=0)
    once = {model: model.objects.count() for model in COUNTED}
    call_command("seed", verbosity=0)

    assert {model: model.objects.count() for model in COUNTED} == once
    assert set(Listing.objects.values_list("status", flat=True)) == set(Listing.Status)
    assert set(EscrowTransaction.objects.values_list("status", flat=True)) == set(EscrowTransaction.Status)
    assert EscrowTransaction.objects.filter(status="paid", handed_over_at__isnull=False).exists()
    assert set(User.objects.filter(total_sales__gt=0).values_list("plan", flat=True)) == set(User.Plan)
    assert Listing.objects.filter(seller__plan="pro", is_premium=False).count() == 0
    assert [row for proof in checks.run() for row in proof.offending] == []
    call_command("reconcile", verbosity=0)
    assert not Job.objects.filter(task__startswith="tasks.notifications.", status="pending").exists()


@pytest.mark.django_db
def test_the_offers_are_the_same_on_every_machine_and_every_day():
    game()
    games = list(Game.objects.select_related("category").order_by("sort_order", "pk"))
    sellers = [User(email=f"{number}@wibestore.test") for number in range(8)]

    def plan(now):
        return [
            (one.pk, one.title, one.price, one.status, one.attributes)
            for one in offers.plan(games, sellers, now=now)
        ]

    assert plan(datetime(2026, 11, 1, tzinfo=UTC)) == plan(datetime(2027, 5, 1, tzinfo=UTC))


@pytest.mark.django_db
def test_production_is_never_seeded(settings):
    settings.DEVELOPER_PAGES = False

    with pytest.raises(CommandError, match="development only"):
        call_command("seed")

    assert not User.objects.exists()
