"""Deleting one's account: asked for, waited for, done by the clock.

While it waits the account neither buys nor sells, and its owner can take the wish back. Then every app forgets the person
(`traces`): what the books must keep stays with "Deleted user". All of it is one transaction; files and the last mail are jobs
of that transaction, so a process that dies in between has done nothing, or will do the rest.
"""

import logging
import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from marketplace.accounts import closing, traces, trail
from marketplace.accounts.errors import AccountLeaving, DeletionRefused, StaffStays
from marketplace.accounts.facts import DeletionAsked, DeletionPutOff, DeletionTakenBack
from marketplace.accounts.models import User
from marketplace.accounts.trail import Kind
from marketplace.core import files, jobs
from marketplace.core.announce import announce
from marketplace.core.cache import bump

logger = logging.getLogger(__name__)

_AT_ONCE = 100


def must_stay(user: User) -> None:
    """Raises AccountLeaving for somebody whose account waits to be deleted: they neither buy nor sell."""
    if user.is_leaving:
        raise AccountLeaving(str(user.pk))


@transaction.atomic
def ask(*, user: User, at: datetime) -> datetime:
    """Let the wait begin; until when it is. Asking again changes nothing.

    What is on sale is withdrawn. Raises StaffStays, and DeletionRefused while `traces.obstacles` names anything.
    """
    closing.close(user.pk)  # first: trades lock what is for sale before they touch its seller
    leaver = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if leaver.is_staff or leaver.is_superuser:
        raise StaffStays(str(user.pk))
    if leaver.deletion_due_at is not None:
        return leaver.deletion_due_at
    if traces.obstacles(leaver):
        raise DeletionRefused(str(user.pk))
    leaver.deletion_due_at = at + settings.DELETION_WAIT
    leaver.save(update_fields=["deletion_due_at", "updated_at"])
    bump("catalogue", f"seller:{user.pk}")
    trail.record(Kind.DELETION_ASKED, user=user)
    announce(DeletionAsked(user_id=user.pk, due_at=leaver.deletion_due_at))
    logger.info("person %s asks to be deleted at %s", user.pk, leaver.deletion_due_at)
    return leaver.deletion_due_at


@transaction.atomic
def take_back(*, user: User) -> bool:
    """Keep the account. Whether it was to be deleted; what was withdrawn is theirs to put up again."""
    waiting = User.objects.filter(pk=user.pk, deletion_due_at__isnull=False, deleted_at__isnull=True)
    if not waiting.update(deletion_due_at=None):
        return False
    bump("catalogue", f"seller:{user.pk}")
    trail.record(Kind.DELETION_TAKEN_BACK, user=user)
    announce(DeletionTakenBack(user_id=user.pk))
    logger.info("person %s keeps their account", user.pk)
    return True


def sweep(*, at: datetime) -> int:
    """Delete the accounts whose wait is over; how many. Whoever was switched off meanwhile stays: staff has to see to it."""
    due = User.objects.filter(deletion_due_at__lte=at, deleted_at__isnull=True, is_active=True)
    done = 0
    for user_id in due.order_by("deletion_due_at").values_list("pk", flat=True)[:_AT_ONCE]:
        try:
            done += erase(user_id=user_id, at=at)
        except Exception:  # one account's trouble must not keep the others
            logger.exception("person %s could not be deleted", user_id)
    return done


@transaction.atomic
def erase(*, user_id: uuid.UUID, at: datetime) -> bool:
    """Delete one account whose wait is over. Whether it was; twice, and after it was taken back, does nothing.

    Where something has become open since, it is put off and the person is told. Raises DeletionRefused, and has done nothing,
    where that happens at this very moment.
    """
    due = User.objects.filter(deletion_due_at__lte=at, deleted_at__isnull=True, is_active=True)
    # Without the key: what is just being written about them elsewhere must not wait for us while we wait for it.
    user = due.select_for_update(no_key=True).filter(pk=user_id, is_staff=False, is_superuser=False).first()
    if user is None:
        return False
    if traces.obstacles(user):
        user.deletion_due_at = at + settings.DELETION_TRY_AGAIN
        user.save(update_fields=["deletion_due_at", "updated_at"])
        announce(DeletionPutOff(user_id=user.pk, due_at=user.deletion_due_at))
        logger.warning("person %s cannot be deleted yet", user.pk)
        return False
    leaver = traces.Leaver(user=user, name=user.display_name, email=user.email)
    language = user.language
    traces.forget(leaver)
    trail.record(Kind.DELETED, user=user_id)
    # Money may have come between the first look and the locks that forgetting takes; from here on none can.
    if traces.obstacles(user):
        raise DeletionRefused(f"{user.pk}, at the last moment")
    files.discard(leaver.files)
    # A job of its own: the address stands nowhere else any more, and goes with the job.
    jobs.enqueue(
        "tasks.notifications.send_account_email",
        template="account_deleted",
        email=leaver.email,
        language=language,
        context={"name": leaver.name, "signup_url": settings.SITE_URL + reverse("account_signup")},
    )
    bump("catalogue", f"seller:{user.pk}")
    logger.info("person %s is deleted", user.pk)
    return True
