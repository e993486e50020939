"""What a client sends, once it is in order."""

from collections.abc import Iterable
from typing import Any

from django.forms import BaseForm
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError


def valid(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    """The values that a bound serializer has read. Raises ValidationError, which answers 400 with each field's words."""
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def choose_from(name: str, offered: Iterable[str]) -> ValidationError:
    """What to raise for a value that is not among those offered; it stands beside its name."""
    return ValidationError({name: [_("Choose from: %(names)s.") % {"names": ", ".join(offered)}]})


def said_by(form: BaseForm) -> ValidationError:
    """What to raise for a page's form that a program has filled in, where the rules are the form's."""
    return ValidationError({name: [str(message) for message in said] for name, said in form.errors.items()})
