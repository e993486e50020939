"""Secrets are fed to everything that writes down: log lines, tracebacks, error reports, Sentry, what axes keeps."""

import json
import logging
import sys
import time
from types import SimpleNamespace

import pytest
import sentry_sdk
from axes.models import AccessAttempt
from celery import shared_task
from django.conf import settings as conf
from django.core.signing import dumps
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import path
from django.utils import timezone
from django.utils.log import AdminEmailHandler
from django.views.debug import (
    get_exception_reporter_class,
    get_exception_reporter_filter,
    technical_500_response,
)
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.transport import Transport

from marketplace.accounts import tokens
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import encryption, jobs, scrub
from marketplace.core.logs import LineFormatter, RequestIdFilter, SecretsFilter, without_secrets
from marketplace.core.models import Job

pytestmark = pytest.mark.django_db

# What opens something, and under which name it goes about.
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoiMDE4ZjYwYTEifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
SECRETS = {
    "password": "Qorbars-7741-maxfiy",
    "new_password1": "Silovsin8852",
    "access": JWT,
    "refresh": JWT.replace("hbGci", "xbGci"),
    "sessionid": "k3v9x7qpw2m5t8r1y4u6i0o3a5s7d9f2",
    "session_key": "z3v9x7qpw2m5t8r1y4u6i0o3a5s7d9f2",
    "ticket": "tkt-5f0c8e2a9b7d4c1e",
    "csrfmiddlewaretoken": "c5rFm1ddl3wareT0kenV4lue",
    "X-CSRFToken": "c5rFh34derT0kenV4lue",
    "card_number": "8600 1234 5678 9012",
    "account_password": "Game-Secret-99",
    "account_email": "player99@game.example",
    "code": "493817",
    "otp": "662910",
    "recovery_codes": "5823 9917",
    "api_key": "ak-live-77aa88bb99",
    "TELEGRAM_BOT_TOKEN": "7123456789:AAHfiqksKZ8WmR2zSjiQ7_aBcDeFgHiJkLm",
    "phrase": "ko'k-bo'ri-1923",
}
HEADERS = {
    "Authorization": "Bearer 4u7h0r1z4t10n-t0k3n",
    "Cookie": "sessionid=c00k13s3ss10nk3yv4lu3abcdefghij; csrftoken=c00k13csrft0k3n; device=d3v1c3c00k13v4lu3; theme=dark",
}
HEADER_SECRETS = [
    "4u7h0r1z4t10n-t0k3n",
    "c00k13s3ss10nk3yv4lu3abcdefghij",
    "c00k13csrft0k3n",
    "d3v1c3c00k13v4lu3",
]
# What opens something by standing in an address.
LINKS = {
    "/accounts/password/reset/key/2f-cz9x1k-77ab12cd34ef/": "2f-cz9x1k-77ab12cd34ef",
    "/accounts/confirm-email/MTI:1tXy:abcdEFGH1234/": "MTI:1tXy:abcdEFGH1234",
    "/me/not-me/IjAxOGY2:1tXy:qwerTYUI5678/": "IjAxOGY2:1tXy:qwerTYUI5678",
    "/notifications/unsubscribe/IjAx:zxcvBNM9012/": "IjAx:zxcvBNM9012",
    "/api/v1/payments/webhooks/kaspi/kaspi-test-token/": "kaspi-test-token",
    "/ws/chat/?ticket=tkt-aabbccddeeff0011": "tkt-aabbccddeeff0011",
}
# Secret whoever says them: known by their form, under no name at all.
NAMELESS = [
    JWT, "8600 1234 5678 9012", "8600123456789012", "4111-1111-1111-1111",
    "7123456789:AAHfiqksKZ8WmR2zSjiQ7_aBcDeFgHiJkLm",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _our_own(settings, monkeypatch):
    """Settings such as a server has."""
    settings.SECRET_KEY = "own-secret-key-0123456789-0123456789-0123456789"
    settings.TELEGRAM_WEBHOOK_SECRET = "own-webhook-secret-01"
    settings.METRICS_TOKEN = "own-metrics-token-01"
    settings.REDIS_URL = "redis://:own-redis-password@redis:6379/0"
    settings.PAYMENT_CONFIG = {"payme": {"merchant_id": "5f1e", "key": "own-payme-key-01"}}
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "own-database-password")
    scrub._forget()
    yield
    scrub._forget()


OWN = [
    "own-secret-key-0123456789-0123456789-0123456789", "own-webhook-secret-01", "own-metrics-token-01",
    "own-redis-password", "own-payme-key-01", "own-database-password",
]  # fmt: skip
ALL = [*SECRETS.values(), *HEADER_SECRETS, *LINKS.values(), *NAMELESS, *OWN]


def told_of(words):
    """Which secrets stand in it, in whatever spelling."""
    plain = words.replace("&#x27;", "'").replace("&#39;", "'").replace("%3A", ":").replace("\\u0027", "'")
    return [secret for secret in ALL if secret in plain]


@pytest.fixture
def line():
    """Logs as the settings say, and gives what was written."""
    logger, written = logging.getLogger("marketplace.scrub"), []

    class Kept(logging.Handler):
        def emit(self, record):
            written.append(self.format(record))

    handler = Kept()
    handler.addFilter(RequestIdFilter())
    handler.addFilter(SecretsFilter())
    handler.setFormatter(LineFormatter(conf.LOGGING["formatters"]["line"]["format"]))
    logger.addHandler(handler)

    def write(*args, **kwargs):
        logger.warning(*args, **kwargs)
        return written[-1]

    yield write
    logger.removeHandler(handler)


# --- Lines of a log ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "form",
    [
        "{name}={value}", "{name}: {value}", "{name} = '{value}'", '"{name}": "{value}"', "'{name}': '{value}'",
        "{{'{name}': ['{value}']}}", "<QueryDict: {{'{name}': ['{value}']}}>", "(b'{name}', b'{value}')",
        "('{name}', '{value}')", "kwargs={{'{name}': '{value}', 'id': 1}}", "call({name}='{value}', id=1)",
    ],
)  # fmt: skip
def test_a_secret_is_known_by_its_name(name, form, line):
    if form == "{name}={value}" or form == "{name}: {value}":
        value = SECRETS[name].replace(" ", "") if "'" not in SECRETS[name] else "kokbori1923"
    else:
        value = SECRETS[name].replace("'", "")

    told = line(f"before {form.format(name=name, value=value)} after")

    assert value not in told
    assert "before" in told
    assert "***" in told


@pytest.mark.parametrize("words", [
    *NAMELESS, *[f"Not Found: {link}" for link in LINKS], *[f'"GET {link} HTTP/1.1" 200' for link in LINKS],
    *[f"Referer: https://shop.uz{link}" for link in LINKS], *[f"{name}: {value}" for name, value in HEADERS.items()],
    str(HEADERS), json.dumps(HEADERS), str([(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]),
    "your code is 493817", "Kod: 493817", "postgresql://shop:own-database-password@db:5432/shop", *OWN,
])  # fmt: skip
def test_a_secret_is_known_by_its_form_or_because_it_is_ours(words, line):
    assert not told_of(line("it went wrong with %s today", words))
    assert not told_of(line(f"it went wrong with {words}"))


def test_arguments_of_a_message_are_clean_whatever_they_are(line):
    assert not told_of(
        line(
            "%s %r %s",
            SECRETS,
            list(SECRETS.items()),
            QueryDict("&".join(f"{k}={v}" for k, v in SECRETS.items())),
        )
    )
    assert not told_of(line("%(password)s", {"password": f"password={SECRETS['password']}"}))
    assert not told_of(
        line("sent: %s", json.dumps(SECRETS), extra={"password": SECRETS["password"], "body": SECRETS})
    )


def failing(**kwargs):
    token, body = kwargs["refresh"], json.dumps(kwargs)
    raise ValueError(f"cannot read {body}, nor {token}, nor password={kwargs['password']}")


def test_a_traceback_in_a_log_is_clean(line):
    try:
        failing(**SECRETS)
    except ValueError:
        told = line("failed", exc_info=True, stack_info=True)

    assert "ValueError: cannot read" in told
    assert not told_of(told)


def test_a_traceback_that_another_handler_has_formatted_before_is_clean(line):
    try:
        failing(**SECRETS)
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
        logging.Formatter().format(record)

    assert record.exc_text
    assert not told_of(LineFormatter("%(message)s").format(record))


@pytest.mark.parametrize(
    "words",
    [
        "refused: token_not_valid (used before)", "Unauthorized: /api/v1/auth/refresh/", "status code 404", "Not Found: /me/",
        "Forbidden (CSRF token missing.): /sell/", "payment 01a226b6-5141-7000-8119-520540474720 is paid", "took 1.234567 s",
        "job 01a226b6 (tasks.notifications.send_password_reset_email) failed", "at 1732871234567 ms", "150000000000000",
        '"GET /accounts/password/reset/ HTTP/1.1" 200', "/accounts/confirm-email/", "no cookie, so nobody is there",
        "is_secret: True", "the token contains nothing", "password=None", "login page", "a signed link",
        "2026-11-29 10:00:00,123 [INFO]", "sort key",
    ],
)  # fmt: skip
def test_other_words_stay(words, line):
    assert words in line(words)


def test_of_a_card_the_last_four_stay(line):
    assert "***9012" in line("card 8600 1234 5678 9012 refused")


@pytest.mark.parametrize(
    "words",
    [
        "password=" * 20_000,
        "'" * 60_000,
        "a=" + "\\" * 60_000,
        "8600 " * 20_000,
        "[" * 60_000,
        "eyJ" * 20_000,
        "cookie:" * 10_000,
    ],
)
def test_no_words_keep_it_busy(words):
    begin = time.perf_counter()

    scrub.text(words)

    assert time.perf_counter() - begin < 3


# --- Reports of errors ------------------------------------------------------------------------------


def broken_request(method="POST"):
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in HEADERS.items()}
    ticket = f"{list(LINKS)[2]}?ticket={SECRETS['ticket']}&access={SECRETS['access']}"
    return RequestFactory().generic(
        method, ticket, "&".join(f"{name}={value}" for name, value in SECRETS.items()),
        content_type="application/x-www-form-urlencoded", **headers,
    )  # fmt: skip


def report(request, *, form="html", email=False):
    def view(request, **kwargs):
        password, refresh_token = kwargs["password"], kwargs["refresh"]
        body, pair = json.dumps(kwargs), ("Authorization", HEADERS["Authorization"])
        thing = SimpleNamespace(password=password, token=refresh_token)
        own = conf.SECRET_KEY
        raise ValueError(f"cannot read {body}", [body, pair, thing, own])

    try:
        view(request, **SECRETS)
    except ValueError:
        made = get_exception_reporter_class(request)(request, *sys.exc_info(), is_email=email)
        return made.get_traceback_html() if form == "html" else made.get_traceback_text()


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("form", ["html", "text"])
@pytest.mark.parametrize("email", [True, False])
def test_djangos_report_of_an_error_is_clean(form, email, debug, settings):
    """Local variables, body, query, headers, cookies, settings, the error's own words."""
    settings.DEBUG = debug

    told = report(broken_request(), form=form, email=email)

    assert "ValueError" in told
    assert "cannot read" in told
    assert not told_of(told)


def test_the_page_of_an_error_in_debug_is_clean(settings):
    settings.DEBUG = True
    try:
        failing(**SECRETS)
    except ValueError:
        answer = technical_500_response(broken_request(), *sys.exc_info())

    assert answer.status_code == 500
    assert not told_of(answer.content.decode())


def test_a_mail_to_developers_is_clean(settings, mailoutbox):
    settings.ADMINS = ["dev@example.uz"]
    handler = AdminEmailHandler(include_html=True)
    handler.addFilter(SecretsFilter())
    try:
        failing(**SECRETS)
    except ValueError:
        record = logging.makeLogRecord(
            {
                "msg": "Error at %s",
                "args": (list(LINKS)[2],),
                "exc_info": sys.exc_info(),
                "request": broken_request(),
                "levelno": 40,
            }
        )
        if handler.filter(record):
            handler.emit(record)

    message = mailoutbox[0]
    assert not told_of(message.subject + message.body + message.alternatives[0].content)


def test_the_report_shows_what_helps():
    request = RequestFactory().post("/sell/?page=2", {"title": "Pubg", "price": "150000"})
    shown = get_exception_reporter_filter(request)

    assert shown.get_post_parameters(request)["title"] == "Pubg"
    assert shown.get_safe_settings()["TIME_ZONE"] == "UTC"
    assert shown.get_safe_settings()["SECRET_KEY"] == scrub.HIDDEN
    assert shown.get_safe_request_meta(request)["REQUEST_METHOD"] == "POST"


# --- Sentry -----------------------------------------------------------------------------------------


class Kept(Transport):
    def __init__(self):
        super().__init__()
        self.sent = []

    def capture_envelope(self, envelope):
        self.sent += [json.dumps(item.payload.json) for item in envelope.items]


@pytest.fixture
def sentry():
    """The real client, set as production sets it, but for what would hide it from our own filter."""
    transport = Kept()
    sentry_sdk.init(
        dsn="https://public@sentry.example/1",
        transport=transport,
        send_default_pii=True,
        max_request_body_size="always",
        include_local_variables=True,
        before_send=without_secrets,
        before_send_transaction=without_secrets,
        event_scrubber=EventScrubber(denylist=[], pii_denylist=[]),
        default_integrations=False,
        integrations=[LoggingIntegration(), DjangoIntegration(), CeleryIntegration()],
    )
    yield transport
    sentry_sdk.init()


def test_an_event_for_sentry_is_clean(sentry):
    with sentry_sdk.new_scope() as scope:
        # Copies: the client writes its own marks into what it is given.
        scope.set_extra("body", dict(SECRETS))
        scope.set_context(
            "request", {"headers": dict(HEADERS), "cookies": {"sessionid": SECRETS["sessionid"]}}
        )
        scope.set_tag("link", next(iter(LINKS)))
        sentry_sdk.add_breadcrumb(message=f"password={SECRETS['password']}", data=dict(SECRETS))
        logging.getLogger("somewhere").warning("given %s", dict(SECRETS))
        try:
            failing(**SECRETS)
        except ValueError:
            logging.getLogger("somewhere").exception("failed with %s", dict(SECRETS))

    assert sentry.sent
    assert "cannot read" in sentry.sent[0]
    assert not told_of("".join(sentry.sent))


def broken_view(request, token):
    failing(**SECRETS)


urlpatterns = [path("me/not-me/<str:token>/", broken_view)]


@override_settings(ROOT_URLCONF=__name__, AXES_ENABLED=False)
def test_a_broken_request_is_clean_at_sentry_and_in_the_log(sentry):
    client = Client(raise_request_exception=False, headers=HEADERS)

    client.post(f"{list(LINKS)[2]}?ticket={SECRETS['ticket']}", dict(SECRETS))

    assert sentry.sent
    assert not told_of("".join(sentry.sent))
    assert "ValueError" in "".join(sentry.sent)


# --- Jobs, Celery, axes -----------------------------------------------------------------------------


@shared_task(name="tests.scrub.fail")
def fail(**kwargs):
    failing(**kwargs)


def test_a_failed_job_keeps_nothing_secret_of_its_error():
    jobs.enqueue("tests.scrub.fail", **SECRETS)
    row = Job.objects.get()
    jobs.run(str(row.pk), at=timezone.now())

    row.refresh_from_db()
    assert "ValueError" in row.last_error
    assert not told_of(row.last_error)


def test_celerys_own_words_about_a_task_are_clean(line):
    """What its worker logs: the request with its arguments, and the traceback."""
    try:
        failing(**SECRETS)
    except ValueError:
        told = line(
            "Task %(name)s[%(id)s] %(description)s: %(exc)s args: %(args)s kwargs: %(kwargs)s",
            {
                "name": "t",
                "id": "1",
                "description": "raised",
                "exc": "x",
                "args": list(SECRETS.items()),
                "kwargs": repr(SECRETS),
            },
            exc_info=True,
        )

    assert not told_of(told)


def test_what_axes_keeps_and_logs_of_a_failure_is_clean(settings, caplog):
    settings.AXES_ENABLED = True
    user = UserFactory(email="aziza@example.uz")
    form = {
        "login": user.email,
        "password": SECRETS["password"],
        "csrfmiddlewaretoken": "c5rFm1ddl3wareT0kenV4lue",
        "code": "493817",
    }
    with caplog.at_level(logging.DEBUG, logger="axes"):
        Client().post("/accounts/login/", form)

    row = AccessAttempt.objects.get()
    assert not told_of(row.post_data + row.get_data)
    assert user.email not in row.post_data
    assert user.email not in caplog.text
    assert "127.0.0.1" in caplog.text
    assert not told_of(caplog.text)


def test_real_tokens_and_links_of_ours_are_known(line):
    user = UserFactory()
    pair = tokens.issue(user=user)
    secrets = [
        pair.access,
        pair.refresh,
        encryption.encrypt("x"),
        user.password if "$" in user.password else "argon2$x$y",
    ]
    link = f"/me/not-me/{dumps('x', salt='s')}/"

    told = line("%s %s", secrets, link)

    assert not [secret for secret in [*secrets, link] if secret in told]
