"""Password rules of the shop, beside Django's own."""

from typing import Any

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.accounts import audit, breached


class LetterAndDigitValidator:
    """At least one letter and one digit (SEC-16)."""

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002
        if not (any(sign.isalpha() for sign in password) and any(sign.isdigit() for sign in password)):
            raise ValidationError(self.get_help_text(), code="password_needs_letter_and_digit")

    def get_help_text(self) -> str:
        return _("The password needs at least one letter and one digit.")


class NotRecentlyUsedValidator:
    """Not one of the last passwords of the same person (USER-16)."""

    def __init__(self, remembered: int = 5) -> None:
        self.remembered = remembered

    def validate(self, password: str, user: Any = None) -> None:
        if user is None or user._state.adding:
            return
        used = [user.password, *user.old_passwords.values_list("password", flat=True)[: self.remembered]]
        if any(check_password(password, old) for old in used):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def password_changed(self, password: str, user: Any = None) -> None:  # noqa: ARG002
        """Django calls this for each password that is saved in the clear, which our services never do."""
        audit.note_password(user)

    def get_help_text(self) -> str:
        return ngettext(
            "The password must not be your last one.",
            "The password must not be one of your last %(count)d.",
            self.remembered,
        ) % {"count": self.remembered}


class NotBreachedValidator:
    """Not one of the passwords that leaked most often, with other capitals or spaces neither (ASVS 6.2.12)."""

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002
        if breached.is_breached(password):
            raise ValidationError(
                _(
                    "This password stands in lists of leaked passwords that attackers try first. Choose another one."
                ),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        return _("The password must not be one that has leaked somewhere.")


class NotOneselfValidator(UserAttributeSimilarityValidator):
    """Not the person's own name, address, handle or number, nor nearly so. Spaces and signs between hide nothing."""

    OWN = ("email", "full_name", "username", "handle", "phone_number")

    def __init__(self, user_attributes: tuple[str, ...] = OWN, max_similarity: float = 0.7) -> None:
        super().__init__(user_attributes, max_similarity)

    def validate(self, password: str, user: Any = None) -> None:
        super().validate(password, user)
        bare = "".join(sign for sign in password if sign.isalnum())
        if bare != password:
            super().validate(bare, user)


class NotOurNameValidator:
    """Not the name of this site, which is the first thing tried here (ASVS 6.2.11)."""

    WORDS = ("wibestore",)

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002
        spelt = breached.spelling(password)
        if any(word in spelt for word in self.WORDS):
            raise ValidationError(self.get_help_text(), code="password_names_the_site")

    def get_help_text(self) -> str:
        return _("The password must not hold the name of this site.")
