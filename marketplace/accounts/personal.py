"""What accounts themselves know of a person (see `traces`)."""

from collections.abc import Iterable, Iterator
from secrets import choice
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from marketplace.accounts import exports, sign_ins
from marketplace.accounts.models import (
    DataExport,
    KnownDevice,
    OrganizerProfile,
    PasswordHistory,
    PayoutLock,
    PhoneCode,
    SecurityEvent,
    SignIn,
    SignInCode,
    User,
)
from marketplace.accounts.traces import File, Leaver, Part, Row, Share
from marketplace.core.countries import country_of
from marketplace.core.models import Job

_HANDLE_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_SEEN = ["name", "country", "created_at", "seen_at"]
_SIGNED_IN = ["kind", "device", "address", "created_at", "seen_at", "expires_at", "ended_at"]

# What is deleted with the account. (Passwords and tokens are in no export: what is kept of them says nothing.)
_GOES: tuple[Any, ...] = (
    DataExport,
    SignIn,
    KnownDevice,
    PasswordHistory,
    PayoutLock,
    OrganizerProfile,
    Authenticator,
    EmailAddress,
    OutstandingToken,
    SocialAccount,
    PhoneCode,
    SignInCode,
)


# --- The export -------------------------------------------------------------------------------------


def _profile(user: User) -> Iterator[Row]:
    names = (
        "id", "email", "username", "handle", "full_name", "phone_number", "phone_confirmed_at",
        "is_verified", "language", "timezone", "plan", "rating", "rating_count", "total_sales", "total_purchases",
        "created_at", "updated_at", "last_login", "deletion_due_at",
    )  # fmt: skip
    yield {name: getattr(user, name) for name in names}


def _avatar(user: User) -> Iterator[File]:
    if user.avatar:
        kind = str(user.avatar.name).rpartition(".")[2]
        yield File(f"avatar.{kind}", user.avatar.storage, str(user.avatar.name))


def _addresses(user: User) -> Iterable[Row]:
    return EmailAddress.objects.filter(user=user).values("email", "verified", "primary").iterator()


def _sign_ins(user: User) -> Iterator[Row]:
    rows = SignIn.objects.filter(user=user).order_by("pk").values(*_SIGNED_IN)
    for row in rows.iterator(chunk_size=500):
        yield {**row, "country": country_of(row["address"])}


def _organizer(user: User) -> Iterable[Row]:
    names = (
        "display_name", "bio", "city", "instagram", "is_verified", "status", "reason", "applied_at", "decided_at",
        "created_at", "updated_at",
    )  # fmt: skip
    return OrganizerProfile.objects.filter(user=user).values(*names)


def _security(user: User) -> Iterator[Row]:
    for factor in Authenticator.objects.filter(user=user).order_by("pk"):
        yield {
            "what": "second_factor",
            "type": factor.type,
            "created_at": factor.created_at,
            "last_used_at": factor.last_used_at,
        }
    for device in KnownDevice.objects.filter(user=user).order_by("pk").values(*_SEEN):
        yield {"what": "known_device", **device}
    for lock in (
        PayoutLock.objects.filter(user=user).order_by("pk").values("created_at", "ends_at", "lifted_at")
    ):
        yield {"what": "payout_lock", **lock}


def _ways_in(user: User) -> Iterable[Row]:
    names = ("provider", "uid", "extra_data", "date_joined", "last_login")
    return SocialAccount.objects.filter(user=user).order_by("pk").values(*names)


def _history(user: User) -> Iterator[Row]:
    """What was done to this account or its data. From where others did it is not the person's to know."""
    for event in SecurityEvent.objects.filter(user=user).order_by("pk").iterator(chunk_size=500):
        is_theirs = event.actor_id in {None, user.pk}
        yield {
            "what": event.kind,
            "at": event.at,
            "by": "you" if event.actor_id == user.pk else "staff" if event.actor_id else None,
            "address": event.address if is_theirs else None,
            "country": country_of(event.address) if is_theirs else "",
            "device": event.device if is_theirs else "",
        }


# --- Forgetting -------------------------------------------------------------------------------------


def _forget(leaver: Leaver) -> None:
    user = leaver.user
    sign_ins.end_all(user=user)
    leaver.discard(
        DataExport.objects.filter(user=user).values_list("file", flat=True), storage=exports.STORAGE
    )
    leaver.discard([user.avatar.name])
    _forget_records(leaver)
    if user.phone_number:
        PhoneCode.objects.filter(number=user.phone_number, user=None).delete()
    for model in _GOES:
        model.objects.filter(user=user).delete()
    user.groups.clear()
    user.user_permissions.clear()
    _empty(user)


def _forget_records(leaver: Leaver) -> None:
    """Where their names and addresses stand in the records of others: the lock of sign-in, the administration, jobs."""
    addresses = {*EmailAddress.objects.filter(user=leaver.user).values_list("email", flat=True), leaver.email}
    for address in addresses:
        for model in (AccessAttempt, AccessFailureLog, AccessLog):
            model.objects.filter(username__iexact=address).delete()
        Job.objects.filter(kwargs__email=address).delete()
    for model, keys in (
        (User, [leaver.user_id]),
        (EmailAddress, EmailAddress.objects.filter(user=leaver.user).values_list("pk", flat=True)),
    ):
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(model), object_id__in=[str(key) for key in keys]
        ).update(object_repr="—")


def _empty(user: User) -> None:
    """Leave of the row what the books point at: no name, no address, no way in. The address and the number are free again."""
    user.email = f"{user.pk.hex}@deleted.invalid"  # RFC 2606: nobody's, ever
    user.username = user.phone_number = user.phone_confirmed_at = None
    user.handle = "gone-" + "".join(choice(_HANDLE_SIGNS) for _sign in range(12))
    user.full_name, user.avatar = "", ""
    user.set_unusable_password()
    user.is_active = user.is_verified = False
    user.plan, user.rating, user.rating_count = User.Plan.FREE, None, 0
    user.last_login = user.deletion_due_at = None
    user.language, user.timezone = settings.LANGUAGE_CODE, settings.DEFAULT_USER_TIME_ZONE
    user.deleted_at = timezone.now()
    user.save()


SHARE = Share(
    app="accounts",
    parts=(
        Part(
            "profile",
            _("Your profile as it stands, with your picture."),
            ("accounts.User",),
            _profile,
            _avatar,
        ),
        Part(
            "addresses",
            _("Your e-mail addresses, and whether they are confirmed."),
            ("account.EmailAddress",),
            _addresses,
        ),
        Part(
            "organizer",
            _("Your application as an organiser."),
            ("accounts.OrganizerProfile",),
            _organizer,
        ),
        Part("sign_ins", _("Where and when you were signed in."), ("accounts.SignIn",), _sign_ins),
        Part(
            "security",
            _("Your second factors (without what opens them), the devices we know, and locks of payouts."),
            ("mfa.Authenticator", "accounts.KnownDevice", "accounts.PayoutLock"),
            _security,
        ),
        Part(
            "ways_in",
            _("Accounts elsewhere that open yours."),
            ("socialaccount.SocialAccount",),
            _ways_in,
        ),
        Part(
            "security_history",
            _("What was done to your account and to what is private in it, when and from where."),
            ("accounts.SecurityEvent",),
            _history,
        ),
    ),
    forget=_forget,
)
