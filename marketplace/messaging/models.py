"""Conversations of two people, their messages, and what keeps the peace: blocks and reports.

A conversation is about a listing, or general. Whatever differs between the two (what is unread, what one of them has
cleared) stands on their `Participant` rows. Messages are never deleted: one that was taken back keeps its row without text.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import TimestampedModel, UUIDModel
from marketplace.listings.models import Listing

MAX_TEXT = 4000


class ConversationQuerySet(models.QuerySet):
    def of(self, user: Any) -> Self:
        """Those in which this person is one of the two."""
        return self.filter(Q(buyer=user) | Q(seller=user))


class Conversation(UUIDModel, TimestampedModel):
    """One thread of two people about one listing; without a listing it is their general one.

    In a general thread `buyer` is who wrote first. `last_message` is what the inbox shows.
    """

    listing = models.ForeignKey(
        Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="conversations"
    )
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    last_message = models.OneToOneField(
        "Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    last_message_at = models.DateTimeField(_("last message"), default=timezone.now, db_index=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ["-last_message_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(buyer=models.F("seller")), name="conversation_needs_two_people"
            ),
            models.UniqueConstraint(
                fields=["listing", "buyer", "seller"],
                condition=Q(listing__isnull=False),
                name="conversation_one_per_listing_and_pair",
            ),
            models.UniqueConstraint(
                Least("buyer", "seller"),
                Greatest("buyer", "seller"),
                condition=Q(listing__isnull=True),
                name="conversation_one_general_per_pair",
            ),
        ]
        indexes = [
            models.Index(fields=["buyer", "seller"], name="conversation_pair"),
            models.Index(fields=["seller"], name="conversation_of_seller"),
        ]

    def __str__(self) -> str:
        return f"{self.buyer_id} – {self.seller_id}"

    def other(self, user: Any) -> Any:
        """Whom this person is talking to."""
        return self.seller if user.pk == self.buyer_id else self.buyer

    def other_id(self, user: Any) -> Any:
        return self.seller_id if user.pk == self.buyer_id else self.buyer_id

    def is_party(self, user: Any) -> bool:
        return user.pk in {self.buyer_id, self.seller_id}


class Participant(models.Model):
    """One person's side of a conversation.

    `cleared_at`: they deleted the thread for themselves, so that what stood there before is gone for them; it is hidden
    from their inbox until somebody writes again.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    unread = models.PositiveIntegerField(_("unread"), default=0)
    last_read_at = models.DateTimeField(_("read until"), null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    is_hidden = models.BooleanField(default=False)
    is_muted = models.BooleanField(_("muted"), default=False)
    # The conversation's own, kept here so that one index gives a person's inbox in its order.
    last_message_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "user"], name="participant_once"),
        ]
        indexes = [
            models.Index(
                fields=["user", "-last_message_at", "-id"],
                condition=Q(is_hidden=False),
                name="participant_inbox",
            ),
            models.Index(fields=["user"], condition=Q(unread__gt=0), name="participant_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.conversation_id}"


def private_files() -> Any:
    """Where attachments lie: nothing serves that place but our own view."""
    return storages["private"]


def attachment_path(message: Message, _name: str) -> str:
    """A place that tells nothing: the name the sender gave is kept in a column."""
    return f"chat/{message.conversation_id}/{message.pk.hex}"


class Message(UUIDModel):
    """Something said. Keys are the order of a conversation: what is said gets one greater than all before it.

    `client_id` is the sender's own name for it: the same one again is the same message. A SYSTEM message has no sender; its
    words are made for each reader from `data` (see `cards`).
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        IMAGE = "image", _("picture")
        FILE = "file", _("file")
        SYSTEM = "system", _("step of a trade")

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    client_id = models.UUIDField()
    kind = models.CharField(_("kind"), max_length=6, choices=Kind, default=Kind.TEXT)
    text = models.TextField(_("text"), max_length=MAX_TEXT, blank=True)
    data = models.JSONField(default=dict, blank=True)
    attachment = models.FileField(upload_to=attachment_path, storage=private_files, blank=True)
    attachment_name = models.CharField(max_length=120, blank=True)
    attachment_type = models.CharField(max_length=40, blank=True)
    attachment_size = models.PositiveIntegerField(default=0, help_text=_("In bytes."))
    width = models.PositiveSmallIntegerField(default=0)
    height = models.PositiveSmallIntegerField(default=0)
    overridden = models.JSONField(
        default=list, blank=True, help_text=_("What the contact guard saw and the sender sent all the same.")
    )
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    edited_at = models.DateTimeField(_("edited"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        permissions = [("read_reported", "Can read reported messages and decide on them")]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "sender", "client_id"],
                condition=Q(sender__isnull=False),
                name="message_once_per_client_id",
            ),
            models.UniqueConstraint(
                fields=["conversation", "client_id"],
                condition=Q(sender__isnull=True),
                name="message_step_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="system", sender__isnull=True) | ~Q(kind="system") & Q(sender__isnull=False),
                name="message_only_the_system_has_no_sender",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["image", "file"]) & ~Q(attachment="")
                | Q(kind__in=["text", "system"], attachment="")
                | Q(deleted_at__isnull=False),
                name="message_kind_fits_attachment",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(text="", attachment=""),
                name="message_taken_back_is_empty",
            ),
            models.CheckConstraint(
                condition=~Q(kind="text") | ~Q(text="") | Q(deleted_at__isnull=False),
                name="message_says_something",
            ),
        ]
        indexes = [
            models.Index(fields=["conversation", "-id"], name="message_thread"),
            models.Index(
                fields=["conversation", "sender"], condition=Q(read_at__isnull=True), name="message_unread"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.sender_id or 'the house'}"

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def is_read(self) -> bool:
        return self.read_at is not None


class MessageEdit(models.Model):
    """What a message said before it was changed. Kept for moderators."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="edits")
    text = models.TextField(_("text"))
    edited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.message_id} until {self.edited_at}"


class Block(models.Model):
    """Somebody who wants no messages from somebody. Neither of the two can write until it is lifted."""

    blocker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once"),
            models.CheckConstraint(condition=~Q(blocker=models.F("blocked")), name="block_somebody_else"),
        ]
        indexes = [models.Index(fields=["blocked"], name="block_of_blocked")]

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"


class MessageReport(UUIDModel):
    """A person tells the moderators of a message. `text` is what it said then: taking it back does not undo it."""

    class Reason(models.TextChoices):
        FRAUD = "fraud", _("Wants to trade past the escrow")
        INSULT = "insult", _("Insults or threatens")
        SPAM = "spam", _("Advertising")
        OTHER = "other", _("Something else")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        UPHELD = "upheld", _("the message broke the rules")
        DISMISSED = "dismissed", _("nothing wrong with it")

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="reports")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    note = models.CharField(_("note"), max_length=500, blank=True)
    text = models.TextField(blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("report of a message")
        verbose_name_plural = _("reports of messages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["message", "reporter"], name="message_report_once"),
            models.CheckConstraint(
                condition=Q(status="open", decided_at__isnull=True, decided_by__isnull=True)
                | ~Q(status="open") & Q(decided_at__isnull=False, decided_by__isnull=False),
                name="message_report_decided_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(status="open"), name="message_report_open")]

    def __str__(self) -> str:
        return f"{self.reason} {self.status}"


class Oversight(models.Model):
    """A moderator has opened a conversation of others. Never changed, never deleted."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="oversights")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    read_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("conversation read by a moderator")
        verbose_name_plural = _("conversations read by moderators")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.reader_id} read {self.conversation_id}"


class Presence(models.Model):
    """When a person was last seen in a conversation. Whether they are there now is in the shared cache."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="presence"
    )
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} {self.seen_at}"
