"""Receipts by mail: what was paid in or out, in the person's language."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from marketplace.core import dates, jobs
from marketplace.core.money import Money
from marketplace.notifications.services import to_person
from marketplace.payments.models import Transaction

TEMPLATE = "transaction_receipt"


def queue_receipt(payment: Transaction) -> None:
    """Send it after the commit. Run it in the transaction that completes the payment."""
    jobs.enqueue("tasks.payments.send_transaction_email", transaction_id=str(payment.pk), template=TEMPLATE)


def email_receipt(*, transaction_id: UUID, template: str = TEMPLATE) -> bool:
    """Mail a completed transaction's receipt, once. Returns whether it was sent now.

    A mail server's trouble goes up to the job, which tries again; an address that takes no mail gets none.
    """
    row = (
        Transaction.objects.select_related("user", "payment_method", "destination")
        .defer("destination__card_number")
        .get(pk=transaction_id)
    )
    if (
        row.status != Transaction.Status.COMPLETED
        or row.metadata.get("receipt_sent")
        or not row.user.is_active
    ):
        return False
    with translation.override(row.user.language), timezone.override(row.user.zone):
        title, amount = str(row.title), str(Money(row.amount, row.currency))
        was_sent = to_person(
            user=row.user,
            template=template,
            subject=_("Receipt: %(title)s, %(amount)s") % {"title": title, "amount": amount},
            context={
                "name": row.user.display_name,
                "row": row,
                "title": title,
                "amount": amount,
                "method": row.payment_method.name if row.payment_method else "",
                "destination": str(row.destination) if hasattr(row, "destination") else "",
                "time": dates.day_and_time(timezone.localtime(row.processed_at)),
                "action_url": settings.SITE_URL + reverse("payments:transaction", args=[row.pk]),
            },
            message_id=f"receipt-{row.pk}",
        )
    if not was_sent:
        return False
    row.metadata["receipt_sent"] = timezone.now().isoformat()
    row.save(update_fields=["metadata"])
    return True
