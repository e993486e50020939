import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError, NotSupportedError, ProgrammingError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from marketplace.core import jobs
from marketplace.core.models import Job

logger = logging.getLogger(__name__)

# What Django's lists, actions and forms raise over an id that is none, a number that no column holds, a range of one.
UNREADABLE = (
    DataError, IndexError, NotSupportedError, OverflowError, ProgrammingError, TypeError, ValidationError, ValueError,
)  # fmt: skip

type View = Callable[..., HttpResponse]


def forgiving(admin_view: Callable[..., View]) -> Callable[..., View]:
    """What staff ask for with values that cannot be read is a bad request. A page that breaks by itself stays a bug."""

    @wraps(admin_view)
    def guarding(view: View, *args: Any, **kwargs: Any) -> View:
        guarded = admin_view(view, *args, **kwargs)

        @wraps(guarded)
        def answer(request: HttpRequest, *where: Any, **named: Any) -> HttpResponse:
            if not request.GET and not request.POST:
                return guarded(request, *where, **named)
            try:
                with transaction.atomic():  # what could not be read to its end has changed nothing
                    return guarded(request, *where, **named)
            except UNREADABLE as error:
                logger.warning("unreadable request for %s", request.path, exc_info=True)
                raise BadRequest("these values cannot be read") from error

        return answer

    return guarding


# In place, because Django hands out one site and asks it for this at every address.
admin.site.admin_view = forgiving(admin.site.admin_view)  # type: ignore[method-assign, assignment]


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
