"""The games of the first data migration. Frozen: later changes are migrations of their own, or made in the admin."""


def t(uz, ru, en):
    return {"uz": uz, "ru": ru, "en": en}


def number(code, label, low, high, *, unit=None, short=None, fact=False, filter=True, required=False):  # noqa: A002
    entry = {"code": code, "kind": "integer", "label": label, "min": low, "max": high}
    return _flags(entry, unit=unit, short=short, fact=fact, filter=filter, required=required)


def choice(code, label, options, *, short=None, fact=False, filter=True, required=False, many=False):  # noqa: A002
    entry = {"code": code, "kind": "choices" if many else "choice", "label": label, "options": options}
    return _flags(entry, short=short, fact=fact, filter=filter, required=required)


def yes(code, label, *, fact=False, filter=True):  # noqa: A002
    return _flags({"code": code, "kind": "boolean", "label": label}, fact=fact, filter=filter)


def text(code, label, *, limit=80, fact=False):
    return _flags({"code": code, "kind": "text", "label": label, "max": limit}, fact=fact)


def _flags(entry, **flags):
    return entry | {name: value for name, value in flags.items() if value}


def option(value, label):
    return {"value": value, "label": label}


LEVEL = t("Daraja", "Уровень", "Level")
RANK = t("Rank", "Ранг", "Rank")
SERVER = t("Server", "Сервер", "Server")
REGION = t("Region", "Регион", "Region")
LV = t("{}-daraja", "Ур. {}", "Lv {}")
SKINS_SHORT = t("{} skin", "{} скинов", "{} skins")
NOTHING = option("none", t("Hech narsa, toza", "Ни к чему, чистый", "Nothing, clean"))
ASIA, EUROPE = option("asia", t("Osiyo", "Азия", "Asia")), option("europe", t("Yevropa", "Европа", "Europe"))
NA = option("north-america", t("Shimoliy Amerika", "Северная Америка", "North America"))
SA = option("south-america", t("Janubiy Amerika", "Южная Америка", "South America"))
ME = option("middle-east", t("Yaqin Sharq", "Ближний Восток", "Middle East"))
CIS = option("cis", t("MDH", "СНГ", "CIS"))
RUSSIA = option("russia", t("Rossiya", "Россия", "Russia"))
MAIL = option("email", t("Elektron pochta", "Эл. почта", "E-mail"))


def linked(*names):
    return choice("links", t("Bogʻlangan", "Привязки", "Linked to"), [NOTHING, *names], many=True)


def skins(high=5000, *, fact=True):
    return number("skins", t("Skinlar", "Скины", "Skins"), 0, high, short=SKINS_SHORT, fact=fact)


def level(high, *, fact=True, required=False):
    return number("level", LEVEL, 1, high, short=LV, fact=fact, required=required)


def rank(options, *, required=True):
    return choice("rank", RANK, options, fact=True, required=required)


GOOGLE, FACEBOOK, TWITTER, VK, APPLE = "Google Play", "Facebook", "Twitter / X", "VK", "Apple ID"
PC = ["PC"]
PLATFORM = t("Platforma", "Платформа", "Platform")


def platform(*names):
    return choice("platform", PLATFORM, list(names), fact=False)


CLEAN = yes("no_bans", t("Hech qachon ban olmagan", "Без блокировок", "Never banned"))
MAIL_GIVEN = yes("mail_included", t("Pochtasi bilan beriladi", "Отдаётся с почтой", "Comes with its e-mail"))

PUBG = [
    level(100, required=True),
    rank(
        [
            "Bronze",
            "Silver",
            "Gold",
            "Platinum",
            "Diamond",
            "Crown",
            "Ace",
            "Ace Master",
            "Ace Dominator",
            "Conqueror",
        ]
    ),
    number(
        "outfits",
        t("Kiyimlar", "Костюмы", "Outfits"),
        0,
        2000,
        short=t("{} kiyim", "{} костюмов", "{} outfits"),
    ),
    number("x_suits", t("X-Suit", "X-костюмы", "X-Suits"), 0, 40),
    number("gun_labs", t("Yangilanadigan qurollar", "Прокачиваемое оружие", "Upgradable guns"), 0, 120),
    number("mythic", t("Mifik moda", "Мифическая мода", "Mythic fashion"), 0, 400),
    number("uc", "UC", 0, 500_000, filter=False),
    number("royal_pass", t("Royal Pass fasllari", "Сезоны Royal Pass", "Royal Pass seasons"), 0, 60),
    choice(
        "server",
        SERVER,
        [
            ASIA,
            EUROPE,
            ME,
            NA,
            SA,
            option("krjp", t("Koreya va Yaponiya", "Корея и Япония", "Korea and Japan")),
        ],
    ),
    linked(GOOGLE, FACEBOOK, TWITTER, APPLE, MAIL),
]
FREE_FIRE = [
    level(100, required=True),
    rank(
        [
            "Bronze",
            "Silver",
            "Gold",
            "Platinum",
            "Diamond",
            "Heroic",
            "Elite Heroic",
            "Master",
            "Elite Master",
            "Grandmaster",
        ]
    ),
    number("diamonds", t("Olmoslar", "Алмазы", "Diamonds"), 0, 500_000, filter=False),
    number(
        "evo_guns", t("Evo qurollar", "Эво-оружие", "Evo guns"), 0, 40, short=t("{} Evo", "{} Evo", "{} Evo")
    ),
    number("bundles", t("Toʻplamlar", "Наборы", "Bundles"), 0, 1000),
    number("elite_pass", t("Elite Pass fasllari", "Сезоны Elite Pass", "Elite Pass seasons"), 0, 90),
    choice(
        "server",
        SERVER,
        [
            CIS,
            EUROPE,
            ME,
            option("india", t("Hindiston", "Индия", "India")),
            option("sea", t("Janubi-sharqiy Osiyo", "Юго-Восточная Азия", "South-East Asia")),
        ],
    ),
    linked(GOOGLE, FACEBOOK, VK, TWITTER, APPLE),
]
STANDOFF = [
    level(100),
    rank(["Bronze", "Silver", "Gold", "Phoenix", "Ranger", "Champion", "Master", "Elite", "The Legend"]),
    number("gold", "Gold", 0, 5_000_000, filter=False),
    skins(3000),
    number("knives", t("Pichoqlar", "Ножи", "Knives"), 0, 200, short=t("{} pichoq", "{} ножей", "{} knives")),
    number("gloves", t("Qoʻlqoplar", "Перчатки", "Gloves"), 0, 100),
    linked(GOOGLE, APPLE, VK, FACEBOOK, MAIL),
]
STEAM = [
    number(
        "years",
        t("Yoshi, yil", "Возраст, лет", "Age, years"),
        0,
        30,
        short=t("{} yil", "{} лет", "{} yrs"),
        fact=True,
    ),
    number(
        "games",
        t("Oʻyinlar", "Игры", "Games"),
        0,
        30_000,
        short=t("{} oʻyin", "{} игр", "{} games"),
        fact=True,
        required=True,
    ),
    number("level", t("Steam darajasi", "Уровень Steam", "Steam level"), 0, 5000),
    number("balance", t("Hamyon, USD", "Баланс, USD", "Wallet, USD"), 0, 100_000, filter=False),
    choice(
        "region",
        REGION,
        [
            RUSSIA,
            option("uzbekistan", t("Oʻzbekiston", "Узбекистан", "Uzbekistan")),
            option("kazakhstan", t("Qozogʻiston", "Казахстан", "Kazakhstan")),
            option("turkey", t("Turkiya", "Турция", "Turkey")),
            EUROPE,
            option("usa", t("AQSH", "США", "USA")),
        ],
        fact=False,
    ),
    yes("cs2_prime", "CS2 Prime", fact=True),
    yes("no_limits", t("Cheklovlarsiz", "Без лимита", "No limits")),
    CLEAN,
    MAIL_GIVEN,
]
MLBB = [
    level(200),
    rank(
        [
            "Warrior",
            "Elite",
            "Master",
            "Grandmaster",
            "Epic",
            "Legend",
            "Mythic",
            "Mythical Honor",
            "Mythical Glory",
            "Mythical Immortal",
        ]
    ),
    number(
        "heroes",
        t("Qahramonlar", "Герои", "Heroes"),
        0,
        150,
        short=t("{} qahramon", "{} героев", "{} heroes"),
    ),
    skins(1500),
    number("win_rate", t("Gʻalabalar ulushi", "Доля побед", "Win rate"), 0, 100, unit="%"),
    number("emblems", t("Toʻliq emblemalar", "Полные эмблемы", "Full emblems"), 0, 9),
    choice(
        "collector",
        t("Kolleksioner unvoni", "Титул коллекционера", "Collector title"),
        ["Amateur", "Junior", "Seasoned", "Expert", "Renowned", "Exalted", "Mega", "World"],
    ),
    linked("Moonton", GOOGLE, FACEBOOK, TWITTER, VK, APPLE),
]
COC = [
    number(
        "town_hall",
        t("Town Hall darajasi", "Ратуша", "Town Hall"),
        1,
        18,
        short="TH {}",
        fact=True,
        required=True,
    ),
    number("builder_hall", t("Builder Hall darajasi", "Дом строителя", "Builder Hall"), 0, 10, short="BH {}"),
    choice(
        "league",
        t("Liga", "Лига", "League"),
        ["Bronze", "Silver", "Gold", "Crystal", "Master", "Champion", "Titan", "Legend"],
        fact=True,
    ),
    number("xp_level", LEVEL, 1, 500),
    number(
        "heroes", t("Qahramonlar darajasi yigʻindisi", "Сумма уровней героев", "Sum of hero levels"), 0, 500
    ),
    number("gems", t("Gemlar", "Кристаллы", "Gems"), 0, 1_000_000, filter=False),
    yes("maxed", t("Toʻliq rivojlangan", "Полностью прокачан", "Fully maxed"), fact=True),
    yes("name_change", t("Ism almashtirish bor", "Есть смена имени", "Name change left")),
    linked("Supercell ID", GOOGLE, APPLE),
]
ROBLOX = [
    number("year", t("Ochilgan yili", "Год создания", "Year made"), 2006, 2035, short="{}", fact=True),
    number("robux", "Robux", 0, 10_000_000, short="{} R$", fact=True),
    number("limiteds", t("Limited buyumlar", "Лимитки", "Limiteds"), 0, 10_000),
    number("spent", t("Sarflangan Robux", "Потрачено Robux", "Robux spent"), 0, 50_000_000),
    yes("korblox", "Korblox"),
    yes("headless", "Headless"),
    yes("voice", t("Ovozli chat yoqilgan", "Голосовой чат", "Voice chat on")),
    yes("premium", "Roblox Premium"),
    choice(
        "games",
        t("Oʻyin ichidagi boyliklar", "Прогресс в играх", "Progress in"),
        ["Blox Fruits", "Adopt Me", "Pet Simulator 99", "Murder Mystery 2", "Grow a Garden", "Brookhaven"],
        many=True,
    ),
    MAIL_GIVEN,
]
GENSHIN = [
    number(
        "adventure_rank",
        t("Sarguzasht darajasi", "Ранг приключений", "Adventure Rank"),
        1,
        60,
        short="AR {}",
        fact=True,
        required=True,
    ),
    choice(
        "server",
        SERVER,
        [
            ASIA,
            EUROPE,
            option("america", t("Amerika", "Америка", "America")),
            option("tw-hk-mo", "TW, HK, MO"),
        ],
        fact=True,
        required=True,
    ),
    number(
        "five_stars",
        t("5★ qahramonlar", "Персонажи 5★", "5★ characters"),
        0,
        120,
        short=t("{} ta 5★", "{} × 5★", "{} × 5★"),
    ),
    number("five_star_weapons", t("5★ qurollar", "Оружие 5★", "5★ weapons"), 0, 120),
    number("primogems", t("Primogemlar", "Камни Истока", "Primogems"), 0, 1_000_000),
    number("wishes", t("Tilaklar", "Молитвы", "Wishes"), 0, 5000),
    choice("gender", t("Sayohatchi", "Путешественник", "Traveler"), ["Aether", "Lumine"]),
    yes("mail_unlinked", t("Pochta bogʻlanmagan", "Почта не привязана", "E-mail not linked")),
]
HSR = [
    number(
        "trailblaze",
        t("Trailblaze darajasi", "Уровень Освоения", "Trailblaze level"),
        1,
        70,
        short="TL {}",
        fact=True,
        required=True,
    ),
    choice(
        "server",
        SERVER,
        [ASIA, EUROPE, option("america", t("Amerika", "Америка", "America"))],
        fact=True,
        required=True,
    ),
    number("five_stars", t("5★ qahramonlar", "Персонажи 5★", "5★ characters"), 0, 120),
    number("light_cones", t("5★ yorugʻlik konuslari", "Световые конусы 5★", "5★ light cones"), 0, 120),
    number("jades", t("Stellar Jade", "Звёздный нефрит", "Stellar Jade"), 0, 1_000_000),
]
CS2 = [
    number(
        "premier",
        t("Premier reytingi", "Рейтинг Premier", "Premier rating"),
        0,
        40_000,
        short="{} Premier",
        fact=True,
    ),
    number("faceit", "FACEIT", 0, 10, short="FACEIT {}", fact=True),
    number("hours", t("Soatlar", "Часы", "Hours"), 0, 50_000, short=t("{} soat", "{} ч", "{} h")),
    number("inventory", t("Inventar, USD", "Инвентарь, USD", "Inventory, USD"), 0, 1_000_000),
    number("medals", t("Medallar", "Медали", "Medals"), 0, 100),
    yes("prime", "Prime", fact=True),
    CLEAN,
    MAIL_GIVEN,
]
DOTA = [
    rank(["Herald", "Guardian", "Crusader", "Archon", "Legend", "Ancient", "Divine", "Immortal"]),
    number("mmr", "MMR", 0, 16_000, short="{} MMR", fact=True),
    number("behaviour", t("Xulq bahosi", "Порядочность", "Behaviour score"), 0, 12_000),
    number("hours", t("Soatlar", "Часы", "Hours"), 0, 50_000),
    number("arcanas", t("Arcanalar", "Арканы", "Arcanas"), 0, 60),
    yes("calibrated", t("Kalibrlangan", "Откалиброван", "Calibrated")),
    CLEAN,
    MAIL_GIVEN,
]
LOL = [
    rank(
        [
            "Unranked",
            "Iron",
            "Bronze",
            "Silver",
            "Gold",
            "Platinum",
            "Emerald",
            "Diamond",
            "Master",
            "Grandmaster",
            "Challenger",
        ]
    ),
    level(5000),
    choice("server", SERVER, ["EUW", "EUNE", "RU", "TR", "NA", "KR"], fact=False),
    skins(2000, fact=False),
    number("champions", t("Chempionlar", "Чемпионы", "Champions"), 0, 200),
    number("blue_essence", t("Koʻk essensiya", "Синяя эссенция", "Blue essence"), 0, 5_000_000, filter=False),
    MAIL_GIVEN,
]
VALORANT = [
    rank(
        [
            "Unranked",
            "Iron",
            "Bronze",
            "Silver",
            "Gold",
            "Platinum",
            "Diamond",
            "Ascendant",
            "Immortal",
            "Radiant",
        ]
    ),
    level(1500, fact=False),
    choice("region", REGION, [EUROPE, CIS, option("turkey", t("Turkiya", "Турция", "Turkey")), NA, ASIA]),
    skins(1000),
    number("knives", t("Pichoqlar", "Ножи", "Knives"), 0, 100),
    number("vp", "VP", 0, 1_000_000, filter=False),
    number("agents", t("Agentlar", "Агенты", "Agents"), 0, 40),
    MAIL_GIVEN,
]
BRAWL = [
    number(
        "trophies",
        t("Kuboklar", "Трофеи", "Trophies"),
        0,
        200_000,
        short=t("{} kubok", "{} кубков", "{} trophies"),
        fact=True,
        required=True,
    ),
    number(
        "brawlers",
        t("Brawlerlar", "Бойцы", "Brawlers"),
        0,
        150,
        short=t("{} brawler", "{} бойцов", "{} brawlers"),
        fact=True,
    ),
    number("power11", t("11-kuchdagi brawlerlar", "Бойцы 11 силы", "Power 11 brawlers"), 0, 150),
    number("hypercharges", t("Giperzaryadlar", "Гиперзаряды", "Hypercharges"), 0, 150),
    skins(1000, fact=False),
    choice(
        "ranked",
        t("Reyting", "Ранговый бой", "Ranked"),
        ["Bronze", "Silver", "Gold", "Diamond", "Mythic", "Legendary", "Masters", "Pro"],
    ),
    linked("Supercell ID", GOOGLE, APPLE),
]
ROYALE = [
    number(
        "trophies",
        t("Kuboklar", "Кубки", "Trophies"),
        0,
        20_000,
        short=t("{} kubok", "{} кубков", "{} trophies"),
        fact=True,
        required=True,
    ),
    number(
        "king_level",
        t("Qirol darajasi", "Уровень короля", "King level"),
        1,
        90,
        short=t("{}-daraja", "Ур. {}", "Lv {}"),
        fact=True,
    ),
    number("max_cards", t("Toʻliq kartalar", "Макс. карты", "Maxed cards"), 0, 130),
    number("evolutions", t("Evolyutsiyalar", "Эволюции", "Evolutions"), 0, 60),
    number("emotes", t("Emotlar", "Эмоции", "Emotes"), 0, 800),
    linked("Supercell ID", GOOGLE, APPLE),
]
FC_MOBILE = [
    number(
        "ovr", t("Jamoa OVR", "OVR команды", "Team OVR"), 50, 130, short="OVR {}", fact=True, required=True
    ),
    level(100),
    choice(
        "division",
        t("Divizion", "Дивизион", "Division"),
        ["Amateur", "Pro", "World Class", "Legendary", "FC Champion"],
        fact=True,
    ),
    number("coins", t("Tangalar, mln", "Монеты, млн", "Coins, M"), 0, 100_000),
    number("icons", t("Icon futbolchilar", "Игроки Icon", "Icon players"), 0, 300),
    linked(GOOGLE, FACEBOOK, APPLE, "EA"),
]
EFOOTBALL = [
    number("strength", t("Jamoa kuchi", "Сила команды", "Team strength"), 1000, 4000, short="{}", fact=True),
    number(
        "epics",
        t("Epic futbolchilar", "Игроки Epic", "Epic players"),
        0,
        500,
        short=t("{} Epic", "{} Epic", "{} Epic"),
        fact=True,
    ),
    choice("division", t("Divizion", "Дивизион", "Division"), [str(n) for n in range(10, 0, -1)]),
    number("coins", t("Tangalar", "Монеты", "Coins"), 0, 1_000_000),
    platform("iOS", "Android", "PC", "PlayStation", "Xbox"),
    linked("Konami ID", GOOGLE, APPLE),
]
FORTNITE = [
    level(5000, fact=False),
    number(
        "outfits",
        t("Obrazlar", "Скины", "Outfits"),
        0,
        3000,
        short=t("{} obraz", "{} скинов", "{} outfits"),
        fact=True,
        required=True,
    ),
    number("pickaxes", t("Choʻkichlar", "Кирки", "Pickaxes"), 0, 2000),
    number("v_bucks", "V-Bucks", 0, 1_000_000),
    yes("save_the_world", "Save the World"),
    yes("og", t("OG buyumlar bor", "Есть OG-предметы", "Has OG items"), fact=True),
    platform("PC", "PlayStation", "Xbox", "Switch", "Mobile"),
    MAIL_GIVEN,
]
GTA = [
    level(8000, required=True),
    number(
        "money",
        t("Pul, mln GTA$", "Деньги, млн GTA$", "Money, M GTA$"),
        0,
        1_000_000,
        short="{} M$",
        fact=True,
    ),
    choice(
        "platform",
        PLATFORM,
        ["PC", "PlayStation 4", "PlayStation 5", "Xbox One", "Xbox Series"],
        fact=True,
        required=True,
    ),
    choice("launcher", t("Ishga tushirgich", "Лаунчер", "Launcher"), ["Steam", "Epic Games", "Rockstar"]),
    number("businesses", t("Bizneslar", "Бизнесы", "Businesses"), 0, 40),
    CLEAN,
]
WOT = [
    choice(
        "region",
        REGION,
        [option("lesta", t("Lesta (MDH)", "Леста (СНГ)", "Lesta (CIS)")), EUROPE, NA, ASIA],
        required=True,
    ),
    number(
        "tier10",
        t("X darajali tanklar", "Танки X уровня", "Tier X tanks"),
        0,
        150,
        short=t("{} ta X tank", "{} танков X", "{} tier X"),
        fact=True,
    ),
    number(
        "premium_tanks",
        t("Premium tanklar", "Премиум-танки", "Premium tanks"),
        0,
        400,
        short=t("{} prem", "{} прем", "{} prem"),
        fact=True,
    ),
    number("win_rate", t("Gʻalabalar ulushi", "Процент побед", "Win rate"), 0, 100, unit="%"),
    number("battles", t("Janglar", "Бои", "Battles"), 0, 500_000),
    number("gold", t("Oltin", "Золото", "Gold"), 0, 10_000_000),
    yes("phone_free", t("Telefon bogʻlanmagan", "Телефон не привязан", "No phone linked")),
]
CODM = [
    level(400),
    rank(["Rookie", "Veteran", "Elite", "Pro", "Master", "Grandmaster", "Legendary"]),
    number("mythics", t("Mifik qurollar", "Мифическое оружие", "Mythic weapons"), 0, 60, short="{} Mythic"),
    number("legendaries", t("Afsonaviy qurollar", "Легендарное оружие", "Legendary weapons"), 0, 300),
    yes("damascus", "Damascus"),
    number("cp", "CP", 0, 500_000, filter=False),
    linked("Activision", GOOGLE, FACEBOOK, APPLE),
]
MINECRAFT = [
    choice(
        "edition",
        t("Nashr", "Издание", "Edition"),
        ["Java", "Bedrock", "Java & Bedrock"],
        fact=True,
        required=True,
    ),
    yes("migrated", t("Microsoftga koʻchirilgan", "Перенесён на Microsoft", "Moved to Microsoft")),
    yes("name_change", t("Ismni almashtirsa boʻladi", "Можно сменить ник", "Name can be changed")),
    number(
        "capes",
        t("Plashlar", "Плащи", "Capes"),
        0,
        30,
        short=t("{} plash", "{} плащей", "{} capes"),
        fact=True,
    ),
    choice(
        "hypixel",
        "Hypixel",
        [
            option("vip", "VIP"),
            option("vip-plus", "VIP+"),
            option("mvp", "MVP"),
            option("mvp-plus", "MVP+"),
            option("mvp-plus-plus", "MVP++"),
        ],
    ),
    MAIL_GIVEN,
]
APEX = [
    rank(["Rookie", "Bronze", "Silver", "Gold", "Platinum", "Diamond", "Master", "Predator"]),
    level(2000),
    number(
        "heirlooms",
        t("Meros buyumlar", "Реликвии", "Heirlooms"),
        0,
        60,
        short=t("{} meros", "{} реликвий", "{} heirlooms"),
    ),
    platform("PC", "PlayStation", "Xbox", "Switch"),
    CLEAN,
]
OVERWATCH = [
    rank(["Bronze", "Silver", "Gold", "Platinum", "Diamond", "Master", "Grandmaster", "Champion"]),
    level(5000, fact=False),
    skins(2000),
    platform("PC", "PlayStation", "Xbox", "Switch"),
    MAIL_GIVEN,
]
ROCKET = [
    rank(
        [
            "Unranked",
            "Bronze",
            "Silver",
            "Gold",
            "Platinum",
            "Diamond",
            "Champion",
            "Grand Champion",
            "Supersonic Legend",
        ]
    ),
    number("credits", t("Kreditlar", "Кредиты", "Credits"), 0, 1_000_000),
    yes("alpha", t("Alpha buyumlari", "Alpha-предметы", "Alpha items"), fact=True),
    platform("PC", "PlayStation", "Xbox", "Switch"),
]
BLITZ = [entry for entry in WOT if entry["code"] != "gold"]


def default(*platforms):
    return [
        level(10_000),
        text("server", t("Server yoki region", "Сервер или регион", "Server or region"), limit=40, fact=True),
        platform(*(platforms or ("Android", "iOS", "PC"))),
        linked(GOOGLE, FACEBOOK, APPLE, MAIL),
    ]


CATEGORIES = [
    # slug, uz, ru, en, icon, parent
    ("shooters", "Otishmalar", "Шутеры", "Shooters", "crosshair", None),
    ("battle-royale", "Battle royale", "Королевские битвы", "Battle royale", "target", "shooters"),
    ("moba", "MOBA", "MOBA", "MOBA", "swords", None),
    ("rpg", "RPG", "RPG", "RPG", "sword", None),
    ("strategy", "Strategiya", "Стратегии", "Strategy", "castle", None),
    ("sandbox", "Sandbox", "Песочницы", "Sandbox", "blocks", None),
    ("sport", "Sport va poyga", "Спорт и гонки", "Sport and racing", "goal", None),
    ("action", "Ekshn va jang", "Экшен", "Action", "flame", None),
    ("platforms", "Platformalar", "Платформы", "Platforms", "joystick", None),
]

# name, slug, category, emoji, glyph, colour, second hue, schema
GAMES = [
    ("PUBG Mobile", "pubg-mobile", "battle-royale", "🪖", "crosshair", "#f59e0b", 24, PUBG),
    ("Steam", "steam", "platforms", "🎮", "joystick", "#1b6fa8", 232, STEAM),
    ("Free Fire", "free-fire", "battle-royale", "🔥", "flame", "#f97316", 350, FREE_FIRE),
    ("Standoff 2", "standoff-2", "shooters", "🔫", "target", "#e0a11b", 208, STANDOFF),
    ("Mobile Legends", "mobile-legends", "moba", "⚔️", "swords", "#4f6df5", 282, MLBB),
    ("Clash of Clans", "clash-of-clans", "strategy", "🏰", "castle", "#d9a520", 96, COC),
    ("Roblox", "roblox", "sandbox", "🧱", "blocks", "#e0352b", 330, ROBLOX),
    ("Minecraft", "minecraft", "sandbox", "⛏️", "pickaxe", "#4c9a2a", 160, MINECRAFT),
    ("Genshin Impact", "genshin-impact", "rpg", "🌬️", "wind", "#35b5a8", 262, GENSHIN),
    ("Honkai: Star Rail", "honkai-star-rail", "rpg", "🚂", "star", "#6d5bd0", 312, HSR),
    ("Counter-Strike 2", "cs2", "shooters", "💣", "bomb", "#dd8a1c", 214, CS2),
    ("Dota 2", "dota-2", "moba", "🛡️", "shield", "#b3271e", 14, DOTA),
    ("League of Legends", "league-of-legends", "moba", "🏆", "crown", "#c89b3c", 200, LOL),
    ("Valorant", "valorant", "shooters", "🎯", "crosshair", "#fa4454", 186, VALORANT),
    ("Brawl Stars", "brawl-stars", "action", "⭐", "star", "#f7b500", 312, BRAWL),
    ("Clash Royale", "clash-royale", "strategy", "👑", "crown", "#3b82f6", 268, ROYALE),
    ("EA FC Mobile", "ea-fc-mobile", "sport", "⚽", "goal", "#16a34a", 190, FC_MOBILE),
    ("eFootball", "efootball", "sport", "🥅", "goal", "#2563eb", 152, EFOOTBALL),
    ("Fortnite", "fortnite", "battle-royale", "🪂", "zap", "#8b5cf6", 206, FORTNITE),
    ("GTA V Online", "gta-v", "action", "🚗", "car", "#5fa04e", 296, GTA),
    ("World of Tanks", "world-of-tanks", "action", "🛡️", "shield", "#b45309", 60, WOT),
    ("WoT Blitz", "wot-blitz", "action", "💥", "bomb", "#ca8a04", 20, BLITZ),
    ("Call of Duty Mobile", "call-of-duty-mobile", "shooters", "🎖️", "medal", "#84a11b", 40, CODM),
    ("Apex Legends", "apex-legends", "battle-royale", "🦅", "flame", "#da292a", 28, APEX),
    ("Overwatch 2", "overwatch-2", "shooters", "🧡", "target", "#f99e1a", 210, OVERWATCH),
    ("Rocket League", "rocket-league", "sport", "🚀", "rocket", "#0ea5e9", 24, ROCKET),
    ("Call of Duty: Warzone", "warzone", "battle-royale", "🪖", "skull", "#6b8e23", 100, None),
    ("PUBG: Battlegrounds", "pubg-pc", "battle-royale", "🍳", "crosshair", "#e8a33d", 200, None),
    ("Rainbow Six Siege", "rainbow-six-siege", "shooters", "🏠", "shield-alert", "#3f6fb5", 180, None),
    ("Warface", "warface", "shooters", "🔰", "target", "#c2410c", 44, None),
    ("Escape from Tarkov", "escape-from-tarkov", "shooters", "🎒", "skull", "#7c7a5a", 80, None),
    ("Honor of Kings", "honor-of-kings", "moba", "🐉", "swords", "#c08a2d", 350, None),
    ("Arena of Valor", "arena-of-valor", "moba", "🗡️", "sword", "#7c3aed", 330, None),
    ("Zenless Zone Zero", "zenless-zone-zero", "rpg", "📼", "zap", "#eab308", 12, None),
    ("Wuthering Waves", "wuthering-waves", "rpg", "🌊", "wind", "#0f9fb5", 240, None),
    ("Diablo IV", "diablo-4", "rpg", "😈", "flame", "#991b1b", 18, None),
    ("World of Warcraft", "world-of-warcraft", "rpg", "🐲", "swords", "#b7791f", 30, None),
    ("Lineage 2", "lineage-2", "rpg", "🏹", "sword", "#5b6abf", 270, None),
    ("Path of Exile 2", "path-of-exile-2", "rpg", "⚗️", "gem", "#8d5a2b", 0, None),
    ("Rust", "rust", "sandbox", "🔧", "hammer", "#cd412b", 30, None),
    ("ARK", "ark", "sandbox", "🦖", "footprints", "#0d9488", 140, None),
    ("Terraria", "terraria", "sandbox", "🌳", "pickaxe", "#3aa655", 200, None),
    ("Hay Day", "hay-day", "strategy", "🌾", "sun", "#e2b007", 100, None),
    ("Rise of Kingdoms", "rise-of-kingdoms", "strategy", "🏛️", "landmark", "#a16207", 220, None),
    ("Lords Mobile", "lords-mobile", "strategy", "🏯", "castle", "#1d4ed8", 44, None),
    ("EA Sports FC 26", "ea-fc", "sport", "⚽", "goal", "#10b981", 220, None),
    ("NBA 2K", "nba-2k", "sport", "🏀", "volleyball", "#ea580c", 210, None),
    ("Asphalt Legends", "asphalt-legends", "sport", "🏁", "car", "#e11d48", 260, None),
    ("Forza Horizon 5", "forza-horizon-5", "sport", "🏎️", "car", "#db2777", 190, None),
    ("Mortal Kombat 1", "mortal-kombat-1", "action", "🐍", "skull", "#b91c1c", 48, None),
    ("Red Dead Online", "red-dead-online", "action", "🤠", "compass", "#a8321f", 30, None),
    ("Destiny 2", "destiny-2", "action", "🌌", "rocket", "#475569", 250, None),
    ("Epic Games", "epic-games", "platforms", "🎮", "gamepad-2", "#52525b", 220, None),
    ("PlayStation Network", "playstation-network", "platforms", "🎮", "gamepad", "#1d4ed8", 200, None),
    ("Xbox Game Pass", "xbox", "platforms", "🎮", "gamepad-2", "#15803d", 110, None),
    ("Battle.net", "battle-net", "platforms", "🌀", "globe", "#0284c7", 230, None),
]

ON_COMPUTERS = {
    "warzone", "pubg-pc", "rainbow-six-siege", "warface", "escape-from-tarkov", "diablo-4", "world-of-warcraft", "path-of-exile-2",
    "rust", "ark", "terraria", "ea-fc", "nba-2k", "forza-horizon-5", "mortal-kombat-1", "red-dead-online", "destiny-2",
    "epic-games", "playstation-network", "xbox", "battle-net",
}  # fmt: skip


def schema_of(slug, given):
    if given is not None:
        return given
    return default("PC", "PlayStation", "Xbox") if slug in ON_COMPUTERS else default()
