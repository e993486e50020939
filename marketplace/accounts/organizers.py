"""Who may hold events: people ask, a moderator decides."""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from marketplace.accounts.deletion import must_stay
from marketplace.accounts.errors import AlreadyOrganizer, OrganizerDecided, OwnApplication
from marketplace.accounts.facts import OrganizerApplied, OrganizerJudged
from marketplace.accounts.models import OrganizerProfile, User
from marketplace.core.announce import announce

logger = logging.getLogger(__name__)

Status = OrganizerProfile.Status


@dataclass(frozen=True, slots=True)
class Words:
    """What people read of an organiser. `instagram`: the name there, None where there is none."""

    display_name: str
    bio: str
    city: str
    instagram: str | None = None


def profile_of(user: User) -> OrganizerProfile | None:
    return OrganizerProfile.objects.filter(user=user).first()


def is_organizer(user: User) -> bool:
    return OrganizerProfile.objects.filter(user=user, status=Status.APPROVED).exists()


def applications(*, is_open: bool = True) -> QuerySet[OrganizerProfile]:
    """Those that wait, the longest first; or those that are decided, the latest first. With both people."""
    found = OrganizerProfile.objects.select_related("user", "decided_by")
    if is_open:
        return found.filter(status=Status.PENDING).order_by("applied_at", "pk")
    return found.exclude(status=Status.PENDING).order_by("-decided_at", "-pk")


def apply(*, user: User, words: Words, at: datetime) -> OrganizerProfile:
    """Ask to hold events. Again while it waits changes the words; again after a rejection waits anew.

    Raises AlreadyOrganizer, AccountLeaving.
    """
    must_stay(user)
    try:
        return _applied(user, words, at)
    except IntegrityError:
        # Another press of the same button was first: its row is there now.
        return _applied(user, words, at)


@transaction.atomic
def _applied(user: User, words: Words, at: datetime) -> OrganizerProfile:
    known = OrganizerProfile.objects.select_for_update().filter(user=user).first()
    if known is not None and known.status == Status.APPROVED:
        raise AlreadyOrganizer(str(user.pk))
    profile = known or OrganizerProfile(user=user)
    was_waiting = known is not None and known.status == Status.PENDING
    profile.display_name, profile.bio, profile.city = words.display_name, words.bio, words.city
    profile.instagram = words.instagram
    profile.status, profile.reason, profile.decided_at, profile.decided_by = Status.PENDING, "", None, None
    if not was_waiting:
        profile.applied_at = at
    profile.save()
    if not was_waiting:
        announce(OrganizerApplied(profile_id=profile.pk, user_id=user.pk, is_again=known is not None))
    return profile


@transaction.atomic
def decide(*, profile_id: uuid.UUID, actor: User, reason: str = "", at: datetime) -> OrganizerProfile:
    """Let somebody hold events, or, with a reason, not. The same answer twice is harmless.

    Raises OrganizerProfile.DoesNotExist, OwnApplication, and OrganizerDecided when the answer was another one.
    """
    profile = OrganizerProfile.objects.select_for_update().get(pk=profile_id)
    if profile.user_id == actor.pk:
        raise OwnApplication(str(profile.pk))
    answer = Status.REJECTED if reason else Status.APPROVED
    if profile.status == answer:
        return profile
    if profile.status != Status.PENDING:
        raise OrganizerDecided(f"{profile.pk} is {profile.status}")
    profile.status, profile.reason = answer, reason[:500]
    profile.decided_at, profile.decided_by = at, actor
    profile.save()
    logger.info("organiser %s %s by %s", profile.pk, profile.status, actor.pk)
    announce(OrganizerJudged(profile_id=profile.pk, user_id=profile.user_id, reason=profile.reason))
    return profile


def verify(*, profile_id: uuid.UUID, actor: User) -> bool:
    """Note that staff has checked who an organiser is, beyond having let them in. Whether it was not noted before.

    Only of somebody who may hold events, and never by themselves.
    """
    approved = OrganizerProfile.objects.filter(pk=profile_id, status=Status.APPROVED, is_verified=False)
    done = approved.exclude(user=actor).update(is_verified=True)
    if done:
        logger.info("organiser %s verified by %s", profile_id, actor.pk)
    return bool(done)
