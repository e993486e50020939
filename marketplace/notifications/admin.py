from django.contrib import admin

from marketplace.core.admin import ReadOnlyAdmin
from marketplace.notifications.models import Notification, NotificationType


@admin.register(NotificationType)
class NotificationTypeAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "icon", "is_active"]
    list_editable = ["is_active"]
    readonly_fields = ["code"]


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["title", "user", "type", "is_read", "emailed_at", "created_at"]
    list_filter = ["type", "is_read"]
    list_select_related = ["user", "type"]
    search_fields = ["user__email", "title"]
