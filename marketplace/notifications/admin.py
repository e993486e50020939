from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.notifications.models import Notification, NotificationSetting, NotificationType, TelegramLink


@admin.register(NotificationType)
class NotificationTypeAdmin(admin.ModelAdmin):
    """The kinds come with the code; they can be silenced here."""

    list_display = ["code", "name", "icon", "is_active"]
    list_editable = ["is_active"]
    readonly_fields = ["code"]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["title", "user", "type", "is_read", "emailed_at", "created_at"]
    list_filter = ["type", "is_read"]
    list_select_related = ["user", "type"]
    search_fields = ["user__email", "title"]


@admin.register(NotificationSetting)
class NotificationSettingAdmin(ReadOnlyAdmin):
    """Whose mailbox refuses us, and since when. The phrase is nobody's business but its owner's."""

    list_display = ["user", "bounced_address", "bounced_at", "digest_hour"]
    list_select_related = ["user"]
    list_filter = [("bounced_at", admin.EmptyFieldListFilter)]
    search_fields = ["user__email", "bounced_address"]
    exclude = ["phrase"]


@admin.register(TelegramLink)
class TelegramLinkAdmin(ReadOnlyAdmin):
    list_display = ["user", "name", "linked_at"]
    list_select_related = ["user"]
    search_fields = ["user__email", "name"]
