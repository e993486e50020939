from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.core.errors import DomainError
from marketplace.core.money import Money
from marketplace.payments import services
from marketplace.payments.models import PaymentMethod, Transaction, WebhookEvent


@admin.register(PaymentMethod)
class PaymentMethodAdmin(admin.ModelAdmin):
    list_display = ["name", "code", "currency", "is_active", "min_amount", "max_amount", "sort_order"]
    list_editable = ["is_active", "sort_order"]


class ReasonForm(ActionForm):
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=200)


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """Staff read payments here, and close payouts through the services."""

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
    action_form = ReasonForm
    actions = ["mark_sent", "give_back"]

    @admin.display(description=gettext_lazy("amount"))
    def sum(self, row: Transaction) -> str:
        return str(Money(row.amount, row.currency))

    @admin.display(description=gettext_lazy("card"))
    def card(self, row: Transaction) -> str:
        return str(row.destination) if hasattr(row, "destination") else ""

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("payments.settle_withdrawal"))

    @admin.action(description=gettext_lazy("Payouts: the bank has sent them"), permissions=["settle"])
    def mark_sent(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, lambda pk: services.complete_withdrawal(transaction_id=pk))

    @admin.action(
        description=gettext_lazy("Payouts: could not be sent, give the money back"), permissions=["settle"]
    )
    def give_back(self, request: HttpRequest, queryset: Any) -> None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, _("Write the reason beside the action: the person will read it."))
            return
        self._each(request, queryset, lambda pk: services.fail_withdrawal(transaction_id=pk, reason=reason))

    def _each(self, request: HttpRequest, queryset: Any, act: Any) -> None:
        for pk in queryset.values_list("pk", flat=True):
            try:
                act(pk)
            except DomainError as error:
                messages.error(request, f"{pk}: {error.message}")


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
