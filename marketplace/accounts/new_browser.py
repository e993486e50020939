"""A browser that is new to somebody: they show a code from their mail as well, so a password that leaked opens nothing.

Asked of everybody who has no second factor, which would be asked for anyway. A browser is known by the token in its cookie, a
program by the same token, which it is given and keeps; what a caller says of itself counts for nothing here. Whoever has
used a link from a letter a moment ago has shown the mailbox already.

Source: OWASP ASVS 5.0, 6.3.3 (several factors, or several single ones together), 6.5.2 to 6.5.5, 6.6.2, 6.6.3 (such codes).
"""

import secrets
import time
from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from marketplace.accounts import devices, second_factor, trail
from marketplace.accounts.errors import TooManyCodes, WrongMailedCode
from marketplace.accounts.models import SignInCode, User
from marketplace.accounts.trail import Kind
from marketplace.core import encryption, jobs, limits

_SALT = "accounts.new_browser"
_NOW = timedelta(0)
_SHOWN = "mailbox_shown"  # in the session
MAIL_TASK = "tasks.notifications.send_sign_in_code"


def is_code_needed(user: User, *, token: str) -> bool:
    """Whether this person has to show a code from their mail. `token`: what the browser or program is known by, if anything.

    Who has not confirmed an address has no mailbox to look into yet, and can do nothing before.
    """
    if not settings.NEW_BROWSER_CODE or second_factor.is_required(user) or devices.is_trusted(user, token):
        return False
    return EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()


def note_mailbox(request: HttpRequest, user: User) -> None:
    """Remember that whoever sits at this browser has just used a link from this person's mailbox."""
    request.session[_SHOWN] = {"user": str(user.pk), "at": time.time()}


def has_shown_mailbox(request: HttpRequest, user: User) -> bool:
    shown = request.session.get(_SHOWN)
    since = time.time() - settings.MAIL_CODE_LIFE.total_seconds()
    return shown is not None and shown["user"] == str(user.pk) and shown["at"] > since


@transaction.atomic
def send_code(user: User, *, after: SignInCode | None = None) -> SignInCode:
    """Mail a code to somebody who has just shown who they are, a while after the one before. Raises TooManyCodes.

    It belongs to this very request: whoever else asks in their name gets another, and uses up no tries of theirs.
    """
    if after is not None and (pause := settings.MAIL_CODE_PAUSE - (timezone.now() - after.created_at)) > _NOW:
        raise TooManyCodes("another code by mail", retry_after=int(pause.total_seconds()) + 1)
    if wait := limits.spend("mail_code", str(user.pk)):
        raise TooManyCodes("codes by mail", retry_after=wait)
    code = f"{secrets.randbelow(1_000_000):06}"
    row = SignInCode(user=user, expires_at=timezone.now() + settings.MAIL_CODE_LIFE)
    row.digest = _digest(row, code)
    row.save()
    trail.record(Kind.CODE_MAILED, user=user)
    jobs.enqueue(MAIL_TASK, code_id=str(row.pk), secret=encryption.encrypt(code))
    return row


def pending(code_id: UUID | str) -> SignInCode | None:
    """A code that was sent to somebody who may come in, and not used yet, whether it still works or not."""
    found = SignInCode.objects.select_related("user").filter(
        pk=code_id, used_at__isnull=True, user__is_active=True, user__deleted_at__isnull=True
    )
    return found.first()


def spend_code(*, code_id: UUID | str, code: str) -> User:
    """Use the code up. Returns whom it lets in. Raises WrongMailedCode; each call counts as a try."""
    now = timezone.now()
    open_now = SignInCode.objects.filter(
        pk=code_id, used_at__isnull=True, expires_at__gt=now, tries__lt=settings.MAIL_CODE_TRIES
    )
    # Counted before it is looked at, so that tries at the same moment cannot slip through together.
    if not open_now.update(tries=F("tries") + 1):
        raise WrongMailedCode("none that is open")
    row = SignInCode.objects.select_related("user").get(pk=code_id)
    if not constant_time_compare(row.digest, _digest(row, code)):
        raise WrongMailedCode("wrong")
    # Of several at the same moment one gets through.
    if not SignInCode.objects.filter(pk=code_id, used_at__isnull=True).update(used_at=now):
        raise WrongMailedCode("used")
    return row.user


def forget_old(*, at: datetime) -> int:
    """Forget codes a day after they ran out. Returns how many rows went."""
    return SignInCode.objects.filter(expires_at__lt=at - timedelta(days=1)).delete()[0]


def _digest(row: SignInCode, code: str) -> str:
    # With the person's password: a code that was sent before a new one is worth nothing after it.
    text = f"{row.pk}|{row.user_id}|{row.user.password}|{code}"
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()
