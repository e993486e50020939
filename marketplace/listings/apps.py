from django.apps import AppConfig


class ListingsConfig(AppConfig):
    name = "marketplace.listings"

    def ready(self) -> None:
        from marketplace.games import counts
        from marketplace.listings import selectors

        counts.register(selectors.offer_counts)
