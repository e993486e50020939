"""Reads about people."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Exists, F, ForeignObjectRel, OuterRef, Q, QuerySet
from django.http import HttpRequest

from marketplace.accounts import second_factor
from marketplace.accounts.models import PayoutLock, SecurityEvent, SignIn, User

if TYPE_CHECKING:
    from rest_framework.request import Request


def person(request: HttpRequest | Request) -> User:
    """Who is signed in, behind `login_required` or the API's permission classes."""
    return cast("User", request.user)


def open_sign_ins(user: User, *, at: datetime) -> QuerySet[SignIn]:
    """Where this person is signed in, the last seen first."""
    return SignIn.objects.open(at).filter(user=user).order_by("-seen_at")


def security_events_of(user: User) -> QuerySet[SecurityEvent]:
    """What has happened to this person's account and data, and what they have done with others', the latest first."""
    return SecurityEvent.objects.filter(Q(user=user) | Q(actor=user))


def owner_of(number: str) -> User | None:
    """Whom a code to this number lets in."""
    confirmed = User.objects.alive().filter(phone_number=number, phone_confirmed_at__isnull=False)
    return confirmed.filter(is_active=True).first()


@dataclass(frozen=True, slots=True)
class WaysIn:
    """What opens a person's account. `phone`: empty unless it is confirmed."""

    has_password: bool
    has_passkey: bool
    phone: str
    accounts: list[SocialAccount]

    @property
    def providers(self) -> set[str]:
        """Of whom they have an account connected: "google", "telegram"."""
        return {account.provider for account in self.accounts}

    def is_last(self, account: SocialAccount | None = None) -> bool:
        """Whether nothing is left when this account, or else the phone, opens it no longer."""
        others = [one for one in self.accounts if account is None or one.pk != account.pk]
        phone = self.phone if account is not None else ""
        return not (self.has_password or self.has_passkey or others or phone)


def ways_in(user: User) -> WaysIn:
    """Two queries."""
    return WaysIn(
        has_password=user.has_usable_password(),
        has_passkey=Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists(),
        phone=(user.phone_number or "") if user.phone_confirmed_at and settings.SMS_PROVIDER else "",
        accounts=list(SocialAccount.objects.filter(user=user).order_by("pk")),
    )


def payout_lock_of(user_id: uuid.UUID, *, at: datetime) -> PayoutLock | None:
    """What keeps this person's money from going out; the longest of several."""
    return (
        PayoutLock.objects.holding(at)
        .filter(user=user_id)
        .order_by(F("ends_at").desc(nulls_first=True))
        .first()
    )


# What anybody has who has only signed up; it goes with them.
_COMES_WITH_SIGN_UP = {"accounts", "account", "notifications", "token_blacklist"}


def unverified(*, before: datetime) -> QuerySet[User]:
    """People who signed up before that moment, never confirmed an address, and own nothing in any app."""
    found = User.objects.filter(created_at__lt=before, is_verified=False, is_staff=False, is_superuser=False)
    found = found.exclude(Exists(EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)))
    for relation in User._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel) or relation.many_to_many:
            continue
        model = relation.related_model
        if model._meta.app_label not in _COMES_WITH_SIGN_UP:
            owned = model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
            found = found.exclude(Exists(owned))
    return found


def public_person(name: str) -> User | None:
    """The person behind a handle or a username, unless they are gone or blocked."""
    found = User.objects.alive().filter(is_active=True)
    return found.filter(Q(handle=name.lower()) | Q(username__iexact=name)).first()


def is_staff_with(user: User, permission: str) -> bool:
    """Whether this person works at the screens that ask for this permission ("app.codename")."""
    works = user.is_active and user.is_staff and user.has_perm(permission)
    return bool(works and not second_factor.is_missing(user))


def staff_with(app: str, codename: str) -> QuerySet[User]:
    """Everybody of the staff who has this permission, by themselves, by a group or as a superuser."""
    permission = Permission.objects.filter(codename=codename, content_type__app_label=app)
    entitled = (
        Q(is_superuser=True) | Q(user_permissions__in=permission) | Q(groups__permissions__in=permission)
    )
    return User.objects.alive().filter(entitled, is_active=True, is_staff=True).distinct()
