import os
import secrets
import subprocess
import sys
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import http
from marketplace.core.models import Job
from marketplace.core.testing import run_jobs
from marketplace.ledger.selectors import balances
from marketplace.payments import services
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.models import SandboxPayment, Transaction, WebhookEvent
from marketplace.payments.tests.factories import PaymentMethodFactory
from marketplace.payments.tests.wire import through_test_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def wire(monkeypatch):
    return through_test_client(monkeypatch)


@pytest.fixture
def payment():
    PaymentMethodFactory()
    return services.start_payment(
        user=UserFactory(),
        amount=150_000_00,
        method_code="sandbox",
        idempotency_key="k",
        return_url="http://testserver/wallet/",
    )


def open_page(client, payment):
    page = client.get(payment.payment_url)
    assert page.status_code == 200
    return SandboxPayment.objects.get(order=payment.pk)


def press(client, payment, action):
    at_gateway = open_page(client, payment)
    return client.post(reverse("payments:sandbox-press", args=[at_gateway.pk, action]))


def test_paying_sends_the_payer_back_and_the_webhook_credits(client, payment, wire):
    answer = press(client, payment, "pay")

    assert answer.url == "http://testserver/wallet/"
    assert balances(payment.user).available == 0, "the return credits nothing"
    run_jobs()
    assert balances(payment.user).available == 150_000_00
    assert wire == [("POST", "/api/v1/payments/webhooks/sandbox/", 200)]


def test_declining_fails_the_payment(client, payment, wire):
    press(client, payment, "decline")
    run_jobs()

    payment.refresh_from_db()
    assert payment.status == Transaction.Status.FAILED
    assert balances(payment.user).available == 0


def test_paying_slowly_waits_with_the_webhook(client, payment, wire):
    press(client, payment, "slow")

    assert run_jobs() == []
    Job.objects.update(run_at=timezone.now() - timedelta(seconds=1))
    run_jobs()
    assert balances(payment.user).available == 150_000_00


def test_delivering_twice_credits_once(client, payment, wire):
    press(client, payment, "twice")
    run_jobs()

    assert len(wire) == 2
    assert balances(payment.user).available == 150_000_00
    assert WebhookEvent.objects.get().deliveries == 2


def test_a_forged_webhook_is_not_believed_and_the_payment_can_still_be_paid(client, payment, wire):
    press(client, payment, "forged")
    run_jobs()
    assert wire[-1][2] == 401
    assert balances(payment.user).available == 0

    press(client, payment, "pay")
    run_jobs()
    assert balances(payment.user).available == 150_000_00


def test_pressing_again_does_not_pay_again(client, payment, wire):
    press(client, payment, "pay")
    press(client, payment, "decline")
    run_jobs()

    assert len(wire) == 1
    assert balances(payment.user).available == 150_000_00


def test_an_address_with_another_amount_is_not_served(client, payment):
    assert client.get(payment.payment_url.replace("amount=15000000", "amount=1")).status_code == 404
    assert client.get("/sandbox/").status_code == 404
    assert client.get("/sandbox/?sign=é").status_code == 404
    assert not SandboxPayment.objects.exists()


def test_unknown_buttons_and_payments_are_not_found(client, payment):
    at_gateway = open_page(client, payment)

    assert client.post(f"/sandbox/{at_gateway.pk}/steal/").status_code == 404
    assert client.post(f"/sandbox/{payment.pk}/pay/").status_code == 404
    assert client.get(f"/sandbox/{at_gateway.pk}/pay/").status_code == 405


def test_the_gateway_does_not_send_payers_to_other_sites(client, payment, wire):
    at_gateway = open_page(client, payment)
    SandboxPayment.objects.update(return_url="https://evil.example/")

    answer = client.post(reverse("payments:sandbox-press", args=[at_gateway.pk, "pay"]))

    assert answer.status_code == 200


def test_a_shop_that_is_down_is_told_again(client, payment, monkeypatch):
    monkeypatch.setattr(http, "send", lambda *_args, **_kwargs: http.Reply(503, b""))
    press(client, payment, "pay")
    run_jobs()
    assert Job.objects.get(task="tasks.payments.deliver_sandbox").status == Job.Status.PENDING

    through_test_client(monkeypatch)
    Job.objects.update(run_at=timezone.now())
    run_jobs()
    assert balances(payment.user).available == 150_000_00


def test_asking_the_gateway_settles_what_no_webhook_told(client, payment, wire):
    press(client, payment, "pay")
    Job.objects.all().delete()  # the webhook is lost for good

    closed = services.sweep_pending(at=timezone.now() + timedelta(minutes=10))

    assert closed == 1
    assert wire[-1][::2] == ("GET", 200)
    assert balances(payment.user).available == 150_000_00


def test_a_payment_that_nobody_paid_is_given_up_after_a_day(payment, wire):
    services.sweep_pending(at=timezone.now() + timedelta(minutes=10))
    payment.refresh_from_db()
    assert payment.is_open

    services.sweep_pending(at=timezone.now() + timedelta(hours=25))
    payment.refresh_from_db()
    assert payment.status == Transaction.Status.CANCELLED


def test_a_gateway_that_is_down_leaves_the_payment_open(payment, monkeypatch):
    def nobody(*_args, **_kwargs):
        raise http.NoAnswer("refused")

    monkeypatch.setattr(http, "send", nobody)

    with pytest.raises(ProviderUnavailable):
        services.verify(transaction_id=payment.pk)
    services.sweep_pending(at=timezone.now() + timedelta(hours=25))

    payment.refresh_from_db()
    assert payment.is_open


def test_the_status_is_told_to_signed_questions_only(client, payment):
    open_page(client, payment)

    assert client.get(reverse("payments:sandbox-status", args=[payment.pk])).status_code == 401


def test_http_refuses_what_is_not_http():
    with pytest.raises(http.NoAnswer):
        http.send("GET", "file:///etc/passwd")


def test_production_has_no_sandbox_page(tmp_path):
    """The addresses are made when the settings are read, so this needs a process of its own."""
    code = (
        "import django; django.setup();"
        "from django.conf import settings; from marketplace.payments import urls;"
        "print(settings.SETTINGS_MODULE, [p.name for p in urls.urlpatterns])"
    )
    env = {
        "DJANGO_SETTINGS_MODULE": "project.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FERNET_KEY": Fernet.generate_key().decode(),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "ALLOWED_HOSTS": "shop.example",
        "EMAIL_HOST": "mail.example",
        "LOG_DIR": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )

    assert "project.settings.production" in done.stdout, done.stderr
    assert "'webhook'" in done.stdout
    assert "sandbox" not in done.stdout


def test_no_answer_leads_a_call_of_ours_elsewhere():
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()

        def log_message(self, *_args):
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        reply = http.send("GET", f"http://127.0.0.1:{server.server_port}/")

    assert reply.status == 302
