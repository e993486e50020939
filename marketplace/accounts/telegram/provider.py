"""Telegram as allauth knows it."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.providers.telegram.provider import TelegramProvider
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from marketplace.accounts.google.provider import process_of
from marketplace.accounts.telegram import signed


class Telegram(TelegramProvider):
    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        return {"process": process_of(request), "next_url": get_next_redirect_url(request)}

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **_more: Any
    ) -> HttpResponse:
        """To Telegram's own page: a widget of theirs on ours would need their script."""
        state = self.stash_redirect_state(request, process, next_url, data)
        back = request.build_absolute_uri(f"{reverse('telegram_callback')}?{urlencode({'state': state})}")
        query = {
            "bot_id": signed.bot_id(),
            "origin": request.build_absolute_uri("/").rstrip("/"),
            "embed": "0",
            "return_to": back,
        }
        return HttpResponseRedirect(f"{settings.TELEGRAM_OAUTH_BASE}/auth?{urlencode(query)}")

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"name": f"{data.get('first_name', '')} {data.get('last_name', '')}".strip()}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        name = data.get("username")
        return {"name": f"@{name}" if name else str(data.get("first_name", ""))}
