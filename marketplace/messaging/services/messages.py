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
from django.db import transaction
from django.db.models import Case, F, IntegerField, Q, When
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core import jobs, realtime
from marketplace.core.cache import bump, person
from marketplace.core.ids import floor_for, uuid7
from marketplace.core.prepared import Prepared, Slot
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
from marketplace.messaging.services.threads import open_about, topic
from marketplace.messaging.shown import as_data
from marketplace.notifications.services import notify

logger = logging.getLogger("marketplace.messaging")

Kind = Message.Kind
# Steps of trades are named by their trade, so that telling one twice tells it once.
_STEPS = UUID("6f0d7f5e-8f7c-4d53-9a51-1d2f6a7c9b10")
# What every message asks before it is stored; compiling these costs more than asking them (docs/decisions/0007).
_of_party = Prepared(
    lambda: Conversation.objects.of(Slot("party")).filter(pk=Slot("pk")).select_for_update(of=("self",))
)
_said = Prepared(
    lambda: Message.objects.filter(
        conversation=Slot("conversation"), sender=Slot("sender"), client_id=Slot("client_id")
    ).select_related("sender")
)
_blocks = Prepared(
    lambda: Block.objects.filter(
        Q(blocker=Slot("one"), blocked=Slot("other")) | Q(blocker=Slot("other"), blocked=Slot("one"))
    )
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
    with _files_go_with_their_rows() as files, transaction.atomic():
        conversation = _locked(conversation_id, sender)
        if known := _sent(conversation, sender, client_id):
            return _same(known, text)
        _must_be_friends(conversation, sender)
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
        _after(conversation, message)
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


def _locked(conversation_id: UUID, party: User) -> Conversation:
    """A person's own conversation: whoever writes in it waits for the one before, which makes an order."""
    for found in _of_party(pk=conversation_id, party=party.pk):
        return found
    raise Conversation.DoesNotExist(conversation_id)


def _sent(conversation: Conversation, sender: User | None, client_id: UUID) -> Message | None:
    if sender is not None:
        said = _said(conversation=conversation.pk, sender=sender.pk, client_id=client_id)
        return said[0] if said else None
    return Message.objects.filter(conversation=conversation, sender=None, client_id=client_id).first()


def _must_be_friends(conversation: Conversation, sender: User) -> None:
    if _blocks(one=sender.pk, other=conversation.other_id(sender)):
        raise Blocked(f"{sender.pk} in {conversation.pk}")


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


def _after(conversation: Conversation, message: Message) -> None:
    """What a new message changes around it, in the same transaction."""
    at = max(message.created_at, conversation.last_message_at)
    if conversation.last_message_id is None or message.pk > conversation.last_message_id:
        Conversation.objects.filter(pk=conversation.pk).update(
            last_message=message, last_message_at=at, updated_at=at
        )
    changes: dict[str, Any] = {"last_message_at": at, "is_hidden": False}
    if message.sender is not None:  # of a step both are notified, so nobody has to come and read it
        waits = When(~Q(user=message.sender), then=F("unread") + 1)
        changes["unread"] = Case(waits, default=F("unread"), output_field=IntegerField())
    Participant.objects.filter(conversation=conversation).update(**changes)
    realtime.publish(topic(conversation.pk), "message_received", as_data(message))
    for user_id in (conversation.buyer_id, conversation.seller_id):
        bump(person(user_id))
        if message.sender_id is not None and user_id != message.sender_id:
            realtime.publish(f"user:{user_id}", "chat_message", {"conversation_id": str(conversation.pk)})
            _tell_later(conversation, user_id)


def _tell_later(conversation: Conversation, user_id: UUID) -> None:
    """Somebody who has not read it after a while is told elsewhere, once until they have read."""
    read_at = (
        Participant.objects.filter(conversation=conversation, user_id=user_id)
        .values_list("last_read_at", flat=True)
        .first()
    )
    key = f"chat:{conversation.pk}:{user_id}:{read_at.isoformat() if read_at else 'never'}"
    # Asked first: of many messages that wait one makes the job, and a refused INSERT costs each of the others four statements.
    if jobs.is_known(key):
        return
    jobs.enqueue(
        "tasks.messaging.tell_unread",
        key=key,
        delay=settings.CHAT_TELL_AFTER,
        conversation_id=str(conversation.pk),
        user_id=str(user_id),
    )


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
        conversation = _locked(opened.pk, buyer)
        if known := _sent(conversation, None, client_id):
            return known
        message = Message(
            pk=_key_of(at),
            conversation=conversation,
            client_id=client_id,
            kind=Kind.SYSTEM,
            data=data,
            created_at=at,
        )
        message.save(force_insert=True)
        _after(conversation, message)
    return message
