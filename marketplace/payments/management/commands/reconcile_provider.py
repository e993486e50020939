"""Lay a provider's statement beside our payments; exit with 1 when they differ."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.core.errors import DomainError
from marketplace.core.money import Money
from marketplace.payments import reconciliation
from marketplace.payments.models import ProviderStatement


class Command(BaseCommand):
    help = (
        "Compare a provider's statement (a CSV file, or asked of the provider) with our captured and refunded payments; "
        "exits with 1 when they differ."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("provider", help="its code, such as payme")
        parser.add_argument("--file", type=Path, help="the statement; without it the provider is asked")
        parser.add_argument("--from", dest="first", required=True, help="the first day, such as 2026-11-01")
        parser.add_argument("--to", dest="last", required=True, help="the last day, included")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            found = self._reconcile(options["provider"], options["first"], options["last"], options["file"])
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(
            f"{found.provider}: {found.lines} lines, {found.ours} payments of ours, {found.agreed} alike"
        )
        for row in found.rows:
            self.stdout.write(
                f"{row['kind']:13} {row['provider_id']}: ours {_side(row['ours'])}, theirs {_side(row['theirs'])}"
            )
        if not found.is_clean:
            raise CommandError(f"{found.differences} differences; they are kept as {found.pk}.")

    def _reconcile(self, provider: str, first: str, last: str, file: Path | None) -> ProviderStatement:
        try:
            since, until = reconciliation.days(date.fromisoformat(first), date.fromisoformat(last))
        except ValueError as error:
            raise CommandError("Write days as 2026-11-01.") from error
        if file is None:
            return reconciliation.reconcile_asked(provider=provider, since=since, until=until)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        return reconciliation.reconcile_file(
            provider=provider, since=since, until=until, data=data, name=file.name
        )


def _side(one: dict[str, Any] | None) -> str:
    return f"{Money(one['amount'], one['currency'])} {one['state']}" if one else "nothing"
