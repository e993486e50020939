"""What is told about an account of a game: a typed list of attributes, kept as JSON in the game's row.

One list drives the sell form, the catalogue's filters and the facts on cards and listing pages. Values are kept in the
listing's `attributes` as {code: value}: a number, an option's code, a text, true or false; several choices as
{code: {option: true}}, because that shape can be looked up on every database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

PREFIX = "a_"
TEXT_LIMIT = 80
_CODE = re.compile(r"[a-z][a-z0-9_]{0,29}")


class BadSchema(ValueError):
    """The JSON of a game's row does not describe attributes."""


class Kind(StrEnum):
    INTEGER = "integer"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXT = "text"
    BOOLEAN = "boolean"


def language(code: str | None) -> str:
    """One of our three languages for any language code."""
    short = (code or "uz")[:2]
    return short if short in {"uz", "ru", "en"} else "uz"


def _words(value: Any, where: str) -> Mapping[str, str]:
    """A name per language; a bare string (a rank, a proper name) is the same in each."""
    if isinstance(value, str) and value:
        return dict.fromkeys(("uz", "ru", "en"), value)
    if isinstance(value, dict) and all(isinstance(value.get(code), str) for code in ("uz", "ru", "en")):
        return {code: value[code] for code in ("uz", "ru", "en")}
    raise BadSchema(f"{where}: expected a text, or one each for uz, ru and en")


@dataclass(frozen=True, slots=True)
class Option:
    code: str
    labels: Mapping[str, str]

    @property
    def label(self) -> str:
        return self.labels[language(get_language())]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that is told about an account. `short` is what stands before or behind the value on a card."""

    code: str
    kind: Kind
    labels: Mapping[str, str]
    options: tuple[Option, ...] = ()
    minimum: int = 0
    maximum: int = 1_000_000
    units: Mapping[str, str] | None = None
    short: Mapping[str, str] | None = None
    is_required: bool = False
    is_filter: bool = False
    is_fact: bool = False

    @property
    def label(self) -> str:
        return self.labels[language(get_language())]

    @property
    def unit(self) -> str:
        return self.units[language(get_language())] if self.units else ""

    @property
    def field_name(self) -> str:
        return PREFIX + self.code

    def option(self, code: str) -> Option | None:
        return next((option for option in self.options if option.code == code), None)

    def is_valid(self, value: Any) -> bool:
        """Whether a stored value fits this attribute."""
        match self.kind:
            case Kind.INTEGER:
                return (
                    isinstance(value, int)
                    and not isinstance(value, bool)
                    and self.minimum <= value <= self.maximum
                )
            case Kind.CHOICE:
                return isinstance(value, str) and self.option(value) is not None
            case Kind.CHOICES:
                return isinstance(value, dict) and bool(value) and all(self.option(code) for code in value)
            case Kind.TEXT:
                return isinstance(value, str) and 0 < len(value) <= self.maximum
            case Kind.BOOLEAN:
                return isinstance(value, bool)

    def text(self, value: Any) -> str:
        """A stored value in the reader's language, with its unit; "" for one that no longer fits."""
        if not self.is_valid(value):
            return ""
        match self.kind:
            case Kind.INTEGER:
                number = f"{value:,}".replace(",", "\u00a0")
                return f"{number}\u00a0{self.unit}" if self.unit else number
            case Kind.CHOICE:
                found = self.option(value)
                return found.label if found else ""
            case Kind.CHOICES:
                return ", ".join(option.label for option in self.options if option.code in value)
            case Kind.BOOLEAN:
                return _("yes") if value else _("no")
            case Kind.TEXT:
                return str(value)

    def fact(self, value: Any) -> str:
        """The value as a card says it: "Lv 78", "214 outfits", "Conqueror"; "" when there is nothing to say."""
        text = self.text(value)
        if not text or value is False:
            return ""
        if self.kind is Kind.BOOLEAN:
            return self.label
        if self.short:
            return self.short[language(get_language())].replace("{}", text)
        return text


@dataclass(frozen=True, slots=True)
class Fact:
    code: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Schema:
    attributes: tuple[Attribute, ...]

    @property
    def filters(self) -> tuple[Attribute, ...]:
        """The attributes one can filter by: all kinds but free text."""
        return tuple(item for item in self.attributes if item.is_filter and item.kind is not Kind.TEXT)

    def facts(self, values: Mapping[str, Any]) -> list[Fact]:
        """What is known about an account, for a table: label and value in the reader's language, in schema order."""
        pairs = ((item, item.text(values.get(item.code))) for item in self.attributes)
        return [Fact(item.code, item.label, text) for item, text in pairs if text]

    def card_facts(self, values: Mapping[str, Any], *, most: int = 2) -> str:
        """The line above a card's title: "Lv 78 · Conqueror"."""
        said = (item.fact(values.get(item.code)) for item in self.attributes if item.is_fact)
        return " · ".join([text for text in said if text][:most])

    def form_fields(self) -> dict[str, forms.Field]:
        """Fields for the sell form by name ("a_rank"), in schema order."""
        return {item.field_name: _form_field(item) for item in self.attributes}

    def collect(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """The values to store, out of a cleaned form. What was left empty is not stored."""
        values: dict[str, Any] = {}
        for item in self.attributes:
            value = cleaned.get(item.field_name)
            if item.kind is Kind.CHOICES:
                value = dict.fromkeys(value, True) if value else None
            if item.kind is Kind.BOOLEAN and not value:
                continue
            if value not in (None, ""):
                values[item.code] = value
        return values

    def initial(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Stored values as a form wants them; those that no longer fit the schema are dropped."""
        initial: dict[str, Any] = {}
        for item in self.attributes:
            value = values.get(item.code)
            if item.is_valid(value):
                initial[item.field_name] = list(value) if isinstance(value, dict) else value
        return initial

    def filter_fields(self) -> dict[str, forms.Field]:
        """Fields for the catalogue's filters: choices may be many at once, numbers have a lower and an upper end."""
        fields: dict[str, forms.Field] = {}
        for item in self.filters:
            name = item.field_name
            if item.kind is Kind.INTEGER:
                for end, words in (("min", _("from")), ("max", _("to"))):
                    fields[f"{name}_{end}"] = forms.IntegerField(
                        label=f"{item.label}, {words}",
                        required=False,
                        min_value=item.minimum,
                        max_value=item.maximum,
                    )
            elif item.kind is Kind.BOOLEAN:
                fields[name] = forms.BooleanField(label=item.label, required=False)
            else:
                fields[name] = forms.MultipleChoiceField(
                    label=item.label,
                    required=False,
                    choices=[(option.code, option.label) for option in item.options],
                    widget=forms.CheckboxSelectMultiple,
                )
        return fields

    def condition(self, cleaned: Mapping[str, Any]) -> Q:
        """The chosen filters as a condition on a listing's `attributes`, the same on every database."""
        found = Q()
        for item in self.filters:
            name, column = item.field_name, f"attributes__{item.code}"
            match item.kind:
                case Kind.INTEGER:
                    low, high = cleaned.get(f"{name}_min"), cleaned.get(f"{name}_max")
                    found &= Q(**{f"{column}__gte": low}) if low is not None else Q()
                    found &= Q(**{f"{column}__lte": high}) if high is not None else Q()
                case Kind.BOOLEAN:
                    found &= Q(**{column: True}) if cleaned.get(name) else Q()
                case Kind.CHOICE:
                    found &= Q(**{f"{column}__in": cleaned[name]}) if cleaned.get(name) else Q()
                case Kind.CHOICES:
                    found &= Q(**{f"{column}__has_any_keys": cleaned[name]}) if cleaned.get(name) else Q()
        return found


class OptionalBooleanField(forms.BooleanField):
    """A box that may stay empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)


class AttributeIntegerField(forms.IntegerField):
    """A whole number; people may part thousands by spaces. The keyboard is numeric, the input has no spinner."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("inputmode", "numeric")

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str):
            value = re.sub(r"[\s\u00a0\u202f]", "", value)
            if len(value) > 12:
                raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


def _form_field(item: Attribute) -> forms.Field:
    common: dict[str, Any] = {"label": item.label, "required": item.is_required}
    match item.kind:
        case Kind.INTEGER:
            return AttributeIntegerField(min_value=item.minimum, max_value=item.maximum, **common)
        case Kind.CHOICE:
            empty = [("", "—")]
            return forms.ChoiceField(choices=empty + [(o.code, o.label) for o in item.options], **common)
        case Kind.CHOICES:
            return forms.MultipleChoiceField(
                choices=[(o.code, o.label) for o in item.options],
                widget=forms.CheckboxSelectMultiple,
                **common,
            )
        case Kind.BOOLEAN:
            return OptionalBooleanField(label=item.label)
        case Kind.TEXT:
            return forms.CharField(max_length=item.maximum, **common)


def parse(raw: Any) -> Schema:
    """Read the JSON of a game's row. Raises BadSchema, saying where, for anything that does not fit."""
    if not isinstance(raw, list):
        raise BadSchema("expected a list of attributes")
    attributes = tuple(_attribute(entry, number) for number, entry in enumerate(raw))
    codes = [item.code for item in attributes]
    if len(set(codes)) != len(codes):
        raise BadSchema("two attributes have the same code")
    return Schema(attributes)


def _attribute(entry: Any, number: int) -> Attribute:
    where = f"attribute {number}"
    if not isinstance(entry, dict):
        raise BadSchema(f"{where}: expected an object")
    code = entry.get("code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise BadSchema(f"{where}: bad code {code!r}")
    where = f"attribute {code}"
    try:
        kind = Kind(str(entry.get("kind")))
    except ValueError as error:
        raise BadSchema(f"{where}: unknown kind {entry.get('kind')!r}") from error
    options = tuple(_option(option, where) for option in entry.get("options", ()))
    if (kind in {Kind.CHOICE, Kind.CHOICES}) != bool(options):
        raise BadSchema(f"{where}: options belong to choices, and choices need them")
    if len({option.code for option in options}) != len(options):
        raise BadSchema(f"{where}: two options have the same code")
    low, high = entry.get("min", 0), entry.get("max", TEXT_LIMIT if kind is Kind.TEXT else 1_000_000)
    if not isinstance(low, int) or not isinstance(high, int) or low > high:
        raise BadSchema(f"{where}: min and max are whole numbers in order")
    return Attribute(
        code=code,
        kind=kind,
        labels=_words(entry.get("label"), where),
        options=options,
        minimum=low,
        maximum=high,
        units=_words(entry["unit"], where) if entry.get("unit") else None,
        short=_words(entry["short"], where) if entry.get("short") else None,
        is_required=bool(entry.get("required")),
        is_filter=bool(entry.get("filter")),
        is_fact=bool(entry.get("fact")),
    )


def _option(entry: Any, where: str) -> Option:
    if isinstance(entry, str):
        entry = {"value": re.sub(r"[^a-z0-9]+", "-", entry.lower()).strip("-"), "label": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), str) or not entry["value"]:
        raise BadSchema(f"{where}: an option is a text, or a value with a label")
    return Option(entry["value"], _words(entry.get("label"), where))


def described(values: Iterable[Fact]) -> str:
    """Facts as one plain sentence, for meta descriptions."""
    return ", ".join(f"{fact.label}: {fact.text}" for fact in values)
