from django.contrib import admin

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.ledger.models import Account, Audit, JournalEntry, Posting


class PostingInline(admin.TabularInline):
    model = Posting
    extra = 0
    can_delete = False
    raw_id_fields = ["account"]

    def has_change_permission(self, *_args: object) -> bool:
        return False

    def has_add_permission(self, *_args: object) -> bool:
        return False


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "key", "currency", "memo", "created_at"]
    list_filter = ["kind", "currency"]
    search_fields = ["=key", "=reference"]
    ordering = ["-id"]
    inlines = [PostingInline]


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ["id", "owner", "kind", "code", "currency", "balance"]
    list_filter = ["kind", "currency"]
    list_select_related = ["owner"]
    search_fields = ["owner__email", "code"]


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    list_display = ["id", "started_at", "finished_at", "is_green", "entries", "postings"]
    list_filter = ["is_green"]
    date_hierarchy = "started_at"
    ordering = ["-id"]
