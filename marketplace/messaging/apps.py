from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "marketplace.messaging"

    def ready(self) -> None:
        from marketplace.accounts import traces
        from marketplace.core.context_processors import register_header_part
        from marketplace.messaging import personal, selectors, streams

        register_header_part("unread_chats", selectors.unread_total)
        streams.register()
        traces.register(personal.SHARE)
