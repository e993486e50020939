"""Signing up, saying again who one is, and one's own profile."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm as BaseLoginForm
from allauth.account.forms import SignupForm as BaseSignupForm
from allauth.core import context
from allauth.mfa.base import forms as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.accounts import confirmation, factors, guesses, second_factor, trail
from marketplace.accounts.errors import LockedOut
from marketplace.accounts.models import OrganizerProfile, User, time_zones, validate_phone
from marketplace.accounts.organizers import Words
from marketplace.accounts.pictures import PictureField
from marketplace.accounts.selectors import person
from marketplace.accounts.trail import Kind
from marketplace.accounts.validators import NotOneselfValidator


class SignupForm(BaseSignupForm):
    full_name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Buyers and sellers will see it.")
    )
    terms = forms.BooleanField(
        label=_("I have read the terms and I am 18 or older."),
        error_messages={"required": _("Agree to the terms to go on.")},
    )
    field_order = ["full_name", "email", "password1", "password2", "terms"]
    # Who signs up, as far as it is known: a password is held against it. The API knows more than this form asks.
    about: User | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        password = cleaned.get("password1")
        if password:
            known = self.about or User(full_name=cleaned.get("full_name") or "")
            try:
                NotOneselfValidator().validate(password, known)
            except ValidationError as error:
                if not self.has_error("password1"):
                    self.add_error("password1", error)
        return cleaned


class LoginForm(BaseLoginForm):
    pass


class _Guarded(mfa.BaseAuthenticateForm):
    """allauth's forms for codes know no lock: each wrong code counts like a wrong password."""

    def clean_code(self) -> str:
        if not guesses.may_try(context.request, self.user):
            raise ValidationError(LockedOut.message, code=LockedOut.code)
        try:
            code: str = super().clean_code()
        except ValidationError:
            guesses.wrong(context.request, self.user)
            raise
        guesses.right(context.request, self.user)
        return code


class SecondStepForm(_Guarded, mfa.AuthenticateForm):
    pass


class CodeAgainForm(_Guarded, mfa.ReauthenticateForm):
    pass


class _Told(webauthn.AuthenticateWebAuthnForm):
    """Nobody guesses a passkey, so a wrong one is not counted; it is on the trail all the same."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except ValidationError:
            kind = Kind.STEP_UP_FAILED if self.reauthenticated else Kind.SIGN_IN_FAILED
            trail.record_failure(kind, user=self.user, what="passkey")
            raise


class PasskeyStepForm(_Told):
    pass


class PasskeyLoginForm(_Told, webauthn.LoginWebAuthnForm):
    pass


class PasskeyAgainForm(_Told, webauthn.ReauthenticateWebAuthnForm):
    pass


class ActivateAppForm(totp.ActivateTOTPForm):
    """As allauth's, but until the app is set up its secret is in no session in the clear."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        super(totp.ActivateTOTPForm, self).__init__(*args, **kwargs)
        self.secret = factors.secret_in_session(context.request, is_new=not self.is_bound)


class ConfirmationForm(forms.Form):
    """Asks within another form who somebody is (see `confirmation`); asks nothing of those who have just said it.

    `by_factor`: of those who have a second factor, the password is not enough. A passkey is shown on a page of its own,
    and then there is nothing left to ask here.
    """

    password = forms.CharField(
        label=_("Your WibeStore password"),
        strip=False,
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label=_("Code of your second factor"),
        required=False,
        max_length=64,
        help_text=_("From your authenticator app, or a recovery code."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, by_factor: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        is_asked = confirmation.is_needed(request, by_factor=by_factor)
        user = person(request)
        has_factor = is_asked and second_factor.is_required(user)
        self.takes_passkey = has_factor and factors.has_passkey(user)
        # Neither password nor factor: they say it on a page of its own, by Google.
        self.asks_elsewhere = is_asked and not has_factor and not user.has_usable_password()
        if not has_factor:
            del self.fields["code"]
        if not is_asked or not user.has_usable_password() or (by_factor and has_factor):
            del self.fields["password"]

    @property
    def takes_either(self) -> bool:
        return {"password", "code"} <= set(self.fields)

    def is_confirmed(self) -> bool:
        """Whether they are who they say; else the form says what is wrong. Ask once the rest is valid: a failure counts."""
        if self.asks_elsewhere:
            self.add_error(None, _("Say first who you are."))
            return False
        asked = [name for name in ("password", "code") if name in self.fields]
        if not asked:
            return True
        given = next((name for name in asked if self.cleaned_data.get(name)), None)
        if given == "code" and confirmation.confirm_by_code(self.request, self.cleaned_data["code"]):
            return True
        if given == "password" and confirmation.confirm(self.request, self.cleaned_data["password"]):
            return True
        wrong = {"password": _("This is not your password."), "code": _("This code is wrong or too old.")}
        missing = {"password": _("Enter your password."), "code": _("Enter the code.")}
        self.add_error(given or asked[0], wrong[given] if given else missing[asked[0]])
        return False


def number_in(typed: str) -> str:
    """People write a number with spaces; it is kept as E.164. Empty for nothing. Raises ValidationError for what is no number."""
    if typed.strip("+0123456789 -()\u00a0\u2013"):
        # Leaving out what is no part of a number would turn words into no number at all.
        raise ValidationError(validate_phone.message, code="invalid")
    number = "".join(sign for sign in typed if sign in "+0123456789")
    if len(number) == 9:
        return "+998" + number
    return "+" + number if number.startswith("998") else number


class PhoneForm(forms.Form):
    """Where a code goes. +998 and nine digits."""

    number = forms.CharField(
        label=_("Phone number"),
        max_length=24,
        help_text=_("+998 and nine digits."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )

    def clean_number(self) -> str:
        number = number_in(self.cleaned_data["number"])
        validate_phone(number)
        return number


class SentCodeField(forms.CharField):
    """A code that was sent, typed with blanks or without."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"})
        super().__init__(max_length=12, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        return "".join(super().clean(value).split())


class PhoneCodeForm(forms.Form):
    code = SentCodeField(label=_("Code from the SMS"))


class MailedCodeForm(forms.Form):
    code = SentCodeField(label=_("Code from the mail"))


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
        field_classes = {"avatar": PictureField}
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
        return number_in(self.cleaned_data.get("phone_number") or "") or None


class DeletionForm(ConfirmationForm):
    """Delete the account: who it is, and that they know what it means."""

    is_sure = forms.BooleanField(
        label=_("I know that it cannot be undone once the wait is over."),
        error_messages={"required": _("Say that you know it to go on.")},
    )


class OrganizerForm(forms.ModelForm):
    """Asking to hold events."""

    instagram = forms.CharField(
        label="Instagram", required=False, max_length=60, help_text=_("The name there, if you have one.")
    )

    class Meta:
        model = OrganizerProfile
        fields = ["display_name", "city", "bio", "instagram"]
        labels = {"display_name": _("Name of the organiser"), "bio": _("What you hold")}
        help_texts = {
            "display_name": _("Visitors of your events will see it."),
            "bio": _("Which events, for whom, what you have held before. Moderators read it."),
        }
        widgets = {"bio": forms.Textarea(attrs={"rows": 5})}

    def clean_bio(self) -> str:
        text: str = self.cleaned_data["bio"].strip()
        if len(text) < 30:
            raise ValidationError(_("Tell a little more: at least 30 signs."), code="too_short")
        return text

    def clean_instagram(self) -> str | None:
        """People paste the whole address, or write an @ before the name."""
        name: str = (self.cleaned_data.get("instagram") or "").strip()
        name = name.removeprefix("https://").removeprefix("www.").removeprefix("instagram.com/")
        return name.removeprefix("@").rstrip("/") or None

    @property
    def words(self) -> Words:
        return Words(
            **{name: self.cleaned_data[name] for name in ("display_name", "bio", "city", "instagram")}
        )
