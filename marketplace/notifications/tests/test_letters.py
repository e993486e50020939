"""Mails: whole without a style sheet, with their reader's phrase, with a way out where there may be one, in three languages."""

import logging
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.core import signing
from django.test import Client
from django.utils import timezone

from marketplace.accounts.facts import PersonVerified
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.core.models import Job
from marketplace.core.testing import run_jobs
from marketplace.notifications import samples, selectors, services
from marketplace.notifications.groups import COMPULSORY
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import NotificationPreference, NotificationSetting
from marketplace.notifications.services import notify
from marketplace.notifications.tests.test_notify import WORDS

pytestmark = pytest.mark.django_db
LANGUAGES = ["uz", "ru", "en"]
PHRASE = "qora choy & ikki <qand>"


def told(mailoutbox, kind="listing_approved", **person):
    user = UserFactory(language="en", **person)
    notify(user=user, kind=kind, context=WORDS, action_url="/me/listings/")
    run_jobs()
    return user, mailoutbox[-1]


def html_of(message):
    return message.alternatives[0][0]


# --- Looks ------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Every element of the body with its attributes."""

    def __init__(self):
        super().__init__()
        self.found, self.in_body = [], False

    def handle_starttag(self, tag, attrs):
        self.in_body |= tag == "body"
        if self.in_body:
            self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", samples.SAMPLES)
def test_every_mail_keeps_its_looks_where_style_sheets_are_dropped(name, language):
    letter = samples.letter(name, language)

    reader = Elements()
    reader.feed(letter.html)
    classed = [(tag, attrs) for tag, attrs in reader.found if attrs.get("class")]
    assert len(classed) > 5
    assert [one for one in classed if not one[1].get("style")] == []
    sheets = re.findall(r"<style[^>]*>(.*?)</style>", letter.html, re.DOTALL)
    assert all(sheet.strip().startswith("@media (prefers-color-scheme: dark)") for sheet in sheets)
    assert "<script" not in letter.html
    assert "<img" not in letter.html
    assert not re.search(r"\{\{|\{%|%\(|None", letter.html + letter.text + letter.subject)
    assert letter.subject
    assert "\n" not in letter.subject
    assert f'lang="{language}"' in letter.html


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_every_mail_is_another_one_in_each_language(name):
    assert len({samples.letter(name, language).text for language in LANGUAGES}) == 3
    assert len({samples.letter(name, language).subject for language in LANGUAGES}) == 3


def test_every_kind_that_is_mailed_is_among_the_samples():
    mailed = {kind.replace("_", "-") for kind, words in KINDS.items() if words.by_email}

    assert mailed <= set(samples.SAMPLES)


# --- The phrase -------------------------------------------------------------------------------------


def test_the_phrase_stands_at_the_head_of_both_forms_as_text(mailoutbox):
    user = UserFactory(language="en")
    NotificationSetting.objects.create(user=user, phrase=PHRASE)
    notify(user=user, kind="trade_paid", context=WORDS)
    run_jobs()

    (message,) = mailoutbox
    assert message.body.startswith(f"Your phrase: {PHRASE}")
    assert "qora choy &amp; ikki &lt;qand&gt;" in html_of(message)
    assert html_of(message).index("qora choy") < html_of(message).index("<h1")


def test_a_mail_without_a_phrase_says_where_to_choose_one(mailoutbox):
    _user, message = told(mailoutbox)

    assert "No phrase of yours stands here yet" in html_of(message)
    assert "Your phrase" not in message.body


def test_a_reset_of_a_confirmed_address_carries_the_phrase_and_an_unknown_address_gets_none(
    client, mailoutbox
):
    user = UserFactory(language="en")
    NotificationSetting.objects.create(user=user, phrase=PHRASE)

    client.post("/accounts/password/reset/", {"email": user.email})
    client.post("/accounts/password/reset/", {"email": "nobody@example.uz"})
    run_jobs()

    assert PHRASE in mailoutbox[0].body
    assert "choy" not in mailoutbox[1].body
    assert "phrase" not in html_of(mailoutbox[1]).split("<body")[1]


def test_the_phrase_goes_to_no_address_that_is_not_confirmed(client, mailoutbox):
    user = UserFactory(language="en")
    NotificationSetting.objects.create(user=user, phrase=PHRASE)
    client.force_login(user)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    client.post("/accounts/email/", {"action_add": "", "email": "typo@example.uz"})
    run_jobs()

    (message,) = [one for one in mailoutbox if one.to == ["typo@example.uz"]]
    assert "choy" not in message.body + html_of(message)


# --- Welcome, links that open things ----------------------------------------------------------------


def test_who_is_welcomed_twice_gets_one_mail(mailoutbox):
    user = UserFactory(language="ru")

    for _time in range(2):
        services.welcome(PersonVerified(user_id=user.pk))
    run_jobs()

    (message,) = mailoutbox
    assert message.subject == "Добро пожаловать в WibeStore"
    assert "List-Unsubscribe" not in message.extra_headers


def test_the_tasks_of_the_mails_have_their_names():
    from celery import current_app

    current_app.loader.import_default_modules()
    names = ["send_welcome_email", "send_password_reset_email", "send_email_verification", "send_notification_email",
             "cleanup_old_notifications"]  # fmt: skip
    assert {f"tasks.notifications.{name}" for name in names} <= set(current_app.tasks)
    assert "tasks.payments.send_transaction_email" in current_app.tasks
    scheduled = {entry["task"] for entry in project.CELERY_BEAT_SCHEDULE.values()}
    assert {"tasks.notifications.cleanup_old_notifications", "tasks.notifications.send_digests"} <= scheduled


@pytest.mark.parametrize("is_down", [False, True])
def test_a_reset_token_is_in_no_log_and_in_no_job_that_is_done(
    client, mailoutbox, caplog, monkeypatch, is_down
):
    caplog.set_level(logging.DEBUG)
    user = UserFactory()
    client.post("/accounts/password/reset/", {"email": user.email})
    (job,) = Job.objects.all()
    assert job.task == "tasks.notifications.send_password_reset_email"
    assert set(job.kwargs) == {"user_id", "token"}
    if is_down:
        with monkeypatch.context() as down:
            down.setattr("marketplace.notifications.mail.EmailMultiAlternatives.send", _down)
            run_jobs()
        assert Job.objects.get().status == "pending"
        Job.objects.update(run_at=timezone.now())

    run_jobs()

    link = re.search(r"/accounts/password/reset/key/(\S+)/", mailoutbox[0].body)
    key = link[1].partition("-")[2]
    assert len(key) > 20
    job.refresh_from_db()
    assert (job.status, job.kwargs) == ("done", {})
    assert key not in caplog.text + job.last_error


def _down(*_args, **_kwargs):
    raise ConnectionRefusedError


def test_the_link_of_a_reset_opens_the_page(client, mailoutbox):
    user = UserFactory()
    client.post("/accounts/password/reset/", {"email": user.email})
    run_jobs()

    link = urlsplit(re.search(r"^http\S+$", mailoutbox[0].body, re.MULTILINE)[0])

    assert "password1" in client.get(link.path, follow=True).content.decode()


# --- Ways out ---------------------------------------------------------------------------------------


def way_out(message):
    return urlsplit(message.extra_headers["List-Unsubscribe"].strip("<>")).path


def strict():
    """A browser whose forms need their tokens."""
    return Client(enforce_csrf_checks=True)


def test_what_is_optional_can_be_stopped_by_the_mail_program_in_one_step(mailoutbox):
    user, message = told(mailoutbox)
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.extra_headers["List-Unsubscribe"].startswith(f"<{project.SITE_URL}/")

    answer = strict().post(
        way_out(message), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    notify(user=user, kind="listing_rejected", context=WORDS)
    notify(user=user, kind="plan_ended", context=WORDS)
    run_jobs()

    assert answer.status_code == 200
    assert [one.subject for one in mailoutbox[1:]] == ["Your Premium plan is over"]


def test_the_page_asks_first_and_looking_changes_nothing(mailoutbox):
    _user, message = told(mailoutbox)

    page = strict().get(way_out(message))

    assert "Stop mails about “Listings”?" in page.content.decode()
    assert page["Cache-Control"].count("no-store")
    assert not NotificationPreference.objects.exists()


def test_stopping_twice_is_stopping_once(mailoutbox):
    _user, message = told(mailoutbox)

    answers = [strict().post(way_out(message)) for _time in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "No more mails about “Listings”" in answers[1].content.decode()


def test_the_body_of_the_mail_has_the_same_way_out(mailoutbox):
    _user, message = told(mailoutbox)

    assert way_out(message) in message.body
    assert way_out(message) in html_of(message)


@pytest.mark.parametrize("kind", sorted(kind for kind in COMPULSORY if KINDS[kind].by_email))
def test_what_is_always_told_has_no_way_out(mailoutbox, kind):
    _user, message = told(mailoutbox, kind)

    assert "List-Unsubscribe" not in message.extra_headers
    assert "Stop mails like this" not in message.body + html_of(message)


@pytest.mark.parametrize(
    "kind", sorted(kind for kind in KINDS if kind not in COMPULSORY and KINDS[kind].by_email)
)
def test_what_is_optional_has_one(mailoutbox, kind):
    _user, message = told(mailoutbox, kind)

    assert "List-Unsubscribe" in message.extra_headers


def test_stopping_the_summary_stops_all_that_can_be_stopped(mailoutbox):
    user = UserFactory()
    services.set_up(user=user, at=timezone.now(), phrase="", quiet_from=None, quiet_until=None, digest_hour=8)

    strict().post(f"/notifications/unsubscribe/{selectors.unsubscribe_token(user.pk, selectors.EVERYTHING)}/")
    for kind in ("listing_approved", "plan_ended", "trade_paid"):
        notify(user=user, kind=kind, context=WORDS)
    run_jobs()

    assert NotificationSetting.objects.get(user=user).digest_at is None
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_learns_anything_without_a_link_of_ours(method):
    user = UserFactory()
    good = selectors.unsubscribe_token(user.pk, "listings")
    tokens = [
        "x", str(user.pk), good[:-1], good + "x", good.replace(":", "."), signing.dumps([user.pk.hex, "listings"]),
        signing.dumps([user.pk.hex, "nonsense"], salt="notifications.unsubscribe"),
        signing.dumps({"a": 1}, salt="notifications.unsubscribe"), signing.dumps(5, salt="notifications.unsubscribe"),
        selectors.unsubscribe_token(UserFactory(is_active=False).pk, "listings"),
    ]  # fmt: skip
    answers = [getattr(strict(), method)(f"/notifications/unsubscribe/{token}/") for token in tokens]

    assert {answer.status_code for answer in answers} == {404}
    assert not NotificationPreference.objects.exists()


def test_the_page_leads_nowhere_else_and_signs_nobody_in(mailoutbox):
    _user, message = told(mailoutbox)
    client = strict()

    answer = client.post(f"{way_out(message)}?next=https://evil.example/", {"next": "https://evil.example/"})

    assert answer.status_code == 200
    assert 'href="https://evil.example' not in answer.content.decode()
    assert 'action="https://evil.example' not in answer.content.decode()
    assert "sessionid" not in client.cookies


def test_the_link_names_nobody(mailoutbox):
    user, message = told(mailoutbox)

    assert user.email not in way_out(message)
    assert user.email not in strict().get(way_out(message)).content.decode()


# --- The developer's page ---------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", samples.SAMPLES)
def test_a_developer_sees_every_mail_in_every_language(client, name, language):
    page = client.get(f"/dev/mail/templates/{name}/{language}/")
    html = client.get(f"/dev/mail/templates/{name}/{language}/html/")

    assert page.status_code == 200
    assert page.content.decode().count(f"/dev/mail/templates/{name}/{language}/html/") == 2
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    assert "'unsafe-inline'" in html["Content-Security-Policy"]
    assert "script-src" not in html["Content-Security-Policy"]
    assert "'unsafe-inline'" not in page["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["nonsense/en/", "welcome/xx/", "welcome/xx/html/", "base/en/html/"])
def test_there_is_no_other_template(client, path):
    assert client.get(f"/dev/mail/templates/{path}").status_code == 404
