from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "marketplace.notifications"

    def ready(self) -> None:
        from marketplace.accounts import traces
        from marketplace.core.context_processors import register_header_part
        from marketplace.notifications import personal, selectors, streams

        register_header_part("unread", selectors.unread_count)
        streams.register()
        traces.register(personal.SHARE)
