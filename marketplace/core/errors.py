"""What is refused: one class per rule. Middleware turns it into a page or a toast, the API into its envelope."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A rule of the shop said no.

    `code` is for programs, `message` for people (translated), the constructor's argument for the log only.
    """

    code: str = "refused"
    status: int = 409
    message: str | Promise = _("This cannot be done right now.")
