"""A small town of people, offers and trades in every state: what the screens are taken of."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from e2e.pictures import inventory
from marketplace.accounts import deletion, exports, organizers
from marketplace.accounts.models import KnownDevice, SecurityEvent, SignIn, User
from marketplace.accounts.tests.factories import UserFactory, with_app, with_passkey
from marketplace.core.cache import bump
from marketplace.core.testing import run_jobs
from marketplace.escrow import services as escrow
from marketplace.escrow.tests import factories as trades
from marketplace.ledger import services as ledger
from marketplace.ledger.models import Audit
from marketplace.ledger.tests.factories import fund
from marketplace.listings import pictures, services
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import FavoriteFactory, ListingFactory, game
from marketplace.messaging import attachments
from marketplace.messaging import services as messaging
from marketplace.messaging.models import Conversation, Message
from marketplace.messaging.tests.factories import said, with_picture
from marketplace.notifications.models import Notification, NotificationSetting, TelegramLink
from marketplace.payments import reconciliation
from marketplace.payments import services as payments
from marketplace.payments.models import PaymentAttempt, ProviderStatement, Refund, Transaction, WebhookEvent
from marketplace.payments.providers import mock
from marketplace.payments.tests.wire import deliver, payload
from marketplace.subscriptions import services as subscriptions
from marketplace.subscriptions.models import Period, SubscriptionPlan

SOM = 100
WAYS_IN = (
    ("browser", "Chrome, Android", "91.203.174.12"),
    ("program", "WibeStoreMobileClient", "2a02:2698:8c21:f0a1:5054:ff:fe12:3456"),
    ("browser", "Samsung Internet, Android", "203.0.113.7"),
    ("browser", "Firefox, Linux", "2401:a440:8c21:f0a1:5054:ff:fe12:3456"),  # the longest name of a country
)
OFFERS = (
    (
        "pubg-mobile",
        "Conqueror S24 · M416 Glacier max, 214 outfits",
        3_450_000,
        4_100_000,
        {"level": 78, "rank": "conqueror"},
    ),
    ("steam", "Steam 12 лет: 214 игр, CS2 Prime, инвентарь 6 млн", 5_900_000, None, {}),
    (
        "genshin-impact",
        "Genshin AR 60 — C6 Raiden, 5★ qurollar toʻplami",
        2_780_000,
        3_200_000,
        {"adventure_rank": 60},
    ),
    ("free-fire", "Free Fire: 2018-yilgi akkaunt, Sakura toʻplami bilan", 1_250_000, None, {"level": 81}),
    ("standoff-2", "Standoff 2: перчатки Geometric, Karambit Gold", 1_890_000, 2_100_000, {"level": 64}),
    ("roblox", "Roblox 2016, Korblox + Headless, 41 000 R$ spent", 4_150_000, None, {}),
    ("mobile-legends", "Mobile Legends: Mythical Glory, 312 skinlar", 980_000, 1_150_000, {}),
    (
        "pubg-mobile",
        "Ace Master, X-Suit Pharaoh lv 6, UC 2 400",
        2_150_000,
        None,
        {"level": 71, "rank": "ace-master"},
    ),
    (
        "pubg-mobile",
        "Glacier lv 4 + Godzilla vehicle, обе сезона закрыты",
        1_680_000,
        1_950_000,
        {"level": 66, "rank": "ace"},
    ),
    (
        "pubg-mobile",
        "Crown I, 3 ta mifik kiyim, Facebook bogʻlanmagan",
        720_000,
        None,
        {"level": 58, "rank": "crown"},
    ),
    ("brawl-stars", "Brawl Stars: 61 000 kubok, barcha brawlerlar", 640_000, None, {}),
    (
        "pubg-mobile",
        "Conqueror ×3, полный сет Blood Raven, 4 года без бана",
        6_400_000,
        7_200_000,
        {"level": 82},
    ),
)
DESCRIPTION = (
    "Main account since season 3, never shared and never banned. M416 Glacier is level 8 with the hit effect.\n\n"
    "Akkaunt faqat Google Play’ga bogʻlangan. Pochta bilan birga beriladi, parolni darhol oʻzgartirishingiz mumkin.\n\n"
    "Продаю, потому что ухожу из игры. Отвечу на любые вопросы."
)


@dataclass
class Town:
    """Who lives here, and where their things are. Trades are by the name of their step."""

    seller: User
    buyer: User
    moderator: User
    newcomer: User
    careful: User
    keyed: User
    listing: Listing
    sold: Listing
    own: Listing
    pro: User
    trades: dict[str, Any]
    payments: dict[str, Any]
    statement: ProviderStatement
    doubtful: Transaction
    talk: Conversation
    overdone: Message
    leaving: User
    refused: User

    def cookie_of(self, person):
        """The session cookie of somebody who has just logged in; the key is the browser's, not the database's."""
        client = Client()
        client.force_login(person)
        return client.cookies[settings.SESSION_COOKIE_NAME].value


def live_through(user, moderator):
    """What a month leaves in somebody's security history."""
    home = "91.203.174.12"
    lines = [
        ("signed_up", user, home), ("signed_in", user, home), ("recovery_generated", user, home), ("factor_added", user, home),
        ("sign_in_failed", None, "2401:a440:85a3:8d3:1319:8a2e:370:7348"), ("locked", None, "198.51.100.23"),
        ("reset_asked", None, "198.51.100.23"), ("password_reset", None, home), ("session_ended", user, home),
        ("step_up_failed", user, home), ("conversation_opened", moderator, "10.0.0.9"),
        ("card_number_shown", moderator, "10.0.0.9"), ("payouts_locked", None, home), ("email_changed", user, home),
    ]  # fmt: skip
    for days, (kind, actor, address) in enumerate(reversed(lines * 3)):
        SecurityEvent.objects.create(
            kind=kind, user=user, actor=actor, address=address, device="Samsung Internet, Android",
            at=timezone.now() - timedelta(days=days / 2, minutes=7),
        )  # fmt: skip


def build():
    seller = person("Aziz Karimov", "azizk", rating="4.90", rating_count=312, total_sales=312)
    sellers = [
        seller,
        person("Максим Т.", "maxt", rating="4.80", rating_count=96, total_sales=101),
        person("Dilnoza R.", "dilnoza", rating="5.00", rating_count=41, total_sales=44),
        person("Oybek Gʻulomov", "oybek", total_sales=0, is_verified=False),
    ]
    for each, slug in ((seller, "premium"), (sellers[2], "pro")):
        subscribe(each, slug)
    offers = [offer(sellers[place % len(sellers)], *row) for place, row in enumerate(OFFERS)]
    illustrate(offers[0], 5)
    illustrate(offers[7], 2)
    for place in range(26):
        ListingFactory(
            seller=sellers[place % 4],
            title=f"Account with {place + 3} rare outfits",
            price=(300 + 40 * place) * 1000 * SOM,
        )
    buyer = person("Jasur Aliyev", "jasur")
    fund(buyer, 4_820_000 * SOM)
    fund(buyer, 86_500 * SOM, currency="KZT")
    for liked in offers[:5]:
        FavoriteFactory(user=buyer, listing=liked)
    moderator = UserFactory(full_name="Malika Yusupova", is_staff=True, is_superuser=True)
    waiting = [
        offer(
            each,
            "pubg-mobile",
            f"Waiting for review: Conqueror, {n} outfits",
            900_000,
            None,
            {"level": 70},
            status="pending",
        )
        for n, each in enumerate(sellers, 11)
    ]
    illustrate(waiting[0], 3)
    for status in ("draft", "rejected", "archived", "blocked"):
        offer(seller, "steam", f"Steam account, {status}", 1_100_000, None, {}, status=status)
    sold = offer(
        seller, "steam", "Steam 2009, 412 games and four rare badges", 2_200_000, None, {}, status="sold"
    )
    silent = trade("paid", seller)
    escrow.sweep(at=timezone.now() + settings.ESCROW_HAND_OVER_WINDOW + timedelta(minutes=1))
    cancelled = trade("started", seller)
    escrow.cancel(trade_id=cancelled.pk, buyer=cancelled.buyer)
    steps = {"refunded": silent, "cancelled": cancelled}
    for step in ("started", "paid", "handed_over", "delivered", "confirmed", "disputed"):
        steps[step] = trade(step, seller)
    escrow.reveal(trade_id=steps["delivered"].pk, viewer=steps["delivered"].buyer)
    made = {
        "pending": deposit(buyer, 150_000),
        "completed": deposit(buyer, 1_200_000),
        "failed": deposit(buyer, 90_000),
        "payme": deposit(buyer, 250_000, method="payme"),
        "payout": payments.withdraw(
            user=buyer,
            amount=500_000 * SOM,
            card_number="8600 1404 4188 4427",
            idempotency_key=uuid.uuid4().hex,
        ),
    }
    deliver(payload(made["completed"]))
    deliver(payload(made["failed"], state="declined"))
    run_jobs()
    older = timezone.now() - timedelta(days=1, hours=2)
    stale = Notification.objects.filter(user=seller).order_by("-pk")[6:].values_list("pk", flat=True)
    Notification.objects.filter(pk__in=list(stale)).update(created_at=older, is_read=True, read_at=older)
    TelegramLink.objects.create(user=seller, chat_id=4711, name="@azizk")
    NotificationSetting.objects.create(
        user=seller, phrase="Qora choy, ikki qand", quiet_from="23:00", quiet_until="08:00"
    )
    for hours, (kind, device, address) in enumerate(WAYS_IN):
        seen = timezone.now() - timedelta(hours=7 * hours)
        SignIn.objects.create(
            user=buyer, kind=kind, device=device, address=address, mark=uuid.uuid4().hex, seen_at=seen,
            created_at=seen - timedelta(days=9), expires_at=timezone.now() + timedelta(days=5),
        )  # fmt: skip
    KnownDevice.objects.create(user=buyer, trait_hash="x", name="Samsung Internet, Android", country="IO")
    live_through(buyer, moderator)
    NotificationSetting.objects.create(user=buyer, bounced_address=buyer.email, bounced_at=timezone.now())
    return Town(
        seller, buyer, moderator, UserFactory(full_name="Nargiza Umarova"),
        comes_every_way(with_passkey(with_app(person("Shahnoza Ergasheva", "shahnoza")))),
        with_passkey(person("Timur Ibragimov", "timur")),
        offers[0], sold, offers[0], sellers[2], steps,
        made,
        compared(moderator), doubtful(buyer, moderator), *talk(steps["handed_over"], seller),
        leaver(), applicants(moderator),
    )  # fmt: skip


def leaver():
    """Somebody who has a copy of their data, whose account will be deleted, and who has talked with somebody who is gone."""
    user, gone = person("Sardor Toshmatov", "sardor"), person("Kamola Saidova", "kamola")
    said(messaging.open_with(user=user, other=gone), "Salom! Akkaunt hali bormi?")
    now = timezone.now()
    deletion.ask(user=gone, at=now - settings.DELETION_WAIT)
    deletion.erase(user_id=gone.pk, at=now)
    exports.build(export_id=exports.ask(user=user, at=now).pk, at=now)
    deletion.ask(user=user, at=now)
    return user


def applicants(moderator):
    """Two who wait for an answer, one who may hold events, and the one who was told why not."""
    about = (
        "PUBG Mobile va Standoff 2 boʻyicha har shanba kuni 64 jamoali turnir oʻtkazamiz, 2022-yildan beri."
    )
    for name, title, city in (
        ("Bekzod Alimov", "Toshkent Arena", "Toshkent"),
        ("Камила Юсупова", "Самарканд: киберспортивный клуб «Регистан»", "Самарканд"),
        ("Otabek Rahimov", "Fargʻona Cup", "Fargʻona"),
        ("Diyor Hamidov", "Diyor Events", "Buxoro"),
    ):
        applicant = UserFactory(full_name=name)
        words = organizers.Words(title, about, city, "toshkent.arena" if city == "Toshkent" else None)
        asked = organizers.apply(user=applicant, words=words, at=timezone.now())
    organizers.decide(
        profile_id=asked.pk,
        actor=moderator,
        reason="Qayerda va qachon oʻtkazganingizni yozing.",
        at=timezone.now(),
    )
    return applicant


def talk(running, seller):
    """What the two of a trade have said so far, and a message that somebody reported."""
    thread = Conversation.objects.get(listing=running.listing)
    said(thread, "Vaalaykum assalom. Pochta ham beriladimi?", by=running.buyer)
    said(thread, "Ha, Google akkauntning oʻzi beriladi, tiklash raqamini oʻzingizga ulaysiz.", by=seller)
    said(thread, "Вошёл, вижу Glacier 8 уровня. Сейчас поменяю пароль", by=running.buyer)
    with_picture(thread, by=running.buyer)
    messaging.mark_read(conversation_id=thread.pk, user=seller)
    said(thread, "Отлично! Если код подтверждения придёт мне, сразу перешлю.", by=seller)
    with_file = SimpleUploadedFile("kvitansiya-toʻlov-2026-11-28.pdf", b"%PDF-1.7 " + b"x" * 180_000)
    said(thread, "", by=running.buyer, attachment=attachments.prepare(with_file))
    gone = said(thread, "Xato yozdim", by=seller)
    messaging.take_back(conversation_id=thread.pk, message_id=gone.pk, sender=seller)
    other = messaging.open_about(listing=running.listing, buyer=person("Нодира Абдурахманова", "nodira"))
    overdone = said(other, "Escrowsiz qilamiz, kartaga oʻtkazing, 20 foiz arzon beraman")
    messaging.report(
        conversation_id=other.pk, message_id=overdone.pk, reporter=seller, reason="fraud", note="Ikkinchi marta soʻradi"
    )  # fmt: skip
    said(other, "Yozing: +998 90 123 45 67", send_anyway=True)
    return thread, overdone


def person(name, username, **fields):
    return UserFactory(full_name=name, username=username, email=f"{username}@example.uz", **fields)


def comes_every_way(user):
    SocialAccount.objects.create(
        user=user, provider="google", uid=user.username, extra_data={"email": f"{user.username}@gmail.com"}
    )
    user.phone_number, user.phone_confirmed_at = "+998901234567", timezone.now()
    user.save()
    # Somebody typed the address that the stand-in for Google knows its person by.
    UserFactory(email="aziza@gmail.com", is_verified=False).emailaddress_set.update(verified=False)
    return user


def subscribe(user, slug):
    """Let somebody buy a plan, and have 1 000 soʻm left: too little for the renewal."""
    plan = SubscriptionPlan.objects.get(slug=slug)
    fund(user, plan.price_monthly + 1_000 * SOM)
    subscriptions.purchase(user=user, plan=plan, period=Period.MONTHLY, idempotency_key=uuid.uuid4().hex)
    user.refresh_from_db()


def offer(seller, slug, title, price, before, attributes, **fields):
    return ListingFactory(
        seller=seller, game=game(slug), title=title, price=price * SOM, original_price=before and before * SOM,
        attributes=attributes, description=DESCRIPTION, is_premium=seller.is_premium,
        features=["Google Play only", "Handed over with its mailbox"], **fields,
    )  # fmt: skip


def illustrate(listing, number):
    """Give an offer pictures the way its seller would."""
    files = [SimpleUploadedFile(f"{n}.png", inventory(n)) for n in range(1, number + 1)]
    with pictures.stored([pictures.prepare(file) for file in files]) as rows:
        services.publishing._arrange(listing, rows, first=None)
        listing.save(update_fields=["cover"])


def compared(keeper):
    """A statement of the sandbox's that lacks one payment of ours, has another amount of one, and one of a stranger."""
    day = timezone.localdate()
    since, until = reconciliation.days(day - timedelta(days=2), day)
    head, now = "id,time,amount,currency,state\n", timezone.now().isoformat()
    one = PaymentAttempt.objects.filter(provider="sandbox", state="captured").order_by("pk")[0]
    lines = f"sb_99017,{now},340000.00,UZS,captured\n{one.provider_id},{now},1150000.50,UZS,captured\n"
    reconciliation.reconcile_file(
        provider="sandbox", since=since, until=until, data=f"{head}sb_1,{now},1,UZS,open\n".encode(),
        name="sandbox-empty.csv", actor=keeper,
    )  # fmt: skip
    return reconciliation.reconcile_file(
        provider="sandbox", since=since, until=until, data=f"{head}{lines}".encode(),
        name="sandbox-2026-11.csv", actor=keeper,
    )  # fmt: skip


def doubtful(payer, clerk):
    """A payment of which a part went back, and another part perhaps: nobody knows."""
    payment = deposit(payer, 640_000, method="mock")
    payments.act(mock.command(payment.pk, mock.PAID), mock.CODE)
    for amount, reason in (
        (140_000, "Paid twice for the same thing"),
        (200_000, "The payer asked for it, ticket 4412"),
    ):
        row = payments.refund(
            transaction_id=payment.pk, amount=amount * SOM, reason=reason, actor=clerk,
            idempotency_key=uuid.uuid4().hex,
        )  # fmt: skip
        if amount == 200_000:
            error = f"{Refund.UNCLEAR}: the connection broke after the request was sent"
            Refund.objects.filter(pk=row.pk).update(error=error)
    run_jobs()
    names = f'{{"transaction_id": "{payment.pk}"}}'.encode()
    for status, error in (
        ("processed", ""),
        ("failed", "already_paid: another try of the provider has paid it"),
    ):
        WebhookEvent.objects.create(
            provider=mock.CODE, body=names, status=status, error=error, signature_ok=True, answer_status=200,
            deliveries=2 if error else 1,
        )  # fmt: skip
    return Transaction.objects.get(pk=payment.pk)


def audit_books(*, is_green):
    """As the books stand after their last audit; None: before the first one."""
    Audit.objects.all().delete()
    if is_green is not None:
        row = ledger.audit(at=timezone.now())
        if not is_green:
            row.proofs[3]["offending"] = [
                "posting 019c2a41-7c55-7e02-b1f5-1f3f0b6f9a10 of entry 019c2a41-7c54: on USD, in UZS"
            ]
            Audit.objects.filter(pk=row.pk).update(is_green=False, proofs=row.proofs)
    bump("books")


def trade(step, seller):
    return getattr(trades, step)(
        seller=seller, title="Conqueror S23 with M416 Fool, 96 outfits", price=950_000 * SOM
    )


def deposit(user, amount, method="sandbox"):
    return payments.start_payment(
        user=user, amount=amount * SOM, method_code=method, idempotency_key=uuid.uuid4().hex
    )
