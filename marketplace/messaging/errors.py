"""What the chat refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError


class CannotTalkToYourself(DomainError):
    code = "own_conversation"
    message = _("You cannot write to yourself.")


class EmptyMessage(DomainError):
    code, status = "empty_message", 422
    message = _("Write something, or attach a file.")


class MessageTooLong(DomainError):
    code, status = "message_too_long", 422
    message = _("A message has at most 4 000 characters.")


class BadAttachment(DomainError):
    """The reason stands in `message`: it is the person's file that is wrong."""

    code, status = "bad_attachment", 422

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotScanned(BadAttachment):
    """The file may be good, but the virus scanner cannot be asked: later is another try."""

    code, status, retry_after = "not_scanned", 503, 60


class Blocked(DomainError):
    code, status = "blocked", 403
    message = _("Messages between you two are switched off.")


class TooLateToEdit(DomainError):
    code = "too_late_to_edit"
    message = _("A message can be changed for 15 minutes.")


class MessageIsGone(DomainError):
    code, status = "message_deleted", 410
    message = _("This message was deleted.")


class NotYourMessage(DomainError):
    code, status = "not_your_message", 403
    message = _("Only your own messages can be changed.")


class ClientIdReused(DomainError):
    code = "client_id_reused"
    message = _("This message was sent already, with other words.")


class ContactSeen(DomainError):
    """The contact guard saw something. `details` says what, and whether it may be sent all the same."""

    code, status = "contact_seen", 422
    message = _("This message shows something that is not safe to send.")

    def __init__(self, findings: Sequence[Any], *, may_override: bool, details: dict[str, Any]) -> None:
        super().__init__(", ".join(str(one.kind) for one in findings))
        self.findings, self.may_override, self.details = findings, may_override, details


class TooManyMessages(DomainError):
    """`retry_after` in seconds."""

    code, status = "too_many_requests", 429
    message = _("Too many messages. Wait a little, then try again.")

    def __init__(self, about: str, *, retry_after: int) -> None:
        super().__init__(about)
        self.retry_after = retry_after
