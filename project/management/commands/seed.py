"""Fill a development database: people, offers, trades and money, the same everywhere. Running it again adds nothing."""

import logging
from datetime import timedelta
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core.models import Job
from marketplace.games.models import Game
from marketplace.listings.models import Listing
from marketplace.notifications.models import Notification
from marketplace.subscriptions.models import Period
from project.seed import offers, people, plans, scale, trades
from project.seed.clock import set_back

DAYS = 60


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--scale",
            type=int,
            default=0,
            metavar="N",
            help="go on until N offers are on sale (for benchmarks)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEVELOPER_PAGES:
            raise CommandError("Seed data is for development only: these settings are production's.")
        now = timezone.now()
        logging.disable(logging.INFO)
        # Nobody waits for the mails and live events of a made-up past.
        with mock.patch("marketplace.core.jobs._hand_over"), mock.patch("marketplace.core.realtime._send"):
            self._shop(now)
            if options["scale"]:
                self._crowd(options["scale"], now)
        logging.disable(logging.NOTSET)
        self._say_how_to_sign_in()

    def _shop(self, now: Any) -> None:
        with transaction.atomic():
            sellers, buyers = self._people(now)
            games = list(
                Game.objects.filter(is_active=True).select_related("category").order_by("sort_order", "pk")
            )
            added = offers.add(games, sellers, now=now)
        with transaction.atomic(), set_back(now - timedelta(days=DAYS)) as clock:
            for person, user in zip(people.SELLERS, sellers, strict=True):
                plans.subscribe(user, person.plan, Period.YEARLY, clock=clock)
            played = trades.add(buyers, clock=clock, now=now)
            clock.at = now - timedelta(days=12)
            for person, user in zip(people.BUYERS, buyers, strict=True):
                plans.subscribe(user, person.plan, Period.MONTHLY, clock=clock)
            if played:
                self._settle_in(now)
        for person, user in zip(people.SELLERS, sellers, strict=True):
            people.mark(person, user)
        self.stdout.write(
            f"{added} offers and {played} trades added"
            if added or played
            else "The seed data is there already."
        )

    def _people(self, now: Any) -> tuple[list[User], list[User]]:
        people.make(people.ADMIN, now=now, superuser=True)
        people.make(people.MODERATOR, now=now, staff=True).groups.add(people.moderators_group())
        sellers = [people.make(person, now=now) for person in people.SELLERS]
        return sellers, [people.make(person, now=now) for person in people.BUYERS]

    def _settle_in(self, now: Any) -> None:
        """Old notifications were read, and none of the mails is sent."""
        mails = ["tasks.notifications.send_notification_email", "tasks.notifications.send_welcome_email"]
        Job.objects.filter(task__in=mails, status=Job.Status.PENDING).delete()
        old = Notification.objects.filter(created_at__lt=now - timedelta(days=2), is_read=False)
        old.update(is_read=True, read_at=now)

    def _crowd(self, count: int, now: Any) -> None:
        games = list(
            Game.objects.filter(is_active=True).select_related("category").order_by("sort_order", "pk")
        )
        added = scale.fill_up(games, count, say=self.stdout.write)
        self._settle_in(now)
        self.stdout.write(f"{added} offers added for benchmarks, {Listing.objects.on_sale().count()} on sale")

    def _say_how_to_sign_in(self) -> None:
        site, word = settings.SITE_URL, people.PASSWORD
        rows = [
            ("administrator", people.ADMIN, "/admin/"), ("moderator", people.MODERATOR, "/moderation/"),
            ("seller, Premium", people.SELLERS[0], "/me/listings/"), ("seller, Pro", people.SELLERS[2], "/trades/"),
            ("seller, new", people.SELLERS[7], "/sell/"), ("buyer, Premium", people.BUYERS[0], "/wallet/"),
            ("buyer", people.BUYERS[2], "/listings/"),
        ]  # fmt: skip
        self.stdout.write(f"\nOpen {site}/ and sign in with the password {word}:\n")
        for role, person, path in rows:
            self.stdout.write(f"  {role:<16} {person.email:<26} {site}{path}")
        self.stdout.write(f"  mails that were sent on this machine: {site}/dev/mail/\n")
