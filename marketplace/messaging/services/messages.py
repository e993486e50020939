"""Saying something: once, in order, after the contact guard has looked at it."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, When
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core import realtime
from marketplace.core.cache import bump, person
from marketplace.core.ids import floor_for, uuid7
from marketplace.core.prepared import Prepared, PreparedUpdate, Slot
from marketplace.listings.models import Listing
from marketplace.messaging import guard, presence
from marketplace.messaging.attachments import Attachment
from marketplace.messaging.errors import (
    Blocked,
    ClientIdReused,
    ContactSeen,
    EmptyMessage,
    MessageIsGone,
    MessageTooLong,
    NotYourMessage,
    TooLateToEdit,
)
from marketplace.messaging.models import MAX_TEXT, Block, Conversation, Message, MessageEdit, Participant
from marketplace.messaging.services.threads import open_about, tell_later, topic
from marketplace.messaging.shown import as_data
from marketplace.notifications.services import notify

logger = logging.getLogger("marketplace.messaging")

Kind = Message.Kind
# Steps of trades are named by their trade, so that telling one twice tells it once.
_STEPS = UUID("6f0d7f5e-8f7c-4d53-9a51-1d2f6a7c9b10")


# What every message asks and changes; compiling these costs more than asking them (docs/decisions/0007). Both sides come
# with their conversation and are locked with it: whoever writes in it waits for the one before, which makes an order.
def _both_sides() -> QuerySet[Participant]:
    mine = Q(conversation__buyer=Slot("party")) | Q(conversation__seller=Slot("party"))
    both = Participant.objects.filter(mine, conversation=Slot("conversation")).order_by("pk")
    return both.select_related("conversation").select_for_update(of=("self", "conversation"))


def _friends() -> QuerySet[Participant]:
    buyer, seller = OuterRef("conversation__buyer"), OuterRef("conversation__seller")
    blocks = Block.objects.filter(Q(blocker=buyer, blocked=seller) | Q(blocker=seller, blocked=buyer))
    # Who has deleted their account reads nothing any more.
    here = {"conversation__buyer__deleted_at": None, "conversation__seller__deleted_at": None}
    return _both_sides().filter(~Exists(blocks), **here)


_sides, _sides_of_friends = Prepared(_both_sides), Prepared(_friends)
_is_last = PreparedUpdate(
    lambda: Conversation.objects.filter(pk=Slot("pk")),
    last_message=Slot("message"),
    last_message_at=Slot("at"),
    updated_at=Slot("at"),
)
_waits = PreparedUpdate(
    lambda: Participant.objects.filter(conversation=Slot("conversation")),
    last_message_at=Slot("at"),
    is_hidden=False,
    unread=Case(
        When(~Q(user=Slot("sender")), then=F("unread") + 1),
        default=F("unread"),
        output_field=IntegerField(),
    ),
)


def send(
    *,
    conversation_id: UUID,
    sender: User,
    text: str = "",
    client_id: UUID | None = None,
    attachment: Attachment | None = None,
    send_anyway: bool = False,
) -> Message:
    """Say something in one's own conversation. The same `client_id` again is the same message, and says it once.

    `send_anyway` overrides the contact guard where its rules allow that; moderators see what was overridden.

    Raises Conversation.DoesNotExist, EmptyMessage, MessageTooLong, Blocked, ContactSeen, ClientIdReused.
    """
    text = _clean(text)
    if not text and attachment is None:
        raise EmptyMessage(str(conversation_id))
    client_id = client_id or uuid.uuid4()
    overridden = _guarded(text, send_anyway=send_anyway)
    try:
        with _files_go_with_their_rows() as files, transaction.atomic():
            sides = _locked(_sides_of_friends, conversation_id, sender)
            conversation = sides[0].conversation
            message = Message(
                pk=_next_key(conversation),
                conversation=conversation,
                sender=sender,
                client_id=client_id,
                text=text,
                overridden=overridden,
            )
            if attachment is not None:
                _attach(message, attachment)
                files.append(message.attachment)
            message.save(force_insert=True)
            _after(sides, message)
    except (IntegrityError, Blocked):
        # Asked only now: of a thousand messages one comes again.
        if known := _said(conversation_id, sender, client_id):
            return _same(known, text)
        raise
    return message


@contextmanager
def _files_go_with_their_rows() -> Iterator[list[Any]]:
    """An error inside takes away the files that were noted, so that none is left without its message."""
    files: list[Any] = []
    try:
        yield files
    except BaseException:
        for file in files:
            file.storage.delete(file.name)
        raise


def _same(known: Message, text: str) -> Message:
    """A repeat, of what may have been changed or taken back since."""
    if known.text != text and not known.edited_at and not known.is_deleted:
        raise ClientIdReused(str(known.pk))
    return known


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if len(text) > MAX_TEXT:
        raise MessageTooLong(f"{len(text)} characters")
    return text


def _guarded(text: str, *, send_anyway: bool) -> list[str]:
    """What the guard saw and the sender sends all the same. Raises ContactSeen."""
    findings = guard.inspect(text, own_hosts=_own_hosts()) if text else []
    if not findings:
        return []
    kinds = list(dict.fromkeys(str(one.kind) for one in findings))
    may_override = all(guard.RULES[one.kind].may_override for one in findings)
    if send_anyway and may_override:
        return kinds
    raise ContactSeen(findings, may_override=may_override, details=_told(findings, may_override=may_override))


def _told(findings: Sequence[Any], *, may_override: bool) -> dict[str, Any]:
    return {
        "may_override": may_override,
        "findings": [
            {
                "kind": str(one.kind),
                "seen": one.seen,
                "start": one.start,
                "end": one.end,
                "why": str(guard.RULES[one.kind].why),
            }
            for one in findings
        ],
    }


def _own_hosts() -> frozenset[str]:
    return frozenset({urlsplit(settings.SITE_URL).netloc})


def _locked(which: Prepared[Participant], conversation_id: UUID, party: User) -> list[Participant]:
    """Both sides of a person's own conversation, and itself, locked. Raises Conversation.DoesNotExist, Blocked."""
    sides = which(conversation=conversation_id, party=party.pk)
    if sides:
        return sides
    if which is _sides_of_friends and Conversation.objects.of(party).filter(pk=conversation_id).exists():
        raise Blocked(f"{party.pk} in {conversation_id}")
    raise Conversation.DoesNotExist(conversation_id)


def _said(conversation_id: UUID, sender: User | None, client_id: UUID) -> Message | None:
    said = Message.objects.filter(conversation=conversation_id, sender=sender, client_id=client_id)
    return said.select_related("sender").first()


def _next_key(conversation: Conversation) -> UUID:
    """Greater than all before it, even when another process's clock is ahead of ours."""
    key, last = uuid7(), conversation.last_message_id
    return key if last is None or key > last else UUID(int=last.int + 1)


def _key_of(at: datetime) -> UUID:
    """The key of a step: it stands where it happened, though it may be noted a little later."""
    return UUID(int=floor_for(at).int | uuid7().int & ((1 << 80) - 1))


def _attach(message: Message, attachment: Attachment) -> None:
    message.kind = Kind.IMAGE if attachment.is_picture else Kind.FILE
    message.attachment_name, message.attachment_type = attachment.name, attachment.type
    message.attachment_size = len(attachment.content)
    message.width, message.height = attachment.width, attachment.height
    message.attachment.save(attachment.name, ContentFile(attachment.content), save=False)


def _after(sides: Sequence[Participant], message: Message) -> None:
    """What a new message changes around it, in the same transaction; `sides` are locked, and as they were before it."""
    conversation = message.conversation
    at = max(message.created_at, conversation.last_message_at)
    if conversation.last_message_id is None or message.pk > conversation.last_message_id:
        _is_last(pk=conversation.pk, message=message.pk, at=at)
    realtime.publish(topic(conversation.pk), "message_received", as_data(message))
    if message.sender_id is None:
        # Of a step both are notified, so nobody has to come and read it.
        Participant.objects.filter(conversation=conversation).update(last_message_at=at, is_hidden=False)
        bump(*(person(side.user_id) for side in sides))
        return
    _waits(conversation=conversation.pk, sender=message.sender_id, at=at)
    for side in sides:
        if side.user_id != message.sender_id:
            bump(person(side.user_id))
            realtime.publish(
                f"user:{side.user_id}", "chat_message", {"conversation_id": str(conversation.pk)}
            )
            if not side.unread:
                tell_later(side)


def tell_unread(*, conversation_id: UUID, user_id: UUID) -> bool:
    """Notify a person of messages they have not read, unless they are there now or have muted the thread."""
    side = (
        Participant.objects.filter(conversation=conversation_id, user=user_id, unread__gt=0, is_muted=False)
        .select_related("user", "conversation__buyer", "conversation__seller")
        .first()
    )
    if side is None or presence.is_here(user_id):
        return False
    other = side.conversation.other(side.user)
    notify(
        user=side.user,
        kind="message_received",
        # What was said stays in the chat: a mail passes through more hands.
        context={"person": other.display_name},
        action_url=reverse("messaging:thread", args=[conversation_id]),
    )
    return True


@transaction.atomic
def edit(
    *, conversation_id: UUID, message_id: UUID, sender: User, text: str, send_anyway: bool = False
) -> Message:
    """Change one's own words within 15 minutes. What they were is kept for moderators.

    Raises Message.DoesNotExist, NotYourMessage, MessageIsGone, TooLateToEdit, EmptyMessage, MessageTooLong, ContactSeen.
    """
    message = _own(conversation_id, message_id, sender)
    if message.kind == Kind.SYSTEM or timezone.now() - message.created_at > settings.CHAT_EDIT_WINDOW:
        raise TooLateToEdit(str(message.pk))
    text = _clean(text)
    if not text and message.kind == Kind.TEXT:
        raise EmptyMessage(str(message.pk))
    if text == message.text:
        return message
    overridden = _guarded(text, send_anyway=send_anyway)
    MessageEdit.objects.create(message=message, text=message.text)
    message.text, message.edited_at = text, timezone.now()
    message.overridden = sorted({*message.overridden, *overridden})
    message.save(update_fields=["text", "edited_at", "overridden"])
    realtime.publish(topic(conversation_id), "message_edited", as_data(message))
    return message


@transaction.atomic
def take_back(*, conversation_id: UUID, message_id: UUID, sender: User) -> Message:
    """Delete one's own message for both: a mark stays where it was. Twice is harmless.

    What was reported before is kept with the report. Raises Message.DoesNotExist, NotYourMessage.
    """
    message = _own(conversation_id, message_id, sender, is_gone_too=True)
    if not message.is_deleted:
        empty(message)
    return message


def empty(message: Message) -> None:
    """Take what a message says, and its file, away from both. Run it in a transaction."""
    storage, name = message.attachment.storage, message.attachment.name
    if message.text:
        MessageEdit.objects.create(message=message, text=message.text)
    message.text, message.attachment, message.deleted_at = "", "", timezone.now()
    message.attachment_name = message.attachment_type = ""
    message.attachment_size = message.width = message.height = 0
    message.save()
    if name:
        transaction.on_commit(lambda: storage.delete(name))
    realtime.publish(topic(message.conversation_id), "message_deleted", as_data(message))


def _own(conversation_id: UUID, message_id: UUID, sender: User, *, is_gone_too: bool = False) -> Message:
    """One's own message, locked."""
    visible = Message.objects.filter(conversation__in=Conversation.objects.of(sender))
    message = (
        visible.select_for_update(of=("self",))
        .select_related("sender")
        .get(pk=message_id, conversation=conversation_id)
    )
    if message.sender_id != sender.pk:
        raise NotYourMessage(str(message.pk))
    if message.is_deleted and not is_gone_too:
        raise MessageIsGone(str(message.pk))
    return message


def note_step(
    *,
    listing: Listing,
    buyer: User,
    trade_id: UUID,
    step: str,
    at: datetime,
    amount: int | None = None,
    currency: str = "",
    deadline: datetime | None = None,
) -> Message:
    """Put a step of a trade into the thread of its two people. Noting a step twice notes it once.

    `amount` in minor units of `currency`; `step` is a key of `cards.CARDS`.
    """
    data: dict[str, Any] = {"step": step, "trade_id": str(trade_id)}
    if amount is not None:
        data |= {"amount": amount, "currency": currency}
    if deadline is not None:
        data["deadline"] = deadline.isoformat()
    client_id = uuid.uuid5(_STEPS, f"{trade_id}:{step}:{at.isoformat()}")
    opened = open_about(listing=listing, buyer=buyer)
    with transaction.atomic():
        sides = _locked(_sides, opened.pk, buyer)
        if known := _said(opened.pk, None, client_id):
            return known
        message = Message(
            pk=_key_of(at),
            conversation=sides[0].conversation,
            client_id=client_id,
            kind=Kind.SYSTEM,
            data=data,
            created_at=at,
        )
        message.save(force_insert=True)
        _after(sides, message)
    return message
