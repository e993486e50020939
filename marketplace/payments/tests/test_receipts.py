"""Receipts: what the page and the PDF say of one line, to its owner alone."""

from io import BytesIO
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone, translation
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from marketplace.accounts.tests.factories import UserFactory
from marketplace.ledger import accounts
from marketplace.ledger.services import post
from marketplace.ledger.tests.factories import fund, spend
from marketplace.payments import papers, selectors, services
from marketplace.payments.models import Transaction
from marketplace.payments.papers import printable
from marketplace.payments.receipts import receipt_of
from marketplace.payments.services.refunds import take_back
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import deliver, payload

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client):
    PaymentMethodFactory()
    person = UserFactory(full_name="Dilnoza Gʻaniyeva")
    client.force_login(person)
    return person


def settled(user, amount):
    payment = DepositFactory(user=user, amount=amount)
    deliver(payload(payment))
    return line(user, type="deposit")


def line(user, **which):
    return selectors.transactions_of(user).get(**which)


def traded(seller, title, *, price=2_000_000_00, fee=60_000_00):
    """A finished trade's two lines, as escrow writes them. Returns buyer and seller's lines."""
    buyer, trade = UserFactory(full_name="Максим Т."), uuid4()
    fund(buyer, price)
    entry = post(
        "hold", key=f"{trade}:hold", currency="UZS",
        legs={accounts.available(buyer.pk): -price, accounts.held(buyer.pk): price},
    )  # fmt: skip
    services.record(
        user=buyer,
        type="purchase",
        amount=price,
        currency="UZS",
        entry=entry,
        reference=trade,
        description=title,
    )
    entry = post(
        "release", key=f"{trade}:release", currency="UZS",
        legs={
            accounts.held(buyer.pk): -price, accounts.available(seller.pk): price - fee, accounts.COMMISSION: fee
        },
    )  # fmt: skip
    services.record(
        user=seller, type="sale", amount=price - fee, currency="UZS", entry=entry, reference=trade,
        description=title, metadata={"price": price, "commission": fee},
    )  # fmt: skip
    return line(buyer, type="purchase"), line(seller, type="sale")


def words(paper):
    pages = PdfReader(BytesIO(paper)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).replace("\u00a0", " ").split())


def pdf(client, row):
    return client.get(reverse("payments:receipt", args=[row.pk]))


def test_a_sale_says_who_paid_whom_and_the_fee(client, user):
    _bought, sold = traded(user, "Genshin AR 58")

    found = receipt_of(user, sold)
    page = client.get(reverse("payments:transaction", args=[sold.pk])).text.replace("\u00a0", " ")

    assert (found.payer, found.payee) == ("Максим Т.", "Dilnoza Gʻaniyeva, wallet")
    assert (found.price, found.fee) == (2_000_000_00, 60_000_00)
    for said in ("Максим Т.", "2 000 000", "60 000", "1 940 000", f"#{sold.number}", "receipt.pdf"):
        assert said in page


def test_a_purchase_names_its_seller_once_they_are_paid(user):
    bought, _sold = traded(user, "Genshin AR 58")

    assert receipt_of(bought.user, bought).payee == "Dilnoza Gʻaniyeva"


def test_a_purchase_that_runs_stands_in_escrow(user):
    fund(user, 10_00)
    legs = {accounts.available(user.pk): -10_00, accounts.held(user.pk): 10_00}
    entry = post("hold", key="h", currency="UZS", legs=legs)
    services.record(user=user, type="purchase", amount=10_00, currency="UZS", entry=entry, reference=uuid4())

    found = receipt_of(user, line(user))

    assert (found.payer, found.payee) == ("Dilnoza Gʻaniyeva, wallet", "Escrow of WibeStore")


def test_a_top_up_tells_of_what_was_taken_back_and_is_owed(client, user):
    payment = settled(user, 100_000_00)
    spend(user, 70_000_00)
    take_back(payment, amount=100_000_00, key="k", reason="", may_owe=True)

    page = client.get(reverse("payments:transaction", args=[payment.pk])).text.replace("\u00a0", " ")

    found = receipt_of(user, line(user, type="deposit"))
    assert [(one.amount, one.status) for one in found.refunds] == [(100_000_00, "succeeded")]
    assert found.debt == 70_000_00
    assert "Still owed" in page
    assert "70 000" in page


@pytest.mark.parametrize(
    ("type_", "payer", "payee"),
    [
        ("withdrawal", "Dilnoza Gʻaniyeva, wallet", "Dilnoza Gʻaniyeva, Uzcard •• 0007"),
        ("deposit", "Dilnoza Gʻaniyeva, Sandbox", "Dilnoza Gʻaniyeva, wallet"),
    ],
)
def test_own_money_goes_between_the_wallet_and_the_method(user, type_, payer, payee):
    settled(user, 100_000_00)
    services.withdraw(user=user, amount=50_000_00, card_number="8600000000000007", idempotency_key="w")

    found = receipt_of(user, line(user, type=type_))

    assert (found.payer, found.payee) == (payer, payee)


def test_a_receipt_takes_few_queries(client, user, django_assert_max_num_queries):
    _bought, sold = traded(user, "Genshin AR 58")

    with django_assert_max_num_queries(7):  # session, person, line, buyer, header's money, notifications
        client.get(reverse("payments:transaction", args=[sold.pk]))
    with django_assert_max_num_queries(4):
        pdf(client, sold)


# --- The PDF --------------------------------------------------------------------------------------


def test_the_pdf_is_a_file_of_its_owner(client, user):
    _bought, sold = traded(user, "Genshin AR 58")

    answer = pdf(client, sold)

    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="wibestore-{sold.number}.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert len(answer.content) < 60_000


def test_nobody_else_gets_it(client, user):
    bought, _sold = traded(user, "Genshin AR 58")

    assert pdf(client, bought).status_code == 404
    client.logout()
    assert pdf(client, bought).url.startswith("/accounts/login/")


def test_the_pdf_holds_cyrillic_and_the_amount(client, user):
    user.language = "ru"
    user.save()
    _bought, sold = traded(user, "Стим: 214 игр, ёлка и Щука №7")

    text = words(pdf(client, sold).content)

    assert "Стим: 214 игр, ёлка и Щука №7" in text
    assert "+1 940 000" in text or "1 940 000" in text
    assert "Максим Т." in text
    assert str(sold.pk) in text
    assert "Комиссия" in text or "комиссия" in text


def test_the_pdf_holds_uzbek(client, user):
    user.language = "uz"
    user.save()
    _bought, sold = traded(user, "Qurollar toʻplami, maʼlumot, gʻoliblar")

    text = words(pdf(client, sold).content)

    assert "Qurollar toʻplami, maʼlumot, gʻoliblar" in text
    assert "1 940 000 soʻm" in text
    assert "Dilnoza Gʻaniyeva" in text


def test_tenge_have_their_sign(user):
    fund(user, 5_00, currency="KZT")
    row = Transaction(user=user, type="deposit", amount=1_234_56, currency="KZT", status="pending")

    assert "1 234,56 ₸" in words(papers.receipt(receipt_of(user, row), at=timezone.now()))


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Aʻz Ўя", "Aʻz Ўя"),
        ("5★ 🎮 C6", "5? ? C6"),
        ("Ǎ ﬁ ²", "A fi ²"),
        ("a\x00b\u200bc", "abc"),
        ("a\tb\nc", "a b c"),
    ],
)
def test_what_cannot_be_drawn_does_not_stop_the_paper(text, drawn):
    assert printable(text) == drawn


def test_a_hostile_title_is_only_a_title(client, user):
    with translation.override("en"):
        _bought, sold = traded(user, ") Tj ET (<b>{of}</b> **x** " + "W" * 120)

        answer = pdf(client, sold)

    assert answer.status_code == 200
    assert "<b>" in words(answer.content)


# Of the languages that people here write in, both alphabets of Uzbek; and the signs of their money.
LETTERS = {
    "uz": "abdefghijklmnopqrstuvxyzʻʼ",
    "uz-cyrl": "абвгдежзийклмнопрстуфхцчшъэюяёўқғҳ",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "kk": "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя",
    "money": "₸$−",
}


@pytest.mark.parametrize("weight", ["regular", "bold"])
@pytest.mark.parametrize("letters", LETTERS.values(), ids=LETTERS)
def test_every_letter_has_a_glyph_with_ink(weight, letters):
    font = TTFont(papers.FONTS / f"inter-{weight}.ttf")
    names = font.getBestCmap()

    lacking = [letter for letter in letters + letters.upper() if ord(letter) not in names]
    assert lacking == []
    assert [sign for sign in letters if not font["glyf"][names[ord(sign)]].numberOfContours] == []


def test_a_kazakh_name_stands_on_the_paper_as_it_is_written(user):
    user.full_name = "Әсел Құдайбергенқызы Һәкім"
    user.save()
    row = settled(user, 1_000_00)

    assert user.full_name in words(papers.receipt(receipt_of(user, row), at=timezone.now()))
