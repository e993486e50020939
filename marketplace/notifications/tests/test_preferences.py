"""What people are told, where and when: switches that can be moved, and those that cannot; quiet hours; the page and the API."""

import json
from datetime import UTC, datetime, time, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from marketplace.accounts import tokens
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.models import Job
from marketplace.core.testing import run_jobs
from marketplace.notifications import clock, groups, selectors, services
from marketplace.notifications.errors import AlwaysTold
from marketplace.notifications.groups import COMPULSORY, GROUPS, code_of, group_of
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import (
    Channel,
    Notification,
    NotificationPreference,
    NotificationSetting,
    NotificationType,
)
from marketplace.notifications.services import notify
from marketplace.notifications.tests.test_notify import WORDS

pytestmark = pytest.mark.django_db
PAGE, API = "/notifications/preferences/", "/api/v1/notifications/preferences/"
TASHKENT = ZoneInfo("Asia/Tashkent")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = datetime(2026, 3, 5, 20, 0, tzinfo=UTC)  # one in the morning in Tashkent


@pytest.fixture
def user(client):
    user = UserFactory(language="en", timezone="Asia/Tashkent")
    client.force_login(user)
    return user


@pytest.fixture
def at(monkeypatch):
    """`at(moment)`: what the clock of this test says."""

    def stop(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return stop


def quiet(user, begins="23:00", ends="08:00"):
    return NotificationSetting.objects.create(user=user, quiet_from=begins, quiet_until=ends)


def work(moment):
    """Run what is due at that moment: jobs without a wait of their own, and those whose wait is over by then."""
    Job.objects.filter(status="pending", key=None).update(run_at=moment)
    return run_jobs()


def mails_to(user, mailoutbox):
    return [message for message in mailoutbox if user.email in message.to]


# --- Kinds and types --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_row_and_its_group(kind):
    assert NotificationType.objects.filter(code=code_of(kind), is_active=True).exists(), (
        f"add {kind} to a data migration like 0003_types"
    )
    assert group_of(kind) in GROUPS


def test_the_migration_that_brings_the_types_may_run_again():
    from django.apps import apps

    before = NotificationType.objects.count()

    import_module("marketplace.notifications.migrations.0003_types").add(apps, None)

    assert NotificationType.objects.count() == before


def test_only_kinds_that_there_are_are_compulsory():
    assert set(COMPULSORY) <= set(KINDS)
    assert set(groups._ELSEWHERE.values()) <= set(GROUPS)


# --- Switches ---------------------------------------------------------------------------------------


def test_what_is_switched_off_is_not_mailed_and_still_stands_on_the_site(user, mailoutbox):
    services.choose(user=user, choices={("listing_approved", Channel.EMAIL): False})

    told = notify(user=user, kind="listing_approved", context=WORDS)
    run_jobs()

    assert mailoutbox == []
    assert list(selectors.notifications_of(user)) == [told]


def test_what_is_switched_off_on_the_site_is_mailed_and_not_listed_nor_counted(client, user, mailoutbox):
    services.choose(user=user, choices={("listing_approved", Channel.APP): False})

    notify(user=user, kind="listing_approved", context=WORDS)
    run_jobs()

    assert len(mailoutbox) == 1
    assert selectors.unread_count(user) == 0
    assert "passed the check" not in client.get("/notifications/").content.decode()


def test_a_choice_is_ones_own(user, mailoutbox):
    services.choose(user=UserFactory(), choices={("listing_approved", Channel.EMAIL): False})

    notify(user=user, kind="listing_approved", context=WORDS)
    run_jobs()

    assert len(mailoutbox) == 1


def test_a_choice_may_be_taken_back(user, mailoutbox):
    for is_on in (False, True):
        services.choose(user=user, choices={("listing_approved", Channel.EMAIL): is_on})
    notify(user=user, kind="listing_approved", context=WORDS)
    run_jobs()

    assert len(mailoutbox) == 1
    assert NotificationPreference.objects.count() == 1


@pytest.mark.parametrize("channel", [Channel.APP, Channel.EMAIL])
@pytest.mark.parametrize("kind", COMPULSORY)
def test_what_is_compulsory_cannot_be_switched_off(user, kind, channel):
    with pytest.raises(AlwaysTold):
        services.choose(user=user, choices={("listing_approved", channel): False, (kind, channel): False})

    assert not NotificationPreference.objects.exists()


def test_what_is_compulsory_is_mailed_whatever_a_row_says(user, mailoutbox):
    row = NotificationType.objects.get(code="trade-paid")
    NotificationPreference.objects.create(user=user, type=row, channel=Channel.EMAIL, is_on=False)

    notify(user=user, kind="trade_paid", context=WORDS)
    run_jobs()

    assert len(mailoutbox) == 1


def test_the_database_keeps_one_choice_a_type_and_channel(user):
    row = NotificationType.objects.get(code="trade-started")
    NotificationPreference.objects.create(user=user, type=row, channel=Channel.APP, is_on=True)

    for channel in (Channel.APP, "pigeon"):
        with pytest.raises(IntegrityError), transaction.atomic():
            NotificationPreference.objects.create(user=user, type=row, channel=channel, is_on=True)


@pytest.mark.parametrize(
    "values",
    [
        {"quiet_from": time(22)}, {"quiet_until": time(8)}, {"quiet_from": time(8), "quiet_until": time(8)},
        {"digest_hour": 8}, {"digest_hour": 24, "digest_at": NIGHT}, {"digest_at": NIGHT},
    ],
)  # fmt: skip
def test_the_database_refuses_settings_that_make_no_sense(user, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        NotificationSetting.objects.create(user=user, **values)


# --- Quiet hours ------------------------------------------------------------------------------------


def local(text, zone=TASHKENT):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "begins", "ends", "until"),
    [
        ("2026-03-05T22:59", "23:00", "08:00", None),
        ("2026-03-05T23:00", "23:00", "08:00", "2026-03-06T08:00"),
        ("2026-03-06T00:00", "23:00", "08:00", "2026-03-06T08:00"),
        ("2026-03-06T07:59", "23:00", "08:00", "2026-03-06T08:00"),
        ("2026-03-06T08:00", "23:00", "08:00", None),
        ("2026-03-06T13:00", "12:00", "14:00", "2026-03-06T14:00"),
        ("2026-03-06T14:00", "12:00", "14:00", None),
    ],
)
def test_quiet_hours_end_on_the_readers_clock(now, begins, ends, until):
    found = clock.quiet_until(
        local(now), zone=TASHKENT, begins=time.fromisoformat(begins), ends=time.fromisoformat(ends)
    )

    assert found == (local(until) if until else None)


def test_of_an_end_that_comes_twice_the_second_counts_for_who_is_between_them():
    berlin = ZoneInfo("Europe/Berlin")
    between = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # ten past two, for the second time

    until = clock.quiet_until(between, zone=berlin, begins=time(23), ends=time(2, 30))

    assert until == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@given(
    st.integers(0, 365 * 24 * 60).map(lambda minutes: NEW_YEAR + timedelta(minutes=minutes)),
    st.sampled_from(["Asia/Tashkent", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.times(), st.times(), st.integers(0, 23),
)  # fmt: skip
def test_on_no_day_of_no_clock_does_waiting_end_in_the_past_or_never(now, zone, begins, ends, hour):
    zone = ZoneInfo(zone)
    until = clock.quiet_until(now, zone=zone, begins=begins, ends=ends) if begins != ends else None
    digest = clock.next_digest(now, zone=zone, hour=hour, sent_on=None)

    assert until is None or now < until <= now + timedelta(hours=26)
    assert now < digest <= now + timedelta(hours=26)


def test_what_is_not_urgent_waits_for_the_morning_and_is_on_the_site_at_once(user, mailoutbox, at):
    quiet(user)
    at(NIGHT)
    told = notify(user=user, kind="listing_approved", context=WORDS)

    work(NIGHT)

    assert mailoutbox == []
    assert list(selectors.notifications_of(user)) == [told]
    waiting = Job.objects.get(status="pending")
    assert waiting.run_at == local("2026-03-06T08:00")
    at(local("2026-03-06T08:00"))
    work(local("2026-03-06T08:00"))
    assert len(mails_to(user, mailoutbox)) == 1


def test_what_is_about_money_alone_waits_too(user, mailoutbox, at):
    quiet(user)
    at(NIGHT)

    notify(user=user, kind="trade_confirmed", context=WORDS)
    work(NIGHT)

    assert mailoutbox == []


@pytest.mark.parametrize("kind", ["trade_paid", "trade_disputed", "payout_card_added", "new_sign_in"])
def test_what_is_urgent_wakes_people(user, mailoutbox, at, kind):
    quiet(user)
    at(NIGHT)

    notify(user=user, kind=kind, context=WORDS)
    work(NIGHT)

    assert len(mailoutbox) == 1


def test_a_job_that_runs_twice_at_night_leaves_one_mail_for_the_morning(user, mailoutbox, at):
    quiet(user)
    at(NIGHT)
    told = notify(user=user, kind="listing_approved", context=WORDS)

    services.email(notification_id=told.pk)
    work(NIGHT)
    at(local("2026-03-06T08:00"))
    work(local("2026-03-06T08:00"))

    assert len(mailoutbox) == 1


def test_hours_that_were_moved_meanwhile_hold(user, mailoutbox, at):
    quiet(user)
    at(NIGHT)
    notify(user=user, kind="listing_approved", context=WORDS)
    work(NIGHT)
    NotificationSetting.objects.update(quiet_until="10:00")

    at(local("2026-03-06T08:00"))
    work(local("2026-03-06T08:00"))
    assert mailoutbox == []
    at(local("2026-03-06T10:00"))
    work(local("2026-03-06T10:00"))

    assert len(mailoutbox) == 1


# --- The page ---------------------------------------------------------------------------------------


def form(**changes):
    """What the browser posts when every switch is on."""
    on = {
        f"{group}_{channel}": "on"
        for group in ("trades", "messages", "listings", "money", "plans")
        for channel in ("app", "email")
    }
    values = {**on, "phrase": "", "quiet_from": "", "quiet_until": "", "digest_hour": "", **changes}
    return {name: value for name, value in values.items() if value is not None}


def test_a_visitor_is_asked_to_sign_in(client):
    assert client.get(PAGE).status_code == 302


def test_saving_without_moving_a_switch_writes_no_choice(client, user):
    assert client.post(PAGE, form()).status_code == 302
    assert not NotificationPreference.objects.exists()


def test_a_switch_moves_all_of_its_group_that_can_be_moved(client, user):
    client.post(PAGE, form(trades_email=None))

    off = set(NotificationPreference.objects.filter(user=user).values_list("type__code", "channel", "is_on"))
    assert off == {
        (code_of(kind), "email", False)
        for kind in KINDS
        if group_of(kind) == "trades" and kind not in COMPULSORY and KINDS[kind].by_email
    }
    assert "trade-paid" not in {code for code, *_rest in off}


def test_finer_choices_survive_a_page_whose_switch_was_not_moved(client, user):
    services.choose(user=user, choices={("listing_approved", "email"): False})

    client.post(PAGE, form(trades_app=None))

    assert not selectors.choices_of(user)["listing_approved", "email"]


def test_times_and_phrase_are_kept(client, user):
    client.post(PAGE, form(phrase="  qora   choy ", quiet_from="23:00", quiet_until="07:30", digest_hour="8"))

    setting = NotificationSetting.objects.get(user=user)
    assert setting.phrase == "qora choy"
    assert (setting.quiet_from, setting.quiet_until, setting.digest_hour) == (time(23), time(7, 30), 8)
    assert 'value="qora choy"' in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quiet_from": "23:00"}, "quiet_until"), ({"quiet_until": "8:00"}, "quiet_from"),
        ({"quiet_from": "8:00", "quiet_until": "8:00"}, "quiet_until"), ({"quiet_from": "25:00"}, "quiet_from"),
        ({"digest_hour": "24"}, "digest_hour"), ({"phrase": "x" * 61}, "phrase"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(client, user, changes, field):
    response = client.post(PAGE, form(trades_app=None, **changes))

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not NotificationPreference.objects.exists()
    assert not NotificationSetting.objects.exists()


def test_the_phrase_is_encrypted_at_rest(user):
    from django.db import connection

    NotificationSetting.objects.create(user=user, phrase="qora choy")
    with connection.cursor() as cursor:
        cursor.execute("SELECT phrase FROM notifications_notificationsetting")
        (kept,) = cursor.fetchone()

    assert "qora" not in kept


def test_only_staff_is_offered_the_things_of_staff(client, user):
    mine = client.get(PAGE).content.decode()
    client.force_login(StaffFactory(language="en"))

    assert "staff_app" not in mine
    assert "staff_app" in client.get(PAGE).content.decode()


# --- One group, each kind by itself -----------------------------------------------------------------


def of_group(group, **changes):
    """What the browser posts when every switch of the group is on."""
    on = {
        f"{kind}_{channel}": "on"
        for kind in groups.kinds_in(group)
        for channel in ("app", "email")
        if selectors.is_free(kind, channel)
    }
    return {name: value for name, value in {**on, **changes}.items() if value is not None}


def test_one_kind_is_switched_off_and_the_others_of_its_group_stay(client, user):
    page = client.get(f"{PAGE}listings/")

    answer = client.post(f"{PAGE}listings/", of_group("listings", listing_approved_email=None))

    assert "Your listing is published" in page.content.decode()
    assert answer.status_code == 302
    (choice,) = NotificationPreference.objects.filter(user=user)
    assert (choice.type.code, choice.channel, choice.is_on) == ("listing-approved", "email", False)


def test_what_is_always_told_has_no_switch_and_a_forged_one_moves_nothing(client, user):
    page = client.get(f"{PAGE}account/").content.decode()

    client.post(f"{PAGE}trades/", of_group("trades", trade_paid_email=None, trade_paid_app=None))

    assert 'name="new_sign_in_email"' not in page
    assert not NotificationPreference.objects.exists()


@pytest.mark.parametrize("group", ["staff", "nonsense"])
def test_a_group_that_is_not_for_them_is_not_there(client, user, group):
    assert client.get(f"{PAGE}{group}/").status_code == 404
    assert client.post(f"{PAGE}{group}/", {}).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["uz", "ru", "en"])
def test_every_kind_has_a_name_before_anything_has_happened(kind, language):
    with translation.override(language):
        name = KINDS[kind].name

    assert name
    assert "%" not in name


def test_the_page_of_a_group_costs_few_queries(client, user, django_assert_max_num_queries):
    client.get(f"{PAGE}trades/")

    with django_assert_max_num_queries(7):
        client.get(f"{PAGE}trades/")


def test_the_page_costs_few_queries(client, user, django_assert_max_num_queries):
    client.get(PAGE)

    with django_assert_max_num_queries(8):
        client.get(PAGE)


# --- The API ----------------------------------------------------------------------------------------


def bearer(user):
    return {"Authorization": f"Bearer {tokens.issue(user=user).access}"}


def put(client, user, body):
    return client.put(API, json.dumps(body), content_type="application/json", headers=bearer(user))


def test_the_api_says_what_is_on_and_what_is_locked(client, user):
    body = client.get(API, headers=bearer(user)).json()

    by_code = {one["code"]: one for one in body["types"]}
    assert by_code["trade-paid"]["channels"]["email"] == {"on": True, "locked": True}
    assert by_code["trade-paid"]["channels"]["telegram"] == {"on": True, "locked": False}
    assert by_code["trade-started"]["channels"]["email"] == {"on": False, "locked": True}
    assert by_code["trade-started"]["channels"]["app"] == {"on": True, "locked": False}
    assert "listing-waiting" not in by_code
    assert (body["quiet_from"], body["digest_hour"], body["timezone"]) == (None, None, "Asia/Tashkent")
    assert body["telegram"] == {"available": False, "linked": False}


def test_the_api_changes_what_is_named_and_leaves_the_rest(client, user):
    put(client, user, {"quiet_from": "23:00", "quiet_until": "08:00", "phrase": "qora choy"})

    body = put(client, user, {"types": {"trade-started": {"app": False}}, "digest_hour": 9}).json()

    by_code = {one["code"]: one for one in body["types"]}
    assert by_code["trade-started"]["channels"]["app"]["on"] is False
    assert (body["quiet_from"], body["quiet_until"], body["digest_hour"]) == ("23:00", "08:00", 9)
    assert body["phrase"] == "qora choy"
    assert put(client, user, {"quiet_from": None, "quiet_until": None}).json()["quiet_from"] is None


def test_the_api_refuses_to_switch_off_what_is_always_told(client, user):
    answer = put(client, user, {"types": {"trade-paid": {"email": False}}, "digest_hour": 9})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "always_told")
    assert not NotificationSetting.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"types": {"nonsense": {"app": False}}}, "types"), ({"types": {"trade-started": {"pigeon": True}}}, "types"),
        ({"types": []}, "types"), ({"types": {"trade-started": {"app": "maybe"}}}, "types"),
        ({"quiet_from": "23:00"}, "quiet_until"), ({"quiet_from": "x"}, "quiet_from"), ({"digest_hour": 24}, "digest_hour"),
        ({"phrase": "x" * 61}, "phrase"),
    ],
)  # fmt: skip
def test_the_api_says_what_is_wrong_beside_its_name(client, user, body, field):
    answer = put(client, user, body)

    assert answer.status_code == 400
    assert field in answer.json()["error"]["details"]
    assert not NotificationPreference.objects.exists()


# --- Telling still costs two statements -------------------------------------------------------------


def test_choices_of_the_people_cost_no_statement_when_they_are_told(django_assert_num_queries):
    people = UserFactory.create_batch(4)
    for person in people:
        services.choose(
            user=person, choices={("trade_started", "app"): False, ("trade_started", "telegram"): False}
        )
        quiet(person)
    with TestCase.captureOnCommitCallbacks(execute=True):
        notify(user=people[0], kind="trade_started", context=WORDS)  # from now on the type is remembered

    with django_assert_num_queries(1):  # no mail tells it, so there are rows alone
        services.notify_all([services.Message(person, "trade_started", WORDS) for person in people])

    assert Notification.objects.count() == 5
