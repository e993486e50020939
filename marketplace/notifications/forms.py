"""What a person chooses: what they are told, where, and when."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.notifications import selectors
from marketplace.notifications.groups import kinds_in
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Channel, NotificationSetting

PHRASE_LENGTH = 60


def _clock(name: Any) -> forms.TimeField:
    return forms.TimeField(
        label=name, required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )


class TimesForm(forms.Form):
    """Phrase, quiet hours and daily summary; the page's form adds the switches, the API has its own."""

    phrase = forms.CharField(
        label=_("Your phrase"),
        required=False,
        max_length=PHRASE_LENGTH,
        help_text=_("Any words that only you know. They stand at the head of every mail of ours; a forged one cannot have them."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    quiet_from = _clock(_("Quiet from"))
    quiet_until = _clock(_("Quiet until"))
    digest_hour = forms.TypedChoiceField(
        label=_("Daily summary"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("No summary: each mail at once")), *((hour, f"{hour:02}:00") for hour in range(24))],
        help_text=_("One mail a day with what you have not read. What can be switched off then comes in it alone."),
    )  # fmt: skip

    def clean_phrase(self) -> str:
        return " ".join(self.cleaned_data["phrase"].split())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.has_error("quiet_from") or self.has_error("quiet_until"):
            return data
        begins, ends = data.get("quiet_from"), data.get("quiet_until")
        if (begins is None) != (ends is None):
            missing = "quiet_from" if begins is None else "quiet_until"
            self.add_error(missing, ValidationError(_("Give both times, or none."), code="half"))
        elif begins is not None and begins == ends:
            self.add_error("quiet_until", ValidationError(_("The two times are the same."), code="same"))
        return data

    @staticmethod
    def values_of(setting: NotificationSetting) -> dict[str, Any]:
        return {
            "phrase": setting.phrase,
            "quiet_from": setting.quiet_from,
            "quiet_until": setting.quiet_until,
            "digest_hour": setting.digest_hour,
        }


class PreferencesForm(TimesForm):
    """A switch for each group and channel that has anything to switch: "trades_email"."""

    def __init__(
        self, *, user: User, setting: NotificationSetting, channels: list[str], **kwargs: Any
    ) -> None:
        choices = selectors.choices_of(user)
        self.groups = selectors.groups_for(user)
        self.switches = Switches(
            {
                (group.code, channel): selectors.in_group_on(choices, group.code, channel)
                for group in self.groups
                for channel in channels
            }
        )
        super().__init__(initial=self.values_of(setting), **kwargs)
        self.fields.update(self.switches.fields())

    def switched(self) -> dict[tuple[str, str], bool]:
        """The groups and channels whose switch was moved: the others may hold finer choices, which stay."""
        return self.switches.moved(self.cleaned_data)

    def rows(self) -> list[dict[str, Any]]:
        """The table: each group with a cell for each channel."""
        return [
            {
                "group": group,
                "cells": self.switches.cells(
                    self, group.code, is_told=partial(selectors.is_ever_told, group.code)
                ),
            }
            for group in self.groups
        ]


class GroupForm(forms.Form):
    """The kinds of one group, each with a switch for each channel where it can be switched: "trade_lost_email"."""

    def __init__(self, *, user: User, group: str, channels: list[str], **kwargs: Any) -> None:
        choices = selectors.choices_of(user)
        self.kinds = kinds_in(group)
        self.switches = Switches(
            {
                (kind, channel): choices[kind, channel] if selectors.is_free(kind, channel) else None
                for kind in self.kinds
                for channel in channels
            }
        )
        super().__init__(**kwargs)
        self.fields.update(self.switches.fields())

    def switched(self) -> dict[tuple[str, str], bool]:
        """The kinds and channels whose switch was moved."""
        return self.switches.moved(self.cleaned_data)

    def rows(self) -> list[dict[str, Any]]:
        """The table: each kind with a cell for each channel."""
        return [
            {
                "code": kind,
                "kind": KINDS[kind],
                "cells": self.switches.cells(self, kind, is_told=partial(selectors.reaches, kind)),
            }
            for kind in self.kinds
        ]


class Switches:
    """Rows of switches, one for each channel. `states` are by row and channel: on, off, or None where nothing can be moved."""

    def __init__(self, states: dict[tuple[str, str], bool | None]) -> None:
        self.states = states

    def fields(self) -> dict[str, forms.Field]:
        return {
            f"{row}_{channel}": forms.BooleanField(required=False, initial=is_on)
            for (row, channel), is_on in self.states.items()
            if is_on is not None
        }

    def moved(self, cleaned: dict[str, Any]) -> dict[tuple[str, str], bool]:
        """Those that stand otherwise than before."""
        return {
            (row, channel): cleaned[f"{row}_{channel}"]
            for (row, channel), was_on in self.states.items()
            if was_on is not None and cleaned[f"{row}_{channel}"] != was_on
        }

    def cells(self, form: forms.Form, row: str, *, is_told: Callable[[str], bool]) -> list[dict[str, Any]]:
        """What the page shows for a row; `is_told` says whether anything of it comes by a channel at all."""
        return [
            {
                "label": Channel(channel).label,
                "name": f"{row}_{channel}",
                "is_free": is_on is not None,
                "is_on": is_on is not None and bool(form[f"{row}_{channel}"].value()),
                "is_always": is_on is None and channel != Channel.TELEGRAM and is_told(channel),
            }
            for (of, channel), is_on in self.states.items()
            if of == row
        ]
