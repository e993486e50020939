"""What the house keeps of a sale. Fees belong to people's plans, an app above, which registers how to ask for one."""

from collections.abc import Callable

from marketplace.accounts.models import User

type Rate = Callable[[User], int]

_rates: list[Rate] = []


def register(rate: Rate) -> None:
    """`rate(seller)` gives the fee of a sale in basis points; called in the owner's `AppConfig.ready`."""
    _rates[:] = [rate]


def rate(seller: User) -> int:
    """The seller's fee of today in basis points; nothing while nobody takes one."""
    return _rates[0](seller) if _rates else 0
