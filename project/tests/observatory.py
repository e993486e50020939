"""The score that Mozilla's HTTP Observatory would give an answer, by its published table.

Source: developer.mozilla.org/en-US/observatory/docs/tests_and_scoring, as of 2025. From 100 the penalties are taken; whoever
still has 90 gets the bonuses. 100 and more is an A+. What only the real host can show (certificates, the preload list, where
plain HTTP leads) is not looked at here: `test_headers.py` asks for the redirect by itself.
"""

import re
from http.cookies import Morsel

from django.http import HttpResponse

SIX_MONTHS = 15_768_000
BROAD = {"*", "http:", "https:", "ftp:", "http://*", "https://*", "http://*.*", "https://*.*"}
INLINE = {"'unsafe-inline'", "data:"}
PRIVATE_REFERRERS = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
KNOWN_REFERRERS = PRIVATE_REFERRERS | {"no-referrer-when-downgrade"}

type Marks = dict[str, int]


def score(response: HttpResponse, html: str = "") -> tuple[int, Marks]:
    """The score, and what each test took or gave."""
    policy = parsed(response.get("Content-Security-Policy", ""))
    marks = {
        "csp": _csp(policy),
        "cookies": _cookies(list(response.cookies.values())),
        "cors": -50 if response.get("Access-Control-Allow-Origin") == "*" else 0,
        "hsts": _hsts(response.get("Strict-Transport-Security", "")),
        "referrer": _referrer(response.get("Referrer-Policy", "")),
        "scripts": _scripts(html),
        "sniffing": 0 if response.get("X-Content-Type-Options") == "nosniff" else -5,
        "framing": _framing(policy, response.get("X-Frame-Options", "")),
        "corp": 0
        if response.get("Cross-Origin-Resource-Policy", "same-site") in {"same-origin", "same-site"}
        else -20,
    }
    points = 100 + sum(mark for mark in marks.values() if mark < 0)
    if points >= 90:
        points += sum(mark for mark in marks.values() if mark > 0)
    return max(points, 0), marks


def parsed(policy: str) -> dict[str, set[str]]:
    """A policy by its directives; of a directive that comes twice the first counts, as in browsers."""
    found: dict[str, set[str]] = {}
    for part in policy.split(";"):
        if words := part.split():
            found.setdefault(words[0].lower(), {word.lower() for word in words[1:]})
    return found


def _csp(policy: dict[str, set[str]]) -> int:
    if not policy:
        return -25
    default = policy.get("default-src", {"*"})
    script, style = policy.get("script-src", default), policy.get("style-src", default)
    active = set().union(*(to for name, to in policy.items() if name not in {"img-src", "media-src"}))
    passive = policy.get("img-src", default) | policy.get("media-src", default)
    if script & (BROAD | INLINE) or policy.get("object-src", default) & BROAD:
        return -20
    if any(source.startswith(("http:", "ftp:")) for source in active):
        return -20
    if "'unsafe-eval'" in script | style or any(source.startswith(("http:", "ftp:")) for source in passive):
        return -10
    if style & (BROAD | INLINE):
        return 0
    return 10 if default == {"'none'"} else 5


def _cookies(cookies: list[Morsel[str]]) -> int:
    """As a site with HSTS is judged."""
    marks = [0]
    for cookie in cookies:
        is_session, is_token = "sess" in cookie.key.lower(), "csrf" in cookie.key.lower()
        if not cookie["secure"]:
            marks.append(-10 if is_session else -5)
        if is_session and not cookie["httponly"]:
            marks.append(-30)
        if (is_token and not cookie["samesite"]) or cookie["samesite"].lower() not in {"", "lax", "strict"}:
            marks.append(-20)
    if min(marks) < 0 or not cookies or not all(cookie["samesite"] for cookie in cookies):
        return min(marks)
    return 5


def _hsts(header: str) -> int:
    found = re.search(r"max-age=(\d+)", header)
    if not found:
        return -20
    return 0 if int(found[1]) >= SIX_MONTHS else -10


def _referrer(header: str) -> int:
    last = header.split(",")[-1].strip().lower()
    if last in PRIVATE_REFERRERS:
        return 5
    return 0 if not last or last in KNOWN_REFERRERS else -5


def _scripts(html: str) -> int:
    """Scripts of other hosts without their digest."""
    elsewhere = [
        tag for tag in re.findall(r"<script[^>]*\ssrc=[^>]*>", html) if re.search(r'src="(https?:)?//', tag)
    ]
    return -5 if any("integrity=" not in tag for tag in elsewhere) else 0


def _framing(policy: dict[str, set[str]], header: str) -> int:
    if policy.get("frame-ancestors", {"*"}) <= {"'none'", "'self'"}:
        return 5
    return 0 if header.upper() in {"DENY", "SAMEORIGIN"} else -20
