"""Every proof finds its broken rule, an audit is one snapshot, and staff hear of a change once."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections, transaction
from django.utils import timezone, translation

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.testing import in_parallel
from marketplace.ledger import accounts, auditing, checks, services, words
from marketplace.ledger.models import Account, Audit, JournalEntry
from marketplace.ledger.selectors import books
from marketplace.ledger.tests.factories import fund
from marketplace.notifications.models import Notification

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def only_the_ledgers_own(monkeypatch):
    monkeypatch.setattr(checks, "_checks", [])
    monkeypatch.setattr(checks, "_held", [])


@pytest.fixture
def broken(monkeypatch, only_the_ledgers_own):
    """A switch: while it is on, one proof finds a row."""
    switch = {"on": True}

    def shelves():
        return checks.Proof("shelves are full", 3, ["shelf 2 is empty"] if switch["on"] else [])

    checks.register(shelves)
    return switch


def damaged(triggers, *statements):
    """What an audit says after raw SQL behind the back of the laws; all of it is undone."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the commit forbids ALTER
            for table, name in triggers:
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
            for statement in statements:
                cursor.execute(statement)
        audit = services.audit(at=NOON)
        transaction.set_rollback(True)
    return audit


BOTH = [
    ("ledger_posting", "ledger_append_only_update"),
    ("ledger_posting", "ledger_append_only_update_ledger_posting"),
    ("ledger_posting", "ledger_append_only_delete"),
    ("ledger_posting", "ledger_append_only_delete_ledger_posting"),
    ("ledger_posting", "ledger_posting_currency"),
    ("ledger_posting", "ledger_entry_balanced"),
    ("ledger_posting", "ledger_keep_balance"),
    ("ledger_account", "ledger_account_guard"),
    ("ledger_account", "ledger_account_same"),
    ("ledger_account", "ledger_account_opens"),
]


def broken_rules(audit):
    return set(audit.broken) - {"the laws stand in the database"}


# --- What an audit keeps --------------------------------------------------------------------------------


def test_an_audit_keeps_counts_sums_and_the_time_it_took(only_the_ledgers_own):
    person = UserFactory()
    fund(person, 1000)
    fund(person, 500)
    fund(person, 70, "USD")

    audit = services.audit(at=NOON)

    assert audit.is_green
    assert (audit.entries, audit.postings) == (3, 6)
    assert audit.started_at == NOON
    assert audit.finished_at > NOON
    assert audit.trial_balance == [
        {
            "currency": "USD",
            "accounts": [{"kind": "available", "total": 70}, {"kind": "clearing", "total": -70}],
            "total": 0,
        },
        {
            "currency": "UZS",
            "accounts": [{"kind": "available", "total": 1500}, {"kind": "clearing", "total": -1500}],
            "total": 0,
        },
    ]
    assert [proof["rule"] for proof in audit.proofs] == [proof.rule for proof in checks.run()]
    assert all(set(proof) == {"rule", "counted", "offending", "ms"} for proof in audit.proofs)


def test_books_without_any_entry_are_in_order():
    audit = services.audit(at=NOON)

    assert audit.is_green
    assert (audit.entries, audit.postings, audit.trial_balance) == (0, 0, [])


def test_what_a_person_is_shown_is_what_the_ledger_says():
    person = UserFactory()
    fund(person, 1000)
    fund(person, 700, "USD")

    assert person.balance == 1000


def test_every_invariant_of_the_books_is_asked():
    asked = {proof.rule for proof in checks.run()}

    assert {
        "the laws stand in the database",
        "every entry sums to zero",
        "each currency's trial balance is zero",
        "every posting is in its entry's currency",
        "accounts are of a kind that fits their owner",
        "no user account is below zero",
        "cached balances equal the sums of postings",
        "held money equals the open trades",
        "completed transactions point to an entry of the same amount",
        "payouts on their way equal the open withdrawals",
        "refunds on their way equal the open refunds",
        "refunds of a deposit add up to what it says",
        "debts in the books equal the open debts",
        "captured tries belong to completed deposits",
    } <= asked


def test_every_rule_is_said_in_plain_words_in_every_language():
    """A new proof needs a sentence in `ledger/words.py`, and its translations."""
    for proof in checks.run():
        assert proof.rule in words.RULES, f"say what {proof.rule!r} means in ledger/words.py"
    for kind in Account.Kind:
        assert kind in words.ACCOUNTS, f"say what {kind} is in ledger/words.py"
    for language in ("uz", "ru"):
        for name, sentence in words.RULES.items():
            with translation.override("en"):
                english = str(sentence)
            with translation.override(language):
                assert str(sentence) != english, f"{name!r} is not translated to {language}"


# --- Each proof finds what breaks its rule --------------------------------------------------------------


def test_a_posting_that_was_changed_breaks_the_entry_the_trial_balance_and_the_balance():
    fund(UserFactory(), 1000)

    audit = damaged(BOTH, "UPDATE ledger_posting SET amount = 999 WHERE amount = 1000")

    assert broken_rules(audit) == {
        "every entry sums to zero",
        "each currency's trial balance is zero",
        "cached balances equal the sums of postings",
    }
    assert "UZS: all accounts come to -1" in str(audit.proofs)
    assert audit.trial_balance[0]["total"] == -1


def test_a_posting_that_was_deleted_is_found():
    fund(UserFactory(), 1000)

    audit = damaged(BOTH, "DELETE FROM ledger_posting WHERE amount = -1000")

    assert broken_rules(audit) == {"every entry sums to zero", "each currency's trial balance is zero"}


@pytest.mark.postgres  # a check of SQLite's cannot be dropped
def test_an_account_below_zero_is_found():
    person = UserFactory()
    fund(person, 1000)

    audit = damaged(
        BOTH,
        "ALTER TABLE ledger_account DROP CONSTRAINT ledger_no_user_account_below_zero",
        "UPDATE ledger_account SET balance = -5 WHERE owner_id IS NOT NULL",
    )

    assert "no user account is below zero" in broken_rules(audit)


def test_a_posting_on_an_account_of_another_currency_is_found():
    fund(UserFactory(), 1000)

    audit = damaged(BOTH, "UPDATE ledger_account SET currency = 'USD' WHERE owner_id IS NOT NULL")

    assert "every posting is in its entry's currency" in broken_rules(audit)
    assert "each currency's trial balance is zero" in broken_rules(audit)


@pytest.mark.postgres  # a check of SQLite's cannot be dropped
def test_an_account_of_a_kind_that_does_not_fit_its_owner_is_found():
    fund(UserFactory(), 1000)

    audit = damaged(
        BOTH,
        "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_kind_fits_owner",
        "UPDATE ledger_account SET kind = 'commission' WHERE owner_id IS NOT NULL",
    )

    assert "accounts are of a kind that fits their owner" in broken_rules(audit)


def test_a_law_that_is_missing_or_switched_off_is_found():
    table, law = "ledger_account", "ledger_account_guard"

    audit = damaged([(table, law)])

    assert audit.broken == ["the laws stand in the database"]
    assert audit.proofs[0]["offending"] == [f"{law} on {table} is missing"]


@pytest.mark.postgres
def test_a_law_that_works_on_replicas_only_is_no_law():
    audit = damaged([], "ALTER TABLE ledger_account ENABLE REPLICA TRIGGER ledger_account_guard")

    assert audit.broken == ["the laws stand in the database"]


def test_held_money_without_a_trade_is_found():
    person = UserFactory()
    fund(person, 1000)
    services.post(
        JournalEntry.Kind.HOLD,
        key="held",
        currency="UZS",
        legs={accounts.available(person.pk): -300, accounts.held(person.pk): 300},
    )

    assert services.audit(at=NOON).broken == ["held money equals the open trades"]


def test_a_proof_that_cannot_be_run_is_red_and_the_others_still_run(only_the_ledgers_own):
    def shelves_are_full():
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    checks.register(shelves_are_full)
    checks.register(lambda: checks.Proof("the last one", 1))

    audit = services.audit(at=NOON)

    assert audit.broken == ["shelves are full"]
    assert audit.proofs[-1]["rule"] == "the last one"
    assert "OperationalError" in str(audit.proofs) or "ProgrammingError" in str(audit.proofs)
    assert "nowhere" not in str(audit.proofs)


# --- One snapshot ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_all_proofs_see_the_same_moment(only_the_ledgers_own):
    """Money that arrives while an audit runs is not half seen."""
    fund(UserFactory(), 1000)
    counted = []

    def count():
        counted.append(JournalEntry.objects.count())
        in_parallel(lambda: fund(UserFactory(), 500))  # another connection, committed at once
        counted.append(JournalEntry.objects.count())
        return checks.Proof("counted twice", 1)

    checks.register(count)

    audit = services.audit(at=NOON)

    assert counted == [1, 1]
    assert audit.is_green
    assert JournalEntry.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_audit_can_write_nothing(only_the_ledgers_own):
    from django.db import InternalError

    with pytest.raises(InternalError, match="read-only"), auditing.snapshot():
        Account.objects.create(kind="commission", currency="UZS")


@pytest.mark.django_db(transaction=True)
def test_after_an_audit_the_connection_is_as_it_was(only_the_ledgers_own):
    services.audit(at=NOON)

    fund(UserFactory(), 500)  # writes again
    assert connections["default"].settings_dict["OPTIONS"].get("transaction_mode") == getattr(
        connection, "transaction_mode", None
    )


# --- The alarm ------------------------------------------------------------------------------------------


def auditor():
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_audit"))
    return person


def told(person):
    rows = Notification.objects.filter(user=person).order_by("pk")
    return [row.data["kind"] for row in rows if row.data["kind"].startswith("books")]


def test_staff_hear_of_it_once_when_the_books_turn_red_and_once_when_they_are_green_again(broken):
    person = auditor()

    for turn, is_on in enumerate([False, True, True, True, False, False, True]):
        broken["on"] = is_on
        services.audit(at=NOON + timedelta(minutes=15 * turn))

    assert told(person) == ["books_red", "books_green", "books_red"]
    first = Notification.objects.filter(user=person).order_by("pk")[0]
    assert "shelves are full" in first.message
    assert "shelf 2" not in first.message
    assert first.action_url == "/status/"


def test_the_very_first_audit_alarms_when_it_is_red(broken):
    person = auditor()

    services.audit(at=NOON)

    assert told(person) == ["books_red"]


def test_only_staff_who_may_see_audits_are_told(broken):
    clerk, citizen, chief = UserFactory(is_staff=True), UserFactory(), StaffFactory()
    citizen.user_permissions.add(Permission.objects.get(codename="view_audit"))

    services.audit(at=NOON)

    assert told(clerk) == told(citizen) == []
    assert told(chief) == ["books_red"]


def test_each_red_audit_is_a_critical_line_and_a_green_one_is_none(broken, caplog):
    with caplog.at_level(logging.CRITICAL, "marketplace.ledger.audit"):
        services.audit(at=NOON)
        services.audit(at=NOON)
        broken["on"] = False
        services.audit(at=NOON)

    lines = [row.getMessage() for row in caplog.records if row.name == "marketplace.ledger.audit"]
    assert len(lines) == 2
    assert "shelves are full" in lines[0]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_red_audits_at_the_same_moment_alarm_once(broken):
    person = auditor()
    broken["on"] = False
    services.audit(at=NOON)
    broken["on"] = True

    in_parallel(*[lambda: services.audit(at=NOON + timedelta(minutes=15))] * 4)

    assert Audit.objects.filter(is_green=False).count() == 4
    assert told(person) == ["books_red"]


def test_reconcile_keeps_its_audit_and_names_what_is_broken(broken, capsys):
    with pytest.raises(CommandError, match="shelves are full"):
        call_command("reconcile", no_color=True)

    assert "FAIL shelves are full (3 checked)\n     shelf 2 is empty" in capsys.readouterr().out
    assert not Audit.objects.get().is_green


# --- What is kept, and how old it may be ----------------------------------------------------------------


def stored(days, *, is_green=True, hours=0):
    at = NOON - timedelta(days=days, hours=hours)
    return Audit.objects.create(
        started_at=at, finished_at=at, is_green=is_green, entries=0, postings=0, proofs=[], trial_balance=[]
    )


def test_old_green_audits_are_thinned_to_one_a_day_and_red_ones_stay():
    ancient_red, old_red = stored(400, is_green=False), stored(5, is_green=False)
    ancient = stored(91)
    morning, evening, other_day = stored(5, hours=6), stored(5), stored(4)
    recent, last = stored(1, hours=5), stored(1)

    assert services.forget_audits(at=NOON) == 2

    left = set(Audit.objects.all())
    assert left == {ancient_red, old_red, evening, other_day, recent, last}
    assert not {ancient, morning} & left


def test_the_last_audit_stays_however_old_it_is():
    last = stored(200)

    services.forget_audits(at=NOON)

    assert list(Audit.objects.all()) == [last]


@pytest.mark.parametrize(
    ("minutes", "is_green", "state"),
    [(0, True, "green"), (60, True, "green"), (61, True, "late"), (61, False, "red"), (0, False, "red")],
)
def test_an_audit_that_is_too_old_proves_nothing(settings, minutes, is_green, state):
    settings.BOOKS_AUDIT_LATE_AFTER = timedelta(minutes=60)
    stored(0, is_green=is_green)

    assert books(at=NOON + timedelta(minutes=minutes)).state == state


def test_before_the_first_audit_there_is_no_state():
    assert books(at=timezone.now()).state == "none"


def test_the_clock_audits_and_thins():
    from celery import current_app

    current_app.loader.import_default_modules()
    stored(1000)
    stored(1000)

    current_app.tasks["tasks.ledger.audit"]()

    assert Audit.objects.count() == 1
    assert Audit.objects.get().started_at > NOON - timedelta(days=1)


def test_the_audit_is_on_the_schedule(settings):
    times = [
        entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == "tasks.ledger.audit"
    ]

    assert [entry["schedule"] for entry in times] == [settings.BOOKS_AUDIT_EVERY.total_seconds()]
