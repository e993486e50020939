"""Where allauth meets our people when somebody else says who they are: who is let in, who is made, who is refused."""

import functools
import io
import logging
from typing import Any

import requests
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import get_language

from marketplace.accounts import connections, services
from marketplace.accounts.errors import (
    AccountClosed,
    AddressNotConfirmedHere,
    AddressNotConfirmedThere,
    NotConnected,
)
from marketplace.accounts.google import openid
from marketplace.accounts.google.provider import CONFIRM, CONNECT
from marketplace.accounts.models import User
from marketplace.accounts.telegram import signed
from marketplace.core import http

logger = logging.getLogger(__name__)


_OF_THE_WIRE = {"Accept-Encoding", "Connection", "Content-Length"}


class _Wire(requests.adapters.BaseAdapter):
    """What allauth sends by `requests`, sent by `core.http`."""

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode() or None
        # The wire unpacks nothing, and counts by itself.
        kept = {name: str(value) for name, value in request.headers.items() if name not in _OF_THE_WIRE}
        try:
            reply = http.send(request.method or "GET", request.url or "", body=body, headers=kept)
        except http.NoAnswer as error:
            raise requests.ConnectionError(str(error), request=request) from error
        response = requests.Response()
        response.status_code, response.url, response.request = reply.status, request.url or "", request
        response.headers.update(reply.headers)
        response.raw = io.BytesIO(reply.body)
        return response

    def close(self) -> None:
        """Nothing is kept open."""


class SocialAdapter(DefaultSocialAccountAdapter):
    def list_apps(
        self,
        request: HttpRequest,  # noqa: ARG002
        provider: str | None = None,
        client_id: str | None = None,
    ) -> list[SocialApp]:
        """What the settings offer; rows of the database are none of them."""
        offered = []
        if openid.is_on():
            offered.append(
                SocialApp(
                    provider="google",
                    name="Google",
                    client_id=settings.GOOGLE_CLIENT_ID,
                    secret=settings.GOOGLE_CLIENT_SECRET,
                )
            )
        if signed.is_on():
            offered.append(
                SocialApp(
                    provider="telegram",
                    name="Telegram",
                    client_id=signed.bot_id(),
                    secret=settings.TELEGRAM_BOT_TOKEN,
                )
            )
        return [
            app for app in offered if provider in (None, app.provider) and client_id in (None, app.client_id)
        ]

    def get_requests_session(self) -> Any:
        """By our own wire, which talks to the addresses of the settings only. Whoever answers with a redirect is not followed."""
        session = super().get_requests_session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Wire())
        session.request = functools.partial(session.request, allow_redirects=False)
        return session

    def on_authentication_error(
        self,
        request: HttpRequest,  # noqa: ARG002
        provider: Any,
        exception: Any = None,
        **_more: Any,
    ) -> None:
        if exception is not None:  # what it says may hold what the provider sent
            logger.warning("sign-in by %s failed: %s", provider, type(exception).__name__)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:  # noqa: ARG002
        user: User = sociallogin.user
        user.email = str(data.get("email") or "").lower()
        name = data.get("name")
        user.full_name = name.strip()[:120] if isinstance(name, str) else ""
        return user

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """Never by allauth's own rule: `pre_social_login` has ours."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Decide before anything is written. Raises a DomainError, which the provider's view shows."""
        process = sociallogin.state.get("process")
        if process == CONFIRM:
            raise ImmediateHttpResponse(connections.confirmed(request, sociallogin))
        if process == CONNECT:
            raise ImmediateHttpResponse(connections.connected(request, sociallogin))
        let_in(sociallogin, whose(sociallogin))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:  # noqa: ARG002
        return make_person(request, sociallogin)


def whose(sociallogin: SocialLogin) -> User | None:
    """Whose account this opens; None where one is to be made. Writes nothing; `let_in` does.

    An account that is here already is opened for an address only when both sides have confirmed it: then whoever owns the
    mailbox owns both. Raises AccountClosed, NotConnected, AddressNotConfirmedThere, AddressNotConfirmedHere.
    """
    found: User | None = sociallogin.user if sociallogin.is_existing else _by_address(sociallogin)
    if found is not None and (not found.is_active or found.deleted_at is not None):
        raise AccountClosed(str(found.pk))
    return found


def _by_address(sociallogin: SocialLogin) -> User | None:
    if sociallogin.account.provider == "telegram":
        raise NotConnected("telegram")
    confirmed = [one.email for one in sociallogin.email_addresses if one.verified]
    if not confirmed:
        raise AddressNotConfirmedThere("no confirmed address")
    addresses = EmailAddress.objects.filter(email__iexact=confirmed[0], verified=True)
    owned = addresses.select_related("user").first()
    if owned is not None:
        owner: User = owned.user
        return owner
    if User.objects.filter(email__iexact=confirmed[0]).exists():
        raise AddressNotConfirmedHere("typed by somebody who never showed that it is theirs")
    return None


def let_in(sociallogin: SocialLogin, user: User | None) -> None:
    """Make ready what `whose` has found: connect an account that is here already, clear the way for a new one."""
    if user is None:
        # Others may have begun to add this address to accounts of theirs; allauth would keep its owner out for that.
        email = sociallogin.user.email
        EmailAddress.objects.filter(email__iexact=email, verified=False).delete()
    elif not sociallogin.account.pk:
        sociallogin.account = connections.connect(user=user, account=sociallogin.account)
        sociallogin.user = user


@transaction.atomic
def make_person(request: HttpRequest, sociallogin: SocialLogin) -> User:
    """An account for somebody who comes for the first time: without a password, the address confirmed.

    Raises IntegrityError when they come twice at once.
    """
    user: User = sociallogin.user
    services.register(user=user, language=get_language() or "", password=None)
    sociallogin.save(request)
    services.mark_verified(user_id=user.pk)
    user.is_verified = True
    return user
