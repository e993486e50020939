"""The public page, the API and the metrics of the books."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import health, page_cache
from marketplace.ledger import checks, services
from marketplace.ledger.models import Audit
from marketplace.ledger.tests.factories import fund

pytestmark = pytest.mark.django_db

PAGE, API, METRICS = "/status/", "/api/v1/status/books/", "/metrics/"
SECRET_ROW = "account 0199-aaaa (available UZS of somebody)"


@pytest.fixture
def outside(client):
    """A visitor from the internet."""
    client.defaults["REMOTE_ADDR"] = "203.0.113.7"
    return client


def audited(**kwargs):
    fund(UserFactory(), 150_000_00)
    return services.audit(at=timezone.now(), **kwargs)


def red(**changes):
    at = timezone.now()
    values = {
        "started_at": at,
        "finished_at": at,
        "is_green": False,
        "entries": 12345,
        "postings": 30000,
        "proofs": [
            {"rule": "every entry sums to zero", "counted": 12345, "offending": [], "ms": 4},
            {"rule": "no user account is below zero", "counted": 7, "offending": [SECRET_ROW], "ms": 1},
            {"rule": "a rule of tomorrow", "counted": 1, "offending": [], "ms": 1},
        ],
        "trial_balance": [{"currency": "UZS", "accounts": [{"kind": "available", "total": -5}], "total": -5}],
    }
    return Audit.objects.create(**values | changes)


def auditor():
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_audit"))
    return person


# --- The page -------------------------------------------------------------------------------------------


def test_before_the_first_audit_the_page_says_so(client):
    page = client.get(PAGE)

    assert page.status_code == 200
    assert "Not checked yet" in page.text


def test_a_green_page_shows_counts_sums_and_every_proof(client):
    audit = audited()

    page = client.get(PAGE).text

    assert "Everything adds up" in page
    assert page.count(">holds<") == len(audit.proofs)
    assert ">broken<" not in page
    assert "In people’s wallets" in page
    assert "150\u00a0000\u00a0soʻm" in page
    assert "−150\u00a0000\u00a0soʻm" in page


def test_a_red_page_says_what_is_broken_but_shows_no_row_to_visitors(client):
    red()

    page = client.get(PAGE).text

    assert "Something does not add up" in page
    assert page.count(">broken<") == 1
    assert "Nobody’s wallet is below zero." in page
    assert "a rule of tomorrow" in page
    assert "somebody" not in page


@pytest.mark.parametrize("is_staff", [False, True])
def test_rows_are_for_staff_with_the_right_only(client, is_staff):
    red()
    person = UserFactory(is_staff=is_staff)
    client.force_login(person)
    assert "somebody" not in client.get(PAGE).text

    person.user_permissions.add(Permission.objects.get(codename="view_audit"))

    assert (SECRET_ROW in client.get(PAGE).text) is is_staff


def test_an_old_audit_is_shown_as_too_old(client):
    at = timezone.now() - timedelta(hours=3)
    red(is_green=True, started_at=at, finished_at=at)

    assert "The last audit is too old" in client.get(PAGE).text


def test_a_new_audit_is_seen_at_once_though_the_page_is_kept(
    client, django_assert_num_queries, django_capture_on_commit_callbacks, monkeypatch
):
    with django_capture_on_commit_callbacks(execute=True):
        services.audit(at=timezone.now())
    client.get(PAGE)
    with django_assert_num_queries(0):
        assert "Everything adds up" in client.get(PAGE).text

    monkeypatch.setattr(checks, "_checks", [lambda: checks.Proof("shelves are full", 1, ["shelf 2"])])
    with django_capture_on_commit_callbacks(execute=True):
        services.audit(at=timezone.now())

    assert "Something does not add up" in client.get(PAGE).text


def test_the_page_asks_for_one_row(client, django_assert_num_queries):
    audited()
    client.get(PAGE)
    page_cache.forget_all()

    with django_assert_num_queries(1):
        client.get(PAGE)


@pytest.mark.parametrize("place", ["/about/fees/", "/about/how-it-works/", "/status/"])
def test_the_plain_pages_lead_there(client, place):
    assert client.get(place).text.count(f'href="{PAGE}"') >= 1


# --- The API --------------------------------------------------------------------------------------------


def test_programs_read_the_same_without_a_key(client, django_assert_num_queries):
    audit = audited()

    with django_assert_num_queries(1):
        answer = client.get(API)

    data = answer.json()
    assert answer["Cache-Control"] == "public, max-age=60"
    assert (data["state"], data["audit"]["number"], data["audit"]["entries"]) == ("green", audit.pk, 1)
    assert data["audited_at"].endswith("Z")
    assert 0 <= data["age_seconds"] < 60
    assert data["audit"]["trial_balance"] == [
        {
            "currency": "UZS",
            "accounts": [
                {"kind": "available", "text": "In people’s wallets", "total": "150000.00"},
                {"kind": "clearing", "text": "Received through payment providers", "total": "-150000.00"},
            ],
            "total": "0.00",
        }
    ]
    assert all(proof["holds"] for proof in data["audit"]["proofs"])


def test_programs_are_never_shown_a_row(client):
    red()
    client.force_login(auditor())

    answer = client.get(API)

    assert answer.json()["state"] == "red"
    assert [proof["holds"] for proof in answer.json()["audit"]["proofs"]] == [True, False, True]
    assert "somebody" not in answer.text
    assert "offending" not in answer.text


def test_programs_get_an_answer_before_the_first_audit(client):
    data = client.get(API).json()

    assert data == {
        "state": "none",
        "text": "Not checked yet",
        "audited_at": None,
        "age_seconds": None,
        "audit": None,
    }


def test_the_api_speaks_the_callers_language(client):
    red()

    english, russian = (
        client.get(API, headers={"Accept-Language": language}).json() for language in ("en", "ru")
    )

    assert english["text"] == "Not in order"
    assert english["text"] != russian["text"]


def test_nothing_can_be_sent_there(client):
    assert client.post(PAGE).status_code == 405
    assert client.post(API).status_code == 405


# --- Metrics --------------------------------------------------------------------------------------------


def numbers(client, **headers):
    answer = client.get(METRICS, headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_green_books_are_one_and_every_proof_is_told(client, django_assert_num_queries):
    audit = audited()

    with django_assert_num_queries(1):
        read = numbers(client)

    assert read["books_green"] == 1
    assert 0 <= read["books_audit_age_seconds"] < 60
    assert read["books_entries"] == 1
    assert read['books_trial_balance{currency="UZS"}'] == 0
    assert {read[f'books_proof_holds{{rule="{proof["rule"]}"}}'] for proof in audit.proofs} == {1}


def test_a_broken_proof_is_zero_and_so_are_the_books(client):
    red()

    read = numbers(client)

    assert read["books_green"] == 0
    assert read['books_proof_holds{rule="no user account is below zero"}'] == 0
    assert read['books_proof_holds{rule="every entry sums to zero"}'] == 1
    assert read['books_trial_balance{currency="UZS"}'] == -5


def test_books_that_were_not_audited_lately_are_not_green(client):
    at = timezone.now() - timedelta(hours=3)
    red(is_green=True, started_at=at, finished_at=at)

    read = numbers(client)

    assert read["books_green"] == 0
    assert read["books_audit_age_seconds"] > 3 * 3600 - 60


def test_before_the_first_audit_the_books_are_not_green(client):
    assert numbers(client) == {"books_green": 0}


def test_strangers_find_no_metrics(outside):
    assert outside.get(METRICS).status_code == 404
    outside.force_login(UserFactory())
    assert outside.get(METRICS).status_code == 404


def test_staff_may_read_them_from_anywhere(outside):
    outside.force_login(UserFactory(is_staff=True))

    assert numbers(outside)["books_green"] == 0


def test_the_token_opens_them_and_another_does_not(outside, settings):
    settings.METRICS_TOKEN = "qorbars-7741"

    assert numbers(outside, Authorization="Bearer qorbars-7741")
    for wrong in ("Bearer qorbars-7742", "Bearer ", "qorbars-7741", "Basic qorbars-7741", "Bearer ü"):
        assert outside.get(METRICS, headers={"Authorization": wrong}).status_code == 404


def test_no_token_is_set_so_none_fits(outside):
    assert outside.get(METRICS, headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_who_comes_through_the_proxy_is_not_inside(client, header):
    assert client.get(METRICS, headers={header: "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize(
    ("address", "status"), [("10.1.2.3", 200), ("10.2.0.1", 404), ("", 404), ("unix:", 404)]
)
def test_networks_are_a_setting(client, settings, address, status):
    settings.METRICS_ALLOWED_NETWORKS = ["10.1.0.0/16"]

    assert client.get(METRICS, REMOTE_ADDR=address).status_code == status


@pytest.mark.parametrize(
    ("connection", "real", "status"),
    [
        ("172.18.0.5", "203.0.113.7", 404),  # nginx asks for a visitor
        ("172.18.0.5", "172.18.0.9", 200),  # nginx asks for Prometheus
        ("172.18.0.5", None, 404),  # a proxy that says nothing we believe
        ("203.0.113.7", "127.0.0.1", 404),  # anybody can write a header
    ],
)
def test_the_network_is_the_callers_and_not_our_proxys(client, settings, connection, real, status):
    settings.REAL_IP_HEADER = "X-Real-IP"
    headers = {"X-Forwarded-For": real or "127.0.0.1"} | ({"X-Real-IP": real} if real else {})

    assert client.get(METRICS, REMOTE_ADDR=connection, headers=headers).status_code == status


# --- Health ---------------------------------------------------------------------------------------------


def test_red_books_stand_on_the_health_page_and_keep_no_server_from_working(client):
    red()

    answer = client.get("/health/")

    assert answer.status_code == 200
    assert answer.json()["books"] == "red"


def test_what_cannot_be_said_is_unknown(client, monkeypatch):
    def broken():
        raise OperationalError("no such table")

    monkeypatch.setattr(health, "_details", {"books": broken})

    answer = client.get("/health/")

    assert (answer.status_code, answer.json()["books"]) == (200, "unknown")


def test_the_page_has_its_names():
    assert reverse("ledger:status") == PAGE
    assert reverse("api:books") == API
