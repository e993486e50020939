"""Keys, facts, live events, refusals, request ids."""

import asyncio
import logging
import queue
import threading
import uuid

import pytest
from channels.layers import get_channel_layer
from django.db import transaction
from django.http import Http404
from django.test import RequestFactory
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.test import APIRequestFactory

from marketplace.core import announce as facts
from marketplace.core import courier, htmx, jobs, realtime
from marketplace.core.api.errors import envelope
from marketplace.core.background import Background
from marketplace.core.errors import DomainError
from marketplace.core.ids import floor_for, uuid7
from marketplace.core.logs import RequestIdFilter, request_id
from marketplace.core.middleware import DomainErrorMiddleware
from marketplace.core.models import Job
from marketplace.core.search import fold, words
from marketplace.core.secrets import unfit_secrets


class Refused(DomainError):
    code = "no_luck"
    status = 409
    message = _("Not today.")


# --- Keys -------------------------------------------------------------------------------------------


def test_keys_sort_in_the_order_they_were_made():
    keys = [uuid7() for _number in range(5000)]

    assert keys == sorted(keys)
    assert len(set(keys)) == 5000
    assert {key.version for key in keys} == {7}
    assert {key.variant for key in keys} == {uuid.RFC_4122}


def test_a_key_tells_when_it_was_made():
    from django.utils import timezone

    before = timezone.now()
    key = uuid7()

    assert floor_for(before) <= key


# --- Facts and live events --------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch):
    """What listeners were told; the wiring of the product is left out of it."""
    monkeypatch.setattr(facts, "_listeners", facts.defaultdict(list))
    return []


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_a_fact_after_the_commit_only(heard):
    facts.listen(str, heard.append)

    with transaction.atomic():
        facts.announce("it happened")
        assert heard == []
    with transaction.atomic():
        facts.announce("it did not")
        transaction.set_rollback(True)

    assert heard == ["it happened"]


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_does_not_silence_the_others(heard):
    def deaf(_fact):
        raise ValueError

    facts.listen(str, deaf)
    facts.listen(str, heard.append)

    facts.announce("still heard")

    assert heard == ["still heard"]


@pytest.mark.django_db(transaction=True)
def test_a_live_event_reaches_those_who_listen_to_its_topic():
    heard, ready = [], threading.Event()

    async def listen():
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(realtime.group("trade:1"), channel)
        ready.set()
        heard.append(await asyncio.wait_for(layer.receive(channel), 10))

    listener = threading.Thread(target=asyncio.run, args=[listen()])
    listener.start()
    assert ready.wait(10)

    with transaction.atomic():
        realtime.publish("trade:2", "trade_changed", {"status": "paid"})
        realtime.publish("trade:1", "trade_changed", {"status": "paid"})
    listener.join(10)

    (message,) = heard
    assert (message["topic"], message["event"], message["payload"]) == (
        "trade:1",
        "trade_changed",
        {"status": "paid"},
    )


@pytest.mark.django_db(transaction=True)
def test_a_live_event_that_cannot_be_sent_does_not_undo_the_write(monkeypatch):
    monkeypatch.setattr("marketplace.core.courier.get_channel_layer", lambda: None)

    with transaction.atomic():
        job = jobs.enqueue("tests.note", word="stays")
        realtime.publish("user:1", "notification", {})

    assert Job.objects.filter(pk=job.pk).exists()


def test_an_event_leaves_at_once_while_jobs_wait_for_one_another(monkeypatch, settings):
    settings.COURIER_THREAD = True
    told, handed_over = queue.Queue(), queue.Queue()

    async def tell(group, _message):
        told.put(group)

    monkeypatch.setattr(courier, "_send", tell)
    monkeypatch.setattr(courier, "_hand_over", handed_over.put)
    monkeypatch.setattr(courier, "_out", Background("courier", courier._work))
    monkeypatch.setattr(courier, "LINGER", 3600)
    monkeypatch.setattr(courier, "BATCH", 2)
    first, second = uuid7(), uuid7()

    courier.take(first)
    courier.take(("chat.1", {}))

    assert told.get(timeout=10) == "chat.1"
    assert handed_over.empty(), "a job waits for its neighbours"
    courier.take(second)
    assert handed_over.get(timeout=10) == [str(first), str(second)]


def test_jobs_do_not_wait_for_more_than_the_linger(monkeypatch, settings):
    settings.COURIER_THREAD = True
    handed_over = queue.Queue()
    monkeypatch.setattr(courier, "_hand_over", handed_over.put)
    monkeypatch.setattr(courier, "_out", Background("courier", courier._work))
    job = uuid7()

    courier.take(job)

    assert handed_over.get(timeout=10) == [str(job)]


# --- Refusals ---------------------------------------------------------------------------------------


def refused(rf_request):
    rf_request.user = None
    rf_request.id = "request-id-1"
    return DomainErrorMiddleware(lambda _request: None).process_exception(rf_request, Refused("inner words"))


@pytest.mark.django_db
def test_a_refusal_is_a_page_with_the_rules_own_words(client):
    request = RequestFactory().get("/")
    request.htmx = False

    response = refused(request)

    assert response.status_code == 409
    assert "Not today." in response.content.decode()
    assert "inner words" not in response.content.decode()
    assert "<html" in response.content.decode()


def test_a_refusal_is_a_toast_where_htmx_asked():
    request = RequestFactory().get("/")
    request.htmx = type("Htmx", (), {"boosted": False, "__bool__": lambda self: True})()

    response = refused(request)

    assert response["HX-Retarget"] == "#toasts"
    assert "Not today." in response.content.decode()
    assert "<html" not in response.content.decode()


def test_a_bug_is_not_a_refusal():
    request = RequestFactory().get("/")

    assert DomainErrorMiddleware(lambda _request: None).process_exception(request, ValueError()) is None


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused(), 409, "no_luck"),
        (exceptions.ValidationError({"amount": ["too small"]}), 400, "validation_error"),
        (Http404(), 404, "not_found"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.Throttled(), 429, "too_many_requests"),
    ],
)
def test_the_api_answers_every_error_in_its_envelope(error, status, code):
    response = envelope(error, {"request": APIRequestFactory().get("/"), "view": None})

    assert response.status_code == status
    assert response.data["success"] is False
    assert response.data["error"]["code"] == code
    assert response.data["error"]["message"]
    if code == "validation_error":
        assert response.data["error"]["details"] == {"amount": ["too small"]}


def test_the_api_leaves_bugs_alone():
    assert envelope(KeyError(), {}) is None


# --- htmx -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"HX-Request": "true", "HX-Target": "results"}, "results"),
        ({"HX-Request": "true", "HX-Target": "secrets"}, None),
        ({"HX-Request": "true", "HX-Target": "results", "HX-Boosted": "true"}, None),
        ({"HX-Request": "true", "HX-Target": "results", "HX-History-Restore-Request": "true"}, None),
    ],
)
def test_only_allowed_partials_are_given_and_only_to_htmx(headers, expected):
    from django_htmx.middleware import HtmxDetails

    request = RequestFactory().get("/", headers=headers)
    request.htmx = HtmxDetails(request)

    assert htmx.asked_for(request, {"results"}) == expected


# --- Request ids ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_fit_request_id_is_kept_and_any_other_replaced(client):
    kept = client.get("/health/live/", headers={"X-Request-ID": "abc-12345"})
    replaced = client.get("/health/live/", headers={"X-Request-ID": "x' onload=alert(1)"})

    assert kept["X-Request-ID"] == "abc-12345"
    assert len(replaced["X-Request-ID"]) == 32


def test_log_lines_carry_the_request_id():
    record = logging.LogRecord("x", logging.INFO, "", 0, "m", (), None)
    token = request_id.set("abc-12345")

    RequestIdFilter().filter(record)
    request_id.reset(token)

    assert record.request_id == "abc-12345"


# --- Search words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ўйинчи", "oʻyinchi"), ("o'yinchi", "oʻyinchi"), ("Ғалаба", "g‘alaba"), ("Қўрқмас", "qo'rqmas"),
        ("аккаунт", "akkaunt"), ("ШАҲАР", "shahar"), ("café", "cafe"),
    ],
)  # fmt: skip
def test_spellings_of_one_word_fold_to_the_same(one, other):
    assert fold(one) == fold(other)


def test_a_query_is_bounded():
    assert len(words("a b c d e f g h i j k l m n o p")) == 8


# --- Secrets ----------------------------------------------------------------------------------------

FIT_KEY = "Zml0LWtleS1vZi10aGlydHktdHdvLWJ5dGVzLWFsbCE="
GOOD = {"SECRET_KEY": "x" * 60, "FERNET_KEY": FIT_KEY, "DATABASE_URL": "postgresql://db/wibestore"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "", "not set"), ("SECRET_KEY", "short", "shorter"), ("SECRET_KEY", "the-sample", "sample"),
        ("FERNET_KEY", "nonsense", "base64"), ("FERNET_KEY", f"{FIT_KEY},the-sample", "sample"),
        ("DATABASE_URL", "", "not set"), ("ALLOWED_HOSTS", "*", "name the hosts"),
    ],
)  # fmt: skip
def test_an_unfit_secret_is_named(tmp_path, name, value, says):
    (line,) = unfit_secrets({**GOOD, name: value}, example=tmp_path / "none", samples={"the-sample"})

    assert line.startswith(name)
    assert says in line


def test_fit_secrets_pass(tmp_path):
    assert (
        unfit_secrets({**GOOD, "SENTRY_DSN": "unset"}, example=tmp_path / "none", samples={"the-sample"})
        == []
    )


def test_a_value_of_the_example_file_is_a_sample(tmp_path):
    example = tmp_path / ".env.example"
    example.write_text(f"# words\nSECRET_KEY={'s' * 60}\n")

    (line,) = unfit_secrets({**GOOD, "SECRET_KEY": "s" * 60}, example=example, samples=())

    assert "sample" in line
