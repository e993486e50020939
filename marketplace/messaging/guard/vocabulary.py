"""The words the rules know, in Uzbek (both alphabets), Russian and English, and how a token is looked up."""

from collections.abc import Iterable

from marketplace.messaging.guard.folding import folded

# Figures that stand for letters: pr0file, t3legram. One is read both ways.
_LEET = [
    str.maketrans("013457@$", "oieast" + "as"),
    str.maketrans("013457@$", "oleast" + "as"),
]


def words(*lines: str) -> frozenset[str]:
    return frozenset(folded(word) for line in lines for word in line.split())


def readings(token: str) -> Iterable[str]:
    """A token as it is, and with its figures read as letters if it has letters too."""
    yield token
    if not token.isalpha() and not token.isdigit():
        for table in _LEET:
            yield token.translate(table)


def find(token: str, vocabulary: frozenset[str]) -> bool:
    return any(reading in vocabulary for reading in readings(token))


# --- numbers -----------------------------------------------------------------------------------------------------

_UNITS = {
    0: "nol нол ноль нуль zero nul",
    1: "bir бир один одна одно one",
    2: "ikki икки два две two",
    3: "uch уч три three",
    4: "tort to'rt тўрт турт четыре four",
    5: "besh беш пять five",
    6: "olti олти шесть six",
    7: "yetti етти семь seven",
    8: "sakkiz саккиз восемь eight",
    9: "toqqiz to'qqiz тўққиз туккиз девять nine",
}
_TEENS = {
    10: "десять ten",
    11: "одиннадцать eleven",
    12: "двенадцать twelve",
    13: "тринадцать thirteen",
    14: "четырнадцать fourteen",
    15: "пятнадцать fifteen",
    16: "шестнадцать sixteen",
    17: "семнадцать seventeen",
    18: "восемнадцать eighteen",
    19: "девятнадцать nineteen",
}
_TENS = {
    10: "o'n ўн",
    20: "yigirma йигирма двадцать twenty",
    30: "o'ttiz ўттиз уттиз тридцать thirty",
    40: "qirq қирқ сорок сорока forty fourty",
    50: "ellik эллик пятьдесят fifty",
    60: "oltmish олтмиш шестьдесят sixty",
    70: "yetmish етмиш семьдесят seventy",
    80: "sakson саксон восемьдесят eighty",
    90: "to'qson тўқсон туксон девяносто девяноста ninety",
}
_HUNDREDS = {
    100: "сто",
    200: "двести",
    300: "триста",
    400: "четыреста",
    500: "пятьсот",
    600: "шестьсот",
    700: "семьсот",
    800: "восемьсот",
    900: "девятьсот",
}


def _table(values: dict[int, str]) -> dict[str, int]:
    return {word: value for value, line in values.items() for word in words(line)}


UNITS, TEENS, TENS, HUNDREDS = _table(_UNITS), _table(_TEENS), _table(_TENS), _table(_HUNDREDS)
HUNDRED = words("yuz юз hundred")  # times the unit before it
NOUGHTS = words("ноля нуля нолей нулей zeros zeroes nollar")  # as many as the unit before it
REPEAT = dict.fromkeys(words("double dubl ikkita иккита"), 2) | dict.fromkeys(words("triple uchta учта"), 3)
NOUGHT_LETTERS = words("oh") | {"o", "oo", "ooo", "oooo"}  # only among other digits
PLUS = words("plus плюс")
BETWEEN = words(
    "keyin кейин va ва yana probel chiziqcha tire defis пробел тире дефис потом затем дальше далее и then and space dash"
)
# Letters that are written for figures inside a number: 9O, l2, 9З, 5б.
DIGIT_LETTERS = str.maketrans("oоlіiзбbzs", "0011136825")
SCALES = words(
    "ming мин минг mingga mingta mln млн mlrd mlnga million миллион миллиона миллионов миллионга тысяч тысячи тысяча тыс тыщ",
    "thousand k к kk кк m м mlns so'm som сўм сум сума сумов sum soum uzs usd dollar доллар долларов баксов руб рублей",
    "rub тенге tenge kzt tg bucks uc ук",
)
IDS = words(
    "id ид айди айдишник uid steam стим pubgid userid playerid",
    "order заказ заказу заказа buyurtma буюртма savdo савдо сделка сделки сделке trade ticket тикет invoice chek чек",
    "pattern паттерн seed float флоат",
)
PHONE_CUES = words(
    "tel telefon telefonim telfon тел телефон телефоним телефону phone mobile mob моб call ring dial",
    "nomer nomerim nomeri номер номерим номеру raqam raqamim raqamga рақам рақамим рақамга number",
    "qo'ng'iroq қўнғироқ qongiroq позвони позвоните звони звоните набери наберите созвон sms смс",
    "whatsapp watsap vatsap whats wp ватсап вацап вотсап вотсапп viber вайбер imo",
)

# --- networks ----------------------------------------------------------------------------------------------------

# Where people write to each other. Two-letter names are taken only whole or with an ending.
MESSENGERS = words(
    "telegram telegramm telega telegrma tele tg tgda телеграм телеграмм телега телегу телеге телеграме тележка тг тгшка",
    "instagram instagramm insta inst инстаграм инстаграмм инста инсту инсте",
    "whatsapp watsap vatsap ватсап вацап вотсап viber вайбер imo discord diskord ds дискорд дс",
    "snap snapchat skype скайп wechat messenger",
)
# Games are bound to these, so that they are named in every second honest message.
BOUND_NETWORKS = words("facebook fb фейсбук фб vk вк vkontakte вконтакте twitter твиттер tiktok тикток")
# What Uzbek and Russian put behind a name.
_ENDINGS = words(
    "da dan ga im imda imga imdan m ni mda i si dagi ning",
    "да дан га им имда имга м ни и си даги нинг е у ом а ы",
)


def network(token: str, *, drawn: bool = False) -> frozenset[str] | None:
    """Which of the two sets a token names; `drawn` when it may have a neighbour's letter stuck to it."""
    for reading in readings(token):
        for kinds in (MESSENGERS, BOUND_NETWORKS):
            if reading in kinds:
                return kinds
            for cut in range(1, 5):
                if reading[:-cut] in kinds and reading[-cut:] in _ENDINGS:
                    return kinds
            if drawn and any(len(name) > 5 and name in reading for name in kinds):
                return kinds
    return None


NICK_WORDS = words(
    "nik nikim nikimiz nick nickname nickim username user userim yuzer yuzerim handle under named name account",
    "ник ника нику никнейм ником никим юзер юзернейм юз",
)
CONNECTORS = words(
    "is my mana bu esa me on in at as va the sobaka собака собачка мой моя мои там вот по в на это менинг mening akkauntim",
    "belgisi deb",
)
AT_WORDS = words("sobaka собака собачка собачку собаку kuchukcha кучукча")

# Plain words after "telegram:" that are an answer, not a name.
ANSWERS = words(
    "yo'q bor ulangan bog'langan ulanmagan linked bound unlinked none free empty clean toza bo'sh kerak emas keyin ertaga",
    "hozir faqat shart available banned enabled disabled removed there later never nothing please sorry maybe already",
    "kanal kanali gruppa guruh channel group bilan orqali uchun ham yoki premium stars bot nitro",
)
# Plain words after "password:" that say something of it instead of telling it.
PASSWORD_ANSWERS = ANSWERS | words(
    "changed soon same secret unknown wrong correct valid works later reset sent forgotten included ready",
    "beraman aytaman yuboraman yuborildi yubordim qutida o'zgardi o'zgartirdim o'zgartirilgan almashdi almashtirdim maxfiy",
    "to'g'ri noto'g'ri xato eski yangi unutdim esimda esimdan tayyor beriladi qo'ydim joyladim menda sizda",
)

# --- passwords ---------------------------------------------------------------------------------------------------

PASSWORD_CUES = words(
    "parol parolim paroli parolni parolimiz parolga parolingiz пароль паролем пароля пароли парол паролим паролни",
    "password passwords passwd passwort passw pwd psw psswd",
)
SHORT_PASSWORD_CUES = words("pass pas pw пас пасс")  # also half of a season pass
SEASON_PASSES = words(
    "royale royal rp elite elit battle booyah season starlight event рояль роял элит боевой баттл буйя"
)
LOGIN_CUES = words("login logini loginim логин логини log user username юзер account acc")
PASSWORD_CONNECTORS = words("is bu shu esa такой вот это шу бу mana here yangi new новый ga")

# --- addresses ---------------------------------------------------------------------------------------------------

DOT_WORDS = words("dot d0t nuqta tochka точка тчк нуқта нукта дот")
SLASH_WORDS = words("slash slesh слэш слеш sleş")
