"""What is told to whom."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.fields import EncryptedTextField
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
    telegrammed_at = models.DateTimeField(null=True, blank=True)
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
                | models.Q(action_url__startswith="/")
                & ~models.Q(action_url__startswith="//")
                & ~models.Q(action_url__contains="\\"),
                name="notification_action_is_internal",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Channel(models.TextChoices):
    APP = "app", _("On the site")
    EMAIL = "email", _("E-mail")
    TELEGRAM = "telegram", "Telegram"


class NotificationPreference(models.Model):
    """What a person has chosen for one type on one channel; without a row it is on. `groups.COMPULSORY` cannot be off."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences"
    )
    type = models.ForeignKey(NotificationType, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    is_on = models.BooleanField(_("on"))

    class Meta:
        verbose_name = _("notification preference")
        verbose_name_plural = _("notification preferences")
        constraints = [
            models.UniqueConstraint(fields=["user", "channel", "type"], name="notification_preference_once"),
            models.CheckConstraint(
                condition=models.Q(channel__in=["app", "email", "telegram"]),
                name="notification_preference_channel_known",
            ),
        ]


class NotificationSetting(models.Model):
    """How one person wants to be told. Without a row: at once, at any hour, without a phrase.

    `digest_at` is when the next daily summary is due, and moves on with each; `digest_on` is the day, on their clock, of the
    last one, and `digested_until` up to when it told. `bounced_address` is the address that a mail server refused for good.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="notification_setting",
    )
    phrase = EncryptedTextField(_("your phrase"), blank=True, default="")
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    digest_hour = models.PositiveSmallIntegerField(_("hour of the daily summary"), null=True, blank=True)
    digest_at = models.DateTimeField(null=True, blank=True)
    digest_on = models.DateField(null=True, blank=True)
    digested_until = models.DateTimeField(null=True, blank=True)
    bounced_address = models.EmailField(blank=True, default="")
    bounced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notification setting")
        verbose_name_plural = _("notification settings")
        indexes = [
            models.Index(
                fields=["digest_at"],
                condition=models.Q(digest_at__isnull=False),
                name="notification_digest_due",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False)
                & ~models.Q(quiet_from=models.F("quiet_until")),
                name="notification_quiet_is_a_span",
            ),
            models.CheckConstraint(
                condition=models.Q(digest_hour__isnull=True, digest_at__isnull=True)
                | models.Q(digest_hour__isnull=False, digest_hour__range=(0, 23), digest_at__isnull=False),
                name="notification_digest_has_a_time",
            ),
        ]


class TelegramLink(models.Model):
    """The one private chat with our bot where a person is told. A chat belongs to one person."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="telegram_link"
    )
    chat_id = models.BigIntegerField(unique=True)
    name = models.CharField(_("name there"), max_length=130, blank=True)
    linked_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("Telegram link")
        verbose_name_plural = _("Telegram links")


class TelegramCode(UUIDModel):
    """A code that ties a chat to the person who asked for it: once, and soon. Only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    code_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["user", "-created_at"], name="telegram_code_recent")]


class TelegramUpdate(models.Model):
    """An update of the bot that was dealt with: Telegram repeats one until it is answered."""

    update_id = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
