"""People who signed up and never confirmed an address are forgotten after a week, unless something is theirs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.accounts import services, tokens
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs
from marketplace.ledger.tests.factories import fund
from marketplace.listings.tests.factories import FavoriteFactory, ListingFactory
from marketplace.notifications.models import NotificationSetting
from tasks.accounts import cleanup_unverified_users

pytestmark = pytest.mark.django_db


def newcomer(days, **fields):
    user = UserFactory(is_verified=False, created_at=timezone.now() - timedelta(days=days), **fields)
    user.emailaddress_set.update(verified=False)
    return user


def test_a_week_is_given(client):
    young, old = newcomer(6.9), newcomer(7.1)

    cleanup_unverified_users()

    assert list(User.objects.all()) == [young]
    assert old.email not in str(list(User.objects.values("email")))


def test_what_signing_up_leaves_goes_along_and_the_address_is_free_again(client):
    body = {"email": "aziza@example.uz", "password": "Qorbars7741"}
    client.post("/api/v1/auth/register/", body, content_type="application/json")
    run_jobs()
    NotificationSetting.objects.create(user=User.objects.get())
    User.objects.update(created_at=timezone.now() - timedelta(days=8))

    assert services.forget_unverified(at=timezone.now()) == 1
    assert client.post("/api/v1/auth/register/", body, content_type="application/json").status_code == 201


@pytest.mark.parametrize("fields", [{"is_verified": True}, {"is_staff": True}, {"is_superuser": True}])
def test_the_verified_and_staff_stay(fields):
    user = newcomer(30)
    User.objects.filter(pk=user.pk).update(**fields)

    assert services.forget_unverified(at=timezone.now()) == 0


def test_somebody_with_any_confirmed_address_stays():
    newcomer(30).emailaddress_set.create(email="second@example.uz", verified=True)

    assert services.forget_unverified(at=timezone.now()) == 0


@pytest.mark.parametrize(
    "own",
    [
        lambda user: ListingFactory(seller=user),
        lambda user: FavoriteFactory(user=user),
        lambda user: fund(user, 100),
    ],
)
def test_who_owns_something_stays(own):
    user = newcomer(30)
    own(user)
    other = newcomer(30)
    tokens.issue(user=other)

    services.forget_unverified(at=timezone.now())

    assert User.objects.filter(pk=user.pk).exists()
    assert not User.objects.filter(pk=other.pk).exists()


def test_all_are_found_with_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        services.forget_unverified(at=timezone.now())
