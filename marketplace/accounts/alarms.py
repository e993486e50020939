"""\"This was not me\": whoever reads the mail about a new sign-in shuts everybody out, themselves too, and locks the money.

The link in the mail names the device and is signed. The device is forgotten with the first use, so the link is good once;
it sets no password: that takes a fresh mail.
"""

import logging
import uuid

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from marketplace.accounts import services, trail
from marketplace.accounts.models import KnownDevice, PayoutLock, User
from marketplace.accounts.trail import Kind
from marketplace.core import jobs

logger = logging.getLogger(__name__)

_SALT = "accounts.alarms"


def token_of(device_id: uuid.UUID | str) -> str:
    return signing.dumps(str(device_id), salt=_SALT)


def device_of(token: str) -> KnownDevice | None:
    """The sign-in a link is about; None for a link that is made up, too old or used."""
    try:
        device_id = signing.loads(token, salt=_SALT, max_age=settings.ALARM_LINK_AGE)
    except signing.BadSignature:
        return None
    try:
        found = KnownDevice.objects.select_related("user").filter(
            pk=device_id, user__is_active=True, user__deleted_at__isnull=True
        )
        return found.first()
    except (ValueError, ValidationError):
        return None


@transaction.atomic
def raise_alarm(*, token: str) -> User | None:
    """End every sign-in and other way in, make the password useless, lock payouts, and mail a link for a new password.

    Returns whose account it was, None where the link is good no more: it is good once, also when it is pressed twice at
    the same moment.
    """
    device = device_of(token)
    if device is None:
        return None
    user = User.objects.select_for_update().get(pk=device.user_id)
    if not KnownDevice.objects.filter(pk=device.pk).delete()[0]:
        return None
    trail.record(Kind.NOT_ME, user=user, device=device.name)
    trail.record(Kind.PAYOUTS_LOCKED, user=user, about=PayoutLock.objects.create(user=user))
    # The stranger knows the password. It stays among the used ones, so that it is not chosen again.
    if user.has_usable_password() and not user.old_passwords.filter(password=user.password).exists():
        services.remember_password(user=user)
    services.change_password(user=user, password=None, told=None)
    # The stranger may have connected an account or a phone of theirs; the owner connects their own again.
    SocialAccount.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(phone_confirmed_at=None)
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    jobs.enqueue(
        "tasks.notifications.send_password_reset_email",
        user_id=str(user.pk),
        token=f"{user_pk_to_url_str(user)}-{key}",
    )
    logger.warning("person %s says that a sign-in was not theirs: everything is ended and locked", user.pk)
    return user


@transaction.atomic
def lift(*, lock_id: uuid.UUID, actor: User) -> None:
    """Staff has spoken with the person: money may go out again. Twice is harmless."""
    lock = PayoutLock.objects.filter(pk=lock_id).first()
    lifted = PayoutLock.objects.filter(pk=lock_id, lifted_at__isnull=True).exclude(user=actor)
    if lock and lifted.update(lifted_at=timezone.now(), lifted_by=actor):
        trail.record(Kind.PAYOUTS_UNLOCKED, user=lock.user_id, actor=actor, about=lock)
        logger.info("payout lock %s lifted by %s", lock_id, actor.pk)
