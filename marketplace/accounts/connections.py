"""Accounts elsewhere that open an account here: connecting, taking away, and saying by one of them who one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.internal.flows import reauthentication
from allauth.account.internal.flows.login import record_authentication
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _

from marketplace.accounts import confirmation, selectors, ways
from marketplace.accounts.errors import AnotherAccount, ConnectedElsewhere, LastWayIn
from marketplace.accounts.models import User
from marketplace.core.ways_back import own_path

if TYPE_CHECKING:
    from allauth.socialaccount.models import SocialLogin


@transaction.atomic
def connect(*, user: User, account: SocialAccount) -> SocialAccount:
    """Let this account elsewhere open the person's. Twice is harmless. Raises ConnectedElsewhere."""
    row, is_new = SocialAccount.objects.get_or_create(
        provider=account.provider,
        uid=account.uid,
        defaults={"user": user, "extra_data": account.extra_data},
    )
    if row.user_id != user.pk:
        raise ConnectedElsewhere(f"{account.provider} account of another person")
    if is_new:
        ways.note_added(user_id=user.pk, way=row.provider, name=name_of(row))
    return row


@transaction.atomic
def disconnect(*, user: User, account_id: int) -> None:
    """It opens the person's account no longer; twice is harmless. Raises LastWayIn."""
    # Locked: of two that are taken away at once the second sees that it is the last.
    person = User.objects.select_for_update().get(pk=user.pk)
    account = SocialAccount.objects.filter(user=person, pk=account_id).first()
    if account is None:
        return
    if selectors.ways_in(person).is_last(account):
        raise LastWayIn(account.provider)
    account.delete()
    ways.note_removed(user_id=person.pk, way=account.provider, name=name_of(account))


def name_of(account: SocialAccount) -> str:
    """Which of several it is, as people know it: an address, a name."""
    told = account.extra_data
    return str(told.get("email") or told.get("name") or "")


def connected(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    """Back from there, to connect it with the account that is open here."""
    if not request.user.is_authenticated:  # signed out meanwhile
        return redirect("account_login")
    if confirmation.is_needed(request):
        messages.error(request, _("That took too long. Say again who you are, then connect it once more."))
    else:
        connect(user=selectors.person(request), account=sociallogin.account)
        messages.success(request, _("It is connected: you can sign in with it."))
    return redirect("accounts:ways")


def confirmed(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    """Back from there, having shown again who one is. Raises AnotherAccount unless it is one of the person's."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    if not sociallogin.account.pk or sociallogin.account.user_id != request.user.pk:
        raise AnotherAccount(sociallogin.account.provider)
    record_authentication(
        request, request.user, "socialaccount", provider=sociallogin.account.provider, reauthenticated=True
    )
    wanted = own_path(request, sociallogin.get_redirect_url(request)) or resolve_url(
        settings.LOGIN_REDIRECT_URL
    )
    # allauth goes on with what was begun, a POST too, if it knows where that was.
    query = request.GET.copy()
    query["next"] = wanted
    request.GET = query  # type: ignore[assignment]
    response: HttpResponse | None = reauthentication.resume_request(request)
    return response or redirect(wanted)
