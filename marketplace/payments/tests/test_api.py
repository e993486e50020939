import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.accounts import second_factor, tokens
from marketplace.accounts.tests.factories import PASSWORD, UserFactory
from marketplace.ledger.selectors import balances
from marketplace.ledger.tests.factories import fund
from marketplace.payments.models import Transaction
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

CARD = "8600 0000 0000 0007"


@pytest.fixture
def user():
    return UserFactory()


def call(user, method, name, body=None, *args, query="", **headers):
    if user is not None:
        headers["Authorization"] = f"Bearer {tokens.issue(user=user).access}"
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    path = reverse(f"api:{name}", args=args) + query
    return Client().generic(method, path, data or b"", content_type="application/json", headers=headers)


def deposit(user, body=None, **headers):
    return call(user, "POST", "deposit", body or {"amount": "50000.00", "provider": "payme"}, **headers)


def details(answer):
    data = answer.json()
    assert data["success"] is False
    return data["error"]["details"]


def test_a_deposit_is_opened_and_says_where_to_pay(user):
    answer = deposit(user)

    data = answer.json()
    payment = Transaction.objects.get()
    assert answer.status_code == 201
    assert (data["id"], data["status"], data["amount"]) == (str(payment.pk), "pending", "50000.00")
    assert data["payment_url"] == payment.payment_url
    assert payment.amount == 50_000_00
    assert payment.payment_method.code == "payme"


def test_an_address_that_is_not_confirmed_may_pay_in_but_not_out(user):
    user.is_verified = False
    user.save()

    assert deposit(user).status_code == 201
    refused = call(
        user, "POST", "withdraw", {"amount": "50000.00", "card_number": CARD, "password": PASSWORD}
    )
    assert refused.json()["error"]["code"] == "email_not_verified"


def test_the_same_key_is_the_same_deposit(user):
    first, second = (deposit(user, **{"Idempotency-Key": "abc"}) for _time in range(2))
    other = deposit(user, {"amount": "60000.00", "provider": "payme"}, **{"Idempotency-Key": "abc"})

    assert first.json()["id"] == second.json()["id"]
    assert other.json()["error"]["code"] == "key_reused"
    assert deposit(user, **{"Idempotency-Key": "x" * 101}).status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": "50000.00"}, "provider"), ({"provider": "payme"}, "amount"),
        ({"amount": "50000.00", "provider": "nobody"}, "provider"),
        ({"amount": "50000.00", "provider": "pay\u0000me"}, "provider"),
        ({"amount": "50000.00", "provider": 5}, "provider"),
        ({"amount": "50000.00", "provider": "payme", "currency": "KZT"}, "provider"),
        ({"amount": "1", "provider": "payme"}, "amount"), ({"amount": "-50000", "provider": "payme"}, "amount"),
        ({"amount": "99999999999", "provider": "payme"}, "amount"), ({"amount": "1e6", "provider": "payme"}, "amount"),
        ({"amount": "NaN", "provider": "payme"}, "amount"), ({"amount": True, "provider": "payme"}, "amount"),
        ({"amount": "50000.005", "provider": "payme"}, "amount"), ({"amount": [], "provider": "payme"}, "amount"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_is_written(user, body, field):
    answer = deposit(user, body)

    assert answer.status_code == 400
    assert field in details(answer)
    assert not Transaction.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"amount": NaN, "provider": "payme"}', b"null"])
def test_a_body_that_is_none_is_a_bad_request(user, body):
    assert deposit(user, body).status_code == 400


def test_strangers_are_turned_away():
    for method, name in (("POST", "deposit"), ("POST", "withdraw"), ("GET", "transactions")):
        answer = call(None, method, name)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "not_authenticated"


def test_a_payout_asks_for_the_password_again(user):
    fund(user, 1_000_000_00)
    body = {"amount": "400000.00", "card_number": CARD}

    for wrong in ({}, {"password": "guess"}):
        assert "password" in details(call(user, "POST", "withdraw", {**body, **wrong}))
    answer = call(user, "POST", "withdraw", {**body, "password": PASSWORD})

    assert answer.status_code == 201
    assert answer.json()["card"].endswith("0007")
    assert "8600000000000007" not in answer.text.replace(" ", "")
    assert balances(user).available == 600_000_00


def test_a_payout_asks_for_the_second_factor_of_those_who_have_one(user, monkeypatch):
    fund(user, 1_000_000_00)
    monkeypatch.setattr(second_factor, "is_required", lambda _person: True)
    monkeypatch.setattr(second_factor, "check", lambda _person, code: code == "123456")
    body = {"amount": "400000.00", "card_number": CARD, "password": PASSWORD}

    assert "code" in details(call(user, "POST", "withdraw", body))
    assert call(user, "POST", "withdraw", {**body, "code": "123456"}).status_code == 201


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"amount": "1"}, "amount"), ({"card_number": "8600 0000 0000 0008"}, "card_number"),
        ({"card_number": "20208000905123456001"}, "bank_code"), ({"card_number": 5}, "card_number"),
        ({"currency": "EUR"}, "currency"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_payout_stands_beside_its_field(user, changed, field):
    fund(user, 1_000_000_00)
    body = {"amount": "400000.00", "card_number": CARD, "password": PASSWORD, **changed}

    assert field in details(call(user, "POST", "withdraw", body))
    assert not Transaction.objects.exists()


def test_more_than_there_is_is_a_conflict(user):
    answer = call(
        user, "POST", "withdraw", {"amount": "400000.00", "card_number": CARD, "password": PASSWORD}
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "insufficient_funds")


def test_the_history_is_ones_own_and_can_be_filtered(user):
    mine = DepositFactory(user=user)
    done = DepositFactory(user=user, status="cancelled")
    theirs = DepositFactory()

    def ids(query=""):
        return [row["id"] for row in call(user, "GET", "transactions", query=query).json()["results"]]

    assert ids() == [str(done.pk), str(mine.pk)]
    assert ids("?status=cancelled") == [str(done.pk)]
    assert ids("?type=withdrawal,sale") == []
    assert "status" in details(call(user, "GET", "transactions", query="?status=nonsense"))
    assert call(user, "GET", "transaction", None, theirs.pk).status_code == 404
    assert call(user, "GET", "transaction", None, uuid4()).status_code == 404
    assert call(user, "GET", "transaction", None, mine.pk).json()["id"] == str(mine.pk)


def test_the_history_costs_the_same_however_long(user, django_assert_num_queries):
    for _row in range(12):
        DepositFactory(user=user)

    with django_assert_num_queries(8):  # five note the token that the call is made with, and its sign-in
        rows = call(user, "GET", "transactions").json()["results"]

    assert len(rows) == 12


def test_a_payment_by_payme_is_seen_in_the_profile(user):
    """The whole way of a program: open a deposit, Payme calls, the balance is there."""
    from marketplace.payments.tests.test_payme import ms, rpc

    reference = deposit(user).json()["id"]
    account = {"transaction_id": reference}
    rpc("CreateTransaction", id="66f1a2b3c4d5e6f708192a3b", time=ms(), amount=50_000_00, account=account)
    rpc("PerformTransaction", id="66f1a2b3c4d5e6f708192a3b")

    assert call(user, "GET", "profile").json()["balance"] == "50000.00"
    assert call(user, "GET", "transaction", None, reference).json()["status"] == "completed"
