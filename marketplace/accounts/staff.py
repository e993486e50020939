"""The door of the pages where staff works."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from marketplace.accounts.selectors import is_staff_with, person

type View = Callable[..., HttpResponse]


def staff_only(permission: str) -> Callable[[View], View]:
    """Sign-in for strangers, 403 for staff without the permission ("app.codename") and for everybody else. Never cached."""

    def guard(view: View) -> View:
        @wraps(view)
        @login_required
        @never_cache
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not is_staff_with(person(request), permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard
