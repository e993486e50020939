"""What the proofs are called before people: one plain sentence per rule, in their language.

Rules of the apps above stand here as well, so that the status page needs nobody but the ledger. A rule without a
sentence is shown by its own name.
"""

from collections.abc import Sequence
from typing import cast

from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.ledger.models import Account

RULES: dict[str, Promise] = {
    # --- The ledger's own ---
    "the laws stand in the database": _("The database itself refuses to change or delete what was booked."),
    "every entry sums to zero": _("In every entry, what leaves one account comes to another: it sums to zero."),
    "each currency's trial balance is zero": _("All accounts of a currency together come to exactly zero."),
    "every posting is in its entry's currency": _("No entry mixes currencies."),
    "accounts are of a kind that fits their owner": _("Every account is of a kind that fits its owner: a person or us."),
    "no user account is below zero": _("Nobody’s wallet is below zero."),
    "cached balances equal the sums of postings": _("Every balance that is shown is the sum of its movements."),
    "held money equals the open trades": _("The money that is held is that of the open trades, buyer by buyer."),
    # --- Payments ---
    "completed transactions point to an entry of the same amount": _(
        "Every finished line of a wallet’s history has moved exactly its amount."
    ),
    "payouts on their way equal the open withdrawals": _("Money on its way to cards is that of the open payouts."),
    "debts in the books equal the open debts": _("What the books say is owed is the sum of the open debts."),
    "refunds on their way equal the open refunds": _("Money on its way back to payers is that of the open refunds."),
    "refunds of a deposit add up to what it says": _("Every payment says it gave back what its refunds add up to."),
    "captured tries belong to completed deposits": _(
        "Every payment that a provider has collected is in somebody’s wallet."
    ),
    # --- Plans ---
    "sold plans equal their account": _("What people have paid for plans is what stands on the account of sold plans."),
    "each running plan was paid as it says": _("Every running plan was paid for, with the amount it says."),
    "people have the plan they pay for": _("Everybody has the plan that they pay for."),
}  # fmt: skip

# What stands on an account of this kind, for somebody who has never seen a ledger.
ACCOUNTS: dict[str, Promise] = {
    Account.Kind.AVAILABLE: _("In people’s wallets"),
    Account.Kind.HELD: _("Held in escrow for open trades"),
    Account.Kind.COMMISSION: _("Fees that were earned"),
    Account.Kind.CLEARING: _("Received through payment providers"),
    Account.Kind.PAYOUTS: _("On its way to people’s cards"),
    Account.Kind.REFUNDS: _("On its way back to payers"),
    Account.Kind.SUBSCRIPTION: _("Plans that were sold"),
    Account.Kind.DEBTS: _("Owed by people"),
}

STATES: dict[str, Promise] = {
    "green": pgettext_lazy("the books", "In order"),
    "red": pgettext_lazy("the books", "Not in order"),
    "late": pgettext_lazy("the books", "Not checked lately"),
    "none": pgettext_lazy("the books", "Not checked yet"),
}


def rule(name: str) -> str:
    """The sentence of a rule, in the reader's language."""
    return str(RULES.get(name, name))


def account(kind: str) -> str:
    return str(ACCOUNTS.get(kind, kind))


def listed(rules: Sequence[str]) -> Promise:
    """Sentences of rules in one line, put into words when they are read."""
    return cast("Promise", _listed(tuple(rules)))


_listed = lazy(lambda rules: " ".join(rule(name) for name in rules) or "", str)
