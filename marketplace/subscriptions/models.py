"""Plans, and who has which.

    buy           renewal fails          three days          expired: the person is on Free again
    ──▶ active ────────────────▶ grace ─────────────▶ expired
        │  ▲ └── renewed ◀─────────┘                     ▲
        ▼  │ resume                                      │ the paid time is over
      cancelled ─────────────────────────────────────────┘

A purchase through a provider begins as `pending`, and becomes active when its money has arrived. `due_at` is when the clock
next acts on a subscription (`services.sweep`); `ends_at` is the end of the time that is paid for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.core.models import TimestampedModel, UUIDModel
from marketplace.core.money import BASIS_POINTS, MAX_MINOR, Currency, Minor
from marketplace.subscriptions import benefits

MAX_FEATURES, MAX_FEATURE_LENGTH = 20, 120


class Period(models.TextChoices):
    MONTHLY = "monthly", _("Monthly")
    YEARLY = "yearly", _("Yearly")

    @property
    def length(self) -> timedelta:
        """Thirty days or 365: the same for everybody, whatever the month."""
        return timedelta(days=365 if self == Period.YEARLY else 30)


class SubscriptionPlan(UUIDModel, TimestampedModel):
    """Free, Premium or Pro. The slug says which (it is what `User.plan` holds); prices in minor units of UZS."""

    Slug = User.Plan
    LEVELS = (User.Plan.FREE, User.Plan.PREMIUM, User.Plan.PRO)
    CURRENCY = Currency.UZS

    name = models.CharField(_("name"), max_length=40)
    slug = models.CharField(_("plan"), max_length=8, choices=User.Plan, unique=True)
    price_monthly = models.BigIntegerField(_("price for a month"), help_text=_("In minor units."))
    price_yearly = models.BigIntegerField(_("price for a year"), help_text=_("In minor units."))
    commission_basis_points = models.PositiveIntegerField(
        _("fee of a sale"), help_text=_("In basis points: 1000 = 10 %.")
    )
    features = models.JSONField(
        _("benefits"),
        default=list,
        blank=True,
        help_text=_(
            'A list: ["escrow", "badge"]. Known codes are shown translated, other texts as they stand.'
        ),
    )
    sort_order = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("can be bought"), default=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["sort_order", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(slug="free", price_monthly=0, price_yearly=0)
                | ~Q(slug="free") & Q(price_monthly__gt=0, price_yearly__gt=0),
                name="plan_free_costs_nothing",
            ),
            models.CheckConstraint(
                condition=Q(price_monthly__lte=MAX_MINOR, price_yearly__lte=MAX_MINOR),
                name="plan_price_limit",
            ),
            models.CheckConstraint(
                condition=Q(commission_basis_points__lte=BASIS_POINTS), name="plan_commission_is_a_share"
            ),
            models.CheckConstraint(condition=Q(slug__in=["free", "premium", "pro"]), name="plan_slug_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        features: Any = self.features
        if not isinstance(features, list) or not all(isinstance(one, str) for one in features):
            raise ValidationError({"features": _('Write a list of texts: ["escrow", "badge"].')})
        if len(features) > MAX_FEATURES or any(len(one) > MAX_FEATURE_LENGTH for one in features):
            raise ValidationError({"features": _("At most 20 benefits of 120 characters.")})
        if self.is_free and not self.is_active:
            raise ValidationError({"is_active": _("Free is what everybody has: it cannot be switched off.")})
        # The slug is in no form, so nobody asks the constraints that name it.
        for name in ("price_monthly", "price_yearly"):
            price = getattr(self, name)
            if price is None:
                continue
            if self.is_free and price:
                raise ValidationError({name: _("Free costs nothing.")})
            if not self.is_free and not 0 < price <= MAX_MINOR:
                raise ValidationError({name: _("Write a price in minor units, above zero.")})

    @property
    def level(self) -> int:
        """0 for Free; more is better."""
        return self.LEVELS.index(User.Plan(self.slug))

    @property
    def is_free(self) -> bool:
        return self.slug == User.Plan.FREE

    @property
    def is_premium(self) -> bool:
        """Whether it brings what Premium brings. Pro does."""
        return not self.is_free

    @property
    def is_pro(self) -> bool:
        return self.slug == User.Plan.PRO

    @property
    def percent(self) -> str:
        """The fee as people read it: "8", "7.5"."""
        return f"{self.commission_basis_points / 100:g}"

    @property
    def kept_percent(self) -> str:
        """What of a sale stays with the seller: "92"."""
        return f"{(BASIS_POINTS - self.commission_basis_points) / 100:g}"

    @property
    def benefits(self) -> list[str]:
        """What it brings, in the reader's language."""
        return benefits.worded(self.features)

    def price(self, period: str) -> Minor:
        """In minor units of UZS."""
        return self.price_yearly if period == Period.YEARLY else self.price_monthly

    @property
    def price_of_a_month(self) -> Minor:
        """What a month costs when it is paid by the year, rounded to whole soʻm."""
        return round(self.price_yearly / 1200) * 100

    @property
    def discount(self) -> int:
        """Whole per cent that a year saves against twelve months."""
        months = 12 * self.price_monthly
        return max(0, (months - self.price_yearly) * 100 // months) if months else 0


class SubscriptionQuerySet(models.QuerySet):
    def current(self) -> Self:
        """Those whose benefits hold: at most one a person."""
        return self.filter(status__in=UserSubscription.CURRENT)

    def of(self, user: Any) -> Self:
        return self.filter(user=user)

    def due(self, at: datetime) -> Self:
        return self.current().filter(due_at__lte=at)

    def to_remind(self, at: datetime) -> Self:
        """Paid time that ends within the next days, and nobody has been told."""
        return self.filter(
            status__in=[UserSubscription.Status.ACTIVE, UserSubscription.Status.CANCELLED],
            reminded_at__isnull=True,
            ends_at__gt=at,
            ends_at__lte=at + settings.SUBSCRIPTION_REMINDER,
        )


class UserSubscription(UUIDModel, TimestampedModel):
    """A plan that somebody has bought, over all periods it was renewed for. Amounts in minor units of UZS.

    `price` is what the running period is worth, `paid` what was taken for it: less when a former plan's unused days counted.
    `next_plan` and `next_period` are what the next renewal buys instead. What was paid over time stands in the person's
    transactions, and nowhere else.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting for payment")
        ACTIVE = "active", _("Active")
        GRACE = "grace", _("Payment is late")
        CANCELLED = "cancelled", _("Cancelled, runs to its end")
        EXPIRED = "expired", _("Ended")

    CURRENT = (Status.ACTIVE, Status.GRACE, Status.CANCELLED)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(SubscriptionPlan, on_delete=models.PROTECT, related_name="subscriptions")
    period = models.CharField(_("period"), max_length=8, choices=Period)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.PENDING)
    starts_at = models.DateTimeField(_("begins"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text=_("When the clock next acts on it."))
    auto_renew = models.BooleanField(_("renews by itself"), default=True)
    next_plan = models.ForeignKey(
        SubscriptionPlan, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    next_period = models.CharField(max_length=8, choices=Period, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancel_reason = models.CharField(_("reason"), max_length=300, blank=True)
    ended_at = models.DateTimeField(_("over since"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    price = models.BigIntegerField(_("value of the period"), help_text=_("In minor units."))
    paid = models.BigIntegerField(_("taken for it"), help_text=_("In minor units."))
    journal_entry = models.ForeignKey(
        "ledger.JournalEntry", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    idempotency_key = models.CharField(max_length=100)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status__in=["active", "grace", "cancelled"]),
                name="subscription_one_current",
            ),
            models.UniqueConstraint(
                fields=["user", "idempotency_key"], name="subscription_key_once_per_user"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "grace", "cancelled"])
                | Q(
                    starts_at__isnull=False,
                    ends_at__isnull=False,
                    ends_at__gt=models.F("starts_at"),
                    due_at__isnull=False,
                    ended_at__isnull=True,
                ),
                name="subscription_current_has_times",
            ),
            models.CheckConstraint(
                condition=~Q(status="expired") | Q(ended_at__isnull=False, due_at__isnull=True),
                name="subscription_over_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="cancelled") | Q(cancelled_at__isnull=False, auto_renew=False),
                name="subscription_cancelled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(price__gt=0, paid__gte=0, paid__lte=models.F("price"), price__lte=MAX_MINOR),
                name="subscription_amounts",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "grace", "cancelled"])
                | Q(paid=0)
                | Q(journal_entry__isnull=False),
                name="subscription_paid_has_entry",
            ),
            models.CheckConstraint(
                condition=Q(next_plan__isnull=True, next_period="")
                | Q(next_plan__isnull=False, next_period__in=["monthly", "yearly"]),
                name="subscription_next_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "active", "grace", "cancelled", "expired"]),
                name="subscription_status_known",
            ),
            models.CheckConstraint(
                condition=Q(period__in=["monthly", "yearly"]), name="subscription_period_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(status__in=["active", "grace", "cancelled"]),
                name="subscription_due",
            ),
            models.Index(
                fields=["ends_at"],
                condition=Q(status__in=["active", "cancelled"], reminded_at__isnull=True),
                name="subscription_to_remind",
            ),
            models.Index(fields=["created_at"], condition=Q(status="pending"), name="subscription_waiting"),
            models.Index(fields=["user", "-id"], name="subscription_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} of {self.user_id}, {self.status}"

    @property
    def is_current(self) -> bool:
        return self.status in self.CURRENT

    @property
    def in_grace(self) -> bool:
        return self.status == self.Status.GRACE

    @property
    def will_renew(self) -> bool:
        """Whether it goes on after `ends_at`, if the money is there."""
        return self.is_current and self.auto_renew

    @property
    def grace_ends_at(self) -> datetime | None:
        """Until when the benefits hold although the renewal is not paid."""
        return self.ends_at + settings.SUBSCRIPTION_GRACE if self.ends_at else None

    @property
    def renewal_plan(self) -> SubscriptionPlan:
        """What the next renewal buys. Needs `plan` and `next_plan` loaded."""
        return self.next_plan or self.plan

    @property
    def renewal_period(self) -> str:
        return self.next_period or self.period

    @property
    def renewal_price(self) -> Minor:
        """What the next renewal takes, at today's price."""
        return self.renewal_plan.price(self.renewal_period)


class Subscriber(models.Model):
    """One row for everybody who ever wanted a plan: its lock makes all that is done about their plan wait in line.

    The row of the person is no such lock: trades update it after they have locked ledger accounts, and plans lock
    ledger accounts after this.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )

    def __str__(self) -> str:
        return str(self.user_id)
