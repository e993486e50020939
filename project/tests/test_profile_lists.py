"""The lists of one's profile for programs: one's own rows, by pages, at the same cost however long."""

from uuid import uuid4

import pytest
from django.test import Client

from marketplace.accounts import tokens
from marketplace.accounts.tests.factories import UserFactory
from marketplace.escrow.tests import factories as trades
from marketplace.listings.tests.factories import LOGIN, PASSWORD, FavoriteFactory, ListingFactory
from marketplace.notifications.tests.factories import NotificationFactory

pytestmark = pytest.mark.django_db
BASE = "/api/v1/profile/"
LISTS = ("listings", "favorites", "purchases", "sales", "notifications")


@pytest.fixture
def user():
    return UserFactory()


def ask(user, path, method="GET"):
    headers = {"Authorization": f"Bearer {tokens.issue(user=user).access}"}
    return Client().generic(method, BASE + path, content_type="application/json", headers=headers)


def rows(user, path):
    answer = ask(user, path)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def filled(user):
    """One row in each list of this person."""
    ListingFactory(seller=user)
    FavoriteFactory(user=user)
    trades.paid(seller=user)
    trade = trades.paid()
    type(trade).objects.filter(pk=trade.pk).update(buyer=user)
    NotificationFactory(user=user)


def test_the_lists_hold_ones_own_and_nobody_elses(user):
    other = UserFactory()
    filled(user)
    filled(other)

    offers, marked, bought, sold, told = (rows(user, f"{name}/") for name in LISTS)

    assert len(offers) == 2  # one on sale, one being bought
    assert {row["seller"]["id"] for row in offers} == {str(user.pk)}
    assert len(marked) == len(bought) == len(sold) == 1
    assert bought[0]["other"]["id"] != str(user.pk)
    assert sold[0]["seller_earnings"]
    assert "seller_earnings" not in bought[0]
    assert {row["id"] for row in told} == {
        str(key) for key in user.notifications.values_list("pk", flat=True)
    }


def test_no_list_shows_a_login(user):
    filled(user)

    for name in LISTS:
        text = ask(user, f"{name}/").content.decode()
        assert LOGIN not in text
        assert PASSWORD not in text


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_however_long_it_is(user, name, django_assert_num_queries):
    for _number in range(3):
        filled(user)
    headers = {"Authorization": f"Bearer {tokens.issue(user=user).access}"}
    # The person, the count, the rows; notifications count what is unread as well.
    with django_assert_num_queries(4 if name == "notifications" else 3):
        Client().get(f"{BASE}{name}/", headers=headers)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_by_pages_and_takes_fields(user, name):
    for _number in range(3):
        filled(user)

    page = ask(user, f"{name}/?limit=1&page=2&fields=id").json()

    assert page["count"] >= 3
    assert page["next"]
    assert page["previous"]
    assert [list(row) for row in page["results"]] == [["id"]]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("listings/?status=bought", "status"),
        ("purchases/?show=all", "show"),
        ("sales/?show=x", "show"),
        ("listings/?ordering=title", "ordering"),
        ("sales/?fields=password", "fields"),
    ],
)
def test_what_is_not_offered_is_refused_beside_its_name(user, path, name):
    filled(user)
    answer = ask(user, path)

    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [name]


def test_offers_by_status_and_trades_by_stage(user):
    ListingFactory(seller=user, status="draft")
    rejected = ListingFactory(seller=user, status="rejected")
    running, over = trades.paid(seller=user), trades.confirmed(seller=user)

    assert [row["id"] for row in rows(user, "listings/?status=rejected")] == [str(rejected.pk)]
    assert rows(user, "listings/?status=rejected")[0]["rejection_reason"] == "Blurred pictures."
    assert [row["id"] for row in rows(user, "sales/?show=open")] == [str(running.pk)]
    assert [row["id"] for row in rows(user, "sales/?show=finished")] == [str(over.pk)]


def test_a_notification_is_read_and_anothers_is_not_found(user):
    mine, theirs = NotificationFactory(user=user), NotificationFactory()

    done = ask(user, f"notifications/{mine.pk}/read/", "PATCH")

    assert (done.status_code, done.json()["is_read"]) == (200, True)
    assert ask(user, f"notifications/{theirs.pk}/read/", "PATCH").status_code == 404
    assert ask(user, f"notifications/{uuid4()}/read/", "PATCH").status_code == 404
    theirs.refresh_from_db()
    assert not theirs.is_read


@pytest.mark.parametrize("name", LISTS)
def test_who_is_not_signed_in_or_not_confirmed_gets_none(name):
    assert Client().get(f"{BASE}{name}/").status_code == 401
    assert ask(UserFactory(is_verified=False), f"{name}/").status_code == 403


def test_the_profile_leads_to_each_list(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get("/me/").content.decode()

    for address in (
        "/trades/?side=buying", "/trades/?side=selling", "/me/favourites/", "/me/listings/", "/notifications/",
        "/notifications/preferences/", "/me/privacy/", "/me/sessions/",
    ):  # fmt: skip
        assert f'href="{address}"' in page, address
