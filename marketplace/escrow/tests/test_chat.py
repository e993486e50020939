"""The conversation of a trade: its steps stand in it, and a moderator of its dispute may read it."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs
from marketplace.escrow.tests.factories import confirmed, disputed, paid
from marketplace.messaging.models import Conversation, Oversight
from marketplace.messaging.tests.factories import conversation, said, with_picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread():
    return conversation()


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def url(name, thread, message=None):
    return reverse(f"messaging:{name}", args=[thread.pk, message.pk] if message else [thread.pk])


@pytest.fixture
def judge():
    staff = UserFactory(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="refund_trade"))
    return staff


def test_a_moderator_reads_the_thread_of_a_dispute_and_that_is_on_record(judge):
    trade = disputed()
    run_jobs()
    thread = Conversation.objects.get(listing=trade.listing)
    shown = with_picture(thread)
    client = browser(judge)

    page = client.get(url("thread", thread))

    assert page.status_code == 200
    assert 'id="composer"' not in page.text
    assert "ws-connect" not in page.text
    assert Oversight.objects.get().reader == judge
    assert client.get(url("attachment", thread, shown)).status_code == 200
    assert client.post(url("messages", thread), {"text": "Salom"}).status_code == 404
    shown.refresh_from_db()
    assert not shown.is_read, "a moderator's look is not the other one's"


def test_without_a_dispute_or_the_right_a_moderator_is_a_stranger(judge, thread):
    said(thread)
    assert browser(judge).get(url("thread", thread)).status_code == 404

    peaceful = paid()
    run_jobs()
    of_peaceful = Conversation.objects.get(listing=peaceful.listing)
    assert browser(judge).get(url("thread", of_peaceful)).status_code == 404

    trade = disputed()
    run_jobs()
    of_trade = Conversation.objects.get(listing=trade.listing)
    assert browser(UserFactory(is_staff=True)).get(url("thread", of_trade)).status_code == 404


def test_steps_of_a_trade_stand_in_the_thread_in_their_order():
    trade = disputed()
    run_jobs()

    page = browser(trade.buyer).get(url("thread", Conversation.objects.get())).text.split('id="log"')[1]

    words = (
        "is to be paid by",
        "held in escrow",
        "secure box",
        "The buyer has the account",
        "A dispute is open",
    )
    places = [page.index(word) for word in words]
    assert places == sorted(places)


def test_the_page_of_a_trade_holds_its_conversation_for_both():
    trade = paid()
    run_jobs()
    said(Conversation.objects.get(), "Salom, hozir beraman", by=trade.seller)

    for person in (trade.buyer, trade.seller):
        page = browser(person).get(reverse("escrow:trade", args=[trade.pk])).text
        assert "Salom, hozir beraman" in page
        assert 'id="composer"' in page


def test_the_conversation_leaves_the_pages_own_stamp_alone():
    """An open page asks with it whether anything has changed: another word there would swap away what is being typed."""
    trade = paid()
    run_jobs()
    client, where = browser(trade.buyer), reverse("escrow:trade", args=[trade.pk])
    shown = client.get(where).context["seen"]

    part = client.get(where, {"seen": shown}, headers={"HX-Request": "true", "HX-Target": "trade-state"})

    assert f"?seen={shown}" in client.get(where).text
    assert part.status_code == 204


def test_the_state_of_a_trade_is_swapped_without_its_conversation():
    trade = paid()
    run_jobs()
    headers = {"HX-Request": "true", "HX-Target": "trade-state"}

    part = browser(trade.buyer).get(reverse("escrow:trade", args=[trade.pk]), headers=headers).text

    assert 'id="trade-state"' in part
    assert 'id="chat"' not in part


def test_a_step_told_twice_stands_there_once():
    trade = confirmed()
    run_jobs()
    thread = Conversation.objects.get()
    steps = [one.data["step"] for one in thread.messages.order_by("id")]

    run_jobs()

    assert steps == ["started", "paid", "handed_over", "confirmed"]
    assert thread.messages.count() == 4
    assert {thread.buyer, thread.seller} == {trade.buyer, trade.seller}
