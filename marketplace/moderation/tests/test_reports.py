"""Reported messages, as those who decide see them."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory
from marketplace.messaging import services
from marketplace.messaging.models import Message, MessageReport
from marketplace.messaging.tests.factories import conversation, said
from marketplace.notifications.models import Notification

pytestmark = pytest.mark.django_db
PAGE = "/moderation/messages/"


@pytest.fixture
def judge():
    staff = UserFactory(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="read_reported"))
    return staff


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def reported(text="Pul oʻtkaz, escrowsiz"):
    thread = conversation()
    said(thread, "Salom")
    row = services.report(
        conversation_id=thread.pk, message_id=said(thread, text).pk, reporter=thread.seller, reason="fraud"
    )
    said(thread, "Xoʻsh?", by=thread.seller)
    return row


def decide(row, by, decision):
    return browser(by).post(reverse("moderation:report", args=[row.pk]), {"decision": decision})


def test_a_report_is_shown_with_what_was_said_around_it(judge):
    row = reported()

    page = browser(judge).get(PAGE).text
    around = browser(judge).get(PAGE, {"report": str(row.pk)}).text

    for words in ("Pul oʻtkaz, escrowsiz", row.reporter.display_name, "past the escrow"):
        assert words in page
    for words in ("Salom", "Xoʻsh?"):
        assert words not in page
        assert words in around


def test_what_is_reported_is_never_markup(judge):
    reported("<script>alert(1)</script>")

    assert "<script>alert(1)" not in browser(judge).get(PAGE).text


@pytest.mark.parametrize(
    ("decision", "status", "is_gone"), [("uphold", "upheld", True), ("dismiss", "dismissed", False)]
)
def test_a_decision_closes_the_report_and_is_kept_with_its_judge(judge, decision, status, is_gone):
    row = reported()

    decide(row, judge, decision)

    row.refresh_from_db()
    assert (row.status, row.decided_by) == (status, judge)
    assert Message.objects.get(pk=row.message_id).is_deleted == is_gone
    assert "Pul oʻtkaz" not in browser(judge).get(PAGE).text
    assert "Pul oʻtkaz" in browser(judge).get(PAGE, {"show": "decided"}).text


def test_a_decision_that_is_none_changes_nothing(judge):
    row = reported()

    decide(row, judge, "whatever")

    assert MessageReport.objects.get().status == "open"


def test_a_report_is_decided_once(judge):
    row = reported()
    decide(row, judge, "dismiss")

    assert decide(row, judge, "uphold").status_code == 404
    assert not Message.objects.get(pk=row.message_id).is_deleted


@pytest.mark.parametrize("staff", [True, False])
def test_nobody_else_gets_in(staff):
    row = reported()
    stranger = UserFactory(is_staff=staff)

    assert browser(stranger).get(PAGE).status_code in {403, 404}
    assert decide(row, stranger, "uphold").status_code in {403, 404}
    assert Client().get(PAGE).status_code == 302
    assert MessageReport.objects.get().status == "open"


def test_what_was_sent_over_a_warning_is_shown_with_what_the_guard_saw(judge):
    said(conversation(), "Yozing: +998 90 123 45 67", send_anyway=True)

    page = browser(judge).get(PAGE, {"show": "guard"}).text

    assert "Yozing: +998 90 123 45 67" in page
    assert "phone" in page.lower()


def test_those_who_decide_are_told_of_a_report(judge, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        row = reported()

    told = Notification.objects.get(user=judge)
    assert row.message.sender.display_name in told.message
    assert told.action_url == PAGE


@pytest.mark.parametrize("show", ["open", "decided", "guard"])
def test_an_empty_list_says_so(judge, show):
    assert "Nothing here" in browser(judge).get(PAGE, {"show": show}).text


def test_the_lists_cost_the_same_however_long(judge, django_assert_num_queries):
    client = browser(judge)
    for size in (1, 4):
        while MessageReport.objects.filter(status="open").count() < size:
            reported()
        row = reported()
        services.decide_report(report_id=row.pk, actor=judge, is_upheld=False)
        for show in ({"show": "decided"}, {}):
            with django_assert_num_queries(11):
                client.get(PAGE, show)
        oldest = MessageReport.objects.filter(status="open").last()
        with django_assert_num_queries(14):  # the look is on the trail
            client.get(PAGE, {"report": str(oldest.pk)})
