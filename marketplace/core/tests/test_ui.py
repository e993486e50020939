"""The template vocabulary, and what every template must keep to."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import timezone, translation

from marketplace.core import covers
from marketplace.core.templatetags import ui

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def rendered(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


class Sample(forms.Form):
    title = forms.CharField(help_text="Up to 80 characters")
    phone = forms.CharField(required=False)
    kind = forms.ChoiceField(choices=[("a", "First"), ("b", "Second")], widget=forms.RadioSelect)
    picture = forms.ImageField(required=False)
    agree = forms.BooleanField()
    token = forms.CharField(widget=forms.HiddenInput, required=False)


# --- Icons, money, people


def test_an_icon_points_into_the_sprite():
    html = rendered('{% icon "wallet" "text-lg" %}')

    assert (
        html
        == '<svg class="i text-lg" aria-hidden="true"><use href="/static/icons.svg#i-wallet"></use></svg>'
    )


def test_an_unknown_icon_becomes_a_circle():
    assert "#i-circle" in rendered("{% icon name %}", name='"><script>')


def test_templates_name_only_icons_that_the_sprite_holds():
    named = {
        (path.name, name)
        for path in TEMPLATES
        for name in re.findall(r'\{% icon "([^"]+)"', path.read_text(encoding="utf-8"))
    }

    assert {(page, name) for page, name in named if name not in covers.glyphs()} == set()


def test_money_is_written_with_spaces_that_do_not_break():
    assert rendered("{{ sum|money:'UZS' }}", sum=345000000) == f"3{NBSP}450{NBSP}000{NBSP}soʻm"
    assert rendered("{{ sum|amount }}", sum=345000000) == f"3{NBSP}450{NBSP}000"
    assert rendered("{{ sum|money }}", sum=None) == ""


def test_a_lowered_price_shows_the_old_one_and_the_difference():
    html = rendered('{% price 340000 "UZS" old=400000 %}')

    assert "4" + NBSP + "000" in html
    assert "−15%" in html
    assert "price-old" not in rendered('{% price 340000 "UZS" old=300000 %}')


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Oybek Gʻulomov", "OG"), ("Камила Ю.", "КЮ"), ("sardor", "S"), ("", "?"), ("  (x) y", "Y")],
)
def test_initials_come_from_the_first_two_words(name, letters):
    assert ui.initials(name) == letters


def test_an_avatar_is_escaped_and_keeps_its_hue():
    user = SimpleNamespace(pk="7", display_name="<b> <i>", plan="free", avatar=None)

    first, again = rendered("{% avatar user %}", user=user), rendered("{% avatar user %}", user=user)

    assert first == again
    assert "<b>" not in first
    assert "ring-premium" not in first
    assert re.search(r"hue-\d+", first)


def test_a_paying_plan_has_a_ring_and_a_badge():
    user = SimpleNamespace(pk="7", display_name="Aziz", plan="premium", avatar=None)

    assert "ring-premium" in rendered("{% avatar user %}", user=user)
    assert "badge-premium" in rendered("{% plan_badge user.plan %}", user=user)
    assert rendered('{% plan_badge "free" %}') == ""
    assert rendered('{% plan_badges "free" %}') == ""
    assert "VIP" not in rendered('{% plan_badges "premium" %}')
    assert "VIP" in rendered('{% plan_badges "pro" %}')


def test_a_rating_appears_with_the_first_review():
    assert rendered("{% rating none 0 %}", none=None) == ""
    assert "4.9" in rendered("{% rating 4.94 12 %}")
    with translation.override("ru"):
        assert "4,9" in rendered("{% rating 4.94 12 %}")
    assert 'aria-label="4 out of 5"' in rendered("{% stars 4 %}")


def test_a_state_gets_its_tone():
    assert "badge-danger" in rendered('{% status_badge "disputed" "Dispute" %}')
    assert rendered('{% status_badge "draft" %}') == '<span class="badge">draft</span>'


# --- Times


def test_today_and_yesterday_are_said_by_word():
    now = timezone.now()

    assert "Today, " in ui.when(now)
    assert "Yesterday, " in ui.when(now - timedelta(days=1))
    assert str(now.year - 2) in ui.when(now.replace(year=now.year - 2, day=1))
    assert ui.when(None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "time is up"),
        (30, "under a minute"),
        (22 * 60, f"22{NBSP}min"),
        (3600 * 5 + 720, f"5{NBSP}h 12{NBSP}min"),
        (86400 * 2 + 3600, f"2{NBSP}d 1{NBSP}h"),
    ],
)
def test_time_left_is_told_in_two_units_at_most(seconds, text):
    assert ui.time_left(seconds) == text


def test_a_countdown_carries_its_deadline_for_the_browser():
    deadline = timezone.now() + timedelta(minutes=5, seconds=10)

    assert f'data-deadline="{deadline.isoformat(timespec="seconds")}"' in rendered(
        "{% countdown at %}", at=deadline
    )


# --- Lists


def test_a_pager_keeps_the_rest_of_the_query():
    request = RequestFactory().get("/listings/", {"q": "glacier", "page": "2"})

    source = Template("{% load ui %}{% pager page %}")

    html = source.render(RequestContext(request, {"page": Paginator(range(100), 10).page(2)}))

    assert "q=glacier&amp;page=3" in html
    assert 'aria-current="page">2<' in html
    assert rendered("{% pager page %}", page=Paginator([], 10).page(1)).strip() == ""


# --- Forms


def test_a_field_links_its_label_hint_and_error():
    html = rendered("{% field form.title %}", form=Sample({}))

    assert '<label class="label" for="id_title">' in html
    assert 'aria-describedby="id_title_helptext id_title_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_title_helptext"' in html
    assert 'id="id_title_error"' in html
    assert "is-invalid" in html


def test_a_field_takes_a_hint_affixes_and_attributes():
    html = rendered('{% field form.phone prefix="+998" hint="Nine digits" hx_get="/check/" %}', form=Sample())

    assert '<span class="affix">+998</span>' in html
    assert 'hx-get="/check/"' in html
    assert 'aria-describedby="id_phone_helptext"' in html
    assert "optional" in html


def test_every_choice_of_a_radio_field_is_a_row_with_its_own_label():
    html = rendered("{% field form.kind %}", form=Sample({"kind": "b"}))

    assert html.count('class="check-row"') == 2
    assert re.search(r'value="b"[^>]*checked', html)
    assert "<legend" in html


def test_a_hidden_field_is_only_its_input():
    assert (
        rendered("{% field form.token %}", form=Sample())
        == '<input type="hidden" name="token" id="id_token">'
    )


def test_a_file_field_is_a_drop_zone_over_a_real_input():
    html = rendered("{% field form.picture %}", form=Sample())

    assert 'class="drop"' in html
    assert '<input type="file" name="picture"' in html
    assert 'accept="image/*"' in html


def test_crispy_forms_look_the_same():
    form = Sample({})

    own, crispy = rendered("{% field form.title %}", form=form), render_crispy_form(form)

    assert "".join(own.split()) in "".join(crispy.split())


def test_form_errors_count_the_fields_that_need_another_look():
    assert "3 fields" in rendered("{% form_errors form %}", form=Sample({}))
    assert rendered("{% form_errors form %}", form=Sample()).strip() == ""


# --- Covers


def test_a_cover_is_the_same_every_time_and_differs_between_listings():
    first = covers.svg(hues=(30, 54), glyph="crosshair", key="a")

    assert first == covers.svg(hues=(30, 54), glyph="crosshair", key="a")
    assert first != covers.svg(hues=(30, 54), glyph="crosshair", key="b")


def test_every_composition_is_drawn_and_an_unknown_glyph_is_a_gamepad():
    drawn = {
        covers.composition(str(number)): covers.svg(hues=(1, 2), glyph="nope", key=str(number))
        for number in range(60)
    }

    assert set(drawn) == set(covers.COMPOSITIONS)
    assert all(covers.glyphs()["gamepad-2"] in svg for svg in drawn.values())


def test_hues_follow_the_colour_of_the_game():
    assert covers.hues("#ff0000") == (0, 24)
    assert covers.hues("not a colour") == covers.hues("")


# --- What every template keeps to


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates"))
)
def test_a_template_compiles_and_keeps_to_the_content_security_policy(path):
    """Use a class for a style, a file under static/ for a script: the policy forbids both inline."""
    source = path.read_text(encoding="utf-8")
    name = str(path.relative_to(settings.BASE_DIR / "templates"))

    get_template(name)

    if not name.startswith("email"):
        assert not re.search(r"<[^>]*\sstyle=", source)
        assert "<style" not in source
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert not re.search(r"\shx-on|\son(click|change|submit|load)=|javascript:", source)


def test_the_error_page_needs_no_request_and_shows_the_code_when_there_is_one():
    assert "abc123" in get_template("500.html").render({"request_id": "abc123"})
    assert "<code" not in get_template("500.html").render()


def test_a_refusal_is_a_page_or_a_toast():
    error = SimpleNamespace(message="No money left")

    page = get_template("core/refused.html").render({"error": error})
    toast = get_template("core/refused.html#toast").render({"error": error})

    assert "<h1" in page
    assert toast.strip().startswith('<div class="toast toast-danger" role="alert"')
    assert "No money left" in toast
