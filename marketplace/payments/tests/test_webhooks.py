import json
from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.testing import run_jobs
from marketplace.ledger.models import JournalEntry
from marketplace.ledger.selectors import balances
from marketplace.notifications.models import Notification
from marketplace.payments import sandbox, services
from marketplace.payments.models import Transaction, WebhookEvent
from marketplace.payments.services import webhooks
from marketplace.payments.tests.factories import DepositFactory
from marketplace.payments.tests.wire import WEBHOOK, deliver, payload

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment():
    return DepositFactory(amount=150_000_00)


def available(payment):
    return balances(payment.user).available


def test_a_signed_webhook_credits_the_wallet_and_is_kept(payment):
    answer = deliver(payload(payment))

    event = WebhookEvent.objects.get()
    assert answer.status_code == 200
    assert available(payment) == 150_000_00
    assert (event.status, event.signature_ok, event.answer_status) == ("processed", True, 200)
    assert json.loads(bytes(event.body))["payment"]["order"] == str(payment.pk)
    assert not Notification.objects.exists(), "the provider does not wait for that"
    run_jobs()
    assert Notification.objects.get(user=payment.user).data["kind"] == "deposit_completed"


def test_a_repeated_event_gets_the_same_answer_and_moves_no_money(payment):
    event = payload(payment)

    first, second = deliver(event), deliver(event)

    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert available(payment) == 150_000_00
    assert WebhookEvent.objects.get().deliveries == 2


def test_another_event_for_the_same_payment_credits_nothing_more(payment):
    deliver(payload(payment))
    deliver(payload(payment))

    assert available(payment) == 150_000_00
    assert JournalEntry.objects.count() == 1
    assert WebhookEvent.objects.count() == 2


def test_a_declined_payment_fails_and_the_person_is_told(payment):
    deliver(payload(payment, state="declined"))

    payment.refresh_from_db()
    assert payment.status == Transaction.Status.FAILED
    assert available(payment) == 0
    assert Notification.objects.get(user=payment.user).data["kind"] == "deposit_failed"


@pytest.mark.parametrize("tamper", ["body", "signature", "secret", "none", "letters"])
def test_a_wrong_signature_is_refused_and_only_a_little_of_it_is_kept(payment, tamper, settings):
    body = json.dumps({**payload(payment), "padding": "x" * 5000}).encode()
    headers = sandbox.signed_headers(body, at=timezone.now())
    if tamper == "body":
        body = body.replace(b"15000000", b"95000000")
    elif tamper == "signature":
        headers[sandbox.SIGNATURE_HEADER] = "0" * 64
    elif tamper == "secret":
        stamp = int(headers[sandbox.TIMESTAMP_HEADER])
        headers[sandbox.SIGNATURE_HEADER] = sandbox.signature(body, timestamp=stamp, secret="guess")
    elif tamper == "none":
        headers = {}
    else:
        headers[sandbox.TIMESTAMP_HEADER] = "soon"

    answer = deliver(body, headers=headers)

    event = WebhookEvent.objects.get()
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "bad_signature"
    assert available(payment) == 0
    assert (event.status, event.signature_ok, event.event_id) == ("failed", False, "")
    assert len(event.body) == webhooks.KEPT_UNSIGNED_BYTES


@pytest.mark.parametrize("age", [timedelta(minutes=6), -timedelta(minutes=6)])
def test_a_signature_that_is_too_old_or_from_the_future_is_refused(payment, age):
    answer = deliver(payload(payment), at=timezone.now() - age)

    assert answer.status_code == 401
    assert available(payment) == 0


def test_a_stranger_cannot_use_up_the_id_of_a_real_event(payment):
    event = payload(payment)

    deliver(event, headers={})
    answer = deliver(event)

    assert answer.status_code == 200
    assert available(payment) == 150_000_00


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amount": 150_000_01}, "wrong_amount"),
        ({"currency": "USD"}, "wrong_amount"),
        ({"order": "019a0000-0000-7000-8000-000000000000"}, "unknown_payment"),
    ],
)
def test_a_payment_that_differs_from_ours_is_kept_for_a_person_and_not_credited(payment, changed, code):
    event = payload(payment, **changed)

    first, again = deliver(event), deliver(event)

    payment.refresh_from_db()
    row = WebhookEvent.objects.get()
    assert first.status_code == again.status_code
    assert first.json()["error"]["code"] == again.json()["error"]["code"] == code
    assert available(payment) == 0
    assert payment.status == Transaction.Status.PENDING
    assert row.status == "failed"
    assert code in row.error


@pytest.mark.parametrize("amount", [0, -150_000_00, 1.5, "15000000", True, None, 10**30, [1]])
def test_an_amount_that_is_none_credits_nothing_and_is_no_server_error(payment, amount):
    answer = deliver(payload(payment, amount=amount))

    assert answer.status_code in {400, 409}
    assert available(payment) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 30_000, b"1" * 6000, b"{}", b'{"id": "e"}', b"NaN",
        b'{"id": "e\\u0000", "payment": {}}', b'{"id": "e", "payment": {"amount": 1e400}}',
    ],
)  # fmt: skip
def test_garbage_with_a_right_signature_is_answered_clearly_and_kept(body):
    answer = deliver(body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_payload"
    assert WebhookEvent.objects.get().status == "failed"


def test_a_payment_paid_after_it_was_given_up_waits_for_a_person(payment):
    services.cancel(transaction_id=payment.pk)

    answer = deliver(payload(payment))

    assert answer.status_code == 409
    assert available(payment) == 0
    assert WebhookEvent.objects.get().status == "failed"


def test_one_provider_id_cannot_pay_for_two_payments(payment):
    other = DepositFactory(amount=150_000_00)
    deliver(payload(payment, id="sb_same"))

    answer = deliver(payload(other, id="sb_same"))

    assert answer.status_code == 409
    assert available(other) == 0


def test_an_oversize_body_is_refused_before_it_is_stored(client):
    answer = client.post(WEBHOOK, data=b"x" * (64 * 1024 + 1), content_type="application/json")

    assert answer.status_code == 413
    assert not WebhookEvent.objects.exists()


def test_an_unknown_provider_is_not_found(client):
    answer = client.post("/api/v1/payments/webhooks/nobody/", data=b"{}", content_type="application/json")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_provider"


def test_the_endpoint_takes_posts_only_and_whatever_content_type_is_accepted(client, payment):
    assert client.get(WEBHOOK).status_code == 405
    body = json.dumps(payload(payment)).encode()
    headers = {**sandbox.signed_headers(body, at=timezone.now()), "accept": "text/xml"}

    answer = client.post(WEBHOOK, data=body, content_type="text/plain", headers=headers)

    assert answer.status_code == 200


def test_a_crash_after_storing_loses_nothing(payment, monkeypatch, client):
    broken = pytest.MonkeyPatch()
    broken.setattr(webhooks, "act", lambda *_args, **_kwargs: 1 / 0)
    client.raise_request_exception = False

    answer = deliver(payload(payment), client=client)
    broken.undo()
    event = WebhookEvent.objects.get()
    assert answer.status_code == 500
    assert (event.status, event.attempts) == ("received", 1)

    # An hour later the signature would be too old, were it not counted as of the arrival.
    services.sweep_webhooks(at=timezone.now() + timedelta(hours=1))

    event.refresh_from_db()
    assert event.status == "processed"
    assert available(payment) == 150_000_00


def test_what_fails_again_and_again_is_given_up_and_kept(payment, monkeypatch):
    monkeypatch.setattr(webhooks, "act", lambda *_args, **_kwargs: 1 / 0)
    body = json.dumps(payload(payment)).encode()
    event = WebhookEvent.objects.create(
        provider="sandbox", body=body, headers=sandbox.signed_headers(body, at=timezone.now())
    )

    for _try in range(webhooks.MOST_ATTEMPTS + 1):
        services.sweep_webhooks(at=timezone.now() + timedelta(hours=1))

    event.refresh_from_db()
    assert event.status == "failed"
    assert "ZeroDivisionError" in event.error


def test_unsigned_rows_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(webhooks, "KEPT_UNSIGNED_ROWS", 3)
    for number in range(6):
        deliver(b"junk %d" % number, headers={})

    services.sweep_webhooks(at=timezone.now())

    assert sorted(bytes(e.body) for e in WebhookEvent.objects.all()) == [b"junk 3", b"junk 4", b"junk 5"]


def test_headers_are_kept_without_cookies_and_credentials(payment):
    deliver(
        b"{}", headers={"Authorization": "Bearer s3cret", "Cookie": "sessionid=1", "User-Agent": "x" * 900}
    )

    kept = WebhookEvent.objects.get().headers
    assert set(kept) <= {"Content-Type", "User-Agent", sandbox.TIMESTAMP_HEADER, sandbox.SIGNATURE_HEADER}
    assert len(kept["User-Agent"]) == 300


def test_a_purpose_that_refuses_leaves_the_money_in_the_wallet(monkeypatch):
    from marketplace.core.errors import DomainError
    from marketplace.payments import purposes

    def refuse(_transaction):
        raise DomainError("sold meanwhile")

    monkeypatch.setitem(purposes._purposes, "test", purposes.Purpose(settle=refuse, lock=lambda _t: None))
    payment = DepositFactory(purpose="test", user=UserFactory(), amount=50_000_00)

    answer = deliver(payload(payment))

    assert answer.status_code == 200
    assert available(payment) == 50_000_00
