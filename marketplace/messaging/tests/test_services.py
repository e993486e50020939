"""What a conversation promises: once, in order, for two."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.ids import uuid7
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.listings.tests.factories import ListingFactory
from marketplace.messaging import presence, selectors, services
from marketplace.messaging.attachments import prepare
from marketplace.messaging.errors import (
    Blocked,
    CannotTalkToYourself,
    ClientIdReused,
    ContactSeen,
    EmptyMessage,
    MessageIsGone,
    MessageTooLong,
    NotYourMessage,
    TooLateToEdit,
)
from marketplace.messaging.models import Conversation, Message, MessageEdit, Participant
from marketplace.messaging.services import messages as sending
from marketplace.messaging.shown import as_data, with_words
from marketplace.messaging.tests.factories import conversation, file, said, with_picture
from marketplace.notifications.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread():
    return conversation()


def side(thread, user):
    return Participant.objects.get(conversation=thread, user=user)


# --- Opening --------------------------------------------------------------------------------------------


def test_there_is_one_thread_per_pair_and_listing(thread):
    again = services.open_about(listing=thread.listing, buyer=thread.buyer)
    other = services.open_about(listing=ListingFactory(seller=thread.seller), buyer=thread.buyer)

    assert again == thread
    assert other != thread


def test_a_general_thread_is_one_whoever_begins_it():
    one, other = UserFactory(), UserFactory()

    assert services.open_with(user=one, other=other) == services.open_with(user=other, other=one)


def test_the_database_knows_no_second_general_thread():
    one, other = UserFactory(), UserFactory()
    services.open_with(user=one, other=other)

    with pytest.raises(IntegrityError), transaction.atomic():
        Conversation.objects.create(buyer=other, seller=one)


def test_nobody_talks_to_themselves():
    listing = ListingFactory()

    with pytest.raises(CannotTalkToYourself):
        services.open_about(listing=listing, buyer=listing.seller)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_opening_it_from_two_sides_at_once_makes_one():
    one, other = UserFactory(), UserFactory()

    opened = in_parallel(
        lambda: services.open_with(user=one, other=other), lambda: services.open_with(user=other, other=one)
    )

    assert opened[0] == opened[1]
    assert Participant.objects.count() == 2


# --- Saying ---------------------------------------------------------------------------------------------


def test_what_is_said_shows_on_top_of_the_other_ones_inbox_as_unread(thread):
    said(thread, "Akkaunt hali sotuvdami?")

    (row,) = selectors.inbox(thread.seller)
    assert row.conversation.last_message.text == "Akkaunt hali sotuvdami?"
    assert row.unread == 1
    assert selectors.unread_total(thread.seller) == 1
    assert selectors.unread_total(thread.buyer) == 0


def test_an_opened_thread_without_a_word_is_in_nobodys_inbox(thread):
    assert not selectors.inbox(thread.buyer).exists()
    assert not selectors.inbox(thread.seller).exists()


def test_the_same_client_id_says_it_once(thread):
    name = uuid.uuid4()

    assert said(thread, client_id=name) == said(thread, client_id=name)
    assert side(thread, thread.seller).unread == 1


def test_a_client_id_names_one_message(thread):
    name = uuid.uuid4()
    said(thread, "First", client_id=name)

    with pytest.raises(ClientIdReused):
        said(thread, "Second", client_id=name)


def test_the_other_one_may_happen_to_use_the_same_client_id(thread):
    name = uuid.uuid4()

    assert said(thread, client_id=name) != said(thread, client_id=name, by=thread.seller)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_message_sent_twice_at_once_is_said_once():
    thread, name = conversation(), uuid.uuid4()

    first, second = in_parallel(*[lambda: said(thread, "Salom", client_id=name)] * 2)

    assert first == second
    assert Message.objects.count() == 1
    assert side(thread, thread.seller).unread == 1


def test_keys_ascend_even_when_the_clock_of_the_last_one_was_ahead(thread, monkeypatch):
    ahead = uuid.UUID(int=uuid7().int + (10_000 << 80))
    with monkeypatch.context() as patch:
        patch.setattr(sending, "uuid7", lambda: ahead)
        said(thread, "One")

    after = said(thread, "Two").pk

    assert after > ahead


def test_empty_blank_and_endless_messages_are_refused(thread):
    for text in ("", " \n\t ", "\0"):
        with pytest.raises(EmptyMessage):
            said(thread, text)
    with pytest.raises(MessageTooLong):
        said(thread, "a" * 4001)
    assert said(thread, "a" * 4000).text == "a" * 4000
    assert Message.objects.count() == 1


def test_a_stranger_cannot_write_into_it(thread):
    with pytest.raises(Conversation.DoesNotExist):
        said(thread, by=UserFactory())


def test_after_a_block_neither_can_write(thread):
    services.block(user=thread.seller, other=thread.buyer)

    for person in (thread.buyer, thread.seller):
        with pytest.raises(Blocked):
            said(thread, by=person)
    services.unblock(user=thread.seller, other=thread.buyer)
    assert said(thread)


def test_a_block_stands_in_all_threads_of_the_two(thread):
    other = services.open_with(user=thread.buyer, other=thread.seller)
    services.block(user=thread.buyer, other=thread.seller)

    with pytest.raises(Blocked):
        said(other)


# --- The contact guard ----------------------------------------------------------------------------------


def test_a_phone_number_is_told_of_before_it_is_sent(thread):
    with pytest.raises(ContactSeen) as refused:
        said(thread, "Yozing: +998901234567")

    assert refused.value.may_override
    assert [one["kind"] for one in refused.value.details["findings"]] == ["phone"]
    assert refused.value.details["findings"][0]["why"]
    assert not Message.objects.exists()


def test_it_may_be_sent_anyway_and_moderators_see_that(thread):
    message = said(thread, "Yozing: +998901234567", send_anyway=True)

    assert message.overridden == ["phone"]
    assert list(selectors.overridden()) == [message]


def test_a_card_number_cannot_be_sent_at_all(thread):
    with pytest.raises(ContactSeen) as refused:
        said(thread, "Karta: 8600 1402 3456 7893", send_anyway=True)

    assert not refused.value.may_override
    assert "3456" not in str(refused.value.details), "the number does not come back whole"
    assert not Message.objects.exists()


def test_a_message_is_looked_at_again_when_it_is_changed(thread):
    message = said(thread, "Salom")

    with pytest.raises(ContactSeen):
        services.edit(
            conversation_id=thread.pk, message_id=message.pk, sender=thread.buyer, text="+998901234567"
        )


# --- Changing and taking back ---------------------------------------------------------------------------


def edit(thread, message, text, by=None):
    return services.edit(
        conversation_id=thread.pk, message_id=message.pk, sender=by or thread.buyer, text=text
    )


def take_back(thread, message, by=None):
    return services.take_back(conversation_id=thread.pk, message_id=message.pk, sender=by or thread.buyer)


def test_ones_own_words_can_be_changed_and_what_they_were_is_kept(thread):
    message = said(thread, "500 ming")

    changed = edit(thread, message, "450 ming")

    assert (changed.text, changed.edited_at is not None) == ("450 ming", True)
    assert [one.text for one in MessageEdit.objects.filter(message=message)] == ["500 ming"]


def test_after_fifteen_minutes_words_stand(thread):
    message = said(thread, "500 ming")
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(minutes=15, seconds=1))

    with pytest.raises(TooLateToEdit):
        edit(thread, message, "450 ming")


def test_nobody_changes_or_deletes_what_the_other_one_said(thread):
    message = said(thread)

    with pytest.raises(NotYourMessage):
        edit(thread, message, "Changed", by=thread.seller)
    with pytest.raises(NotYourMessage):
        take_back(thread, message, by=thread.seller)
    with pytest.raises(Message.DoesNotExist):
        take_back(thread, message, by=UserFactory())


def test_a_message_taken_back_leaves_an_empty_mark(thread, django_capture_on_commit_callbacks):
    message = with_picture(thread, text="Mana")
    storage, name = message.attachment.storage, message.attachment.name
    assert storage.exists(name)

    with django_capture_on_commit_callbacks(execute=True):
        take_back(thread, message)
    take_back(thread, message)

    message.refresh_from_db()
    assert (message.text, message.attachment.name, message.is_deleted) == ("", "", True)
    assert not storage.exists(name)
    with pytest.raises(MessageIsGone):
        edit(thread, message, "Again")


def test_the_database_keeps_no_words_of_what_was_taken_back(thread):
    message = take_back(thread, said(thread))

    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(text="Still here")


# --- Reading --------------------------------------------------------------------------------------------


def test_reading_marks_the_other_ones_messages_only(thread):
    theirs, mine = said(thread), said(thread, by=thread.seller)

    assert services.mark_read(conversation_id=thread.pk, user=thread.seller) == 1
    theirs.refresh_from_db()
    mine.refresh_from_db()
    assert (theirs.is_read, mine.is_read) == (True, False)
    assert (side(thread, thread.seller).unread, side(thread, thread.buyer).unread) == (0, 1)


def test_reading_up_to_a_message_leaves_the_newer_ones_unread(thread):
    first, second = said(thread, "One"), said(thread, "Two")

    services.mark_read(conversation_id=thread.pk, user=thread.seller, up_to=first.pk)

    second.refresh_from_db()
    assert not second.is_read
    assert side(thread, thread.seller).unread == 1


def test_a_thread_deleted_for_oneself_stays_with_the_other_and_comes_back_empty(thread):
    said(thread, "Old")

    services.clear(conversation_id=thread.pk, user=thread.seller)

    assert not selectors.inbox(thread.seller).exists()
    assert selectors.inbox(thread.buyer).exists()
    said(thread, "New")
    assert selectors.inbox(thread.seller).exists()
    seen = selectors.thread_of(thread.seller, thread.pk).messages()
    assert [one.text for one in seen] == ["New"]
    assert selectors.thread_of(thread.buyer, thread.pk).messages().count() == 2


def test_a_muted_thread_counts_in_no_header(thread):
    services.mute(conversation_id=thread.pk, user=thread.seller, is_muted=True)

    said(thread)

    assert selectors.unread_total(thread.seller) == 0


# --- Telling those who are away -------------------------------------------------------------------------


def tell(thread, user):
    return services.tell_unread(conversation_id=thread.pk, user_id=user.pk)


def test_who_does_not_read_is_told_once_until_they_have(thread):
    said(thread, "One")
    said(thread, "Two")

    jobs = run_jobs()

    assert jobs.count("tasks.messaging.tell_unread") == 0, "not at once"
    assert tell(thread, thread.seller)
    told = Notification.objects.get(user=thread.seller)
    assert thread.buyer.display_name in told.title
    assert "One" not in told.title + told.message, "what was said stays in the chat"
    assert told.action_url == f"/chats/{thread.pk}/"


def test_one_job_waits_however_much_is_said(thread):
    said(thread, "One")
    said(thread, "Two")
    assert Job.objects.filter(task="tasks.messaging.tell_unread").count() == 1

    services.mark_read(conversation_id=thread.pk, user=thread.seller)
    said(thread, "Three")
    assert Job.objects.filter(task="tasks.messaging.tell_unread").count() == 2


def test_what_is_left_unread_is_told_of_later(thread):
    first = said(thread, "One")
    said(thread, "Two")

    services.mark_read(conversation_id=thread.pk, user=thread.seller, up_to=first.pk)

    assert Job.objects.filter(task="tasks.messaging.tell_unread").count() == 2
    assert tell(thread, thread.seller)


def test_who_has_read_is_here_or_has_muted_is_not_told(thread):
    said(thread)
    presence.arrived(thread.seller.pk)
    assert not tell(thread, thread.seller)
    presence.left(thread.seller.pk)

    services.mute(conversation_id=thread.pk, user=thread.seller, is_muted=True)
    assert not tell(thread, thread.seller)
    services.mute(conversation_id=thread.pk, user=thread.seller, is_muted=False)

    services.mark_read(conversation_id=thread.pk, user=thread.seller)
    assert not tell(thread, thread.seller)
    assert not Notification.objects.filter(user=thread.seller).exists()


# --- Steps of a trade -----------------------------------------------------------------------------------


def step(thread, name="paid", at=None):
    return services.note_step(
        listing=thread.listing,
        buyer=thread.buyer,
        trade_id=thread.pk,
        step=name,
        at=at or timezone.now(),
        amount=100_000_00,
        currency="UZS",
    )


def test_a_step_is_noted_once_shown_to_both_and_waits_for_nobody(thread):
    at = timezone.now()

    assert step(thread, at=at) == step(thread, at=at)
    assert selectors.inbox(thread.buyer).count() == selectors.inbox(thread.seller).count() == 1
    assert side(thread, thread.buyer).unread == side(thread, thread.seller).unread == 0


def test_the_words_of_a_step_are_the_readers_own(thread):
    data = as_data(step(thread))

    with translation.override("en"):
        assert "held in escrow" in with_words(data)["text"]
        assert "100\xa0000" in with_words(data)["text"]


def test_a_step_can_be_neither_changed_nor_reported(thread):
    card = step(thread)

    with pytest.raises(NotYourMessage):
        take_back(thread, card)
    with pytest.raises(NotYourMessage):
        services.report(conversation_id=thread.pk, message_id=card.pk, reporter=thread.buyer, reason="spam")


# --- Reports --------------------------------------------------------------------------------------------


def report(thread, message, by=None):
    return services.report(
        conversation_id=thread.pk, message_id=message.pk, reporter=by or thread.seller, reason="fraud"
    )


def test_a_report_keeps_what_was_said_though_it_is_taken_back(thread):
    message = said(thread, "Pul oʻtkaz, escrowsiz")
    row = report(thread, message)

    take_back(thread, message)

    row.refresh_from_db()
    assert row.text == "Pul oʻtkaz, escrowsiz"


def test_a_message_is_reported_once_by_a_person_and_never_by_its_sender(thread):
    message = said(thread)

    assert report(thread, message) == report(thread, message)
    with pytest.raises(NotYourMessage):
        report(thread, message, by=thread.buyer)
    with pytest.raises(Conversation.DoesNotExist):
        report(thread, message, by=UserFactory())


def test_an_upheld_report_takes_the_message_away_and_the_first_decision_stands(thread):
    row = report(thread, said(thread))
    moderator = UserFactory(is_staff=True)

    services.decide_report(report_id=row.pk, actor=moderator, is_upheld=True)
    decided = services.decide_report(report_id=row.pk, actor=UserFactory(is_staff=True), is_upheld=False)

    assert (decided.status, decided.decided_by) == ("upheld", moderator)
    assert Message.objects.get(pk=row.message_id).is_deleted


def test_a_dismissed_report_leaves_the_message(thread):
    row = report(thread, said(thread))

    services.decide_report(report_id=row.pk, actor=UserFactory(is_staff=True), is_upheld=False)

    assert not Message.objects.get(pk=row.message_id).is_deleted


# --- Files ----------------------------------------------------------------------------------------------


def test_a_picture_is_kept_as_another_file_without_its_metadata(thread):
    message = with_picture(thread)

    content = message.attachment.read()
    assert content[:4] == b"RIFF"
    assert (message.kind, message.attachment_type) == ("image", "image/webp")
    assert (message.width, message.height) == (640, 480)
    assert "photo" not in message.attachment.name, "the place tells nothing"


def test_a_file_is_gone_when_its_message_could_not_be_stored(thread, monkeypatch):
    kept = []

    def broken(conversation, message):
        kept.append((message.attachment.storage, message.attachment.name))
        raise RuntimeError("the database went away")

    monkeypatch.setattr(sending, "_after", broken)

    with pytest.raises(RuntimeError):
        said(thread, "", attachment=prepare(file()))

    (storage, name) = kept[0]
    assert not storage.exists(name)
    assert not Message.objects.exists()


def test_a_message_costs_a_fixed_number_of_statements(thread, django_assert_num_queries):
    said(thread, "One")

    # Two are savepoints; the rest: both sides, the message, the thread, both sides again.
    with django_assert_num_queries(6):
        said(thread, "Two")
