import pytest

from marketplace.accounts.tests.factories import StaffFactory
from marketplace.core.testing import run_jobs
from marketplace.ledger.tests.factories import fund
from marketplace.notifications import mail
from marketplace.notifications.models import Notification
from marketplace.payments import services
from marketplace.payments.providers.base import Settle
from marketplace.payments.tests.factories import DepositFactory

pytestmark = pytest.mark.django_db


def dead_server(**_mail):
    raise OSError("connection refused")


def paid(**facts):
    payment = DepositFactory(amount=150_000_00, **facts)
    services.act(Settle(payment.pk, "sb-1", payment.amount), "sandbox")
    payment.refresh_from_db()
    return payment


def test_a_deposit_is_receipted_by_mail_in_the_persons_language(mailoutbox):
    payment = paid(user__language="ru")

    run_jobs()

    mail = mailoutbox[0]
    assert len(mailoutbox) == 1, "the receipt is the mail, no second one repeats it"
    assert mail.to == [payment.user.email]
    assert "150 000" in mail.subject
    assert "Здравствуйте" in mail.body
    assert payment.number in mail.body
    assert payment.number in mail.alternatives[0].content


def test_a_receipt_is_sent_once(mailoutbox):
    payment = paid()
    run_jobs()

    assert services.email_receipt(transaction_id=payment.pk) is False
    assert len(mailoutbox) == 1


def test_the_payer_is_told_once_in_the_app_and_by_mail_however_often_the_job_runs(mailoutbox):
    payment = paid()

    for _time in range(3):
        services.tell_settled(transaction_id=payment.pk)

    assert Notification.objects.filter(user=payment.user).count() == 1
    assert len(mailoutbox) == 1


def test_a_dead_mail_server_does_not_repeat_what_the_app_has_told(monkeypatch, mailoutbox):
    payment = paid()
    monkeypatch.setattr(mail, "send", dead_server)
    with pytest.raises(OSError, match="refused"):
        services.tell_settled(transaction_id=payment.pk)
    monkeypatch.undo()

    services.tell_settled(transaction_id=payment.pk)

    assert Notification.objects.filter(user=payment.user).count() == 1
    assert len(mailoutbox) == 1


def test_nobody_is_told_of_a_payment_that_was_not_made(mailoutbox):
    payment = DepositFactory()

    services.tell_settled(transaction_id=payment.pk)

    assert not Notification.objects.exists()
    assert mailoutbox == []


def test_a_payout_that_was_sent_is_receipted_with_the_masked_card(mailoutbox):
    payment = paid()
    fund(payment.user, 1_000_000_00)
    payout = services.withdraw(
        user=payment.user, amount=100_000_00, card_number="8600000000000007", idempotency_key="w"
    )
    run_jobs()
    mailoutbox.clear()
    staff = StaffFactory()
    services.approve_withdrawal(transaction_id=payout.pk, actor=staff)
    services.complete_withdrawal(transaction_id=payout.pk, actor=staff)

    run_jobs()

    assert "0007" in mailoutbox[0].body
    assert "8600000000000007" not in mailoutbox[0].body


def test_what_is_not_completed_has_no_receipt(mailoutbox):
    assert services.email_receipt(transaction_id=DepositFactory().pk) is False
    assert mailoutbox == []
