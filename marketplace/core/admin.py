from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.core import jobs
from marketplace.core.models import Job


class ReadOnlyAdmin(admin.ModelAdmin):
    """Staff read rows here; they change through services only."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """What waits, runs and failed. Parked jobs can be set free."""

    list_display = ["task", "status", "attempts", "run_at", "created_at", "last_error"]
    list_filter = ["status", "task"]
    search_fields = ["task", "key"]
    ordering = ["-created_at"]
    exclude = ["kwargs"]  # they may hold a reset link, which is nobody's business
    actions = ["run_again"]

    @admin.action(description=_("Try the chosen failed jobs again"), permissions=["view"])
    def run_again(self, request: HttpRequest, queryset: Any) -> None:  # noqa: ARG002
        for job in queryset.filter(status=Job.Status.FAILED):
            jobs.retry(job)
