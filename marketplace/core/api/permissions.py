"""Who may use a view."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request


class IsVerified(IsAuthenticated):
    """The default of the API: signed in, and the address is shown to be theirs.

    Pages let nobody in before that. The API gives tokens at once, so it asks here; a view that names `IsAuthenticated`
    instead serves people on their way there. Refuses with 403 `email_not_verified`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if not getattr(request.user, "is_verified", False):
            raise PermissionDenied(
                _("Confirm your e-mail address first: we have sent you a link."), code="email_not_verified"
            )
        return True
