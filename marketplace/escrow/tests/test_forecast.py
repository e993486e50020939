"""When a seller's money is free: exact in the last wait, at the latest before it, never while it is frozen."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs
from marketplace.escrow import services
from marketplace.escrow.forecast import forecast
from marketplace.escrow.models import EscrowTransaction
from marketplace.escrow.tests.factories import (
    PRICE,
    confirmed,
    delivered,
    disputed,
    handed_over,
    paid,
    started,
)
from marketplace.ledger.selectors import balances

pytestmark = pytest.mark.django_db

PAGE = "/sales/forecast/"


@pytest.fixture
def seller(client):
    person = UserFactory()
    client.force_login(person)
    return person


def of(seller, at=None, zone=UTC):
    return forecast(seller, at=at or timezone.now(), zone=zone)


@pytest.mark.parametrize(
    ("step", "wait", "after"),
    [
        (
            started,
            "payment",
            settings.ESCROW_HAND_OVER_WINDOW + settings.ESCROW_ACCEPT_WINDOW + settings.ESCROW_RELEASE_DELAY,
        ),
        (paid, "hand_over", settings.ESCROW_ACCEPT_WINDOW + settings.ESCROW_RELEASE_DELAY),
        (handed_over, "buyer", settings.ESCROW_RELEASE_DELAY),
        (delivered, "protection", timedelta()),
    ],
)
def test_the_moment_is_the_steps_deadline_and_all_waits_after_it(seller, step, wait, after):
    trade = step(seller=seller)

    (sale,) = of(seller).sales

    assert (sale.wait, sale.free_at) == (wait, trade.due_at + after)
    assert sale.is_exact is (wait == "protection")
    assert sale.net == trade.seller_earnings


def test_a_frozen_sale_has_no_date_and_is_summed_apart(seller):
    disputed(seller=seller)
    delivered(seller=seller)
    started(seller=seller)

    found = of(seller)

    assert [sale.wait for sale in found.sales] == ["protection", "payment", "dispute"]
    assert found.sales[-1].free_at is None
    (outlook,) = found.outlooks
    net = PRICE * 9 // 10
    assert (outlook.coming, outlook.frozen, outlook.unpaid) == (net, net, net)


def test_the_forecast_comes_true(seller):
    """If nobody does anything more, the sweeper pays at the moment that was told."""
    trade = handed_over(seller=seller)
    told = of(seller).sales[0].free_at

    services.sweep(at=trade.due_at)
    trade.refresh_from_db()
    services.sweep(at=told - timedelta(seconds=1))
    assert balances(seller).available == 0
    services.sweep(at=told)
    run_jobs()

    assert balances(seller).available == trade.seller_earnings
    assert of(seller).sales == []


def test_weeks_add_up_to_the_days_and_to_the_whole(seller):
    for _number in range(3):
        delivered(seller=seller)
    paid(seller=seller)

    (outlook,) = of(seller).outlooks

    assert sum(week.total for week in outlook.weeks) == outlook.coming == 4 * PRICE * 9 // 10
    assert all(len(week.days) == 7 and week.days[0].day.weekday() == 0 for week in outlook.weeks)
    assert sum(day.count for week in outlook.weeks for day in week.days) == 4


def test_days_are_the_sellers_own(seller):
    trade = delivered(seller=seller)
    EscrowTransaction.objects.filter(pk=trade.pk).update(due_at=datetime(2026, 3, 10, 20, tzinfo=UTC))
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def day(zone):
        days = [day for week in of(seller, at, zone).outlooks[0].weeks for day in week.days if day.total]
        return days[0].day

    assert day(UTC) == date(2026, 3, 10)
    assert day(seller.zone) == date(2026, 3, 11)  # 01:00 in Tashkent


def test_what_is_overdue_is_free_now(seller):
    trade = delivered(seller=seller)
    at = trade.due_at + timedelta(days=40)

    found = of(seller, at)

    assert found.sales[0].free_at == at
    assert found.outlooks[0].weeks[0].total == trade.seller_earnings


def test_a_very_long_wait_keeps_the_calendar_small(seller):
    trade = delivered(seller=seller)
    EscrowTransaction.objects.filter(pk=trade.pk).update(due_at=timezone.now() + timedelta(days=900))

    assert len(of(seller).outlooks[0].weeks) == 8


def test_each_currency_has_sums_of_its_own(seller):
    delivered(seller=seller)
    trade = delivered(seller=seller)
    EscrowTransaction.objects.filter(pk=trade.pk).update(currency="KZT")

    assert [(one.currency, one.coming) for one in of(seller).outlooks] == [
        ("UZS", PRICE * 9 // 10),
        ("KZT", PRICE * 9 // 10),
    ]


def test_finished_sales_and_purchases_are_not_in_it(client, seller):
    confirmed(seller=seller)
    bought = paid()
    client.force_login(bought.buyer)

    assert of(seller).sales == []
    assert of(bought.buyer).sales == []
    assert "No running sales" in client.get(PAGE).text


def test_the_page_says_price_fee_net_and_when(client, seller):
    trade = handed_over(seller=seller, title="Genshin AR 58")
    disputed(seller=seller)

    page = client.get(PAGE).text.replace("\u00a0", " ")

    for said in (
        "Genshin AR 58", "100 000", "10%", "10 000", "90 000 soʻm", "The buyer checks the account", "at the latest",
        "Frozen by a dispute", "no date while it is frozen", f"/trades/{trade.pk}/",
    ):  # fmt: skip
        assert said in page


def test_the_page_takes_the_same_queries_however_many_sales(client, seller, django_assert_num_queries):
    for _number in range(6):
        paid(seller=seller)
    client.get(PAGE)

    with django_assert_num_queries(6):  # session, person, sales, and the header's three
        client.get(PAGE)


def test_visitors_are_sent_to_the_log_in_page(client):
    assert client.get(PAGE).url.startswith("/accounts/login/")
