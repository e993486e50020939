from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "marketplace.moderation"

    def ready(self) -> None:
        from marketplace.core.live import topics
        from marketplace.moderation import selectors

        topics.register("queue", stamp=selectors.live_stamp, event="queue_changed")
