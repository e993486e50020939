"""Stripe: its API by the official library against a server that stands in for it, and its events as its documents say."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import http
from marketplace.core.testing import in_parallel
from marketplace.ledger import checks
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.ledger.tests.factories import spend
from marketplace.payments import providers, services
from marketplace.payments.errors import AmountOutOfRange, BadSignature, ProviderUnavailable
from marketplace.payments.models import Debt, PaymentAttempt, PaymentMethod, Refund, Transaction, WebhookEvent
from marketplace.payments.providers.base import Delivery
from marketplace.payments.tests import stripe_server
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/payments/webhooks/stripe/"
SECRET = "whsec_test_secret"
VECTOR_SECRET = "whsec_test_secret_0001"
VECTOR_TIME = 1773482966
VECTOR_BODY = (
    b'{"id":"evt_1Test0001","object":"event","type":"checkout.session.completed","data":{"object":{"id":"cs_test_a1",'
    b'"object":"checkout.session","amount_total":5000000,"currency":"uzs","payment_status":"paid",'
    b'"client_reference_id":"3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518"}}}'
)
VECTOR_SIGNATURE = "97ead78197b3ff39163be87f71fb5626c2daeb95e72ba702714596c3f0edfa6b"


def signature(body, *, at, secret=SECRET):
    return hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()


def post(body, header=None, *, at=None, secret=SECRET):
    at = int((at or timezone.now()).timestamp())
    if header is None:
        header = f"t={at},v1={signature(body, at=at, secret=secret)}"
    headers = {"Stripe-Signature": header} if header else {}
    return Client().post(URL, data=body, content_type="application/json; charset=utf-8", headers=headers)


_number = iter(range(10**6))


def event(kind, about, **changed):
    number = f"evt_{next(_number)}"
    return {
        "id": number,
        "object": "event",
        "type": kind,
        "livemode": False,
        "data": {"object": about},
        **changed,
    }


def tell(kind, about, **changed):
    return post(json.dumps(event(kind, about, **changed)).encode())


def session_of(deposit, **changed):
    return {
        "id": f"cs_{deposit.pk.hex[-6:]}",
        "object": "checkout.session",
        "client_reference_id": str(deposit.pk),
        "metadata": {"transaction_id": str(deposit.pk)},
        "amount_total": deposit.amount,
        "currency": "uzs",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": f"pi_{deposit.pk.hex[-6:]}",
        **changed,
    }


def charge_of(deposit, **changed):
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": deposit.amount,
        "currency": "uzs",
        "payment_intent": f"pi_{deposit.pk.hex[-6:]}",
        "metadata": {"transaction_id": str(deposit.pk)},
        **changed,
    }


def completed(deposit, **changed):
    return tell("checkout.session.completed", session_of(deposit, **changed))


def available(deposit):
    return balances(deposit.user).available


def status(deposit):
    deposit.refresh_from_db()
    return deposit.status


def last_event():
    return WebhookEvent.objects.order_by("-pk").first()


@pytest.fixture
def deposit():
    return DepositFactory(amount=50_000_00, payment_method__code="stripe", payment_method__name="Stripe")


def test_a_settlement_costs_few_queries(deposit, django_assert_num_queries):
    completed(DepositFactory(user=deposit.user, payment_method=deposit.payment_method))

    # Four are the savepoints of a test's transaction, and one reads a house account that a process remembers.
    with django_assert_num_queries(17):
        completed(deposit)


# --- The reference's vectors ----------------------------------------------------------------------------


def delivered(body, header, at=VECTOR_TIME):
    return Delivery(body=body, headers={"Stripe-Signature": header}, at=datetime.fromtimestamp(at, UTC))


@pytest.fixture
def vector_secret(settings):
    settings.PAYMENT_CONFIG = {
        **settings.PAYMENT_CONFIG,
        "stripe": {**settings.PAYMENT_CONFIG["stripe"], "webhook_secret": VECTOR_SECRET},
    }


@pytest.mark.parametrize(
    ("body", "hexes"),
    [
        (b'{"id":"evt_1"}', "5df12c40a75027f74ddb61cccd4763c073e8b595e87b57d3003b1215b91b84ca"),
        (VECTOR_BODY, VECTOR_SIGNATURE),
    ],
)
def test_the_documents_signatures_are_right_ones(vector_secret, body, hexes):
    webhook = providers.get("stripe").process_webhook(delivered(body, f"t={VECTOR_TIME},v1={hexes}"))

    assert webhook.event_id == json.loads(body)["id"]
    assert len(VECTOR_BODY) == 266


def test_the_documents_event_credits_its_deposit(vector_secret, monkeypatch):
    deposit = DepositFactory(
        pk=UUID("3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518"), amount=50_000_00, payment_method__code="stripe"
    )
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(VECTOR_TIME + 5, UTC))

    answer = post(VECTOR_BODY, f"t={VECTOR_TIME},v1={VECTOR_SIGNATURE}")

    assert answer.status_code == 200
    assert available(deposit) == 50_000_00
    assert PaymentAttempt.objects.get().provider_id == "cs_test_a1"


# --- Signatures --------------------------------------------------------------------------------------------


def test_any_of_several_signatures_is_enough_while_a_secret_is_rolled(deposit):
    body = json.dumps(event("checkout.session.completed", session_of(deposit))).encode()
    at = int(timezone.now().timestamp())
    right = signature(body, at=at)

    assert post(body, f"t={at},v1={'0' * 64},v1={right},v0=abc,foo=bar").status_code == 200
    assert available(deposit) == 50_000_00


@pytest.mark.parametrize(
    "header",
    [
        "", "t=1", "v1=00", "t={at}", "t={at},v0={right}", "t={at},v1={wrong}", "t=x,v1={right}", "t=,v1={right}",
        "t={at},v1=é", "{right}", ",,,", "t={at} ,v1={right}", "t=-{at},v1={right}", "t=" + "9" * 900 + ",v1={right}",
    ],
)  # fmt: skip
def test_a_missing_or_wrong_signature_is_400_and_moves_nothing(deposit, header):
    body = json.dumps(event("checkout.session.completed", session_of(deposit))).encode()
    at = int(timezone.now().timestamp())

    answer = post(body, header.format(at=at, right=signature(body, at=at), wrong="0" * 64))

    assert answer.status_code == 400
    assert available(deposit) == 0
    assert WebhookEvent.objects.get().signature_ok is False


def test_a_changed_body_and_another_secret_are_refused(deposit):
    body = json.dumps(event("checkout.session.completed", session_of(deposit))).encode()
    at = int(timezone.now().timestamp())

    assert post(body + b" ", f"t={at},v1={signature(body, at=at)}").status_code == 400
    assert post(body, secret="whsec_other").status_code == 400
    assert available(deposit) == 0


@pytest.mark.parametrize(
    ("age", "is_fresh"),
    [(0, True), (299, True), (302, False), (100_000, False), (-3600, True)],
    ids=["now", "just in time", "too old", "a day old", "from the future"],
)
def test_a_signature_is_good_for_five_minutes_and_the_future_is_no_fault(deposit, age, is_fresh):
    body = json.dumps(event("checkout.session.completed", session_of(deposit))).encode()

    answer = post(body, at=timezone.now() - timedelta(seconds=age))

    assert answer.status_code == (200 if is_fresh else 400)


def test_the_age_of_a_signature_counts_as_of_its_arrival(vector_secret):
    provider = providers.get("stripe")
    header = f"t={VECTOR_TIME},v1={VECTOR_SIGNATURE}"

    assert provider.process_webhook(delivered(VECTOR_BODY, header, VECTOR_TIME + 299)).commands
    with pytest.raises(BadSignature):
        provider.process_webhook(delivered(VECTOR_BODY, header, VECTOR_TIME + 301))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff\xfe", b"[]", b"null", b'"x"', b"{}", b'{"id": 5.5}', b'{"id": null, "type": "x"}',
        b'{"id": "evt_1", "amount": NaN}', b'{"id": "evt_\\u0000"}', b"[" * 30_000, b'{"id": "' + b"x" * 300 + b'"}',
    ],
)  # fmt: skip
def test_signed_but_unparsable_is_400(body):
    assert post(body).status_code == 400
    assert WebhookEvent.objects.get().status == "failed"


def test_a_body_beyond_the_limit_is_not_read():
    assert post(b"x" * 70_000).status_code == 413


# --- Events ---------------------------------------------------------------------------------------------------


def test_a_paid_session_credits_the_wallet_once(deposit):
    answer = completed(deposit)

    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert available(deposit) == 50_000_00
    attempt = PaymentAttempt.objects.get()
    assert (attempt.provider_id, attempt.state) == (f"pi_{deposit.pk.hex[-6:]}", "captured")
    assert all(proof.holds for proof in checks.run())


def test_the_same_event_again_gets_the_same_answer_and_moves_nothing(deposit):
    body = json.dumps(event("checkout.session.completed", session_of(deposit))).encode()

    first, second = post(body), post(body)

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert available(deposit) == 50_000_00
    assert WebhookEvent.objects.get().deliveries == 2


def test_two_events_of_one_session_are_one_fact(deposit):
    completed(deposit)
    completed(deposit)
    tell("checkout.session.async_payment_succeeded", session_of(deposit))

    assert available(deposit) == 50_000_00
    assert JournalEntry.objects.count() == 1
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}


def test_an_unpaid_session_waits_for_its_money(deposit):
    completed(deposit, payment_status="unpaid")
    assert (status(deposit), available(deposit)) == ("processing", 0)

    tell("checkout.session.async_payment_succeeded", session_of(deposit))

    assert (status(deposit), available(deposit)) == ("completed", 50_000_00)


def test_money_that_is_on_its_way_keeps_the_deposit_from_being_given_up(deposit):
    completed(deposit, payment_status="unpaid")
    Transaction.objects.update(provider_transaction_id="")

    services.sweep_pending(at=timezone.now() + timedelta(days=3))

    assert status(deposit) == "processing"


def test_delayed_money_that_fails_fails_the_deposit(deposit):
    completed(deposit, payment_status="unpaid")

    tell("checkout.session.async_payment_failed", session_of(deposit, payment_status="unpaid"))

    assert (status(deposit), available(deposit)) == ("failed", 0)
    assert PaymentAttempt.objects.get().state == "cancelled"


def test_an_expired_session_cancels_the_deposit(deposit):
    tell(
        "checkout.session.expired",
        session_of(deposit, status="expired", payment_status="unpaid", payment_intent=None),
    )

    assert status(deposit) == "cancelled"


def test_an_expiry_that_comes_late_changes_nothing(deposit):
    completed(deposit)

    answer = tell("checkout.session.expired", session_of(deposit, payment_intent=None))

    assert answer.status_code == 200
    assert (status(deposit), available(deposit)) == ("completed", 50_000_00)
    assert last_event().status == "failed", "a person looks"


def test_money_for_a_deposit_that_was_given_up_counts_all_the_same(deposit):
    services.cancel(transaction_id=deposit.pk)

    completed(deposit)

    assert (status(deposit), available(deposit)) == ("completed", 50_000_00)


def test_a_declined_card_is_not_the_end(deposit):
    intent = {
        "id": "pi_1",
        "metadata": {"transaction_id": str(deposit.pk)},
        "last_payment_error": {"code": "card_declined"},
    }

    assert tell("payment_intent.payment_failed", intent).status_code == 200

    assert last_event().status == "ignored"
    assert "card_declined" in last_event().error
    assert status(deposit) == "pending"
    completed(deposit)
    assert available(deposit) == 50_000_00


def test_out_of_order_the_money_counts_once(deposit):
    tell("checkout.session.async_payment_succeeded", session_of(deposit))
    completed(deposit, payment_status="unpaid")
    tell("checkout.session.expired", session_of(deposit, payment_intent=None))

    assert (status(deposit), available(deposit)) == ("completed", 50_000_00)


@pytest.mark.parametrize(
    "kind", ["customer.created", "checkout.session.unknown", "", None, 5, ["a"], {"a": 1}]
)
def test_unknown_events_are_acknowledged_and_ignored(kind):
    assert tell(kind, {"id": "cus_1"}).status_code == 200
    assert WebhookEvent.objects.get().status == "ignored"


@pytest.mark.parametrize(
    "reference",
    [None, "", 5, [], "no-such", "3f2b8c1e-5d0a-4b7e-9c61-2f4d7a90e518", "x" * 500, "\u0660" * 36],
)
def test_an_event_about_an_unknown_object_is_acknowledged_and_kept_for_a_person(deposit, reference):
    answer = completed(deposit, client_reference_id=reference, metadata={})

    assert answer.status_code == 200
    assert (WebhookEvent.objects.get().status, available(deposit)) == ("failed", 0)


@pytest.mark.parametrize("about", [None, [], "x", 5, {}, {"id": None, "client_reference_id": None}])
def test_an_event_without_a_sensible_object_is_acknowledged_and_kept(about):
    for kind in (
        "checkout.session.completed",
        "checkout.session.expired",
        "charge.refunded",
        "charge.dispute.closed",
    ):
        assert tell(kind, about).status_code == 200
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"failed"}


def test_a_deposit_of_another_provider_is_unknown_to_stripe():
    other = DepositFactory(amount=50_000_00)

    assert completed(other).status_code == 200
    assert (last_event().status, available(other)) == ("failed", 0)


@pytest.mark.parametrize(
    "amount",
    [49_999_99, 50_000_01, 0, -50_000_00, 5000000.0, "5000000", True, None, 10**30, [5000000], {"a": 1}],
)
def test_another_amount_is_acknowledged_credits_nothing_and_is_kept(deposit, amount):
    answer = completed(deposit, amount_total=amount)

    assert answer.status_code == 200
    assert (last_event().status, available(deposit)) == ("failed", 0)


@pytest.mark.parametrize("currency", ["usd", "kzt", "", None, 5, "uzss"])
def test_another_currency_is_acknowledged_credits_nothing_and_is_kept(deposit, currency):
    assert completed(deposit, currency=currency).status_code == 200
    assert (last_event().status, available(deposit)) == ("failed", 0)


@pytest.mark.parametrize("paid", ["no_payment_required", None, "", 1])
def test_a_session_that_needed_no_payment_credits_nothing(deposit, paid):
    assert completed(deposit, payment_status=paid).status_code == 200
    assert (last_event().status, available(deposit)) == ("failed", 0)


def test_events_of_the_test_mode_count_nothing_with_a_live_key(deposit, settings):
    live = {**settings.PAYMENT_CONFIG["stripe"], "secret_key": "sk_live_1"}
    settings.PAYMENT_CONFIG = {**settings.PAYMENT_CONFIG, "stripe": live}

    assert completed(deposit).status_code == 200
    assert (last_event().status, available(deposit)) == ("failed", 0)


def test_stored_calls_hold_no_secret(deposit):
    completed(deposit)

    row = WebhookEvent.objects.get()
    assert SECRET not in json.dumps(row.headers) + bytes(row.body).decode() + row.error


def test_a_repeated_event_costs_few_queries(deposit, django_assert_num_queries):
    body = json.dumps(event("checkout.session.completed", session_of(deposit))).encode()
    post(body)

    with django_assert_num_queries(9):  # four of them are the savepoints of a test's transaction
        post(body)


# --- Refunds and disputes, as Stripe tells them ------------------------------------------------------------------


def test_a_refund_made_at_stripes_leaves_the_wallet(deposit):
    completed(deposit)

    tell("charge.refunded", charge_of(deposit, amount_refunded=deposit.amount, refunded=True))

    assert available(deposit) == 0
    assert PaymentAttempt.objects.get().state == "refunded"
    assert all(proof.holds for proof in checks.run())


def test_refunds_are_cumulative_whatever_their_order(deposit):
    completed(deposit)
    for total in (10_000_00, 30_000_00, 10_000_00, 30_000_00):
        tell("charge.refunded", charge_of(deposit, amount_refunded=total))

    assert available(deposit) == 20_000_00
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [10_000_00, 20_000_00]


def test_a_refund_that_overtakes_its_payment_leaves_nothing_to_spend(deposit):
    tell("charge.refunded", charge_of(deposit, amount_refunded=deposit.amount))
    completed(deposit)

    assert available(deposit) == 0
    assert JournalEntry.objects.count() == 2
    assert all(proof.holds for proof in checks.run())


def test_a_refund_of_spent_money_is_a_debt(deposit):
    completed(deposit)
    spend(deposit.user, 20_000_00)

    tell("charge.refunded", charge_of(deposit, amount_refunded=deposit.amount))

    assert available(deposit) == 0
    assert Debt.objects.get().amount == 20_000_00


@pytest.mark.parametrize("total", [50_000_01, 10**14, 0, -1, "5", 1.5, None])
def test_a_refund_of_no_sensible_amount_is_kept(deposit, total):
    completed(deposit)

    assert tell("charge.refunded", charge_of(deposit, amount_refunded=total)).status_code == 200
    assert (last_event().status, available(deposit)) == ("failed", 50_000_00)


def test_a_dispute_freezes_and_a_won_one_sets_free(deposit):
    completed(deposit)
    dispute = {
        "id": "dp_1",
        "amount": deposit.amount,
        "currency": "uzs",
        "payment_intent": f"pi_{deposit.pk.hex[-6:]}",
    }

    tell("charge.dispute.created", dispute)
    deposit.refresh_from_db()
    assert deposit.contested_at

    tell("charge.dispute.closed", {**dispute, "status": "won"})
    deposit.refresh_from_db()
    assert (deposit.contested_at, available(deposit)) == (None, 50_000_00)


def test_a_lost_dispute_takes_the_money_once(deposit):
    completed(deposit)
    dispute = {
        "id": "dp_1",
        "amount": deposit.amount,
        "currency": "uzs",
        "payment_intent": f"pi_{deposit.pk.hex[-6:]}",
    }
    tell("charge.dispute.created", dispute)

    tell("charge.dispute.closed", {**dispute, "status": "lost"})
    tell("charge.dispute.closed", {**dispute, "status": "lost"})

    deposit.refresh_from_db()
    assert (deposit.contested_at, available(deposit)) == (None, 0)
    assert Refund.objects.count() == 1


def test_a_dispute_about_an_unknown_payment_is_kept():
    assert tell("charge.dispute.created", {"id": "dp_1", "payment_intent": "pi_no"}).status_code == 200
    assert last_event().status == "failed"


# --- Our calls: the real library against a server that stands in ----------------------------------------------------


@pytest.fixture
def server(settings):
    with stripe_server.running() as books:
        settings.PAYMENT_CONFIG = {
            **settings.PAYMENT_CONFIG,
            "stripe": {**settings.PAYMENT_CONFIG["stripe"], "api_url": books.url},
        }
        yield books


def start(amount=50_000_00, key="k", **more):
    PaymentMethod.objects.get_or_create(
        code="stripe", defaults={"name": "Stripe", "min_amount": 1, "max_amount": 10**12}
    )
    PaymentMethod.objects.filter(code="stripe").update(min_amount=1)
    user = more.pop("user", None) or UserFactory(language="ru")
    return services.start_payment(
        user=user,
        amount=amount,
        method_code="stripe",
        idempotency_key=key,
        return_url="https://shop.example/back/",
        **more,
    )


def test_a_session_is_opened_with_all_that_matters(server):
    payment = start()

    asked = server.last
    assert (asked["method"], asked["path"]) == ("POST", "/v1/checkout/sessions")
    assert asked["headers"]["Idempotency-Key"] == f"{payment.pk}:create"
    assert asked["headers"]["Stripe-Version"] == "2026-10-28.endive"
    fields = asked["fields"]
    assert fields.pop("expires_at") == str(int((payment.created_at + timedelta(hours=23)).timestamp()))
    assert fields == {
        "mode": "payment",
        "client_reference_id": str(payment.pk),
        "metadata[transaction_id]": str(payment.pk),
        "payment_intent_data[metadata][transaction_id]": str(payment.pk),
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "uzs",
        "line_items[0][price_data][unit_amount]": "5000000",
        "line_items[0][price_data][product_data][name]": fields[
            "line_items[0][price_data][product_data][name]"
        ],
        "success_url": "https://shop.example/back/",
        "cancel_url": "https://shop.example/back/",
        "locale": "ru",
    }
    assert payment.payment_url == "https://checkout.stripe.com/c/pay/cs_test_1"
    assert payment.provider_transaction_id == "cs_test_1"


def test_opening_again_after_a_lost_answer_is_the_same_session(server, monkeypatch):
    user = UserFactory()
    payment = start(user=user)
    Transaction.objects.update(metadata={}, provider_transaction_id="")  # as if the answer had been lost

    again = start(user=user)

    assert len(server.requests) == 2
    assert again.pk == payment.pk
    assert list(server.sessions) == ["cs_test_1"]


@pytest.mark.parametrize("mode", ["down", "busy", "garbage"])
def test_a_stripe_that_fails_is_unavailable_and_asked_once(server, mode):
    server.mode = mode

    with pytest.raises(ProviderUnavailable):
        start()

    assert len(server.requests) == 1, "no page waits for second tries"


def test_a_stripe_that_is_nobody_we_talk_to_is_unavailable_and_never_asked(server, settings):
    settings.OUTBOUND = ()

    with pytest.raises(ProviderUnavailable):
        start()

    assert server.requests == []


def test_a_stripe_that_does_not_answer_is_given_up_in_time(server, monkeypatch):
    monkeypatch.setattr(http, "TIMEOUT", 0.1)
    server.mode = "mute"

    with pytest.raises(ProviderUnavailable):
        start()


def test_a_wrong_key_is_unavailable(server, settings):
    settings.PAYMENT_CONFIG["stripe"]["secret_key"] = "sk_test_other"

    with pytest.raises(ProviderUnavailable):
        start()


def test_an_amount_that_stripe_does_not_take_is_said_as_such(server):
    with pytest.raises(AmountOutOfRange):
        start(amount=10)


def test_asking_settles_what_no_event_told(server):
    payment = start()
    services.verify(transaction_id=payment.pk)
    assert status(payment) == "pending"

    server.pay()
    services.verify(transaction_id=payment.pk)

    assert (status(payment), available(payment)) == ("completed", 50_000_00)
    completed(payment, payment_intent="pi_1")
    assert available(payment) == 50_000_00


def test_asking_finds_an_expired_session(server):
    payment = start()
    server.session().update(status="expired")

    services.verify(transaction_id=payment.pk)

    assert status(payment) == "cancelled"


def test_asking_believes_no_other_amount(server):
    payment = start()
    server.pay(amount_total=1)

    services.sweep_pending(at=timezone.now() + timedelta(minutes=10))

    assert (status(payment), available(payment)) == ("pending", 0)


def test_asking_a_stripe_that_is_down_changes_nothing(server):
    payment = start()
    server.mode = "down"

    with pytest.raises(ProviderUnavailable):
        services.verify(transaction_id=payment.pk)
    assert status(payment) == "pending"


def paid(server):
    payment = start()
    server.pay()
    return services.verify(transaction_id=payment.pk)


def refund(payment, amount, key="r"):
    row = services.refund(transaction_id=payment.pk, amount=amount, reason="", idempotency_key=key)
    return services.send_refund(refund_id=row.pk)


def test_refunds_full_and_partial_are_asked_with_a_key_and_told_back_once(server):
    payment = paid(server)

    part = refund(payment, 20_000_00, "a")
    rest = refund(payment, 30_000_00, "b")

    assert (part.status, part.provider_refund_id) == ("succeeded", "re_1")
    assert (rest.status, rest.provider_refund_id) == ("succeeded", "re_2")
    asked = server.last
    assert asked["headers"]["Idempotency-Key"] == f"{rest.pk}:refund"
    assert (asked["fields"]["payment_intent"], asked["fields"]["amount"]) == ("pi_1", "3000000")
    tell("charge.refunded", charge_of(payment, payment_intent="pi_1", amount_refunded=50_000_00))
    assert available(payment) == 0
    assert Refund.objects.count() == 2
    assert all(proof.holds for proof in checks.run())


def test_a_refund_that_is_sent_again_is_one_refund(server):
    payment = paid(server)
    row = refund(payment, 20_000_00)
    Refund.objects.update(status="initiated", ended_at=None)

    assert providers.get("stripe").refund(Refund.objects.get(pk=row.pk)) == "re_1"
    assert len(server.refunds) == 1


def test_a_refund_that_is_sent_again_after_stripe_forgot_the_key_is_one_refund(server):
    payment = paid(server)
    row = refund(payment, 20_000_00)
    server.keys.clear()
    Refund.objects.update(created_at=timezone.now() - timedelta(days=2))

    assert providers.get("stripe").refund(Refund.objects.get(pk=row.pk)) == "re_1"
    assert len(server.refunds) == 1


@pytest.mark.parametrize("mode", ["refused", "failing"])
def test_a_refund_that_stripe_refuses_is_back_in_the_wallet(server, mode):
    payment = paid(server)
    server.mode = mode

    assert refund(payment, 20_000_00).status == "failed"
    assert available(payment) == 50_000_00


def test_a_refund_without_an_answer_is_neither_lost_nor_given_back(server):
    payment = paid(server)
    server.mode = "down"

    with pytest.raises(ProviderUnavailable):
        refund(payment, 20_000_00)

    assert Refund.objects.get().status == "initiated"
    assert available(payment) == 30_000_00


# --- Many at once ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_deliveries_of_one_event_credit_once(deposit):
    body = json.dumps(event("checkout.session.completed", session_of(deposit))).encode()

    answers = in_parallel(*[lambda: post(body)] * 20)

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b'{"received": true}')}
    assert available(deposit) == 50_000_00
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_events_of_one_session_credit_once(deposit):
    in_parallel(*[lambda: completed(deposit)] * 20)

    assert available(deposit) == 50_000_00
    assert JournalEntry.objects.count() == 1
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_payment_refund_and_expiry_at_once_leave_nothing_to_spend(deposit):
    in_parallel(
        lambda: completed(deposit),
        lambda: tell("charge.refunded", charge_of(deposit, amount_refunded=deposit.amount)),
        lambda: tell("checkout.session.expired", session_of(deposit, payment_intent=None)),
    )

    assert available(deposit) == 0
    assert all(proof.holds for proof in checks.run())
