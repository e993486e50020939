"""The key with which a page's script seals what it keeps in the browser."""

from base64 import b64encode

from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import salted_hmac

_SALT = "core.browser_storage"


def key_for(session: SessionBase) -> str:
    """256 bits in base64, the same as long as this session lives; nothing for a session that is not kept yet.

    It stands in pages (`no-store`) and nowhere else, and the browser cannot make it from its cookie: what was sealed is noise
    once the session is over. A session that gets another key (a sign-in, a new password) begins anew. Source: OWASP ASVS 5.0,
    14.3.3.
    """
    if not session.session_key:
        return ""
    return b64encode(salted_hmac(_SALT, session.session_key, algorithm="sha256").digest()).decode()
