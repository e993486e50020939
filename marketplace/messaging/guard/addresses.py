"""Links, e-mail addresses and names on other networks.

Every pattern begins at the edge of a word and repeats a bounded number of times, so that no text makes it slow.
"""

import re
from collections.abc import Collection, Iterable, Iterator

from marketplace.messaging.guard import vocabulary as words
from marketplace.messaging.guard.cards_and_phones import Spot
from marketplace.messaging.guard.folding import View, folded
from marketplace.messaging.guard.kinds import Kind


def _any_of(vocabulary: Iterable[str]) -> str:
    return "|".join(sorted((re.escape(word) for word in vocabulary), key=len, reverse=True))


# --- links -------------------------------------------------------------------------------------------------------

_STRONG_ENDS = words.words(
    "com ru uz net org info io kz su рф xyz site online shop store link biz app dev ly",
    "ру уз ком орг инфо be website space рус tj kg by",
)
# Also words of a sentence that has no space after its full stop; taken only with a path or a host that is known.
_WEAK_ENDS = words.words("me gg tv pro top live fun one to club team cc co us in id ме тв")
_WEAK_HOSTS = words.words("t wa telegram discord m vk youtu т вк")

_SPELLED_DOT = _any_of(words.DOT_WORDS)
_DOT = (
    rf"(?:\s?[\[({{<]\s?(?:[.,]|{_SPELLED_DOT})\s?[\])}}>]\s?"
    rf"|\s(?:{_SPELLED_DOT})\s|\s[.]\s?(?=\w)|[.](?:\s(?=(?:com|org)\b))?|[。．｡])"
)
_SLASH = rf"(?:\s?/\s?|\s(?:{_any_of(words.SLASH_WORDS)})\s)"
_LABEL = r"[^\W_][\w-]{0,62}"
_PATH = rf"(?:{_SLASH}(?:[^\s]{{1,300}})?|[?#:][^\s]{{1,300}})"

_WITH_SCHEME = re.compile(
    r"(?<![^\W_])(?:h\s?[tx]\s?[tx]\s?p\s?s?|tg|ftp)\s?(?::|\scolon\s|\sдвоеточие\s)\s?(?:[/\\]|slash|слэш|слеш)\s?"
    r"(?:[/\\]|slash|слэш|слеш)\s?(?P<rest>[^\s]{3,300})"
)
_BARE = re.compile(
    rf"(?<![\w@.+-])(?:www{_DOT})?(?P<host>{_LABEL}(?:{_DOT}{_LABEL}){{0,5}}?){_DOT}"
    rf"(?:(?P<strong>{_any_of(_STRONG_ENDS)})|(?P<weak>{_any_of(_WEAK_ENDS)}))(?![\w@-]|[.][^\W\d_])(?P<path>{_PATH})?"
)
_WWW = re.compile(rf"(?<![\w@.+-])www[.](?P<rest>{_LABEL}[.][^\s]{{2,300}})")
# "t me name", "t,me/name", "tme/name"
_T_ME = re.compile(
    rf"(?<![\w@])t(?:[\s.,/|-]{{0,3}}|{_DOT})me(?P<by>{_SLASH}|\s)\s?@?(?P<name>[a-z+][\w+-]{{3,63}})"
)
_ADDRESS = re.compile(r"(?:https?://)?(?P<host>[a-z0-9.:-]{1,260})(?P<path>[/?#][^\\]{0,400})?", re.ASCII)
_END_PUNCTUATION = ".,;:!?)]}»\"'…"

# Named in honest messages: where an account's mailbox or the game itself is.
_KNOWN_PLACES = words.words(
    "mail.ru gmail.com yandex.ru ya.ru icloud.com outlook.com hotmail.com inbox.ru bk.ru list.ru rambler.ru umail.uz ok.ru",
    "battle.net agar.io slither.io krunker.io paper.io diep.io steam.com roblox.com faceit.com epicgames.com",
)


def links(view: View, own_hosts: Collection[str]) -> Iterator[Spot]:
    for match in _WITH_SCHEME.finditer(view.text):
        yield from _foreign(view, match.start(), match.end(), own_hosts)
    for match in _WWW.finditer(view.text):
        yield from _foreign(view, match.start(), match.end(), own_hosts)
    for match in _BARE.finditer(view.text):
        if match["weak"] and not match["path"] and match["host"] not in _WEAK_HOSTS:
            continue
        if match["path"] is None and match[0] in _KNOWN_PLACES:
            continue
        yield from _foreign(view, match.start(), match.end(), own_hosts)
    for match in _T_ME.finditer(view.text):
        name = view.as_written(*match.span("name"))
        if not match["by"].isspace() or (name.isascii() and (len(name) >= 5 or re.search(r"[\d_]", name))):
            yield Kind.LINK, match.start(), match.end()


def _foreign(view: View, start: int, end: int, own_hosts: Collection[str]) -> Iterator[Spot]:
    while end > start + 1 and view.text[end - 1] in _END_PUNCTUATION + " ":
        end -= 1
    if not _is_own(view.as_written(start, end), own_hosts):
        yield Kind.LINK, start, end


def _is_own(written: str, own_hosts: Collection[str]) -> bool:
    """Whether a browser would come to us. Asked of what was written: a look-alike letter is another host."""
    address = _ADDRESS.fullmatch(written.lower())
    if not address or "//" in (address["path"] or ""):  # a second address may hide behind the first
        return False
    return any(address["host"] in {own, f"www.{own}"} for own in map(str.lower, own_hosts))


# --- e-mail ------------------------------------------------------------------------------------------------------

_AT_WORDS = _any_of(words.AT_WORDS | {"at"})
_AT = rf"(?:\s?[\[({{<]\s?(?:@|{_AT_WORDS})\s?[\])}}>]\s?|\s(?:{_AT_WORDS})\s)"
_MAILBOX = r"(?<![\w.+-])[^\W_][\w.+-]{0,63}"
_MAIL_HOSTS = "gmail|mail|yandex|yahoo|outlook|icloud|hotmail|inbox|bk|rambler|umail|proton"
_EMAIL = re.compile(
    rf"{_MAILBOX}(?:@{_LABEL}(?:{_DOT}[a-z][a-z0-9-]{{1,20}}){{1,4}}|\s?@\s?(?:{_MAIL_HOSTS})\b(?:{_DOT}[a-z]{{2,6}}\b)?"
    rf"|{_AT}{_LABEL}(?:{_DOT}{_LABEL}){{0,3}}?{_DOT}(?:{_any_of(_STRONG_ENDS)})\b"
    rf"|{_AT}(?:{_MAIL_HOSTS})\s(?:{_any_of(_STRONG_ENDS)})\b)"
)


def emails(view: View) -> Iterator[Spot]:
    for match in _EMAIL.finditer(view.text):
        yield Kind.EMAIL, match.start(), match.end()


# --- names on networks -------------------------------------------------------------------------------------------

_NAME = r"[a-z][\w.]{1,31}"
_AT_NAME = re.compile(rf"(?<![\w@.])@(?P<apart>\s?)(?P<name>{_NAME})")
_DOG_NAME = re.compile(
    rf"(?<!\w)(?P<dog>{_any_of(words.AT_WORDS)}|at sign)(?:\s(?:belgisi|belgi|{folded('знак')}))?(?:\s(?:va|{folded('и')}))?"
    rf"\s?[:-]?\s(?P<name>{_NAME})"
)
_PIECE = re.compile(r"[^\W_][\w.]{0,63}(?:#\d{4}\b)?|@|[:=\-\"«(]|\s+|.", re.DOTALL)
_TAG = re.compile(r"[^\W_][\w.]{1,31}#\d{4}")
_CONNECTOR_LIMIT = 4
_GEAR = re.compile(r"[a-z]{1,3}\d{1,3}|id\d{1,4}|[a-z]+\.(?:png|jpe?g|webp|gif|mp4|mov|pdf|txt|zip|rar)")
_INFLECTED = re.compile(
    r"\w+(?:maydi|mayman|ydi|adi|aman|amiz|ing|lar|dagi|da|dan|ga|ni|mi|gan|moq|masin|sin|siz|miz|man|ib|ed|s|ion|ly)"
)


def handles(view: View, *, drawn: bool = False) -> Iterator[Spot]:
    """`drawn` for a view whose letters stood apart, where a network's name may have a neighbour's letter stuck to it."""
    pieces = [piece for piece in _PIECE.finditer(view.text) if not piece[0].isspace()]
    networks = [
        words.network(_bare(piece[0]), drawn=drawn) if piece[0][0].isalnum() else None for piece in pieces
    ]
    speaks_of_messenger = words.MESSENGERS in networks
    yield from _after_at(view, speaks_of_messenger=speaks_of_messenger)
    for index, kinds in enumerate(networks):
        if kinds:
            yield from _named_after(view, pieces, networks, index, kinds)
            if kinds is words.MESSENGERS:
                yield from _named_before(view, pieces, index)


def _bare(piece: str) -> str:
    return piece.rstrip("._")


def _after_at(view: View, *, speaks_of_messenger: bool) -> Iterator[Spot]:
    for match in _AT_NAME.finditer(view.text):
        start, end = match.span("name")
        end = start + len(match["name"].rstrip("."))
        if end - start < 3 or (
            match["apart"] and not (speaks_of_messenger or _has_mark(view.text[start:end]))
        ):
            continue
        yield Kind.HANDLE, match.start(), end
    for match in _DOG_NAME.finditer(view.text):
        start, end = match.span("name")
        end = start + len(match["name"].rstrip("."))
        if not _is_latin(view, start, end) or end - start < 4:
            continue
        dog = match.span("dog")
        is_led_to = speaks_of_messenger or not view.as_written(*dog).isascii()
        if _has_mark(view.text[start:end]) or (is_led_to and _may_be_plain_name(view.text[start:end])):
            yield Kind.HANDLE, match.start(), end


def _named_after(
    view: View,
    pieces: list[re.Match[str]],
    networks: list[frozenset[str] | None],
    index: int,
    kinds: frozenset[str],
) -> Iterator[Spot]:
    """The name behind a network's: "tg: azizbek_007", "instagram nikim bekzod99"."""
    marked = False
    at = index + 1
    for at in range(index + 1, min(index + 2 + _CONNECTOR_LIMIT, len(pieces))):
        piece = pieces[at][0]
        is_dash = piece == "-" and _stands_apart(view, pieces[at])
        if piece in ":=@" or is_dash or words.find(_bare(piece), words.NICK_WORDS):
            marked = True
        elif piece not in '"«(' and not words.find(_bare(piece), words.CONNECTORS):
            break
    else:
        return
    piece = pieces[at][0].rstrip(".")
    start = pieces[at].start()
    end = start + len(piece)
    if networks[at] or not piece[0].isalpha() or len(piece) < 4 or not _is_latin(view, start, end):
        return
    if _TAG.fullmatch(piece) or (kinds is words.BOUND_NETWORKS and re.fullmatch(r"id\d{5,}", piece)):
        yield Kind.HANDLE, start, end
        return
    if _GEAR.fullmatch(piece) and not (marked and not _GEAR.fullmatch(piece + "0")):
        return
    if kinds is words.BOUND_NETWORKS:
        is_name = _has_mark(piece) and (marked or "_" in piece)
    elif _has_mark(piece):
        is_name = True
    else:
        network_is_cyrillic = not view.as_written(pieces[index].start(), pieces[index].end()).isascii()
        is_name = _may_be_plain_name(piece) and (marked or network_is_cyrillic)
    if is_name:
        yield Kind.HANDLE, start, end


def _named_before(view: View, pieces: list[re.Match[str]], index: int) -> Iterator[Spot]:
    """The name before a network's: "max_trader on tg"."""
    at = index - 1
    if at >= 0 and (pieces[at][0] == "(" or words.find(pieces[at][0], words.CONNECTORS)):
        at -= 1
    if at < 0:
        return
    piece = pieces[at][0].rstrip(".")
    start = pieces[at].start()
    is_marked = "_" in piece or re.fullmatch(r"[a-z]{4,}\d{1,4}", piece)
    is_name = is_marked and piece[0].isalpha() and len(piece) >= 5 and not _GEAR.fullmatch(piece)
    if is_name and _is_latin(view, start, start + len(piece)):
        yield Kind.HANDLE, start, start + len(piece)


def _stands_apart(view: View, piece: re.Match[str]) -> bool:
    """A dash between words, not one inside a word."""
    return view.text[piece.start() - 1].isspace() or view.text[piece.end() : piece.end() + 1].isspace()


def _has_mark(name: str) -> bool:
    """Whether a word has what names have and words do not: a figure among letters, an underscore, a dot inside."""
    return bool(re.search(r"[a-z]", name) and re.search(r"\d|_|[a-z][.][a-z]", name))


def _may_be_plain_name(name: str) -> bool:
    """A word that is a name if it stands where names stand: not an answer, nor a word with a verb's or noun's ending."""
    return len(name) >= 5 and name.isalpha() and name not in words.ANSWERS and not _INFLECTED.fullmatch(name)


def _is_latin(view: View, start: int, end: int) -> bool:
    """Mostly Latin as it was written: a Russian word of look-alike letters is not a name, one letter among them may be."""
    letters = [char for char in view.as_written(start, end) if char.isalpha()]
    foreign = sum("Ѐ" <= char <= "ӿ" for char in letters)
    return (
        bool(letters)
        and foreign * 2 < len(letters)
        and not any("Ѐ" <= char <= "ӿ" for char in view.text[start:end])
    )
