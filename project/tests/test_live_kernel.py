"""The kernel of what is live: who comes in, what a socket takes and says, when it closes, and what a slow reader costs."""

import asyncio
import json
import logging
import time

import pytest
from channels.layers import get_channel_layer
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.test import Client
from django.urls import path
from django.utils import translation

from marketplace.accounts import services as accounts
from marketplace.accounts import tokens
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core import realtime
from marketplace.core.errors import DomainError
from marketplace.core.live import connection, limits, pace, tickets, watch
from marketplace.core.live.codes import Close
from marketplace.core.live.routing import sockets
from marketplace.core.live.socket import LiveSocket
from marketplace.core.testing import call, in_parallel, played, session_of, socket, ticket_of

pytestmark = pytest.mark.django_db(transaction=True)


class Refused(DomainError):
    code = "not_today"
    message = "Not today."


class Echo(LiveSocket):
    """Says back what it is told, and follows one topic."""

    uncounted = frozenset({"typing"})

    async def enter(self):
        wanted = self.scope["url_route"]["kwargs"]["name"]
        if wanted == "nothing":
            raise Http404
        if wanted == "closed":
            raise PermissionDenied
        await self.listen(f"echo:{wanted}")

    async def on_say(self, data):
        await self.tell("said", data)

    async def on_typing(self, _data):
        pass

    async def on_refuse(self, _data):
        raise Refused("inner words")

    async def on_break(self, _data):
        raise ZeroDivisionError

    def html(self, event, data):
        return (
            f'<p id="{event}">{data.get("text", "")} {translation.get_language()}</p>'
            if event == "said"
            else ""
        )


ECHO = sockets([path("ws/echo/<slug:name>/", Echo.as_asgi())])


def echo(name="room", **how):
    return socket(f"/ws/echo/{name}/", application=ECHO, **how)


@pytest.fixture
def aziza():
    return UserFactory()


@pytest.fixture(autouse=True)
def _nobody_is_left(caplog):
    """Every test leaves its places behind free."""
    caplog.set_level(logging.INFO, "marketplace")
    logging.getLogger("marketplace").propagate = True
    yield
    logging.getLogger("marketplace").propagate = False
    assert limits.count() == {"all": 0, "visitors": 0}


def refresh_of(user):
    return tokens.issue(user=user)


def ticket(access):
    return Client().post("/api/v1/auth/ws-ticket/", headers={"Authorization": f"Bearer {access}"})


# --- Who comes in -----------------------------------------------------------------------------------


@played
async def test_a_browser_comes_in_by_its_session(aziza):
    async with echo(session=await call(session_of, aziza)) as wire:
        await wire.say("say", text="salom")

        assert await wire.fragment() == '<p id="said">salom en</p>'


@played
async def test_a_program_comes_in_by_a_ticket_without_an_origin_and_gets_json(aziza):
    async with echo(ticket=await call(ticket_of, aziza)) as wire:
        await wire.say("say", text="salom")

        assert await wire.hear() == {"event": "said", "data": {"text": "salom"}}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://testserver.evil.example",
        "http://testserver:8080",
        "null",
        "",
        "http://[",
    ],
)
def test_a_page_from_elsewhere_cannot_open_a_socket_in_our_readers_name(aziza, origin):
    @played
    async def story():
        wire = echo(session=await call(session_of, aziza), origin=origin)

        assert await wire.connect() == (False, 1000)  # before the handshake: a 403

    story()


@played
async def test_a_session_without_an_origin_is_not_enough(aziza):
    assert await echo(session=await call(session_of, aziza), origin=None).connect() == (False, 1000)


def test_with_https_a_page_without_it_opens_no_socket(aziza, settings):
    settings.SESSION_COOKIE_SECURE = True

    @played
    async def story():
        session = await call(session_of, aziza)
        plain, encrypted = (
            echo(session=session, origin=f"{scheme}://testserver") for scheme in ("http", "https")
        )

        assert await plain.connect() == (False, 1000)
        async with encrypted:
            pass

    story()


@played
async def test_a_foreign_origin_is_refused_even_with_a_ticket(aziza):
    wire = echo(ticket=await call(ticket_of, aziza), origin="https://evil.example")

    assert await wire.connect() == (False, 1000)


def test_origins_that_forms_may_come_from_may_open_sockets_too(aziza, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.wibestore.test", "https://*.partner.test"]

    @played
    async def story():
        session = await call(session_of, aziza)
        for origin in ("https://app.wibestore.test", "https://m.partner.test"):
            async with echo(session=session, origin=origin):
                pass
        for origin in ("http://app.wibestore.test", "https://partner.test.evil.example"):
            assert await echo(session=session, origin=origin).connect() == (False, 1000)

    story()


def test_a_host_that_is_not_ours_is_refused(aziza, settings):
    @played
    async def story():
        ticket = await call(ticket_of, aziza)
        settings.ALLOWED_HOSTS = ["wibestore.uz"]
        assert await echo(ticket=ticket).connect() == (False, 1000)

    story()


def grant_of(user, **changes):
    access = refresh_of(user).access
    token = tokens.AccessToken(access)
    values = {
        "user_id": str(user.pk), "until": time.time() + 600, "password_mark": token["password_mark"], "sign_in": token["sid"],
        "language": "en", **changes,
    }  # fmt: skip
    return tickets.Grant(**values)


@pytest.mark.parametrize(
    "how", [{}, {"session": "made-up-session-key"}, {"ticket": "made-up"}, {"ticket": "\u20ac\x00"}]
)
def test_who_shows_nothing_good_is_told_so_in_a_code(how):
    @played
    async def story():
        async with echo(**how) as wire:
            assert await wire.closed() == Close.NOT_AUTHENTICATED

    story()


@played
async def test_a_ticket_that_is_no_good_is_not_made_good_by_a_session(aziza):
    async with echo(ticket="made-up", session=await call(session_of, aziza)) as wire:
        assert await wire.closed() == Close.NOT_AUTHENTICATED


@pytest.mark.parametrize(("name", "code"), [("nothing", Close.NOT_FOUND), ("closed", Close.NOT_ALLOWED)])
def test_what_is_not_there_and_what_is_not_for_them_have_codes_of_their_own(aziza, name, code):
    @played
    async def story():
        async with echo(name, session=await call(session_of, aziza)) as wire:
            assert await wire.closed() == code

    story()


@played
async def test_an_address_without_a_socket_is_closed_as_not_found(aziza):
    async with socket("/ws/no/such/", ticket=await call(ticket_of, aziza)) as wire:
        assert await wire.closed() == Close.NOT_FOUND


# --- Tickets ----------------------------------------------------------------------------------------


@played
async def test_a_ticket_opens_one_socket(aziza):
    ticket = await call(ticket_of, aziza)

    async with echo(ticket=ticket), echo(ticket=ticket) as second:
        assert await second.closed() == Close.NOT_AUTHENTICATED


def test_of_sockets_that_show_one_ticket_at_the_same_moment_one_gets_it(aziza):
    for _round in range(20):
        ticket = tickets.issue(grant_of(aziza))

        taken = in_parallel(*[lambda ticket=ticket: tickets.take(ticket)] * 4)

        assert sum(grant is not None for grant in taken) == 1


def test_a_ticket_is_kept_under_a_digest_for_half_a_minute(aziza, monkeypatch):
    kept = []
    monkeypatch.setattr(tickets.cache, "set", lambda *what: kept.append(what))

    ticket = tickets.issue(grant_of(aziza))

    ((key, _grant, seconds),) = kept
    assert seconds == 30
    assert ticket not in str(kept)
    assert len(ticket) >= 40
    assert key.startswith("live:ticket:")


def test_the_api_gives_tickets_to_access_tokens_only(client, aziza):
    pair = refresh_of(aziza)

    answer = ticket(pair.access)

    assert (answer.status_code, answer.json()["expires_in"], set(answer.json())) == (
        201,
        30,
        {"ticket", "expires_in"},
    )
    assert answer["Cache-Control"] == "no-store"
    assert ticket(pair.refresh).status_code == 401
    assert client.post("/api/v1/auth/ws-ticket/").status_code == 401
    client.force_login(aziza, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/api/v1/auth/ws-ticket/").status_code == 401  # a browser comes by its session


def test_an_address_that_is_not_confirmed_gets_no_ticket():
    answer = ticket(refresh_of(UserFactory(is_verified=False)).access)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "email_not_verified")


def test_after_signing_out_the_access_token_that_is_left_gets_no_ticket(client, aziza):
    pair = refresh_of(aziza)
    client.post("/api/v1/auth/logout/", {"refresh": pair.refresh}, content_type="application/json")

    answer = ticket(pair.access)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_not_valid")


def test_tickets_have_a_pace(aziza, settings):
    settings.RATE_LIMITS = {"ticket": "2/hour"}
    access = refresh_of(aziza).access

    assert [ticket(access).status_code for _try in range(3)] == [201, 201, 429]


@played
async def test_a_ticket_is_in_no_log_and_nothing_behind_the_door_sees_it(aziza, caplog):
    ticket = await call(ticket_of, aziza)
    wire = echo("room", ticket=ticket)
    wire.scope["query_string"] = f"format=json&ticket={ticket}&x=%2F".encode()

    async with wire:
        await wire.say("break")
        await wire.hear("error")

    # The server logs the handshake from this very scope.
    assert wire.scope["query_string"] == b"format=json&x=%2F"
    assert "connected" in caplog.text
    assert ticket not in caplog.text


# --- The end of a sign-in ---------------------------------------------------------------------------


@played
async def test_signing_out_closes_what_this_browser_has_open_and_nothing_else(aziza):
    session, other = await call(session_of, aziza), await call(session_of, aziza)
    async with echo(session=session) as wire, echo(session=other) as kept:
        client = Client()
        client.cookies["sessionid"] = session

        await call(client.post, "/accounts/logout/")

        assert await wire.closed() == Close.NOT_AUTHENTICATED
        await kept.say("say", text="still here")
        assert "still here" in await kept.fragment()


@played
async def test_a_session_that_was_deleted_or_ran_out_is_found_by_the_regular_look(aziza):
    from importlib import import_module

    from django.conf import settings

    store = import_module(settings.SESSION_ENGINE).SessionStore
    session, kept = await call(session_of, aziza), await call(session_of, aziza)
    async with echo(session=session) as wire, echo(session=kept) as other:
        await call(store(session).delete)

        await watch.check_all()

        assert await wire.closed() == Close.NOT_AUTHENTICATED
        await other.say("say", text="still here")
        assert "still here" in await other.fragment()


@played
async def test_signing_out_a_program_closes_its_sockets_also_after_a_renewal(aziza):
    first = await call(refresh_of, aziza)
    given = (await call(ticket, first.access)).json()["ticket"]
    other = await call(ticket_of, aziza)
    async with echo(ticket=given) as wire, echo(ticket=other) as kept:
        second = await call(tokens.renew, refresh=first.refresh)
        await wire.say("say", text="renewing ends nothing")
        await wire.hear("said")

        await call(tokens.revoke, refresh=second.refresh)

        assert await wire.closed() == Close.NOT_AUTHENTICATED
        await kept.say("say", text="another sign-in")
        await kept.hear("said")


@played
async def test_a_new_password_closes_everything_that_was_open_under_the_old_one(aziza):
    async with (
        echo(session=await call(session_of, aziza)) as browser,
        echo(ticket=await call(ticket_of, aziza)) as program,
    ):
        await call(accounts.change_password, user=aziza, password="Silovsin8852")

        assert await browser.closed() == Close.NOT_AUTHENTICATED
        assert await program.closed() == Close.NOT_AUTHENTICATED


@played
async def test_switching_a_person_off_closes_everything_of_theirs_at_once(aziza):
    stranger = await call(UserFactory)
    async with (
        echo(session=await call(session_of, aziza)) as browser,
        echo(ticket=await call(ticket_of, aziza)) as program,
        echo(ticket=await call(ticket_of, stranger)) as kept,
    ):
        aziza.is_active = False

        await call(accounts.save_by_staff, user=aziza)

        assert await browser.closed() == Close.NOT_AUTHENTICATED
        assert await program.closed() == Close.NOT_AUTHENTICATED
        await kept.say("say", text="still here")
        await kept.hear("said")


@played
async def test_what_nobody_announced_is_found_by_the_regular_look(aziza):
    async with (
        echo(session=await call(session_of, aziza)) as browser,
        echo(ticket=await call(ticket_of, aziza)) as program,
    ):
        await call(User.objects.filter(pk=aziza.pk).update, is_active=False)

        await watch.check_all()

        assert await browser.closed() == Close.NOT_AUTHENTICATED
        assert await program.closed() == Close.NOT_AUTHENTICATED


@played
async def test_a_socket_ends_with_the_access_token_behind_its_ticket(aziza):
    grant = await call(grant_of, aziza, until=time.time() + 0.2)
    async with echo(ticket=await call(tickets.issue, grant)) as wire:
        assert await wire.closed() == Close.NOT_AUTHENTICATED


@played
async def test_a_program_with_a_new_token_stays(aziza):
    stranger = await call(UserFactory)
    grant = await call(grant_of, aziza, until=time.time() + 600)
    async with echo(ticket=await call(tickets.issue, grant)) as wire:
        await wire.say("renew", ticket=await call(ticket_of, aziza))
        await wire.hear("renewed")

        await wire.say("renew", ticket=await call(ticket_of, stranger))
        assert (await wire.hear("error"))["code"] == "ticket_not_valid"
        await wire.say("renew", ticket=5)
        assert (await wire.hear("error"))["code"] == "ticket_not_valid"


@played
async def test_a_database_that_is_away_throws_nobody_out(aziza, monkeypatch, caplog):
    def broken(_readers):
        raise RuntimeError("no database")

    async with echo(ticket=await call(ticket_of, aziza)) as wire:
        monkeypatch.setattr(watch, "gone", broken)
        monkeypatch.setattr(watch, "BEAT", 0.01)
        monkeypatch.setattr("django.conf.settings.LIVE_RECHECK_SECONDS", 0.01)
        async with echo(ticket=await call(tickets.issue, await call(grant_of, aziza))):
            for _try in range(200):  # the round is run by the watch itself
                await restart_watch()
                await asyncio.sleep(0.02)
                if "were not checked" in caplog.text:
                    break
            else:
                pytest.fail("the watch did not come round, or died of it")
        await wire.say("say", text="still here")
        await wire.hear("said")


async def restart_watch():
    """The watch's first nap began with the real interval."""
    keeper = watch._watches[asyncio.get_running_loop()]
    if keeper.task.get_name() == "live watch":
        keeper.task.cancel()
        keeper.task = asyncio.create_task(watch._keep(keeper), name="restarted")


# --- Frames -----------------------------------------------------------------------------------------

BAD = [
    ("not json", "bad_request"), ('["a", "list"]', "bad_request"), ('"a string"', "bad_request"), ("{}", "bad_request"),
    ('{"event": 5}', "bad_request"), ('{"event": "Shout"}', "bad_request"), ('{"event": "_leave"}', "bad_request"),
    ('{"event": "say", "data": []}', "bad_request"), ('{"event": "say", "data": {"n": NaN}}', "bad_request"),
    ("[" * 20_000, "bad_request"), ('{"event": "no_such_thing"}', "unknown_event"), ('{"event": "call"}', "unknown_event"),
    ('{"event": "say", "data": {"text": "' + "x" * 40_000 + '"}}', "too_large"),
    ('{"event": "say", "data": {"text": "' + "ў" * 20_000 + '"}}', "too_large"),
]  # fmt: skip


@played
async def test_what_cannot_be_read_is_refused_and_the_connection_stays(aziza):
    async with echo(ticket=await call(ticket_of, aziza)) as wire:
        for frame, code in BAD:
            await wire.send(frame)
            error = await wire.hear("error")
            assert (error["code"], bool(error["message"])) == (code, True), frame[:60]

        await wire.send(b"\x00\x01")
        assert (await wire.hear("error"))["code"] == "text_only"
        await wire.say("say", text="still here")
        assert await wire.hear("said") == {"text": "still here"}


@played
async def test_a_form_that_htmx_sends_is_read_as_its_fields(aziza):
    async with echo(ticket=await call(ticket_of, aziza)) as wire:
        await wire.send(json.dumps({"event": "say", "text": "salom", "HEADERS": {"HX-Request": "true"}}))

        assert await wire.hear("said") == {"text": "salom"}


@played
async def test_a_rule_that_says_no_is_told_with_its_code_and_the_senders_own_id(aziza):
    async with echo(ticket=await call(ticket_of, aziza)) as wire:
        await wire.say("refuse", client_id="c-1")

        assert await wire.hear("error") == {"code": "not_today", "message": "Not today.", "client_id": "c-1"}


@played
async def test_a_bug_in_a_handler_is_logged_and_the_connection_stays(aziza, caplog):
    async with echo(ticket=await call(ticket_of, aziza)) as wire:
        await wire.say("break")

        assert (await wire.hear("error"))["code"] == "server_error"
        assert "ZeroDivisionError" in caplog.text
        await wire.say("ping")
        assert (await wire.hear())["event"] == "pong"


@played
async def test_a_browser_is_shown_a_refusal_as_a_toast_in_its_language(aziza):
    aziza.language = "ru"
    await call(aziza.save)
    async with echo(session=await call(session_of, aziza)) as wire:
        await wire.send("not json")

        fragment = await wire.fragment()
        assert '<div id="toasts" hx-swap-oob="beforeend">' in fragment
        assert "Сообщение" in fragment


@pytest.mark.parametrize(("query", "starts"), [("format=json", "{"), ("format=html", "<p"), ("", "<p")])
def test_the_address_may_choose_the_rendering(aziza, query, starts):
    @played
    async def story():
        wire = echo(session=await call(session_of, aziza))
        wire.scope["query_string"] = query.encode()
        async with wire:
            await wire.say("say", text="salom")
            assert (await wire.fragment()).startswith(starts)

    story()


# --- Events -----------------------------------------------------------------------------------------


@played
async def test_what_is_published_reaches_those_who_listen_to_its_topic(aziza):
    async with (
        echo("room", ticket=await call(ticket_of, aziza)) as wire,
        echo("other", ticket=await call(ticket_of, aziza)) as other,
    ):
        await call(realtime.publish, "echo:room", "said", {"text": "to all"})

        assert await wire.hear() == {"event": "said", "data": {"text": "to all"}}
        await other.say("ping")
        assert (await other.hear())["event"] == "pong"


@played
async def test_what_was_undone_is_told_to_nobody(aziza):
    def undone():
        with transaction.atomic():
            realtime.publish("echo:room", "said", {"text": "never"})
            transaction.set_rollback(True)

    async with echo("room", ticket=await call(ticket_of, aziza)) as wire:
        await call(undone)
        await call(realtime.publish, "echo:room", "said", {"text": "after"})

        assert await wire.hear("said") == {"text": "after"}


@played
async def test_many_events_arrive_in_order(aziza):
    async with echo("room", ticket=await call(ticket_of, aziza)) as wire:
        layer = get_channel_layer()
        for number in range(60):
            message = {
                "type": "realtime.event",
                "topic": "echo:room",
                "event": "said",
                "payload": {"n": number},
            }
            await layer.group_send(realtime.group("echo:room"), message)

        assert [(await wire.hear("said"))["n"] for _n in range(60)] == list(range(60))


# --- Pace -------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """The pace's clock, ten seconds into a minute; move it with clock[0] += seconds."""
    now = [1_800_000_010.0]
    monkeypatch.setattr(pace, "clock", lambda: now[0])
    return now


@played
async def test_the_fifty_first_message_of_a_minute_is_refused_over_all_sockets_of_a_person(aziza, clock):
    stranger = await call(UserFactory)
    async with (
        echo(ticket=await call(ticket_of, aziza)) as one,
        echo(ticket=await call(ticket_of, aziza)) as two,
        echo(ticket=await call(ticket_of, stranger)) as other,
    ):
        for number in range(25):
            for wire in (one, two):
                await wire.say("say", n=number)
                await wire.hear("said")

        for wire in (one, two):
            await wire.say("say", client_id="c-51")
            error = await wire.hear("error")
            assert (error["code"], error["retry_after"], error["client_id"]) == (
                "too_many_requests",
                50,
                "c-51",
            )
        await other.say("say", n=1)
        assert await other.hear("said") == {"n": 1}
        clock[0] += 50
        await one.say("say", n=2)
        assert await one.hear("said") == {"n": 2}


@played
async def test_what_is_not_counted_has_a_bound_of_its_own(aziza, clock, monkeypatch):
    monkeypatch.setattr(Echo, "flood", 60)
    async with echo(ticket=await call(ticket_of, aziza)) as wire:
        for _n in range(60):
            await wire.say("typing")
        for _n in range(5):
            await wire.say("typing")
        assert (await wire.hear("error"))["code"] == "too_many_requests"

        clock[0] += 60
        await wire.say("say", text="one refusal, then silence")
        assert (await wire.hear())["event"] == "said"


def test_messages_at_the_same_moment_do_not_slip_through_together(aziza, clock):
    waits = in_parallel(*[lambda: [pace.spend(aziza.pk) for _n in range(20)]] * 4)

    assert sum(not wait for some in waits for wait in some) == 50


# --- Bounds and slow readers ------------------------------------------------------------------------


@played
async def test_a_person_has_so_many_connections_and_the_next_one_is_told(aziza):
    from django.test import override_settings

    with override_settings(LIVE_MAX_PER_PERSON=2):
        async with echo(ticket=await call(ticket_of, aziza)):
            async with (
                echo(ticket=await call(ticket_of, aziza)),
                echo(ticket=await call(ticket_of, aziza)) as third,
            ):
                assert await third.closed() == Close.TOO_MANY
            async with echo(ticket=await call(ticket_of, aziza)) as again:
                await again.say("ping")
                await again.hear("pong")


@played
async def test_a_full_process_asks_to_come_again_later(aziza):
    from django.test import override_settings

    with override_settings(LIVE_MAX=0):
        async with echo(ticket=await call(ticket_of, aziza)) as wire:
            assert await wire.closed() == Close.TRY_LATER


def test_one_household_is_one_network():
    assert limits.network("203.0.113.7") == "203.0.113.7"
    assert (
        limits.network("2001:db8:1:2:3:4:5:6")
        == limits.network("2001:db8:1:2::1")
        != limits.network("2001:db8:1:3::1")
    )


def stalled(wire, monkeypatch):
    """A gate: while it is closed (`clear()`), the reader of this wire takes nothing from the server."""
    gate, put = asyncio.Event(), wire.output_queue.put
    gate.set()

    async def put_when_read(message):
        await gate.wait()
        await put(message)

    monkeypatch.setattr(wire.output_queue, "put", put_when_read)
    return gate


@played
async def test_a_reader_who_does_not_read_costs_a_bounded_outbox_and_holds_up_nobody(aziza, monkeypatch):
    monkeypatch.setattr(connection, "OUTBOX", 20)
    stuck = echo("room", ticket=await call(ticket_of, aziza))
    gate = stalled(stuck, monkeypatch)
    async with stuck, echo("room", ticket=await call(ticket_of, aziza)) as reading:
        gate.clear()
        for number in range(90):
            await call(realtime.publish, "echo:room", "said", {"n": number})
            assert await reading.hear("said") == {"n": number}

        gate.set()
        heard = []
        while True:
            found = await stuck.hear()
            heard.append(found["data"].get("n", "resync"))
            if found["data"].get("n") == 89:
                break

        assert "resync" in heard
        numbers = [n for n in heard if n != "resync"]
        assert numbers == sorted(numbers)
        assert len(heard) < 40


@played
async def test_a_reader_who_takes_nothing_for_a_minute_is_cut_off(aziza, monkeypatch, caplog):
    monkeypatch.setattr(connection, "SEND_SECONDS", 0.05)
    wire = echo("room", ticket=await call(ticket_of, aziza))
    gate = stalled(wire, monkeypatch)
    async with wire:
        gate.clear()
        await call(realtime.publish, "echo:room", "said", {"n": 1})

        await asyncio.wait_for(wire.future, 10)

    assert "closed=4408" in caplog.text


# --- The log ----------------------------------------------------------------------------------------


@played
async def test_coming_and_going_is_logged_without_secrets(aziza, caplog):
    session = await call(session_of, aziza)
    async with echo("room", session=session) as wire:
        await wire.say("say", text="a secret word")
        await wire.fragment()

    (came,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("connected")]
    (went,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("disconnected")]
    assert came == f"connected: ws /ws/echo/room/ person={aziza.pk} by=session from=203.0.113.7"
    assert "closed=1000" in went
    assert "in=1 out=1" in went
    for secret in (session, "secret word", aziza.email):
        assert secret not in caplog.text
