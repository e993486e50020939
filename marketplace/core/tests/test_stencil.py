"""A template rendered once and filled in many times is what the template would have rendered each time."""

import pytest
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from marketplace.core.stencil import Stencil

TEMPLATE = "components/blank.html"
SLOTS = ("title", "text")


def blank(**values):
    return Stencil.of(TEMPLATE, {"icon": "search"}, SLOTS).fill(values)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Nothing found", "Try other words."),
        ("<script>alert(1)</script>", "\"quoted\" & 'single' {{ text }}"),
        (mark_safe("<b>safe</b>"), ""),
        ("xslottextx7c1f", "a value that looks like a mark stays what it is"),
    ],
)
def test_a_stencil_says_what_its_template_says(title, text):
    rendered = render_to_string(TEMPLATE, {"icon": "search", "title": title, "text": text or " "})

    assert blank(title=title, text=text or " ") == rendered


def test_a_value_that_is_missing_is_a_mistake_of_the_caller():
    with pytest.raises(KeyError):
        blank(title="Only this")
