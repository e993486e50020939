"""Who asks: `Authorization: Bearer <access token>`. Browsers' sessions are the second way (Django REST framework's own)."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from marketplace.core import password_marks
from marketplace.core.live import endings


class TokenAuthentication(JWTAuthentication):
    """One query: the person behind a token whose signature and age are good.

    Refused with 401 `token_not_valid`: a token that is broken, too old, of a person who is gone or switched off, from
    before their last change of password, or of a sign-in that was ended. Clients need no finer reasons: they refresh, or
    ask for the password.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        try:
            found = super().authenticate(request)
        except (AuthenticationFailed, ValueError, ValidationError) as error:
            raise AuthenticationFailed(
                _("The token is not valid. Sign in again."), code="token_not_valid"
            ) from error
        if found is not None:
            _speak_to(request, found[0])
        return found

    def get_user(self, validated_token: Any) -> Any:
        if endings.has_ended(validated_token.get("sid", "")):
            raise AuthenticationFailed("the sign-in was ended")
        user = super().get_user(validated_token)
        if not password_marks.is_of(user, validated_token.get(password_marks.CLAIM)):
            raise AuthenticationFailed("from before the last change of password")
        return user


def _speak_to(request: Request, user: Any) -> None:
    """The person's own language, unless the request asks for one (sessions: accounts' PreferencesMiddleware)."""
    if not request.headers.get("Accept-Language") and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        translation.activate(user.language)
