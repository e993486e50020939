from typing import Any

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "marketplace.payments"

    def ready(self) -> None:
        from marketplace.accounts import traces
        from marketplace.core.context_processors import register_header_part
        from marketplace.ledger import checks
        from marketplace.payments import personal, proofs, selectors

        def available(user: Any) -> int:
            return selectors.money_of(user).available

        register_header_part("available", available)
        checks.register(proofs.completed_transactions_have_their_entry)
        checks.register(proofs.payouts_are_accounted_for)
        checks.register(proofs.debts_are_accounted_for)
        checks.register(proofs.refunds_are_accounted_for)
        checks.register(proofs.refunds_add_up)
        checks.register(proofs.captured_tries_are_completed_deposits)
        traces.register(personal.SHARE)
