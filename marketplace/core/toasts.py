"""Django's messages for the next page, in a cookie whose name is a setting: in production it belongs to this host alone."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class _Cookie(CookieStorage):
    @property
    def cookie_name(self) -> str:  # type: ignore[override]
        return settings.MESSAGES_COOKIE_NAME


class Storage(FallbackStorage):
    """What does not fit into the cookie goes into the session, as in Django's."""

    storage_classes = (_Cookie, SessionStorage)
