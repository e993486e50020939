"""What is told to whom."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import UUIDModel

# One slash, then anything but another slash or a backslash: browsers read "//host" and "/\\host" as other sites.
validate_internal_path = RegexValidator(r"^/(?![/\\])[^\s\\]*\Z", _("Only addresses within this site."))


class NotificationType(models.Model):
    """A kind of notification, as `kinds.py` describes it; switching it off here silences it."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    icon = models.CharField(_("icon"), max_length=40, default="bell")
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("notification type")
        verbose_name_plural = _("notification types")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Notification(UUIDModel):
    """One thing told to one person, in their language of that moment."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    type = models.ForeignKey(NotificationType, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(_("title"), max_length=200)
    message = models.TextField(_("message"))
    data = models.JSONField(default=dict, blank=True)
    action_url = models.CharField(
        _("address"), max_length=300, blank=True, validators=[validate_internal_path]
    )
    is_read = models.BooleanField(_("read"), default=False)
    read_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_inbox"),
            models.Index(fields=["user"], condition=models.Q(is_read=False), name="notification_unread"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_read=False, read_at__isnull=True)
                | models.Q(is_read=True, read_at__isnull=False),
                name="notification_read_has_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(action_url="")
                | models.Q(action_url__startswith="/") & ~models.Q(action_url__startswith="//"),
                name="notification_action_is_internal",
            ),
        ]

    def __str__(self) -> str:
        return self.title
