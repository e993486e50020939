"""What a copy of one's data holds: every table that knows the person, and nothing that is somebody else's or secret."""

import io
import json
import os
import tracemalloc
import zipfile

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.accounts import exports, traces
from marketplace.accounts.models import SecurityEvent, SignIn, User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory, with_app
from marketplace.escrow.services import open_dispute
from marketplace.escrow.tests import factories as trades
from marketplace.listings import pictures
from marketplace.listings import services as listings
from marketplace.listings.services.publishing import Content, Secrets
from marketplace.listings.tests.factories import (
    LOGIN,
    PASSWORD,
    FavoriteFactory,
    ListingFactory,
    game,
    upload,
)
from marketplace.messaging import services as messaging
from marketplace.messaging.tests import factories as chats
from project.tests import town as towns

pytestmark = pytest.mark.django_db

# Tables that refer to a person and are in no copy, each with the reason.
LEFT_OUT = {
    "accounts.DataExport": "the copy itself",
    "accounts.PasswordHistory": "hashes of passwords",
    "token_blacklist.OutstandingToken": "ids of tokens; the sign-ins they belong to are there",
    "accounts.PhoneCode": "hashes of codes that lived for minutes",
    "accounts.SignInCode": "hashes of codes that lived for minutes",
    "notifications.TelegramCode": "hashes of codes that lived for minutes",
    "subscriptions.Subscriber": "a lock, nothing but the person's key",
    "admin.LogEntry": "what staff did",
    "messaging.Oversight": "what staff did",
    "payments.ProviderStatement": "what staff did",
    "payments.Refund": "the person as staff; refunds of their own payments are in refunds.json",
    "payments.RefundDecision": "what staff did",
    "payments.PayoutDecision": "what staff did",
    "escrow.TradeRefund": "what staff did; the sum is in trades.json",
}


def tables_of_people():
    """The label of every model with a relation to a person, those that Django makes for many-to-many too."""
    return {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model is User and not field.many_to_many
    }


@pytest.fixture(scope="module")
def town(django_db_setup, django_db_blocker):
    """Nothing is changed here, so one is enough."""
    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        yield towns.built()
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


def unpacked(user):
    """By the name of the file: its rows, or its bytes."""
    heap = io.BytesIO()
    exports._write(heap, user, at=timezone.now())
    with zipfile.ZipFile(heap) as archive:
        assert archive.testzip() is None
        return {
            name: json.loads(archive.read(name)) if name.endswith(".json") else archive.read(name)
            for name in archive.namelist()
        }


def whole_text(found):
    return "\n".join(
        value.decode("utf-8", "replace")
        if isinstance(value, bytes)
        else json.dumps(value, ensure_ascii=False)
        for name, value in found.items()
        if name.endswith((".json", ".txt"))
    )


# --- Nothing is forgotten ---------------------------------------------------------------------------


def test_every_table_that_knows_a_person_is_in_the_copy_or_left_out_for_a_reason():
    told = {table for part in traces.parts() for table in part.tables} - {"accounts.User"}
    # Through its conversation or its trade, with no column of its own for the person.
    known = tables_of_people() - {"auth.Group", "accounts.User_groups", "accounts.User_user_permissions"}

    assert known - told - set(LEFT_OUT) == set(), "give it to a share's part, or say here why not"
    assert set(LEFT_OUT) & told == set()
    assert set(LEFT_OUT) - known == set(), "no such table any more"
    assert told - known <= {"account.EmailAddress"}


def test_every_table_that_is_named_exists_and_no_file_has_two_owners():
    names = [part.name for part in traces.parts()]

    assert len(names) == len(set(names))
    for part in traces.parts():
        for table in part.tables:
            apps.get_model(table)


# --- What is in it ----------------------------------------------------------------------------------


def test_a_buyers_copy_tells_what_they_did(town):
    buyer = town.here.buyer

    found = unpacked(buyer)

    assert found["profile.json"][0]["email"] == buyer.email
    assert [row["email"] for row in found["addresses.json"]] == [buyer.email]
    assert {row["side"] for row in found["trades.json"]} == {"buyer"}
    assert "commission" not in found["trades.json"][0]
    assert {row["type"] for row in found["transactions.json"]} >= {"deposit", "purchase"}
    assert {row["kind"] for row in found["ledger.json"]} >= {"deposit", "hold"}
    assert [row["text"] for row in found["messages.json"] if row["from"] == "you"] == ["Salom"]
    assert found["conversations.json"][0]["with"] == town.here.seller.display_name
    assert found["notifications.json"]
    assert {row["what"] for row in found["security.json"]} == {"second_factor"}
    sent = [name for name in found if name.startswith("messages/")]
    assert len(sent) == 1
    assert found[sent[0]].startswith(b"RIFF")


def test_a_sellers_copy_tells_what_they_sold_and_reported(town):
    seller = town.here.seller

    found = unpacked(seller)

    assert {row["title"] for row in found["listings.json"]} == set(
        seller.listings.values_list("title", flat=True)
    )
    assert {row["side"] for row in found["trades.json"]} == {"seller"}
    assert found["trades.json"][0]["earnings"]
    assert [row["last_four"] for row in found["payout_cards.json"]] == ["0007"]
    assert [row["reason"] for row in found["peace.json"] if row["what"] == "reported"] == ["fraud"]


def test_the_country_stands_beside_every_address_of_ones_own(town):
    buyer, staff = town.here.buyer, StaffFactory()
    SignIn.objects.filter(user=buyer).update(address="91.203.174.12")
    for actor, address in ((buyer, "95.56.1.1"), (buyer, "10.0.0.1"), (staff, "8.8.8.8")):
        SecurityEvent.objects.create(kind="signed_in", user=buyer, actor=actor, address=address)

    found = unpacked(buyer)

    assert {row["country"] for row in found["sign_ins.json"]} == {"UZ"}
    history = [(row["address"], row["country"]) for row in found["security_history.json"]]
    assert history[-3:] == [("95.56.1.1", "KZ"), ("10.0.0.1", ""), (None, "")]


def test_nothing_of_others_and_no_secret_is_in_it(town):
    """Of others there is what the person could see on the site; of secrets, the person's own too, nothing."""
    here = town.here
    for reader, other in ((here.buyer, here.seller), (here.seller, here.buyer)):
        text = whole_text(unpacked(with_app(reader) if reader is here.seller else reader))

        assert other.email not in text
        assert LOGIN not in text
        assert PASSWORD not in text
        assert "8600000000000007" not in text
        assert reader.password not in text
        assert "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" not in text
        for stranger in (town.there.buyer, town.there.seller):
            assert stranger.email not in text
            assert stranger.display_name not in text


def test_what_the_other_told_the_moderators_is_theirs():
    trade = trades.delivered()
    open_dispute(trade_id=trade.pk, user=trade.buyer, reason="other", statement="Only for moderators.")

    assert "Only for moderators." in whole_text(unpacked(trade.buyer))
    assert "Only for moderators." not in whole_text(unpacked(trade.seller))


def test_of_a_thread_that_was_cleared_only_ones_own_words_are_there():
    thread = chats.conversation()
    chats.said(thread, "from me")
    chats.said(thread, "from them", by=thread.seller)
    messaging.clear(conversation_id=thread.pk, user=thread.buyer)

    text = whole_text(unpacked(thread.buyer))

    assert "from me" in text
    assert "from them" not in text


def test_pictures_of_offers_and_the_own_picture_are_in_it():
    user = UserFactory()
    user.avatar.save("me.png", ContentFile(chats.picture().read()))
    content = Content(game(), "Offer", "Text", 100_000_00, None, {}, [])
    listings.submit(
        seller=user, content=content, secrets=Secrets("a", "b"), pictures=[pictures.prepare(upload())]
    )

    found = unpacked(user)

    assert [name for name in found if name.startswith("profile/")] == ["profile/avatar.png"]
    assert len([name for name in found if name.startswith("listings/")]) == 1


# --- What it costs ----------------------------------------------------------------------------------


def test_a_copy_costs_the_same_however_much_there_is():
    few, many = UserFactory(), UserFactory()
    for user, count in ((few, 1), (many, 4)):
        for _number in range(count):
            FavoriteFactory(user=user)
            ListingFactory(seller=user)
            trades.confirmed(seller=user)
            chats.said(chats.conversation(seller=user))

    assert cost(many) == cost(few) <= 33


def cost(user):
    with CaptureQueriesContext(connection) as seen:
        unpacked(user)
    return len(seen)


def test_a_large_file_passes_through_without_being_held():
    big = 24 * 1024 * 1024
    thread = chats.conversation()
    message = chats.said(thread, attachment=chats.prepare(chats.file()))
    storage = storages["private"]
    storage.delete(message.attachment.name)
    storage.save(message.attachment.name, ContentFile(os.urandom(1024 * 1024) * (big // 1024 // 1024)))
    export = exports.ask(user=thread.buyer, at=timezone.now())

    tracemalloc.start()
    exports.build(export_id=export.pk, at=timezone.now())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    export.refresh_from_db()
    assert export.status == "ready"
    assert export.size > 1024 * 1024
    assert peak < 8 * 1024 * 1024
