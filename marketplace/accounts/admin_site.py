"""The admin, behind the site's own door."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from marketplace.accounts import second_factor
from marketplace.accounts.selectors import person
from marketplace.accounts.staff import to_set_up
from marketplace.core.ways_back import own_path


class StaffSite(AdminSite):
    """Staff sign in where everybody does: a form of the admin's own would ask for no second factor."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not second_factor.is_missing(person(request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Where the admin sends whom it does not let in."""
        wanted = own_path(request, request.GET.get(REDIRECT_FIELD_NAME)) or reverse("admin:index")
        if not request.user.is_authenticated:
            return redirect_to_login(wanted)
        if not super().has_permission(request):
            raise PermissionDenied
        return redirect(wanted) if self.has_permission(request) else to_set_up()
