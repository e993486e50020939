"""Payment methods, the history that people see, and the raw words of the providers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.fields import EncryptedTextField
from marketplace.core.models import TimestampedModel, UUIDModel
from marketplace.core.money import MAX_MINOR, Currency


class PaymentMethod(UUIDModel, TimestampedModel):
    """A way to pay. Offered only while a provider of its code stands in settings.PAYMENT_PROVIDERS."""

    name = models.CharField(_("name"), max_length=60)
    code = models.SlugField(
        _("code"), max_length=32, unique=True, help_text=_("The provider's code in the settings.")
    )
    icon = models.CharField(
        _("icon"), max_length=40, default="credit-card", help_text=_("A name of the icon sprite.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    config = models.JSONField(
        _("configuration"),
        default=dict,
        blank=True,
        help_text=_("Never secrets: those come from the environment."),
    )
    currency = models.CharField(_("currency"), max_length=3, choices=Currency, default=Currency.UZS)
    min_amount = models.BigIntegerField(
        _("smallest amount"), default=1_000_00, help_text=_("In minor units.")
    )
    max_amount = models.BigIntegerField(
        _("largest amount"), default=50_000_000_00, help_text=_("In minor units.")
    )
    sort_order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["sort_order", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    min_amount__gt=0, max_amount__gte=models.F("min_amount"), max_amount__lte=MAX_MINOR
                ),
                name="payment_method_limits",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Secrets stay in the environment: a configuration that names one is refused."""
        if not isinstance(self.config, dict):
            raise ValidationError({"config": _("Write an object: {…}.")})
        if any(
            word in str(name).lower()
            for name in self.config
            for word in ("secret", "password", "token", "key")
        ):
            raise ValidationError({"config": _("Secrets do not belong here: set them in the environment.")})


class Transaction(UUIDModel):
    """A line of a person's money history. Each completed one points to the journal entry that moved the money."""

    class Type(models.TextChoices):
        DEPOSIT = "deposit", _("Top-up")
        WITHDRAWAL = "withdrawal", _("Payout")
        PURCHASE = "purchase", _("Purchase")
        SALE = "sale", _("Sale")
        REFUND = "refund", _("Refund")
        COMMISSION = "commission", _("Commission")
        SUBSCRIPTION = "subscription", _("Subscription")
        CHARGEBACK = "chargeback", _("Returned to the payment method")
        DEBT = "debt", _("Debt repaid")

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        PROCESSING = "processing", _("In progress")
        COMPLETED = "completed", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (Status.PENDING, Status.PROCESSING)
    INCOMING = (Type.DEPOSIT, Type.SALE, Type.REFUND)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="transactions")
    amount = models.BigIntegerField(
        help_text=_("In minor units, always positive: the type says which way it goes.")
    )
    currency = models.CharField(max_length=3, choices=Currency, default=Currency.UZS)
    type = models.CharField(max_length=12, choices=Type)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    purpose = models.CharField(
        max_length=32,
        blank=True,
        help_text=_("Who acts when the money has arrived: a name of the purposes' register."),
    )
    reference = models.UUIDField(null=True, blank=True, help_text=_("What it is for: a trade, an order."))
    payment_method = models.ForeignKey(
        PaymentMethod, on_delete=models.PROTECT, null=True, blank=True, related_name="transactions"
    )
    provider_transaction_id = models.CharField(max_length=128, blank=True)
    description = models.CharField(max_length=200, blank=True)
    reason = models.CharField(
        max_length=200, blank=True, help_text=_("Why it failed, in words for the person.")
    )
    metadata = models.JSONField(default=dict, blank=True)
    journal_entry = models.ForeignKey(
        "ledger.JournalEntry", on_delete=models.PROTECT, null=True, blank=True, related_name="transactions"
    )
    refunded = models.BigIntegerField(
        default=0, help_text=_("How much of a deposit has gone back to its payer, in minor units.")
    )
    contested_at = models.DateTimeField(
        null=True, blank=True, help_text=_("The card's holder contests it: payouts wait for staff.")
    )
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the provider was asked how it stands.")
    )
    processed_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [("settle_withdrawal", _("Can complete and fail payouts"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=MAX_MINOR), name="transaction_amount_positive"
            ),
            models.CheckConstraint(
                condition=~Q(status="completed") | Q(journal_entry__isnull=False, processed_at__isnull=False),
                name="transaction_completed_has_entry",
            ),
            models.CheckConstraint(
                condition=Q(currency__in=["UZS", "KZT", "USD"]), name="transaction_currency"
            ),
            models.CheckConstraint(
                condition=Q(refunded=0)
                | Q(refunded__gt=0, refunded__lte=models.F("amount"), status="completed"),
                name="transaction_never_refunds_more_than_captured",
            ),
            models.UniqueConstraint(
                fields=["payment_method", "provider_transaction_id"],
                condition=~Q(provider_transaction_id=""),
                name="transaction_provider_id_once",
            ),
            models.UniqueConstraint(
                fields=["user", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="transaction_key_once_per_user",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="transaction_history"),
            models.Index(
                fields=["created_at"],
                condition=Q(status="pending", type="deposit"),
                name="transaction_waiting",
            ),
            models.Index(
                fields=["reference"], condition=Q(reference__isnull=False), name="transaction_reference"
            ),
            models.Index(
                fields=["user"], condition=Q(contested_at__isnull=False), name="transaction_contested"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def is_incoming(self) -> bool:
        """Whether the person gets this money."""
        return self.type in self.INCOMING

    @property
    def is_of_trade(self) -> bool:
        """Whether the reference is a trade's."""
        return self.type in (self.Type.PURCHASE, self.Type.SALE) or (
            self.type == self.Type.REFUND and bool(self.description)
        )

    @property
    def signed_amount(self) -> int:
        """In minor units, with the sign that the person's wallet sees."""
        return self.amount if self.is_incoming else -self.amount

    @property
    def title(self) -> str:
        """What a line of the history says. Reads the method and the destination: join them."""
        if self.type == self.Type.DEPOSIT and self.payment_method:
            return _("Top-up, %(method)s") % {"method": self.payment_method.name}
        if self.type == self.Type.WITHDRAWAL and hasattr(self, "destination"):
            return _("Payout to %(card)s") % {"card": self.destination}
        if self.type == self.Type.SALE and self.description:
            return _("Sale of %(what)s") % {"what": self.description}
        if self.type == self.Type.REFUND and self.description:
            return _("Refund: %(what)s") % {"what": self.description}
        return self.description or self.get_type_display()

    @property
    def number(self) -> str:
        """What people read out to support."""
        return self.pk.hex[-8:].upper()

    @property
    def payment_url(self) -> str:
        """Where an open payment goes on, at the provider's."""
        return str(self.metadata.get("payment_url", "")) if self.is_open else ""


class PaymentAttempt(models.Model):
    """One try of a provider to collect a payment, under the provider's own number.

    OPEN ends as CAPTURED (the money is ours) or CANCELLED; a captured one may be REFUNDED as a whole later. Written only
    under the lock of its payment. The key is a plain number, because Click (`merchant_prepare_id`) and Paynet
    (`providerTrnId`) take nothing else from us.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Waiting")
        CAPTURED = "captured", _("Paid")
        CANCELLED = "cancelled", _("Cancelled")
        REFUNDED = "refunded", _("Refunded")

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="attempts")
    provider = models.CharField(max_length=32)
    provider_id = models.CharField(max_length=128, help_text=_("The provider's number of this try."))
    amount = models.BigIntegerField(help_text=_("In minor units."))
    currency = models.CharField(max_length=3, choices=Currency)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    reason = models.IntegerField(
        null=True, blank=True, help_text=_("The provider's own code of why it ended, unchanged.")
    )
    provider_time = models.DateTimeField(help_text=_("The provider's clock: statements are selected by it."))
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    captured_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_id"], name="payment_attempt_provider_id_once"
            ),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state="captured"), name="payment_attempt_one_captured"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=MAX_MINOR), name="payment_attempt_amount"
            ),
            models.CheckConstraint(
                condition=Q(state="open", captured_at__isnull=True, ended_at__isnull=True)
                | Q(state="captured", captured_at__isnull=False, ended_at__isnull=True)
                | Q(state="cancelled", captured_at__isnull=True, ended_at__isnull=False)
                | Q(state="refunded", captured_at__isnull=False, ended_at__isnull=False),
                name="payment_attempt_times_fit_state",
            ),
        ]
        indexes = [
            models.Index(fields=["provider", "provider_time"], name="payment_attempt_statement"),
            models.Index(
                fields=["expires_at"],
                condition=Q(state="open", expires_at__isnull=False),
                name="payment_attempt_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_id} {self.state}"

    def is_expired(self, at: datetime) -> bool:
        return self.state == self.State.OPEN and self.expires_at is not None and self.expires_at <= at


class ProviderStatement(UUIDModel):
    """A provider's own list of payments in some days, laid beside ours: what came of it. Never changed.

    Of a difference the first rows are kept: kind, provider_id, and how each side has it (`ours`, `theirs`: amount in minor
    units, currency, state, time; null where it is missing; `payment` is the key of our transaction).
    """

    class Difference(models.TextChoices):
        MISSING_HERE = "missing_here", _("We do not have it")
        MISSING_THERE = "missing_there", _("The provider does not have it")
        AMOUNT = "amount", _("Another amount")
        STATE = "state", _("Another state")
        REPEATED = "repeated", _("Twice in the statement")

    provider = models.CharField(_("provider"), max_length=32)
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("to"), help_text=_("Not included."))
    source = models.CharField(
        max_length=100, help_text=_("The name of the file, or empty: asked of the provider.")
    )
    digest = models.CharField(max_length=64, blank=True, help_text=_("SHA-256 of the file."))
    lines = models.PositiveIntegerField(help_text=_("Payments in the statement."))
    ours = models.PositiveIntegerField(help_text=_("Payments that we collected in these days."))
    agreed = models.PositiveIntegerField(help_text=_("Payments that both have alike."))
    differences = models.PositiveIntegerField(help_text=_("All of them, also those whose rows are not kept."))
    rows = models.JSONField(default=list)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=models.F("since")), name="provider_statement_period")
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.since:%Y-%m-%d}: {self.differences}"

    @property
    def is_clean(self) -> bool:
        return self.differences == 0

    @property
    def last_moment(self) -> datetime:
        """Within the last day, which `until` itself is not."""
        return self.until - timedelta(seconds=1)


class Refund(UUIDModel, TimestampedModel):
    """Money of a completed deposit that goes back to its payer.

    One that we start is INITIATED until the provider has confirmed it; when it cannot, the money is back in the wallet.
    One that the provider starts has happened already. `debt` is what the wallet no longer had.
    """

    class Status(models.TextChoices):
        INITIATED = "initiated", _("On its way")
        SUCCEEDED = "succeeded", _("Refunded")
        FAILED = "failed", _("Failed")

    # How `error` begins when a person must look at the provider's books.
    UNCLEAR = "unclear"
    # So long a provider is asked again that gives no answer; then a person must look as well.
    GIVE_UP_AFTER = timedelta(days=3)

    payment = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField(help_text=_("In minor units."))
    currency = models.CharField(max_length=3, choices=Currency)
    status = models.CharField(max_length=9, choices=Status, default=Status.INITIATED)
    provider_refund_id = models.CharField(max_length=128, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=200, blank=True, help_text=_("Why the provider could not."))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Who decided it; empty when the provider did, or a rule of the shop."),
    )
    is_by_provider = models.BooleanField(default=False)
    debt = models.BigIntegerField(default=0, help_text=_("What the wallet lacked, in minor units."))
    journal_entry = models.ForeignKey("ledger.JournalEntry", on_delete=models.PROTECT, related_name="refunds")
    idempotency_key = models.CharField(max_length=100)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [("refund_payment", _("Can give payments back to their payers"))]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lte=MAX_MINOR), name="refund_amount"),
            models.CheckConstraint(
                condition=Q(debt__gte=0, debt__lte=models.F("amount")), name="refund_debt_within_amount"
            ),
            models.CheckConstraint(
                condition=Q(status="initiated", ended_at__isnull=True)
                | (~Q(status="initiated") & Q(ended_at__isnull=False)),
                name="refund_ended_when_over",
            ),
            models.UniqueConstraint(
                fields=["payment", "idempotency_key"], name="refund_key_once_per_payment"
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(status="initiated"), name="refund_on_its_way")
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} of {self.payment_id}"

    @property
    def is_unclear(self) -> bool:
        """Whether it may have been made at the provider's without our knowing."""
        return self.status == self.Status.INITIATED and self.error.startswith(self.UNCLEAR)

    def needs_a_look(self, at: datetime) -> bool:
        """Whether a person must find out if it was made: it is unclear, or got no answer for too long."""
        is_late = self.status == self.Status.INITIATED and self.created_at <= at - self.GIVE_UP_AFTER
        return self.is_unclear or is_late


class RefundDecision(UUIDModel):
    """What somebody of the staff found out about a refund that nobody knew about. Never changed, never deleted."""

    class Action(models.TextChoices):
        MADE = "made", _("It was made")
        NOT_MADE = "not_made", _("It was not made")

    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, related_name="decision")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=8, choices=Action)
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="refund_decision_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.refund_id}"


class Debt(UUIDModel):
    """What a person owes because a provider took back money that was spent already.

    Changed only under the lock of the person's available account. What comes into the wallet repays it first.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="debts")
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, related_name="owed")
    amount = models.BigIntegerField(help_text=_("In minor units."))
    repaid = models.BigIntegerField(default=0, help_text=_("In minor units."))
    currency = models.CharField(max_length=3, choices=Currency)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    repaid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, repaid__gte=0, repaid__lte=models.F("amount")), name="debt_amounts"
            ),
            models.CheckConstraint(
                condition=Q(repaid_at__isnull=True, repaid__lt=models.F("amount"))
                | Q(repaid_at__isnull=False, repaid=models.F("amount")),
                name="debt_repaid_when_all_is",
            ),
        ]
        indexes = [
            models.Index(fields=["user"], condition=Q(repaid_at__isnull=True), name="debt_open_of_user")
        ]

    def __str__(self) -> str:
        return f"{self.outstanding} {self.currency} of {self.user_id}"

    @property
    def outstanding(self) -> int:
        """In minor units."""
        return self.amount - self.repaid


class PayoutCard(UUIDModel):
    """A card or an account that a person has named for payouts. One that replaces another can be used after a pause."""

    class Kind(models.TextChoices):
        CARD = "card", _("Card")
        ACCOUNT = "account", _("Bank account")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payout_cards")
    kind = models.CharField(max_length=7, choices=Kind, default=Kind.CARD)
    number = EncryptedTextField()
    bank_code = models.CharField(max_length=9, blank=True, help_text=_("MFO, for accounts."))
    fingerprint = models.CharField(
        max_length=64, help_text=_("A keyed digest of the number, to know it again without reading it.")
    )
    last_four = models.CharField(max_length=4)
    network = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    usable_from = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "fingerprint"], name="payout_card_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.network or self.get_kind_display()} •• {self.last_four}"


class PayoutDestination(UUIDModel):
    """Where a withdrawal goes, in a row of its own: history is read without touching the secret."""

    transaction = models.OneToOneField(Transaction, on_delete=models.PROTECT, related_name="destination")
    card_number = EncryptedTextField()
    bank_code = models.CharField(max_length=9, blank=True)
    last_four = models.CharField(max_length=4)
    network = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField(
        default=timezone.now, help_text=_("By when it is promised; the desk works in this order.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="payout_due")]

    def __str__(self) -> str:
        return f"{self.network or _('Card')} •• {self.last_four}"


class PayoutDecision(UUIDModel):
    """What somebody of the staff did about a payout. Never changed, never deleted."""

    class Action(models.TextChoices):
        SHOW = "show", _("Looked at the number")
        APPROVE = "approve", _("Approved")
        SEND = "send", _("Sent")
        FAIL = "fail", _("Gave the money back")

    payout = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="decisions")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=7, choices=Action)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payout", "actor"], condition=Q(action="approve"), name="payout_approved_once_by_each"
            )
        ]
        indexes = [models.Index(fields=["payout", "created_at"], name="payout_decision_of")]

    def __str__(self) -> str:
        return f"{self.action} {self.payout_id}"


class ProviderCredential(UUIDModel, TimestampedModel):
    """A secret that a provider has changed over its protocol: from then on it counts, and the environment's does not."""

    provider = models.CharField(max_length=32, unique=True)
    secret = EncryptedTextField()

    def __str__(self) -> str:
        return self.provider


class WebhookEvent(UUIDModel):
    """What a provider told us, word for word, stored before anything is made of it.

    An event id counts once per provider; it is noted only after the signature was found right, so that a stranger
    cannot use up the ids of real events.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", _("Received")
        PROCESSED = "processed", _("Processed")
        IGNORED = "ignored", _("Ignored")
        FAILED = "failed", _("Failed")

    provider = models.CharField(max_length=32)
    event_id = models.CharField(max_length=128, blank=True)
    method = models.CharField(max_length=10, default="POST")
    action = models.CharField(max_length=64, blank=True, help_text=_("The last part of the address."))
    query = models.CharField(max_length=2000, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True, help_text=_("Who called."))
    body = models.BinaryField()
    headers = models.JSONField(default=dict)
    signature_ok = models.BooleanField(null=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.RECEIVED)
    error = models.CharField(max_length=500, blank=True)
    answer_status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer_body = models.JSONField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    deliveries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "event_id"],
                condition=~Q(event_id=""),
                name="webhook_event_once_per_provider",
            )
        ]
        indexes = [
            models.Index(fields=["received_at"], condition=Q(status="received"), name="webhook_unprocessed"),
            models.Index(fields=["received_at"], condition=Q(signature_ok=False), name="webhook_unsigned"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id or self.pk}"


class SandboxPayment(UUIDModel):
    """The sandbox gateway's own books: it plays another company and knows our orders only by what we told it."""

    class State(models.TextChoices):
        CREATED = "created", _("Waiting for the payer")
        PAID = "paid", _("Paid")
        DECLINED = "declined", _("Declined")
        REFUNDED = "refunded", _("Refunded")

    provider = models.CharField(max_length=32, default="sandbox", help_text=_("Which company it plays."))
    order = models.UUIDField(unique=True)
    merchant = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    return_url = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=State, default=State.CREATED)
    details = models.JSONField(default=dict, help_text=_("Its own numbers of this payment."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.order} {self.state}"


class SandboxCall(UUIDModel):
    """One call of the sandbox gateway to us, with our answer: shown on its page."""

    payment = models.ForeignKey(SandboxPayment, on_delete=models.CASCADE, related_name="calls")
    name = models.CharField(max_length=80)
    request = models.TextField()
    answer_status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["payment", "id"], name="sandbox_call_of_payment")]

    def __str__(self) -> str:
        return f"{self.name} {self.answer_status}"
