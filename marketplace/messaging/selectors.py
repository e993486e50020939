"""Reads: a person's inbox, a thread as one of its two may see it, what moderators look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from marketplace.messaging import access, presence
from marketplace.messaging.models import Block, Conversation, Message, MessageReport, Participant

PAGE = 30
# So many messages at most come at once when a page catches up after a cut.
CATCH_UP = 200


def inbox(user: Any, *, query: str = "", only_unread: bool = False) -> QuerySet[Participant]:
    """A person's conversations, newest first, with both people, the listing and the last message.

    `query` looks in titles, names and what was said.
    """
    found = (
        Participant.objects.filter(user=user, is_hidden=False)
        .select_related(
            "conversation__listing__game",
            "conversation__buyer",
            "conversation__seller",
            "conversation__last_message",
        )
        .order_by("-last_message_at", "-id")
    )
    if only_unread:
        found = found.filter(unread__gt=0)
    if query := query.strip()[:100]:
        said = Message.objects.filter(
            conversation=OuterRef("conversation"),
            text__icontains=query,  # what was taken back has no text
            created_at__gt=Coalesce(OuterRef("cleared_at"), Value(datetime(1970, 1, 1, tzinfo=UTC))),
        )
        others = Q(conversation__buyer__full_name__icontains=query) & ~Q(conversation__buyer=user)
        others |= Q(conversation__seller__full_name__icontains=query) & ~Q(conversation__seller=user)
        found = found.filter(Q(conversation__listing__title__icontains=query) | others | Exists(said))
    return found


def unread_total(user: Any) -> int:
    """In how many conversations somebody waits for this person to read; muted ones are left out."""
    return Participant.objects.filter(user=user, unread__gt=0, is_muted=False, is_hidden=False).count()


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation as one person may see it. `side` is None for a moderator who only reads."""

    conversation: Conversation
    side: Participant | None

    @property
    def cleared_at(self) -> datetime | None:
        return self.side.cleared_at if self.side else None

    def messages(self) -> QuerySet[Message]:
        """What this person may see of it, newest first, with the senders."""
        found = (
            Message.objects.filter(conversation=self.conversation).select_related("sender").order_by("-id")
        )
        return found.filter(created_at__gt=self.cleared_at) if self.cleared_at else found


def thread_of(user: Any, conversation_id: UUID) -> Thread:
    """Raises Conversation.DoesNotExist for somebody else's: 404 in pages, API, sockets and for attachments alike."""
    conversation = Conversation.objects.select_related("listing__game", "buyer", "seller").get(
        pk=conversation_id
    )
    if conversation.is_party(user):
        return Thread(conversation, Participant.objects.get(conversation=conversation, user=user))
    if access.may_oversee(user, conversation):
        return Thread(conversation, None)
    raise Conversation.DoesNotExist(conversation_id)


def conversation_about(listing_id: UUID, buyer: Any, seller: Any) -> Conversation | None:
    return (
        Conversation.objects.filter(listing_id=listing_id, buyer=buyer, seller=seller)
        .select_related("listing__game", "buyer", "seller")
        .first()
    )


def page_of(thread: Thread, *, before: UUID | None = None) -> tuple[list[Message], bool]:
    """Up to PAGE messages in the order of the screen (oldest first), those before `before`, and whether older ones exist."""
    found = thread.messages()
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    return rows[:PAGE][::-1], len(rows) > PAGE


def since(thread: Thread, first: UUID) -> list[Message]:
    """What stands from this message on, oldest first: a page that was cut off lays it over what it shows."""
    return list(thread.messages().filter(pk__gte=first)[:CATCH_UP])[::-1]


def blocks_between(one: Any, other: Any) -> tuple[bool, bool]:
    """Whether the first blocks the second, and the second the first."""
    pairs = set(
        Block.objects.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one)).values_list(
            "blocker_id", flat=True
        )
    )
    one_id, other_id = getattr(one, "pk", one), getattr(other, "pk", other)
    return one_id in pairs, other_id in pairs


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether somebody is here now, and when they last were."""

    is_here: bool
    at: datetime | None = None


def seen(user: Any) -> Seen:
    if presence.is_here(user.pk):
        return Seen(is_here=True)
    return Seen(is_here=False, at=presence.last_seen(user.pk))


def attachment_of(user: Any, conversation_id: UUID, message_id: UUID) -> tuple[Thread, Message]:
    """A message with a file that this person may open, and its thread. Raises DoesNotExist otherwise."""
    thread = thread_of(user, conversation_id)
    return thread, thread.messages().exclude(attachment="").get(pk=message_id)


def reports(*, is_open: bool = True) -> QuerySet[MessageReport]:
    """Reported messages for moderators, oldest open ones first, newest decided ones first."""
    found = MessageReport.objects.select_related(
        "message__sender", "message__conversation__listing", "reporter", "decided_by"
    ).prefetch_related("message__edits")
    if is_open:
        return found.filter(status=MessageReport.Status.OPEN).order_by("id")
    return found.exclude(status=MessageReport.Status.OPEN).order_by("-id")


def around(report: MessageReport, *, each_side: int = 5) -> list[Message]:
    """The reported message among its neighbours, oldest first: what a moderator needs to understand it, and no more."""
    thread = Message.objects.filter(conversation=report.message.conversation_id).select_related("sender")
    before = list(thread.filter(pk__lte=report.message_id).order_by("-id")[: each_side + 1])[::-1]
    return before + list(thread.filter(pk__gt=report.message_id).order_by("id")[:each_side])


def overridden(*, most: int = 100) -> QuerySet[Message]:
    """Messages that were sent over the contact guard's warning, newest first."""
    return (
        Message.objects.exclude(overridden=[])
        .select_related("sender", "conversation__listing")
        .order_by("-id")[:most]
    )
