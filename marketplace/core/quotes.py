"""Quotation marks of the reader's language."""

from django.utils.translation import gettext as _


def quoted(text: str) -> str:
    """“text”, «text»: as the language of the page quotes."""
    return _("“%(text)s”") % {"text": text}
