"""Audit the books now: say what was proven, or name the rows that break a rule and exit with 1."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from marketplace.ledger import services


class Command(BaseCommand):
    help = (
        "Prove that the ledger balances, agrees with its caches and with open trades, and keep the audit for the status "
        "page; exits with 1 when it does not."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        audit = services.audit(at=timezone.now())
        for proof in audit.proofs:
            sign = self.style.ERROR("FAIL") if proof["offending"] else self.style.SUCCESS("ok  ")
            self.stdout.write(f"{sign} {proof['rule']} ({proof['counted']} checked)")
            for row in proof["offending"]:
                self.stdout.write(f"     {row}")
        if not audit.is_green:
            raise CommandError("The books are not right: " + "; ".join(audit.broken))
