"""A clock that can be set back while past events are being made."""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest import mock

from django.apps import apps
from django.utils import timezone

_real = timezone.now


class Clock:
    """What `timezone.now` answers; each question moves it on by a moment, so that rows keep their order."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return min(self.at, _real())

    def on(self, **step: float) -> None:
        self.at += timedelta(**step)


@contextlib.contextmanager
def set_back(to: datetime) -> Iterator[Clock]:
    """Let the services believe that it is then. Column defaults hold the function itself, so they are replaced too."""
    clock = Clock(to)
    fields = [
        field
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.default is _real
    ]
    try:
        for field in fields:
            field.default = clock
            field.__dict__.pop("_get_default", None)
        with mock.patch("django.utils.timezone.now", clock):
            yield clock
    finally:
        for field in fields:
            field.default = _real
            field.__dict__.pop("_get_default", None)
