"""Passwords that are told, apart from those that are only spoken of."""

import re
from collections.abc import Iterator

from marketplace.messaging.guard import vocabulary as words
from marketplace.messaging.guard.folding import View

_WORD = re.compile(r"[^\W_](?:[@$]?[^\W_]){0,31}")  # p@rol is one word
_MARK = re.compile(r"[ \t]{0,8}(?P<mark>[:=>]{1,3}|-{1,2}(?=\s))?[\s\"'«(]{0,8}")
_VALUE = re.compile(r"\S{4,64}")
_CONNECTOR = re.compile(r"([^\W\d_]{2,8})(?=[\s:=-])")
_END_PUNCTUATION = ".,;?)»\"'"
# "login:password" in one, as sellers of many accounts keep them
_PAIR = re.compile(r"(?<!\S)(?P<user>[\w.@+-]{3,64}):(?P<secret>[^\s:/]{6,64})(?!\S)")
_AMOUNT = re.compile(r"\d{1,6}[-+]?[^\W\d_]{1,10}|[\d.,:/-]{1,12}[^\W\d_]{0,10}|#.*|[^\W\d_]{1,3}-?\d{1,3}")
_SIGN = re.compile(r"[!#$%&*_@^+~=]")  # a word may end with one, not hold one


def passwords(view: View) -> Iterator[tuple[int, int, int]]:
    """Start, start of the secret and end of every password told, as places in the view."""
    tokens = list(_WORD.finditer(view.text))
    speaks_of_login = any(words.find(token[0], words.LOGIN_CUES) for token in tokens) or "@" in view.text
    before = ""
    for token in tokens:
        is_long = words.find(token[0], words.PASSWORD_CUES)
        is_short = words.find(token[0], words.SHORT_PASSWORD_CUES) and before not in words.SEASON_PASSES
        before = token[0]
        if is_long or is_short:
            secret = _secret(view, token.end(), needs_mark=not is_long and not speaks_of_login)
            if secret:
                yield token.start(), *secret
    for match in _PAIR.finditer(view.text):
        written = view.as_written(*match.span("secret"))
        if _is_mixed(written) or ("@" in match["user"] and _looks_secret(written)):
            yield match.start("secret"), *match.span("secret")


def _secret(view: View, start: int, *, needs_mark: bool) -> tuple[int, int] | None:
    """Where the secret behind the word "password" stands."""
    text = view.text
    mark = _MARK.match(text, start)
    if mark is None:
        return None
    is_marked, at = mark["mark"] is not None, mark.end()
    if at == start:
        return None
    for _turn in range(2):
        connector = _CONNECTOR.match(text, at)
        if connector is None or connector[1] not in words.PASSWORD_CONNECTORS:
            break
        mark = _MARK.match(text, connector.end())
        if mark is None:
            break
        # "parol bu X" tells it as plainly as a colon does; "password is lost" must not.
        is_marked, at = is_marked or mark["mark"] is not None, mark.end()
    value = _VALUE.match(text, at)
    if value is None or (needs_mark and not is_marked):
        return None
    end = at + len(value[0].rstrip(_END_PUNCTUATION))
    if end - at < 4:
        return None
    written = view.as_written(at, end)
    if _looks_secret(written) or (is_marked and _is_plain_secret(view, at, end, written)):
        return at, end
    return None


def _looks_secret(written: str) -> bool:
    """What no word looks like: letters with figures or signs among them, or a long run of figures."""
    if not written.isascii():
        return False
    if written.isdigit():
        return len(written) >= 6
    if len(written) < 5 or _AMOUNT.fullmatch(written) or not re.search(r"[A-Za-z]", written):
        return False
    return bool(re.search(r"\d", written) or _SIGN.search(written[:-1]))


def _is_mixed(written: str) -> bool:
    classes = (r"[a-z]", r"[A-Z]", r"\d")
    return written.isascii() and len(written) >= 8 and all(re.search(one, written) for one in classes)


def _is_plain_secret(view: View, start: int, end: int, written: str) -> bool:
    """ "parol: qwerty", with nothing said after it; "parol: keyin" is an answer."""
    if written.isdigit() and len(written) >= 4:
        return True
    rest = view.text[end:].lstrip(_END_PUNCTUATION + "! ")
    is_last = not rest or rest.startswith("\n")
    return (
        is_last
        and written.isascii()
        and written.isalpha()
        and view.text[start:end] not in words.PASSWORD_ANSWERS
    )
