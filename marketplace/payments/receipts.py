"""What a receipt says: who paid whom for what, and what became of it. The page and the PDF say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from marketplace.core.money import Minor
from marketplace.ledger.models import Posting
from marketplace.payments.models import Refund, Transaction

Type = Transaction.Type
HOUSE = "WibeStore"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One line of a person's history in full. Amounts in minor units of the line's currency."""

    row: Transaction
    payer: str
    payee: str
    price: Minor | None
    fee: Minor
    refunds: list[Refund]

    @property
    def debt(self) -> Minor:
        """What is still owed of what was taken back."""
        return sum(one.owed.outstanding for one in self.refunds if hasattr(one, "owed"))


def receipt_of(user: Any, row: Transaction) -> Receipt:
    """The receipt of a person's own line (see `selectors.transactions_of`). Two queries at most."""
    payer, payee = _parties(user, row)
    price, fee = row.metadata.get("price"), row.metadata.get("commission")
    return Receipt(
        row=row,
        payer=payer,
        payee=payee,
        price=price if type(price) is int else None,
        fee=fee if type(fee) is int else 0,
        refunds=_refunds(row),
    )


def _refunds(row: Transaction) -> list[Refund]:
    if row.type != Type.DEPOSIT or row.status != Transaction.Status.COMPLETED:
        return []
    return list(Refund.objects.filter(payment=row).select_related("owed").order_by("pk"))


def _parties(user: Any, row: Transaction) -> tuple[str, str]:
    """Who paid and who got it, in words."""
    name = str(user.display_name)
    wallet = _("%(name)s, wallet") % {"name": name}
    method = row.payment_method.name if row.payment_method else ""
    escrow = _("Escrow of %(house)s") % {"house": HOUSE}
    match row.type:
        case Type.DEPOSIT:
            return f"{name}, {method}" if method else name, wallet
        case Type.WITHDRAWAL:
            where = str(row.destination) if hasattr(row, "destination") else ""
            return wallet, f"{name}, {where}" if where else name
        case Type.SALE:
            return _buyer(user, row) or escrow, wallet
        case Type.PURCHASE:
            return wallet, _seller(row) or escrow
        case Type.REFUND:
            return escrow if row.description else HOUSE, wallet
        case Type.CHARGEBACK:
            return wallet, f"{name}, {row.description}" if row.description else name
        case _:
            return wallet, HOUSE


def _buyer(user: Any, row: Transaction) -> str:
    """Whose held money the sale's entry paid out."""
    other = (
        Posting.objects.filter(entry=row.journal_entry_id, account__owner__isnull=False)
        .exclude(account__owner_id=user.pk)
        .select_related("account__owner")
        .first()
    )
    return str(other.account.owner.display_name) if other and other.account.owner else ""


def _seller(row: Transaction) -> str:
    """Who was paid for the same trade; nobody yet while it runs."""
    if row.reference is None:
        return ""
    sale = Transaction.objects.filter(type=Type.SALE, reference=row.reference).select_related("user").first()
    return str(sale.user.display_name) if sale else ""
