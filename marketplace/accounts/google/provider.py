"""Google as allauth knows it, with less left to who asks: scopes and the like are ours, a nonce goes along."""

import secrets
from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.google.provider import GoogleProvider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.http import HttpRequest, HttpResponse

from marketplace.accounts.google import openid

LOGIN, CONNECT, CONFIRM = "login", "connect", "confirm"
PROCESSES = {LOGIN, CONNECT, CONFIRM}


def process_of(request: HttpRequest) -> str:
    """What the button was pressed for; signing in unless it is one of the others that we know."""
    asked = request.POST.get("process", LOGIN)
    return asked if asked in PROCESSES else LOGIN


class GoogleAdapter(OAuth2Adapter):
    """One sign-in: where it leads, and what came of it."""

    provider_id = "google"
    nonce = ""  # of this sign-in, once its state is known

    @property
    def authorize_url(self) -> str:
        return openid.address_of("authorization_endpoint")

    @property
    def access_token_url(self) -> str:
        return openid.address_of("token_endpoint")

    def parse_token(self, data: dict[str, Any]) -> None:
        """We ask Google for nothing but who somebody is, so no token of theirs is kept, not even in the session."""

    def complete_login(self, request: HttpRequest, app: Any, token: None, **kwargs: Any) -> SocialLogin:  # noqa: ARG002
        id_token = str(kwargs["response"].get("id_token") or "")
        claims = openid.claims_of(id_token, audiences=[app.client_id], nonce=self.nonce)
        return self.get_provider().sociallogin_from_response(request, claims)


class Google(GoogleProvider):
    oauth2_adapter_class = GoogleAdapter

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        return {"process": process_of(request), "next_url": get_next_redirect_url(request)}

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **_more: Any
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(24)
        asked = {"nonce": nonce, "prompt": "select_account"}
        return super().redirect(request, process, next_url, data, auth_params=asked, nonce=nonce)

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"email": data.get("email"), "name": data.get("name")}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        email = data.get("email")
        # Exactly true: a text would be true as well, whatever it says.
        is_theirs = data.get("email_verified") is True
        return [EmailAddress(email=email, verified=is_theirs, primary=True)] if isinstance(email, str) else []

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Enough for people to tell two accounts of theirs apart."""
        return {"email": str(data.get("email", ""))}
