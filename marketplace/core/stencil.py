"""A template rendered once and filled in many times.

Where a page shows the same markup two dozen times, rendering the template for each costs more than finding the rows. A
stencil renders it once with marks where values go; filling it in is one join. What a template decides by (`{% if %}`) is
part of the stencil, so there is one for each shape that the markup can take.
"""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Self

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

# Plain letters, so that neither escaping nor URL quoting would change them; the rest is unlikely in anybody's text, and no
# such text is in here when the marks are looked for.
_MARK = "xslot{}x7c1f"
_FIND = re.compile(_MARK.format("([a-z_]+?)"))


class Stencil:
    """Markup with named gaps. Make it with `of`."""

    __slots__ = ("_names", "_parts")

    def __init__(self, marked: str) -> None:
        pieces = _FIND.split(marked)
        self._parts: list[str] = [str(piece) for piece in pieces[::2]]
        self._names: list[str] = pieces[1::2]

    @classmethod
    def of(cls, template: str, shape: Mapping[str, Any], slots: Iterable[str]) -> Self:
        """Render `template` for one shape: `shape` is what it decides by, `slots` name what is put in later."""
        marks = {name: mark_safe(_MARK.format(name)) for name in slots}  # noqa: S308 - our own letters  # nosec B308, B703
        return cls(render_to_string(template, {**shape, **marks}))

    def fill(self, values: Mapping[str, str]) -> SafeString:
        """The markup with the values in their places, each escaped unless it is safe already."""
        parts, names = self._parts, self._names
        text = [parts[0]]
        for name, part in zip(names, parts[1:], strict=True):
            value = values[name]
            text += value if isinstance(value, SafeString) else escape(value), part
        return mark_safe("".join(text))  # noqa: S308 - rendered by a template, values escaped  # nosec B308, B703
