"""Mails over a real SMTP server that refuses, hangs up, is down and comes back: none is lost, a bad address harms no other."""

import smtplib
from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import jobs
from marketplace.core.models import Job
from marketplace.core.testing import run_jobs
from marketplace.notifications import mail, selectors, services
from marketplace.notifications.models import Notification, NotificationSetting
from marketplace.notifications.services import notify
from marketplace.notifications.tests import smtp_server
from marketplace.notifications.tests.test_notify import WORDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    with smtp_server.running() as running:
        settings.MAILERS = {
            "default": {
                "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "OPTIONS": {"host": "127.0.0.1", "port": running.port, "use_tls": False, "timeout": 5},
            }
        }
        yield running


def tell(user):
    return notify(user=user, kind="trade_paid", context=WORDS, action_url="/trades/1/")


def due(times=1):
    for _time in range(times):
        Job.objects.filter(status="pending").update(run_at=timezone.now())
        run_jobs(rounds=1)


def test_a_mail_arrives_in_both_forms(server):
    user = UserFactory(language="ru")
    told = tell(user)

    due()

    (message,) = server.mails
    assert message["To"] == user.email
    assert message["Message-ID"].startswith(f"<notification-{told.pk}@")
    assert {part.get_content_type() for part in message.walk()} >= {"text/plain", "text/html"}
    assert message.get_body(("plain",)).get_content().count("Здравствуйте") == 1


@pytest.mark.parametrize("mode", ["busy", "full", "hangup"])
def test_a_server_that_says_later_all_day_gets_the_mail_in_the_end(server, mode, settings):
    told = tell(UserFactory())
    server.mode = mode
    due(settings.JOB_MAX_ATTEMPTS + 3)
    assert Job.objects.get(task__endswith="send_notification_email").status == "pending"
    assert server.mails == []

    server.mode = ""
    due()

    told.refresh_from_db()
    assert len(server.mails) == 1
    assert told.emailed_at
    assert not selectors.setting_of(told.user).bounced_address


def test_a_server_that_is_down_and_comes_back_gets_every_mail_once(server, settings):
    people = UserFactory.create_batch(4)
    server.stop()
    for person in people:
        tell(person)
    due(settings.JOB_MAX_ATTEMPTS + 2)
    assert set(Job.objects.values_list("status", flat=True)) == {"pending"}

    server.start()
    due(2)

    assert sorted(message["To"] for message in server.mails) == sorted(person.email for person in people)


def test_after_days_of_silence_a_person_has_to_look(server, settings):
    tell(UserFactory())
    server.stop()
    Job.objects.update(
        created_at=timezone.now() - jobs.PATIENCE - timedelta(minutes=1), attempts=settings.JOB_MAX_ATTEMPTS
    )

    due()

    assert Job.objects.get().status == "failed"


def test_a_greylisting_server_takes_the_second_try(server):
    server.mode = "greylist"
    tell(UserFactory())

    due(2)

    assert len(server.mails) == 1


@pytest.mark.parametrize("when", ["unknown", "late"])
def test_an_address_that_is_refused_for_good_is_noted_told_on_the_site_and_left_in_peace(
    server, when, client
):
    user, other = UserFactory(language="en"), UserFactory()
    getattr(server, when).add(user.email)
    tell(user)
    tell(other)

    due()
    tried = server.tries
    tell(user)
    due()

    assert [message["To"] for message in server.mails] == [other.email]
    assert server.tries == tried
    assert not Job.objects.exclude(status="done").exists()
    assert NotificationSetting.objects.get(user=user).bounced_address == user.email
    assert Notification.objects.filter(user=user, type__code="email-bounced").count() == 1
    client.force_login(user)
    assert "refuses our mails" in client.get("/notifications/preferences/").content.decode()


def test_the_person_may_let_us_try_again(server, client):
    user = UserFactory()
    server.unknown.add(user.email)
    tell(user)
    due()
    server.unknown.clear()
    client.force_login(user)

    client.post("/notifications/preferences/address/")
    tell(user)
    due()

    assert [message["To"] for message in server.mails] == [user.email]


def test_another_address_is_written_to_at_once(server):
    user = UserFactory()
    server.unknown.add(user.email)
    tell(user)
    due()
    type(user).objects.filter(pk=user.pk).update(email="new@example.uz")

    tell(type(user).objects.get(pk=user.pk))
    due()

    assert [message["To"] for message in server.mails] == ["new@example.uz"]


def test_a_mail_that_the_server_does_not_like_is_no_bounce(server, settings):
    settings.JOB_MAX_ATTEMPTS = 2
    user = UserFactory()
    server.mode = "broken"
    tell(user)

    due(2)

    assert Job.objects.get().status == "failed"
    assert not selectors.setting_of(user).bounced_address


def test_what_the_person_asks_for_is_tried_even_after_a_bounce_and_ends_it(server):
    user = UserFactory()
    server.unknown.add(user.email)
    tell(user)
    due()
    server.unknown.clear()

    services.account_email(template="account_already_exists", to=user.email, language="en", context={})

    assert len(server.mails) == 1
    assert not selectors.setting_of(user).bounced_address


def test_a_server_that_does_not_let_us_in_is_waited_for(settings, monkeypatch):
    def no(*_args):
        raise smtplib.SMTPAuthenticationError(535, b"5.7.8 secret hint")

    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", no)
    tell(UserFactory())
    due(settings.JOB_MAX_ATTEMPTS + 1)

    job = Job.objects.get()
    assert job.status == "pending"
    assert "secret hint" not in job.last_error
