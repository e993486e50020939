from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    name = "marketplace.ledger"

    def ready(self) -> None:
        from marketplace.accounts import traces
        from marketplace.core import health, metrics
        from marketplace.ledger import gauges, personal, services

        # Django sends this after a flush too, and a flushed database has other accounts.
        post_migrate.connect(services.forget_accounts, sender=self, dispatch_uid="ledger.accounts")
        metrics.register(gauges.books)
        health.register_detail("books", gauges.state)
        traces.register(personal.SHARE)
