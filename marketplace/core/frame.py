"""The frame around a body that is shared: header, menus and footer as one signed-in reader sees them, kept in memory.

Rendering the frame costs several times what the body costs once that is kept. It depends on little, and all of it is in
the key: who reads and how they are shown, language, theme, address, and the header's values, which are asked anew on every
request. What is different each time (the CSRF token) is put in last. Pages with messages and those of staff are rendered
as usual.
"""

import threading
from typing import Any

from cachetools import LRUCache
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from marketplace.core.context_processors import shell
from marketplace.core.preferences import theme_of

_BODY, _TOKEN = "<!--body-->", "csrf-7b1d40c2"
_MAX_CHARACTERS = 16_000_000
_LONGEST_PATH = 300

type Key = tuple[Any, ...]

_frames: LRUCache[Key, tuple[str, str]] = LRUCache(
    _MAX_CHARACTERS, getsizeof=lambda parts: len(parts[0]) + len(parts[1])
)
# Which header values a template shows: the others are not asked for.
_shown: dict[str, tuple[str, ...]] = {}
_lock = threading.Lock()


def forget_all() -> None:
    """Empty this process's memory (tests do)."""
    with _lock:
        _frames.clear()


def around(request: HttpRequest, template: str, context: dict[str, str], *, body: SafeString) -> HttpResponse:
    """The page `template` with `body` where it writes {{ body }}. Only texts may stand in `context`."""
    user = request.user
    path = request.get_full_path()
    if not user.is_authenticated or user.is_staff or len(path) > _LONGEST_PATH or len(get_messages(request)):
        return render(request, template, {**context, "body": body})
    header: dict[str, Any] = shell(request)["header"]  # type: ignore[assignment]
    reader = (user.pk, user.display_name, user.plan, user.avatar.name, get_language(), theme_of(request))

    def key(names: tuple[str, ...]) -> Key:
        return template, path, tuple(context.items()), reader, tuple(repr(header[name]()) for name in names)

    frame = None
    if template in _shown:
        wanted = key(_shown[template])
        with _lock:
            frame = _frames.get(wanted)
    if frame is None:
        inside = {**context, "header": header, "csrf_token": _TOKEN, "body": mark_safe(_BODY)}  # noqa: S308
        before, _mark, after = render_to_string(template, inside, request=request).partition(_BODY)
        frame = before, after
        shown = {
            *_shown.get(template, ()),
            *(name for name, value in header.items() if value.cache_info().currsize),
        }
        _shown[template] = tuple(sorted(shown))
        with _lock:
            _frames[key(_shown[template])] = frame
    token = get_token(request)
    return HttpResponse(frame[0].replace(_TOKEN, token) + body + frame[1].replace(_TOKEN, token))
