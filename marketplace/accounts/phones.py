"""Phones: confirming that one is somebody's, and signing in by a code to it.

Asking for a code looks the same, and does the same work, whether anybody has the number or not; only who has confirmed it is sent
one, so that nobody runs up a bill with numbers of strangers. What is asked for is known by its own id, so a stranger who asks
for codes to somebody's number uses up none of theirs.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from marketplace.accounts import selectors, sms, ways
from marketplace.accounts.errors import LastWayIn, SmsUnavailable, TooManyCodes, WrongPhoneCode
from marketplace.accounts.models import PhoneCode, User
from marketplace.core import encryption, jobs, limits

logger = logging.getLogger(__name__)

_SALT = "accounts.phones"


@dataclass(frozen=True, slots=True)
class Asked:
    """What whoever asked for a code is told. `expires_in`, `resend_in`: seconds."""

    request_id: UUID
    expires_in: int
    resend_in: int


def ask_to_sign_in(*, number: str, address: str) -> Asked:
    """A code with which the owner of this number signs in; to nobody's number none goes out. Raises TooManyCodes."""
    _bound(number, {"sms_address": address})
    return _ask(number, PhoneCode.Purpose.SIGN_IN, selectors.owner_of(number))


def ask_to_confirm(*, user: User, number: str, address: str) -> Asked:
    """A code with which this person shows that the number is theirs. Raises TooManyCodes, SmsUnavailable."""
    _bound(number, {"sms_address": address, "sms_person": str(user.pk)})
    if limits.spend("sms_all", "all"):
        logger.error("the day's SMS are used up: phone numbers cannot be confirmed")
        raise SmsUnavailable("daily cap")
    return _ask(number, PhoneCode.Purpose.CONFIRM, user)


def _bound(number: str, counted: dict[str, str]) -> None:
    """How often codes go to one number, for one person and from one address."""
    waits = [limits.spend(scope, key) for scope, key in counted.items()]
    waits += [limits.spend(scope, number) for scope in ("sms_number", "sms_number_daily")]
    last = (
        PhoneCode.objects.filter(number=number)
        .order_by("-created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    if last is not None:
        pause = settings.PHONE_CODE_PAUSE - (timezone.now() - last)
        waits.append(int(pause.total_seconds()) + 1 if pause.total_seconds() > 0 else 0)
    if wait := max(waits):
        raise TooManyCodes("codes to a phone", retry_after=wait)


@transaction.atomic
def _ask(number: str, purpose: str, user: User | None) -> Asked:
    code = f"{secrets.randbelow(1_000_000):06}"
    row = PhoneCode(
        number=number, purpose=purpose, user=user, expires_at=timezone.now() + settings.PHONE_CODE_LIFE
    )
    row.digest = _digest(row, code)
    row.save()
    # For nobody's number too: the answer takes as long. The job finds that there is nobody to send to.
    jobs.enqueue("tasks.accounts.send_phone_code", code_id=str(row.pk), secret=encryption.encrypt(code))
    return Asked(
        request_id=row.pk,
        expires_in=int(settings.PHONE_CODE_LIFE.total_seconds()),
        resend_in=int(settings.PHONE_CODE_PAUSE.total_seconds()),
    )


def _digest(row: PhoneCode, code: str) -> str:
    return salted_hmac(_SALT, f"{row.pk}|{row.number}|{code}", algorithm="sha256").hexdigest()


# --- Sending ----------------------------------------------------------------------------------------


def send(*, code_id: UUID, secret: str, at: datetime) -> None:
    """Send what `_ask` has queued; nothing once it is too old. Raises NotNow while the provider is not reached."""
    row = PhoneCode.objects.select_related("user").filter(pk=code_id, used_at__isnull=True).first()
    if row is None or row.user is None or row.expires_at <= at or not sms.is_on():
        return
    if row.purpose == PhoneCode.Purpose.SIGN_IN and limits.spend("sms_all", "all"):
        logger.error("the day's SMS are used up: nobody signs in by phone")
        return
    with translation.override(row.user.language):
        text = _("WibeStore: %(code)s is your code. Give it to nobody; our staff never ask for it.") % {
            "code": encryption.decrypt(secret)
        }
    callback = settings.SITE_URL + reverse("sms_callback", args=[signing.dumps(str(row.pk), salt=_SALT)])
    try:
        said = sms.provider().send(number=row.number, text=text, callback=callback)
    except sms.NotSent as error:
        raise jobs.NotNow(str(error)) from error
    PhoneCode.objects.filter(pk=row.pk).update(delivery=said[:20])


def note_delivery(*, token: str, status: str) -> bool:
    """What the provider says became of a message. Whether it was one of ours."""
    try:
        code_id = signing.loads(token, salt=_SALT, max_age=24 * 3600)
    except signing.BadSignature:
        return False
    return bool(PhoneCode.objects.filter(pk=code_id).update(delivery=status[:20]))


# --- Using ------------------------------------------------------------------------------------------


def check(*, request_id: UUID | str, code: str, purpose: str) -> PhoneCode:
    """The request that this code belongs to. Counts a try; uses nothing up. Raises WrongPhoneCode."""
    now = timezone.now()
    open_now = PhoneCode.objects.filter(
        pk=request_id,
        purpose=purpose,
        used_at__isnull=True,
        expires_at__gt=now,
        tries__lt=settings.PHONE_CODE_TRIES,
    )
    # Counted before it is looked at, so that tries at the same moment cannot slip through together.
    if not open_now.update(tries=F("tries") + 1):
        raise WrongPhoneCode("none that is open")
    row = PhoneCode.objects.select_related("user").get(pk=request_id)
    if not constant_time_compare(row.digest, _digest(row, code)) or row.user is None:
        raise WrongPhoneCode("wrong")
    return row


def sign_in(row: PhoneCode) -> User:
    """Use the code up. Returns whom it lets in: the number may have changed hands since. Raises WrongPhoneCode."""
    _use(row)
    owner = selectors.owner_of(row.number)
    if owner is None or owner.pk != row.user_id:
        raise WrongPhoneCode("not theirs any more")
    return owner


@transaction.atomic
def confirm(*, user: User, row: PhoneCode) -> None:
    """The number is this person's from now on, and nobody else's: numbers are given out again. Raises WrongPhoneCode."""
    if row.user_id != user.pk:
        raise WrongPhoneCode("of another person")
    _use(row)
    before = User.objects.select_for_update().filter(
        phone_number=row.number, phone_confirmed_at__isnull=False
    )
    for other in before.exclude(pk=user.pk).order_by("pk"):
        User.objects.filter(pk=other.pk).update(phone_number=None, phone_confirmed_at=None)
        ways.note_removed(user_id=other.pk, way="phone", name=masked(row.number))
    User.objects.filter(pk=user.pk).update(phone_number=row.number, phone_confirmed_at=timezone.now())
    ways.note_added(user_id=user.pk, way="phone", name=masked(row.number))


@transaction.atomic
def disconnect(*, user: User) -> None:
    """The phone opens the account no longer; the number stays written. Raises LastWayIn."""
    person = User.objects.select_for_update().get(pk=user.pk)
    if not person.phone_confirmed_at:
        return
    if selectors.ways_in(person).is_last():
        raise LastWayIn("phone")
    User.objects.filter(pk=person.pk).update(phone_confirmed_at=None)
    ways.note_removed(user_id=person.pk, way="phone", name=masked(person.phone_number or ""))


def _use(row: PhoneCode) -> None:
    """Of several at the same moment one gets through. With it goes whatever else was sent to the number."""
    now = timezone.now()
    if not PhoneCode.objects.filter(pk=row.pk, used_at__isnull=True).update(used_at=now):
        raise WrongPhoneCode("used")
    PhoneCode.objects.filter(number=row.number, purpose=row.purpose, used_at__isnull=True).update(used_at=now)


def masked(number: str) -> str:
    """ "+998 •• ••• •• 67" """
    return f"+998 •• ••• •• {number[-2:]}" if number else ""


def forget_old(*, at: datetime) -> int:
    """Forget codes a day after they ran out. Returns how many rows went."""
    return PhoneCode.objects.filter(expires_at__lt=at - timedelta(days=1)).delete()[0]
