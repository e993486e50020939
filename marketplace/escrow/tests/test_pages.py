"""A trade in the browser: what each side sees and may press at every step, and what is never on a page."""

import logging
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.accounts.tests.factories import PASSWORD as OWN_PASSWORD
from marketplace.accounts.tests.factories import UserFactory, recovery_codes, with_app
from marketplace.core.testing import run_jobs
from marketplace.escrow import services
from marketplace.escrow.models import CredentialReveal, Dispute, EscrowTransaction
from marketplace.escrow.tests import factories as trades
from marketplace.ledger import selectors as ledger
from marketplace.listings.models import Credentials, Listing
from marketplace.listings.tests.factories import LOGIN, PASSWORD, ListingFactory
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.models import PaymentMethod
from marketplace.payments.providers.sandbox import SandboxProvider
from marketplace.payments.tests import wire
from marketplace.payments.tests.factories import PaymentMethodFactory

pytestmark = pytest.mark.django_db
Status = EscrowTransaction.Status
PRICE = trades.PRICE


def browser(user=None):
    client = Client()
    if user:
        client.force_login(user)
    return client


def url(trade, step=""):
    return f"/trades/{trade.pk}/{step}"


def buy_url(listing):
    return f"/listings/{listing.pk}/buy/"


def order(listing, **changes):
    """What the browser posts from the page of a purchase."""
    return {"method": "balance", "key": str(uuid.uuid4()), "price": str(listing.price)} | changes


def cancelled():
    trade = trades.started()
    return services.cancel(trade_id=trade.pk, buyer=trade.buyer)


def refunded():
    trade = trades.paid()
    services.sweep(at=timezone.now() + timedelta(hours=25))
    trade.refresh_from_db()
    return trade


STAGES = {
    "started": trades.started,
    "paid": trades.paid,
    "handed_over": trades.handed_over,
    "delivered": trades.delivered,
    "disputed": trades.disputed,
    "confirmed": trades.confirmed,
    "cancelled": cancelled,
    "refunded": refunded,
}


# --- The page of a purchase -------------------------------------------------------------------------


def test_a_visitor_signs_in_before_buying(client):
    listing = ListingFactory()

    response = client.get(buy_url(listing))

    assert response.url == f"/accounts/login/?next={buy_url(listing)}"


def test_whoever_has_the_money_pays_from_the_wallet_unless_they_choose_otherwise():
    listing = ListingFactory(price=PRICE)

    response = browser(trades.rich_buyer()).get(buy_url(listing))

    html = response.content.decode()
    assert response.context["form"].initial["method"] == "balance"
    assert 'value="balance"' in html
    assert 'value="sandbox"' in html
    assert "Your wallet lacks" not in html


def test_whoever_lacks_money_reads_how_much_and_chooses_a_gateway():
    listing = ListingFactory(price=PRICE)

    response = browser(trades.rich_buyer(PRICE - 30_000_00)).get(buy_url(listing))

    html = response.content.decode()
    assert "Your wallet lacks 30\u00a0000" in html
    assert response.context["form"].initial["method"] is None
    assert 'href="/wallet/deposit/' in html


def test_buying_from_the_wallet_leads_to_the_paid_trade():
    buyer, listing = trades.rich_buyer(), ListingFactory(price=PRICE)

    response = browser(buyer).post(buy_url(listing), order(listing))

    trade = EscrowTransaction.objects.get()
    assert response.url == url(trade)
    assert (trade.buyer, trade.status) == (buyer, Status.PAID)
    assert ledger.balances(buyer).held == PRICE


def test_buying_through_a_gateway_leads_there_and_waits(monkeypatch):
    PaymentMethodFactory()
    wire.through_test_client(monkeypatch)
    buyer, listing = UserFactory(), ListingFactory(price=PRICE)

    response = browser(buyer).post(buy_url(listing), order(listing, method="sandbox"))

    assert response.status_code == 302
    assert "/sandbox/" in response.url
    assert EscrowTransaction.objects.get().status == Status.PENDING_PAYMENT


@pytest.fixture
def silent_gateway(monkeypatch):
    """The provider's server does not answer, until the context is left."""
    PaymentMethodFactory()

    def no_answer(*_args):
        raise ProviderUnavailable("connection refused")

    with monkeypatch.context() as broken:
        broken.setattr(SandboxProvider, "create_payment", no_answer)
        yield broken


def test_a_gateway_that_is_silent_leads_to_the_trade_where_it_can_be_tried_again(silent_gateway):
    buyer, listing = UserFactory(), ListingFactory(price=PRICE)
    client = browser(buyer)

    response = client.post(buy_url(listing), order(listing, method="sandbox"))

    trade = EscrowTransaction.objects.get()
    page = client.get(response.url)
    assert response.url == url(trade)
    assert trade.status == Status.PENDING_PAYMENT
    assert page.context["desk"].may_pay
    assert "does not answer" in page.content.decode()
    assert "stays reserved for you" in page.content.decode()

    again = client.post(url(trade, "pay/"), order(listing, method="sandbox"))
    assert again.url == url(trade), "still silent"
    silent_gateway.undo()
    assert "/sandbox/" in client.post(url(trade, "pay/"), order(listing, method="sandbox")).url


def test_the_same_form_sent_again_tries_the_same_payment_again(silent_gateway):
    buyer, listing = UserFactory(), ListingFactory(price=PRICE)
    form = order(listing, method="sandbox")
    browser(buyer).post(buy_url(listing), form)
    silent_gateway.undo()

    response = browser(buyer).post(buy_url(listing), form)

    assert "/sandbox/" in response.url
    assert EscrowTransaction.objects.count() == 1


def test_an_amount_that_the_method_does_not_take_leads_to_the_trade_too():
    PaymentMethodFactory()
    PaymentMethod.objects.update(max_amount=PRICE - 1)
    buyer, listing = UserFactory(), ListingFactory(price=PRICE)

    response = browser(buyer).post(buy_url(listing), order(listing, method="sandbox"))

    assert response.url == url(EscrowTransaction.objects.get())


def test_too_little_money_is_said_beside_the_methods_and_reserves_nothing():
    listing = ListingFactory(price=PRICE)

    response = browser(UserFactory()).post(buy_url(listing), order(listing))

    assert response.status_code == 422
    assert 'id="method-errors"' in response.content.decode()
    assert not EscrowTransaction.objects.exists()
    assert Listing.objects.get().status == "active"


@pytest.mark.parametrize("method", ["balance", "sandbox"])
def test_a_price_that_changed_is_said_and_the_new_one_shown(method):
    PaymentMethodFactory()
    listing = ListingFactory(price=PRICE)

    response = browser(trades.rich_buyer()).post(
        buy_url(listing), order(listing, method=method, price=str(PRICE - 1))
    )

    html = response.content.decode()
    assert response.status_code == 422
    assert "The price has changed" in html
    assert f'name="price" value="{PRICE}"' in html, "the next try must be at the new price"
    assert not EscrowTransaction.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "cash"},
        {"method": ""},
        {"key": "x"},
        {"price": "-1"},
        {"price": "1e3"},
        {"price": "9" * 40},
    ],
)
def test_a_form_that_was_tampered_with_buys_nothing(wrong):
    listing = ListingFactory(price=PRICE)

    response = browser(trades.rich_buyer()).post(buy_url(listing), order(listing, **wrong))

    assert response.status_code == 422
    assert not EscrowTransaction.objects.exists()


def test_one_form_sent_twice_buys_once():
    buyer, listing = trades.rich_buyer(), ListingFactory(price=PRICE)
    client, form = browser(buyer), order(listing)

    first, second = client.post(buy_url(listing), form), client.post(buy_url(listing), form)

    assert first.url == second.url == url(EscrowTransaction.objects.get())
    assert ledger.balances(buyer).held == PRICE


def test_ones_own_offer_is_not_bought():
    listing = ListingFactory()
    client = browser(listing.seller)

    seen = client.get(buy_url(listing))
    sent = client.post(buy_url(listing), order(listing))

    assert seen.url == listing.get_absolute_url()
    assert sent.status_code in {302, 409}
    assert not EscrowTransaction.objects.exists()


def test_an_offer_that_somebody_else_is_buying_is_refused_in_words():
    trade = trades.started()

    response = browser(trades.rich_buyer()).post(buy_url(trade.listing), order(trade.listing))

    assert response.status_code == 409
    assert "no longer available" in response.content.decode()
    assert EscrowTransaction.objects.count() == 1


def test_ones_own_running_trade_is_shown_instead():
    trade = trades.started()

    assert browser(trade.buyer).get(buy_url(trade.listing)).url == url(trade)


@pytest.mark.parametrize("status", ["draft", "pending", "rejected", "blocked", "archived"])
def test_what_is_not_on_sale_has_no_page_to_buy(status):
    listing = ListingFactory(status=status)

    assert browser(UserFactory()).get(buy_url(listing)).status_code == 404


def test_an_unknown_offer_is_not_found():
    client = browser(trades.rich_buyer())
    path = f"/listings/{uuid.uuid4()}/buy/"

    assert client.get(path).status_code == 404
    assert client.post(path, {"method": "balance", "key": str(uuid.uuid4()), "price": "1"}).status_code in {
        404,
        409,
    }


# --- The page of a trade ----------------------------------------------------------------------------

# What stands on the page for (buyer, seller): the steps whose forms or links may be pressed.
MAY = {
    "started": ({"pay/", "cancel/"}, set()),
    "paid": (set(), {"hand-over/"}),
    "handed_over": ({"reveal/", "received/", "confirm/", "dispute/"}, {"dispute/"}),
    "delivered": ({"reveal/", "confirm/", "dispute/"}, {"dispute/"}),
    "disputed": ({"reveal/"}, set()),
    "confirmed": ({"reveal/"}, set()),
    "cancelled": (set(), set()),
    "refunded": (set(), set()),
}
STEPS = ("pay/", "cancel/", "hand-over/", "reveal/", "received/", "confirm/", "dispute/")


@pytest.mark.parametrize("stage", STAGES)
def test_each_side_sees_what_it_may_do_and_never_the_login(stage):
    trade = STAGES[stage]()

    for side, may in zip((trade.buyer, trade.seller), MAY[stage], strict=True):
        response = browser(side).get(url(trade))
        html = response.content.decode()
        assert response.status_code == 200
        assert {step for step in STEPS if url(trade, step) in html} == may
        assert f"#{trade.number}" in html
        assert LOGIN not in html
        assert PASSWORD not in html
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("stage", ["started", "handed_over", "confirmed"])
def test_strangers_find_no_trade_and_visitors_are_asked_who_they_are(stage):
    trade = STAGES[stage]()

    assert browser(UserFactory()).get(url(trade)).status_code == 404
    assert browser(UserFactory(is_staff=True)).get(url(trade)).status_code == 404
    assert browser().get(url(trade)).url == f"/accounts/login/?next={url(trade)}"


@pytest.mark.parametrize("step", STEPS)
def test_no_step_of_others_can_be_taken(step):
    trade = trades.handed_over()
    form = {"password": OWN_PASSWORD, "reason": "other", "statement": "x" * 30, "method": "balance"}

    strangers = browser(UserFactory()).post(url(trade, step), form)
    visitors = browser().post(url(trade, step), form)

    trade.refresh_from_db()
    assert strangers.status_code == 404
    assert visitors.url.startswith("/accounts/login/")
    assert trade.status == Status.PAID
    assert not CredentialReveal.objects.exists()


@pytest.mark.parametrize(
    ("step", "side"),
    [("pay/", "seller"), ("cancel/", "seller"), ("reveal/", "seller"), ("received/", "seller"), ("confirm/", "seller"),
     ("hand-over/", "buyer")],
)  # fmt: skip
def test_one_side_cannot_take_the_others_step(step, side):
    trade = trades.handed_over()

    response = browser(getattr(trade, side)).post(url(trade, step), {"password": OWN_PASSWORD})

    assert response.status_code == 404
    assert not CredentialReveal.objects.exists()


@pytest.mark.parametrize("step", ["pay/", "cancel/", "hand-over/", "reveal/", "received/"])
def test_a_step_is_never_taken_by_looking(step):
    trade = trades.handed_over()

    assert browser(trade.buyer).get(url(trade, step)).status_code == 405


@pytest.mark.parametrize(
    ("stage", "side", "step"),
    [
        ("paid", "buyer", "received/"),
        ("paid", "buyer", "confirm/"),
        ("paid", "buyer", "cancel/"),
        ("started", "seller", "hand-over/"),
        ("started", "buyer", "received/"),
        ("disputed", "buyer", "confirm/"),
        ("disputed", "buyer", "received/"),
        ("cancelled", "buyer", "received/"),
        ("refunded", "buyer", "confirm/"),
        ("refunded", "seller", "hand-over/"),
        ("confirmed", "buyer", "cancel/"),
    ],
)
def test_a_step_out_of_order_is_refused_in_words(stage, side, step):
    trade = STAGES[stage]()
    before = trade.status

    response = browser(getattr(trade, side)).post(url(trade, step), {"login": "a", "password": "b"})

    trade.refresh_from_db()
    assert response.status_code == 409
    assert response.templates[0].name == "core/refused.html"
    assert trade.status == before


@pytest.mark.parametrize("stage", ["paid", "cancelled", "refunded"])
def test_paying_for_a_trade_that_has_moved_on_takes_no_money(stage):
    trade = STAGES[stage]()
    before = ledger.balances(trade.buyer)

    response = browser(trade.buyer).post(url(trade, "pay/"), order(trade.listing))

    assert response.status_code in {302, 409}
    assert ledger.balances(trade.buyer) == before


@pytest.mark.parametrize("stage", ["paid", "refunded", "started"])
def test_a_box_that_is_not_open_is_not_opened_with_the_password_either(stage):
    trade = STAGES[stage]()

    response = browser(trade.buyer).post(url(trade, "reveal/"), {"password": OWN_PASSWORD})

    assert response.status_code == 409
    assert PASSWORD not in response.content.decode()
    assert not CredentialReveal.objects.exists()


def test_htmx_gets_the_state_alone():
    trade = trades.paid()

    part = browser(trade.seller).get(url(trade), headers={"HX-Request": "true", "HX-Target": "trade-state"})
    other = browser(trade.seller).get(url(trade), headers={"HX-Request": "true", "HX-Target": "anything"})

    assert part.content.decode().strip().startswith('<div id="trade-state"')
    assert "HX-Target" in part["Vary"]
    assert "<html" in other.content.decode()


def test_a_refusal_to_htmx_is_a_toast():
    trade = trades.paid()

    response = browser(trade.buyer).post(
        url(trade, "received/"), headers={"HX-Request": "true", "HX-Target": "trade-state"}
    )

    assert response.status_code == 409
    assert response["HX-Retarget"] == "#toasts"
    assert "<html" not in response.content.decode()


# --- Paying and cancelling --------------------------------------------------------------------------


def test_a_waiting_trade_is_paid_from_the_wallet():
    trade = trades.started()

    response = browser(trade.buyer).post(url(trade, "pay/"), order(trade.listing))

    trade.refresh_from_db()
    assert response.url == url(trade)
    assert trade.status == Status.PAID


def test_a_waiting_trade_without_the_money_stays_and_says_why():
    trade = services.buy(listing_id=ListingFactory(price=PRICE).pk, buyer=UserFactory(), idempotency_key="k")

    response = browser(trade.buyer).post(url(trade, "pay/"), order(trade.listing))

    assert response.status_code == 422
    assert 'id="method-errors"' in response.content.decode()


def test_the_buyer_changes_their_mind_and_the_offer_is_back():
    trade = trades.started()

    response = browser(trade.buyer).post(url(trade, "cancel/"))

    trade.refresh_from_db()
    assert response.url == url(trade)
    assert trade.status == Status.CANCELLED
    assert Listing.objects.get().status == "active"


# --- Handing over -----------------------------------------------------------------------------------


def test_the_seller_hands_over_what_is_in_the_box():
    trade = trades.paid()

    response = browser(trade.seller).post(url(trade, "hand-over/"), {"login": "", "password": "", "note": ""})

    trade.refresh_from_db()
    assert response.url == url(trade)
    assert trade.handed_over_at


def test_the_seller_replaces_what_is_in_the_box():
    trade = trades.paid()

    browser(trade.seller).post(
        url(trade, "hand-over/"), {"login": "new@example.uz", "password": " yangi parol ", "note": "2FA: off"}
    )

    box = Credentials.objects.get(listing=trade.listing_id)
    assert (box.account_email, box.account_password) == ("new@example.uz", " yangi parol ")
    assert box.additional_info["note"] == "2FA: off"


@pytest.mark.parametrize(
    ("form", "field"),
    [({}, "login"), ({"login": "a@example.uz"}, "login"), ({"login": "x" * 255, "password": "p"}, "login"),
     ({"login": "a", "password": "x" * 201}, "password"), ({"login": "a", "password": "b", "note": "x" * 1001}, "note")],
)  # fmt: skip
def test_a_hand_over_that_does_not_fit_is_said_beside_the_field(form, field):
    trade = trades.paid(vault=False)

    response = browser(trade.seller).post(url(trade, "hand-over/"), form)

    trade.refresh_from_db()
    assert response.status_code == 422
    assert field in response.context["hand_over_form"].errors
    assert not trade.handed_over_at


def test_a_password_that_did_not_fit_is_not_sent_back():
    trade = trades.paid(vault=False)

    response = browser(trade.seller).post(
        url(trade, "hand-over/"), {"login": "", "password": "Juda-maxfiy-9"}
    )

    assert response.status_code == 422
    assert "Juda-maxfiy-9" not in response.content.decode()


# --- Opening the box --------------------------------------------------------------------------------


def test_the_right_password_shows_the_login_once_and_writes_it_down():
    trade = trades.handed_over()
    client = browser(trade.buyer)

    response = client.post(url(trade, "reveal/"), {"password": OWN_PASSWORD})
    later = client.get(url(trade))

    html = response.content.decode()
    assert response.status_code == 200
    assert LOGIN in html
    assert PASSWORD in html
    assert PASSWORD not in later.content.decode()
    assert CredentialReveal.objects.get().viewer == trade.buyer
    assert {"no-store", "private"} <= {part.strip() for part in response["Cache-Control"].split(",")}


@pytest.mark.parametrize("typed", ["Wrong7741", "", " ", OWN_PASSWORD.lower(), "x" * 5000, "a\x00b"])
def test_a_wrong_password_shows_nothing_and_writes_nothing_down(typed):
    trade = trades.handed_over()

    response = browser(trade.buyer).post(url(trade, "reveal/"), {"password": typed})

    assert response.status_code == 422
    assert 'id="id_password_error"' in response.content.decode()
    assert PASSWORD not in response.content.decode()
    assert not CredentialReveal.objects.exists()


def test_anothers_password_does_not_open_the_box():
    trade = trades.handed_over()
    trade.buyer.set_password("Mening-parolim-1")
    trade.buyer.save()
    client = browser(trade.buyer)

    assert client.post(url(trade, "reveal/"), {"password": OWN_PASSWORD}).status_code == 422
    assert client.post(url(trade, "reveal/"), {"password": "Mening-parolim-1"}).status_code == 200


def test_wrong_passwords_at_the_box_count_against_the_lock_of_sign_in(settings):
    settings.AXES_ENABLED = True
    trade = trades.handed_over()
    client = browser(trade.buyer)
    answers = [
        client.post(url(trade, "reveal/"), {"password": f"Wrong{number}"}).status_code for number in range(5)
    ]

    right = client.post(url(trade, "reveal/"), {"password": OWN_PASSWORD})
    at_the_door = browser().post("/accounts/login/", {"login": trade.buyer.email, "password": OWN_PASSWORD})

    assert answers == [422] * 4 + [429]
    assert right.status_code == 429
    assert at_the_door.status_code == 429
    assert PASSWORD not in right.content.decode()
    assert not CredentialReveal.objects.exists()


def test_a_code_of_the_second_factor_opens_the_box_as_well():
    trade = trades.handed_over()
    with_app(trade.buyer)
    client = browser(trade.buyer)

    assert 'name="code"' in client.get(url(trade)).content.decode()
    assert client.post(url(trade, "reveal/"), {"code": "12345x"}).status_code == 422
    assert not CredentialReveal.objects.exists()
    assert (
        PASSWORD
        in client.post(url(trade, "reveal/"), {"code": recovery_codes(trade.buyer)[0]}).content.decode()
    )


def test_who_has_just_said_who_they_are_is_not_asked_again():
    trade = trades.handed_over()
    client = browser(trade.buyer)
    client.post("/accounts/reauthenticate/", {"password": OWN_PASSWORD})

    assert 'name="password"' not in client.get(url(trade)).content.decode().split('id="box"')[1]
    assert PASSWORD in client.post(url(trade, "reveal/")).content.decode()


def test_signing_in_a_moment_ago_opens_no_box():
    trade = trades.handed_over()
    client = browser()
    client.post("/accounts/login/", {"login": trade.buyer.email, "password": OWN_PASSWORD})

    assert client.post(url(trade, "reveal/")).status_code == 422
    assert not CredentialReveal.objects.exists()


def test_neither_the_login_nor_a_password_is_in_any_log_line(caplog):
    trade = trades.paid()
    with caplog.at_level(logging.DEBUG):
        browser(trade.seller).post(url(trade, "hand-over/"), {"login": LOGIN, "password": PASSWORD})
        browser(trade.buyer).post(url(trade, "reveal/"), {"password": "Wrong7741"})
        browser(trade.buyer).post(url(trade, "reveal/"), {"password": OWN_PASSWORD})

    # The test database's own log repeats every parameter of a query; production's is off.
    said = " ".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        if record.name != "django.db.backends"
    )
    assert CredentialReveal.objects.count() == 1
    for secret in (LOGIN, PASSWORD, OWN_PASSWORD, "Wrong7741"):
        assert secret not in said


def test_what_the_seller_wrote_is_text_not_markup():
    trade = trades.paid()
    markup = "<script>alert(1)</script>"
    services.hand_over(trade_id=trade.pk, seller=trade.seller, login=markup, password=markup, note=markup)

    html = browser(trade.buyer).post(url(trade, "reveal/"), {"password": OWN_PASSWORD}).content.decode()

    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)") == 3


def test_both_sides_see_who_looked():
    trade = trades.handed_over()
    services.reveal(trade_id=trade.pk, viewer=trade.buyer)

    assert "Who looked" in browser(trade.seller).get(url(trade)).content.decode()
    assert trade.buyer.display_name in browser(trade.seller).get(url(trade)).content.decode()


# --- Receiving, confirming, disputing ---------------------------------------------------------------


def test_the_buyer_has_the_account_and_the_clock_of_the_payout_starts():
    trade = trades.handed_over()

    response = browser(trade.buyer).post(url(trade, "received/"))

    trade.refresh_from_db()
    assert response.url == url(trade)
    assert trade.status == Status.DELIVERED


def test_confirming_asks_once_more_and_then_pays():
    trade = trades.delivered()
    client = browser(trade.buyer)

    asked = client.get(url(trade, "confirm/"))
    unpaid = ledger.balances(trade.seller).available
    done = client.post(url(trade, "confirm/"))
    again = client.post(url(trade, "confirm/"))

    assert "Release" in asked.content.decode()
    assert unpaid == 0
    assert done.url == again.url == url(trade)
    assert ledger.balances(trade.seller).available == PRICE - PRICE // 10


@pytest.mark.parametrize("stage", ["paid", "disputed", "confirmed"])
def test_where_nothing_can_be_released_the_page_says_so(stage):
    trade = STAGES[stage]()

    html = browser(trade.buyer).get(url(trade, "confirm/")).content.decode()

    assert "There is nothing to release" in html
    assert "Release money</button>" not in html


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_either_side_opens_a_dispute_and_both_read_it(side):
    trade = trades.delivered()
    words = "The password is refused since <b>this</b> morning."

    response = browser(getattr(trade, side)).post(
        url(trade, "dispute/"), {"reason": "login_fails", "statement": words}
    )

    trade.refresh_from_db()
    assert response.url == url(trade)
    assert trade.status == Status.DISPUTED
    for reader in (trade.buyer, trade.seller):
        html = browser(reader).get(url(trade)).content.decode()
        assert "since &lt;b&gt;this&lt;/b&gt; morning" in html


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"reason": "other", "statement": "too short"}, "statement"),
        ({"reason": "other", "statement": " " * 60}, "statement"),
        ({"reason": "other", "statement": "x" * 4001}, "statement"),
        ({"reason": "made up", "statement": "x" * 40}, "reason"),
        ({"csrfmiddlewaretoken": "x"}, "reason"),
    ],
)
def test_a_dispute_needs_a_reason_and_words(form, field):
    trade = trades.delivered()

    response = browser(trade.buyer).post(url(trade, "dispute/"), form)

    assert response.status_code == 422
    assert field in response.context["dispute_form"].errors
    assert not Dispute.objects.exists()


@pytest.mark.parametrize("stage", ["started", "paid", "confirmed", "cancelled", "refunded"])
def test_where_there_is_nothing_to_dispute_the_page_says_so(stage):
    trade = STAGES[stage]()
    client = browser(trade.buyer)

    seen = client.get(url(trade, "dispute/"))
    sent = client.post(url(trade, "dispute/"), {"reason": "other", "statement": "x" * 40})

    assert "from the hand-over until the seller is paid" in seen.content.decode()
    assert sent.status_code in {409, 422}
    assert not Dispute.objects.exists()


# --- The list ---------------------------------------------------------------------------------------


def listed(client, **query):
    response = client.get("/trades/", query)
    assert response.status_code == 200
    return list(response.context["page"])


def test_the_list_shows_ones_own_trades_by_side_and_state():
    me = trades.rich_buyer()
    bought = services.buy(listing_id=ListingFactory(price=PRICE).pk, buyer=me, idempotency_key="one")
    over = services.buy(listing_id=ListingFactory(price=PRICE).pk, buyer=me, idempotency_key="two")
    services.cancel(trade_id=over.pk, buyer=me)
    sold = trades.paid(seller=me)
    trades.paid()
    client = browser(me)

    assert listed(client) == [sold, over, bought]
    assert listed(client, side="buying") == [over, bought]
    assert listed(client, side="selling") == [sold]
    assert listed(client, show="open") == [sold, bought]
    assert listed(client, show="finished") == [over]
    assert listed(client, side="selling", show="finished") == []
    assert listed(client, side="nonsense", show="nonsense", page="zzz") == [sold, over, bought]


def test_an_empty_list_says_what_will_stand_here():
    assert "No trades here yet" in browser(UserFactory()).get("/trades/").content.decode()


def test_htmx_gets_the_list_alone():
    trade = trades.paid()

    part = (
        browser(trade.buyer)
        .get("/trades/", headers={"HX-Request": "true", "HX-Target": "trades"})
        .content.decode()
    )

    assert part.strip().startswith('<section id="trades"')
    assert "<html" not in part


@pytest.mark.parametrize("count", [1, 6])
def test_the_number_of_queries_does_not_grow_with_the_trades(count, django_assert_max_num_queries):
    me = trades.rich_buyer()
    for number in range(count):
        services.buy(listing_id=ListingFactory(price=PRICE).pk, buyer=me, idempotency_key=str(number))
    client = browser(me)
    client.get("/trades/")

    with django_assert_max_num_queries(8):
        client.get("/trades/")


# Eleven of them are the conversation: thread, side, reading (five with its savepoint), bubbles, blocks, presence.
@pytest.mark.parametrize(
    ("stage", "most"), [("started", 22), ("paid", 20), ("handed_over", 20), ("confirmed", 20)]
)
def test_the_page_of_a_trade_costs_few_queries(stage, most, django_assert_max_num_queries):
    trade = STAGES[stage]()
    run_jobs()
    for side in (trade.buyer, trade.seller):
        client = browser(side)
        client.get(url(trade))

        with django_assert_max_num_queries(most):
            client.get(url(trade))
