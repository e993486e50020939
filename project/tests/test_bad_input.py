"""Whatever is sent to whichever address: never a crash, and never a stranger's markup as markup.

The addresses come from the URLconf, so a new page is swept from its first day.
"""

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver

from marketplace.accounts.tests.factories import UserFactory
from marketplace.escrow.tests import factories as trades
from marketplace.listings.tests.factories import ListingFactory, game, offer
from marketplace.notifications.selectors import unsubscribe_token
from marketplace.notifications.tests.factories import NotificationFactory
from marketplace.payments import services as payments
from marketplace.payments.models import Transaction
from marketplace.payments.tests import wire
from marketplace.payments.tests.factories import PaymentMethodFactory

pytestmark = pytest.mark.django_db
MARK = "<script>alert(4711)</script>"
NAUGHTY = [
    "", "\x00", "a\x00b", MARK, f'"><img src=x onerror=alert(1)>{MARK}', "' OR 1=1; --", "%s%n{{7*7}}{% x %}", "x" * 10_000,
    "-1", "0", "1e309", "NaN", "Infinity", "9" * 40, "-0.001", "1,5", "٣", "²", "\u202e\ud7ff\U0010ffff", "🦊" * 50, "null",
    "[]", '{"a": 1}', "../../etc/passwd", "2026-02-30", "00000000-0000-0000-0000-000000000000", "on",
    "//evil.example", "javascript:alert(1)", "True", "0x10", " \t\r\n ",
]  # fmt: skip
# What our pages read from addresses and forms; each naughty value is put into all of them at once.
QUERY = [
    "q", "game", "page", "sort", "min", "max", "price_min", "price_max", "listing", "side", "show", "next", "amount",
    "kind", "photo", "theme", "lang", "token", "id", "type", "status", "a_level", "a_rank", "a_level_min", "view", "key",
    "group", "waiting",
]  # fmt: skip
# Sign-in of the admin, and files: tried elsewhere.
LEFT_OUT = re.compile(r"^(admin/|\^?media/|\^?static/)")


def routes(patterns=None, before=""):
    for one in get_resolver().url_patterns if patterns is None else patterns:
        path = before + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from routes(one.url_patterns, path)
        elif not LEFT_OUT.match(path):
            yield path


def filled(route, ids):
    """The route with the ids of rows that exist."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(ids.get(match[1], "x")), route)
    path = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda match: str(ids.get(match[1], "x")), path)
    return "/" + path.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\", "")


@pytest.fixture
def town(monkeypatch):
    """A trade between two people, a moderator, and the rows that addresses name. The gateway answers without a socket."""
    wire.through_test_client(monkeypatch)
    PaymentMethodFactory()
    trade = trades.handed_over()
    moderator = UserFactory(is_staff=True)
    moderator.user_permissions.add(Permission.objects.get(codename="moderate_listing"))
    mine = ListingFactory(seller=trade.seller, status="pending")
    deposit = payments.start_payment(
        user=trade.buyer,
        amount=150_000_00,
        method_code="sandbox",
        idempotency_key="k",
        return_url="http://testserver/",
    )
    people = {"visitor": None, "buyer": trade.buyer, "seller": trade.seller, "moderator": moderator}
    ids = {
        "trade_id": trade.pk,
        "listing_id": mine.pk,
        "transaction_id": deposit.pk,
        "payment_id": deposit.pk,
        "order": deposit.pk,
        "notification_id": NotificationFactory(user=trade.buyer).pk,
        "handle": trade.seller.public_handle,
        "slug": "pubg-mobile",
        "variant": 1,
        "provider": "sandbox",
        "action": "pay",
        "field": "price",
        "uidb36": "1",
        "key": "set-password",
        "name": "welcome",
        "language": "en",
        "token": unsubscribe_token(trade.buyer.pk, "listings"),
    }
    return people, ids


def browser(user):
    client = Client(raise_request_exception=False, headers={"User-Agent": "Mozilla/5.0"})
    if user:
        client.force_login(user)
    return client


def faults(answer, what):
    if answer.status_code >= 500:
        return [f"{answer.status_code} {what}: {getattr(answer, 'exc_info', None) and answer.exc_info[1]!r}"]
    is_html = answer.get("Content-Type", "").startswith("text/html")
    if is_html and not answer.streaming and MARK in answer.content.decode(errors="replace"):
        return [f"markup {what}"]
    return []


def test_addresses_are_found():
    assert len(set(routes())) > 40


ROLES = ["visitor", "buyer", "seller", "moderator"]


def share_of(values, number, who):
    """Four of the values; over all addresses and roles every value has its turn."""
    start = 4 * (number * len(ROLES) + ROLES.index(who))
    return [values[(start + step) % len(values)] for step in range(4)]


@pytest.mark.parametrize("who", ROLES)
def test_no_query_breaks_a_page(town, who):
    people, ids = town
    client, found = browser(people[who]), []
    for number, route in enumerate(sorted(set(routes()))):
        path = filled(route, ids)
        plain = client.get(path)
        found += faults(plain, f"GET {path} as {who}")
        if plain.status_code != 200:
            continue
        for value in share_of(NAUGHTY, number, who):
            found += faults(
                client.get(path, dict.fromkeys(QUERY, value)), f"GET {path} {value[:30]!r} as {who}"
            )

    assert found == []


@pytest.mark.parametrize("who", ROLES)
def test_no_form_breaks_on_what_is_sent(town, who):
    people, ids = town
    found = []
    for number, route in enumerate(sorted(set(routes()))):
        path = filled(route, ids)
        client = browser(people[who])
        empty = client.post(path)
        found += faults(empty, f"POST {path} nothing as {who}")
        if empty.status_code in {403, 404, 405} or empty.get("Location", "").startswith("/accounts/login/"):
            continue
        fields = fields_of(client, path)
        for value in share_of(NAUGHTY, number, who):
            form = dict.fromkeys(fields, value)
            found += faults(client.post(path, form), f"POST {path} {value[:30]!r} as {who}")
        several = {name: ["1", MARK, "\x00"] for name in fields}
        found += faults(client.post(path, several), f"POST {path} lists as {who}")
        files = {name: SimpleUploadedFile("x\x00.png", b"\x89PNG\r\n\x1a\nnot really") for name in fields[:8]}
        found += faults(client.post(path, files), f"POST {path} files as {who}")

    assert found == []


def fields_of(client, path):
    """The names of the fields on that page, and those that forms without a page of their own have."""
    page = client.get(path)
    html = page.content.decode(errors="replace") if not page.streaming else ""
    named = set(re.findall(r'name="([^"]+)"', html)) - {"csrfmiddlewaretoken"}
    return sorted(
        named
        | {"next", "reason", "words", "statement", "password", "login", "method", "key", "price", "note"}
    )


@pytest.mark.parametrize(
    "field", ["price", "title", "game", "a_level", "original_price", "description", "account_password"]
)
def test_each_field_of_the_sell_form_alone_may_hold_anything(client, field):
    game()
    client = browser(UserFactory())
    found = [
        fault
        for value in NAUGHTY
        for fault in faults(client.post("/sell/", offer(**{field: value})), f"{field}={value[:30]!r}")
    ]

    assert found == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"id": 5}', b'"x"', b"\xff\xfe", b'{"payment": []}', b"1" * 5000]
)
def test_no_body_breaks_a_webhook(body):
    client = browser(None)

    for provider in (*settings.PAYMENT_PROVIDERS, "nobody"):
        for action in ("", "check/"):
            answer = client.post(
                f"/api/v1/payments/webhooks/{provider}/{action}", data=body, content_type="application/json"
            )
            assert answer.status_code < 500
    assert not Transaction.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        "HX-Target",
        "HX-Request",
        "Referer",
        "Accept-Language",
        "X-Request-ID",
        "If-None-Match",
        "HX-Current-URL",
        "HX-Trigger-Name",
        "User-Agent",
        "Cookie",
        "X-Forwarded-Proto",
    ],
)
def test_no_header_breaks_a_page(header):
    client, found = browser(None), []
    listing = ListingFactory()
    for path in ("/", "/listings/", f"/listings/{listing.pk}/", "/accounts/login/"):
        for value in (
            MARK,
            "x" * 5000,
            "\x7f",
            "é",
            "../..",
            "1;2,3=4",
            "*",
            "en;q=x",
            'sessionid="; theme=<b>',
            "%00",
        ):
            found += faults(
                client.get(path, headers={"HX-Request": "true", header: value}),
                f"{path} {header}: {value[:30]!r}",
            )

    assert found == []


@pytest.mark.parametrize(
    "path",
    [
        "/listings/%00/",
        "/u/%00/",
        "/u/x%00/",
        "/about/%3Cscript%3E/",
        "/listings/not-a-uuid/",
        "/trades/1/",
        "/trades/01a1fc1f-75ac-7000-8466-2ce0beaf9021x/",
        "/covers/x/99999999999999999999.svg",
        "/%FF/",
        "/" + "a" * 3000,
        "/wallet/back/%00/",
        "/listings/?game=%00",
        "/listings/?q=%00%FF",
        "/accounts/confirm-email/%00/",
        "/accounts/password/reset/key/x-%00/",
    ],
)
def test_no_address_breaks_the_site(path):
    for user in (None, UserFactory()):
        answer = browser(user).get(path)
        assert answer.status_code < 500, path


@pytest.mark.parametrize(
    "route",
    [
        "wallet/deposit/", "wallet/withdraw/", "me/edit/", "listings/{sold}/buy/", "sell/{mine}/", "trades/{trade}/dispute/",
    ],
)  # fmt: skip
def test_a_form_sent_empty_says_what_is_missing(town, route):
    people, ids = town
    on_sale = ListingFactory()
    who = "seller" if "mine" in route else "buyer"
    path = "/" + route.format(sold=on_sale.pk, mine=ids["listing_id"], trade=ids["trade_id"])

    answer = browser(people[who]).post(path)

    assert answer.status_code == 422
    assert "msg-error" in answer.content.decode() or 'role="alert"' in answer.content.decode()
