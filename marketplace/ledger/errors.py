"""What the ledger refuses."""

from django.utils.translation import gettext_lazy as _

from marketplace.core.errors import DomainError


class InsufficientFunds(DomainError):
    code = "insufficient_funds"
    message = _("There is not enough money in your wallet for this. Top it up, or choose a smaller amount.")


class KeyReused(DomainError):
    """The idempotency key already names another movement of money: a bug of the caller, or a forged repeat."""

    code = "key_reused"
    message = _("This request was already used for another payment. Open the page again and repeat it.")
