"""Where one is signed in, ending it, saying that it was somebody else, and what has happened to the account."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.accounts import alarms, confirmation, devices, selectors, sign_ins
from marketplace.accounts.models import SignIn
from marketplace.accounts.trail import Kind

EVENTS = 25
_ICONS = {
    kind: icon
    for icon, kinds in {
        "log-in": (Kind.SIGNED_IN, Kind.SIGNED_UP),
        "smartphone": (Kind.API_SIGN_IN,),
        "log-out": (Kind.SIGNED_OUT, Kind.SESSION_ENDED),
        "shield-alert": (Kind.SIGN_IN_FAILED, Kind.CODE_MAILED, Kind.STEP_UP_FAILED, Kind.TOKEN_REUSED, Kind.NOT_ME),
        "lock": (Kind.LOCKED, Kind.PAYOUTS_LOCKED),
        "lock-open": (Kind.PAYOUTS_UNLOCKED,),
        "shield-check": (Kind.STEP_UP_CONFIRMED,),
        "key-round": (Kind.PASSWORD_CHANGED, Kind.PASSWORD_RESET, Kind.PASSWORD_SET_BY_STAFF, Kind.RESET_ASKED),
        "mail": (Kind.EMAIL_ADDED, Kind.EMAIL_CONFIRMED, Kind.EMAIL_CHANGED, Kind.EMAIL_REMOVED),
        "fingerprint": (
            Kind.WAY_ADDED, Kind.WAY_REMOVED,
            Kind.FACTOR_ADDED, Kind.FACTOR_REMOVED, Kind.FACTOR_USED, Kind.RECOVERY_GENERATED, Kind.RECOVERY_USED,
        ),
        "eye": (
            Kind.CREDENTIALS_HANDED_OVER, Kind.CREDENTIALS_REVEALED, Kind.CONVERSATION_OPENED, Kind.REPORT_OPENED,
            Kind.TRADE_OPENED, Kind.CARD_NUMBER_SHOWN,
        ),
        "download": (Kind.EXPORT_ASKED, Kind.DATA_EXPORTED),
        "trash-2": (Kind.DELETION_ASKED, Kind.DELETED),
        "undo-2": (Kind.DELETION_TAKEN_BACK,),
        "user": (Kind.CHANGED_BY_STAFF,),
    }.items()
    for kind in kinds
}  # fmt: skip


@never_cache
@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    found = list(selectors.open_sign_ins(selectors.person(request), at=timezone.now()))
    here = sign_ins.current(request)
    found.sort(key=lambda one: one.pk != here)  # this one first
    return render(request, "accounts/sessions.html", {"sign_ins": found, "here": here})


@never_cache
@require_safe
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """The person's own part of the audit trail."""
    user = selectors.person(request)
    page = Paginator(selectors.security_events_of(user), EVENTS).get_page(request.GET.get("page"))
    for event in page:
        # From where somebody else did it is not theirs to know.
        event.is_mine = event.actor_id in {None, user.pk}  # type: ignore[attr-defined]
        event.icon = _ICONS.get(Kind(event.kind), "shield")  # type: ignore[attr-defined]
    return render(
        request, "accounts/security.html", {"page": page, "kept": settings.SECURITY_EVENTS_KEPT.days}
    )


@require_POST
@login_required
def session_end(request: HttpRequest, sign_in_id: uuid.UUID) -> HttpResponse:
    """Ends a sign-in of one's own. Another one than this only after "is it you?": whoever has stolen a session must not put
    its owner out with it. The owner, who has been, has the link of the mail, which asks for no session at all.
    """
    if sign_in_id == sign_ins.current(request):
        logout(request)
        return redirect("account_login")
    get_object_or_404(SignIn, user=selectors.person(request), pk=sign_in_id)
    confirmation.must_be_fresh(request)
    if sign_ins.end(user=selectors.person(request), sign_in_id=sign_in_id):
        messages.success(request, _("That sign-in is ended."))
    return redirect("accounts:sessions")


@require_POST
@login_required
def sessions_end_others(request: HttpRequest) -> HttpResponse:
    confirmation.must_be_fresh(request)
    user = selectors.person(request)
    ended = sign_ins.end_all(user=user, but=sign_ins.current(request))
    devices.distrust_all(user=user)
    devices.trust(user=user, request=request)
    messages.success(
        request,
        ngettext("%(count)d sign-in is ended.", "%(count)d sign-ins are ended.", ended) % {"count": ended},
    )
    return redirect("accounts:sessions")


@never_cache
@require_http_methods(["GET", "POST"])
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail about a new sign-in. Looking changes nothing: mail programs fetch links by themselves.

    What the mail carries is the credential, so nobody has to be signed in, and whoever is signed in here is out as well.
    """
    if request.method == "POST":
        done = alarms.raise_alarm(token=token)
        if done and request.user == done:
            logout(request)  # their own session is gone with the others
        return render(
            request, "accounts/not_me.html", {"step": "done" if done else "gone"}, status=200 if done else 410
        )
    device = alarms.device_of(token)
    context = {"step": "ask" if device else "gone", "device": device, "token": token}
    return render(request, "accounts/not_me.html", context, status=200 if device else 410)
