"""The plans' door for programs."""

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import selectors as ledger
from marketplace.payments.models import Transaction
from marketplace.subscriptions import services
from marketplace.subscriptions.models import UserSubscription
from marketplace.subscriptions.tests.factories import MONTH, RICH, buy, plan, plan_of, rich, subscribed

pytestmark = pytest.mark.django_db
BASE = "/api/v1/subscriptions/"


@pytest.fixture
def api():
    return APIClient()


def signed_in(api, user):
    api.force_authenticate(user)
    return user


def purchase(api, key="key-1", **body):
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key is not None else {}
    return api.post(BASE + "purchase/", body, format="json", **headers)


def refusal(response):
    body = response.json()
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "details"}
    return response.status_code, body["error"]["code"]


def test_plans_are_public_and_in_decimals(api):
    free, premium, pro = api.get(BASE + "plans/").json()

    assert [one["slug"] for one in (free, premium, pro)] == ["free", "premium", "pro"]
    assert [one["commission_rate"] for one in (free, premium, pro)] == ["0.10", "0.08", "0.05"]
    assert (premium["price_monthly"], premium["price_yearly"]) == ("49000.00", "490000.00")
    assert (free["is_premium"], premium["is_premium"], pro["is_premium"]) == (False, True, True)
    assert (premium["is_pro"], pro["is_pro"]) == (False, True)
    assert "The VIP badge" in pro["features"]


def test_an_odd_fee_keeps_its_digits(api):
    one = plan("pro")
    one.commission_basis_points = 475
    services.save_plan(plan=one)

    assert api.get(BASE + "plans/").json()[2]["commission_rate"] == "0.0475"


def test_buying_from_the_wallet(api):
    user = signed_in(api, rich())

    response = purchase(api, plan="premium", period="monthly")

    body = response.json()
    assert response.status_code == 201
    assert body["payment"] is None
    assert (body["subscription"]["status"], body["subscription"]["plan"]["slug"]) == ("active", "premium")
    assert (body["subscription"]["paid"], body["subscription"]["auto_renew"]) == ("49000.00", True)
    assert body["subscription"]["next_plan"] is None
    assert body["subscription"]["end_date"] > body["subscription"]["start_date"]
    assert plan_of(user) == "premium"


def test_a_repeat_with_the_same_key_answers_the_same_and_takes_nothing(api):
    user = signed_in(api, rich())

    first, again = (purchase(api, plan="premium") for _time in range(2))

    assert first.json()["subscription"]["id"] == again.json()["subscription"]["id"]
    assert ledger.balances(user).available == RICH - MONTH["premium"]
    assert refusal(purchase(api, plan="pro")) == (409, "key_reused")


def test_buying_through_a_provider_gives_the_address_to_go_on_to(api):
    user = signed_in(api, UserFactory())

    body = purchase(api, plan="pro", period="yearly", provider="sandbox", auto_renew=False).json()

    payment = Transaction.objects.get(user=user)
    assert body["subscription"]["status"] == "pending"
    assert body["subscription"]["auto_renew"] is False
    assert body["payment"]["payment_url"] == payment.metadata["payment_url"]
    assert body["payment"]["amount"] == "1490000.00"


def test_a_smaller_plan_is_noted(api):
    signed_in(api, subscribed("pro").user)

    body = purchase(api, plan="premium").json()["subscription"]

    assert (body["plan"]["slug"], body["next_plan"], body["next_period"]) == ("pro", "premium", "monthly")


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"plan": "premium"}, (409, "insufficient_funds")),
        ({"plan": "free"}, (409, "plan_not_available")),
        ({"plan": "premium", "provider": "nobody"}, (409, "method_not_available")),
        ({"plan": "premium", "provider": "kaspi"}, (409, "method_not_available")),
        ({}, (400, "validation_error")),
        ({"plan": "gold"}, (400, "validation_error")),
        ({"plan": None}, (400, "validation_error")),
        ({"plan": ["premium"]}, (400, "validation_error")),
        ({"plan": {"a": 1}}, (400, "validation_error")),
        ({"plan": "premium", "period": "weekly"}, (400, "validation_error")),
        ({"plan": "premium", "period": 10**30}, (400, "validation_error")),
        ({"plan": "premium", "provider": "x" * 33}, (400, "validation_error")),
        ({"plan": "premium", "provider": "\0"}, (400, "validation_error")),
        ({"plan": "premium", "provider": {"a": 1}}, (400, "validation_error")),
        ({"plan": "premium", "auto_renew": "perhaps"}, (400, "validation_error")),
        ({"plan": "premium\0"}, (400, "validation_error")),
    ],
)
def test_what_is_wrong_with_a_purchase_is_said_in_the_envelope(api, body, refused):
    signed_in(api, UserFactory())

    assert refusal(purchase(api, **body)) == refused
    assert not UserSubscription.objects.current().exists()


@pytest.mark.parametrize("key", ["x" * 101, "ключ"])
def test_a_key_that_is_none_is_refused(api, key):
    user = signed_in(api, rich())

    response = purchase(api, key, plan="premium")

    assert refusal(response) == (400, "idempotency_key_invalid")
    assert ledger.balances(user).available == RICH


@pytest.mark.parametrize("key", ["x" * 100, "two words"])
def test_a_purchase_with_any_good_key_happens_once(api, key):
    user = signed_in(api, rich())

    first, again = (purchase(api, key, plan="premium") for _time in range(2))

    assert first.json()["subscription"]["id"] == again.json()["subscription"]["id"]
    assert ledger.balances(user).available == RICH - 49_000_00


@pytest.mark.parametrize("body", ["[]", "7", '"premium"', "null", "{", "\x00"])
def test_a_body_that_is_no_object_is_refused(api, body):
    signed_in(api, rich())

    for door in ("purchase/", "cancel/"):
        response = api.post(BASE + door, body, content_type="application/json", HTTP_IDEMPOTENCY_KEY="key-1")
        assert response.status_code in {400, 409}
        refusal(response)


def test_buying_what_one_has_is_refused(api):
    user = signed_in(api, subscribed("premium").user)

    assert refusal(purchase(api, plan="premium")) == (409, "already_subscribed")
    assert plan_of(user) == "premium"


def test_ones_own_plan_with_its_payments(api):
    bought = subscribed("premium")
    signed_in(api, bought.user)

    body = api.get(BASE + "my/").json()

    assert (body["plan"]["slug"], body["subscription"]["id"]) == ("premium", str(bought.pk))
    assert [(one["amount"], one["status"]) for one in body["payments"]] == [("49000.00", "completed")]


def test_without_a_subscription_ones_plan_is_free(api):
    signed_in(api, UserFactory())

    body = api.get(BASE + "my/").json()

    assert (body["plan"]["slug"], body["subscription"], body["payments"]) == ("free", None, [])


def test_cancelling_keeps_the_plan_to_its_end(api):
    bought = subscribed("premium")
    signed_in(api, bought.user)

    body = api.post(BASE + "cancel/", {"reason": "Enough"}, format="json").json()

    assert (body["subscription"]["status"], body["subscription"]["cancel_reason"]) == ("cancelled", "Enough")
    assert plan_of(bought.user) == "premium"


@pytest.mark.parametrize("reason", ["x" * 301, "\0", {"a": 1}])
def test_a_reason_that_does_not_fit_is_refused(api, reason):
    bought = subscribed()
    signed_in(api, bought.user)

    assert refusal(api.post(BASE + "cancel/", {"reason": reason}, format="json")) == (400, "validation_error")


def test_nothing_to_cancel_is_said(api):
    signed_in(api, UserFactory())

    assert refusal(api.post(BASE + "cancel/", {}, format="json")) == (409, "not_subscribed")


@pytest.mark.parametrize(("method", "door"), [("post", "purchase/"), ("get", "my/"), ("post", "cancel/")])
def test_strangers_are_turned_away(api, method, door):
    response = getattr(api, method)(BASE + door, {}, format="json")

    assert refusal(response)[0] in {401, 403}


def test_the_lists_cost_few_queries(api, django_assert_num_queries):
    bought = subscribed()
    for _time in range(3):
        buy(rich())
    signed_in(api, bought.user)

    with django_assert_num_queries(1):
        api.get(BASE + "plans/")
    with django_assert_num_queries(2):
        api.get(BASE + "my/")


def test_answers_speak_the_readers_language(api):
    signed_in(api, UserFactory())

    features = api.get(BASE + "plans/", HTTP_ACCEPT_LANGUAGE="ru").json()[2]["features"]

    assert "Персональный менеджер" in features
