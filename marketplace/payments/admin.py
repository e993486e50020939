from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.money import Money
from marketplace.payments import selectors
from marketplace.payments.models import (
    Debt,
    PaymentAttempt,
    PaymentMethod,
    PayoutDecision,
    ProviderStatement,
    Refund,
    RefundDecision,
    Transaction,
    WebhookEvent,
)


@admin.register(PaymentMethod)
class PaymentMethodAdmin(admin.ModelAdmin):
    list_display = ["name", "code", "currency", "is_active", "min_amount", "max_amount", "sort_order"]
    list_editable = ["is_active", "sort_order"]


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """Staff read payments here; payouts are decided at the payout desk."""

    list_display = [
        "id",
        "user",
        "type",
        "sum",
        "status",
        "payment_method",
        "card",
        "created_at",
        "processed_at",
    ]
    list_filter = ["type", "status", "payment_method", "currency"]
    list_select_related = ["user", "payment_method", "destination"]
    search_fields = ["=id", "user__email", "=provider_transaction_id", "=reference"]
    date_hierarchy = "created_at"
    ordering = ["-id"]

    @admin.display(description=gettext_lazy("amount"))
    def sum(self, row: Transaction) -> str:
        return str(Money(row.amount, row.currency))

    @admin.display(description=gettext_lazy("card"))
    def card(self, row: Transaction) -> str:
        return str(row.destination) if hasattr(row, "destination") else ""


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "provider",
        "event_id",
        "status",
        "signature_ok",
        "error",
        "deliveries",
        "received_at",
    ]
    list_filter = ["provider", "status", "signature_ok"]
    search_fields = ["event_id", "error"]
    ordering = ["-id"]
    exclude = ["body"]
    readonly_fields = ["text"]

    @admin.display(description=gettext_lazy("body"))
    def text(self, event: WebhookEvent) -> str:
        return bytes(event.body).decode(errors="replace")


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "provider",
        "provider_id",
        "state",
        "amount",
        "currency",
        "provider_time",
        "payment",
    ]
    list_filter = ["provider", "state"]
    list_select_related = ["payment"]
    search_fields = ["=provider_id", "=payment__id"]
    ordering = ["-id"]


class ClarityFilter(admin.SimpleListFilter):
    """Refunds that a person must look at."""

    title = gettext_lazy("what we know")
    parameter_name = "clarity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [("unclear", gettext_lazy("to look at"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        return queryset.filter(selectors.unclear(at=timezone.now())) if self.value() else queryset


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Refunds that are unclear are decided at the refund desk."""

    list_display = [
        "id",
        "payment",
        "amount",
        "currency",
        "status",
        "is_by_provider",
        "debt",
        "actor",
        "created_at",
    ]
    list_filter = [ClarityFilter, "status", "is_by_provider"]
    list_select_related = ["payment", "actor"]
    search_fields = ["=payment__id", "=provider_refund_id"]
    ordering = ["-id"]


@admin.register(RefundDecision)
class RefundDecisionAdmin(ReadOnlyAdmin):
    list_display = ["refund", "actor", "action", "reason", "created_at"]
    list_filter = ["action"]
    list_select_related = ["refund", "actor"]
    ordering = ["-id"]


@admin.register(Debt)
class DebtAdmin(ReadOnlyAdmin):
    list_display = ["id", "user", "amount", "repaid", "currency", "created_at", "repaid_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    ordering = ["-id"]


@admin.register(PayoutDecision)
class PayoutDecisionAdmin(ReadOnlyAdmin):
    list_display = ["payout", "actor", "action", "note", "created_at"]
    list_filter = ["action"]
    list_select_related = ["payout", "actor"]
    ordering = ["-id"]


@admin.register(ProviderStatement)
class ProviderStatementAdmin(ReadOnlyAdmin):
    """Statements are brought at the desk, or by `manage.py reconcile_provider`."""

    list_display = ["provider", "since", "until", "lines", "ours", "differences", "actor", "created_at"]
    list_filter = ["provider"]
    list_select_related = ["actor"]
    date_hierarchy = "created_at"
    ordering = ["-id"]
