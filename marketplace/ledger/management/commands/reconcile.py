"""Prove that the books are right, or name the rows that are not and exit with 1."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.ledger import checks


class Command(BaseCommand):
    help = "Prove that the ledger balances, agrees with its caches and with open trades; exits with 1 when it does not."

    def handle(self, *_args: Any, **_options: Any) -> None:
        proofs = checks.run()
        for proof in proofs:
            sign = self.style.SUCCESS("ok  ") if proof.holds else self.style.ERROR("FAIL")
            self.stdout.write(f"{sign} {proof.rule} ({proof.counted} checked)")
            for row in proof.offending:
                self.stdout.write(f"     {row}")
        broken = [proof.rule for proof in proofs if not proof.holds]
        if broken:
            raise CommandError("The books are not right: " + "; ".join(broken))
