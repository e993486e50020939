"""Blocking somebody, and telling the moderators of a message."""

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.announce import announce
from marketplace.messaging.errors import CannotTalkToYourself, NotYourMessage
from marketplace.messaging.facts import MessageReported
from marketplace.messaging.models import Block, Message, MessageReport
from marketplace.messaging.selectors import thread_of
from marketplace.messaging.services.messages import empty

logger = logging.getLogger("marketplace.messaging")


def block(*, user: User, other: User) -> None:
    """No messages between the two until it is lifted. Twice is harmless. Raises CannotTalkToYourself."""
    if user.pk == other.pk:
        raise CannotTalkToYourself(str(user.pk))
    _row, is_new = Block.objects.get_or_create(blocker=user, blocked=other)
    if is_new:
        logger.info("%s blocks %s", user.pk, other.pk)


def unblock(*, user: User, other: User) -> None:
    Block.objects.filter(blocker=user, blocked=other).delete()


@transaction.atomic
def report(
    *, conversation_id: UUID, message_id: UUID, reporter: User, reason: str, note: str = ""
) -> MessageReport:
    """Tell the moderators of what the other one said. A second report of the same message is the first one.

    Raises DoesNotExist for what this person cannot see, NotYourMessage for one's own message and for steps of a trade.
    """
    message = thread_of(reporter, conversation_id).messages().get(pk=message_id)
    if message.sender_id is None or message.sender_id == reporter.pk:
        raise NotYourMessage(str(message.pk))
    row, is_new = MessageReport.objects.get_or_create(
        message=message,
        reporter=reporter,
        defaults={"reason": reason, "note": note[:500], "text": message.text or message.attachment_name},
    )
    if is_new:
        announce(MessageReported(report_id=row.pk))
    return row


@transaction.atomic
def decide_report(*, report_id: UUID, actor: User, is_upheld: bool) -> MessageReport:
    """A moderator's word on a report. An upheld one takes the message away from both. The first decision stands."""
    row = MessageReport.objects.select_for_update(of=("self",)).get(pk=report_id)
    if row.status != MessageReport.Status.OPEN:
        return row
    row.status = MessageReport.Status.UPHELD if is_upheld else MessageReport.Status.DISMISSED
    row.decided_by, row.decided_at = actor, timezone.now()
    row.save(update_fields=["status", "decided_by", "decided_at"])
    if is_upheld:
        message = Message.objects.select_for_update(of=("self",)).get(pk=row.message_id)
        if not message.is_deleted:
            empty(message)
    logger.info("report %s %s by %s", row.pk, row.status, actor.pk)
    return row
