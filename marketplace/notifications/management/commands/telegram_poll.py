"""Ask Telegram for updates of the bot: for a machine that Telegram cannot reach. Runs until it is stopped."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from marketplace.core.jobs import NotNow
from marketplace.notifications import services, telegram

WAIT = 50  # seconds that Telegram keeps a question open
PAUSE = 5.0


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--once", action="store_true", help="deal with what waits, and end")

    def handle(self, *_args: Any, once: bool, **_options: Any) -> None:
        if not telegram.is_on():
            raise CommandError("TELEGRAM_BOT_TOKEN and TELEGRAM_BOT_NAME are not set.")
        self.stdout.write("Asking Telegram for updates (stop with Ctrl-C)")
        offset = 0
        while True:
            try:
                offset = self._ask(offset, wait=0 if once else WAIT)
            except NotNow as error:
                self.stderr.write(f"{error}; again in a moment")
                if once:
                    raise CommandError(str(error)) from None
                time.sleep(error.after.total_seconds() if error.after else PAUSE)
            except telegram.Refused as error:
                hint = " A webhook is set: take it away with `telegram_webhook --delete`." * (
                    error.code == 409
                )
                raise CommandError(f"Telegram says {error}.{hint}") from None
            if once:
                return
            close_old_connections()

    def _ask(self, offset: int, *, wait: int) -> int:
        """Deal with what came, and return what to ask for next; asking for it tells Telegram that the rest is done."""
        updates = telegram.call(
            "getUpdates", offset=offset, timeout=wait, allowed_updates=telegram.UPDATES, _timeout=wait + 10
        )
        for update in updates:
            services.receive(update, at=timezone.now())
            offset = max(offset, int(update["update_id"]) + 1)
        if updates and wait == 0:
            telegram.call("getUpdates", offset=offset, timeout=0, allowed_updates=telegram.UPDATES)
        return offset
