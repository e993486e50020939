"""Tell Telegram to bring updates of the bot to this site, or to stop bringing them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from marketplace.core.jobs import NotNow
from marketplace.notifications import telegram


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--delete", action="store_true", help="no webhook any more")

    def handle(self, *_args: Any, delete: bool, **_options: Any) -> None:
        if not telegram.is_on():
            raise CommandError("TELEGRAM_BOT_TOKEN and TELEGRAM_BOT_NAME are not set.")
        try:
            if delete:
                telegram.call("deleteWebhook")
                self.stdout.write("Telegram brings nothing any more.")
            else:
                self.stdout.write(f"Telegram brings updates to {self._set()}")
        except (NotNow, telegram.Refused) as error:
            raise CommandError(str(error)) from None

    def _set(self) -> str:
        if not settings.TELEGRAM_WEBHOOK_SECRET:
            raise CommandError("TELEGRAM_WEBHOOK_SECRET is not set.")
        url = settings.SITE_URL + reverse("notifications:telegram_webhook")
        telegram.call(
            "setWebhook",
            url=url,
            secret_token=settings.TELEGRAM_WEBHOOK_SECRET,
            allowed_updates=telegram.UPDATES,
        )
        return url
