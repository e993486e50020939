"""The history: its wallets, its filters, the balance after each line, and the file of it all."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import accounts
from marketplace.ledger.models import JournalEntry, Posting
from marketplace.ledger.selectors import balances
from marketplace.ledger.services import post
from marketplace.ledger.tests.factories import fund, spend
from marketplace.payments import movements, paper_views, services
from marketplace.payments.models import Transaction
from marketplace.payments.paper_views import safe_cell
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import deliver, payload

pytestmark = pytest.mark.django_db

WALLET = "/wallet/"
EXPORT = "/wallet/export.csv"
CARD = "8600000000000007"


@pytest.fixture
def user(client):
    PaymentMethodFactory()
    person = UserFactory()
    client.force_login(person)
    return person


def settled(user, amount, **fields):
    """A top-up whose money has come."""
    payment = DepositFactory(user=user, amount=amount, **fields)
    deliver(payload(payment))
    payment.refresh_from_db()
    return payment


def bought(user, amount, what="Account", currency="UZS"):
    """A line of a purchase, as escrow writes it."""
    legs = {accounts.available(user.pk): -amount, accounts.held(user.pk): amount}
    entry = post("hold", key=uuid4().hex, currency=currency, legs=legs)
    services.record(
        user=user, type="purchase", amount=amount, currency=currency, entry=entry, reference=uuid4(),
        description=what,
    )  # fmt: skip
    return Transaction.objects.get(journal_entry=entry)


def failed_payout(user, amount):
    payout = services.withdraw(user=user, amount=amount, card_number=CARD, idempotency_key=uuid4().hex)
    services.fail_withdrawal(transaction_id=payout.pk, actor=UserFactory(is_staff=True), reason="closed")
    payout.refresh_from_db()
    return payout


def afters(client, **query):
    """Amount and balance after it of each line, newest first."""
    return [(row.signed_amount, after) for row, after in client.get(WALLET, query).context["lines"]]


def rows_of(answer):
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"))))[1:]


# --- The balance after each line ------------------------------------------------------------------


def test_each_line_says_what_could_be_spent_after_it(client, user):
    settled(user, 100_000_00)
    bought(user, 30_000_00)
    settled(user, 5_000_00)

    assert afters(client) == [(5_000_00, 75_000_00), (-30_000_00, 70_000_00), (100_000_00, 100_000_00)]


def test_a_line_that_moved_nothing_has_no_balance(client, user):
    DepositFactory(user=user, amount=7_000_00)

    assert afters(client) == [(7_000_00, None)]
    assert "not moved" in client.get(WALLET).text


def test_money_that_has_no_line_still_counts(client, user):
    fund(user, 1_000_00)
    settled(user, 2_000_00)

    assert afters(client) == [(2_000_00, 3_000_00)]


def test_a_payout_that_came_back_stands_at_what_there_is_again(client, user):
    fund(user, 100_000_00)
    failed_payout(user, 40_000_00)

    assert afters(client) == [(-40_000_00, 100_000_00)]


def test_the_balance_is_right_on_every_page_and_under_every_filter(client, user):
    expected = {}
    for number in range(1, 46):
        line = bought(user, 100_00) if number % 3 == 0 else settled(user, 1_000_00 + number)
        expected[line.pk] = balances(user).available

    for query in ({}, {"type": "purchases"}, {"type": "deposits"}, {"status": "completed"}, {"q": "account"}):
        seen = {}
        for page in (1, 2, 3):
            lines = client.get(WALLET, {**query, "page": page}).context["lines"]
            seen |= {row.pk: after for row, after in lines}
        assert seen
        assert seen == {pk: expected[pk] for pk in seen}


def test_the_balance_of_others_is_not_counted_in(client, user):
    fund(UserFactory(), 900_000_00)
    settled(user, 1_000_00)
    fund(user, 5_00, currency="KZT")

    assert afters(client) == [(1_000_00, 1_000_00)]


def test_the_balances_of_a_page_take_one_query(user, django_assert_num_queries):
    lines = [settled(user, 1_000_00 + number) for number in range(12)]

    with django_assert_num_queries(1):
        found = movements.balances_after(user, lines, "UZS")

    assert found[lines[-1].pk] == balances(user).available
    with django_assert_num_queries(0):
        assert movements.balances_after(user, [], "UZS") == {}


# --- The order of the lines -----------------------------------------------------------------------


def test_a_top_up_that_is_opened_first_and_paid_last_stands_where_its_money_came(client, user):
    slow = DepositFactory(user=user, amount=7_000_00)
    settled(user, 100_000_00)
    bought(user, 30_000_00)
    deliver(payload(slow))

    assert afters(client) == [(7_000_00, 77_000_00), (-30_000_00, 70_000_00), (100_000_00, 100_000_00)]


def test_a_payout_that_came_back_stands_where_it_came_back(client, user):
    fund(user, 100_000_00)
    payout = services.withdraw(user=user, amount=40_000_00, card_number=CARD, idempotency_key="w")
    settled(user, 5_000_00)
    services.fail_withdrawal(transaction_id=payout.pk, actor=UserFactory(is_staff=True), reason="closed")

    assert afters(client) == [(-40_000_00, 105_000_00), (5_000_00, 65_000_00)]


def test_what_waits_stands_first_and_what_was_given_up_where_that_was(client, user):
    oldest, given_up = DepositFactory(user=user, amount=1_00), DepositFactory(user=user, amount=2_00)
    settled(user, 3_00)
    services.cancel(transaction_id=given_up.pk)
    settled(user, 4_00)
    newest = DepositFactory(user=user, amount=5_00)

    assert [row.amount for row in client.get(WALLET).context["page"]] == [5_00, 1_00, 4_00, 2_00, 3_00]
    assert [row.pk for row in client.get(WALLET, {"status": "pending"}).context["page"]] == [
        newest.pk,
        oldest.pk,
    ]


def test_each_balance_follows_from_the_line_below_on_every_page_and_under_filters(client, user):
    """Paid in the opposite order of their opening, over three pages; the file has the same order."""
    opened = [DepositFactory(user=user, amount=1_000_00 + number) for number in range(43)]
    for place, payment in enumerate(reversed(opened)):
        if place % 4 == 3:
            bought(user, 50_00 + place)
        deliver(payload(payment))

    for query in ({}, {"type": "deposits"}, {"status": "completed"}, {"q": "top"}):
        lines, page = [], 1
        while page:
            context = client.get(WALLET, {**query, "page": page}).context
            lines += [(row.signed_amount, after) for row, after in context["lines"]]
            page = context["page"].next_page_number() if context["page"].has_next() else 0
        # Rows of the file: amount and balance, in whole soʻm with two decimals.
        file = [(row[4], row[6]) for row in rows_of(client.get(EXPORT, query))]
        assert file == [(f"{amount / 100:.2f}", f"{after / 100:.2f}") for amount, after in lines], query
        if not query:
            follows = [after - amount for amount, after in lines]
            assert follows == [after for _amount, after in lines[1:]] + [0]
    assert next(row.pk for row in client.get(WALLET).context["page"]) == opened[0].pk


def test_the_days_of_the_filters_are_those_on_which_the_money_came(client, user):
    """Days are the reader's; opened at noon, so that the hour of the test does not matter."""
    today = timezone.localdate(timezone=user.zone)
    before = today - timedelta(days=3)
    slow = DepositFactory(user=user, amount=7_000_00)
    noon = datetime(before.year, before.month, before.day, 12, tzinfo=user.zone)
    Transaction.objects.filter(pk=slow.pk).update(created_at=noon)
    deliver(payload(slow))

    def shown(**query):
        return len(client.get(WALLET, query).context["page"]), len(rows_of(client.get(EXPORT, query)))

    assert shown(**{"from": today.isoformat()}) == (1, 1)
    assert shown(to=before.isoformat()) == (0, 0)


# --- Wallets in several currencies ----------------------------------------------------------------


def test_who_has_one_currency_sees_no_switch(client, user):
    fund(user, 1_000_00)

    assert "?currency=" not in client.get(WALLET).text


def test_who_has_tenge_sees_a_wallet_of_tenge(client, user):
    fund(user, 1_000_00)
    fund(user, 777_00, currency="KZT")
    bought(user, 77_00, currency="KZT")

    plain, tenge = client.get(WALLET), client.get(WALLET, {"currency": "KZT"})

    assert "?currency=KZT" in plain.text
    assert [row.currency for row in plain.context["page"]] == []
    assert (tenge.context["money"].available, tenge.context["money"].held) == (700_00, 77_00)
    assert [(row.amount, after) for row, after in tenge.context["lines"]] == [(77_00, 700_00)]
    assert "₸" in tenge.text
    assert "/wallet/deposit/?currency=KZT" in tenge.text
    assert "/wallet/withdraw/?currency=KZT" in tenge.text


@pytest.mark.parametrize("currency", ["EUR", "kzt", "", "UZS\x00", "'"])
def test_an_unknown_currency_is_the_soum(client, user, currency):
    assert client.get(WALLET, {"currency": currency}).context["currency"] == "UZS"


def test_the_header_keeps_the_soum(client, user):
    fund(user, 123_456_00)

    page = client.get(WALLET, {"currency": "KZT"}).text.replace("\u00a0", " ")

    assert "123 456" in page


# --- Filters --------------------------------------------------------------------------------------


def test_days_are_the_readers_own(client, user):
    """Tashkent is five hours ahead: 20:00 UTC of the 9th is the 10th there."""
    row = DepositFactory(user=user, amount=1_000_00)
    Transaction.objects.filter(pk=row.pk).update(created_at=datetime(2026, 3, 9, 20, tzinfo=UTC))

    def shown(first, last):
        return len(client.get(WALLET, {"from": first, "to": last}).context["page"].object_list)

    assert shown("2026-03-10", "2026-03-10") == 1
    assert shown("2026-03-09", "2026-03-09") == 0
    assert shown("2026-03-11", "") == 0
    assert shown("", "2026-03-09") == 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "yesterday"}, "Write the date as"),
        ({"from": "2026-13-45"}, "Write the date as"),
        ({"to": "0001-01-01"}, "No such day in our books"),
        ({"from": "9999-12-31"}, "No such day in our books"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "ends before it begins"),
        ({"q": "x" * 61}, "at most 60 characters"),
        ({"q": "a\x00b"}, "Null characters"),
    ],
)
def test_a_wrong_filter_is_explained_beside_it(client, user, query, said):
    for url in (WALLET, EXPORT):
        answer = client.get(url, query)

        assert answer.status_code == 422
        assert said in answer.text


def test_a_line_is_found_by_its_number_and_its_words(client, user):
    fund(user, 100_000_00)
    phoenix = bought(user, 1_00, "Феникс, Mythic 100%_\\")
    bought(user, 2_00, "Another")
    payout = services.withdraw(user=user, amount=10_000_00, card_number=CARD, idempotency_key="w")

    def shown(text):
        return [row.pk for row in client.get(WALLET, {"q": text}).context["page"]]

    assert shown(phoenix.number) == [phoenix.pk]
    assert shown(f"#{phoenix.number.lower()}") == [phoenix.pk]
    assert shown("mythic") == [phoenix.pk]
    assert shown("Феникс") == [phoenix.pk]
    assert shown("100%_\\") == [phoenix.pk]
    assert shown("payout") == [payout.pk]
    assert shown("0007") == [payout.pk]
    assert shown("%") == [phoenix.pk]
    assert shown("no such words") == []


def test_nobody_finds_the_lines_of_others(client, user):
    other = UserFactory()
    fund(other, 10_00)
    theirs = bought(other, 10_00, "Secret")

    assert client.get(WALLET, {"q": theirs.number}).context["page"].object_list == []
    assert rows_of(client.get(EXPORT)) == []


def test_a_wallet_with_all_of_it_takes_eight_queries(client, user, django_assert_num_queries):
    fund(user, 1_00, currency="KZT")
    for number in range(25):
        settled(user, 1_000_00 + number)
    query = {"from": "2020-01-01", "q": "top", "status": "completed", "page": "2"}
    client.get(WALLET)

    with django_assert_num_queries(9):
        page = client.get(WALLET, query)

    assert len(page.context["page"]) == 5


# --- The file -------------------------------------------------------------------------------------


def test_the_file_has_every_movement_with_its_balance_newest_first(client, user):
    fund(user, 100_000_00)
    failed_payout(user, 40_000_00)
    bought(user, 12_345_67, "Genshin")

    answer = client.get(EXPORT)
    rows = rows_of(answer)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="wibestore-UZS-')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert [(row[3], row[4], row[5], row[6]) for row in rows] == [
        ("Genshin", "-12345.67", "UZS", "87654.33"),
        ("Payout returned: Payout to Uzcard •• 0007", "40000.00", "UZS", "100000.00"),
        ("Payout to Uzcard •• 0007", "-40000.00", "UZS", "60000.00"),
        ("Top-up", "100000.00", "UZS", "100000.00"),
    ]


def test_the_file_is_filtered_like_the_page_and_its_balances_stay_true(client, user):
    settled(user, 1_000_00)
    bought(user, 10_00, "One")
    bought(user, 20_00, "Two")

    assert [(row[4], row[6]) for row in rows_of(client.get(EXPORT, {"type": "purchases"}))] == [
        ("-20.00", "970.00"),
        ("-10.00", "990.00"),
    ]
    assert [row[6] for row in rows_of(client.get(EXPORT, {"q": "one"}))] == ["990.00"]
    tomorrow = (timezone.now() + timedelta(days=2)).date().isoformat()
    assert rows_of(client.get(EXPORT, {"from": tomorrow})) == []


def test_the_file_speaks_the_readers_language_and_tells_their_time(client, user):
    user.language, user.timezone = "ru", "Asia/Almaty"
    user.save()
    settled(user, 1_000_00)

    text = b"".join(client.get(EXPORT).streaming_content).decode()

    assert "Пополнение" in text
    assert "+0500" in text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_title_is_never_a_formula(client, user, start):
    fund(user, 10_00)
    bought(user, 1_00, f"{start}1+1")

    assert safe_cell(f"{start}1+1") == f"'{start}1+1"
    assert rows_of(client.get(EXPORT))[0][3].startswith("'")


def test_the_file_takes_the_same_queries_however_long_it_is(
    client, user, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(movements, "CHUNK", 5)
    for number in range(1, 24):
        fund(user, number)
    client.get(WALLET)

    with django_assert_num_queries(3):  # the session, the person, the movements
        rows = rows_of(client.get(EXPORT))

    assert len(rows) == 23


def test_a_file_that_is_too_long_says_so(client, user, monkeypatch):
    monkeypatch.setattr(paper_views, "MOST_ROWS", 3)
    for number in range(1, 6):
        fund(user, number)

    rows = rows_of(client.get(EXPORT))

    assert [row[4] for row in rows[:-1]] == ["0.05", "0.04", "0.03"]
    assert "Only the newest 3 are here" in rows[-1][0]


def test_visitors_get_no_file(client):
    assert client.get(EXPORT).url.startswith("/accounts/login/")


def test_the_sum_of_the_file_is_the_balance(client, user):
    fund(user, 5_000_00)
    spend(user, 1_234_56)

    rows = rows_of(client.get(EXPORT))

    total = sum(Posting.objects.filter(account__owner=user).values_list("amount", flat=True))
    assert rows[0][6] == f"{total / 100:.2f}"
    assert JournalEntry.objects.count() == len(rows)
    assert reverse("payments:export") in client.get(WALLET).text
