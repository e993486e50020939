"""Every door through which a stranger's file comes in shows it to the virus scanner, and keeps nothing that it warns of."""

from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core import scanning
from marketplace.core.tests import clamd_server
from marketplace.core.tests.clamd_server import EICAR
from marketplace.listings.tests.factories import ListingFactory, offer, png, upload
from marketplace.listings.tests.test_selling import change, edit_url
from marketplace.messaging.models import Message
from marketplace.messaging.tests.factories import conversation
from marketplace.messaging.tests.test_api import program

pytestmark = pytest.mark.django_db
# A true picture, and a true receipt, with something behind it that picture decoders never look at.
PICTURE, RECEIPT = png() + EICAR, b"%PDF-1.7\n" + EICAR
WARNS, LATER = "virus scanner warns", "checked for viruses just now"


@pytest.fixture
def clamd(settings):
    with clamd_server.running() as server:
        settings.CLAMD_URL = server.url
        yield server


@pytest.fixture
def places(settings, tmp_path, monkeypatch):
    """Folders of this test alone, where nothing may be left: what is kept, and what is being received."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "receiving")
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10  # each is received on disk, as large ones are
    (tmp_path / "receiving").mkdir()
    monkeypatch.setattr(
        Message._meta.get_field("attachment"),
        "storage",
        FileSystemStorage(tmp_path / "private", base_url=None),
    )
    return tmp_path


def left(places: Path):
    return [str(path) for path in places.rglob("*") if path.is_file()]


# --- Doors ------------------------------------------------------------------------------------------
# Each is tried by a person of its own and gives the answer.


def chat_page(client, data):
    thread = conversation()
    client.force_login(thread.buyer)
    form = {"text": "Mana", "file": SimpleUploadedFile("a.bin", data)}
    return client.post(reverse("messaging:messages", args=[thread.pk]), form)


def chat_page_by_htmx(client, data):
    thread = conversation()
    client.force_login(thread.buyer)
    form = {"text": "Mana", "file": SimpleUploadedFile("a.bin", data)}
    return client.post(reverse("messaging:messages", args=[thread.pk]), form, headers={"HX-Request": "true"})


def avatar(client, data):
    client.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    form = {
        "full_name": "Aziza",
        "username": "",
        "phone_number": "",
        "language": "en",
        "timezone": "Asia/Tashkent",
    }
    return client.post("/me/edit/", form | {"avatar": SimpleUploadedFile("me.png", data)})


def offer_page(client, data):
    client.force_login(UserFactory())
    return client.post(reverse("listings:sell"), offer(pictures=[upload(data)]))


def change_of_an_offer(client, data):
    listing = ListingFactory()
    client.force_login(listing.seller)
    return client.post(edit_url(listing), change(listing) | {"pictures": [upload(data)]})


PAGES = [
    pytest.param(chat_page, RECEIPT, id="chat, a file"),
    pytest.param(chat_page, PICTURE, id="chat, a picture"),
    pytest.param(chat_page_by_htmx, RECEIPT, id="chat, by htmx"),
    pytest.param(offer_page, PICTURE, id="a new offer"),
    pytest.param(change_of_an_offer, PICTURE, id="a change of an offer"),
    pytest.param(avatar, PICTURE, id="a person's picture"),
]


@pytest.mark.parametrize(("send", "data"), PAGES)
def test_a_file_with_a_signature_is_refused_beside_its_field_and_nothing_stays(
    client, clamd, places, send, data
):
    answer = send(client, data)

    assert answer.status_code == 422
    assert WARNS in answer.text
    assert clamd.seen == [data], "the scanner sees the bytes that came"
    assert left(places) == []
    assert not Message.objects.exists()


@pytest.mark.parametrize(("send", "data"), PAGES)
def test_while_the_scanner_is_down_no_file_is_taken_and_later_is_named(client, settings, places, send, data):
    settings.CLAMD_URL = "unix:///nowhere/clamd.sock"

    answer = send(client, data.removesuffix(EICAR))

    assert answer.status_code == 422
    assert LATER in answer.text
    assert left(places) == []
    assert not Message.objects.exists()


@pytest.mark.parametrize(("send", "data"), PAGES)
def test_a_good_file_passes_every_door(client, clamd, places, send, data):
    """So that the two above refuse for their reason, and look where files would be."""
    answer = send(client, data.removesuffix(EICAR))

    assert answer.status_code in {200, 302}
    assert len(clamd.seen) == 1
    assert left(places)
    assert not any("receiving" in path for path in left(places))


def test_words_that_go_with_a_refused_file_are_not_lost(client, clamd, places):
    assert "Mana" in chat_page(client, RECEIPT).text


def test_a_program_is_told_in_the_envelope_and_may_come_later(clamd, settings, places):
    thread = conversation()
    where = f"/api/v1/chats/{thread.pk}/messages/"

    bad = program(thread.buyer).post(
        where, {"file": SimpleUploadedFile("a.pdf", RECEIPT)}, format="multipart"
    )
    settings.CLAMD_URL = "unix:///nowhere/clamd.sock"
    later = program(thread.buyer).post(
        where, {"file": SimpleUploadedFile("a.pdf", b"%PDF-")}, format="multipart"
    )

    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "validation_error")
    assert WARNS in bad.json()["error"]["details"]["file"][0]
    assert (later.status_code, later.json()["error"]["code"]) == (503, "not_scanned")
    assert LATER in later.json()["error"]["message"]
    assert later["Retry-After"] == "60"
    assert left(places) == []
    assert not Message.objects.exists()


def test_the_administration_is_no_way_around(client, clamd, places):
    user = UserFactory()
    client.force_login(StaffFactory(), backend="django.contrib.auth.backends.ModelBackend")
    where = f"/admin/accounts/user/{user.pk}/change/"
    shown = client.get(where).context["adminform"].form.initial
    form = {name: value for name, value in shown.items() if value is not None and name != "password"}

    answer = client.post(where, form | {"avatar": SimpleUploadedFile("me.png", PICTURE)})

    assert WARNS in answer.text
    assert left(places) == []


def test_of_many_pictures_only_the_first_waits_for_a_scanner_that_is_down(client, settings, monkeypatch):
    settings.CLAMD_URL = "unix:///nowhere/clamd.sock"
    asked = []
    connected = scanning._connected
    monkeypatch.setattr(scanning, "_connected", lambda ends_at: (asked.append(1), connected(ends_at))[1])
    client.force_login(UserFactory())

    answer = client.post(reverse("listings:sell"), offer(pictures=[upload(), upload(), upload()]))

    assert answer.status_code == 422
    assert len(asked) == 1
