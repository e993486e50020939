"""Tokens of the API: given out, renewed once each, taken back.

An access token says who asks, for some minutes, without a look at a table of tokens. A refresh token is good for one new
pair: the old one is dead from then on. Both carry a mark of the password they were given for, so a new password ends all.
The table of refresh tokens holds their ids, not the tokens: who reads it can sign in as nobody.

Both also name the sign-in they come from (`sid`), through all renewals: ending it ends all of them, and their sockets.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Self

from django.db import transaction
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, BlacklistMixin, RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from marketplace.accounts import sign_ins, trail
from marketplace.accounts.errors import TokenNotValid
from marketplace.accounts.models import User
from marketplace.accounts.trail import Kind
from marketplace.core import password_marks
from marketplace.core.live import endings, tickets

# The claim that names a sign-in.
SIGN_IN = "sid"


@dataclass(frozen=True, slots=True)
class Pair:
    access: str
    refresh: str


class Refresh(RefreshToken):
    def check_blacklist(self) -> None:
        """As the library's, and told: two hold the same token, and one of them has stolen it."""
        if BlacklistedToken.objects.filter(token__jti=self[api_settings.JTI_CLAIM]).exists():
            _note_reuse(self)
            raise TokenError("used before")

    @classmethod
    def for_user(cls, user: User, sign_in: str = "") -> Self:  # type: ignore[override]
        """As the library's, with a mark of the password; what is noted is the id alone.

        `sign_in`: the one this renews; without it a new one begins.
        """
        token: Self = super(BlacklistMixin, cls).for_user(user)
        token[password_marks.CLAIM] = password_marks.mark_of(user)
        token[SIGN_IN] = sign_in or token[api_settings.JTI_CLAIM]
        OutstandingToken.objects.create(
            user=user,
            jti=token[api_settings.JTI_CLAIM],
            token="",  # nosec B106 (none is kept)
            created_at=token.current_time,
            expires_at=datetime_from_epoch(token["exp"]),
        )
        return token


@transaction.atomic
def issue(*, user: User, device: str = "", address: str = "") -> Pair:
    """A new pair for a person who has just shown who they are; `device` and `address` are what they are shown of it."""
    refresh = Refresh.for_user(user)
    sign_ins.note_program(
        user=user, sign_in=refresh[SIGN_IN], expires_at=_end_of(refresh), device=device, address=address
    )
    trail.record(Kind.API_SIGN_IN, user=user, actor=user)
    return _pair(refresh)


def _pair(refresh: Refresh) -> Pair:
    return Pair(access=str(refresh.access_token), refresh=str(refresh))


def _end_of(token: Refresh) -> dt.datetime:
    end: dt.datetime = datetime_from_epoch(token["exp"])
    return end


@transaction.atomic
def renew(*, refresh: str, device: str = "", address: str = "") -> Pair:
    """Exchange a refresh token for a new pair. Of several tries with the same token, at whatever moment, one succeeds.

    Raises TokenNotValid, also once the sign-in it comes from was ended.
    """
    token = _read(refresh)
    user = User.objects.alive().filter(pk=token[api_settings.USER_ID_CLAIM], is_active=True).first()
    if user is None or not password_marks.is_of(user, token.get(password_marks.CLAIM)):
        raise TokenNotValid("of nobody who may come in")
    _spend(token)
    renewed = Refresh.for_user(user, token.get(SIGN_IN, ""))
    sign_ins.renew_program(
        user=user, sign_in=renewed[SIGN_IN], expires_at=_end_of(renewed), device=device, address=address
    )
    return _pair(renewed)


@transaction.atomic
def revoke(*, refresh: str) -> None:
    """Signing out: the tokens of this sign-in are dead, and its sockets close. Raises TokenNotValid."""
    token = _read(refresh)
    _spend(token)
    owner = User.objects.filter(pk=token[api_settings.USER_ID_CLAIM]).first()
    trail.record(Kind.SIGNED_OUT, user=owner, actor=owner, by="api")
    if sign_in := token.get(SIGN_IN):
        sign_ins.end_program(user_id=token[api_settings.USER_ID_CLAIM], sign_in=sign_in)


def socket_ticket(*, access: AccessToken, language: str) -> str:
    """A ticket with which the holder of this access token opens one socket. Raises TokenNotValid after signing out."""
    sign_in = access.get(SIGN_IN, "")
    if endings.has_ended(sign_in):
        raise TokenNotValid("signed out")
    return tickets.issue(
        tickets.Grant(
            user_id=str(access[api_settings.USER_ID_CLAIM]),
            until=float(access["exp"]),
            password_mark=access.get(password_marks.CLAIM, ""),
            sign_in=sign_in,
            language=language,
        )
    )


def forget_expired(*, at: dt.datetime) -> int:
    """Forget tokens that are too old to be used anyway. Returns how many rows went."""
    return OutstandingToken.objects.filter(expires_at__lte=at).delete()[0]


def _read(text: str) -> Refresh:
    try:
        token = Refresh(text)  # type: ignore[arg-type]
        uuid.UUID(token[api_settings.USER_ID_CLAIM])
        return token
    except (TokenError, ValueError, KeyError, AttributeError) as error:
        raise TokenNotValid(str(error)) from error


def _spend(token: Refresh) -> None:
    """The unique row decides who comes first; a second one at the same moment waits for it, and is refused."""
    row, _is_new = OutstandingToken.objects.get_or_create(
        jti=token[api_settings.JTI_CLAIM],
        defaults={"token": "", "expires_at": datetime_from_epoch(token["exp"])},  # nosec B105
    )
    _row, is_first = BlacklistedToken.objects.get_or_create(token=row)
    if not is_first:
        _note_reuse(token)
        raise TokenNotValid("used at the same moment")


def _note_reuse(token: Refresh) -> None:
    owner = User.objects.filter(pk=token[api_settings.USER_ID_CLAIM]).first()
    trail.record_failure(Kind.TOKEN_REUSED, user=owner, sign_in=trail.digest(token.get(SIGN_IN, "")))
