"""Writes about people."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from marketplace.accounts import closing, devices, selectors, sign_ins, trail, ways
from marketplace.accounts.facts import PersonVerified, ZoneChanged
from marketplace.accounts.models import PasswordHistory, PayoutLock, User
from marketplace.accounts.trail import Kind
from marketplace.core.announce import announce
from marketplace.core.cache import bump, person
from marketplace.core.live import endings

REMEMBERED_PASSWORDS = 5
_FORGOTTEN_AT_ONCE = 1000


@transaction.atomic
def register(*, user: User, language: str, password: str | None) -> User:
    """Save a person who has just signed up, in the language they read the form in."""
    user.email = user.email.lower()
    user.language = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    user.password = make_password(
        password
    )  # (not `set_password`: audit.note_password would tell it once more)
    user.save()
    if password is not None:
        remember_password(user=user)
    trail.record(Kind.SIGNED_UP, user=user)
    return user


@transaction.atomic
def sign_up(*, user: User, email: str, language: str, password: str) -> EmailAddress:
    """Register a person who signs up through the API. Returns their address, which is still to be confirmed.

    What allauth does for the page around `register`. Raises IntegrityError when somebody has the address, the username or
    the number by now.
    """
    user.email = email
    register(user=user, language=language, password=password)
    return EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)


def remember_password(*, user: User) -> None:
    """Note the hash in use, and forget all but the last few."""
    PasswordHistory.objects.create(user=user, password=user.password)
    kept = (
        PasswordHistory.objects.filter(user=user).order_by("-created_at").values("pk")[:REMEMBERED_PASSWORDS]
    )
    PasswordHistory.objects.filter(user=user).exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


@transaction.atomic
def change_password(
    *,
    user: User,
    password: str | None,
    here: uuid.UUID | None = None,
    told: Kind | None = Kind.PASSWORD_CHANGED,
) -> None:
    """Set a new password, or none. Whoever is signed in with the old one is out, but for the sign-in `here`.

    A lock of payouts that waited for it has an end from now on. `told`: as what the trail has it; None when the caller tells.
    """
    user.password = make_password(password)
    if told:
        trail.record(told, user=user)
    user.save(update_fields=["password", "updated_at"])
    if password is not None:
        remember_password(user=user)
        PayoutLock.objects.filter(user=user, ends_at__isnull=True).update(
            ends_at=timezone.now() + settings.PAYOUT_LOCK_AFTER_RESET
        )
    sign_ins.end_all(user=user, but=here)
    devices.distrust_all(user=user)
    endings.recheck(user.pk)  # what is open under the old password closes


@transaction.atomic
def mark_verified(*, user_id: uuid.UUID) -> None:
    """The person has shown that the address is theirs."""
    trail.record(Kind.EMAIL_CONFIRMED, user=user_id)
    if User.objects.filter(pk=user_id, is_verified=False).update(is_verified=True):
        announce(PersonVerified(user_id=user_id))


def forget_unverified(*, at: datetime) -> int:
    """Forget people who signed up a week ago, never confirmed an address and own nothing. Returns how many.

    Source: the client's task `cleanup_unverified_users`.
    """
    due = selectors.unverified(before=at - settings.UNVERIFIED_KEPT).order_by("pk")
    forgotten = 0
    for user_id in due.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE]:
        with transaction.atomic():
            # Locked: whoever confirms at this very moment has either done so, or finds the link too old.
            user = User.objects.select_for_update().filter(pk=user_id, is_verified=False).first()
            if user is not None:
                user.delete()
                forgotten += 1
    return forgotten


@transaction.atomic
def save_by_staff(*, user: User, changed: Iterable[str] = ()) -> None:
    """Save a person as staff has made or changed them. Of one who is switched off nothing stays on sale.

    Switching them on again puts nothing back: that is theirs to do. `changed`: names of fields, for the trail.
    """
    is_new = user._state.adding
    if not user.is_active:
        closing.close(user.pk)  # first: trades lock what is for sale before they touch its seller
        sign_ins.end_all(user=user)
    if not is_new:
        _drop_old_picture(user)
    user.save()
    trail.record(Kind.CHANGED_BY_STAFF, user=user, fields=sorted(changed), is_new=is_new)
    bump("catalogue", f"seller:{user.pk}")
    endings.recheck(user.pk)


@transaction.atomic
def delete_by_staff(*, user: User) -> None:
    """Delete a person who owns nothing (else the database refuses). What happened to them stays on the trail."""
    trail.record(Kind.CHANGED_BY_STAFF, user=user, is_deleted=True)
    user.delete()


@transaction.atomic
def edit_profile(*, user: User, changed: list[str]) -> None:
    """Save the named fields of a validated profile form."""
    fields = [*changed, "updated_at"]
    if "phone_number" in changed and user.phone_confirmed_at:
        user.phone_confirmed_at = None  # another number is another phone
        fields.append("phone_confirmed_at")
        ways.note_removed(user_id=user.pk, way="phone", name="")
    if changed:
        _drop_old_picture(user)
        user.save(update_fields=fields)
        # Name and picture stand on every card of a seller.
        bump("catalogue", f"seller:{user.pk}")
    if "timezone" in changed:
        announce(ZoneChanged(user_id=user.pk))


def _drop_old_picture(user: User) -> None:
    """The file that nobody is shown any more goes, once the new one is saved."""
    old = User.objects.filter(pk=user.pk).values_list("avatar", flat=True).first()
    if old and old != user.avatar.name:
        transaction.on_commit(lambda: default_storage.delete(old), robust=True)


@transaction.atomic
def set_plan(*, user_id: uuid.UUID, plan: str) -> None:
    """Note which plan a person has (a value of `User.Plan`). Subscriptions call it, in the transaction that pays for it."""
    User.objects.filter(pk=user_id).update(plan=plan)
    # The badge stands in their header, on their page and on every card of theirs.
    bump("catalogue", f"seller:{user_id}", person(user_id))


def note_sale(*, seller_id: uuid.UUID, buyer_id: uuid.UUID) -> None:
    """Count a finished trade for both sides, in key order so that two trades never wait for each other crosswise."""
    counters = {seller_id: "total_sales", buyer_id: "total_purchases"}
    for user_id in sorted(counters):
        counter = counters[user_id]
        User.objects.filter(pk=user_id).update(**{counter: F(counter) + 1})
