"""What a person chooses: what they are told, where, and when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.notifications import selectors
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
        self.states = {
            (group.code, channel): selectors.in_group_on(choices, group.code, channel)
            for group in selectors.groups_for(user)
            for channel in channels
        }
        super().__init__(initial=self.values_of(setting), **kwargs)
        for (group, channel), is_on in self.states.items():
            if is_on is not None:
                self.fields[f"{group}_{channel}"] = forms.BooleanField(required=False, initial=is_on)

    def switched(self) -> dict[tuple[str, str], bool]:
        """The groups and channels whose switch was moved: the others may hold finer choices, which stay."""
        return {
            (group, channel): self.cleaned_data[f"{group}_{channel}"]
            for (group, channel), was_on in self.states.items()
            if was_on is not None and self.cleaned_data[f"{group}_{channel}"] != was_on
        }

    def rows(self, user: User) -> list[dict[str, Any]]:
        """The table: each group with a cell for each channel."""
        return [
            {"group": group, "cells": [self._cell(group.code, channel) for channel in self._channels()]}
            for group in selectors.groups_for(user)
        ]

    def _channels(self) -> list[str]:
        return list(dict.fromkeys(channel for _group, channel in self.states))

    def _cell(self, group: str, channel: str) -> dict[str, Any]:
        name = f"{group}_{channel}"
        is_free = self.states[group, channel] is not None
        return {
            "channel": channel,
            "label": Channel(channel).label,
            "name": name,
            "is_free": is_free,
            "is_on": bool(self[name].value()) if is_free else False,
            "is_always": not is_free
            and channel != Channel.TELEGRAM
            and selectors.is_ever_told(group, channel),
        }
