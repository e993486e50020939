"""What a payment is for. The purpose's owner registers here in `AppConfig.ready()`; payments know none of them.

When the money has arrived in the person's wallet, the purpose's `settle` runs in the same transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.payments.models import Transaction

DEPOSIT = "deposit"

type Handler = Callable[[Transaction], object]


def _nothing(_transaction: Transaction) -> None:
    """Topping up the wallet ends in the wallet."""


@dataclass(frozen=True, slots=True)
class Purpose:
    settle: Handler
    lock: Handler


_purposes: dict[str, Purpose] = {DEPOSIT: Purpose(settle=_nothing, lock=_nothing)}


def register(name: str, *, settle: Handler, lock: Handler = _nothing) -> None:
    """Act on payments of this purpose.

    `lock(transaction)` takes the owner's row locks before the ledger's are taken: all writers lock in one order.
    `settle(transaction)` runs after the wallet was credited. A DomainError from it leaves the money in the wallet; any
    other exception undoes the settlement, which is then tried again.
    """
    _purposes[name] = Purpose(settle=settle, lock=lock)


def get(name: str) -> Purpose:
    """Raises KeyError for a purpose that nobody has registered."""
    return _purposes[name]
