"""The page of developers that shows every building block with its states: /dev/components/."""

from base64 import b64encode
from datetime import timedelta
from types import SimpleNamespace

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from marketplace.core import covers
from marketplace.core.forms import MoneyField


class SampleForm(forms.Form):
    title = forms.CharField(max_length=80, help_text="Up to 80 characters")
    phone = forms.RegexField(r"\+998\d{9}", error_messages={"invalid": "Nine digits after +998"})
    nickname = forms.CharField(required=False)
    price = MoneyField()
    city = forms.ChoiceField(choices=[("tas", "Toshkent"), ("sam", "Samarqand")])
    about = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    password = forms.CharField(widget=forms.PasswordInput)
    pictures = forms.FileField(required=False)
    reason = forms.ChoiceField(
        choices=[("a", "Not as described"), ("b", "Cannot log in")], widget=forms.RadioSelect
    )
    wishes = forms.MultipleChoiceField(
        choices=[("skins", "Skins"), ("rank", "Rank")], widget=forms.CheckboxSelectMultiple, required=False
    )
    agree = forms.BooleanField(label="I agree")
    notify = forms.BooleanField(label="Notify me", required=False)


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Every component once, with samples; served only where developer pages are."""
    form = SampleForm(
        {"title": "", "phone": "+998 90 12", "price": "150000", "reason": "a", "wishes": ["rank"]}
    )
    people = [
        SimpleNamespace(pk=str(number), display_name=name, plan=plan, avatar=None)
        for number, (name, plan) in enumerate(
            [
                ("Aziz Karimov", "premium"),
                ("Dilnoza R.", "pro"),
                ("Максим Т.", "free"),
                ("Oybek Gʻulomov", "free"),
            ]
        )
    ]
    steps = [
        {"state": "done", "title": "Paid", "text": "20 Mar, 12:04"},
        {"state": "now", "title": "Check the account", "text": "47 hours left"},
        {"state": "", "title": "Released"},
    ]
    samples = {
        "form": form,
        "people": people,
        "steps": steps,
        "failed_steps": [
            steps[0],
            {"state": "fail", "title": "Dispute", "icon": "gavel"},
            {"title": "Decision"},
        ],
        "deadline": timezone.now() + timedelta(minutes=22, seconds=30),
        "now": timezone.now(),
        "page": Paginator(range(780), 10).page(2),
        "states": ["draft", "active", "paid", "pending", "disputed", "sold"],
        "icons": sorted(covers.glyphs()),
        "covers": _covers(),
    }
    return render(request, "core/components.html", samples)


def _covers() -> list[str]:
    """One sample for each composition, as addresses that hold the picture."""
    keys: dict[str, str] = {}
    for number in range(100):
        keys.setdefault(covers.composition(str(number)), str(number))
    glyphs = ("crosshair", "swords", "flame", "target", "castle")
    drawn = [
        covers.svg(hues=(number * 70 + 14, number * 70 + 38), glyph=glyph, key=key)
        for number, (key, glyph) in enumerate(zip(keys.values(), glyphs, strict=True))
    ]
    return [f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}" for svg in drawn]
