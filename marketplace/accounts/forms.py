"""Signing up, and one's own profile."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm as BaseLoginForm
from allauth.account.forms import SignupForm as BaseSignupForm
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from marketplace.accounts.models import User, time_zones, validate_phone

AVATAR_MAX_BYTES = 2 * 1024 * 1024


class SignupForm(BaseSignupForm):
    full_name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Buyers and sellers will see it.")
    )
    terms = forms.BooleanField(
        label=_("I have read the terms and I am 18 or older."),
        error_messages={"required": _("Agree to the terms to go on.")},
    )
    field_order = ["full_name", "email", "password1", "password2", "terms"]


class LoginForm(BaseLoginForm):
    pass


class ProfileForm(forms.ModelForm):
    """What a person may change of themselves. `phone_number` is read with spaces and dashes, and kept as E.164."""

    phone_number = forms.CharField(
        label=_("Phone number"),
        required=False,
        max_length=24,
        help_text=_("+998 and nine digits. Nobody else sees it."),
    )
    timezone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)

    class Meta:
        model = User
        fields = ["full_name", "username", "phone_number", "language", "timezone", "avatar"]
        help_texts = {"username": _("Stands in the address of your page. Letters, digits and underscores.")}

    def clean_username(self) -> str | None:
        """An empty name is none at all: two empty ones would collide."""
        name = self.cleaned_data.get("username") or None
        if name and User.objects.filter(username__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This username is taken."), code="unique")
        return name

    def _post_clean(self) -> None:
        """A name that somebody took after `clean_username` looked is said beside the name too, not above the form."""
        super()._post_clean()  # type: ignore[misc]
        if self.has_error(NON_FIELD_ERRORS) and "username" in self.cleaned_data:
            try:
                self.clean_username()
            except ValidationError as error:
                del self.errors[NON_FIELD_ERRORS]
                self.add_error("username", error)

    def clean_phone_number(self) -> str | None:
        """People write it with spaces; it is kept as E.164."""
        typed = self.cleaned_data.get("phone_number") or ""
        if typed.strip("+0123456789 -()\u00a0\u2013"):
            # Leaving out what is no part of a number would turn words into no number at all.
            raise ValidationError(validate_phone.message, code="invalid")
        number = "".join(sign for sign in typed if sign in "+0123456789")
        if len(number) == 9:
            number = "+998" + number
        elif number.startswith("998"):
            number = "+" + number
        return number or None

    def clean_avatar(self) -> Any:
        picture = self.cleaned_data.get("avatar")
        if not picture or not hasattr(picture, "content_type"):
            return picture
        if picture.size > AVATAR_MAX_BYTES:
            raise ValidationError(_("The picture is larger than 2 MB."), code="too_large")
        try:
            with Image.open(picture) as image:
                kind = image.format
        except (UnidentifiedImageError, OSError):
            kind = None
        if kind not in {"JPEG", "PNG", "WEBP"}:
            raise ValidationError(_("Choose a JPEG, PNG or WebP picture."), code="not_an_image")
        picture.seek(0)
        return picture
