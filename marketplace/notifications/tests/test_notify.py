"""Telling people things: in whose words and clock, when by e-mail, and that nothing is lost or sent twice."""

import re
import smtplib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.test import TestCase
from django.utils import timezone, translation

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.models import Job
from marketplace.core.money import Money
from marketplace.core.testing import run_jobs
from marketplace.notifications import kinds, mail, services
from marketplace.notifications.kinds import KINDS, Kind
from marketplace.notifications.letter_parts import template_of
from marketplace.notifications.models import Notification, NotificationType
from marketplace.notifications.services import notify
from marketplace.notifications.tests.factories import NotificationFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 5, 7, 0, tzinfo=UTC)  # noon in Tashkent
EMAILS = Path(project.BASE_DIR) / "templates" / "emails"
# One value for every word that any kind uses; the callers' own names are checked over the whole product elsewhere.
WORDS = {
    "title": "Conqueror <b>account</b> 100%",
    "seller": "Aziz",
    "buyer": "Jasur",
    "reason": "Too late",
    "destination": "**** 4242",
    "plan": "Premium",
    "method": "Payme",
    "part": Money(2_000_00, "UZS"),
    "card": "Humo •• 4242",
    "person": "Jasur",
    "debt": Money(5_000_00, "UZS"),
    "missing": Money(9_000_00, "UZS"),
    "number": "1204",
    "rules": "Nobody’s wallet is below zero.",
    "amount": Money(150_000_00, "UZS"),
    "fee": Money(15_000_00, "UZS"),
    "deadline": NOON,
    "time": NOON,
    "device": "Chrome, Android",
    "factor": "The authenticator app",
    "way": "Google (aziza@gmail.com)",
    "count": 9,
    "place": "91.203.174.12",
    "address": "aziza@example.uz",
    "name": "@aziza",
}


class Spoken:
    """Words that say in which language they were asked for."""

    def __init__(self, words):
        self.words = words

    def __str__(self):
        return f"[{translation.get_language()}] {self.words}"


@pytest.fixture
def spoken(monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "welcome", Kind(Spoken("Hello"), Spoken("%(what)s came")))


# --- Words ------------------------------------------------------------------------------------------


def test_a_person_is_told_in_their_own_language_not_in_the_callers(spoken):
    user = UserFactory(language="ru")

    with translation.override("en"):
        told = notify(user=user, kind="welcome", context={"what": Spoken("something")})

        assert translation.get_language() == "en"
    assert told.title == "[ru] Hello"
    assert told.message == "[ru] [ru] something came"


def test_times_are_on_the_readers_clock_and_amounts_as_people_write_them():
    user = UserFactory(timezone="Asia/Tashkent")
    traveller = UserFactory(timezone="Europe/Moscow")

    told = notify(user=user, kind="trade_paid", context=WORDS)
    elsewhere = notify(user=traveller, kind="trade_paid", context=WORDS)

    assert "12:00" in told.message
    assert "10:00" in elsewhere.message
    assert "150\u00a0000" in told.message
    assert told.data["kind"] == "trade_paid"


def test_a_person_whose_clock_is_unknown_is_told_all_the_same():
    told = notify(user=UserFactory(timezone="Nowhere/Atall"), kind="trade_paid", context=WORDS)

    assert "12:00" in told.message


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_an_icon_and_a_tone_that_exist(kind):
    told = notify(user=UserFactory(), kind=kind, context=WORDS, action_url="/wallet/")

    assert told.title
    assert told.message
    assert "%(" not in told.title + told.message
    assert KINDS[kind].tone in {"info", "success", "danger", "warn"}
    sprite = (Path(project.BASE_DIR) / "static" / "icons.svg").read_text()
    assert f'id="i-{KINDS[kind].icon}"' in sprite


@pytest.mark.parametrize("kind", KINDS)
def test_every_translation_keeps_the_places_of_its_words(kind):
    places = re.compile(r"%\((\w+)\)s")
    with translation.override("en"):
        wanted = sorted(places.findall(str(KINDS[kind].message)))

    for language in ("uz", "ru"):
        with translation.override(language):
            assert sorted(places.findall(str(KINDS[kind].message))) == wanted


def test_an_unknown_kind_is_a_bug():
    with pytest.raises(KeyError):
        notify(user=UserFactory(), kind="nonsense")


def test_a_forgotten_word_is_a_bug_and_leaves_nothing_behind():
    with pytest.raises(KeyError):
        notify(user=UserFactory(), kind="trade_paid", context={"title": "x"})

    assert not Notification.objects.exists()
    assert not Job.objects.exists()


def test_a_long_title_is_cut_to_its_column(monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "welcome", Kind("%(title)s", "x"))

    assert len(notify(user=UserFactory(), kind="welcome", context={"title": "я" * 500}).title) == 200


# --- Where it leads ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "wallet/",
     "/wallet/\n//evil", "/ wallet"],
)  # fmt: skip
def test_an_address_outside_the_site_is_refused(address):
    with pytest.raises(ValidationError):
        notify(user=UserFactory(), kind="welcome", action_url=address)

    assert not Notification.objects.exists()


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example/", "evil"])
def test_the_database_refuses_an_address_outside_the_site_too(address):
    with pytest.raises(IntegrityError), transaction.atomic():
        NotificationFactory(action_url=address)


def test_what_was_read_has_a_time():
    with pytest.raises(IntegrityError), transaction.atomic():
        NotificationFactory(is_read=True, read_at=None)


# --- By e-mail or not -------------------------------------------------------------------------------


def test_an_email_is_queued_only_where_the_kind_is_worth_one():
    notify(user=UserFactory(), kind="listing_waiting", context=WORDS)
    told = notify(user=UserFactory(), kind="trade_paid", context=WORDS)

    (job,) = Job.objects.all()
    assert job.task == "tasks.notifications.send_notification_email"
    assert job.kwargs == {
        "user_id": str(told.user_id),
        "notification_data": {"notification_id": str(told.pk)},
    }


def test_a_type_that_is_switched_off_is_silent():
    notify(user=UserFactory(), kind="welcome")
    NotificationType.objects.filter(code="welcome").update(is_active=False)
    services.forget_types()  # or a minute later

    assert notify(user=UserFactory(), kind="welcome") is None
    assert Notification.objects.count() == 1


def test_many_are_told_in_two_statements(django_assert_num_queries):
    people = UserFactory.create_batch(3, language="en")
    told = [services.Message(person, "trade_paid", WORDS) for person in people]
    with TestCase.captureOnCommitCallbacks(execute=True):
        services.notify_all(told[:1])  # from now on the type is remembered

    with django_assert_num_queries(2):
        rows = services.notify_all(told)

    assert [row.user for row in rows] == people
    assert Job.objects.count() == 4


def test_nobody_to_tell_is_no_statement_at_all(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert services.notify_all([]) == []


def test_a_notification_of_a_transaction_that_is_undone_never_was():
    user = UserFactory()
    with transaction.atomic():
        notify(user=user, kind="welcome")
        transaction.set_rollback(True)

    assert not Notification.objects.exists()
    assert not Job.objects.exists()


def test_the_email_has_both_forms_the_link_and_no_markup_of_strangers(mailoutbox, settings):
    settings.SITE_URL = "https://wibestore.example"
    user = UserFactory(full_name="<i>Aziza</i>")
    notify(user=user, kind="trade_paid", context=WORDS, action_url="/trades/1/")

    run_jobs()

    (message,) = mailoutbox
    ((html, kind),) = message.alternatives
    assert (message.to, kind) == ([user.email], "text/html")
    assert "https://wibestore.example/trades/1/" in message.body
    assert 'href="https://wibestore.example/trades/1/"' in html
    assert "<b>account</b>" in message.body
    assert "<b>account</b>" not in html
    assert "<i>Aziza</i>" not in html
    assert Notification.objects.get().emailed_at


def test_an_email_is_in_the_readers_language(mailoutbox, spoken):
    user = UserFactory(language="ru")
    notify(user=user, kind="welcome", context={"what": "x"})

    run_jobs()

    assert '<html lang="ru">' in mailoutbox[0].alternatives[0][0]
    assert mailoutbox[0].subject == "[ru] Hello"


def test_a_subject_has_one_line_whatever_the_title_holds(mailoutbox, monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "welcome", Kind("%(title)s", "x"))
    notify(user=UserFactory(), kind="welcome", context={"title": "News\r\nBcc: all@example.uz"})

    run_jobs()

    assert mailoutbox[0].subject == "News Bcc: all@example.uz"
    assert mailoutbox[0].recipients() == mailoutbox[0].to


def test_a_job_that_runs_twice_sends_once(mailoutbox):
    told = notify(user=UserFactory(), kind="welcome")

    services.email(notification_id=told.pk)
    services.email(notification_id=told.pk)

    assert len(mailoutbox) == 1


def test_nobody_writes_to_a_person_who_was_shut_out(mailoutbox):
    user = UserFactory()
    told = notify(user=user, kind="welcome")
    type(user).objects.filter(pk=user.pk).update(is_active=False)

    services.email(notification_id=told.pk)

    assert mailoutbox == []


def test_a_mail_server_that_is_down_delays_the_email_and_loses_nothing(mailoutbox, monkeypatch):
    told = notify(user=UserFactory(), kind="trade_paid", context=WORDS)
    with monkeypatch.context() as down:
        down.setattr(mail.EmailMultiAlternatives, "send", _refuse)
        run_jobs()
    job = Job.objects.get()
    waiting = (job.status, job.attempts, job.kwargs)

    Job.objects.update(run_at=timezone.now())
    run_jobs()

    told.refresh_from_db()
    assert waiting[:2] == (Job.Status.PENDING, 1)
    assert waiting[2]["notification_data"] == {"notification_id": str(told.pk)}
    assert len(mailoutbox) == 1
    assert told.emailed_at
    assert Job.objects.get().status == Job.Status.DONE


def _refuse(*_args, **_kwargs):
    raise smtplib.SMTPServerDisconnected


def test_a_notification_that_is_gone_needs_no_email(mailoutbox):
    told = notify(user=UserFactory(), kind="welcome")
    Notification.objects.all().delete()

    services.email(notification_id=told.pk)

    assert mailoutbox == []


# --- Templates of mails -----------------------------------------------------------------------------


def test_every_mail_has_a_text_and_an_html_form():
    texts = {file.stem for file in EMAILS.glob("*.txt") if not file.stem.endswith("_subject")}
    pages = {file.stem for file in EMAILS.glob("*.html") if not file.name.startswith("_")}
    subjects = {file.stem.removesuffix("_subject") for file in EMAILS.glob("*_subject.txt")}

    assert texts == pages
    told = {template_of(kind) for kind in KINDS}
    assert texts - subjects == told | {"base", "transaction_receipt", "digest"}


@pytest.mark.parametrize(
    "template", sorted(file.stem.removesuffix("_subject") for file in EMAILS.glob("*_subject.txt") if "welcome" not in file.name)
)  # fmt: skip
@pytest.mark.parametrize("language", ["uz", "ru", "en"])
def test_a_mail_of_the_account_renders_with_its_link(template, language, mailoutbox):
    link = "https://wibestore.example/accounts/x/?a=1&b=2"
    context = dict.fromkeys(("activate_url", "password_reset_url", "signup_url"), link)

    services.account_email(
        template=template, to="a@example.uz", language=language, context={**context, "name": "Aziza"}
    )

    (message,) = mailoutbox
    assert message.subject
    assert "\n" not in message.subject
    assert link in message.body
    assert "a=1&amp;b=2" in message.alternatives[0][0]


def test_no_mail_shows_a_word_that_is_missing(settings):
    broken = []
    settings.TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = ""
    for file in EMAILS.glob("*.*"):
        with translation.override("en"):
            text = render_to_string(f"emails/{file.name}", {"site_url": "https://x", "language": "en"})
        if "None" in text or "{{" in text or "{%" in text:
            broken.append(file.name)

    assert broken == []


@pytest.mark.django_db(transaction=True)
def test_who_confirms_their_address_is_welcomed_once():
    from marketplace.accounts.services import mark_verified

    user = UserFactory(is_verified=False)

    mark_verified(user_id=user.pk)
    mark_verified(user_id=user.pk)

    assert list(Notification.objects.filter(user=user).values_list("data__kind", flat=True)) == ["welcome"]
