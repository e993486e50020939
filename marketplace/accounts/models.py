"""User and the passwords that were used before."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.fields import EncryptedTextField
from marketplace.core.ids import uuid7
from marketplace.core.models import SoftDeleteModel, SoftDeleteQuerySet, TimestampedModel, UUIDModel

# No letters that are read for one another, so that a handle can be dictated.
_HANDLE_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"

validate_username = RegexValidator(
    r"^[a-zA-Z][a-zA-Z0-9_]{2,29}\Z",
    _("Use 3 to 30 Latin letters, digits or underscores, starting with a letter."),
)
validate_phone = RegexValidator(
    r"^\+998\d{9}\Z", _("Enter the number as +998 and nine digits, for example +998 90 123 45 67.")
)


def make_handle() -> str:
    """A public name for a person who has not chosen one, such as "u-k3v9x7qp"."""
    return "u-" + "".join(secrets.choice(_HANDLE_SIGNS) for _ in range(8))


class UserQuerySet(SoftDeleteQuerySet):
    pass


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def _create(self, email: str, password: str | None, **fields: Any) -> User:
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self._create(email, password, **{"is_staff": False, "is_superuser": False, **fields})

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self._create(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(TimestampedModel, SoftDeleteModel, AbstractBaseUser, PermissionsMixin):
    """A person. Signs in by e-mail; others see the handle (or the username, once one is chosen) and the full name.

    `rating` is null until the first review, so that a newcomer does not look perfect. `rating`, `rating_count`,
    `total_sales` and `total_purchases` are projections that the apps above keep; `plan` belongs to subscriptions.
    """

    class Plan(models.TextChoices):
        FREE = "free", _("Free")
        PREMIUM = "premium", "Premium"
        PRO = "pro", "Pro"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    username = models.CharField(
        _("username"), max_length=30, unique=True, null=True, blank=True, validators=[validate_username]
    )
    handle = models.SlugField(
        _("public handle"), max_length=32, unique=True, default=make_handle, editable=False
    )
    # Anybody may write any number; it belongs to one person, and opens their account, once it is confirmed.
    phone_number = models.CharField(
        _("phone number"), max_length=13, null=True, blank=True, db_index=True, validators=[validate_phone]
    )
    phone_confirmed_at = models.DateTimeField(
        _("phone number confirmed"), null=True, blank=True, editable=False
    )
    full_name = models.CharField(_("full name"), max_length=120, blank=True)
    avatar = models.ImageField(_("picture"), upload_to="avatars/", blank=True)

    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("The e-mail address or the phone number is confirmed.")
    )

    rating = models.DecimalField(
        _("rating"), max_digits=3, decimal_places=2, null=True, blank=True, editable=False
    )
    rating_count = models.PositiveIntegerField(_("number of ratings"), default=0, editable=False)
    total_sales = models.PositiveIntegerField(_("sales"), default=0, editable=False)
    total_purchases = models.PositiveIntegerField(_("purchases"), default=0, editable=False)
    plan = models.CharField(_("plan"), max_length=8, choices=Plan, default=Plan.FREE)

    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="uz")
    timezone = models.CharField(_("time zone"), max_length=40, default=settings.DEFAULT_USER_TIME_ZONE)

    deletion_due_at = models.DateTimeField(
        _("to be deleted"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("They asked for it; until then they can take it back, and neither buy nor sell."),
    )

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_case_insensitive"),
            models.UniqueConstraint(Lower("username"), name="user_username_case_insensitive"),
            models.CheckConstraint(condition=~models.Q(username=""), name="user_username_null_not_empty"),
            models.CheckConstraint(condition=~models.Q(phone_number=""), name="user_phone_null_not_empty"),
            models.CheckConstraint(
                condition=models.Q(phone_confirmed_at__isnull=True) | models.Q(phone_number__isnull=False),
                name="user_phone_confirmed_is_there",
            ),
            models.UniqueConstraint(
                fields=["phone_number"],
                condition=models.Q(phone_confirmed_at__isnull=False),
                name="user_phone_once_confirmed",
            ),
            models.CheckConstraint(
                condition=models.Q(rating__isnull=True) | models.Q(rating__gte=1, rating__lte=5),
                name="user_rating_range",
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at__isnull=True)
                | models.Q(is_active=False, deletion_due_at__isnull=True),
                name="user_deleted_is_out",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="user_created"),
            models.Index(
                fields=["deletion_due_at"],
                condition=models.Q(deletion_due_at__isnull=False),
                name="user_deletion_due",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """What other people call this person."""
        # The deleted have neither name; asking for both first lets rows that were read in part go without the column.
        return self.full_name or self.username or (str(_("Deleted user")) if self.is_gone else self.handle)

    @property
    def is_gone(self) -> bool:
        """Whether the account was deleted: the row stays for the books, without anything of the person."""
        return self.deleted_at is not None

    @property
    def is_leaving(self) -> bool:
        """Whether the account waits to be deleted."""
        return self.deletion_due_at is not None

    @property
    def public_handle(self) -> str:
        """What stands in public addresses."""
        return self.username or self.handle

    @property
    def is_premium(self) -> bool:
        return self.plan != self.Plan.FREE

    @property
    def zone(self) -> ZoneInfo:
        """This person's clock; the house's where theirs is unknown here."""
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(settings.DEFAULT_USER_TIME_ZONE)

    @property
    def balance(self) -> int:
        """What this person can spend in soʻm, in minor units: a view of the ledger, never a column of its own."""
        accounts = self.ledger_accounts.all()
        return sum(
            account.balance or 0
            for account in accounts
            if account.kind == "available" and account.currency == "UZS"
        )

    def choose_language(self, language: str) -> None:
        self.language = language
        self.save(update_fields=["language", "updated_at"])

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.display_name


class PasswordHistory(UUIDModel):
    """A password hash that was used, so that it is not used again soon."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="old_passwords")
    password = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["user", "-created_at"], name="password_history_recent")]


class KnownDevice(UUIDModel):
    """A browser or program with which somebody has signed in; another one is told to them.

    It is known again by the token in its cookie, or, where it keeps none, by its `trait`: what it calls itself (without
    version numbers) and the network it comes from. Both are kept as hashes. One that is trusted, known by its token, is
    asked for no code from the mail (`new_browser`). Of where it was last signed in with, only the country is kept
    (`core.countries`).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_devices")
    cookie_hash = models.CharField(max_length=64, blank=True, default="")
    trait_hash = models.CharField(max_length=64)
    name = models.CharField(_("device"), max_length=60, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(default=timezone.now)
    trusted_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Since when it signs in without a code from the mail.")
    )

    class Meta:
        ordering = ["-seen_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "cookie_hash"],
                condition=~models.Q(cookie_hash=""),
                name="known_device_cookie_once",
            ),
            models.UniqueConstraint(
                fields=["user", "trait_hash"],
                condition=models.Q(cookie_hash=""),
                name="known_device_trait_once",
            ),
        ]
        indexes = [models.Index(fields=["user", "trait_hash"], name="known_device_trait")]


class SignInQuerySet(models.QuerySet):
    def open(self, at: datetime) -> Self:
        """Those that still let somebody in."""
        return self.filter(ended_at__isnull=True, expires_at__gt=at)


class SignIn(UUIDModel):
    """A way in: a browser's session, or what a program got with one sign-in (all refresh tokens that renew one another).

    Rows of our own, since sessions may live in a cache that cannot be asked whose they are.
    """

    class Kind(models.TextChoices):
        BROWSER = "browser", _("browser")
        PROGRAM = "program", _("program")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    kind = models.CharField(max_length=7, choices=Kind)
    mark = models.CharField(
        max_length=64, help_text=_("What live connections know it by: a hash of the session’s key, or `sid`.")
    )
    session_key = EncryptedTextField(null=True, blank=True)  # opens the account, so it is never readable here
    device = models.CharField(_("device"), max_length=60, blank=True)
    address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SignInQuerySet.as_manager()

    class Meta:
        ordering = ["-seen_at"]
        constraints = [models.UniqueConstraint(fields=["mark"], name="sign_in_mark_once")]
        indexes = [
            models.Index(fields=["user", "-seen_at"], name="sign_in_of_user"),
            models.Index(fields=["expires_at"], name="sign_in_expires"),
        ]


def security_event_kinds() -> list[tuple[str, Any]]:
    """Asked for when they are needed, so that a new kind needs no migration."""
    return list(SecurityEvent.Kind.choices)


class PhoneCode(UUIDModel):
    """A code that was sent by SMS, or would have been: for signing in nobody learns whether a number is somebody's.

    What is kept of the code is a keyed digest. It is good once, for minutes, and bears a few tries.
    """

    class Purpose(models.TextChoices):
        SIGN_IN = "sign_in", _("sign in")
        CONFIRM = "confirm", _("confirm the number")

    number = models.CharField(max_length=13)
    purpose = models.CharField(max_length=7, choices=Purpose)
    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="phone_codes",
        null=True,
        blank=True,
        help_text=_("Whom it lets in; empty where nobody has this number."),
    )
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    delivery = models.CharField(
        max_length=20, blank=True, default="", help_text=_("What the provider said last.")
    )

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["number", "-created_at"], name="phone_code_of_number"),
            models.Index(fields=["expires_at"], name="phone_code_expires"),
        ]


class SignInCode(UUIDModel):
    """A code that was mailed to somebody who signs in with a browser that is new to them.

    What is kept of it is a keyed digest. It is good once, for minutes, and bears a few tries.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_codes")
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["expires_at"], name="sign_in_code_expires")]


class PayoutLockQuerySet(models.QuerySet):
    def holding(self, at: datetime) -> Self:
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), lifted_at__isnull=True)


class PayoutLock(UUIDModel):
    """Money of this person goes nowhere: they said that somebody else had signed in.

    It ends some time after they have set a new password, or when staff has spoken with them.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="payout_locks")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Empty until the person has set a new password.")
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = PayoutLockQuerySet.as_manager()

    class Meta:
        verbose_name = _("payout lock")
        verbose_name_plural = _("payout locks")
        ordering = ["-created_at"]
        permissions = [("lift_payoutlock", "Can let payouts of a locked person go on")]
        indexes = [models.Index(fields=["user", "-created_at"], name="payout_lock_of_user")]


class SecurityEvent(UUIDModel):
    """Something that happened to somebody's account or private data. Written once: the database refuses changes.

    Nothing secret stands in it, and no words of strangers. It outlives the rows it names, which is why they are no foreign
    keys to the database.
    """

    class Kind(models.TextChoices):
        SIGNED_UP = "signed_up", _("Signed up")
        SIGNED_IN = "signed_in", _("Signed in")
        API_SIGN_IN = "api_sign_in", _("Signed in with an app")
        SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
        CODE_MAILED = "code_mailed", _("Code mailed: somebody signs in with a new browser")
        LOCKED = "locked", _("Locked after failed tries")
        SIGNED_OUT = "signed_out", _("Signed out")
        SESSION_ENDED = "session_ended", _("Sign-ins ended")
        STEP_UP_CONFIRMED = "step_up_confirmed", _("Identity confirmed")
        STEP_UP_FAILED = "step_up_failed", _("Identity not confirmed")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        RESET_ASKED = "reset_asked", _("Link for a new password asked for")
        PASSWORD_RESET = "password_reset", _("New password set by a link")
        PASSWORD_SET_BY_STAFF = "password_set_by_staff", _("Password set by the staff")
        EMAIL_ADDED = "email_added", _("E-mail address added")
        EMAIL_CONFIRMED = "email_confirmed", _("E-mail address confirmed")
        EMAIL_CHANGED = "email_changed", _("E-mail address changed")
        EMAIL_REMOVED = "email_removed", _("E-mail address removed")
        FACTOR_ADDED = "factor_added", _("Second factor added")
        FACTOR_REMOVED = "factor_removed", _("Second factor removed")
        FACTOR_USED = "factor_used", _("Second factor used")
        RECOVERY_GENERATED = "recovery_generated", _("Recovery codes made")
        RECOVERY_USED = "recovery_used", _("Recovery code used")
        WAY_ADDED = "way_added", _("Way in added")
        WAY_REMOVED = "way_removed", _("Way in taken away")
        NOT_ME = "not_me", _("“This was not me”")
        PAYOUTS_LOCKED = "payouts_locked", _("Payouts locked")
        PAYOUTS_UNLOCKED = "payouts_unlocked", _("Payouts let go on")
        TOKEN_REUSED = "token_reused", _("Spent token shown again")
        CREDENTIALS_HANDED_OVER = "credentials_handed_over", _("Log-in of a game account handed over")
        CREDENTIALS_REVEALED = "credentials_revealed", _("Log-in of a game account shown")
        CONVERSATION_OPENED = "conversation_opened", _("Conversation read by a moderator")
        REPORT_OPENED = "report_opened", _("Reported message read by a moderator")
        TRADE_OPENED = "trade_opened", _("Trade looked at by a moderator")
        CARD_NUMBER_SHOWN = "card_number_shown", _("Payout card’s number shown to the staff")
        EXPORT_ASKED = "export_asked", _("Copy of all data asked for")
        DATA_EXPORTED = "data_exported", _("Copy of all data fetched")
        DELETION_ASKED = "deletion_asked", _("Deletion of the account asked for")
        DELETION_TAKEN_BACK = "deletion_taken_back", _("Deletion of the account taken back")
        DELETED = "deleted", _("Account deleted")
        CHANGED_BY_STAFF = "changed_by_staff", _("Changed by the staff")

    at = models.DateTimeField(_("time"), default=timezone.now, editable=False)
    kind = models.CharField(_("what"), max_length=32, choices=security_event_kinds)
    user = models.ForeignKey(
        User,
        verbose_name=_("about"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="security_events",
        help_text=_("Empty when somebody tried an address that nobody has."),
    )
    actor = models.ForeignKey(
        User,
        verbose_name=_("by"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        help_text=_("Empty when nobody was signed in, or a command did it."),
    )
    address = models.GenericIPAddressField(_("network address"), null=True)
    device = models.CharField(_("device"), max_length=60, blank=True)
    object_type = models.CharField(_("kind of thing"), max_length=60, blank=True)
    object_id = models.CharField(_("number of the thing"), max_length=40, blank=True)
    context = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["user", "-at"], name="security_event_of_user"),
            models.Index(fields=["actor", "-at"], name="security_event_by_actor"),
            models.Index(fields=["kind", "-at"], name="security_event_of_kind"),
            models.Index(fields=["at"], name="security_event_at"),
        ]

    _ALARMING = frozenset(
        {
            Kind.SIGN_IN_FAILED,
            Kind.STEP_UP_FAILED,
            Kind.LOCKED,
            Kind.TOKEN_REUSED,
            Kind.NOT_ME,
            Kind.PAYOUTS_LOCKED,
        }
    )

    @property
    def is_alarming(self) -> bool:
        """Whether its person had better look twice."""
        return self.kind in self._ALARMING


class DataExport(UUIDModel):
    """A copy of all that the house keeps of a person, which they have asked for. The file lies where no web server looks.

    QUEUED ends as READY, or as FAILED when it could not be made; the file of a READY one is deleted with time: EXPIRED.
    `file` is noted before it is written, so that none is left behind that nobody knows of.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("being made")
        READY = "ready", _("ready")
        FAILED = "failed", _("could not be made")
        EXPIRED = "expired", _("deleted")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
    status = models.CharField(max_length=7, choices=Status, default=Status.QUEUED)
    file = models.CharField(max_length=200, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0, help_text=_("In bytes."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("export of a person’s data")
        verbose_name_plural = _("exports of people’s data")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(status="queued"), name="data_export_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="ready")
                | ~models.Q(file="") & models.Q(ready_at__isnull=False, expires_at__isnull=False),
                name="data_export_ready_has_a_file",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="data_export_of_user"),
            models.Index(fields=["expires_at"], condition=models.Q(status="ready"), name="data_export_over"),
        ]


validate_instagram = RegexValidator(
    r"^[a-zA-Z0-9_](?:[a-zA-Z0-9_]|\.(?!\.)){0,28}[a-zA-Z0-9_]?\Z",
    _("Enter the name alone: Latin letters, digits, dots, underscores."),
)


class OrganizerProfile(UUIDModel, TimestampedModel):
    """Somebody who wants to hold events, or may: a moderator decides.

    PENDING ends as APPROVED or REJECTED; who was rejected may ask again, which is PENDING once more. `is_verified`: staff has
    checked who they are, beyond having let them in.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("In review")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="organizer")
    display_name = models.CharField(_("name of the organiser"), max_length=80)
    bio = models.TextField(_("about"), max_length=2000)
    city = models.CharField(_("city"), max_length=80)
    instagram = models.CharField(
        "Instagram", max_length=30, null=True, blank=True, validators=[validate_instagram]
    )
    is_verified = models.BooleanField(_("verified"), default=False)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PENDING)
    reason = models.CharField(_("reason for rejection"), max_length=500, blank=True, default="")
    applied_at = models.DateTimeField(_("applied"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("organiser")
        verbose_name_plural = _("organisers")
        ordering = ["applied_at", "id"]
        permissions = [("decide_organizer", "Can decide who may hold events")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="pending", decided_at__isnull=True, decided_by__isnull=True)
                | ~Q(status="pending") & Q(decided_at__isnull=False, decided_by__isnull=False),
                name="organizer_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(status="rejected") & ~Q(reason="") | ~Q(status="rejected") & Q(reason=""),
                name="organizer_rejected_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(is_verified=False) | Q(status="approved"), name="organizer_verified_is_approved"
            ),
            models.CheckConstraint(condition=~Q(instagram=""), name="organizer_instagram_null_not_empty"),
            models.CheckConstraint(
                condition=~Q(user=models.F("decided_by")), name="organizer_decided_by_another"
            ),
        ]
        indexes = [models.Index(fields=["applied_at"], condition=Q(status="pending"), name="organizer_queue")]

    def __str__(self) -> str:
        return self.display_name


def time_zones() -> list[tuple[str, str]]:
    """The zones people may choose: where our users live first, then the rest of the world."""
    near = [
        "Asia/Tashkent",
        "Asia/Samarkand",
        "Asia/Almaty",
        "Asia/Aqtau",
        "Asia/Bishkek",
        "Asia/Dushanbe",
        "Europe/Moscow",
    ]
    others = sorted(
        zone
        for zone in available_timezones()
        if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/"))
    )
    return [
        (zone, zone.replace("_", " ")) for zone in [*near, *(zone for zone in others if zone not in near)]
    ]
