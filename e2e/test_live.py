"""Open pages move by themselves, in two real browsers: nobody reloads anything here."""

import uuid

import pytest
from playwright.sync_api import expect

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.live import watch
from marketplace.core.live.codes import Close
from marketplace.core.testing import in_parallel
from marketplace.escrow import services as escrow
from marketplace.escrow.tests import factories as trades
from marketplace.listings import services as listings
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory
from marketplace.notifications import services as notifications

pytestmark = pytest.mark.e2e


def done(call):
    """Something that happens elsewhere. In a thread of its own: the browser's driver keeps a loop running in this one."""
    (result,) = in_parallel(call)
    assert not isinstance(result, BaseException), result
    return result


def follows_live(person, path):
    """On this page, with the stream open."""
    person.goes_to(path)
    expect(person.page.locator("html[data-live=open]")).to_be_attached()
    person.page.evaluate("window.sameDocument = true")


def did_not_reload(person):
    assert person.page.evaluate("window.sameDocument === true")


def bell(person):
    return person.page.locator("#bell")


def tells(user, kind="payout_card_added", **context):
    words = {"card": "8600 •••• 1234", "time": "tomorrow", **context}
    return done(lambda: notifications.notify(user=user, kind=kind, context=words, action_url="/wallet/"))


# --- Notifications ----------------------------------------------------------------------------------


def test_a_notification_arrives_in_every_open_page_of_a_person_and_nowhere_else(visitor):
    reader, stranger = UserFactory(), UserFactory()
    one, two, other = visitor(), visitor(), visitor()
    one.logs_in(reader.email)
    two.logs_in(reader.email)
    other.logs_in(stranger.email)
    follows_live(one, "/listings/")
    follows_live(two, "/wallet/")
    follows_live(other, "/listings/")

    tells(reader)

    for person in (one, two):
        expect(bell(person)).to_have_accessible_name("Notifications, 1 unread")
        expect(person.page.locator("#toasts")).to_contain_text("A new payout card was added")
        did_not_reload(person)
    one.page.locator("#toasts").get_by_role("link", name="See the cards").click()
    one.reads_heading("Wallet")
    expect(bell(other)).to_have_accessible_name("Notifications")
    expect(other.page.locator("#toasts .toast")).to_have_count(0)


def test_reading_in_one_page_empties_the_counter_of_another(visitor):
    reader = UserFactory()
    tells(reader)
    one, two = visitor(), visitor()
    one.logs_in(reader.email)
    two.logs_in(reader.email)
    follows_live(two, "/listings/")
    expect(bell(two)).to_have_accessible_name("Notifications, 1 unread")

    one.goes_to("/notifications/")
    one.presses("Mark all read")

    expect(bell(two)).to_have_accessible_name("Notifications")
    did_not_reload(two)


def test_the_bell_opens_the_latest_which_grow_while_one_looks(visitor):
    reader = UserFactory()
    person = visitor()
    person.logs_in(reader.email)
    follows_live(person, "/listings/")
    panel = person.page.locator("#bell-panel")

    bell(person).click()
    expect(panel).to_contain_text("Nothing here yet")
    tells(reader)
    expect(panel).to_contain_text("A new payout card was added")
    bell(person).click()
    expect(panel).to_be_hidden()
    bell(person).focus()
    person.page.keyboard.press("Enter")
    expect(panel).to_be_visible()
    person.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()

    person.page.set_viewport_size({"width": 390, "height": 844})
    bell(person).click()
    person.reads_heading("Notifications")
    assert person.page.url.endswith("/notifications/")


def test_the_inbox_itself_grows(visitor):
    reader = UserFactory()
    person = visitor()
    person.logs_in(reader.email)
    follows_live(person, "/notifications/")
    person.sees("Nothing here yet")

    tells(reader)

    expect(person.page.locator("#notifications")).to_contain_text("A new payout card was added")
    did_not_reload(person)


def test_a_sound_is_off_until_the_reader_asks_for_it_and_important_things_buzz(visitor):
    reader = UserFactory()
    person = visitor()
    person.page.add_init_script(
        "window.buzzes = 0; Object.defineProperty(navigator, 'vibrate', {value: () => { window.buzzes += 1; }})"
    )
    person.logs_in(reader.email)
    follows_live(person, "/notifications/")
    html = person.page.locator("html")

    tells(reader)
    expect(person.page.locator("#toasts .toast")).to_have_count(1)
    assert html.get_attribute("data-chimed") is None
    assert person.page.evaluate("window.buzzes") == 1

    person.presses("Sound")
    expect(html).to_have_attribute("data-chimed", "1")  # as it will sound
    tells(reader, "plan_cancelled", plan="Pro", deadline="1 May")
    expect(html).to_have_attribute("data-chimed", "2")
    assert person.page.evaluate("window.buzzes") == 1  # nothing to worry about


# --- Offers -----------------------------------------------------------------------------------------


def test_an_open_offer_shows_a_new_price_and_then_that_it_is_sold(visitor):
    offer = ListingFactory(price=777_000_00)
    buyer = trades.rich_buyer()
    reader, phone = visitor(), visitor(viewport={"width": 390, "height": 844})
    for person in (reader, phone):  # visitors: their page is the one that is kept in memory
        follows_live(person, offer.get_absolute_url())
        person.sees("777\u00a0000")

    done(lambda: new_price(offer, 666_000_00))

    for person in (reader, phone):
        person.sees("666\u00a0000")
    trade = done(
        lambda: escrow.buy_from_balance(listing_id=offer.pk, buyer=buyer, idempotency_key=uuid.uuid4().hex)
    )
    for person in (reader, phone):
        person.sees("Somebody is buying this account")
        expect(person.page.locator(f"a[href='/listings/{offer.pk}/buy/']")).to_have_count(0)
    done(lambda: escrow.hand_over(trade_id=trade.pk, seller=trade.seller))
    done(lambda: escrow.confirm(trade_id=trade.pk, buyer=trade.buyer))
    for person in (reader, phone):
        person.sees("This account was sold")
        did_not_reload(person)


def test_lists_show_a_new_price_and_a_sale_and_drop_what_is_taken_down(visitor):
    offer, other = ListingFactory(title="Qorli togʻ", price=787_878_00), ListingFactory(title="Oltin vodiy")
    buyer = trades.rich_buyer()
    reader, member = visitor(), visitor()
    member.logs_in(UserFactory().email)
    for person in (reader, member):  # a visitor's list is the one that is kept in memory
        follows_live(person, "/listings/")
        expect(card(person, offer)).to_contain_text("787\u00a0878")
        expect(card(person, other)).to_have_count(1)

    done(lambda: new_price(offer, 676_767_00))

    for person in (reader, member):
        expect(card(person, offer)).to_contain_text("676\u00a0767")
    done(lambda: escrow.buy_from_balance(listing_id=offer.pk, buyer=buyer, idempotency_key=uuid.uuid4().hex))
    for person in (reader, member):
        expect(card(person, offer)).to_contain_text("Being bought")
    done(lambda: listings.withdraw(listing_id=other.pk, seller=other.seller))
    for person in (reader, member):
        expect(card(person, other)).to_have_count(0)
        did_not_reload(person)


def card(person, offer):
    return person.page.locator(".lcard", has_text=offer.title)


def new_price(offer, price):
    offer = Listing.objects.get(pk=offer.pk)
    content = listings.Content(
        game=offer.game, title=offer.title, description=offer.description, price=price, original_price=None,
        attributes=offer.attributes, features=offer.features, login_method=offer.login_method,
    )  # fmt: skip
    return listings.edit(listing_id=offer.pk, seller=offer.seller, version=offer.version, content=content)


def test_an_offer_that_is_taken_down_says_so_to_who_looks_at_it(visitor):
    offer, moderator = ListingFactory(), StaffFactory()
    reader = visitor()
    follows_live(reader, offer.get_absolute_url())

    done(lambda: listings.block(listing_id=offer.pk, moderator=moderator, reason="Not yours to sell."))

    reader.sees("This offer was taken down")
    reader.complaints.clear()  # the browser notes the 404 of the look


# --- Trades -----------------------------------------------------------------------------------------


def test_an_open_trade_moves_on_for_both_sides_and_keeps_what_is_being_typed(visitor):
    trade = done(trades.started)
    seller, buyer = visitor(), visitor(viewport={"width": 390, "height": 844})
    seller.logs_in(trade.seller.email)
    buyer.logs_in(trade.buyer.email)
    path = f"/trades/{trade.pk}/"
    follows_live(seller, path)
    follows_live(buyer, path)

    done(lambda: escrow.pay_from_balance(trade_id=trade.pk, buyer=trade.buyer))
    login = seller.page.locator("#hand-over input:not([type=hidden])").first
    login.fill("conqueror@example.uz")
    buyer.sees("in escrow")
    # A look that finds nothing new leaves the form alone.
    with seller.page.expect_response(lambda answer: "seen=" in answer.url) as looked:
        seller.page.evaluate("htmx.trigger(document.body, 'liveSync')")
    assert looked.value.status == 204
    expect(login).to_have_value("conqueror@example.uz")

    done(lambda: escrow.hand_over(trade_id=trade.pk, seller=trade.seller))
    expect(buyer.page.locator("#trade-bar")).to_contain_text("Confirm")
    done(lambda: escrow.confirm(trade_id=trade.pk, buyer=trade.buyer))
    for person in (seller, buyer):
        expect(person.page.locator("#trade-state")).not_to_contain_text("Hand over")
        did_not_reload(person)
    seller.sees("came to your wallet")


# --- The moderators' queue --------------------------------------------------------------------------


def test_the_moderators_counter_and_queue_grow_while_they_look_at_a_listing(visitor):
    first = ListingFactory(status="pending", title="The one that is looked at")
    person = visitor()
    person.logs_in(StaffFactory().email)
    follows_live(person, f"/moderation/?listing={first.pk}")
    before = int(person.page.locator("#queue-count").inner_text())
    waits = ListingFactory(status="draft", title="The one that arrives")

    done(lambda: send_to_review(waits))

    expect(person.page.locator("#queue-count")).to_have_text(str(before + 1))
    expect(person.page.locator("#side-count-1")).to_have_text(str(before + 1))
    person.reads_heading("The one that is looked at")
    did_not_reload(person)
    Listing.objects.filter(status="pending").update(status="draft")


def send_to_review(listing):
    offer = Listing.objects.get(pk=listing.pk)
    content = listings.Content(
        game=offer.game, title=offer.title + " now", description=offer.description, price=offer.price, original_price=None,
        attributes=offer.attributes, features=offer.features, login_method=offer.login_method,
    )  # fmt: skip
    secrets = listings.Secrets(account_email="a@example.uz", account_password="Maxfiy-42")
    return listings.edit(
        listing_id=offer.pk, seller=offer.seller, version=offer.version, content=content, secrets=secrets
    )


# --- The connection ---------------------------------------------------------------------------------


def test_a_broken_connection_is_shown_and_what_was_missed_is_fetched_when_it_is_back(visitor):
    trade = done(trades.started)
    person = visitor()
    person.logs_in(trade.buyer.email)
    follows_live(person, f"/trades/{trade.pk}/")
    state = person.page.locator("#conn")
    expect(state).to_be_hidden()

    person.page.context.set_offline(True)
    expect(state).to_have_attribute("data-state", "offline")
    expect(state).to_contain_text("No connection")
    done(lambda: escrow.pay_from_balance(trade_id=trade.pk, buyer=trade.buyer))
    person.page.context.set_offline(False)

    expect(state).to_have_attribute("data-state", "connected")
    expect(state).to_be_hidden()
    person.sees("in escrow")
    did_not_reload(person)
    person.complaints.clear()  # the browser notes every failed try


def test_cards_show_what_changed_while_the_line_was_cut(visitor):
    dearer, gone = ListingFactory(), ListingFactory()
    person = visitor()
    follows_live(person, "/listings/")
    expect(card(person, gone)).to_be_visible()

    person.page.context.set_offline(True)
    done(lambda: new_price(dearer, 4_200_000_00))
    done(lambda: listings.withdraw(listing_id=gone.pk, seller=gone.seller))
    person.page.context.set_offline(False)

    expect(card(person, dearer)).to_contain_text("4\u00a0200\u00a0000")
    expect(card(person, gone)).to_have_count(0)
    did_not_reload(person)
    person.complaints.clear()  # the browser notes every failed try


def test_a_server_that_lets_go_is_tried_again_until_it_is_back(visitor):
    reader = UserFactory()
    person = visitor()
    person.logs_in(reader.email)
    follows_live(person, "/listings/")
    state = person.page.locator("#conn")

    person.page.route("**/live/**", lambda route: route.abort())
    ends_streams_of(reader)
    expect(state).to_have_attribute("data-state", "reconnecting")
    tells(reader)
    person.page.unroute("**/live/**")

    expect(bell(person)).to_have_accessible_name("Notifications, 1 unread")
    expect(person.page.locator("#toasts")).to_contain_text("A new payout card was added")  # it came meanwhile
    expect(state).to_be_hidden()
    did_not_reload(person)
    person.complaints.clear()


def ends_streams_of(user):
    """As a restart does; the server runs in a thread of this process."""
    for loop, kept in list(watch._watches.items()):
        for connection in list(kept.connections):
            if connection.reader.user.pk == user.pk:
                loop.call_soon_threadsafe(connection.end, Close.TRY_LATER)


def test_without_a_network_a_click_offers_to_try_again(visitor):
    offer = ListingFactory()
    person = visitor()
    person.logs_in(UserFactory().email)
    follows_live(person, "/listings/")
    person.page.context.set_offline(True)
    heart = person.page.locator(f"form[action*='{offer.pk}'] button, button[formaction*='{offer.pk}']").first

    heart.click()
    banner = person.page.locator(".toast[data-offline]")
    expect(banner).to_contain_text("No connection")
    person.page.context.set_offline(False)
    banner.get_by_role("button", name="Try again").click()

    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(banner).to_have_count(0)
    person.complaints.clear()


def test_without_scripts_pages_are_what_they_were(visitor):
    reader = UserFactory()
    tells(reader)
    person = visitor(scripts=False)
    person.logs_in(reader.email)

    person.goes_to("/notifications/")

    expect(bell(person)).to_have_accessible_name("Notifications, 1 unread")
    expect(person.page.locator("#conn")).to_be_hidden()
    expect(person.page.locator("[data-sound]")).to_be_hidden()
