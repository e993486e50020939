"""How a reader likes the pages: theme and language, kept in cookies so that they hold before anybody signs in."""

from django.conf import settings
from django.http import HttpRequest

THEMES = ("auto", "light", "dark")


def theme_of(request: HttpRequest) -> str:
    """The reader's theme: auto (as the device has it), light or dark."""
    chosen = request.COOKIES.get(settings.THEME_COOKIE_NAME, "")
    return chosen if chosen in THEMES else THEMES[0]
