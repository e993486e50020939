"""The socket of a conversation, through the real application: pages get bubbles, programs get JSON."""

import uuid
from types import SimpleNamespace

import pytest

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.live import pace, watch
from marketplace.core.live.codes import Close
from marketplace.core.testing import call, played, session_of, socket, ticket_of
from marketplace.messaging import access, presence, services
from marketplace.messaging.consumers import ChatSocket
from marketplace.messaging.models import Message
from marketplace.messaging.tests.factories import conversation, said

pytestmark = pytest.mark.django_db(transaction=True)


def path(thread):
    return f"/ws/chat/{thread.pk}/"


async def program(thread, user):
    return socket(path(thread), ticket=await call(ticket_of, user))


async def page(thread, user):
    return socket(path(thread), session=await call(session_of, user))


@played
async def test_what_one_says_the_other_hears_once_in_order_and_so_does_the_sender():
    thread = await call(conversation)
    async with await program(thread, thread.buyer) as buyer, await program(thread, thread.seller) as seller:
        for number in range(5):
            await buyer.say("send_message", text=f"Message {number}", client_id=str(uuid.uuid4()))

        for wire in (seller, buyer):
            heard = [await wire.hear("message_received") for _number in range(5)]
            assert [one["text"] for one in heard] == [f"Message {number}" for number in range(5)]
            assert [one["id"] for one in heard] == sorted(one["id"] for one in heard)
    assert await call(Message.objects.count) == 5


@played
async def test_a_form_post_is_heard_on_sockets_too_as_html_in_a_page():
    thread = await call(conversation)
    async with await page(thread, thread.seller) as seller:
        message = await call(said, thread, "<b>Salom</b>")

        fragment = await seller.fragment()
        while "data-message" not in fragment or "data-signal" in fragment:
            fragment = await seller.fragment()
        assert f'id="m-{message.pk}"' in fragment
        assert "&lt;b&gt;Salom" in fragment
        assert "data-mine" not in fragment


@played
async def test_the_same_client_id_on_two_sockets_is_said_once():
    thread, name = await call(conversation), str(uuid.uuid4())
    async with await program(thread, thread.buyer) as one, await program(thread, thread.buyer) as two:
        await one.say("send_message", text="Salom", client_id=name)
        await one.hear("message_received")
        await two.hear("message_received")
        await two.say("send_message", text="Salom", client_id=name)
        await two.say("ping")
        await two.hear("pong")
        assert await one.is_quiet()
    assert await call(Message.objects.count) == 1


@played
async def test_somebody_elses_conversation_does_not_exist():
    thread = await call(conversation)
    async with await program(thread, await call(UserFactory)) as stranger:
        assert await stranger.closed() == Close.NOT_FOUND
    async with socket(f"/ws/chat/{uuid.uuid4()}/", ticket=await call(ticket_of, thread.buyer)) as nothing:
        assert await nothing.closed() == Close.NOT_FOUND
    async with socket(path(thread)) as visitor:
        assert await visitor.closed() == Close.NOT_AUTHENTICATED


@played
async def test_who_has_not_confirmed_an_address_writes_to_nobody():
    thread = await call(conversation)
    await call(User.objects.filter(pk=thread.buyer.pk).update, is_verified=False)
    async with await page(thread, thread.buyer) as stranger:
        assert await stranger.closed() == Close.NOT_ALLOWED


@played
async def test_a_moderator_who_may_read_a_thread_does_not_listen_in(monkeypatch):
    thread, judge = await call(conversation), await call(lambda: UserFactory(is_staff=True))
    monkeypatch.setattr(access, "_overseers", [lambda user, _thread: user == judge])
    async with await page(thread, judge) as wire:
        assert await wire.closed() == Close.NOT_ALLOWED


@played
async def test_typing_and_reading_are_told_to_the_other_and_not_to_oneself():
    thread = await call(conversation)
    message = await call(said, thread)
    async with await program(thread, thread.buyer) as buyer, await program(thread, thread.seller) as seller:
        await seller.say("typing_start")
        assert (await buyer.hear("typing_start"))["user_id"] == str(thread.seller.pk)
        await seller.say("typing_stop")
        await buyer.hear("typing_stop")
        await seller.say("message_read", message_id=str(message.pk))
        read = await buyer.hear("message_read")
        assert (read["message_id"], read["user_id"]) == (str(message.pk), str(thread.seller.pk))
        await seller.say("ping")
        heard = []
        while (event := await seller.hear())["event"] != "pong":
            heard.append(event["event"])
        assert "typing_start" not in heard


@played
async def test_coming_and_going_is_told():
    thread = await call(conversation)
    async with await program(thread, thread.buyer) as buyer:
        assert (await buyer.hear("user_offline"))["user_id"] == str(thread.seller.pk)
        async with await program(thread, thread.seller) as seller:
            assert (await buyer.hear("user_online"))["user_id"] == str(thread.seller.pk)
            assert (await seller.hear("user_online"))["user_id"] == str(thread.buyer.pk)
        await buyer.hear("user_offline")
    assert await call(presence.last_seen, thread.seller.pk) is not None


@played
async def test_who_stays_is_marked_as_here_again_and_who_has_left_is_not(monkeypatch):
    thread, asked = await call(conversation), []
    renew = presence.renew
    monkeypatch.setattr(presence, "renew", lambda people: (asked.append(len(people)), renew(people)))
    async with await program(thread, thread.buyer) as buyer, await program(thread, thread.seller) as seller:
        await buyer.hear("user_online")
        await seller.hear("user_online")
        for person in (thread.buyer, thread.seller):
            await call(presence.forget, [person.pk])

        await watch.beat_of_all()

        assert await call(presence.here_among, [thread.buyer.pk, thread.seller.pk]) == {
            thread.buyer.pk,
            thread.seller.pk,
        }
        assert asked == [2], "all of a process in one round trip"
    await watch.beat_of_all()
    assert not await call(presence.here_among, [thread.buyer.pk, thread.seller.pk])


@played
async def test_who_leaves_while_marks_are_renewed_is_not_marked_as_here(monkeypatch):
    person, renew = await call(UserFactory), presence.renew
    one = SimpleNamespace(has_entered=True, reader=SimpleNamespace(user=person))
    monkeypatch.setattr(presence, "renew", lambda people: (renew(people), setattr(one, "has_entered", False)))

    await ChatSocket.beat_all([one])

    assert not await call(presence.is_here, person.pk)


@played
async def test_who_closes_one_of_two_windows_is_still_there():
    thread = await call(conversation)
    async with await program(thread, thread.seller) as first, await program(thread, thread.buyer) as buyer:
        await first.hear()
        async with await program(thread, thread.seller) as second:
            await second.hear()
        await buyer.hear("user_offline")
        await buyer.hear("user_online")
        assert await call(presence.is_here, thread.seller.pk)


@played
async def test_what_the_guard_sees_is_refused_with_the_messages_own_name_and_may_be_sent_anyway():
    thread, name = await call(conversation), str(uuid.uuid4())
    async with await program(thread, thread.buyer) as buyer:
        await buyer.say("send_message", text="+998901234567", client_id=name)
        error = await buyer.hear("error")
        assert (error["code"], error["client_id"]) == ("contact_seen", name)
        assert error["details"]["findings"][0]["kind"] == "phone"

        await buyer.say("send_message", text="+998901234567", client_id=name, send_anyway=True)
        assert (await buyer.hear("message_received"))["text"] == "+998901234567"


@played
async def test_changing_and_deleting_reach_open_pages():
    thread = await call(conversation)
    message = await call(said, thread, "500 ming")
    async with await program(thread, thread.seller) as seller, await program(thread, thread.buyer) as buyer:
        await buyer.say("edit_message", message_id=str(message.pk), text="450 ming")
        assert (await seller.hear("message_edited"))["text"] == "450 ming"
        await buyer.say("delete_message", message_id=str(message.pk))
        gone = await seller.hear("message_deleted")
        assert (gone["text"], gone["is_deleted"]) == ("", True)


@pytest.mark.parametrize(
    ("event", "data", "code"),
    [
        ("send_message", {}, "empty_message"),
        ("send_message", {"text": 5}, "empty_message"),
        ("send_message", {"text": "a" * 4001}, "message_too_long"),
        ("edit_message", {"message_id": "x", "text": "a"}, "not_found"),
        ("delete_message", {"message_id": str(uuid.uuid4())}, "not_found"),
        ("no_such_event", {}, "unknown_event"),
    ],
)
def test_what_is_wrong_is_said_and_the_connection_stays(event, data, code):
    @played
    async def story():
        thread = await call(conversation)
        async with await program(thread, thread.buyer) as buyer:
            await buyer.say(event, **data)
            assert (await buyer.hear("error"))["code"] == code
            await buyer.say("send_message", text="Salom")
            await buyer.hear("message_received")

    story()


@played
async def test_the_fifty_first_message_of_a_minute_is_refused_and_typing_does_not_count(monkeypatch):
    monkeypatch.setattr(pace, "clock", lambda: 1_000_000.0)
    thread = await call(conversation)
    async with await program(thread, thread.buyer) as buyer:
        for number in range(50):
            await buyer.say("typing_start")
            await buyer.say("send_message", text=str(number))
        await buyer.say("send_message", text="One more")
        error = await buyer.hear("error")
    assert error["code"] == "too_many_requests"
    assert 0 < error["retry_after"] <= 60
    assert await call(Message.objects.count) == 50


@played
async def test_a_blocked_person_is_told_so():
    thread = await call(conversation)
    await call(services.block, user=thread.seller, other=thread.buyer)
    async with await program(thread, thread.buyer) as buyer:
        await buyer.say("send_message", text="Salom")
        assert (await buyer.hear("error"))["code"] == "blocked"
