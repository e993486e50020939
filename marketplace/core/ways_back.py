"""Where a reader goes on after something was done, when the request says where."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def own_path(request: HttpRequest, wanted: str | None) -> str:
    """The path on this site that was asked for; "" for everything else.

    A path and no other words: `redirect` would take a word without a slash for the name of a view.
    """
    is_ours = (wanted or "").startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return (wanted or "") if is_ours else ""
