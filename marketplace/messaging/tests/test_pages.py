"""The pages of conversations, with a script and without."""

import uuid

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from marketplace.accounts.tests.factories import UserFactory, with_app
from marketplace.core.downloads import Download
from marketplace.core.live import pace
from marketplace.listings.tests.factories import ListingFactory
from marketplace.messaging import access, services
from marketplace.messaging.attachments import prepare
from marketplace.messaging.models import Conversation, Message, MessageReport, Oversight, Participant
from marketplace.messaging.tests.factories import conversation, file, said, with_picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread():
    return conversation()


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def url(name, thread, message=None):
    return reverse(f"messaging:{name}", args=[thread.pk, message.pk] if message else [thread.pk])


def post(thread, by, **data):
    return browser(by).post(url("messages", thread), {"client_id": str(uuid.uuid4()), **data})


# --- Whose it is ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("away", ["word", "https://evil.example/", "//evil.example/", "\\\\evil.example"])
def test_what_is_said_leads_on_to_no_other_place(thread, away):
    answer = post(thread, thread.buyer, text="Salom", next=away)

    assert answer.status_code == 302
    assert answer.url.startswith(url("thread", thread) + "#m-")


def test_somebody_elses_conversation_is_not_there_on_any_address(thread):
    message = with_picture(thread, by=thread.seller)
    stranger = browser(UserFactory())

    for name in ("thread", "messages", "clear"):
        assert stranger.get(url(name, thread)).status_code == 404, name
    for name in ("read", "mute", "block", "clear", "messages"):
        assert stranger.post(url(name, thread), {"text": "Salom"}).status_code == 404, name
    for name in ("edit", "take_back", "report", "attachment"):
        assert stranger.get(url(name, thread, message)).status_code == 404, name
    for name in ("edit", "take_back", "report"):
        assert (
            stranger.post(url(name, thread, message), {"text": "x", "reason": "spam"}).status_code == 404
        ), name
    assert Message.objects.get().text == ""


def test_a_message_of_another_thread_is_not_there_through_ones_own(thread):
    foreign = with_picture(conversation())
    own = browser(thread.buyer)

    for name in ("edit", "take_back", "report", "attachment"):
        assert own.get(url(name, thread, foreign)).status_code == 404, name


def test_only_ones_own_words_are_changed_and_only_the_others_reported(thread):
    message = said(thread, "500 ming")
    writer, reader = browser(thread.buyer), browser(thread.seller)

    for name in ("edit", "take_back"):
        assert writer.get(url(name, thread, message)).status_code == 200, name
        assert reader.get(url(name, thread, message)).status_code == 404, name
        assert reader.post(url(name, thread, message), {"text": "1"}).status_code == 404, name
    assert reader.get(url("report", thread, message)).status_code == 200
    assert writer.get(url("report", thread, message)).status_code == 404
    assert Message.objects.get().text == "500 ming"


def test_visitors_are_sent_to_sign_in(thread):
    answer = Client().get(url("thread", thread))

    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/")


# --- Opening and the inbox ------------------------------------------------------------------------------


def test_the_button_of_an_offer_opens_the_thread_with_its_seller():
    listing, buyer = ListingFactory(), UserFactory()

    answer = browser(buyer).post(reverse("messaging:inbox"), {"listing": str(listing.pk)})

    opened = Conversation.objects.get()
    assert answer.url == url("thread", opened)
    assert (opened.buyer, opened.seller, opened.listing) == (buyer, listing.seller, listing)


def test_a_general_thread_opens_by_a_persons_handle():
    one, other = UserFactory(), UserFactory()

    browser(one).post(reverse("messaging:inbox"), {"person": other.public_handle})

    assert Conversation.objects.get().listing is None


@pytest.mark.parametrize("data", [{}, {"listing": "x"}, {"listing": str(uuid.uuid4())}, {"person": "nobody"}])
def test_what_is_not_there_cannot_be_talked_about(data):
    assert browser(UserFactory()).post(reverse("messaging:inbox"), data).status_code == 404


def test_an_offer_that_is_not_published_cannot_be_talked_about():
    draft = ListingFactory(status="draft")

    answer = browser(UserFactory()).post(reverse("messaging:inbox"), {"listing": str(draft.pk)})

    assert answer.status_code == 404


def test_ones_own_offer_is_refused_in_words():
    listing = ListingFactory()

    answer = browser(listing.seller).post(reverse("messaging:inbox"), {"listing": str(listing.pk)})

    assert answer.status_code == 409
    assert "cannot write to yourself" in answer.text


def test_the_inbox_shows_the_newest_first_with_what_was_said_and_counts(thread):
    other = conversation(seller=thread.seller)
    said(thread, "Birinchi")
    said(other, "Ikkinchi")

    page = browser(thread.seller).get(reverse("messaging:inbox"))

    assert page.text.index("Ikkinchi") < page.text.index("Birinchi")
    assert page.text.count('class="counter counter-accent') == 2


def test_the_inbox_finds_by_name_title_and_what_was_said(thread):
    said(thread, "Glacier bormi?")
    thread.buyer.full_name = "Jasur Toshev"
    thread.buyer.save()
    seller = browser(thread.seller)

    for query in ("glacier", "jasur", thread.listing.title[:12]):
        assert "Glacier bormi?" in seller.get(reverse("messaging:inbox"), {"q": query}).text, query
    assert "Nothing found" in seller.get(reverse("messaging:inbox"), {"q": "zzz"}).text


def test_searching_does_not_find_what_one_has_cleared_or_what_was_taken_back(thread):
    gone = said(thread, "Secret word")
    services.take_back(conversation_id=thread.pk, message_id=gone.pk, sender=thread.buyer)
    said(thread, "Older word")
    services.clear(conversation_id=thread.pk, user=thread.seller)
    said(thread, "Fresh")

    for query in ("Secret", "Older"):
        assert "Nothing found" in browser(thread.seller).get(reverse("messaging:inbox"), {"q": query}).text


def test_htmx_gets_the_threads_alone(thread):
    said(thread)
    headers = {"HX-Request": "true", "HX-Target": "threads"}

    part = browser(thread.seller).get(reverse("messaging:inbox"), headers=headers)

    assert part.text.strip().startswith("<section")


@pytest.mark.parametrize("count", [1, 15])
def test_the_inbox_costs_the_same_however_long_it_is(count, django_assert_num_queries):
    seller = UserFactory()
    for _number in range(count):
        said(conversation(seller=seller))
    client = browser(seller)
    client.get(reverse("messaging:inbox"))

    with django_assert_num_queries(7):  # session, person, count, rows, and the header's three
        client.get(reverse("messaging:inbox"))


@pytest.mark.parametrize("count", [1, 25])
def test_a_thread_costs_the_same_however_much_was_said(thread, count, django_assert_max_num_queries):
    for _number in range(count):
        said(thread)
    client = browser(thread.seller)
    client.get(url("thread", thread))

    with django_assert_max_num_queries(17):
        client.get(url("thread", thread))


# --- Writing --------------------------------------------------------------------------------------------


def test_without_a_script_a_message_is_a_form_that_comes_back_to_its_place(thread):
    answer = post(thread, thread.buyer, text="Salom, hali bormi?")

    message = Message.objects.get()
    assert answer.status_code == 302
    assert answer.url == f"{url('thread', thread)}#m-{message.pk}"
    assert "Salom, hali bormi?" in browser(thread.seller).get(url("thread", thread)).text


def test_a_script_gets_the_bubble_alone(thread):
    answer = browser(thread.buyer).post(
        url("messages", thread),
        {"text": "Salom", "client_id": str(uuid.uuid4())},
        headers={"HX-Request": "true", "HX-Target": "composer"},
    )

    assert answer.status_code == 200
    assert f'data-message="{Message.objects.get().pk}"' in answer.text
    assert "<html" not in answer.text


def test_what_people_write_is_never_markup(thread):
    said(thread, "<script>alert(1)</script> <img src=x onerror=alert(1)>")

    page = browser(thread.seller).get(url("thread", thread)).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "composer"}])
def test_an_empty_message_says_so_beside_the_field(thread, headers):
    answer = browser(thread.buyer).post(url("messages", thread), {"text": " "}, headers=headers)

    assert answer.status_code == 422
    assert "Write something, or attach a file." in answer.text
    assert not Message.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "composer"}])
def test_the_guards_warning_keeps_the_words_and_offers_to_send_anyway(thread, headers):
    client = browser(thread.buyer)
    data = {"text": "Yozing: +998901234567", "client_id": str(uuid.uuid4())}

    warned = client.post(url("messages", thread), data, headers=headers)

    assert warned.status_code == 422
    assert "Yozing: +998901234567" in warned.text
    assert 'name="anyway"' in warned.text
    assert not Message.objects.exists()
    client.post(url("messages", thread), {**data, "anyway": "1"}, headers=headers)
    assert Message.objects.get().overridden == ["phone"]


def test_what_may_not_be_sent_at_all_has_no_such_button(thread):
    answer = post(thread, thread.buyer, text="8600 1402 3456 7893")

    assert answer.status_code == 422
    assert 'name="anyway"' not in answer.text


def test_the_fifty_first_message_of_a_minute_is_refused_in_words(thread, monkeypatch):
    monkeypatch.setattr(pace, "clock", lambda: 1_000_000.0)
    client = browser(thread.buyer)
    for number in range(50):
        client.post(url("messages", thread), {"text": f"{number}"})

    answer = client.post(url("messages", thread), {"text": "One more"})

    assert answer.status_code == 422
    assert "Too many messages" in answer.text
    assert Message.objects.count() == 50


def test_a_blocked_person_sees_no_field_to_write_in(thread):
    said(thread)
    browser(thread.seller).post(url("block", thread))

    page = browser(thread.buyer).get(url("thread", thread)).text

    assert 'id="composer"' not in page
    assert post(thread, thread.buyer, text="Why?").status_code == 422
    browser(thread.seller).post(url("block", thread), {"blocked": "0"})
    assert 'id="composer"' in browser(thread.buyer).get(url("thread", thread)).text


# --- Reading --------------------------------------------------------------------------------------------


def test_seeing_a_thread_is_reading_it(thread):
    message = said(thread)

    browser(thread.seller).get(url("thread", thread))

    message.refresh_from_db()
    assert message.is_read
    assert 'data-state="read"' in browser(thread.buyer).get(url("thread", thread)).text


def test_older_messages_come_by_the_page(thread):
    for number in range(35):
        said(thread, f"Message {number:02}")
    client = browser(thread.seller)

    page = client.get(url("thread", thread)).text
    assert [f"Message {number:02}" in page for number in (34, 5, 4)] == [True, True, False]
    first = Message.objects.get(text="Message 05")
    older = client.get(
        url("messages", thread), {"before": str(first.pk)}, headers={"HX-Request": "true"}
    ).text
    assert [word in older for word in ("Message 04", "Message 00", "data-older")] == [True, True, False]
    plain = client.get(url("messages", thread), {"before": str(first.pk)}).text
    assert [word in plain for word in ("Message 00", "<html")] == [True, True]


def test_a_page_that_was_cut_off_gets_what_it_missed_and_what_changed(thread):
    first = said(thread, "One")
    said(thread, "Two")
    services.edit(conversation_id=thread.pk, message_id=first.pk, sender=thread.buyer, text="Uno")
    said(thread, "Three")

    part = browser(thread.seller).get(url("messages", thread), {"since": str(first.pk)}).text

    assert part.index("Uno") < part.index("Two") < part.index("Three")
    assert "<html" not in part


def test_a_bent_position_leads_to_the_thread(thread):
    answer = browser(thread.seller).get(url("messages", thread), {"before": "'; DROP"})

    assert answer.url == url("thread", thread)


# --- Changing, deleting, reporting ----------------------------------------------------------------------


def test_changing_and_deleting_are_pages_that_work_without_a_script(thread):
    message, client = said(thread, "500 ming"), browser(thread.buyer)

    assert "500 ming" in client.get(url("edit", thread, message)).text
    client.post(url("edit", thread, message), {"text": "450 ming"})
    assert "edited" in client.get(url("thread", thread)).text
    assert client.get(url("take_back", thread, message)).status_code == 200
    assert not Message.objects.get().is_deleted, "asking deletes nothing"
    client.post(url("take_back", thread, message))
    assert "Message deleted" in client.get(url("thread", thread)).text
    assert client.get(url("edit", thread, message)).status_code == 404


def test_a_report_needs_a_reason_and_tells_the_moderators(thread):
    message, client = said(thread, "Pul oʻtkaz"), browser(thread.seller)

    assert client.post(url("report", thread, message), {}).status_code == 422
    client.post(url("report", thread, message), {"reason": "fraud", "note": "Asked twice"})

    row = MessageReport.objects.get()
    assert (row.reason, row.note, row.text) == ("fraud", "Asked twice", "Pul oʻtkaz")


def test_deleting_a_thread_for_oneself_asks_first(thread):
    said(thread)
    client = browser(thread.seller)

    assert client.get(url("clear", thread)).status_code == 200
    assert Participant.objects.get(user=thread.seller).cleared_at is None
    client.post(url("clear", thread))
    assert "No conversations yet" in client.get(reverse("messaging:inbox")).text


# --- Files ----------------------------------------------------------------------------------------------


def test_a_picture_is_shown_and_a_file_is_saved_and_neither_can_run(thread):
    shown = with_picture(thread)
    answer = browser(thread.seller).get(url("attachment", thread, shown))
    assert answer["Content-Type"] == "image/webp"
    assert answer["Content-Disposition"].startswith("inline")

    post(thread, thread.buyer, file=file(name="chek «1».pdf"))
    saved = Message.objects.get(kind="file")
    answer = browser(thread.seller).get(url("attachment", thread, saved))
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 hello"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_a_file_goes_out_in_pieces_and_is_never_read_whole(thread):
    content = b"a receipt\n" * 40_000
    said(thread, "", attachment=prepare(file(content, "chek.txt")))
    message = Message.objects.get(kind="file")
    answer = browser(thread.seller).get(url("attachment", thread, message))

    async def first():
        return await anext(aiter(answer))

    piece = async_to_sync(first)()

    assert answer["Content-Length"] == str(len(content))
    assert piece == content[: Download.block_size]
    assert len(piece) < len(content)
    answer.close()


def test_a_file_that_may_not_be_sent_says_why_and_nothing_is_said(thread):
    answer = post(thread, thread.buyer, text="Mana", file=SimpleUploadedFile("a.html", b"<script>"))

    assert answer.status_code == 422
    assert "a.html" in answer.text
    assert "Mana" in answer.text
    assert not Message.objects.exists()


def test_the_file_of_a_message_taken_back_is_gone(thread, django_capture_on_commit_callbacks):
    message = with_picture(thread)
    with django_capture_on_commit_callbacks(execute=True):
        services.take_back(conversation_id=thread.pk, message_id=message.pk, sender=thread.buyer)

    assert browser(thread.seller).get(url("attachment", thread, message)).status_code == 404


# --- Moderators -----------------------------------------------------------------------------------------


def test_staff_without_the_second_factor_that_they_owe_reads_nobodys_thread(thread, monkeypatch, settings):
    settings.STAFF_SECOND_FACTOR = True
    judge = UserFactory(is_staff=True)
    monkeypatch.setattr(access, "_overseers", [lambda _user, _thread: True])

    assert browser(judge).get(url("thread", thread)).status_code == 404
    with_app(judge)
    assert browser(judge).get(url("thread", thread)).status_code == 200


def test_only_staff_whom_an_app_above_names_reads_the_threads_of_others(thread, monkeypatch):
    said(thread)
    judge, other = UserFactory(is_staff=True), UserFactory()
    monkeypatch.setattr(access, "_overseers", [lambda user, _thread: user in {judge, other}])

    assert browser(judge).get(url("thread", thread)).status_code == 200
    assert Oversight.objects.get().reader == judge
    assert browser(other).get(url("thread", thread)).status_code == 404, "no staff"
    assert browser(judge).post(url("messages", thread), {"text": "Salom"}).status_code == 404
    monkeypatch.setattr(access, "_overseers", [])
    assert browser(judge).get(url("thread", thread)).status_code == 404
