from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "marketplace.subscriptions"

    def ready(self) -> None:
        from marketplace.accounts import traces
        from marketplace.ledger import checks
        from marketplace.listings import fees
        from marketplace.payments import purposes
        from marketplace.subscriptions import personal, proofs, selectors, services

        purposes.register("subscription", settle=services.settle_payment, lock=services.lock_for_payment)
        fees.register(selectors.commission)
        checks.register(proofs.sold_plans_equal_their_account)
        checks.register(proofs.paid_periods_have_their_entry)
        checks.register(proofs.people_have_the_plan_they_pay_for)
        traces.register(personal.SHARE)
