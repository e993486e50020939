"""What opens an account has changed: that goes on the trail, and the person is told."""

import uuid

from marketplace.accounts import trail
from marketplace.accounts.facts import WayInAdded, WayInRemoved
from marketplace.accounts.trail import Kind
from marketplace.core.announce import announce


def note_added(*, user_id: uuid.UUID, way: str, name: str) -> None:
    """In the caller's transaction; fields as in `WayInAdded`."""
    trail.record(Kind.WAY_ADDED, user=user_id, way=way)
    announce(WayInAdded(user_id=user_id, way=way, name=name))


def note_removed(*, user_id: uuid.UUID, way: str, name: str) -> None:
    """In the caller's transaction; fields as in `WayInAdded`."""
    trail.record(Kind.WAY_REMOVED, user=user_id, way=way)
    announce(WayInRemoved(user_id=user_id, way=way, name=name))
