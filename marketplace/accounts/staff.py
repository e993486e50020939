"""The door of the pages where staff works."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache

from marketplace.accounts import second_factor
from marketplace.accounts.selectors import is_staff_with, person

type View = Callable[..., HttpResponse]


def to_set_up() -> HttpResponse:
    """To where a second factor is set up, which says there why it is asked for."""
    return redirect(reverse("mfa_index") + "?for=staff")


def staff_only(permission: str) -> Callable[[View], View]:
    """Sign-in for strangers, 403 for staff without the permission ("app.codename") and for everybody else. Never cached.

    Staff who owe a second factor are led to where it is set up.
    """

    def guard(view: View) -> View:
        @wraps(view)
        @login_required
        @never_cache
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if second_factor.is_missing(person(request)):
                return to_set_up()
            if not is_staff_with(person(request), permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard
