"""An audit as it is shown to people and programs, in the reader's language. Holds nobody's name or key."""

from dataclasses import dataclass
from datetime import timedelta

from marketplace.core.money import Minor
from marketplace.ledger import words
from marketplace.ledger.models import Audit


@dataclass(frozen=True, slots=True)
class ShownProof:
    """`rows` are those that break the rule: filled for staff only."""

    rule: str
    text: str
    counted: int
    holds: bool
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownAccount:
    kind: str
    text: str
    total: Minor


@dataclass(frozen=True, slots=True)
class ShownBalance:
    currency: str
    accounts: tuple[ShownAccount, ...]
    total: Minor


@dataclass(frozen=True, slots=True)
class Shown:
    number: int
    entries: int
    postings: int
    took: timedelta
    proofs: tuple[ShownProof, ...]
    balances: tuple[ShownBalance, ...]

    @property
    def holding(self) -> int:
        return sum(proof.holds for proof in self.proofs)

    @property
    def took_ms(self) -> int:
        return max(1, round(self.took.total_seconds() * 1000))


def published(audit: Audit | None, *, is_staff: bool = False) -> Shown | None:
    """What of an audit is shown; None before the first."""
    if audit is None:
        return None
    proofs = tuple(
        ShownProof(
            proof["rule"],
            words.rule(proof["rule"]),
            proof["counted"],
            not proof["offending"],
            tuple(proof["offending"]) if is_staff else (),
        )
        for proof in audit.proofs
    )
    balances = tuple(
        ShownBalance(
            one["currency"],
            tuple(
                ShownAccount(account["kind"], words.account(account["kind"]), account["total"])
                for account in one["accounts"]
            ),
            one["total"],
        )
        for one in audit.trial_balance
    )
    return Shown(
        audit.pk, audit.entries, audit.postings, audit.finished_at - audit.started_at, proofs, balances
    )
