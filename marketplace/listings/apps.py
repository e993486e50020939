from django.apps import AppConfig


class ListingsConfig(AppConfig):
    name = "marketplace.listings"

    def ready(self) -> None:
        from marketplace.accounts import closing, traces
        from marketplace.core.live import topics
        from marketplace.games import counts
        from marketplace.listings import personal, selectors, services

        closing.register(services.withdraw_all)
        counts.register(selectors.offer_counts)
        topics.register("listing", stamp=selectors.live_stamp, event="listing_changed")
        topics.register("catalogue", stamp=lambda _viewer, _key: "", event="card_changed")
        traces.register(personal.SHARE)
