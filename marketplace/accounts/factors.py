"""The second factors people can set up: an app's codes, passkeys, and recovery codes for when both are out of reach.

allauth keeps them and serves their pages; here is what ties them to this house.
"""

import contextlib
from collections.abc import Iterable
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from django.db import transaction
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from qrcode.main import QRCode

from marketplace.accounts import audit, devices
from marketplace.accounts.facts import FactorAdded, FactorRemoved, RecoveryCodesRenewed, RecoveryCodeUsed
from marketplace.accounts.models import User
from marketplace.accounts.recovery import RecoveryCodes
from marketplace.core import encryption
from marketplace.core.announce import announce

Type = Authenticator.Type
MAIN = (Type.TOTP, Type.WEBAUTHN)
SITE = "WibeStore"


class MFAAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("This code is wrong or too old."),
        "cannot_generate_recovery_codes": _("Recovery codes come with a second factor: set one up first."),
    }

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> SafeString:
        """The code as inline markup. Colours are attributes: a style would be refused by our content policy."""
        code = QRCode(border=2)
        code.add_data(url)
        rows = code.get_matrix()
        path = "".join(
            f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark
        )
        return format_html(
            '<svg viewBox="0 0 {0} {0}" role="img" aria-label="{1}" shape-rendering="crispEdges">'
            '<path fill="#fff" d="M0 0h{0}v{0}H0z"/><path fill="#000" d="{2}"/></svg>',
            len(rows),
            gettext("QR code for your authenticator app"),
            path,
        )

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 (allauth's own name)
        """By what the browser calls itself: that is how people tell their devices apart."""
        agent = self.request.headers.get("User-Agent", "")
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return devices.name_of(agent) or gettext("Passkey %(number)s") % {"number": number}

    def _get_site_name(self) -> str:
        return SITE


def secret_in_session(request: HttpRequest, *, is_new: bool) -> str:
    """The secret of an app that is being set up: kept encrypted where allauth keeps it, and forgets it, in the clear.

    A session that holds one from before, or that no key opens any more, gets another: the next code will not fit it.
    """
    kept = request.session.get(SECRET_SESSION_KEY, "")
    if kept and not is_new:
        with contextlib.suppress(encryption.InvalidToken):
            return encryption.decrypt(kept)
    secret: str = generate_totp_secret()
    request.session[SECRET_SESSION_KEY] = encryption.encrypt(secret)
    return secret


class AppOrPasskey:
    """What `second_factor` asks: codes of the app, and recovery codes (those with passkeys alone have them too)."""

    def is_required(self, user: User) -> bool:
        return Authenticator.objects.filter(user_id=user.pk, type__in=MAIN).exists()

    def check(self, user: User, code: str) -> bool:
        for factor in Authenticator.objects.filter(user_id=user.pk).exclude(type=Type.WEBAUTHN):
            if factor.wrap().validate_code(code):
                factor.record_usage()
                audit.note_use(user=user, authenticator=factor)
                if factor.type == Type.RECOVERY_CODES:
                    announce(RecoveryCodeUsed(user_id=user.pk, left=_codes_left(factor)))
                return True
        return False


FACTOR = AppOrPasskey()


def has_passkey(user: User) -> bool:
    return Authenticator.objects.filter(user_id=user.pk, type=Type.WEBAUTHN).exists()


@transaction.atomic
def take_away(factors: Iterable[Authenticator]) -> None:
    """Staff removes factors of somebody who has lost them; they are told. The last one takes the recovery codes along."""
    for factor in list(factors):
        note_removed(user=factor.user, authenticator=factor)
        factor.delete()
        rest = Authenticator.objects.filter(user_id=factor.user_id)
        if not rest.filter(type__in=MAIN).exists():
            rest.delete()


def rotate_keys() -> int:
    """Encrypt the secrets of apps under the newest key (`manage.py reencrypt`). Returns how many there are.

    Of recovery codes hashes are kept, of passkeys what everybody may know.
    """
    count = 0
    for pk in Authenticator.objects.filter(type=Type.TOTP).values_list("pk", flat=True):
        with transaction.atomic():
            factor = Authenticator.objects.select_for_update().get(pk=pk)
            factor.data["secret"] = encryption.rotate(factor.data["secret"])
            factor.save(update_fields=["data"])
        count += 1
    return count


# --- What allauth's signals tell ----------------------------------------------------------------------


def note_added(*, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """Recovery codes come along with the first factor: that is told once."""
    if authenticator.type in MAIN:
        announce(FactorAdded(user_id=user.pk, factor=_factor_name(authenticator)))


def note_removed(*, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    if authenticator.type in MAIN:
        announce(FactorRemoved(user_id=user.pk, factor=_factor_name(authenticator)))


def note_renewed(*, user: User, **_signal: Any) -> None:
    announce(RecoveryCodesRenewed(user_id=user.pk))


def note_used(*, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    if authenticator.type == Type.RECOVERY_CODES:
        announce(RecoveryCodeUsed(user_id=user.pk, left=_codes_left(authenticator)))


def _factor_name(authenticator: Authenticator) -> str:
    """The name that its owner gave a passkey; nothing for the app."""
    return str(authenticator.wrap().name) if authenticator.type == Type.WEBAUTHN else ""


def _codes_left(authenticator: Authenticator) -> int:
    # Read again: what checked the code has its own copy of the row.
    return RecoveryCodes(Authenticator.objects.get(pk=authenticator.pk)).left
