from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.testing import run_jobs
from marketplace.escrow.models import TradeRefund
from marketplace.escrow.tests import factories as trades
from marketplace.ledger.selectors import balances
from marketplace.messaging.models import Conversation

pytestmark = pytest.mark.django_db
LIST = reverse("moderation:trades")


def page_of(trade):
    return reverse("moderation:trade", args=[trade.pk])


def send(client, trade, amount="40 000", reason="Not as described", key=None):
    form = {"key": key or uuid4().hex, "amount": amount, "reason": reason}
    return client.post(page_of(trade), form)


@pytest.fixture
def staff(client):
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="refund_trade"))
    client.force_login(person)
    return person


def test_only_those_who_may_refund_come_in(client):
    trade = trades.disputed()
    assert client.get(LIST).status_code == client.get(page_of(trade)).status_code == 302
    client.force_login(UserFactory(is_staff=True))

    assert client.get(LIST).status_code == client.get(page_of(trade)).status_code == 403
    assert send(client, trade).status_code == 403
    assert not TradeRefund.objects.exists()


def test_disputed_trades_are_listed_and_any_is_found_by_its_number(client, staff):
    disputed, other = trades.disputed(), trades.confirmed()

    listed = client.get(LIST).text
    found = client.get(LIST, {"number": f"#{other.number.lower()}"}).text

    assert disputed.number in listed
    assert other.number not in listed
    assert other.number in found
    for nonsense in ("zz", "\0", "%", "9" * 80, "12345678"):
        assert "No such trade" in client.get(LIST, {"number": nonsense}).text


def test_a_refund_is_decided_on_the_trades_page(client, staff):
    trade = trades.disputed()
    assert "At most" in client.get(page_of(trade)).text

    answer = send(client, trade)

    assert answer.status_code == 302
    assert balances(trade.seller).available == 54_000_00
    after = client.get(page_of(trade)).text
    assert "Not as described" in after
    assert "40\u00a0000" in after


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "100 001"}, "More than the buyer paid"), ({"amount": "x"}, "Enter an amount"),
        ({"amount": "0"}, "Enter at least"),
        ({"reason": ""}, "both sides will read it"), ({"reason": "x" * 201}, "at most 200"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_explained_and_moves_nothing(client, staff, fields, said):
    trade = trades.disputed()

    answer = send(client, trade, **fields)

    assert answer.status_code == 422
    assert said in answer.text
    assert not TradeRefund.objects.exists()


def test_a_form_sent_twice_refunds_once(client, staff):
    trade = trades.confirmed()

    for _time in range(2):
        send(client, trade, key="a" * 32)

    assert TradeRefund.objects.count() == 1


def test_who_decides_a_dispute_finds_what_the_two_have_said(client, staff):
    trade = trades.disputed()
    run_jobs()
    thread = Conversation.objects.get(listing=trade.listing)

    assert f"/chats/{thread.pk}/" in client.get(page_of(trade)).text
    assert client.get(f"/chats/{thread.pk}/").status_code == 200


def test_ones_own_trade_shows_no_form(client):
    owner = StaffFactory()
    client.force_login(owner)
    trade = trades.disputed(seller=owner)

    assert "somebody else decides" in client.get(page_of(trade)).text
    assert send(client, trade).status_code == 422
    assert not TradeRefund.objects.exists()


def test_the_list_costs_the_same_however_long(client, staff, django_assert_num_queries):
    for _one in range(4):
        trades.disputed()

    with django_assert_num_queries(9):
        assert client.get(LIST).text.count("#") >= 4
