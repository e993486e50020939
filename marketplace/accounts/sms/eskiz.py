"""Eskiz, who sends SMS in Uzbekistan.

POST /api/auth/login gives a token for thirty days, POST /api/message/sms/send takes one message with it, and what became of the
message is posted to `callback_url`. Source: documenter.getpostman.com/view/663428/RzfmES4z (Eskiz SMS API).
"""

import json
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache import cache

from marketplace.accounts.sms import NotSent
from marketplace.core import encryption, http

logger = logging.getLogger(__name__)

_TOKEN = "eskiz:token"  # noqa: S105  # nosec B105 (a name in the cache)
_TOKEN_KEPT = 20 * 24 * 3600  # it lives thirty days


class Eskiz:
    def send(self, *, number: str, text: str, callback: str) -> str:
        """A token that Eskiz no longer takes is renewed, once."""
        body = {
            "mobile_phone": number.removeprefix("+"),
            "message": text,
            "from": settings.ESKIZ_SENDER,
            "callback_url": callback,
        }
        token = self._kept_token() or self._new_token()
        reply = self._post("/api/message/sms/send", body, token)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            reply = self._post("/api/message/sms/send", body, self._new_token())
        said = _read(reply)
        if reply.status not in {HTTPStatus.OK, HTTPStatus.CREATED} or not said.get("id"):
            raise NotSent(f"Eskiz answers {reply.status}")
        return str(said.get("status") or "sent")[:20]

    def _kept_token(self) -> str:
        """Kept encrypted: with it anybody sends what they like at our cost."""
        kept = cache.get(_TOKEN)
        try:
            return encryption.decrypt(kept) if kept else ""
        except encryption.InvalidToken:
            return ""

    def _new_token(self) -> str:
        login = {"email": settings.ESKIZ_EMAIL, "password": settings.ESKIZ_PASSWORD}
        reply = self._post("/api/auth/login", login)
        data = _read(reply).get("data")
        token = data.get("token") if isinstance(data, dict) else None
        if reply.status != HTTPStatus.OK or not isinstance(token, str):
            raise NotSent(f"Eskiz does not let us in: {reply.status}")
        cache.set(_TOKEN, encryption.encrypt(token), _TOKEN_KEPT)
        return token

    def _post(self, path: str, fields: dict[str, str], token: str | None = None) -> http.Reply:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            return http.send(
                "POST", settings.ESKIZ_BASE_URL + path, body=urlencode(fields).encode(), headers=headers
            )
        except http.NoAnswer as error:
            raise NotSent(str(error)) from error


def _read(reply: http.Reply) -> dict[str, Any]:
    try:
        said = json.loads(reply.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
