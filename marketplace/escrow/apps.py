from django.apps import AppConfig


class EscrowConfig(AppConfig):
    name = "marketplace.escrow"

    def ready(self) -> None:
        from marketplace.accounts import traces
        from marketplace.core.live import topics
        from marketplace.escrow import personal, selectors, services
        from marketplace.ledger import checks
        from marketplace.messaging import access
        from marketplace.payments import purposes

        purposes.register("trade", settle=services.settle_payment, lock=services.lock_for_payment)
        access.register(selectors.oversees)
        checks.register_held(selectors.held_by_trades)
        topics.register("trade", stamp=selectors.live_stamp, event="trade_changed")
        traces.register(personal.SHARE)
