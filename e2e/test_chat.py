"""Two people talk, in two real browsers: in order, once, over cuts and restarts, and without a script."""

import base64
import io
import socket
import threading
import time
import uuid

import pytest
import uvicorn
from django.contrib.sessions.models import Session
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from PIL import Image
from playwright.sync_api import expect

from e2e import axe
from e2e.conftest import START_SECONDS
from e2e.people import Person
from e2e.test_live import did_not_reload, done
from marketplace.core.live import endings
from marketplace.messaging import services
from marketplace.messaging.models import Message, MessageReport
from marketplace.messaging.tests.factories import conversation, said

pytestmark = pytest.mark.e2e
SLOW = 20_000  # milliseconds: coming back waits longer and longer, with chance in it


class Server:
    """A server of the test's own, which can be stopped and started again at the same address."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self):
        from project.asgi import application

        config = uvicorn.Config(
            ASGIStaticFilesHandler(application),
            host="127.0.0.1",
            port=self.port,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self.server.started:
            assert time.monotonic() < deadline, "the server takes too long to start"
            time.sleep(0.02)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture
def server(site):
    one = Server()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def thread():
    return done(conversation)


def opens(person, user, thread):
    """At their conversation, with the socket open: the other one's presence has been told."""
    person.logs_in(user.email)
    person.goes_to(f"/chats/{thread.pk}/")
    person.page.evaluate("window.sameDocument = true")


@pytest.fixture
def two(visitor, thread):
    buyer, seller = visitor(), visitor(viewport={"width": 390, "height": 844})
    opens(buyer, thread.buyer, thread)
    opens(seller, thread.seller, thread)
    expect(presence(buyer)).to_have_text("online")
    return buyer, seller


def presence(person):
    return person.page.locator("[data-presence]")


def field(person):
    return person.page.locator("#composer textarea")


def says(person, text):
    field(person).fill(text)
    person.page.get_by_role("button", name="Send", exact=True).click()


def bubbles(person):
    return person.page.locator("#log [data-message] .bubble .whitespace-pre-line")


def test_what_both_say_stands_on_both_screens_once_and_in_one_order(two):
    buyer, seller = two
    for number in range(4):
        says(buyer, f"Savol {number}")
        says(seller, f"Javob {number}")

    for person in two:
        expect(bubbles(person)).to_have_count(8)
        did_not_reload(person)
    assert bubbles(buyer).all_inner_texts() == bubbles(seller).all_inner_texts()
    texts = bubbles(buyer).all_inner_texts()
    assert [one for one in texts if "Savol" in one] == [f"Savol {number}" for number in range(4)]
    expect(buyer.page.locator(".is-sending")).to_have_count(0)


def test_typing_is_seen_and_reading_turns_the_marks(two):
    buyer, seller = two

    field(buyer).press_sequentially("Salom", delay=30)
    expect(seller.page.locator("[data-typing-bubble]")).to_be_visible()
    says(buyer, "Salom")
    expect(seller.page.locator("[data-typing-bubble]")).to_be_hidden()

    expect(buyer.page.locator("[data-mine][data-state=read]")).to_have_count(1)


def test_what_nobody_looks_at_stays_unread_and_counts_in_the_header(visitor, thread):
    reader = visitor()
    reader.logs_in(thread.seller.email)
    reader.goes_to("/listings/")
    expect(reader.page.locator("html[data-live=open]")).to_be_attached()

    done(lambda: said(thread, "Bormi?"))

    expect(reader.page.locator("#chats")).to_have_accessible_name("Conversations, 1 unread")
    reader.page.locator("#chats").click()
    reader.follows(thread.buyer.display_name)
    expect(reader.page.locator("#chats")).to_have_accessible_name("Conversations")


def test_a_restart_in_the_middle_loses_nothing_and_says_nothing_twice(visitor, server, thread):
    buyer, seller = visitor(base_url=server.address), visitor(base_url=server.address)
    opens(buyer, thread.buyer, thread)
    opens(seller, thread.seller, thread)
    says(buyer, "Oldin")
    expect(bubbles(seller)).to_have_text(["Oldin"])

    server.stop()
    expect(seller.page.locator("#conn")).to_have_attribute("data-state", "reconnecting", timeout=SLOW)
    says(buyer, "Uzilganda")
    expect(buyer.page.get_by_text("Not sent.")).to_be_visible()
    done(lambda: said(thread, "Boshqa joydan", by=thread.seller))
    server.start()

    for person in (buyer, seller):
        expect(bubbles(person)).to_have_count(3, timeout=2 * SLOW)
        assert sorted(bubbles(person).all_inner_texts()) == ["Boshqa joydan", "Oldin", "Uzilganda"]
        did_not_reload(person)
        person.complaints.clear()  # the browser notes every failed try
    assert bubbles(buyer).all_inner_texts() == bubbles(seller).all_inner_texts()
    assert done(lambda: Message.objects.filter(conversation=thread).count()) == 3


def test_a_reader_without_network_writes_on_and_is_heard_when_it_returns(two):
    buyer, seller = two

    buyer.page.context.set_offline(True)
    says(buyer, "Tarmoqsiz")
    expect(buyer.page.get_by_text("Not sent.")).to_be_visible()
    buyer.page.context.set_offline(False)

    expect(bubbles(seller)).to_have_text(["Tarmoqsiz"], timeout=SLOW)
    expect(buyer.page.locator(".is-sending")).to_have_count(0)
    buyer.complaints.clear()


def test_the_guard_warns_keeps_the_words_and_lets_them_be_changed_or_sent(two, axe_source):
    buyer, seller = two

    says(buyer, "Menga yozing: +998 90 123 45 67")
    warning = buyer.page.locator("#guard")
    expect(warning).to_contain_text("not safe to send")
    expect(field(buyer)).to_have_value("Menga yozing: +998 90 123 45 67")
    expect(field(buyer)).to_be_focused()
    assert axe.violations(buyer.page, axe_source) == []
    expect(bubbles(seller)).to_have_count(0)
    buyer.presses("Send anyway")
    expect(bubbles(seller)).to_have_text(["Menga yozing: +998 90 123 45 67"])

    says(buyer, "Karta: 8600 1402 3456 7893")
    expect(warning).to_contain_text("cannot be sent here")
    expect(buyer.page.get_by_role("button", name="Send anyway")).to_have_count(0)
    says(buyer, "Karta kerak emas")
    expect(bubbles(seller)).to_have_count(2)
    buyer.complaints.clear()  # the browser notes each 422


def picture():
    out = io.BytesIO()
    Image.new("RGB", (800, 500), "teal").save(out, "PNG")
    return {"name": "profil.png", "mimeType": "image/png", "buffer": out.getvalue()}


def test_a_picture_is_sent_and_seen_and_a_program_is_refused(two):
    buyer, seller = two
    chooser = buyer.page.locator("#composer [type=file]")

    chooser.set_input_files(picture())
    expect(buyer.page.locator("[data-chosen]")).to_contain_text("profil.png")
    buyer.page.get_by_role("button", name="Send", exact=True).click()

    seen = seller.page.get_by_role("img", name="Picture profil.webp")
    expect(seen).to_be_visible()
    assert seen.evaluate("image => image.decode().then(() => image.naturalWidth)") == 800
    chooser = buyer.page.locator("#composer [type=file]")
    chooser.set_input_files({"name": "a.exe", "mimeType": "image/png", "buffer": b"MZ\x90\x00"})
    buyer.page.get_by_role("button", name="Send", exact=True).click()
    expect(buyer.page.locator("#composer")).to_contain_text("a.exe: only pictures")
    buyer.complaints.clear()


def test_what_is_changed_and_deleted_changes_on_the_other_screen(two, thread):
    buyer, seller = two
    says(buyer, "500 ming")
    expect(bubbles(seller)).to_have_text(["500 ming"])

    message = done(lambda: Message.objects.get(conversation=thread))
    done(
        lambda: services.edit(
            conversation_id=thread.pk, message_id=message.pk, sender=thread.buyer, text="450 ming"
        )
    )
    expect(bubbles(seller)).to_have_text(["450 ming"])
    buyer.page.locator("#log summary").click()
    buyer.follows("Delete for both")
    buyer.presses("Delete")
    expect(seller.page.locator("#log")).to_contain_text("Message deleted")
    did_not_reload(seller)


def test_older_messages_come_when_one_scrolls_to_them(visitor, thread):
    def much():
        for number in range(70):
            said(thread, f"Xabar {number:02}")

    done(much)
    reader = visitor()
    opens(reader, thread.seller, thread)
    expect(bubbles(reader)).to_have_count(30)

    for _page in range(2):
        reader.page.locator("[data-scroll]").evaluate("box => { box.scrollTop = -box.scrollHeight; }")
        reader.page.wait_for_timeout(300)
    expect(bubbles(reader)).to_have_count(70)
    assert bubbles(reader).all_inner_texts() == [f"Xabar {number:02}" for number in range(70)]


def test_without_a_script_people_write_change_delete_and_report(visitor, thread):
    buyer, seller = visitor(scripts=False), visitor(scripts=False)
    buyer.logs_in(thread.buyer.email)
    buyer.goes_to(f"/chats/{thread.pk}/")
    says(buyer, "Skriptsiz +998 90 123 45 67")
    buyer.sees("not safe to send")
    buyer.presses("Send anyway")
    buyer.sees("Skriptsiz")
    buyer.page.locator("#log summary").click()
    buyer.follows("Change")
    buyer.page.locator("textarea[name=text]").fill("Skriptsiz, raqamsiz")
    buyer.presses("Save")
    buyer.sees("Skriptsiz, raqamsiz")

    seller.logs_in(thread.seller.email)
    seller.goes_to("/chats/")
    seller.follows(thread.buyer.display_name)
    seller.page.locator("#log summary").click()
    seller.follows("Report")
    seller.page.get_by_label("Advertising").check()
    seller.presses("Report")
    seller.sees("The moderators will look at it.")
    assert done(lambda: MessageReport.objects.filter(message__conversation=thread).count()) == 1


# --- Drafts -----------------------------------------------------------------------------------------


def stored(person):
    """All that scripts may keep in this browser, as name and value."""
    return person.page.evaluate("({...localStorage, ...sessionStorage})")


def drafts(person):
    return {name: value for name, value in stored(person).items() if name.startswith("draft:")}


def writes_a_draft(person, text):
    """Written, and kept: sealing takes a moment."""
    before = drafts(person)
    field(person).press_sequentially(text)
    person.page.wait_for_function(
        "before => Object.entries(localStorage).some(([name, value]) => name.startsWith('draft:') && before[name] !== value)",
        arg=before,
    )


def test_a_draft_waits_where_it_was_left(visitor, thread):
    writer = visitor()
    opens(writer, thread.buyer, thread)
    writes_a_draft(writer, "Hali tugatmadim")

    writer.goes_to("/listings/")
    writer.goes_to(f"/chats/{thread.pk}/")

    expect(field(writer)).to_have_value("Hali tugatmadim")


def test_a_draft_is_there_in_another_tab_and_after_a_reload_and_gone_once_it_is_sent(visitor, thread):
    writer = visitor()
    opens(writer, thread.buyer, thread)
    writes_a_draft(writer, "Ikki oynada")
    other = Person(writer.page.context.new_page(), writer.letters)

    other.goes_to(f"/chats/{thread.pk}/")
    expect(field(other)).to_have_value("Ikki oynada")
    other.page.reload()
    expect(field(other)).to_have_value("Ikki oynada")
    other.page.get_by_role("button", name="Send", exact=True).click()
    expect(bubbles(other)).to_have_text(["Ikki oynada"])

    assert drafts(other) == {}
    writer.page.reload()
    expect(field(writer)).to_have_value("")


def test_a_draft_that_was_written_without_a_network_is_there_when_it_is_back(visitor, thread):
    writer = visitor()
    opens(writer, thread.buyer, thread)
    writer.page.context.set_offline(True)
    writes_a_draft(writer, "Tarmoqsiz yozdim")
    writer.page.context.set_offline(False)

    writer.page.reload()

    expect(field(writer)).to_have_value("Tarmoqsiz yozdim")
    writer.complaints.clear()


def test_what_is_kept_of_a_draft_is_noise_and_its_key_is_kept_nowhere(visitor, thread):
    writer = visitor()
    opens(writer, thread.buyer, thread)
    key = writer.page.locator("#chat").get_attribute("data-key")

    writes_a_draft(writer, "Maxfiy")
    (first,) = drafts(writer).values()
    field(writer).press("Backspace")
    writer.page.wait_for_function("before => !Object.values(localStorage).includes(before)", arg=first)
    writes_a_draft(writer, "y")
    (second,) = drafts(writer).values()

    assert b"Maxfiy" not in base64.b64decode(second)
    assert len(base64.b64decode(second)) == 12 + len("Maxfiy") + 16
    assert first != second, "the same words under another IV"
    assert base64.b64decode(first)[:12] != base64.b64decode(second)[:12]
    everything = str(stored(writer)) + str(writer.page.context.cookies())
    assert len(base64.b64decode(key)) == 32
    assert key not in everything
    assert "Maxfiy" not in everything
    assert writer.page.evaluate("caches.keys()") == []
    assert writer.page.evaluate("indexedDB.databases()") == []


@pytest.mark.parametrize(
    "how", ["another session", "meddled with", "moved to here", "never sealed", "not ours"]
)
def test_a_draft_that_does_not_open_is_dropped_without_a_word(visitor, thread, how):
    writer = visitor()
    opens(writer, thread.buyer, thread)
    writes_a_draft(writer, "Eski")
    ((name, value),) = drafts(writer).items()
    if how == "another session":
        writer.page.context.clear_cookies()
        writer.logs_in(thread.buyer.email)
    turned = "A" if value[20] != "A" else "B"
    told = {
        "another session": (name, value),
        "meddled with": (name, value[:20] + turned + value[21:]),
        "moved to here": (name.replace(str(thread.pk), str(uuid.uuid4())), value),
        "never sealed": (name, "Eski"),
        "not ours": (name, "{}"),
    }[how]
    # While no page of the conversation is there to write it again.
    writer.goes_to("/listings/")
    writer.page.evaluate(
        "([name, value]) => { localStorage.clear(); localStorage.setItem(name, value); }", told
    )

    writer.goes_to(f"/chats/{thread.pk}/")
    writer.page.wait_for_function("name => !(name in localStorage)", arg=told[0])

    expect(field(writer)).to_have_value("")
    assert drafts(writer) == {}


def test_where_a_browser_has_no_ciphers_nothing_is_kept(visitor, thread):
    """As over plain http: then the ciphers are not there."""
    writer = visitor()
    writer.page.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })")
    opens(writer, thread.buyer, thread)
    writer.page.evaluate(
        "([name]) => localStorage.setItem(name, 'Eski')", [f"draft:{thread.buyer.pk}:{thread.pk}"]
    )
    writer.page.reload()
    writer.page.wait_for_function("() => Object.keys(localStorage).every(name => !name.startsWith('draft:'))")

    field(writer).press_sequentially("Hech qayerda")
    says(writer, "Hech qayerda")

    expect(bubbles(writer)).to_have_text(["Hech qayerda"])
    assert drafts(writer) == {}
    assert "Hech" not in str(stored(writer))


def signs_out(person):
    person.page.locator("header details.menu summary").first.click()
    person.presses("Log out")


def two_tabs_with_a_draft(visitor, thread):
    done(lambda: said(thread, "Faqat ikkimizga"))
    writer = visitor()
    opens(writer, thread.buyer, thread)
    writes_a_draft(writer, "Yarim gap")
    other = Person(writer.page.context.new_page(), writer.letters)
    other.goes_to(f"/chats/{thread.pk}/")
    other.sees("Faqat ikkimizga")
    return writer, other


def test_whoever_signs_out_leaves_no_draft_and_no_page_behind_in_any_tab(visitor, thread):
    writer, other = two_tabs_with_a_draft(visitor, thread)

    signs_out(writer)

    other.page.wait_for_url("**/accounts/login/**", timeout=SLOW)
    assert drafts(other) == {}
    writer.does_not_see("Faqat ikkimizga")
    writer.page.go_back()
    writer.does_not_see("Faqat ikkimizga")
    writer.complaints.clear()
    other.complaints.clear()


def test_signing_out_without_a_network_clears_this_browser_all_the_same(visitor, thread):
    writer, other = two_tabs_with_a_draft(visitor, thread)
    context = writer.page.context
    context.set_offline(True)

    signs_out(writer)

    expect(other.page.get_by_text("Faqat ikkimizga")).to_have_count(0)
    expect(writer.page.get_by_text("Faqat ikkimizga")).to_have_count(0)
    state = context.storage_state()
    assert not [
        one for origin in state["origins"] for one in origin["localStorage"] if "draft:" in one["name"]
    ]
    writer.complaints.clear()
    other.complaints.clear()


def test_a_draft_of_a_session_that_was_ended_elsewhere_without_a_network_here_stays_noise(visitor, thread):
    """This browser hears nothing: what lies in it is sealed, and the page with the key is gone."""
    writer = visitor()
    opens(writer, thread.buyer, thread)
    writes_a_draft(writer, "Yarim gap")
    ((name, value),) = drafts(writer).items()
    writer.page.context.set_offline(True)
    done(lambda: Session.objects.all().delete())
    writer.page.close()

    writer.page.context.set_offline(False)
    again = Person(writer.page.context.new_page(), writer.letters)
    again.goes_to("/accounts/login/")
    assert drafts(again) == {name: value}
    assert b"Yarim" not in base64.b64decode(value)
    again.logs_in(thread.buyer.email)
    again.goes_to(f"/chats/{thread.pk}/")

    again.page.wait_for_function("name => !(name in localStorage)", arg=name)
    expect(field(again)).to_have_value("")
    writer.complaints.clear()


def test_a_page_whose_sign_in_was_ended_elsewhere_takes_itself_away(visitor, thread):
    done(lambda: said(thread, "Faqat ikkimizga"))
    reader = visitor()
    opens(reader, thread.buyer, thread)
    reader.sees("Faqat ikkimizga")
    expect(reader.page.locator("html[data-live=open]")).to_be_attached()
    writes_a_draft(reader, "Yarim gap")

    def end():
        for session in Session.objects.all():
            if session.get_decoded().get("_auth_user_id") == str(thread.buyer.pk):
                key = session.session_key
                session.delete()
                endings.end_session(thread.buyer.pk, key)

    done(end)

    reader.page.wait_for_url("**/accounts/login/**")
    reader.does_not_see("Faqat ikkimizga")
    assert drafts(reader) == {}
    reader.complaints.clear()
