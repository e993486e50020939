"""What the books say of a person (see `accounts.traces`). They keep it all: rows and amounts, under nobody's name."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.accounts.traces import Obstacle, Part, Row, Share
from marketplace.core.money import Money, to_decimal
from marketplace.ledger.models import Account, Posting


def _balances(user: User) -> Iterator[Row]:
    for account in Account.objects.filter(owner=user).order_by("currency", "kind"):
        yield {
            "kind": account.kind,
            "currency": account.currency,
            "balance": str(to_decimal(account.balance or 0)),
            "created_at": account.created_at,
        }


def _movements(user: User) -> Iterator[Row]:
    rows = Posting.objects.filter(account__owner=user).select_related("entry", "account").order_by("pk")
    for row in rows.iterator(chunk_size=500):
        yield {
            "created_at": row.entry.created_at,
            "kind": row.entry.kind,
            "account": row.account.kind,
            "amount": str(to_decimal(row.amount)),
            "currency": row.account.currency,
            "reference": row.entry.reference,
        }


def _obstacles(user: User) -> Iterator[Obstacle]:
    for account in Account.objects.filter(owner=user, balance__gt=0).order_by("kind", "currency"):
        amount = Money(account.balance or 0, account.currency)
        if account.kind == Account.Kind.AVAILABLE:
            yield Obstacle(
                _("%(amount)s is in your wallet: withdraw it first.") % {"amount": amount}, "/wallet/"
            )
        else:
            yield Obstacle(_("%(amount)s of yours is held in escrow.") % {"amount": amount}, "/wallet/")


SHARE = Share(
    app="ledger",
    parts=(
        Part("balances", _("Your money by currency, free and held."), ("ledger.Account",), _balances),
        Part("ledger", _("Every movement of your money in our books."), (), _movements),
    ),
    obstacles=_obstacles,
)
