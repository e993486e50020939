"""Base models, and the outbox of durable jobs."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.ids import uuid7


class UUIDModel(models.Model):
    """A UUIDv7 key: it sorts by time."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


class TimestampedModel(models.Model):
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        abstract = True


class SoftDeleteQuerySet(models.QuerySet):
    def alive(self) -> Self:
        return self.filter(deleted_at__isnull=True)


class SoftDeleteModel(models.Model):
    """A row that people can delete while the books still need it."""

    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class Job(UUIDModel):
    """Work to be done later, written in the transaction that wants it. See `core.jobs`."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    task = models.CharField(max_length=120)
    kwargs = models.JSONField(default=dict)
    key = models.CharField(
        max_length=200,
        null=True,
        blank=True,
        unique=True,
        help_text=_("Enqueueing the same key again adds nothing."),
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    run_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["run_at"], condition=models.Q(status="pending"), name="job_due"),
            models.Index(fields=["leased_until"], condition=models.Q(status="running"), name="job_leased"),
            models.Index(fields=["finished_at"], condition=models.Q(status="done"), name="job_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.status}"
