"""A small town where things have happened: two pairs who trade apart from each other, and the staff of every desk.

What stands behind the ids of addresses belongs to a `Quarter`, so whoever lives in the other one is a stranger to it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.utils import timezone

from marketplace.accounts import tokens
from marketplace.accounts.models import DataExport, OrganizerProfile, SignIn, User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory, with_passkey
from marketplace.escrow.tests import factories as trades
from marketplace.ledger.tests.factories import fund
from marketplace.listings.tests.factories import ListingFactory
from marketplace.messaging import services as messaging
from marketplace.messaging.attachments import prepare
from marketplace.messaging.tests.factories import picture
from marketplace.notifications.selectors import unsubscribe_token
from marketplace.notifications.tests.factories import NotificationFactory
from marketplace.payments import services as payments
from marketplace.payments.models import PayoutCard, ProviderStatement, Refund
from marketplace.payments.providers.sandbox import SandboxProvider
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import deliver, payload

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
# Who works at which desk: rights as an administrator would give them.
MODERATOR = [
    "listings.moderate_listing", "messaging.read_reported", "escrow.refund_trade", "accounts.decide_organizer",
]  # fmt: skip
FINANCE = [
    "payments.settle_withdrawal", "payments.refund_payment", "payments.view_transaction", "ledger.view_audit",
    "ledger.view_journalentry",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quarter:
    """A buyer and a seller, and by the name of an address's part the id of what is theirs."""

    buyer: User
    seller: User
    ids: dict[str, object]


@dataclass(frozen=True, slots=True)
class Town:
    """`here` is the quarter that the table speaks of; in the other live `rival`, who buys, and `peer`, who sells."""

    here: Quarter
    there: Quarter
    people: dict[str, User | None]

    def mirrored(self) -> "Town":
        """The same town seen from the other quarter: who was a stranger is at home."""
        people = self.people | {
            "buyer": self.there.buyer,
            "seller": self.there.seller,
            "rival": self.here.buyer,
            "peer": self.here.seller,
        }
        return Town(self.there, self.here, people)


def built() -> Town:
    """The town, in about a second."""
    PaymentMethodFactory()
    statement = ProviderStatement.objects.create(
        provider="sandbox",
        since=NOON,
        until=NOON + timedelta(days=1),
        lines=0,
        ours=0,
        agreed=0,
        differences=0,
    )
    here, there = (_quarter(statement, card) for card in ("8600 0000 0000 0007", "9860 0000 0000 0000"))
    people = {
        "visitor": None,
        "buyer": here.buyer,
        "rival": there.buyer,
        "seller": here.seller,
        "peer": there.seller,
        "moderator": _staff(*MODERATOR),
        "finance": _staff(*FINANCE),
        "clerk": _staff(),
        "admin": StaffFactory(),
        "organiser": _organiser("approved"),
        "other organiser": _organiser("approved"),
    }
    return Town(here, there, people)


def _staff(*rights: str) -> User:
    person = UserFactory(is_staff=True)
    for right in rights:
        app, codename = right.split(".")
        person.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label=app))
    return person


def _organiser(status: str) -> User:
    """Somebody who may hold events, or asks to."""
    person = UserFactory()
    is_open = status == "pending"
    OrganizerProfile.objects.create(
        user=person,
        display_name="Toshkent Arena",
        bio="Cups of PUBG Mobile on Saturdays.",
        city="Toshkent",
        status=status,
        decided_at=None if is_open else timezone.now(),
        decided_by=None if is_open else StaffFactory(),
    )
    return person


def _quarter(statement: ProviderStatement, card: str) -> Quarter:
    trade = trades.handed_over()
    buyer, seller = trade.buyer, trade.seller
    thread = messaging.open_about(listing=trade.listing, buyer=buyer)
    message = messaging.send(
        conversation_id=thread.pk, sender=buyer, text="Salom", attachment=prepare(picture())
    )
    report = messaging.report(
        conversation_id=thread.pk, message_id=message.pk, reporter=seller, reason="fraud"
    )
    deposit = payments.start_payment(
        user=buyer,
        amount=150_000_00,
        method_code="sandbox",
        idempotency_key="d",
        return_url="http://testserver/",
    )
    paid = DepositFactory(user=buyer)
    deliver(payload(paid))
    paid.refresh_from_db()
    with patch.multiple(SandboxProvider, can_refund=True, can_refund_part=True):
        refund = payments.refund(
            transaction_id=paid.pk, amount=1_000_00, reason="Twice", actor=StaffFactory(), idempotency_key="r"
        )
    Refund.objects.filter(pk=refund.pk).update(error=Refund.UNCLEAR)
    fund(seller, 1_000_000_00)
    payout = payments.withdraw(
        user=seller, amount=400_000_00, card_number=card, idempotency_key=f"payout {card}"
    )
    disputed = trades.disputed(seller=seller)
    quarrel = messaging.open_about(listing=disputed.listing, buyer=disputed.buyer)
    passkey = Authenticator.objects.get(user=with_passkey(buyer), type="webauthn")
    signed_in = SignIn.objects.create(
        user=buyer, kind="browser", mark=uuid4().hex, expires_at=timezone.now() + timedelta(days=1)
    )
    export = DataExport.objects.create(
        user=buyer,
        status="ready",
        file="exports/a.zip",
        ready_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=7),
    )
    elsewhere = SocialAccount.objects.create(user=buyer, provider="google", uid=uuid4().hex)
    ids = {
        "account_id": elsewhere.pk,
        "sign_in_id": signed_in.pk,
        "export_id": export.pk,
        "waiting": OrganizerProfile.objects.get(user=_organiser("pending")).pk,
        "pk": passkey.pk,
        "trade_id": trade.pk,
        "disputed": disputed.pk,
        "quarrel": quarrel.pk,
        "listing_id": ListingFactory(seller=seller).pk,
        "pending": ListingFactory(seller=seller, status="pending").pk,
        "conversation_id": thread.pk,
        "message_id": message.pk,
        "report_id": report.pk,
        "transaction_id": deposit.pk,
        "payment_id": deposit.pk,
        "order": deposit.pk,
        "paid": paid.pk,
        "refund_id": refund.pk,
        "payout": payout.pk,
        "card_id": PayoutCard.objects.get(user=seller).pk,
        "statement_id": statement.pk,
        "notification_id": NotificationFactory(user=buyer).pk,
        "handle": seller.public_handle,
        "token": unsubscribe_token(buyer.pk, "listings"),
        # Of pages that are nobody's in particular.
        "slug": "pubg-mobile",
        "premium": "premium",
        "terms": "terms",
        "group": "trades",
        "variant": 1,
        "provider": "sandbox",
        "code": "payme",
        "action": "pay",
        "rest": "x",
        "field": "price",
        "uidb36": "1",
        "key": "set-password",
        "name": "welcome",
        "language": "en",
        "month": "2026-11",
        "path": "nothing.png",
        "url": "nothing",
        "app_label": "payments",
        "id": buyer.pk,
        "object_id": buyer.pk,
        "content_type_id": ContentType.objects.get_for_model(User).pk,
    }
    return Quarter(buyer, seller, ids)


class Caller:
    """Somebody's browser and program. What a call changes is taken back, so the next one finds the town as it was."""

    def __init__(self, user: User | None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers: dict[str, str] = {}
        if user is not None:
            self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            self.headers["Authorization"] = f"Bearer {tokens.issue(user=user).access}"
        self._cookies = {name: cookie.value for name, cookie in self.client.cookies.items()}

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        kind: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ):
        """The answer; below /api/ the person shows a token, elsewhere the session's cookie. `kind`: the body's content type."""
        is_api = path.startswith("/api/")
        kind = kind or ("application/json" if is_api else "application/x-www-form-urlencoded")
        headers = {**(headers or {}), **(self.headers if is_api else {})}
        before = transaction.savepoint_create()
        try:
            return self.client.generic(
                method, path, body or (b"{}" if is_api else b""), content_type=kind, headers=headers, **more
            )
        finally:
            transaction.savepoint_rollback(before)
            transaction.set_rollback(False)
            self.client.cookies.clear()
            self.client.cookies.load(self._cookies)


def address(route: str, ids: dict[str, object]) -> str:
    """The route with ids in the place of its parts; `<trade_id=disputed>` asks for another than the usual one."""
    return re.sub(r"<(\w+)(?:=(\w+))?>", lambda part: str(ids[part[2] or part[1]]), route)
