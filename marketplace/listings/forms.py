"""What visitors ask the catalogue for, and what sellers write."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from marketplace.accounts import selectors as people
from marketplace.core import scanning
from marketplace.core.forms import MoneyField
from marketplace.core.money import to_decimal
from marketplace.core.quotes import quoted
from marketplace.games import selectors as games
from marketplace.games.models import Game
from marketplace.games.schema import Kind
from marketplace.listings import pictures
from marketplace.listings.models import DESCRIPTION_LENGTH, TITLE_LENGTH, Listing
from marketplace.listings.pictures import Renditions
from marketplace.listings.selectors import MAX_PAGE, Filters
from marketplace.listings.services import PICTURES_MAX, Content, Secrets

ORDERINGS = [
    ("", _("Best match")),
    ("-created_at", _("Newest first")),
    ("price", _("Cheapest first")),
    ("-price", _("Dearest first")),
    ("-views_count", _("Most viewed")),
    ("-rating", _("Seller rating")),
]
RATINGS = [("", _("Any")), ("4", _("4 and up")), ("4.5", _("4.5 and up"))]
QUERY_LENGTH = 120
UNFOLDED = 3

PRICE_MIN, PRICE_MAX = 1_000_00, 10_000_000_000_00
FEATURES_MAX, FEATURE_LENGTH = 8, 60


@dataclass(frozen=True, slots=True)
class FilterGroup:
    """One attribute's fields among the filters."""

    label: str
    kind: str
    fields: list[forms.BoundField]
    is_open: bool


class CatalogueForm(forms.Form):
    """The catalogue's query string. What is wrong is said beside its field and left out; the rest still counts."""

    q = forms.CharField(label=_("Search"), required=False, max_length=QUERY_LENGTH)
    game = forms.CharField(label=_("Game"), required=False, max_length=80)
    min_price = MoneyField(label=_("From"), required=False, min_value=0)
    max_price = MoneyField(label=_("To"), required=False, min_value=0)
    rating = forms.ChoiceField(label=_("Seller rating"), required=False, choices=RATINGS)
    seller = forms.CharField(label=_("Seller"), required=False, max_length=40)
    is_premium = forms.BooleanField(
        label=_("Premium offers only"), required=False, widget=forms.CheckboxInput(attrs={"class": "ml-auto"})
    )
    has_images = forms.BooleanField(
        label=_("With pictures only"), required=False, widget=forms.CheckboxInput(attrs={"class": "ml-auto"})
    )
    ordering = forms.ChoiceField(label=_("Sort by"), required=False, choices=ORDERINGS)

    def __init__(self, data: QueryDict) -> None:
        if "search" in data and "q" not in data:
            data = data.copy()
            data["q"] = str(data["search"])
        super().__init__(data)
        self.asked = data
        self.game_chosen = games.by_slug(data.get("game", ""))
        self.attribute_fields: list[str] = []
        if self.game_chosen:
            fields = self.game_chosen.schema.filter_fields()
            self.fields.update(fields)
            self.attribute_fields = list(fields)

    def clean_game(self) -> Game | None:
        if self.cleaned_data["game"] and self.game_chosen is None:
            raise ValidationError(now("There is no such game here."))
        return self.game_chosen

    def clean_seller(self) -> Any:
        name = self.cleaned_data["seller"]
        person = people.public_person(name) if name else None
        if name and person is None:
            raise ValidationError(now("There is no such seller."))
        return person

    def clean_rating(self) -> Decimal | None:
        return Decimal(self.cleaned_data["rating"]) if self.cleaned_data["rating"] else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        ends = [("min_price", "max_price")]
        ends += [
            (name, name.removesuffix("_min") + "_max")
            for name in self.attribute_fields
            if name.endswith("_min")
        ]
        for low, high in ends:
            if (
                cleaned.get(low) is not None
                and cleaned.get(high) is not None
                and cleaned[low] > cleaned[high]
            ):
                self.add_error(high, now("Must not be less than the lower end."))
        return self.cleaned_data

    @cached_property
    def filters(self) -> Filters:
        """What of the query string holds."""
        self.is_valid()
        given = self.cleaned_data
        attributes = {name: given[name] for name in self.attribute_fields if name in given}
        return Filters(
            query=given.get("q", ""),
            game=given.get("game"),
            min_price=given.get("min_price"),
            max_price=given.get("max_price"),
            is_premium=bool(given.get("is_premium")),
            has_images=bool(given.get("has_images")),
            seller=given.get("seller"),
            rating=given.get("rating"),
            attributes=self.game_chosen.schema.condition(attributes)
            if self.game_chosen
            else Filters().attributes,
            ordering=given.get("ordering", ""),
            page=self._page(),
        )

    def _page(self) -> int:
        text = self.data.get("page", "1")
        return min(max(int(text), 1), MAX_PAGE) if text.isascii() and text.isdigit() and len(text) < 6 else 1

    def attribute_groups(self) -> list[FilterGroup]:
        """The game's own filters, for the template: the first few and those in use are unfolded."""
        groups = []
        for number, item in enumerate(self.game_chosen.schema.filters if self.game_chosen else ()):
            ends = ("_min", "_max") if item.kind is Kind.INTEGER else ("",)
            fields = [self[item.field_name + end] for end in ends]
            in_use = any(field.data or field.errors for field in fields)
            groups.append(
                FilterGroup(item.label, str(item.kind), fields, is_open=number < UNFOLDED or in_use)
            )
        return groups

    def others(self) -> list[tuple[str, str]]:
        """What of the query string stays when the order changes, as pairs for hidden inputs."""
        skipped = {"ordering", "page"}
        return [
            (name, value)
            for name, values in self.asked.lists()
            if name not in skipped
            for value in values
            if value
        ]

    def general_errors(self) -> list[tuple[str, str]]:
        """What is wrong, with labels: said above the results too, where a phone's reader sees it."""
        return [
            (str(self.fields[name].label) if name in self.fields else "", str(error))
            for name, errors in self.errors.items()
            for error in errors
        ]


class SecretTextarea(forms.Textarea):
    """What was typed is never written back into a page."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ARG002
        return super().get_context(name, "", attrs)


class PicturesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """Several pictures, each decoded and encoded anew. An error names the file it is about."""

    widget = PicturesInput

    def clean(self, data: Any, initial: Any = None) -> list[Renditions]:
        uploads = [upload for upload in (data if isinstance(data, list | tuple) else [data]) if upload]
        if len(uploads) > PICTURES_MAX:
            raise ValidationError(
                now("Choose at most %(most)d pictures.") % {"most": PICTURES_MAX}, code="too_many"
            )
        prepared, errors = [], []
        for upload in uploads:
            try:
                super().clean(upload, initial)
                prepared.append(pictures.prepare(upload))
            except ValidationError as error:
                # The name comes from the client: shown, escaped and shortened, but never used for anything.
                name = str(upload.name)[-40:]
                errors += [f"{quoted(name)}: {message}" for message in error.messages]
                if error.code == scanning.NOT_SCANNED:
                    break  # nor would the others be, and each would wait for it
        if errors:
            raise ValidationError(errors, code="bad_picture")
        return prepared


class ListingForm(forms.Form):
    """An offer as its seller writes it, for one game. Checks shape; a draft may still lack what buyers need."""

    title = forms.CharField(
        label=_("Title"), min_length=8, max_length=TITLE_LENGTH,
        help_text=_("What a buyer looks for: rank, rare skins, what makes it special."),
    )  # fmt: skip
    description = forms.CharField(
        label=_("Description"),
        min_length=20,
        max_length=DESCRIPTION_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    features = forms.CharField(
        label=_("Selling points"), required=False, max_length=FEATURES_MAX * (FEATURE_LENGTH + 2),
        widget=forms.Textarea(attrs={"rows": 3}), help_text=_("One on each line, at most eight."),
    )  # fmt: skip
    price = MoneyField(label=_("Your price"), min_value=PRICE_MIN, max_value=PRICE_MAX)
    original_price = MoneyField(
        label=_("Price before discount"), required=False, min_value=PRICE_MIN, max_value=PRICE_MAX
    )
    pictures = PicturesField(
        label=_("Pictures"), required=False,
        widget=PicturesInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=_("Up to five JPG, PNG or WebP pictures of at least 800 × 600, 5 MB each."),
    )  # fmt: skip
    login_method = forms.ChoiceField(label=_("How one signs in"), choices=Listing.LoginMethod)
    account_email = forms.CharField(
        label=_("Log-in"), max_length=254, help_text=_("E-mail, phone number or user name.")
    )
    account_password = forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    note = forms.CharField(
        label=_("Notes for the buyer"), required=False, max_length=2000, widget=SecretTextarea(attrs={"rows": 3}),
        help_text=_("Recovery codes, the mailbox, what to change first. Encrypted like the rest."),
    )  # fmt: skip
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    removed = forms.TypedMultipleChoiceField(required=False, coerce=uuid.UUID)
    first = forms.TypedChoiceField(required=False, coerce=uuid.UUID, empty_value=None)

    def __init__(
        self, *args: Any, game: Game, listing: Listing | None = None, has_vault: bool = False, is_draft: bool = False,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        self.game, self.listing, self.has_vault = game, listing, has_vault
        if listing and "initial" not in kwargs:
            kwargs["initial"] = _initial(listing, game)
        super().__init__(*args, **kwargs)
        fields = game.schema.form_fields()
        self.fields.update(fields)
        self.attribute_fields = list(fields)
        images = [(str(image.pk), "") for image in listing.images.all()] if listing else []
        self.fields["removed"].choices = self.fields["first"].choices = images  # type: ignore[attr-defined]
        self.fields["account_email"].widget.attrs["autocomplete"] = "off"
        if has_vault or is_draft:
            self._relax("account_email", "account_password")
        if is_draft:
            self._relax("description", *self.attribute_fields)
        if has_vault:
            self.fields["account_email"].help_text = _(
                "Stored and encrypted. Leave empty to keep it as it is."
            )

    def _relax(self, *names: str) -> None:
        for name in names:
            self.fields[name].required = False

    def clean_title(self) -> str:
        return " ".join(self.cleaned_data["title"].split())

    def clean_features(self) -> list[str]:
        lines = [" ".join(line.split()) for line in self.cleaned_data["features"].splitlines()]
        lines = list(dict.fromkeys(line for line in lines if line))
        if len(lines) > FEATURES_MAX:
            raise ValidationError(now("Write at most %(most)d lines.") % {"most": FEATURES_MAX})
        if any(len(line) > FEATURE_LENGTH for line in lines):
            raise ValidationError(now("Keep each line under %(most)d characters.") % {"most": FEATURE_LENGTH})
        return lines

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        price, before = cleaned.get("price"), cleaned.get("original_price")
        if price and before and before <= price:
            self.add_error("original_price", now("Must be higher than your price."))
        if self.listing and cleaned.get("version") is None:
            self.add_error(None, now("This form is out of date. Open it again."))
        kept = len(self.fields["removed"].choices) - len(cleaned.get("removed") or ())  # type: ignore[attr-defined]
        if kept + len(cleaned.get("pictures") or ()) > PICTURES_MAX:
            self.add_error(
                "pictures", now("An offer has at most %(most)d pictures.") % {"most": PICTURES_MAX}
            )
        return self.cleaned_data

    def bound_attributes(self) -> list[forms.BoundField]:
        """The game's own fields, for the template."""
        return [self[name] for name in self.attribute_fields]

    @property
    def content(self) -> Content:
        """What buyers will read, out of a valid form."""
        given = self.cleaned_data
        return Content(
            game=self.game,
            title=given["title"],
            description=given["description"],
            price=given["price"],
            original_price=given["original_price"],
            attributes=self.game.schema.collect(given),
            features=given["features"],
            login_method=given["login_method"],
        )

    @property
    @sensitive_variables()
    def secrets(self) -> Secrets:
        """What goes into the vault, out of a valid form."""
        given = self.cleaned_data
        return Secrets(given["account_email"], given["account_password"], given["note"])


def _initial(listing: Listing, game: Game) -> Mapping[str, Any]:
    initial: dict[str, Any] = {
        "title": listing.title,
        "description": listing.description,
        "features": "\n".join(listing.features),
        "price": listing.price,
        "original_price": listing.original_price,
        "login_method": listing.login_method,
        "version": listing.version,
    }
    return initial | game.schema.initial(listing.attributes if listing.game_id == game.pk else {})


def as_typed(minor: int) -> str:
    """An amount as it stands in the query string."""
    return str(to_decimal(minor)).removesuffix(".00")
