from django.contrib import admin

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.escrow.models import CredentialReveal, Dispute, EscrowTransaction


@admin.register(EscrowTransaction)
class EscrowTransactionAdmin(ReadOnlyAdmin):
    list_display = ["number", "status", "buyer", "seller", "amount", "currency", "due_at", "created_at"]
    list_filter = ["status", "currency", "ending"]
    list_select_related = ["buyer", "seller"]
    search_fields = ["id", "buyer__email", "seller__email", "listing__title"]
    date_hierarchy = "created_at"


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ["trade", "reason", "opened_by", "opened_at", "resolved_at"]
    list_filter = ["reason"]
    list_select_related = ["trade", "opened_by"]


@admin.register(CredentialReveal)
class CredentialRevealAdmin(ReadOnlyAdmin):
    list_display = ["trade", "viewer", "revealed_at"]
    list_select_related = ["trade", "viewer"]
