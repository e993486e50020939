"""Recovery codes on pages: shown once, in the answer to what made them.

They wait in no session for a page that shows them, so that they are at rest nowhere. Whoever loses that answer makes new ones.
"""

import re

from django.contrib.auth.decorators import login_required
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from marketplace.accounts import recovery

_SPACED = re.compile(r"[0-9]{4} [0-9]{4} [0-9]{4}")


def with_fresh_codes(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer to a request that may have made codes: the page that shows them, if it has."""
    codes = recovery.fresh()
    if not codes:
        return response
    return render(request, "mfa/recovery_codes/new.html", {"codes": [recovery.spaced(one) for one in codes]})


@never_cache
@sensitive_post_parameters("codes")
@require_POST
@login_required
def download(request: HttpRequest) -> HttpResponse:
    """The codes that the page has just shown, sent in by it, as a file: we have them no longer."""
    sent = request.POST.getlist("codes")
    if not 0 < len(sent) <= recovery.COUNT or not all(_SPACED.fullmatch(one) for one in sent):
        raise SuspiciousOperation("no codes of ours")
    lines = "".join(f"{one}\r\n" for one in sent)
    file = HttpResponse(lines, content_type="text/plain; charset=utf-8")
    file["Content-Disposition"] = 'attachment; filename="wibestore-recovery-codes.txt"'
    return file
