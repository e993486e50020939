"""Conversations for programs."""

import uuid

import pytest
from rest_framework.test import APIClient

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.live import pace
from marketplace.listings.tests.factories import ListingFactory
from marketplace.messaging.models import Conversation, Message
from marketplace.messaging.tests.factories import conversation, file, picture, said, with_picture

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/chats/"


@pytest.fixture
def thread():
    return conversation()


def program(user):
    client = APIClient()
    client.default_format = "json"
    client.force_authenticate(user)
    return client


def test_a_chat_about_an_offer_is_opened_once():
    listing, client = ListingFactory(), program(UserFactory())

    first = client.post(ROOT, {"listing_id": str(listing.pk)})
    client.post(f"{ROOT}{first.json()['id']}/messages/", {"text": "Salom"})
    again = client.post(ROOT, {"listing_id": str(listing.pk)})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["other"]["name"] == listing.seller.display_name


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 400),
        ({"listing_id": "x"}, 400),
        ({"listing_id": str(uuid.uuid4())}, 404),
        ({"person": "nobody"}, 404),
        ({"listing_id": str(uuid.uuid4()), "person": "nobody"}, 400),
    ],
)
def test_opening_says_what_is_wrong(data, status):
    answer = program(UserFactory()).post(ROOT, data)

    assert answer.status_code == status
    assert answer.json()["success"] is False


def test_the_list_shows_last_message_and_unread_count(thread):
    said(thread, "Bormi?")

    (row,) = program(thread.seller).get(ROOT).json()["results"]

    assert (row["id"], row["unread_count"]) == (str(thread.pk), 1)
    assert row["last_message"]["text"] == "Bormi?"
    assert row["listing"]["title"] == thread.listing.title
    assert program(UserFactory()).get(ROOT).json()["results"] == []


@pytest.mark.parametrize("count", [1, 12])
def test_the_list_costs_the_same_however_long(count, django_assert_num_queries):
    seller = UserFactory()
    for _number in range(count):
        said(conversation(seller=seller))

    with django_assert_num_queries(1):
        program(seller).get(ROOT)


def test_messages_come_newest_first_by_cursor(thread):
    for number in range(25):
        said(thread, f"{number}")
    client = program(thread.buyer)

    page = client.get(f"{ROOT}{thread.pk}/messages/").json()
    rest = client.get(page["next"]).json()

    texts = [one["text"] for one in page["results"] + rest["results"]]
    assert texts == [str(number) for number in reversed(range(25))]


def test_sending_the_same_client_id_twice_says_it_once(thread):
    client, data = program(thread.buyer), {"text": "Salom", "client_id": str(uuid.uuid4())}

    first, again = (client.post(f"{ROOT}{thread.pk}/messages/", data) for _time in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert Message.objects.count() == 1


def test_what_the_guard_sees_comes_in_the_envelope(thread):
    client = program(thread.buyer)

    answer = client.post(f"{ROOT}{thread.pk}/messages/", {"text": "+998901234567"})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "contact_seen")
    assert error["details"]["findings"][0]["kind"] == "phone"
    sent = client.post(f"{ROOT}{thread.pk}/messages/", {"text": "+998901234567", "send_anyway": True})
    assert sent.status_code == 201


def test_files_are_sent_and_read_by_the_two_only(thread):
    client = program(thread.buyer)

    sent = client.post(f"{ROOT}{thread.pk}/messages/", {"file": picture()}, format="multipart")

    message = sent.json()
    assert (sent.status_code, message["message_type"]) == (201, "image")
    assert message["attachment"]["width"] == 640
    where = f"{ROOT}{thread.pk}/messages/{message['id']}/file/"
    assert program(thread.seller).get(where).status_code == 200
    assert program(UserFactory()).get(where).status_code == 404
    refused = client.post(
        f"{ROOT}{thread.pk}/messages/", {"file": file(b"MZ\x00", "a.exe")}, format="multipart"
    )
    assert refused.status_code == 400
    assert "a.exe" in str(refused.json()["error"]["details"]["file"])


def test_changing_deleting_and_reading(thread):
    message = said(thread, "500")
    mine, theirs = program(thread.buyer), program(thread.seller)
    where = f"{ROOT}{thread.pk}/messages/{message.pk}/"

    assert mine.patch(where, {"text": "450"}).json()["text"] == "450"
    assert theirs.patch(where, {"text": "1"}).json()["error"]["code"] == "not_your_message"
    assert theirs.post(f"{ROOT}{thread.pk}/read/").json()["unread_count"] == 0
    assert mine.get(f"{ROOT}{thread.pk}/messages/").json()["results"][0]["is_read"] is True
    assert mine.delete(where).status_code == 204
    assert mine.get(f"{ROOT}{thread.pk}/messages/").json()["results"][0]["is_deleted"] is True
    assert theirs.delete(f"{ROOT}{thread.pk}/").status_code == 204
    assert theirs.get(ROOT).json()["results"] == []


def test_who_has_not_confirmed_an_address_writes_to_nobody(thread):
    thread.buyer.is_verified = False
    thread.buyer.save()

    answer = program(thread.buyer).post(f"{ROOT}{thread.pk}/messages/", {"text": "Salom"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "email_not_verified")


def test_the_fifty_first_message_of_a_minute_says_how_long_to_wait(thread, monkeypatch):
    monkeypatch.setattr(pace, "clock", lambda: 1_000_000.0)
    client = program(thread.buyer)
    for number in range(50):
        client.post(f"{ROOT}{thread.pk}/messages/", {"text": str(number)})

    answer = client.post(f"{ROOT}{thread.pk}/messages/", {"text": "One more"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "20")
    assert answer.json()["error"]["details"]["retry_after"] == 20


def test_somebody_elses_chat_is_not_there(thread):
    message = with_picture(thread)
    stranger = program(UserFactory())
    where = f"{ROOT}{thread.pk}/"

    assert stranger.get(where).status_code == 404
    assert stranger.delete(where).status_code == 404
    assert stranger.post(f"{where}read/").status_code == 404
    assert stranger.get(f"{where}messages/").status_code == 404
    assert stranger.post(f"{where}messages/", {"text": "Salom"}).status_code == 404
    assert stranger.patch(f"{where}messages/{message.pk}/", {"text": "x"}).status_code == 404
    assert stranger.delete(f"{where}messages/{message.pk}/").status_code == 404
    assert APIClient().get(where).status_code == 401
    assert Conversation.objects.count() == 1
