import inspect as introspection
import re
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketplace.messaging import guard
from marketplace.messaging.guard import Kind, inspect, vocabulary
from marketplace.messaging.guard.folding import drawn_together, fold

LONGEST = 4000
TOOL = 4  # a number that neither debuggers nor coverage use
CARD = "8600 1200 0000 0003"


def kinds(text, **options):
    return [finding.kind for finding in inspect(text, **options)]


def only(text, **options):
    found = inspect(text, **options)
    assert len(found) == 1, found
    return found[0]


# --- phone numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "+998 90 000 12 34",
        "998900001234",
        "90-000-12-34 ga tel qiling",
        "(90) 000 12 34",
        "90.000.12.34",
        "00998 93 000 77 88",
        "8 (901) 000-45-67",
        "+7 777 000 11 22",
        "+1 (202) 555-0143",
        "tel:991110000",
        "uyga tel qiling 123-00-45",
    ],
)
def test_a_phone_number_is_seen_however_it_is_parted(text):
    assert kinds(text) == [Kind.PHONE]


@pytest.mark.parametrize(
    "text",
    [
        "to'qson bir nol nol nol o'n ikki o'ttiz to'rt",
        "тўқсон бир нол нол нол ўн икки ўттиз тўрт",
        "девяносто один ноль ноль ноль двенадцать тридцать четыре",
        "nine one zero zero zero one two three four",
        "ninety one, triple zero, twelve, thirty four",
        "девять три - два ноля один - 45 - 67",
        "to'qson один 000 twenty two 33",
        "сто девяносто? нет: девяносто три, сто двадцать три, 45, 67",
    ],
)
def test_a_phone_number_in_words_is_seen_in_every_language_and_mixed(text):
    assert kinds(text) == [Kind.PHONE]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("apart", "9 3 0 0 0 4 5 6 7"),
        ("punctuation", "9*3*0*0*0*4*5*6*7"),
        ("brackets", "(9)(3)(0)(0)(0)(4)(5)(6)(7)"),
        ("emoji between", "9🔥3🔥0🔥0🔥0🔥4🔥5🔥6🔥7"),
        ("invisible between", "9\u200b3\u200b0\u200d0\ufeff0\u20604\u00ad5\u200b6\u200b7"),
        ("full width", "９３ ０００ ４５ ６７"),
        ("keycaps", "9️⃣3️⃣0️⃣0️⃣0️⃣4️⃣5️⃣6️⃣7️⃣"),
        ("circled", "⑨③⓪⓪⓪④⑤⑥⑦"),
        ("mathematical", "𝟗𝟑𝟎𝟎𝟎𝟒𝟓𝟔𝟕"),
        ("arabic", "٩٣٠٠٠٤٥٦٧"),
        ("letters for figures", "9З OOO 45 б7"),
        ("figures for letters", "t0'qson uch, nol nol nol, qirq besh, 67"),
        ("words between", "93 keyin 000 потом 45 then 67"),
        ("lines", "93\n000\n45\n67"),
        ("glued to a word", "tel930004567"),
    ],
)
def test_a_disguised_phone_number_is_seen(how, text):
    assert kinds(text) == [Kind.PHONE]


# --- names, links and addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "@aziz_savdo",
        "tg: azizbek_007",
        "telegram: maxtrader",
        "instagram nikim bekzod99",
        "дискорд maksim#4821",
        "телега azizshop",
        "max_trader22 on telegram",
        "вк id4455667",
        "sobaka aziz_savdo",
        "@ a z i z _ s h o p",
        "t e l e g r a m : aziz_777",
        "T-E-L-E-G-R-A-M max_trader",
        "tеlеgrаm: bekzod99",  # Cyrillic е and а
        "t3l3gram: sherzod_akk",
        "＠ａｚｉｚ＿ｓｈｏｐ",
        "@\u200baziz\u200b_savdo",
    ],
)
def test_a_name_on_another_network_is_seen(text):
    assert kinds(text) == [Kind.HANDLE]


@pytest.mark.parametrize(
    "text",
    [
        "https://akk.uz/pubg",
        "www.cheap-acc.ru",
        "akk.uz",
        "магазин.рф",
        "t.me/akk",
        "discord.gg/akk",
        "t me aziz_akk",
        "т.ме/akk_uz",
        "t,me/aziz_akk",
        "akk nuqta uz",
        "arzonakk нуқта уз",
        "akk точка ком",
        "akk [dot] com",
        "akk(.)com",
        "akk d0t com",
        "akk . com",
        "t dot me slash akk_uz",
        "hxxps://akk[.]com",
        "h t t p s : / / a k k . u z",
        "ｈｔｔｐｓ：／／ａｋｋ．ｕｚ",
    ],
)
def test_a_link_is_seen(text):
    assert kinds(text) == [Kind.LINK]


@pytest.mark.parametrize(
    "text",
    [
        "aziz.savdo@example.com",
        "maks собака example точка com",
        "aziz sobaka gmail nuqta com",
        "max at gmail dot com",
        "max [at] example [dot] com",
        "aziz@gmail",
    ],
)
def test_an_email_address_is_seen(text):
    assert kinds(text) == [Kind.EMAIL]


@pytest.mark.parametrize(
    "text",
    [
        "https://wibestore.uz/listings/42/",
        "wibestore.uz/listings/42/?from=chat, mana",
        "https://www.WibeStore.uz",
        "http://127.0.0.1:8000/trades/",
    ],
)
def test_a_link_to_ourselves_is_no_finding(text):
    assert kinds(text, own_hosts={"wibestore.uz", "127.0.0.1:8000"}) == []
    assert kinds(text) != [] or "127" in text


@pytest.mark.parametrize(
    "text",
    [
        "https://wibеstore.uz/pay",  # Cyrillic е
        "https://wibestore.uz.akk.com/pay",
        "https://wibestore.uz@akk.com/",
        "https://wibestore.uz\\@akk.com/",
        "https://akk.com/wibestore.uz",
        "https://akk.com/?next=wibestore.uz",
        "https://wibestore.uz/,https://akk.com",
        "https://my-wibestore.uz",
    ],
)
def test_a_link_that_only_looks_like_ours_is_a_finding(text):
    assert Kind.LINK in kinds(text, own_hosts={"wibestore.uz"})


# --- cards and passwords -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "8600120000000003",
        "9860-0101-0101-0105",
        "4111/1111/1111/1111",
        "amex 3782 822463 10005",
        "8 6 0 0 1 2 0 0 0 0 0 0 0 0 0 3",
        "86OO 12OO OOOO OOO3",
        "８６００ １２００ ００００ ０００３",
        "восемь шесть ноль ноль один два ноль ноль ноль ноль ноль ноль ноль ноль ноль три",
    ],
)
def test_a_card_number_is_seen(text):
    assert kinds(text) == [Kind.CARD]


def test_a_number_that_fails_the_check_of_cards_is_no_card():
    assert kinds("4111 1111 1111 1111") == [Kind.CARD]
    assert kinds("4111 1111 1111 1112") == []


def test_four_fours_that_begin_like_a_local_card_are_one_even_mistyped():
    assert kinds("8600 1200 0000 0004") == [Kind.CARD]


def test_a_card_shows_only_its_last_four_figures():
    assert only(f"karta {CARD}").seen == "•••• •••• •••• 0003"
    assert not re.search(r"\w", only("восемь шесть ноль ноль 12 00 0000 0003").seen)


def test_a_card_and_a_phone_side_by_side_are_two():
    assert kinds(f"{CARD}, tel 90 000 11 99") == [Kind.CARD, Kind.PHONE]
    assert kinds(f"{CARD} 90 000 11 99") == [Kind.CARD, Kind.PHONE]


@pytest.mark.parametrize(
    "text",
    [
        "parol: Qwerty123",
        "Parol Dragon_777, kirib oling",
        "parol: qwerty",
        "parol — 12345678",
        "парол Navruz21",
        "пароль такой: dragonXX9",
        "the password is Summer#44",
        "pass: hunter22",
        "user maxacc / pass Max!acc24",
        "p a r o l : Sher2024x",
        "п.а.р.о.л.ь: zima77",
        "пар0ль Zx9kk21w",
        "p@rol: Bek2026",
        "p4ssw0rd is Frost77x",
        "passw\u200bord: Frost77x",
        "aziz1990:Qwerty123!",
    ],
)
def test_a_password_is_seen_and_never_shown(text):
    found = only(text)

    assert found.kind is Kind.PASSWORD
    assert found.seen.endswith("••••••")
    secrets = "qwerty Dragon 1234 Navruz XX9 Summer hunter Max! 2024 zima Zx9 2026 Frost"
    for secret in secrets.split():
        assert secret.lower() not in found.seen.lower()


@pytest.mark.parametrize(
    "text",
    [
        "password changed",
        "parolni o'zgartirdim",
        "пароль поменял",
        "login-parolni hozir yuboraman",
        "parol: keyin",
        "Парол: қутида",
        "пароль: сейчас положу в сейф",
        "Parol 3 marta noto'g'ri kiritildi",
        "parolni 2025-yilda almashtirganman",
        "Royale Pass: A12 dan A28 gacha",
        "Royale Pass: Season24",
        "code didn't come",
        "6 xonali kod: 482913",
        "Parolga kamida 8 ta belgi kerak",
    ],
)
def test_speaking_of_a_password_is_not_telling_it(text):
    assert kinds(text) == []


# --- what honest people write --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "3 450 000 so'm",
        "1.200.000",
        "950 000 000 so'm",
        "917 450 000 сум",
        "150k",
        "50 ming",
        "2 mln",
        "2 @ 50k",
        "Narxlar: 50 000, 100 000, 250 000",
        "900 000 > 850 000 > 800 000",
        "350 ming + 20 ming",
        "to'qson ming so'm",
        "двести пятьдесят тысяч",
        "Bir million ikki yuz ellik ming",
        "1500000 ga beraman, tel qiling",
    ],
)
def test_a_price_is_no_finding(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Level 90, 91 skin, 33 emote, 20 parashyut",
        "M416 Glacier 8, Kar98, UMP45",
        "K/D 2.35, WR 57.3%",
        "KDA 5/3/12, 8/2/15, 10/1/9",
        "TH 15, qirol 90, malika 90, vorden 65",
        "Season 24",
        "v3.2.0",
        "Float 0.034512345",
        "Riot ID Aziz#EUW1",
        "zero bans, one owner, two years",
    ],
)
def test_levels_ranks_and_skins_are_no_finding(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "20.03 12:31",
        "20.03.2026 12:31:45",
        "2026-03-20 12:31",
        "20.12.2025 20:33:50",
        "9-11 yoki 14-16",
        "2019-2020",
        "20.03.2026 da tel qildim",
        "20.03 12:31 da tel qiling",
    ],
)
def test_dates_and_times_are_no_finding(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text", ["#48213", "A-90412", "#901234567", "заказ №977001122", "INV-2026-000123", "buyurtma 901234567"]
)
def test_numbers_of_orders_and_trades_are_no_finding(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text", ["id 901234567", "UID: 912345678 (2105)", "айди 5123456789", "PUBG ID 5812340099"]
)
def test_a_player_id_that_is_called_so_is_no_finding(text):
    assert kinds(text) == []


@pytest.mark.parametrize("text", ["id 90 123 45 67", "id +998901234567", "id 998901234567"])
def test_a_phone_number_that_is_called_an_id_is_still_one(text):
    assert kinds(text) == [Kind.PHONE]


@pytest.mark.parametrize(
    "text",
    [
        "Facebook va Twitterga ulangan, VK bo'sh",
        "Facebook: ulangan, Twitter: bo'sh",
        "Telegram: yo'q",
        "Телеграм не нужен, пишите сюда",
        "телега yo'q menda",
        "Discord Nitro bormi?",
        "fb M416 glacier bor",
        "mail.ru pochtaga ulangan",
        "Battle.net akkaunt",
        "profile.png va proof.mp4",
        "Ок.понял.жду",
        "nice.me too",
        "nuqta qo'yamiz",
        "connect the dots",
    ],
)
def test_naming_a_network_a_file_or_a_mailbox_is_no_finding(text):
    assert kinds(text) == []


# --- places --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("😀👨‍👩‍👧 tel 90 000 12 34 😀", "90 000 12 34"),
        ("о̄ке́й @aziz_savdo, é", "@aziz_savdo"),
        ("🇺🇿🇺🇿 akk.uz/pubg 🇺🇿", "akk.uz/pubg"),
        ("ﷺ ⅧＡ½ 9️⃣3️⃣0️⃣0️⃣0️⃣4️⃣5️⃣6️⃣7️⃣!", "9️⃣3️⃣0️⃣0️⃣0️⃣4️⃣5️⃣6️⃣7️⃣"),
        ("e\u0301 t\u200b.me/akk, keyin", "t\u200b.me/akk"),
        ("x: @ a z i z _ s h o p !", "@ a z i z _ s h o p"),
    ],
)
def test_places_are_those_of_the_text_as_it_was_written(text, piece):
    found = only(text)

    assert text[found.start : found.end] == piece
    assert found.seen == piece


def test_findings_come_by_place():
    assert kinds("@aziz_savdo, 90 000 12 34, akk.uz, aziz@example.com") == [
        Kind.HANDLE,
        Kind.PHONE,
        Kind.LINK,
        Kind.EMAIL,
    ]


def test_what_lies_within_another_finding_is_told_once():
    assert kinds("wa.me/998900001122") == [Kind.LINK]
    assert kinds("parol: Aziz_901234567") == [Kind.PASSWORD]


PIECES = (
    "9 0 1 90 998 +998 000 8600 1200 0003 nol bir yuz девяносто сто nine hundred two zeroes double oh OOO 9З ming so'm "
    "tel id # @ @aziz . , : / \\ - ( ) [ ] dot nuqta точка com uz me t t.me https:// www. telegram тг nik parol пароль pass "
    "login Qwerty123! sobaka a b c _ ' ʻ \u200b \ufe0f \u20e3 \u0301 😀 ﷺ İ ß Ⅷ １ ٣ \x00 \ud83d"
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES.split()), max_size=40).flatmap(
        lambda pieces: st.sampled_from(["", " ", "-", "\n", "  "]).map(lambda between: between.join(pieces))
    ),
)


@settings(deadline=None)
@given(TEXTS)
@example("")
@example("\u0301")
@example("+")
@example("parol")
def test_no_text_breaks_the_guard_and_every_place_is_in_it(text):
    end = 0
    for found in inspect(text, own_hosts={"wibestore.uz"}):
        assert end <= found.start < found.end <= len(text)
        end = found.end
        if found.kind not in {Kind.CARD, Kind.PASSWORD}:
            assert found.seen == text[found.start : found.end]
        if found.kind is Kind.CARD:
            assert len(re.findall(r"\d", found.seen)) <= 4


@settings(deadline=None)
@given(TEXTS)
def test_folding_keeps_the_order_of_what_was_written(text):
    for view in filter(None, [fold(text), drawn_together(fold(text))]):
        assert len(view.text) == len(view.starts) == len(view.ends)
        assert view.starts == sorted(view.starts)
        assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))


# --- work ----------------------------------------------------------------------------------------------------------

HOSTILE = [
    "9 ",
    "90 123 45 6 ",
    "8600 ",
    "bir ",
    "to'qson bir yuz ",
    "два ноля ",
    "oh ",
    "a.",
    "a . ",
    "a dot ",
    "aaaa-",
    "a-",
    "t . m e / ",
    "@",
    "@a",
    "@ a ",
    "a@",
    "a@a.",
    "h t t p : / / ",
    "https://",
    "telegram ",
    "tg: nik: ",
    "telegram_",
    "parol ",
    "parol bu ",
    "parol: ",
    "pass:",
    "x:x",
    "#",
    "\u0301",
    "\u200b",
    "1\u200b",
    "(",
    " ",
    "\n",
    "A",
    "9",
    "ﷺ",
    "½",
    "90:12:",
    "01.02.2026 ",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_twice_the_text_is_at_most_twice_the_work(unit):
    """Counted in lines of Python; what regular expressions do inside is bound by the next test."""
    half, whole = (unit * LONGEST)[: LONGEST // 2], (unit * LONGEST)[:LONGEST]
    inspect(whole)  # fills the cache of letters

    assert lines_run(half) * 2.2 + 500 >= lines_run(whole)


def lines_run(text):
    count = 0
    (folder,) = guard.__path__

    def count_line(code, _line):
        """Ours only: another thread may be at work."""
        nonlocal count
        count += code.co_filename.startswith(folder)

    sys.monitoring.use_tool_id(TOOL, "lines")
    sys.monitoring.register_callback(TOOL, sys.monitoring.events.LINE, count_line)
    sys.monitoring.set_events(TOOL, sys.monitoring.events.LINE)
    try:
        inspect(text)
    finally:
        sys.monitoring.set_events(TOOL, 0)
        sys.monitoring.free_tool_id(TOOL)
    return count


def patterns():
    for module_info in iter_modules(guard.__path__):
        module = import_module(f"{guard.__name__}.{module_info.name}")
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield pytest.param(value, id=f"{module_info.name}.{name}")


@pytest.mark.parametrize("pattern", patterns())
def test_no_pattern_can_be_made_to_try_again_without_end(pattern):
    """An unbounded repeat may not stand inside another repeat, nor begin a pattern that goes on behind it, nor come twice."""
    assert unbounded_repeats(re._parser.parse(pattern.pattern, pattern.flags)) <= 1


def unbounded_repeats(node, *, inside_repeat=False):
    """The most unbounded repeats on one way through a pattern."""
    count = 0
    for operation, argument in node:
        name = str(operation)
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            _least, most, body = argument
            endless = most == re._parser.MAXREPEAT
            assert not (endless and inside_repeat), "a repeat without end inside another repeat"
            count += endless + unbounded_repeats(body, inside_repeat=inside_repeat or most > 1)
        elif name == "BRANCH":
            count += max(unbounded_repeats(branch, inside_repeat=inside_repeat) for branch in argument[1])
        elif name == "SUBPATTERN":
            count += unbounded_repeats(argument[-1], inside_repeat=inside_repeat)
        elif name in {"ASSERT", "ASSERT_NOT"}:
            count += unbounded_repeats(argument[1], inside_repeat=inside_repeat)
    return count


# --- rules and words -----------------------------------------------------------------------------------------------


def test_every_kind_has_a_rule_and_only_cards_and_passwords_may_not_be_sent():
    assert set(guard.RULES) == set(Kind)
    assert {kind for kind, rule in guard.RULES.items() if not rule.may_override} == {Kind.CARD, Kind.PASSWORD}
    assert all(str(rule.what) and str(rule.why) for rule in guard.RULES.values())


def test_no_word_for_a_number_says_two_numbers():
    tables = [vocabulary.UNITS, vocabulary.TEENS, vocabulary.TENS, vocabulary.HUNDREDS]

    assert sum(map(len, tables)) == len({word for table in tables for word in table})


def test_the_guard_stands_on_nothing_of_the_product():
    for module_info in iter_modules(guard.__path__):
        source = introspection.getsource(import_module(f"{guard.__name__}.{module_info.name}"))
        imported = re.findall(r"^(?:from|import) (\S+)", source, re.MULTILINE)

        assert all(
            name.startswith(("marketplace.messaging.guard", "django.utils."))
            or name.partition(".")[0] in sys.stdlib_module_names
            for name in imported
        )
