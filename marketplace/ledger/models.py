"""Double entry: accounts, entries and their postings.

What must always hold is kept by the database itself, on PostgreSQL and SQLite both (migration `0002_laws` and
docs/decisions/0001-ledger-laws.md): entries and postings are append-only, an entry sums to zero at the commit, a
posting's account has its entry's currency, and a user's cached balance follows the postings and never falls below zero.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import UUIDModel
from marketplace.core.money import MAX_MINOR, Currency


class Account(UUIDModel):
    """Where money is. A user has AVAILABLE and HELD accounts; all others belong to the house.

    Only user accounts carry a `balance`, which a trigger keeps. A house account's balance is the sum of its postings,
    so that no trade waits for another on one hot row.
    """

    class Kind(models.TextChoices):
        AVAILABLE = "available", _("available")
        HELD = "held", _("held in escrow")
        COMMISSION = "commission", _("commission")
        CLEARING = "clearing", _("clearing with a payment provider")
        PAYOUTS = "payouts", _("payouts on their way")
        REFUNDS = "refunds", _("refunds on their way")
        SUBSCRIPTION = "subscription", _("sold plans")
        DEBTS = "debts", _("what people owe")

    USER_KINDS = (Kind.AVAILABLE, Kind.HELD)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="ledger_accounts",
    )
    kind = models.CharField(max_length=12, choices=Kind)
    code = models.CharField(max_length=32, blank=True, help_text=_("The provider of a clearing account."))
    currency = models.CharField(max_length=3, choices=Currency)
    balance = models.BigIntegerField(
        null=True,
        blank=True,
        help_text=_("In minor units; kept by a trigger. Null for the house: there it is a sum."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "currency"],
                condition=Q(owner__isnull=False),
                name="ledger_account_of_user",
            ),
            models.UniqueConstraint(
                fields=["kind", "code", "currency"],
                condition=Q(owner__isnull=True),
                name="ledger_account_of_house",
            ),
            models.CheckConstraint(
                condition=Q(owner__isnull=False, kind__in=["available", "held"], balance__isnull=False)
                | (Q(owner__isnull=True, balance__isnull=True) & ~Q(kind__in=["available", "held"])),
                name="ledger_account_kind_fits_owner",
            ),
            models.CheckConstraint(
                condition=Q(balance__isnull=True) | Q(balance__gte=0),
                name="ledger_no_user_account_below_zero",
            ),
            models.CheckConstraint(
                condition=Q(kind="clearing") & ~Q(code="") | ~Q(kind="clearing") & Q(code=""),
                name="ledger_clearing_has_code",
            ),
            models.CheckConstraint(
                condition=Q(currency__in=["UZS", "KZT", "USD"]), name="ledger_account_currency"
            ),
        ]

    def __str__(self) -> str:
        whose = self.owner_id or self.code or "house"
        return f"{self.kind} {self.currency} of {whose}"


class JournalEntry(UUIDModel):
    """One movement of money. Never changed, never deleted: a mistake is mended by another entry."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", _("Top-up")
        HOLD = "hold", _("Held in escrow")
        RELEASE = "release", _("Released to the seller")
        REFUND = "refund", _("Refund to the buyer")
        WITHDRAWAL = "withdrawal", _("Payout requested")
        PAYOUT = "payout", _("Payout sent")
        PAYOUT_RETURN = "payout_return", _("Payout returned")
        SUBSCRIPTION = "subscription", _("Plan")
        DEPOSIT_REFUND = "deposit_refund", _("Refund to the payer's method")
        REFUND_RETURN = "refund_return", _("Refund returned")
        CHARGEBACK = "chargeback", _("Taken back by the provider")
        DEBT_REPAYMENT = "debt_repayment", _("Debt repaid")
        ADJUSTMENT = "adjustment", _("Correction")

    kind = models.CharField(max_length=20, choices=Kind)
    key = models.CharField(max_length=200, unique=True, help_text=_("The same key moves money once."))
    currency = models.CharField(max_length=3, choices=Currency)
    memo = models.CharField(max_length=200, blank=True)
    reference = models.UUIDField(null=True, blank=True, help_text=_("What it was for: a trade, a payment."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = _("journal entries")
        constraints = [
            models.CheckConstraint(
                condition=Q(currency__in=["UZS", "KZT", "USD"]), name="ledger_entry_currency"
            ),
            models.CheckConstraint(condition=~Q(key=""), name="ledger_entry_has_key"),
        ]
        indexes = [
            models.Index(
                fields=["reference"], condition=Q(reference__isnull=False), name="ledger_entry_reference"
            ),
            models.Index(fields=["-created_at"], name="ledger_entry_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Posting(UUIDModel):
    """One leg of an entry: what came to an account (positive) or left it (negative)."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings")
    amount = models.BigIntegerField(help_text=_("In minor units."))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "account"], name="ledger_posting_one_leg_per_account"),
            models.CheckConstraint(
                condition=~Q(amount=0) & Q(amount__gte=-MAX_MINOR, amount__lte=MAX_MINOR),
                name="ledger_posting_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+} on {self.account_id}"


class Audit(models.Model):
    """One look at the whole books: every proof, run on one snapshot of the database. Written once, never changed.

    The key is a plain number, which people read as "audit no. 1204".
    """

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    is_green = models.BooleanField(help_text=_("Whether every proof holds."))
    entries = models.PositiveBigIntegerField(help_text=_("How many entries there were."))
    postings = models.PositiveBigIntegerField(help_text=_("How many postings there were."))
    proofs = models.JSONField(
        help_text=_("Per proof: rule, counted, offending (the first rows, for staff only), ms.")
    )
    trial_balance = models.JSONField(
        help_text=_("Per currency: currency, accounts (kind and total, in minor units), total.")
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["started_at"], condition=Q(is_green=True), name="ledger_audit_green_by_time")
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {'green' if self.is_green else 'red'}"

    @property
    def broken(self) -> list[str]:
        """The rules that do not hold, by the names of their proofs."""
        return [proof["rule"] for proof in self.proofs if proof["offending"]]
