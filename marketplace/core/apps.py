from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "marketplace.core"

    def ready(self) -> None:
        from marketplace.core import lookups  # noqa: F401 (importing it registers them)
