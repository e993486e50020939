"""The personal manager of people with Pro, from the settings."""

from dataclasses import dataclass

from django.conf import settings

from marketplace.accounts.models import User


@dataclass(frozen=True, slots=True)
class Manager:
    name: str
    contact: str

    @property
    def url(self) -> str:
        """Where the contact leads: an address, a mailbox, a Telegram name or a number; empty for other words."""
        if self.contact.startswith("https://"):
            return self.contact
        if self.contact.startswith("@"):
            return f"https://t.me/{self.contact[1:]}"
        if self.contact.startswith("+"):
            return "tel:" + "".join(sign for sign in self.contact if sign.isdigit() or sign == "+")
        return f"mailto:{self.contact}" if "@" in self.contact else ""


def manager_of(plan: str) -> Manager | None:
    """Who looks after people with this plan (a value of `User.plan`); nobody unless it is Pro and one is named."""
    named = settings.PERSONAL_MANAGER
    if plan != User.Plan.PRO or not named["name"]:
        return None
    return Manager(named["name"], named["contact"])
