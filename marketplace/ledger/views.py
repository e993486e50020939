"""The books as everybody may see them: what was proven, when, and what all accounts come to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from marketplace.accounts.selectors import is_staff_with, person
from marketplace.core.page_cache import keep
from marketplace.ledger import words
from marketplace.ledger.selectors import books
from marketplace.ledger.status import published

# How a state looks: the tone of its badge, its icon.
LOOKS = {
    "green": ("success", "shield-check"),
    "red": ("danger", "triangle-alert"),
    "late": ("warn", "clock"),
    "none": ("", "hourglass"),
}


@keep(tags=lambda _request: ("books",))
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """The last audit. The rows that break a rule are shown to staff who may see audits, and to nobody else."""
    now = books(at=timezone.now())
    may_see_rows = is_staff_with(person(request), "ledger.view_audit")
    tone, icon = LOOKS[now.state]
    context = {
        "books": now,
        "shown": published(now.audit, is_staff=may_see_rows),
        "word": words.STATES[now.state],
        "tone": tone,
        "icon": icon,
    }
    return render(request, "ledger/status.html", context)
