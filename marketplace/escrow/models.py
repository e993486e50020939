"""The trade, its dispute, and who looked at the credentials.

    buy             pay            hand over           buyer has it          24 h, or "confirm now"
    ──▶ pending_payment ──▶ paid ──────────▶ (handed over) ──────▶ delivered ──────▶ confirmed
             │ 30 min        │ seller silent       │ buyer silent ──▶ │
             ▼               ▼                     └──── disputed ◀───┘
         cancelled        refunded

`due_at` is the deadline of the step a trade is in: one column, one index, one sweeper. What happens when it passes
follows from the status (`services.sweep`); a disputed or finished trade has none.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import TimestampedModel, UUIDModel
from marketplace.core.money import BASIS_POINTS, Currency
from marketplace.listings.models import Listing


class TradeQuerySet(models.QuerySet):
    def of(self, user: Any) -> Self:
        """Those in which this person is a party."""
        return self.filter(models.Q(buyer=user) | models.Q(seller=user))

    def holding_money(self) -> Self:
        return self.filter(status__in=EscrowTransaction.HOLDING)

    def due(self, at: Any) -> Self:
        return self.filter(due_at__lte=at)


class EscrowTransaction(UUIDModel, TimestampedModel):
    """One trade of one listing between a buyer and a seller. Amounts in minor units of `currency`."""

    class Status(models.TextChoices):
        PENDING_PAYMENT = "pending_payment", _("Waiting for payment")
        PAID = "paid", _("Paid")
        DELIVERED = "delivered", _("Delivered")
        CONFIRMED = "confirmed", _("Finished")
        DISPUTED = "disputed", _("Disputed")
        REFUNDED = "refunded", _("Refunded")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (Status.PENDING_PAYMENT, Status.PAID, Status.DELIVERED, Status.DISPUTED)
    HOLDING = (Status.PAID, Status.DELIVERED, Status.DISPUTED)

    class Ending(models.TextChoices):
        """Why a trade ended without the seller being paid."""

        NOT_PAID = "not_paid", _("not paid in time")
        CHANGED_MIND = "changed_mind", _("cancelled by the buyer")
        SELLER_SILENT = "seller_silent", _("the seller did not hand over in time")
        DECIDED = "decided", _("a moderator decided so")

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="trades")
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="purchases")
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sales")
    amount = models.BigIntegerField(_("amount"))
    currency = models.CharField(max_length=3, choices=Currency, default=Currency.UZS)
    commission_basis_points = models.PositiveIntegerField(
        help_text=_("The seller's rate on the day of purchase; 1000 = 10 %.")
    )
    commission_amount = models.BigIntegerField(_("commission"))
    seller_earnings = models.BigIntegerField(_("seller's earnings"))
    refunded_amount = models.BigIntegerField(
        default=0, help_text=_("How much of the price went back to the buyer.")
    )
    refunded_commission = models.BigIntegerField(
        default=0, help_text=_("The commission's share of that: it comes back in proportion.")
    )
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.PENDING_PAYMENT)
    due_at = models.DateTimeField(_("deadline of this step"), null=True, blank=True)
    idempotency_key = models.CharField(max_length=64)

    paid_at = models.DateTimeField(null=True, blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    buyer_confirmed_at = models.DateTimeField(null=True, blank=True)
    seller_paid_at = models.DateTimeField(null=True, blank=True)
    admin_released_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(_("refunded or cancelled"), null=True, blank=True)
    ending = models.CharField(max_length=16, choices=Ending, blank=True)

    objects = TradeQuerySet.as_manager()

    class Meta:
        verbose_name = _("trade")
        verbose_name_plural = _("trades")
        permissions = [("refund_trade", "Can give a buyer money of a trade back")]
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="trade_due"),
            models.Index(fields=["buyer", "-id"], name="trade_of_buyer"),
            models.Index(fields=["seller", "-id"], name="trade_of_seller"),
            models.Index(fields=["status", "-id"], name="trade_by_status"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="trade_amount_positive"),
            models.CheckConstraint(
                condition=models.Q(
                    commission_basis_points__lte=BASIS_POINTS,
                    commission_amount__gte=0,
                    seller_earnings__gte=0,
                )
                & models.Q(amount=models.F("commission_amount") + models.F("seller_earnings")),
                name="trade_parts_make_the_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    refunded_amount__gte=0,
                    refunded_amount__lte=models.F("amount"),
                    refunded_commission__gte=0,
                    refunded_commission__lte=models.F("commission_amount"),
                ),
                name="trade_never_refunds_more_than_paid",
            ),
            models.CheckConstraint(
                condition=~models.Q(buyer=models.F("seller")), name="trade_needs_two_people"
            ),
            models.UniqueConstraint(
                fields=["listing"],
                condition=models.Q(
                    status__in=["pending_payment", "paid", "delivered", "disputed", "confirmed"]
                ),
                name="trade_one_at_a_time",
            ),
            models.UniqueConstraint(fields=["buyer", "idempotency_key"], name="trade_key_used_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending_payment", "cancelled"], paid_at__isnull=True)
                | models.Q(
                    status__in=["paid", "delivered", "disputed", "confirmed", "refunded"],
                    paid_at__isnull=False,
                ),
                name="trade_paid_has_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(status="confirmed", seller_paid_at__isnull=False)
                | ~models.Q(status="confirmed") & models.Q(seller_paid_at__isnull=True),
                name="trade_seller_paid_once_confirmed",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["refunded", "cancelled"], ended_at__isnull=False)
                | ~models.Q(status__in=["refunded", "cancelled"]) & models.Q(ended_at__isnull=True),
                name="trade_ended_has_a_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["delivered"]) | models.Q(handed_over_at__isnull=False),
                name="trade_delivered_was_handed_over",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending_payment", "paid", "delivered"], due_at__isnull=False)
                | models.Q(
                    status__in=["disputed", "confirmed", "refunded", "cancelled"], due_at__isnull=True
                ),
                name="trade_clock_runs_while_open",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def number(self) -> str:
        """What people call this trade: the random end of its key."""
        return self.id.hex[-8:].upper()

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def is_handed_over(self) -> bool:
        return self.handed_over_at is not None

    @property
    def may_be_revealed(self) -> bool:
        """The buyer may open the credentials from the hand-over on, unless the money went back."""
        return self.is_handed_over and self.status in {
            self.Status.PAID, self.Status.DELIVERED, self.Status.CONFIRMED, self.Status.DISPUTED
        }  # fmt: skip


class TradeRefund(UUIDModel):
    """A decision of the staff to give the buyer the price back, or a part of it. Never changed, never deleted."""

    trade = models.ForeignKey(EscrowTransaction, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField(help_text=_("In minor units."))
    commission = models.BigIntegerField(help_text=_("What the shop gave up of it, in minor units."))
    reason = models.CharField(max_length=200)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    journal_entry = models.ForeignKey(
        "ledger.JournalEntry", on_delete=models.PROTECT, related_name="trade_refunds"
    )
    idempotency_key = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, commission__gte=0, commission__lte=models.F("amount")),
                name="trade_refund_amounts",
            ),
            models.UniqueConstraint(fields=["trade", "idempotency_key"], name="trade_refund_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.trade}"


class Dispute(UUIDModel):
    """One side says that something is wrong; the money stays where it is until a moderator decides."""

    class Reason(models.TextChoices):
        LOGIN_FAILS = "login_fails", _("The login does not work")
        NOT_AS_DESCRIBED = "not_as_described", _("The account is not as described")
        TAKEN_BACK = "taken_back", _("The seller took the account back")
        BUYER_ABUSE = "buyer_abuse", _("The buyer misuses the trade")
        OTHER = "other", _("Something else")

    trade = models.ForeignKey(EscrowTransaction, on_delete=models.PROTECT, related_name="disputes")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    statement = models.TextField(_("what happened"), max_length=4000)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.TextField(blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["trade"],
                condition=models.Q(resolved_at__isnull=True),
                name="dispute_one_open_per_trade",
            )
        ]

    def __str__(self) -> str:
        return f"{self.trade} {self.reason}"


class CredentialReveal(UUIDModel):
    """Somebody was shown the credentials. Kept for ever, and shown to both sides."""

    trade = models.ForeignKey(EscrowTransaction, on_delete=models.PROTECT, related_name="reveals")
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    revealed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("reveal of credentials")
        verbose_name_plural = _("reveals of credentials")
        ordering = ["-id"]
