"""Opening a conversation, reading it, putting it away."""

import logging
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from marketplace.accounts import trail
from marketplace.accounts.models import User
from marketplace.accounts.trail import Kind
from marketplace.core import jobs, realtime
from marketplace.core.cache import bump, person
from marketplace.listings.models import Listing
from marketplace.messaging.errors import CannotTalkToYourself
from marketplace.messaging.models import Conversation, Message, Oversight, Participant

logger = logging.getLogger("marketplace.messaging")


def topic(conversation_id: object) -> str:
    """Where a conversation's live events are told (see `core.realtime`)."""
    return f"chat:{conversation_id}"


def open_about(*, listing: Listing, buyer: User) -> Conversation:
    """The thread of a buyer with a listing's seller, made if it is new. Raises CannotTalkToYourself."""
    return _opened(listing, buyer, listing.seller)


def open_with(*, user: User, other: User) -> Conversation:
    """The general thread of two people, whoever of them began it. Raises CannotTalkToYourself."""
    return _opened(None, user, other)


def _opened(listing: Listing | None, buyer: User, seller: User) -> Conversation:
    if buyer.pk == seller.pk:
        raise CannotTalkToYourself(str(buyer.pk))
    pair = Q(buyer=buyer, seller=seller)
    if listing is None:
        pair |= Q(buyer=seller, seller=buyer)
    known = Conversation.objects.filter(pair, listing=listing)
    if found := known.first():
        return found
    try:
        with transaction.atomic():
            conversation = Conversation.objects.create(listing=listing, buyer=buyer, seller=seller)
            Participant.objects.bulk_create(
                # Nothing is there to see for the other one until something is said.
                Participant(conversation=conversation, user=one, is_hidden=True)
                for one in (buyer, seller)
            )
    except IntegrityError:
        # Somebody opened it at the same moment.
        return known.get()
    logger.info("conversation %s opened about %s", conversation.pk, listing.pk if listing else "nothing")
    return conversation


@transaction.atomic
def mark_read(*, conversation_id: UUID, user: User, up_to: UUID | None = None) -> int:
    """Everything of the other side, up to a message, is read now. Returns how many messages were new. Twice is harmless."""
    side = Participant.objects.select_for_update().get(conversation=conversation_id, user=user)
    at = timezone.now()
    new = _of_others(conversation_id, user).filter(read_at__isnull=True)
    if up_to is not None:
        new = new.filter(pk__lte=up_to)
    last = new.order_by("-id").values_list("pk", flat=True).first()
    count = new.update(read_at=at)
    if not count and not side.unread:
        return 0
    side.unread = 0 if up_to is None else _of_others(conversation_id, user).filter(pk__gt=up_to).count()
    side.last_read_at = at
    side.save(update_fields=["unread", "last_read_at"])
    if side.unread:
        tell_later(side)
    bump(person(user.pk))
    if last is not None:
        payload = {
            "conversation_id": str(conversation_id),
            "user_id": str(user.pk),
            "message_id": str(last),
            "read_at": at.isoformat(),
        }
        realtime.publish(topic(conversation_id), "message_read", payload)
    realtime.publish(f"user:{user.pk}", "chat_read", {"conversation_id": str(conversation_id)})
    return count


def tell_later(side: Participant) -> None:
    """Somebody who has not read for a while is told elsewhere, once until they have read. The row is locked by the caller.

    To be called when something begins to wait for them: the first message after they had read all, or what they left.
    """
    read_at = side.last_read_at.isoformat() if side.last_read_at else "never"
    jobs.enqueue(
        "tasks.messaging.tell_unread",
        key=f"chat:{side.conversation_id}:{side.user_id}:{read_at}",
        delay=settings.CHAT_TELL_AFTER,
        conversation_id=str(side.conversation_id),
        user_id=str(side.user_id),
    )


def _of_others(conversation_id: UUID, user: User) -> QuerySet[Message]:
    """What the other one said; a step of a trade is nobody's to read."""
    said = Message.objects.filter(conversation=conversation_id, sender__isnull=False)
    return said.exclude(sender=user)


@transaction.atomic
def clear(*, conversation_id: UUID, user: User) -> None:
    """Delete the thread for oneself: it leaves the inbox, and what stands in it is gone for this person only."""
    mark_read(conversation_id=conversation_id, user=user)
    Participant.objects.filter(conversation=conversation_id, user=user).update(
        is_hidden=True, cleared_at=timezone.now(), unread=0
    )
    bump(person(user.pk))


def mute(*, conversation_id: UUID, user: User, is_muted: bool) -> None:
    """Whether new messages here are told of in the header and by mail."""
    with transaction.atomic():
        Participant.objects.filter(conversation=conversation_id, user=user).update(is_muted=is_muted)
        bump(person(user.pk))


@transaction.atomic
def note_oversight(*, conversation: Conversation, reader: User) -> None:
    """A moderator has opened it, or a file of it: that stays on record, and on both people's trail."""
    Oversight.objects.create(conversation=conversation, reader=reader)
    people = (conversation.buyer_id, conversation.seller_id)
    trail.record_look(Kind.CONVERSATION_OPENED, people=people, actor=reader, about=conversation)
    logger.info("conversation %s read by moderator %s", conversation.pk, reader.pk)


def typing(*, conversation_id: UUID, user: User, is_typing: bool) -> None:
    """Tell the other one. Nothing is kept."""
    payload = {
        "conversation_id": str(conversation_id),
        "user_id": str(user.pk),
        "name": user.display_name,
    }
    realtime.publish(topic(conversation_id), "typing_start" if is_typing else "typing_stop", payload)
