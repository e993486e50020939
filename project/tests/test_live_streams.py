"""The one event stream of a page: what it may follow, what it is sent, and how much of it there is."""

import json
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from marketplace.accounts import services as accounts
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core import realtime
from marketplace.core.live import connection, endings, limits, stream, watch
from marketplace.core.testing import call, feed, played, session_of
from marketplace.escrow import selectors as trades_of
from marketplace.escrow import services as escrow
from marketplace.escrow.tests import factories as trades
from marketplace.listings import services as listings
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import ListingFactory
from marketplace.notifications import services as notifications
from marketplace.notifications.models import Notification

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def aziza():
    return UserFactory()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(stream, "SPREAD", 0.0)
    yield
    assert limits.count() == {"all": 0, "visitors": 0}


def tell(user, kind="payout_card_added", **context):
    words = {"card": "8600 •••• 1234", "time": "tomorrow", **context}
    return notifications.notify(user=user, kind=kind, context=words, action_url="/wallet/")


# --- What is sent -----------------------------------------------------------------------------------


@played
async def test_a_stream_is_an_event_stream_that_nothing_keeps_or_buffers(aziza):
    async with feed(session=await call(session_of, aziza)) as page:
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/event-stream")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-accel-buffering"] == "no"


@played
async def test_a_notification_arrives_as_counter_and_toast_in_the_readers_language(aziza):
    aziza.language = "ru"
    await call(aziza.save)
    stranger = await call(UserFactory)
    async with (
        feed(session=await call(session_of, aziza)) as page,
        feed(session=await call(session_of, stranger)) as other,
    ):
        await page.hear("chats")
        await other.hear("chats")

        row = await call(tell, aziza)

        event = await page.hear("notification")
        assert event["id"] == str(row.pk)
        assert 'id="bell" hx-swap-oob="true"' in event["data"]
        assert 'aria-hidden="true">1</span>' in event["data"]
        assert '<div id="toasts" hx-swap-oob="beforeend">' in event["data"]
        assert "Добавлена новая карта" in event["data"]
        assert 'href="/wallet/"' in event["data"]
        await call(tell, stranger)
        assert (await other.hear())["id"] != str(row.pk)


@played
async def test_what_people_write_cannot_leave_its_event(aziza):
    evil = "x\n\nevent: notification\ndata: <script>alert(1)</script>"
    async with feed(session=await call(session_of, aziza)) as page:
        await page.hear("chats")

        await call(tell, aziza, card=evil)

        event = await page.hear()
        assert event["event"] == "notification"
        assert "<script>" not in event["data"]
        assert "&lt;script&gt;" in event["data"]


@played
async def test_reading_elsewhere_empties_the_counter(aziza):
    row = await call(tell, aziza)
    async with feed(session=await call(session_of, aziza)) as page:
        assert 'aria-hidden="true">1</span>' in (await page.hear("notifications_read"))["data"]

        await call(notifications.mark_read, user=aziza, notification_id=row.pk)

        event = await page.hear("notifications_read")
        assert "counter" not in event["data"]
        assert "toast" not in event["data"]


@pytest.mark.parametrize("how", ["header", "address"])
def test_after_a_break_what_came_meanwhile_is_shown_and_nothing_older(aziza, how):
    @played
    async def story():
        seen = await call(tell, aziza)
        await call(tell, aziza, "plan_cancelled", plan="Pro", deadline="1 May")
        last = {"Last-Event-ID": str(seen.pk)} if how == "header" else {"last": str(seen.pk)}

        async with feed(session=await call(session_of, aziza), **last) as page:
            event = await page.hear()

        assert event["event"] == "notification"
        assert "Your Pro plan is cancelled" in event["data"]
        assert "A new payout card was added" not in event["data"]
        assert 'aria-hidden="true">2</span>' in event["data"]

    story()


@played
async def test_after_a_long_break_there_are_few_toasts_and_none_of_long_ago(aziza):
    seen = await call(tell, aziza)
    old = await call(tell, aziza)
    await call(Notification.objects.filter(pk=old.pk).update, created_at=timezone.now() - timedelta(hours=1))
    for _n in range(5):
        await call(tell, aziza, "plan_cancelled", plan="Pro", deadline="1 May")

    async with feed(session=await call(session_of, aziza), last=str(seen.pk)) as page:
        event = await page.hear()

    assert event["data"].count('role="status"') == 3
    assert "A new payout card was added" not in event["data"]


@played
async def test_a_last_event_id_that_is_none_is_no_matter(aziza):
    async with feed(session=await call(session_of, aziza), last="'; DROP TABLE") as page:
        assert (await page.hear())["event"] == "notifications_read"


# --- The end of a sign-in ---------------------------------------------------------------------------


@played
async def test_the_last_thing_a_stream_says_is_that_its_sign_in_has_ended(aziza):
    session = await call(session_of, aziza)
    async with feed(session=session) as page:
        await page.hear("chats")

        await call(endings.end_session, aziza.pk, session)

        last = await page.receive_output()
        while last.get("more_body"):
            last = await page.receive_output()
        assert last["body"].decode() == "event: signed_out\ndata: now\n\n"


@played
async def test_a_page_that_was_made_for_somebody_hears_that_its_reader_is_a_visitor_now(aziza):
    async with feed(made_for_somebody=True) as page:
        assert await page.hear() == {"event": "signed_out", "data": "before"}

    async with feed(session=await call(session_of, aziza), made_for_somebody=True) as page:
        assert (await page.hear())["event"] == "notifications_read"


# --- What a page may follow -------------------------------------------------------------------------


@played
async def test_a_trade_is_followed_by_its_two_sides_only():
    trade = await call(trades.started)
    outsider, staff = await call(UserFactory), await call(StaffFactory)
    topic = f"trade:{trade.pk}"
    async with (
        feed(topic, session=await call(session_of, trade.seller)) as seller,
        feed(topic, session=await call(session_of, trade.buyer)) as buyer,
        feed(topic, session=await call(session_of, outsider)) as other,
        feed(topic) as nobody,
    ):
        await call(escrow.pay_from_balance, trade_id=trade.pk, buyer=trade.buyer)

        for page in (seller, buyer):
            event = await page.hear("trade_changed")
            assert json.loads(event["data"])["status"] == "paid"
        await call(tell, outsider)
        heard = [(await other.hear())["event"] for _greeting in range(3)]
        assert heard == ["notifications_read", "chats", "notification"]
        assert nobody.output_queue.qsize() <= 1  # its greeting, if it was not read yet
    assert staff.pk


@played
async def test_the_seller_sees_that_the_login_was_opened():
    trade = await call(trades.handed_over)
    before = await call(trades_of.stamp, trade)
    async with feed(f"trade:{trade.pk}", session=await call(session_of, trade.seller)) as page:
        await call(escrow.reveal, trade_id=trade.pk, viewer=trade.buyer)

        await page.hear("trade_changed")
        assert await call(trades_of.live_stamp, trade.seller, str(trade.pk)) != before


@played
async def test_what_changed_between_the_page_and_its_stream_is_told_at_once():
    trade = await call(trades.started)
    stamp = await call(trades_of.stamp, trade)
    session = await call(session_of, trade.buyer)
    async with feed(f"trade:{trade.pk}:{stamp}", session=session) as page:
        heard = [(await page.hear())["event"] for _greeting in range(2)]
        await call(tell, trade.buyer)
        heard.append((await page.hear())["event"])
        assert heard == ["notifications_read", "chats", "notification"], "and no trade_changed among them"

    await call(escrow.pay_from_balance, trade_id=trade.pk, buyer=trade.buyer)

    async with feed(f"trade:{trade.pk}:{stamp}", session=session) as page:
        await page.hear("trade_changed")


@played
async def test_visitors_follow_an_offer_and_learn_no_more_than_that_it_changed():
    offer = await call(ListingFactory)
    moderator = await call(StaffFactory)
    async with feed(f"listing:{offer.pk}:{offer.version}") as page:
        await call(listings.block, listing_id=offer.pk, moderator=moderator, reason="A secret reason.")

        assert await page.hear() == {"event": "listing_changed", "data": json.dumps({"id": str(offer.pk)})}


@pytest.mark.parametrize("status", ["draft", "pending", "rejected", "blocked", "archived"])
def test_an_offer_that_is_not_public_is_followed_by_its_seller_only(status):
    @played
    async def story():
        offer = await call(ListingFactory, status=status)
        async with (
            feed(f"listing:{offer.pk}:0") as visitor,
            feed(f"listing:{offer.pk}:0", session=await call(session_of, offer.seller)) as seller,
        ):
            await seller.hear("listing_changed")
            await call(realtime.publish, f"listing:{offer.pk}", "listing_changed", {})
            await seller.hear("listing_changed")
            assert visitor.output_queue.qsize() <= 1
            assert "event" not in str(list(visitor.output_queue._queue))

    story()


@played
async def test_the_queue_is_followed_by_moderators_only(aziza):
    listing = await call(ListingFactory, status="pending")
    moderator = await call(StaffFactory)
    async with (
        feed("queue::1", session=await call(session_of, moderator)) as page,
        feed("queue::1", session=await call(session_of, aziza)) as other,
    ):
        await page.hear("chats")
        await other.hear("chats")
        await call(listings.approve, listing_id=listing.pk, moderator=moderator)

        assert (await page.hear())["event"] == "queue_changed"
        await call(tell, aziza)
        assert (await other.hear())["event"] == "notification"


@pytest.mark.parametrize(
    "topic",
    ["", ":", "::::", "trade", "trade:x", "listing:x", "listing:" + "0" * 5000, "user:1", "person:1", "nothing:1", "queue:\x00",
     "trade:../../etc", "listing:'; DROP TABLE listings_listing"],
)  # fmt: skip
def test_what_is_no_topic_is_not_followed_and_breaks_nothing(aziza, topic):
    @played
    async def story():
        async with feed(topic, session=await call(session_of, aziza)) as page:
            assert page.status == 200
            assert (await page.hear())["event"] == "notifications_read"

    story()


@played
async def test_nobody_follows_somebody_elses_own_events(aziza):
    stranger = await call(UserFactory)
    async with feed(f"user:{aziza.pk}", session=await call(session_of, stranger)) as page:
        await page.hear("chats")
        await call(tell, aziza)
        await call(tell, stranger)

        assert 'aria-hidden="true">1</span>' in (await page.hear())["data"]
        assert page.output_queue.empty()


# --- The end, and bounds ----------------------------------------------------------------------------


@played
async def test_a_stream_ends_with_the_sign_in(aziza):
    async with feed(session=await call(session_of, aziza)) as page:
        await call(accounts.change_password, user=aziza, password="Silovsin8852")

        assert await page.ended()


@played
async def test_a_foreign_page_gets_no_stream(aziza):
    async with feed(session=await call(session_of, aziza), Origin="https://evil.example") as page:
        assert page.status == 403
    async with feed(session=await call(session_of, aziza), Origin="http://testserver") as page:
        assert page.status == 200


@played
async def test_a_stream_takes_get_only():
    async with feed(method="POST") as page:
        assert (page.status, page.headers["allow"]) == (405, "GET")


@played
async def test_one_address_does_not_take_all_places_of_visitors(aziza):
    with override_settings(LIVE_MAX_PER_ADDRESS=2):
        async with feed(), feed():
            async with feed() as third:
                assert third.status == 429
                assert 20 <= int(third.headers["retry-after"]) < 60
            async with feed(session=await call(session_of, aziza)) as person:
                assert person.status == 200
        async with feed() as again:
            assert again.status == 200


@played
async def test_visitors_leave_room_for_people(aziza):
    with override_settings(LIVE_MAX_VISITORS=1):
        async with feed(), feed() as second, feed(session=await call(session_of, aziza)) as person:
            assert second.status == 503
            assert person.status == 200


@played
async def test_a_signed_in_person_has_a_bound_too(aziza):
    session = await call(session_of, aziza)
    with override_settings(LIVE_MAX_PER_PERSON=1):
        async with feed(session=session), feed(session=session) as second:
            assert second.status == 429


@played
async def test_a_silent_stream_gives_signs_of_life(aziza):
    async with feed(session=await call(session_of, aziza)) as page:
        await page.hear("chats")

        for kept in watch._watches.values():
            for one in kept.connections:
                one.beat()

        message = await page.receive_output(10)
        assert message["body"].startswith(b":")


@played
async def test_a_page_that_reads_too_slowly_is_told_to_look_for_itself(aziza, monkeypatch):
    monkeypatch.setattr(connection, "OUTBOX", 5)
    async with feed(session=await call(session_of, aziza)) as page:
        await page.hear("chats")
        ((one,),) = [kept.connections for kept in watch._watches.values() if kept.connections]

        for _n in range(8):
            one.put("event: x\ndata: {}\n\n")  # faster than any loop could send

        heard = [(await page.hear())["event"] for _n in range(3)]
        assert "resync" in heard


@played
async def test_visitors_look_at_a_changed_offer_one_after_another(monkeypatch):
    monkeypatch.setattr(stream, "SPREAD", 0.2)
    offer = await call(ListingFactory)
    async with feed(f"listing:{offer.pk}:{offer.version}") as page:
        await call(realtime.publish, f"listing:{offer.pk}", "listing_changed", {"id": str(offer.pk)})

        assert (await page.hear())["event"] == "listing_changed"


# --- Pages ------------------------------------------------------------------------------------------


def test_a_kept_page_of_an_offer_names_what_it_follows_and_stays_kept(client):
    from marketplace.core import page_cache

    offer = ListingFactory()
    first = client.get(offer.get_absolute_url())
    kept = len(page_cache._bodies)

    second = client.get(offer.get_absolute_url())

    assert (
        f'sse-connect="/live/?on=listing:{offer.pk}:{offer.version}&amp;on=catalogue::"'
        in first.content.decode()
    )
    assert first.content == second.content
    assert len(page_cache._bodies) == kept == 1


def test_the_bells_panel_has_the_latest_few_in_a_fixed_number_of_queries(
    client, aziza, django_assert_num_queries
):
    for _n in range(9):
        tell(aziza)
    tell(UserFactory(), "plan_cancelled", plan="Theirs", deadline="1 May")
    client.force_login(aziza, backend="django.contrib.auth.backends.ModelBackend")
    client.get("/notifications/panel/")

    with django_assert_num_queries(4):  # session, person, the latest, the count
        answer = client.get("/notifications/panel/")

    text = answer.content.decode()
    assert text.count("A new payout card was added") == 6
    assert "Theirs" not in text
    assert "no-store" in answer["Cache-Control"]


def test_the_bells_panel_is_nobody_elses(client):
    assert client.get("/notifications/panel/").status_code == 302


def test_where_no_stream_can_be_had_the_address_answers_at_once_with_nothing(client):
    """gunicorn's threads are few: a stream there would hold one for good. The proxy sends /live/ elsewhere."""
    answer = client.get("/live/?on=queue")

    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (204, b"", "no-store")


def test_a_trade_that_has_not_changed_is_not_sent_again(client):
    trade = trades.started()
    client.force_login(trade.buyer, backend="django.contrib.auth.backends.ModelBackend")
    asks = {"HX-Request": "true", "HX-Target": "trade-state"}
    url, stamp = f"/trades/{trade.pk}/", trades_of.stamp(trade)

    assert client.get(f"{url}?seen={stamp}", headers=asks).status_code == 204
    assert client.get(f"{url}?seen=older", headers=asks).status_code == 200
    assert client.get(f"{url}?seen={stamp}").status_code == 200  # a reload is answered with the page
    part = client.get(url, headers=asks).content.decode()
    assert 'id="trade-bar" class="contents" hx-swap-oob="true"' in part
    assert Listing.objects.count() == 1
