"""A provider's statement beside our payments: files in, differences out."""

import io
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory
from marketplace.payments import reconciliation, services
from marketplace.payments.models import PaymentAttempt, ProviderStatement
from marketplace.payments.providers.base import Settle, StatementLine
from marketplace.payments.providers.sandbox import SandboxProvider
from marketplace.payments.reconciliation_files import BadStatement, Shape, read, shape_of
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 10, 7, tzinfo=UTC)  # in Tashkent
DAY = (date(2026, 11, 10), date(2026, 11, 10))
HEAD = "id,time,amount,currency,state\n"
URL = reverse("payments:reconciliation")


@pytest.fixture(autouse=True)
def click(settings):
    """A provider whose files are in our own format, and which cannot be asked."""
    settings.PAYMENT_PROVIDERS = settings.PAYMENT_PROVIDERS | {"click": settings.PAYMENT_PROVIDERS["sandbox"]}
    settings.PAYMENT_STATEMENTS = {
        code: shape for code, shape in settings.PAYMENT_STATEMENTS.items() if code != "click"
    }


def collected(provider_id, amount=150_000_00, *, at=NOON, provider="payme", state="captured", currency="UZS"):
    """One of our tries; nothing else of its payment matters here."""
    times = {
        "open": {},
        "captured": {"captured_at": at},
        "cancelled": {"ended_at": at},
        "refunded": {"captured_at": at, "ended_at": at},
    }[state]
    return PaymentAttempt.objects.create(
        payment=DepositFactory(amount=amount), provider=provider, provider_id=provider_id, amount=amount,
        currency=currency, state=state, provider_time=at, **times,
    )  # fmt: skip


def line(
    provider_id, amount="150000.00", state="captured", *, time="2026-11-10T12:00:00+05:00", currency="UZS"
):
    return f"{provider_id},{time},{amount},{currency},{state}\n"


def compare(*lines, provider="click", days=DAY):
    since, until = reconciliation.days(*days)
    data = (HEAD + "".join(lines)).encode()
    return reconciliation.reconcile_file(
        provider=provider, since=since, until=until, data=data, name="november.csv"
    )


def kinds(found):
    return [(row["kind"], row["provider_id"]) for row in found.rows]


# --- Comparing ------------------------------------------------------------------------------------------


def test_the_same_payments_on_both_sides_differ_in_nothing():
    collected("a1", provider="click")
    collected("a2", provider="click", state="refunded")

    found = compare(line("a1"), line("a2", state="refunded"))

    assert found.is_clean
    assert (found.lines, found.ours, found.agreed, found.differences, found.rows) == (2, 2, 2, 0, [])
    assert (found.source, len(found.digest)) == ("november.csv", 64)


def test_what_either_side_lacks_is_listed():
    ours = collected("ours", provider="click")

    found = compare(line("theirs", "10.50"))

    assert kinds(found) == [("missing_here", "theirs"), ("missing_there", "ours")]
    assert found.rows[0]["ours"] is None
    assert found.rows[0]["theirs"]["amount"] == 1050
    assert found.rows[1]["theirs"] is None
    assert found.rows[1]["payment"] == str(ours.payment_id)


@pytest.mark.parametrize(
    ("theirs", "kind"),
    [
        (line("a1", "150000.01"), "amount"),
        (line("a1", currency="USD"), "amount"),
        (line("a1", state="refunded"), "state"),
        (line("a1", state="cancelled"), "state"),
        (line("a1", state="open"), "state"),
    ],
)
def test_another_amount_currency_or_state_is_a_difference(theirs, kind):
    collected("a1", provider="click")

    assert kinds(compare(theirs)) == [(kind, "a1")]


@pytest.mark.parametrize("state", ["open", "cancelled"])
def test_money_that_the_provider_took_and_we_did_not_book_is_a_difference(state):
    collected("a1", provider="click", state=state)

    assert kinds(compare(line("a1"))) == [("state", "a1")]


def test_tries_without_money_need_not_agree():
    collected("a1", provider="click", state="cancelled")
    collected("a2", provider="click", state="open")

    assert compare(line("a1", state="open"), line("stranger", state="cancelled")).is_clean


def test_other_providers_and_other_days_are_left_out():
    collected("a1", provider="click")
    collected("a2", provider="paynet")
    collected("before", provider="click", at=NOON - timedelta(days=1))

    found = compare(line("a1"), line("later", time="2026-11-11T00:00:00+05:00"))

    assert found.is_clean
    assert (found.lines, found.ours) == (2, 1)


def test_a_payment_at_midnight_that_the_clocks_put_on_two_days_is_not_missing():
    collected("a1", provider="click", at=datetime(2026, 11, 10, 18, 59, 59, tzinfo=UTC))

    assert compare(line("a1", time="2026-11-11T00:00:01+05:00")).agreed == 1


def test_a_line_when_it_was_paid_and_one_when_it_was_refunded_are_one_payment():
    collected("a1", provider="click", state="refunded")

    assert compare(line("a1"), line("a1", state="refunded")).is_clean
    assert compare(line("a1", state="refunded"), line("a1")).is_clean


def test_the_same_line_twice_is_a_difference():
    collected("a1", provider="click")

    assert kinds(compare(line("a1"), line("a1"))) == [("repeated", "a1")]


def test_all_differences_are_counted_and_the_first_are_kept(monkeypatch):
    monkeypatch.setattr(reconciliation, "MOST_ROWS", 3)

    found = compare(*(line(f"a{n}") for n in range(5)))

    assert found.differences == 5
    assert len(found.rows) == 3


def test_a_long_statement_takes_a_query_for_a_thousand_lines(django_assert_max_num_queries):
    collected("a7", provider="click")

    with django_assert_max_num_queries(8):
        found = compare(*(line(f"a{n}") for n in range(2500)))

    assert (found.agreed, found.differences) == (1, 2499)


def test_comparing_moves_no_money():
    collected("a1", provider="click")

    compare(line("a2"))

    assert PaymentAttempt.objects.get().state == "captured"


def test_payme_writes_tiyin_milliseconds_and_numbers_for_states():
    collected("5e9f", provider="payme")
    ms = int(NOON.timestamp() * 1000)
    data = f"id,time,amount,state,account\n5e9f,{ms},15000000,2,x\n6f00,{ms},100,-1,x\n".encode()

    since, until = reconciliation.days(*DAY)
    found = reconciliation.reconcile_file(provider="payme", since=since, until=until, data=data)

    assert found.is_clean
    assert found.agreed == 1


# --- Asking the provider --------------------------------------------------------------------------------


def test_a_provider_that_can_be_asked_is(monkeypatch):
    collected("a1", provider="sandbox")

    def statement(self, since, until):
        return [StatementLine("a1", NOON, 150_000_00, "UZS", "captured")]

    monkeypatch.setattr(SandboxProvider, "statement", statement, raising=False)
    since, until = reconciliation.days(*DAY)

    found = reconciliation.reconcile_asked(provider="sandbox", since=since, until=until)

    assert found.is_clean
    assert found.source == ""


def test_a_provider_that_cannot_be_asked_says_so():
    since, until = reconciliation.days(*DAY)

    with pytest.raises(reconciliation.NoStatements):
        reconciliation.reconcile_asked(provider="payme", since=since, until=until)


def test_a_provider_that_nobody_knows_is_refused():
    with pytest.raises(reconciliation.UnknownProvider):
        compare(line("a1"), provider="nobody")


# --- Files ----------------------------------------------------------------------------------------------


def bad(data, shape=None):
    with pytest.raises(BadStatement) as caught:
        read(data if isinstance(data, bytes) else data.encode(), shape or Shape())
    return str(caught.value.message)


def test_commas_or_semicolons_a_bom_more_columns_and_any_order():
    text = "\ufeffState;note;AMOUNT;id;time;Currency\r\ncaptured;x;1.5;a1;2026-11-10 12:00;uzs\r\n\r\n"

    lines = read(text.encode(), Shape())

    assert lines == [StatementLine("a1", NOON, 150, "UZS", "captured")]


def test_a_provider_may_have_names_units_and_words_of_its_own(settings):
    settings.PAYMENT_STATEMENTS = {
        "click": {
            "columns": {"id": "click_trans_id", "state": "status"},
            "currency": "KZT",
            "states": {"paid": "captured"},
        }
    }

    lines = read(b"click_trans_id,time,amount,status\n7,2026-11-10T12:00:00Z,10,PAID\n", shape_of("click"))

    assert lines == [StatementLine("7", datetime(2026, 11, 10, 12, tzinfo=UTC), 1000, "KZT", "captured")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "columns are missing: id, time, amount, currency, state"),
        (b"\xff\xfeid,time", "not text in UTF-8"),
        ("id,time,amount\nпривет".encode("cp1251"), "not text in UTF-8"),
        (b"PK\x03\x04\x00\x00", "not text in UTF-8"),
        (b"id,time,amount,currency\n", "columns are missing: state"),
        (b"id,id,time,amount,currency,state\n", "there twice: id"),
        (HEAD.encode(), "no payments"),
        (("a," * 200 + "\n").encode(), "more than 100 names"),
        (b'id,time,amount,currency,state\n"a1', "quotes or cells are broken"),
        (HEAD.encode() + b"x" * 200_000, "quotes or cells are broken"),
        (HEAD.encode() + b"a1,2026-11-10\n", "Line 2: there are fewer cells"),
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused_in_plain_words(data, words):
    assert words in bad(data)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("=HYPERLINK(1),2026-11-10,1.00,UZS,captured", "column id is a formula"),
        ("@SUM(A1),2026-11-10,1.00,UZS,captured", "column id is a formula"),
        ("a1,2026-11-10,+1.00,UZS,captured", "column amount is a formula"),
        ("a1,2026-11-10,-1.00,UZS,captured", "a negative number"),
        ("a1,2026-11-10,NaN,UZS,captured", "“NaN” in the column amount is no amount"),
        ("a1,2026-11-10,Infinity,UZS,captured", "is no amount"),
        ("a1,2026-11-10,1e9,UZS,captured", "is no amount"),
        ("a1,2026-11-10,1.005,UZS,captured", "is no amount"),
        ("a1,2026-11-10,0,UZS,captured", "is no amount"),
        ("a1,2026-11-10,99999999999999999999999,UZS,captured", "is no amount"),
        ("a1,2026-11-10,999999999999999,UZS,captured", "is no amount"),
        ("a1,2026-11-10,١٥,UZS,captured", "is no amount"),
        ("a1,2026-11-10,,UZS,captured", "is no amount"),
        ("a1,yesterday,1.00,UZS,captured", "is no time"),
        ("a1,0001-01-01,1.00,UZS,captured", "is no time"),
        ("a1,9999-12-31T23:59:59-05:00,1.00,UZS,captured", "is no time"),
        ("a1,2026-11-10,1.00,EUR,captured", "none of our currencies"),
        ("a1,2026-11-10,1.00,UZS,paid", "no state that we know"),
        (" ,2026-11-10,1.00,UZS,captured", "no number of a payment"),
        (f"{'a' * 129},2026-11-10,1.00,UZS,captured", "no number of a payment"),
        ("a b,2026-11-10,1.00,UZS,captured", "no number of a payment"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(wrong, words):
    message = bad(HEAD + line("fine") + wrong + "\n")

    assert words in message
    assert message.startswith("Line 3: ")
    assert len(message) < 200


@pytest.mark.parametrize(
    "time", ["", "-1", "1e3", "99999999999999999", "999999999999999999999", "2026-11-10"]
)
def test_milliseconds_are_whole_and_of_our_time(time):
    assert "is no time" in bad(HEAD + f"a1,{time},1.00,UZS,captured\n", Shape(time="ms")) or time == "-1"


def test_a_file_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr("marketplace.payments.reconciliation_files.MAX_LINES", 2)
    monkeypatch.setattr("marketplace.payments.reconciliation_files.MAX_BYTES", 1024 * 1024)

    assert "more than 2 lines" in bad(HEAD + line("a1") * 3)
    assert "larger than 1 MB" in bad(b"x" * (1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 11, 2), date(2026, 11, 1)),
        (date(2025, 1, 1), date(2026, 11, 1)),
        (date(1, 1, 1), date(1, 1, 1)),
        (date(9999, 12, 31), date(9999, 12, 31)),
    ],
)
def test_a_period_is_a_year_at_most_and_goes_forward(first, last):
    with pytest.raises(reconciliation.BadPeriod):
        reconciliation.days(first, last)


def test_days_are_those_of_tashkent():
    since, until = reconciliation.days(*DAY)

    assert (since.astimezone(UTC), until - since) == (
        datetime(2026, 11, 9, 19, tzinfo=UTC),
        timedelta(days=1),
    )


# --- The command ----------------------------------------------------------------------------------------


def command(path, *args):
    out = io.StringIO()
    call_command(
        "reconcile_provider", *args, f"--file={path}", "--from=2026-11-10", "--to=2026-11-10", stdout=out
    )
    return out.getvalue()


def test_the_command_says_that_all_is_alike(tmp_path):
    collected("a1", provider="click")
    file = tmp_path / "statement.csv"
    file.write_text(HEAD + line("a1"))

    assert "1 lines, 1 payments of ours, 1 alike" in command(file, "click")


def test_the_command_names_differences_and_fails(tmp_path, capsys):
    file = tmp_path / "statement.csv"
    file.write_text(HEAD + line("a1"))

    with pytest.raises(CommandError, match="1 differences"):
        call_command("reconcile_provider", "click", f"--file={file}", "--from=2026-11-10", "--to=2026-11-10")

    assert "missing_here  a1: ours nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["click", "--file=/no/such", "--from=2026-11-10", "--to=2026-11-10"], "cannot be read"),
        (["click", "--from=2026-11-10", "--to=2026-11-10"], "cannot be asked"),
        (["click", "--from=10.11.2026", "--to=2026-11-10"], "Write days as"),
        (["click", "--from=2026-11-12", "--to=2026-11-10"], "The first day"),
        (["nobody", "--from=2026-11-10", "--to=2026-11-10"], "no such payment provider"),
    ],
)
def test_the_command_refuses_in_plain_words(args, words):
    with pytest.raises(CommandError, match=words):
        call_command("reconcile_provider", *args)


# --- The desk -------------------------------------------------------------------------------------------


@pytest.fixture
def keeper(client):
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_transaction"))
    client.force_login(person)
    return person


def hand_in(client, content, *, name="november.csv", **changes):
    file = SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())
    values = {"provider": "click", "first": "2026-11-10", "last": "2026-11-10", "file": file}
    return client.post(URL, {key: value for key, value in (values | changes).items() if value is not None})


def test_strangers_sign_in_and_others_are_refused(client):
    assert client.get(URL).status_code == 302
    person = UserFactory(is_staff=True)
    client.force_login(person)
    assert client.get(URL).status_code == 403
    assert hand_in(client, HEAD + line("a1")).status_code == 403
    assert client.get(reverse("payments:reconciled", args=[uuid4()])).status_code == 403
    assert not ProviderStatement.objects.exists()


def test_people_who_are_not_staff_are_refused_with_the_permission(client):
    person = UserFactory()
    person.user_permissions.add(Permission.objects.get(codename="view_transaction"))
    client.force_login(person)

    assert client.get(URL).status_code == 403


def test_a_file_is_compared_and_its_result_shown(client, keeper):
    collected("a1", provider="click")

    answer = hand_in(client, HEAD + line("a1") + line("a2", "10.50"))

    found = ProviderStatement.objects.get()
    assert answer.url == reverse("payments:reconciled", args=[found.pk])
    assert found.actor == keeper
    page = client.get(answer.url).text
    assert "We do not have it" in page
    assert "10,50\u00a0soʻm" in page
    assert "november.csv" in page
    assert "1 difference<" in page
    assert "1 difference<" in client.get(URL).text


def test_a_clean_result_says_so(client, keeper):
    collected("a1", provider="click")

    page = client.get(hand_in(client, HEAD + line("a1")).url).text

    assert "All alike" in page
    assert "Both sides have the same payments" in page


@pytest.mark.parametrize(
    ("content", "changes", "words"),
    [
        (b"\xff\xfe", {}, "not text in UTF-8"),
        (b"", {}, "columns are missing"),
        (HEAD + line("=1+1"), {}, "is a formula"),
        (HEAD + line("a1"), {"last": "2026-11-09"}, "The first day comes before the last"),
        (HEAD + line("a1"), {"first": "yesterday"}, "Enter a valid date"),
        (HEAD + line("a1"), {"first": "9999-12-31", "last": "9999-12-31"}, "The first day"),
        (HEAD + line("a1"), {"first": "\x002026"}, "Enter a valid date"),
        (HEAD + line("a1"), {"provider": "nobody"}, "Select a valid choice"),
        (HEAD + line("a1"), {"file": None}, "cannot be asked for a statement"),
        (HEAD + line("a1"), {"file": "text instead of a file"}, "cannot be asked for a statement"),
    ],
)
def test_what_cannot_be_compared_is_said_beside_its_field(client, keeper, content, changes, words):
    answer = hand_in(client, content, **changes)

    assert answer.status_code == 422
    assert words in answer.text
    assert not ProviderStatement.objects.exists()


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client, keeper, monkeypatch):
    monkeypatch.setattr("marketplace.payments.reconciliation_forms.MAX_BYTES", 10)

    assert "The file is larger than" in hand_in(client, HEAD + line("a1")).text


@pytest.mark.parametrize("name", ["../../etc/passwd", "<b>x</b>.csv", "a" * 300 + ".csv", "C:\\x\\y.csv"])
def test_a_files_name_is_only_shown(client, keeper, name):
    answer = hand_in(client, HEAD + line("a1"), name=name)

    found = ProviderStatement.objects.get()
    assert len(found.source) <= 100
    assert "/" not in found.source
    assert "<b>" not in client.get(answer.url).text


def test_someone_elses_address_is_no_page(client, keeper):
    assert client.get(reverse("payments:reconciled", args=[uuid4()])).status_code == 404


def test_before_the_first_statement_the_desk_says_what_to_do(client, keeper):
    assert "Nothing was compared yet" in client.get(URL).text


def test_the_list_takes_the_same_queries_however_long_it_is(client, keeper, django_assert_num_queries):
    for number in range(3):
        hand_in(client, HEAD + line(f"a{number}"))
    client.get(URL)

    with django_assert_num_queries(10):
        client.get(URL)

    for number in range(7):
        hand_in(client, HEAD + line(f"b{number}"))
    with django_assert_num_queries(10):
        client.get(URL)


def test_a_captured_payment_of_the_services_is_ours():
    """What the services themselves write is what is compared."""
    payment = services.start_payment(
        user=UserFactory(), amount=150_000_00, method_code="sandbox", idempotency_key=uuid4().hex
    )
    services.act(Settle(payment.pk, "sb-77", payment.amount), "sandbox")
    attempt = PaymentAttempt.objects.get(provider_id="sb-77")
    day = attempt.provider_time.astimezone(reconciliation.days(*DAY)[0].tzinfo).date()
    since, until = reconciliation.days(day, day)
    data = HEAD + line("sb-77", time=attempt.provider_time.isoformat())

    found = reconciliation.reconcile_file(provider="sandbox", since=since, until=until, data=data.encode())

    assert (found.agreed, found.differences) == (1, 0)
