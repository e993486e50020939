import time
from hashlib import sha256

import factory
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

from marketplace.accounts import recovery
from marketplace.accounts.models import User

PASSWORD = "Qorbars7741"


class UserFactory(factory.django.DjangoModelFactory):
    """A verified person with a confirmed address and the password above."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.uz")
    full_name = factory.Sequence(lambda n: f"Person {n}")
    language = "en"
    is_verified = True
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def address(self, create, extracted, **kwargs):
        if create:
            self.emailaddress_set.create(email=self.email, verified=True, primary=True)


class StaffFactory(UserFactory):
    """A superuser: may do everything that staff may."""

    is_staff = True
    is_superuser = True


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def with_app(user: User, *, secret: str = SECRET) -> User:
    """The person, with an authenticator app (`code_of_app` says what it shows) and recovery codes."""
    TOTP.activate(user, secret)
    recovery.RecoveryCodes.activate(user)
    return user


def code_of_app(secret: str = SECRET, *, later: int = 0) -> str:
    """What the app shows now, or `later` half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def recovery_codes(user: User) -> list[str]:
    """New codes in place of the person's: what they had nobody can say."""
    factor = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    codes = recovery.made()
    factor.data = recovery.hashed(codes)
    factor.save(update_fields=["data"])
    return codes


def with_passkey(user: User, name: str = "Chrome, Android") -> User:
    """The person, with a passkey of localhost that nobody holds, and recovery codes."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    handle = sha256(f"{user.pk}{name}".encode()).digest()
    data = AuthenticatorData.create(
        sha256(b"localhost").digest(),
        AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT,
        0,
        AttestedCredentialData.create(Aaguid.NONE, handle, key),
    )
    said = b'{"type":"webauthn.create","challenge":"AAAA","origin":"http://localhost"}'
    credential = {
        "id": websafe_encode(handle),
        "rawId": websafe_encode(handle),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(said),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
        "clientExtensionResults": {"credProps": {"rk": True}},
    }
    WebAuthn.add(user, name, credential)
    recovery.RecoveryCodes.activate(user)
    return user
