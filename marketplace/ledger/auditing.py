"""Running every proof on one snapshot of the database. Writes nothing; `services.audit` keeps what is found."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.db import connection, transaction

from marketplace.ledger import checks
from marketplace.ledger.checks import Proof, TrialBalance
from marketplace.ledger.models import JournalEntry

logger = logging.getLogger("marketplace.ledger.audit")


@dataclass(frozen=True, slots=True)
class Result:
    """What a proof said, and how many milliseconds it took."""

    proof: Proof
    ms: int


@dataclass(frozen=True, slots=True)
class Findings:
    results: list[Result]
    trial_balances: list[TrialBalance]
    entries: int
    took: timedelta

    @property
    def is_green(self) -> bool:
        return all(result.proof.holds for result in self.results)

    @property
    def postings(self) -> int:
        return sum(one.postings for one in self.trial_balances)


def examine() -> Findings:
    """Run all registered proofs: they see the same moment, and hold nobody up."""
    began = time.perf_counter()
    with snapshot():
        balances, entries = checks.trial_balances(), JournalEntry.objects.count()
        results = [_run(check) for check in checks.registered()]
    return Findings(results, balances, entries, timedelta(seconds=time.perf_counter() - began))


def _run(check: Callable[[], Proof]) -> Result:
    """A proof that breaks proves nothing, so it counts as broken; the others still run."""
    began = time.perf_counter()
    try:
        with transaction.atomic():  # on PostgreSQL a failed statement would fail all that follow
            proof = check()
    except Exception as error:
        name = check.__name__.replace("_", " ")
        logger.exception("the proof %r could not be run", name)
        proof = Proof(name, 0, [f"could not be run: {type(error).__name__}"])
    return Result(proof, round((time.perf_counter() - began) * 1000))


@contextlib.contextmanager
def snapshot() -> Iterator[None]:
    """Everything that is read inside shows the database as it was at one moment; nothing can be written on PostgreSQL.

    Inside a caller's transaction it is that one, with what it sees.
    """
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "sqlite":
        # The settings begin every transaction as a writer's. A reader's sees one moment too, and lets others write.
        wrapper = cast("Any", connection)
        usual, wrapper.transaction_mode = wrapper.transaction_mode, "DEFERRED"
        try:
            with transaction.atomic():
                yield
        finally:
            wrapper.transaction_mode = usual
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
