"""What monitoring reads of the books: the last audit's row, at the moment somebody asks.

Nothing is counted in this process, so it does not matter which of the servers answers, nor how many there are.
"""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from marketplace.ledger.selectors import books as books_now


def state() -> str:
    """For the health page: green, red, late or none."""
    return books_now(at=timezone.now()).state


def books() -> Iterator[Metric]:
    """`books_green` is 0 as well when the last audit is too old, and before the first."""
    now = books_now(at=timezone.now())
    yield GaugeMetricFamily(
        "books_green", "1 when the last audit is green and not too old.", value=int(now.state == "green")
    )
    if now.audit is None or now.age is None:
        return
    yield GaugeMetricFamily(
        "books_audit_age_seconds", "How long ago the last audit ended.", value=now.age.total_seconds()
    )
    took = now.audit.finished_at - now.audit.started_at
    yield GaugeMetricFamily(
        "books_audit_duration_seconds", "How long the last audit took.", value=took.total_seconds()
    )
    yield GaugeMetricFamily("books_entries", "Entries in the ledger.", value=now.audit.entries)
    yield GaugeMetricFamily("books_postings", "Postings in the ledger.", value=now.audit.postings)
    holds = GaugeMetricFamily("books_proof_holds", "1 when this proof holds.", labels=["rule"])
    for proof in now.audit.proofs:
        holds.add_metric([proof["rule"]], int(not proof["offending"]))
    yield holds
    total = GaugeMetricFamily(
        "books_trial_balance", "All accounts of a currency, in minor units: must be 0.", labels=["currency"]
    )
    for balance in now.audit.trial_balance:
        total.add_metric([balance["currency"]], balance["total"])
    yield total
