"""What pages of other apps show of a person's plan."""

from typing import Any

from django import template

from marketplace.subscriptions.manager import Manager, manager_of

register = template.Library()


@register.simple_tag
def personal_manager(user: Any) -> Manager | None:
    """`{% personal_manager user as manager %}`: who looks after this person; None unless they have Pro. No query."""
    return manager_of(getattr(user, "plan", ""))
