"""Offers over all games and in all states, with pictures and log-ins."""

import colorsys
import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marketplace.accounts.models import User
from marketplace.games.models import Game
from marketplace.games.schema import Attribute, Kind
from marketplace.listings import pictures as files
from marketplace.listings.models import Credentials, Listing
from marketplace.listings.pictures import Renditions
from marketplace.listings.services.bulk import import_listings
from project.seed.pictures import picture

Status = Listing.Status

PER_GAME = 5
PICTURES_PER_GAME = 2
# Every so many of a game's offers one is in that state; all others are on sale.
UNUSUAL = {
    Status.PENDING: 17, Status.DRAFT: 31, Status.REJECTED: 29, Status.BLOCKED: 61, Status.ARCHIVED: 37,
}  # fmt: skip

# What sellers name in a title: skins, sets, heroes and the like, as they are called in every language.
ITEMS = (
    "M416 Glacier", "AKM Hellfire", "X-Suit Pharaoh", "Blood Raven", "Mummy set", "Skeleton set", "Godzilla vehicle", "Poseidon",
    "Karambit Gold", "Butterfly Doppler", "Geometric gloves", "AWP Asiimov", "AK Redline", "Desert Eagle Blaze", "M9 Bayonet",
    "Sakura bundle", "Hip Hop bundle", "Cobra MP40", "Blue Flame Draco", "Raiden C6", "Zhongli C2", "Hu Tao Homa", "Kazuha",
    "Furina Splendor", "Korblox", "Headless Horseman", "Dominus", "Valkyrie Helm", "Legends skin", "Collector Gusion", "Lunox",
    "Arcana Juggernaut", "Dragonclaw Hook", "Pudge Arcana", "Immortal treasures", "Elementalist Lux", "Pulsefire Ezreal", "Prime Vandal",
    "Reaver Sheriff", "Elderflame", "Ruination Phantom", "Renegade Raider", "Galaxy Scout", "Travis bundle", "Ikonik", "Black Knight",
    "Surge maxed", "Crow", "Leon", "Hypercharge", "Monk Titan", "Barbarian King", "Eagle Artillery", "Royal Champion", "Evolved Knight",
    "Mega Knight", "Star levels", "Zidane card", "Ronaldo Legend", "Neymar Epic", "Messi Big Time", "Obj 279", "Chieftain", "T22 medium",
    "Foch 155", "Heirloom Wraith", "Bloodhound heirloom", "Octane shards", "Alpha boost", "Titanium Octane", "Fennec black", "Interstellar",
    "Damascus camo", "Dark Matter", "Ghost Reaper", "Mythic Fennec", "Shadow Stinger", "Castle level max", "Dragon knight", "Yacht",
    "Oppressor", "Bunker research", "Armored Kuruma", "Cape Migrator", "Hypixel MVP", "Optifine cape", "Wolf mount", "Invincible reins",
    "Ashes of Alar", "Spectral Tiger", "Gladiator title", "Void skin", "Neon bundle", "Winterlands", "Underworld crate", "Prime Gaming set",
)  # fmt: skip
TITLES = {
    "uz": [
        "{fact}, {item}, pochta bilan beriladi", "Eski akkaunt: {fact} va {item}", "{game}: {item}, {fact}, toza",
        "{item} + {fact}, kolleksiya toʻliq", "Asosiy akkauntim, {fact}, {item}", "Arzon narxda: {item}, {fact}",
        "{fact} · {item}, bloklanmagan", "{item} bor, {fact}, tez topshiraman",
    ],
    "ru": [
        "{fact}, {item}, почта в комплекте", "Основа с первого сезона: {item}, {fact}", "{game}: {item}, {fact}, без банов",
        "{item} и {fact}, полная коллекция", "Продаю свой аккаунт: {fact}, {item}", "Редкий {item}, {fact}",
        "{fact} · {item}, без привязок", "{item}, {fact}, передам быстро",
    ],
    "en": [
        "{fact}, {item}, e-mail included", "Main account since day one: {item}, {fact}", "{game}: {item}, {fact}, never banned",
        "{item} and {fact}, full collection", "{fact} with {item}", "Rare {item}, {fact}", "{fact} · {item}, clean", "{item}, {fact}, quick hand-over",
    ],
}  # fmt: skip
TEXTS = {
    "uz": (
        "Akkaunt faqat oʻzimniki, boshqa hech kim kirmagan.", "Pochta ham beriladi, parolni darhol almashtirishingiz mumkin.",
        "Savollar boʻlsa yozing, inventarni koʻrsataman.", "Oʻyinni tashladim, shuning uchun sotyapman.", "Narx yakuniy, savdolashish yoʻq.",
        "Telefon raqami bogʻlanmagan.", "Birinchi mavsumdan beri oʻynayman.", "Hech qachon cheat ishlatilmagan.", "Ikki yil davomida yigʻilgan.",
    ),
    "ru": (
        "Аккаунт мой с самого начала, никому не передавался.", "Почта отдаётся вместе с ним, пароль можно сменить сразу.",
        "Отвечу на вопросы и покажу инвентарь.", "Продаю, потому что больше не играю.", "Цена окончательная, обмен не интересует.",
        "Номер телефона не привязан.", "Играл с первого сезона.", "Читы никогда не использовал.", "Собирал два года.",
    ),
    "en": (
        "The account has been mine from the start and was never shared.", "The e-mail goes with it, so you can change the password at once.",
        "Ask anything, I can show the inventory.", "I sell it because I no longer play.", "The price is final, no swaps.",
        "No phone number is linked.", "Played since the first season.", "Never used cheats.", "Two years of collecting.",
    ),
}  # fmt: skip
FEATURES = {
    "uz": ["Pochta beriladi", "Bloklanmagan", "Telefon bogʻlanmagan", "Donat qilingan"],
    "ru": ["Почта в комплекте", "Без банов", "Телефон не привязан", "Много доната"],
    "en": ["E-mail included", "Never banned", "No phone linked", "Seasonal rewards"],
}
REASONS = [
    "Rasmlar boshqa akkauntdan olingan.",
    "Контакты указаны в описании.",
    "The price is not believable.",
]


def some_value(item: Attribute, rng: random.Random) -> Any:
    """A lawful value of an attribute, the higher the rarer."""
    if item.kind == Kind.INTEGER:
        low, high = item.minimum, item.maximum
        return int(low + (high - low) * rng.random() ** 2.2)
    options = [option.code for option in item.options]
    if item.kind == Kind.CHOICE:
        return rng.choice(options)
    if item.kind == Kind.CHOICES:
        return sorted(rng.sample(options, k=min(len(options), rng.randint(1, 2))))
    return rng.random() < 0.5 if item.kind == Kind.BOOLEAN else None


def attributes(game: Game, rng: random.Random) -> dict[str, Any]:
    values = {item.code: some_value(item, rng) for item in game.schema.attributes}
    return {code: value for code, value in values.items() if value is not None}


def price(rng: random.Random) -> int:
    """Mostly some hundred thousand soʻm, a few in the millions, in tens of thousands."""
    return (
        int(60_000 + 900_000 * rng.paretovariate(1.6) - 900_000 + rng.randint(0, 40) * 10_000)
        // 10_000
        * 10_000
        * 100
    )


def offer(
    game: Game, seller: User, rng: random.Random, *, key: UUID, at: datetime, status: Status
) -> Listing:
    """An unsaved offer, lawful in its state."""
    language = seller.language if rng.random() < 0.8 else rng.choice(["uz", "ru", "en"])
    values = attributes(game, rng)
    fact = game.schema.card_facts(values) or game.name
    title = rng.choice(TITLES[language]).format(game=game.name, fact=fact, item=rng.choice(ITEMS))
    amount = min(max(price(rng), 60_000_00), 25_000_000_00)
    published = status in {Status.ACTIVE, Status.ARCHIVED}
    return Listing(
        id=key,
        seller=seller,
        game=game,
        title=title[:1].upper() + title[1:120],
        description=" ".join(rng.sample(TEXTS[language], k=rng.randint(2, 4))),
        price=amount,
        original_price=amount * rng.choice([115, 125, 140]) // 100 if rng.random() < 0.3 else None,
        status=status,
        is_premium=seller.is_premium,
        login_method=rng.choice(["email", "email", "phone", "social"]),
        attributes=values,
        features=rng.sample(FEATURES[language], k=rng.randint(1, 3)),
        views_count=int(400 * rng.random() ** 3) if published else 0,
        submitted_at=None if status == Status.DRAFT else at,
        approved_at=at + timedelta(hours=3) if published else None,
        moderated_at=at + timedelta(hours=3) if status not in {Status.DRAFT, Status.PENDING} else None,
        rejected_at=at + timedelta(hours=3) if status == Status.REJECTED else None,
        rejection_reason=rng.choice(REASONS) if status in {Status.REJECTED, Status.BLOCKED} else "",
        created_at=at,
    )


def key_of(number: int, at: datetime) -> UUID:
    """The same key on every machine for the offer of that number: its time and number instead of chance."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | number)


def plan(games: Sequence[Game], sellers: Sequence[User], *, now: datetime) -> Iterator[Listing]:
    """All offers of the demo, the oldest first."""
    rng = random.Random(2026)  # nosec B311
    # A fixed day, so that a second run on another day finds the same keys.
    start = datetime(2026, 9, 1, 9, tzinfo=now.tzinfo)
    number = 0
    for round_ in range(PER_GAME):
        for place, game in enumerate(games):
            number += 1
            status = next((state for state, every in UNUSUAL.items() if number % every == 0), Status.ACTIVE)
            seller = sellers[(place * 3 + round_ * 5 + rng.randint(0, 2)) % len(sellers)]
            at = start + timedelta(hours=6 * number + rng.randint(0, 5))
            yield offer(game, seller, rng, key=key_of(number, at), at=min(at, now), status=status)


def add(games: Sequence[Game], sellers: Sequence[User], *, now: datetime) -> int:
    """Write the offers that are not there yet; how many."""
    wanted = list(plan(games, sellers, now=now))
    there = set(Listing.objects.filter(pk__in=[one.pk for one in wanted]).values_list("pk", flat=True))
    new = [one for one in wanted if one.pk not in there]
    import_listings(new)
    if new:
        draw_pictures(games)
    for one in new:
        add_pictures(one)
    Credentials.objects.bulk_create(
        [
            Credentials(
                listing=one,
                account_email=f"player{one.pk.int % 100_000}@mail.test",
                account_password=f"Demo-{one.pk.hex[-6:]}",
                additional_info={"note": "2FA: off"},
            )
            for one in new
            if one.status != Status.DRAFT
        ]
    )
    return len(new)


def add_pictures(listing: Listing) -> None:
    """None for every fifth offer (it shows a drawn cover), one or both of its game's pictures for the others."""
    turn = listing.pk.int % 60
    count = 0 if turn % 5 == 0 else 1 + turn % PICTURES_PER_GAME
    prepared = [_picture(listing.game, (turn + number) % PICTURES_PER_GAME) for number in range(count)]
    with files.stored(prepared) as images:
        for number, image in enumerate(images):
            image.listing, image.sort_order, image.is_primary = listing, number, number == 0
            image.save()
        if images:
            listing.cover = images[0].card.name or ""
            listing.save(update_fields=["cover"])


def draw_pictures(games: Sequence[Game]) -> None:
    """Prepare all games' pictures beforehand; encoding leaves the interpreter free, so all cores help."""
    wanted = [(game, number) for game in games for number in range(PICTURES_PER_GAME)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda pair: _picture(*pair), wanted))


def _picture(game: Game, number: int) -> Renditions:
    return picture(game.color, hex_of_hue(game.cover_hue or 220), number)


def hex_of_hue(hue: int) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue / 360, 0.42, 0.6)
    return f"#{int(red * 255):02x}{int(green * 255):02x}{int(blue * 255):02x}"
