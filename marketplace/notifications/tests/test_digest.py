"""The daily summary: what was unread, once a day, at the hour of the reader's clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from marketplace.accounts import services as accounts
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.notifications import clock, services
from marketplace.notifications.models import Notification, NotificationSetting
from marketplace.notifications.services import digest, notify
from marketplace.notifications.tests.factories import NotificationFactory
from marketplace.notifications.tests.test_notify import WORDS

pytestmark = pytest.mark.django_db
TASHKENT, BERLIN = "Asia/Tashkent", "Europe/Berlin"


def moment(text, zone=TASHKENT):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def reader(at, *, hour=9, zone=TASHKENT, **fields):
    user = UserFactory(language="en", timezone=zone, **fields)
    services.set_up(user=user, at=at, phrase="", quiet_from=None, quiet_until=None, digest_hour=hour)
    return user


def news(user, at, **fields):
    return NotificationFactory(user=user, created_at=at, **fields)


def test_what_was_not_read_comes_in_one_mail_at_the_hour(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-05T13:00"), title="First")
    news(user, moment("2026-03-05T14:00"), title="Second <b>")
    news(user, moment("2026-03-05T15:00"), title="Read", is_read=True, read_at=moment("2026-03-05T16:00"))

    assert services.sweep_digests(at=moment("2026-03-06T08:59")) == 0
    assert services.sweep_digests(at=moment("2026-03-06T09:00")) == 1
    run_jobs()

    (mail,) = mailoutbox
    assert mail.subject == "2 notifications wait for you"
    assert "First" in mail.body
    assert "Read\n" not in mail.body
    assert "Second <b>" not in mail.alternatives[0][0]
    assert "List-Unsubscribe" in mail.extra_headers


def test_nothing_new_is_no_mail(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-04T13:00"))  # before there was a summary

    services.sweep_digests(at=moment("2026-03-06T09:00"))
    run_jobs()

    assert mailoutbox == []


def test_what_was_told_is_not_told_again(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-05T13:00"))
    for day in ("06", "07", "08"):
        services.sweep_digests(at=moment(f"2026-03-{day}T09:00"))
        run_jobs()

    assert len(mailoutbox) == 1


def test_what_is_read_before_the_mail_goes_is_left_out(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-05T13:00"))
    services.sweep_digests(at=moment("2026-03-06T09:00"))

    services.mark_all_read(user=user)
    run_jobs()

    assert mailoutbox == []


def test_sweeping_often_sends_once_a_day(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    at = moment("2026-03-05T12:00")
    for _quarter in range(4 * 24 * 3):
        at += timedelta(minutes=15)
        if at.hour % 6 == 0 and at.minute == 0:
            news(user, at - timedelta(seconds=1))
        services.sweep_digests(at=at)
    run_jobs()

    assert len(mailoutbox) == 3


def test_days_that_were_slept_through_are_one_mail(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    for day in range(6, 12):
        news(user, moment(f"2026-03-{day:02}T13:00"))

    services.sweep_digests(at=moment("2026-03-12T17:20"))
    services.sweep_digests(at=moment("2026-03-12T17:21"))
    run_jobs()

    (mail,) = mailoutbox
    assert mail.subject == "6 notifications wait for you"
    assert NotificationSetting.objects.get().digest_at == moment("2026-03-13T09:00")


@pytest.mark.parametrize(
    ("before", "after"),
    [("2026-03-28T12:00", "2026-03-29T08:00"), ("2026-10-24T12:00", "2026-10-25T08:00")],
)
def test_the_hour_is_the_readers_on_the_days_the_clock_is_moved(before, after):
    due = clock.next_digest(moment(before, BERLIN), zone=ZoneInfo(BERLIN), hour=8, sent_on=None)

    assert due == moment(after, BERLIN)
    assert due.astimezone(ZoneInfo(BERLIN)).hour == 8


def test_an_hour_that_is_left_out_comes_an_hour_later_and_the_day_is_not_skipped():
    due = clock.next_digest(moment("2026-03-28T12:00", BERLIN), zone=ZoneInfo(BERLIN), hour=2, sent_on=None)

    assert due == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # three o'clock, summer time


def test_an_hour_that_comes_twice_brings_one_mail(mailoutbox):
    user = reader(moment("2026-10-24T12:00", BERLIN), hour=2, zone=BERLIN)
    at = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    for _quarter in range(4 * 8):
        at += timedelta(minutes=15)
        news(user, at - timedelta(seconds=1))
        services.sweep_digests(at=at)
    run_jobs()

    assert len(mailoutbox) == 1


def test_another_clock_moves_the_hour_and_brings_no_second_mail_that_day(
    mailoutbox, django_capture_on_commit_callbacks
):
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-05T13:00"))
    services.sweep_digests(at=moment("2026-03-06T09:00"))
    news(user, moment("2026-03-06T09:30"))
    user.timezone = "Europe/Moscow"  # two hours behind: nine o'clock is still to come there

    with django_capture_on_commit_callbacks(execute=True):
        accounts.edit_profile(user=user, changed=["timezone"])
    services.sweep_digests(at=moment("2026-03-06T09:00", "Europe/Moscow"))
    run_jobs()

    assert len(mailoutbox) == 1
    assert NotificationSetting.objects.get().digest_at.astimezone(ZoneInfo("Europe/Moscow")).hour == 9


def test_on_a_clock_that_nobody_told_us_of_the_day_has_no_second_mail_and_nothing_is_lost(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-05T13:00"))
    services.sweep_digests(at=moment("2026-03-06T09:00"))
    type(user).objects.update(timezone="America/New_York")  # nine in Tashkent is the evening before there
    news(user, moment("2026-03-06T20:00"), title="Not lost")

    assert services.sweep_digests(at=moment("2026-03-07T09:00")) == 0
    assert services.sweep_digests(at=moment("2026-03-07T09:00", "America/New_York")) == 1
    run_jobs()

    assert len(mailoutbox) == 2
    assert "Not lost" in mailoutbox[1].body


def test_with_a_summary_single_mails_are_for_what_cannot_be_switched_off(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))

    notify(user=user, kind="listing_approved", context=WORDS)
    notify(user=user, kind="trade_paid", context=WORDS)
    run_jobs()

    (mail,) = mailoutbox
    assert mail.subject == "Paid: hand over the account"


def test_what_shall_not_be_mailed_is_not_in_the_summary_either(mailoutbox):
    at = moment("2026-03-05T12:00")
    user = reader(at)
    services.choose(user=user, choices={("listing_approved", "email"): False})
    notify(user=user, kind="listing_approved", context=WORDS)
    Notification.objects.update(created_at=at + timedelta(hours=1))

    services.sweep_digests(at=moment("2026-03-06T09:00"))
    run_jobs()

    assert mailoutbox == []


def test_a_long_day_is_cut_and_counted(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    for minute in range(35):
        news(user, moment(f"2026-03-05T13:{minute:02}"))

    services.sweep_digests(at=moment("2026-03-06T09:00"))
    run_jobs()

    assert mailoutbox[0].body.count("* News") == 30
    assert "And 5 more." in mailoutbox[0].body


def test_who_was_shut_out_gets_none(mailoutbox):
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-05T13:00"))
    services.sweep_digests(at=moment("2026-03-06T09:00"))
    type(user).objects.update(is_active=False)

    run_jobs()

    assert mailoutbox == []


def test_switching_it_off_ends_it():
    user = reader(moment("2026-03-05T12:00"))
    services.set_up(
        user=user,
        at=moment("2026-03-05T12:00"),
        phrase="",
        quiet_from=None,
        quiet_until=None,
        digest_hour=None,
    )

    assert services.sweep_digests(at=moment("2026-03-09T12:00")) == 0


@pytest.mark.django_db(transaction=True)
def test_two_sweepers_at_once_queue_one_summary():
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-05T13:00"))

    found = in_parallel(*[lambda: services.sweep_digests(at=moment("2026-03-06T09:00"))] * 4)

    assert sorted(found) == [0, 0, 0, 1]
    assert Job.objects.filter(task="tasks.notifications.send_digest").count() == 1


def test_a_sweeper_that_comes_second_with_what_it_read_before_queues_nothing():
    user = reader(moment("2026-03-05T12:00"))
    first, second = (NotificationSetting.objects.get(user=user) for _sweeper in range(2))

    found = [digest._queue(setting, moment("2026-03-06T09:00")) for setting in (first, second)]

    assert found == [True, False]


def test_a_sweep_that_asks_again_after_a_crash_meets_the_key_of_the_day():
    user = reader(moment("2026-03-05T12:00"))
    news(user, moment("2026-03-05T13:00"))
    services.sweep_digests(at=moment("2026-03-06T09:00"))
    NotificationSetting.objects.update(digest_at=moment("2026-03-06T09:00"), digest_on=date(2026, 3, 5))

    services.sweep_digests(at=moment("2026-03-06T09:01"))

    assert Job.objects.filter(task="tasks.notifications.send_digest").count() == 1
