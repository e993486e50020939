"""What conversations know of a person (see `accounts.traces`)."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.accounts.traces import File, Leaver, Part, Row, Share
from marketplace.messaging import cards
from marketplace.messaging.models import (
    Block,
    Conversation,
    Message,
    MessageEdit,
    MessageReport,
    Participant,
    Presence,
)
from marketplace.notifications.services import forget_name


def _conversations(user: User) -> Iterator[Row]:
    for side in _sides(user).iterator(chunk_size=500):
        conversation = side.conversation
        yield {
            "id": conversation.pk,
            "about": conversation.listing.title if conversation.listing else None,
            "with": conversation.other(user).display_name,
            "created_at": conversation.created_at,
            "last_read_at": side.last_read_at,
            "deleted_by_you_at": side.cleared_at,
            "is_muted": side.is_muted,
        }


def _messages(user: User) -> Iterator[Row]:
    """As both see them; what the person has deleted for themselves only where they said it."""
    cleared = dict(Participant.objects.filter(user=user).values_list("conversation_id", "cleared_at"))
    rows = Message.objects.filter(conversation__participants__user=user).order_by("conversation_id", "pk")
    for message in rows.iterator(chunk_size=500):
        is_yours = message.sender_id == user.pk
        cleared_at = cleared.get(message.conversation_id)
        if cleared_at and message.created_at <= cleared_at and not is_yours:
            continue
        is_step = message.kind == Message.Kind.SYSTEM
        yield {
            "conversation": message.conversation_id,
            "from": "you" if is_yours else "other" if message.sender_id else "wibestore",
            "kind": message.kind,
            "text": cards.words(message.data) if is_step else message.text,
            "attachment": _file_name(message) if is_yours and message.attachment else message.attachment_name,
            "created_at": message.created_at,
            "read_at": message.read_at,
            "edited_at": message.edited_at,
            "taken_back_at": message.deleted_at,
        }


def _sent_files(user: User) -> Iterator[File]:
    for message in (
        Message.objects.filter(sender=user).exclude(attachment="").order_by("pk").iterator(chunk_size=500)
    ):
        yield File(_file_name(message), message.attachment.storage, str(message.attachment.name))


def _file_name(message: Message) -> str:
    return f"{message.pk.hex}-{message.attachment_name}"


def _peace(user: User) -> Iterator[Row]:
    for block in Block.objects.filter(blocker=user).select_related("blocked").order_by("pk"):
        yield {"what": "blocked", "person": block.blocked.display_name, "created_at": block.created_at}
    for report in MessageReport.objects.filter(reporter=user).order_by("pk"):
        yield {
            "what": "reported",
            "reason": report.reason,
            "note": report.note,
            "text": report.text,
            "status": report.status,
            "created_at": report.created_at,
            "decided_at": report.decided_at,
        }
    for seen_at in Presence.objects.filter(user=user).values_list("seen_at", flat=True):
        yield {"what": "last_seen", "created_at": seen_at}


def _sides(user: User) -> QuerySet[Participant]:
    return (
        Participant.objects.filter(user=user)
        .select_related("conversation__listing", "conversation__buyer", "conversation__seller")
        .order_by("conversation_id")
    )


# --- Forgetting -------------------------------------------------------------------------------------


def _forget(leaver: Leaver) -> None:
    """What was said stays with whom it was said to; the files go, and what was said before a change."""
    user = leaver.user
    sent = Message.objects.filter(sender=user)
    filed = sent.exclude(attachment="")
    leaver.discard(filed.values_list("attachment", flat=True), storage="private")
    without = {
        "attachment": "", "attachment_name": "", "attachment_type": "", "attachment_size": 0, "width": 0, "height": 0,
    }  # fmt: skip
    filed.filter(text="").update(deleted_at=timezone.now(), **without)
    filed.update(kind=Message.Kind.TEXT, **without)
    MessageEdit.objects.filter(message__sender=user).delete()
    Block.objects.filter(Q(blocker=user) | Q(blocked=user)).delete()
    Presence.objects.filter(user=user).delete()
    readers = {
        conversation.other_id(user) for conversation in Conversation.objects.of(user).only("buyer", "seller")
    }
    forget_name(name=leaver.name, readers=readers)


SHARE = Share(
    app="messaging",
    parts=(
        Part(
            "conversations",
            _("With whom you talked, and about what."),
            ("messaging.Conversation", "messaging.Participant"),
            _conversations,
        ),
        Part(
            "messages",
            _("What was said in your conversations, with the files you sent."),
            ("messaging.Message",),
            _messages,
            _sent_files,
        ),
        Part(
            "peace",
            _("Whom you blocked, what you reported, when you were last seen in a conversation."),
            ("messaging.Block", "messaging.MessageReport", "messaging.Presence"),
            _peace,
        ),
    ),
    forget=_forget,
)
