"""Reads about people."""

from django.db.models import Q

from marketplace.accounts.models import User


def public_person(name: str) -> User | None:
    """The person behind a handle or a username, unless they are gone or blocked."""
    found = User.objects.alive().filter(is_active=True)
    return found.filter(Q(handle=name.lower()) | Q(username__iexact=name)).first()


def may_moderate(user: User) -> bool:
    """Whether this person works at the moderation screens."""
    return bool(user.is_active and user.is_staff and user.has_perm("listings.moderate_listing"))
