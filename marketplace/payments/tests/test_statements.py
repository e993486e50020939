"""Monthly statements: they add up to the last tiyin, in the person's own time zone."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pypdf import PdfReader

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import accounts
from marketplace.ledger.models import Account, JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.ledger.services import post
from marketplace.ledger.tests.factories import fund, spend
from marketplace.payments import papers, services
from marketplace.payments.statements import bounds, months, statement
from marketplace.payments.tests.factories import PaymentMethodFactory

pytestmark = pytest.mark.django_db

LIST = "/wallet/statements/"
TASHKENT = ZoneInfo("Asia/Tashkent")
_CREATED = JournalEntry._meta.get_field("created_at")
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def user(client):
    PaymentMethodFactory()
    person = UserFactory()
    client.force_login(person)
    return person


@pytest.fixture
def on(monkeypatch):
    """Entries are dated as they are made and never changed: move the clock that dates them."""

    def at(moment):
        # Django keeps the default of a field in a cached property.
        monkeypatch.setitem(_CREATED.__dict__, "_get_default", lambda: moment)

    return at


def hold(user, amount, key):
    legs = {accounts.available(user.pk): -amount, accounts.held(user.pk): amount}
    return post("hold", key=key, currency="UZS", legs=legs)


def of(user, first, **fields):
    return statement(user, **{"first": first, "currency": "UZS", "zone": TASHKENT, "at": NOW, **fields})


def test_a_statement_goes_from_what_there_was_to_what_is_left(user, on):
    on(datetime(2026, 3, 20, tzinfo=UTC))
    fund(user, 100_00)
    on(datetime(2026, 4, 2, tzinfo=UTC))
    fund(user, 50_01)
    on(datetime(2026, 4, 9, tzinfo=UTC))
    spend(user, 30_02)
    hold(user, 20_00, "h")
    on(datetime(2026, 5, 1, tzinfo=UTC))
    spend(user, 1_00)

    april = of(user, date(2026, 4, 1))

    assert (april.month.opening, april.month.came, april.month.went) == (100_00, 50_01, 50_02)
    assert april.month.closing == 99_99
    assert [one.balance for one in april.movements] == [150_01, 119_99, 99_99]
    assert (april.held.opening, april.held.came, april.held.closing) == (0, 20_00, 20_00)
    assert {(one.label, one.count, one.came, one.went) for one in april.totals} == {
        ("Top-up", 1, 50_01, 0), ("Payout requested", 1, 0, 30_02), ("Held in escrow", 1, 0, 20_00),
    }  # fmt: skip
    assert not april.is_running


def test_a_month_begins_at_the_persons_own_midnight(user, on):
    """23:00 UTC of 31 March is 1 April in Tashkent."""
    on(datetime(2026, 3, 31, 23, tzinfo=UTC))
    fund(user, 100_00)

    assert of(user, date(2026, 4, 1)).month.came == 100_00
    assert of(user, date(2026, 3, 1), zone=UTC).month.came == 100_00
    assert [one.name for one in months(user, currency="UZS", zone=TASHKENT)] == ["2026-04"]
    assert [one.name for one in months(user, currency="UZS", zone=UTC)] == ["2026-03"]


def test_december_ends_with_the_year():
    assert bounds(date(2026, 12, 1), UTC) == (
        datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_currencies_have_statements_of_their_own(user):
    fund(user, 100_00)
    fund(user, 7_00, currency="KZT")

    first = timezone.localdate(timezone=TASHKENT).replace(day=1)

    assert of(user, first, currency="KZT").month.closing == 7_00
    assert of(user, first).month.closing == 100_00


class AnyHistory(TestCase):
    """Whatever happened, in whichever zone it is read, the months add up to the ledger."""

    @given(
        steps=st.lists(
            st.tuples(st.integers(0, 400 * 24 * 60), st.integers(-50_000_00, 90_000_00), st.booleans()),
            min_size=1,
            max_size=25,
        ),
        zone=st.sampled_from(["Asia/Tashkent", "America/St_Johns", "Pacific/Kiritimati", "Europe/London"]),
    )
    @settings(max_examples=25, deadline=None)
    def test_the_months_add_up_to_the_ledger(self, steps, zone):
        user = UserFactory()
        kept = _CREATED.__dict__.get("_get_default", timezone.now)
        try:
            for number, (minutes, amount, is_hold) in enumerate(sorted(steps)):
                moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
                _CREATED.__dict__["_get_default"] = lambda moment=moment: moment
                amount = max(amount, -balances(user).available)
                if amount > 0:
                    fund(user, amount)
                elif amount and is_hold:
                    hold(user, -amount, f"{user.pk}:{number}")
                elif amount:
                    spend(user, -amount)
        finally:
            _CREATED.__dict__["_get_default"] = kept
        place, money = ZoneInfo(zone), balances(user)

        found = months(user, currency="UZS", zone=place)
        each = [
            statement(user, first=one.first, currency="UZS", zone=place, at=NOW) for one in reversed(found)
        ]

        assert sum(one.came - one.went for one in found) == money.available
        assert [one.month for one in each] == found[::-1]
        assert all(one.closing == after.opening for one, after in zip(found[1:], found, strict=False))
        assert all(one.movements[-1].balance == one.month.closing for one in each)
        assert (each[-1].held.closing if each else 0) == money.held


# --- The pages ------------------------------------------------------------------------------------


def test_the_list_shows_the_months_with_money(client, user, django_assert_num_queries):
    fund(user, 150_00)
    spend(user, 50_00)

    with django_assert_num_queries(6):  # session, person, wallet, months, unread notifications
        page = client.get(LIST)

    assert f"/wallet/statements/{timezone.localdate(timezone=user.zone):%Y-%m}/" in page.text
    assert "so far" in page.text


def test_the_list_of_a_new_person_says_what_to_do(client, user):
    assert "No statements yet" in client.get(LIST).text


def this_month(user):
    return f"{LIST}{timezone.localdate(timezone=user.zone):%Y-%m}/"


def test_a_page_takes_the_same_queries_however_long_it_is(client, user, django_assert_num_queries):
    for number in range(1, 31):
        fund(user, number)

    with django_assert_num_queries(7):  # session, person, sums, movements, header's money, notifications
        page = client.get(this_month(user))

    assert len(page.context["page"]) == 30
    assert "not over yet" in page.text


def test_a_month_without_money_says_so(client, user):
    fund(user, 100_00)

    page = client.get(LIST + "2025-01/")

    assert page.status_code == 200
    assert "No money moved in this month" in page.text
    assert client.get(LIST + "2025-01/statement.pdf").status_code == 200


@pytest.mark.parametrize(
    "month",
    ["2026-13", "2026-00", "26-01", "0000-01", "1999-12", "9999-01", "2026-1", "x", "٢٠٢٦-٠١", "2026-01%00"],
)
def test_what_is_no_month_is_not_found(client, user, month):
    assert client.get(f"{LIST}{month}/").status_code == 404
    assert client.get(f"{LIST}{month}/statement.pdf").status_code == 404


def test_a_month_that_has_not_begun_is_not_found(client, user):
    after = timezone.localdate(timezone=user.zone).replace(day=1) + timedelta(days=32)

    assert client.get(f"{LIST}{after:%Y-%m}/").status_code == 404


def test_visitors_are_sent_to_the_log_in_page(client):
    for url in (LIST, LIST + "2026-01/", LIST + "2026-01/statement.pdf"):
        assert client.get(url).url.startswith("/accounts/login/")


def test_nobody_reads_the_statement_of_another(client, user):
    fund(UserFactory(), 987_654_00)

    assert client.get(this_month(user)).context["statement"].month.closing == 0


def text_of(answer):
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages).replace(
        "\u00a0", " "
    )


def test_the_pdf_holds_every_movement_and_the_sums(client, user):
    user.language, user.full_name = "uz", "Oybek Gʻulomov"
    user.save()
    fund(user, 1_234_567_89)
    for number in range(60):
        spend(user, 1_00 + number)

    answer = client.get(this_month(user) + "statement.pdf")
    text = text_of(answer)

    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith('attachment; filename="wibestore-20')
    assert len(PdfReader(BytesIO(answer.content)).pages) >= 2
    assert "Oybek Gʻulomov" in text
    assert "1 234 567,89" in text
    assert "1 234 490,19" in text  # what is left of it
    assert text.count("1,59") == 1


def test_a_month_too_long_for_a_pdf_is_offered_as_a_table(client, user, monkeypatch):
    monkeypatch.setattr(papers, "MOST_MOVEMENTS", 1)
    fund(user, 1_00)
    fund(user, 2_00)

    answer = client.get(this_month(user) + "statement.pdf", follow=True)

    assert "too long for one PDF" in answer.text
    assert "statement.pdf" not in answer.text.split("<main", 1)[1]


def test_a_returned_payout_stands_in_both_columns(client, user):
    fund(user, 100_000_00)
    payout = services.withdraw(
        user=user, amount=40_000_00, card_number="8600000000000007", idempotency_key="w"
    )
    services.fail_withdrawal(transaction_id=payout.pk, actor=UserFactory(is_staff=True), reason="closed")

    found = client.get(this_month(user)).context["statement"]

    assert [one.amount for one in found.movements] == [100_000_00, -40_000_00, 40_000_00]
    assert found.movements[-1].title == "Payout returned: Payout to Uzcard •• 0007"
    assert Account.objects.get(owner=user, kind="available").balance == found.month.closing


def test_what_others_move_is_in_no_sum(user):
    fund(UserFactory(), 5_00)

    assert months(user, currency="UZS", zone=UTC) == []
