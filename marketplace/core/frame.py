"""The frame around a body that is shared: header, menus and footer as one reader sees them, kept in memory.

Rendering the frame costs several times what the body costs once that is kept. It depends on little, and all of it is in
the key: who reads and how they are shown, language, theme, and the header's values, which are asked anew on every request.
What is different each time (the address to come back to, the CSRF token) is put in last. Pages with messages and those of
staff are rendered as usual.
"""

import copy
import threading
from typing import Any

from cachetools import LRUCache
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from marketplace.core.context_processors import shell
from marketplace.core.preferences import theme_of

_BODY, _TOKEN, _PATH = "<!--body-->", "csrf-7b1d40c2", "path-7b1d40c2"
_MAX_CHARACTERS = 16_000_000

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
    if len(get_messages(request)) or (user.is_authenticated and user.is_staff):
        return render(request, template, {**context, "body": body})
    header: dict[str, Any] = shell(request).get("header", {})  # type: ignore[assignment]
    reader: tuple[Any, ...] = (get_language(), theme_of(request))
    if user.is_authenticated:
        reader += (user.pk, user.display_name, user.plan, user.avatar.name)

    def key(names: tuple[str, ...]) -> Key:
        values = tuple(repr(header[name]()) for name in names if name in header)
        return template, tuple(context.items()), reader, values

    frame = None
    if template in _shown or not header:
        wanted = key(_shown.get(template, ()))
        with _lock:
            frame = _frames.get(wanted)
    if frame is None:
        frame = _render(request, template, {**context, "header": header})
        if header:
            seen = {name for name, value in header.items() if value.cache_info().currsize}
            _shown[template] = tuple(sorted(seen | set(_shown.get(template, ()))))
        wanted = key(_shown.get(template, ()))
        with _lock:
            _frames[wanted] = frame
    last = {_PATH: str(escape(request.get_full_path()))}
    if user.is_authenticated:
        last[_TOKEN] = get_token(request)
    before, after = frame
    for mark, text in last.items():
        before, after = before.replace(mark, text), after.replace(mark, text)
    return HttpResponse(before + body + after)


def _render(request: HttpRequest, template: str, context: dict[str, Any]) -> tuple[str, str]:
    """The page around its body, with marks where the address and the token belong."""
    marked = copy.copy(request)
    marked.get_full_path = lambda *_args, **_kwargs: _PATH  # type: ignore[method-assign]
    inside = {**context, "request": marked, "csrf_token": _TOKEN, "body": mark_safe(_BODY)}  # noqa: S308  # nosec B308, B703
    before, _mark, after = render_to_string(template, inside, request=request).partition(_BODY)
    return before, after
