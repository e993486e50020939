"""What stands below /accounts/: allauth's pages, and those of ours that take the place of one of them. What changes keys in
allauth's is one transaction each, so that the trail and the change stand or fall together; and where recovery codes were
made on the way, the answer shows them.

(ATOMIC_REQUESTS would hold a write transaction open for every page, and while a password is hashed.)
"""

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

from allauth.urls import urlpatterns as theirs
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from marketplace.accounts import new_browser_views, phone_views, recovery_views, way_views

type View = Callable[..., HttpResponse]

_WHOLE = ("mfa_", "account_email", "account_confirm_email")


def _wrapped(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern | URLResolver]:
    for one in patterns:
        if isinstance(one, URLResolver):
            inside = list(_wrapped(one.url_patterns))
            yield URLResolver(one.pattern, inside, one.default_kwargs, one.app_name, one.namespace)
        elif (one.name or "").startswith(_WHOLE):
            yield URLPattern(one.pattern, _in_one(one.callback), one.default_args, one.name)
        else:
            yield one


def _in_one(view: View) -> View:
    @wraps(view)
    def whole(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return view(request, *args, **kwargs)
        with transaction.atomic():
            return recovery_views.with_fresh_codes(request, view(request, *args, **kwargs))

    return whole


urlpatterns = [
    path("password/set/", way_views.set_password),
    # Nobody can see them again; how many are left stands with the other factors.
    path("2fa/recovery-codes/", RedirectView.as_view(pattern_name="mfa_index")),
    path("2fa/recovery-codes/download/", recovery_views.download),
    path("login/phone/", phone_views.sign_in, name="phone_sign_in"),
    path("login/phone/code/", phone_views.sign_in_code, name="phone_sign_in_code"),
    path("login/mail/code/", new_browser_views.code, name="new_browser_code"),
    path("login/mail/code/again/", new_browser_views.code_again, name="new_browser_code_again"),
    path("sms/<str:token>/", phone_views.delivered, name="sms_callback"),
    # Connected accounts stand with the other ways in.
    path("3rdparty/", RedirectView.as_view(pattern_name="accounts:ways")),
    *_wrapped(theirs),
]
