"""Two real uvicorn processes on real Redis: what happens in one reaches who is connected to the other."""

import contextlib
import json
import os
import socket as sockets
import subprocess
import sys
import threading
import time
import urllib.request
import uuid

import pytest
from django.conf import settings
from django.db import connection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from marketplace.accounts import services as accounts
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.live.codes import Close
from marketplace.core.testing import session_of, ticket_of
from marketplace.listings import services as listings
from marketplace.listings.tests.factories import ListingFactory
from marketplace.messaging.tests.factories import conversation
from marketplace.notifications import services as notifications

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.django_db(transaction=True)]
START_SECONDS, PATIENCE = 60, 20


@pytest.fixture
def servers():
    """The addresses (host:port) of two processes of the site, on the test's own database and Redis."""
    base, _slash, _name = os.environ["TEST_DATABASE_URL"].rpartition("/")
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings.testing",
        "LIVE_THREADS": "4",  # as in production
        "TEST_DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}",
    }
    processes, addresses = [], []
    for _n in range(2):
        with sockets.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [
            sys.executable, "-m", "uvicorn", "project.asgi:application", f"--port={port}", "--lifespan=off",
            "--log-level=warning", "--ws-per-message-deflate=false", "--ws-max-size=65536", "--timeout-graceful-shutdown=1",
        ]  # fmt: skip
        processes.append(subprocess.Popen(command, env=env, cwd=settings.BASE_DIR))  # noqa: S603 (our own interpreter)
        addresses.append(f"127.0.0.1:{port}")
    try:
        for process, address in zip(processes, addresses, strict=True):
            wait_until_it_answers(process, address)
        yield addresses
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=PATIENCE)


def wait_until_it_answers(process, address):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://{address}/health/live/", timeout=2)
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    pytest.fail(f"{address} did not start")


@pytest.fixture
def aziza():
    return UserFactory()


def tell(user):
    words = {"card": "8600 •••• 1234", "time": "tomorrow"}
    return notifications.notify(user=user, kind="payout_card_added", context=words, action_url="/wallet/")


def wire(address, path, user):
    return connect(f"ws://{address}{path}?ticket={ticket_of(user)}", open_timeout=PATIENCE)


def hear(wire, event):
    while True:
        found = json.loads(wire.recv(timeout=PATIENCE))
        if found["event"] == event:
            return found["data"]


def close_code(wire):
    """With which code the server closes, after whatever it still says."""
    while True:
        try:
            wire.recv(timeout=PATIENCE)
        except ConnectionClosed as closed:
            return closed.rcvd.code


def test_an_event_reaches_sockets_and_streams_of_every_process(servers, aziza):
    one, two = servers
    with wire(one, "/ws/notifications/", aziza) as first, wire(two, "/ws/notifications/", aziza) as second:
        hear(first, "unread")
        hear(second, "unread")
        with stream(two, aziza) as page:
            page("notifications_read")

            row = tell(aziza)  # by this process, the third

            assert hear(first, "new_notification")["id"] == str(row.pk)
            assert hear(second, "new_notification")["id"] == str(row.pk)
            assert "A new payout card was added" in page("notification")
        # What one says, the other hears.
        first.send(json.dumps({"event": "mark_read", "data": {"id": str(row.pk)}}))
        while hear(second, "unread")["count"] != 0:
            pass


@contextlib.contextmanager
def stream(address, user, query=""):
    """A page's stream over a real connection; call it with an event's name for its data."""
    request = urllib.request.Request(
        f"http://{address}/live/{query}", headers={"Cookie": f"sessionid={session_of(user)}"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 (our own server)

        def wait_for(event):
            name, data = "", []
            for line in answer:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text.removeprefix("event: ")
                elif text.startswith("data: "):
                    data.append(text.removeprefix("data: "))
                elif not text:
                    if name == event:
                        return "\n".join(data)
                    name, data = "", []
            raise AssertionError("the stream has ended")

        yield wait_for


def test_an_offer_that_changes_is_told_by_every_process(servers, aziza):
    offer = ListingFactory()
    path = f"/ws/listings/{offer.pk}/"
    with wire(servers[0], path, aziza) as first, wire(servers[1], path, aziza) as second:
        hear(first, "state")
        hear(second, "state")

        listings.reserve(listing_id=offer.pk, buyer=UserFactory())

        assert hear(first, "status_changed")["status"] == "reserved"
        assert hear(second, "status_changed")["status"] == "reserved"


def test_two_people_talk_through_two_processes(servers):
    thread = conversation()
    path = f"/ws/chat/{thread.pk}/"
    with wire(servers[0], path, thread.buyer) as buyer, wire(servers[1], path, thread.seller) as seller:
        hear(buyer, "user_online")
        for number in range(5):
            said = {"text": f"Savol {number}", "client_id": str(uuid.uuid4())}
            buyer.send(json.dumps({"event": "send_message", "data": said}))
        heard = [hear(seller, "message_received") for _number in range(5)]
        assert [one["text"] for one in heard] == [f"Savol {number}" for number in range(5)]

        seller.send(json.dumps({"event": "message_read", "data": {"message_id": heard[-1]["id"]}}))
        assert hear(buyer, "message_read")["message_id"] == heard[-1]["id"]


def test_a_ticket_is_good_at_one_of_the_processes_once(servers, aziza):
    ticket = ticket_of(aziza)
    codes, gate = [], threading.Barrier(2)

    def knock(address):
        gate.wait(PATIENCE)
        with connect(f"ws://{address}/ws/notifications/?ticket={ticket}", open_timeout=PATIENCE) as wire:
            try:
                wire.recv(timeout=PATIENCE)
                codes.append(0)
            except ConnectionClosed as closed:
                codes.append(closed.rcvd.code)

    threads = [threading.Thread(target=knock, args=[address]) for address in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert sorted(codes) == [0, Close.NOT_AUTHENTICATED]


def test_the_pace_of_a_person_is_one_over_all_processes(servers, aziza):
    def refused(user):
        with (
            wire(servers[0], "/ws/notifications/", user) as first,
            wire(servers[1], "/ws/notifications/", user) as second,
        ):
            for one in (first, second):
                for _n in range(30):
                    one.send(json.dumps({"event": "no_such_thing"}))
            codes = [hear(one, "error")["code"] for one in (first, second) for _n in range(30)]
        return codes.count("too_many_requests")

    minute = int(time.time() // 60)
    found = refused(aziza)
    if int(time.time() // 60) != minute:  # the count began anew meanwhile: once more, in one minute
        found = refused(UserFactory())

    assert found == 10


def test_a_new_password_closes_what_is_open_in_every_process(servers, aziza):
    with (
        wire(servers[0], "/ws/notifications/", aziza) as first,
        wire(servers[1], "/ws/notifications/", aziza) as second,
    ):
        for one in (first, second):
            hear(one, "unread")

        accounts.change_password(user=aziza, password="Silovsin8852")

        for one in (first, second):
            assert close_code(one) == Close.NOT_AUTHENTICATED


def test_a_frame_that_is_far_too_large_is_cut_by_the_server(servers, aziza):
    with wire(servers[0], "/ws/notifications/", aziza) as one:
        hear(one, "unread")
        one.send("x" * 100_000)

        assert close_code(one) == 1009
