"""Deleting one's account: what stands against it, the wait, and that nothing of the person is found anywhere afterwards."""

import json
import uuid
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import deletion, exports, tokens, traces
from marketplace.accounts.errors import AccountLeaving, DeletionRefused, StaffStays
from marketplace.accounts.models import KnownDevice, SecurityEvent, SignIn, User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory, code_of_app, with_app
from marketplace.core.fields import EncryptedTextField
from marketplace.core.models import Job
from marketplace.core.testing import in_parallel, run_jobs
from marketplace.escrow import services as escrow
from marketplace.escrow.errors import BoxEmptied
from marketplace.escrow.tests import factories as trades
from marketplace.ledger import services as ledger
from marketplace.ledger.models import Account
from marketplace.ledger.tests.factories import fund, spend
from marketplace.listings import pictures
from marketplace.listings import services as listings
from marketplace.listings.errors import ListingNotAvailable, ListingNotModeratable
from marketplace.listings.models import Credentials, Listing
from marketplace.listings.services.publishing import Content, Secrets
from marketplace.listings.tests.factories import FavoriteFactory, ListingFactory, game, upload
from marketplace.messaging import services as messaging
from marketplace.messaging.errors import Blocked
from marketplace.messaging.models import Message
from marketplace.messaging.tests import factories as chats
from marketplace.notifications import services as notifications
from marketplace.notifications.models import NotificationSetting, TelegramLink
from marketplace.payments import services as payments
from marketplace.payments.models import Debt, Refund, Transaction
from marketplace.payments.tests.factories import DepositFactory, PaymentMethodFactory
from marketplace.payments.tests.wire import deliver, payload
from marketplace.subscriptions import services as subscriptions
from marketplace.subscriptions.models import Period, SubscriptionPlan, UserSubscription
from tasks.accounts import delete_accounts

pytestmark = pytest.mark.django_db
PAGE = "/me/privacy/delete/"
EMAIL, NAME, PHONE, USERNAME = "zulfiyaxon@example.uz", "Zulfiyaxon Qodirova", "+998907654321", "zulfiya_q"
CARD = "8600000000000007"


def signed_in(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def over(user, *, run=True):
    """Ask, and let the wait pass."""
    deletion.ask(user=user, at=timezone.now() - timedelta(days=15))
    delete_accounts()
    if run:
        run_jobs()
    user.refresh_from_db()
    return user


# --- What stands against it -------------------------------------------------------------------------


def owing(user):
    payment = DepositFactory(user=user)
    deliver(payload(payment))
    payment.refresh_from_db()
    spend(user, payment.amount)
    refund = Refund.objects.create(
        payment=payment, amount=100_00, currency="UZS", status="succeeded", debt=100_00, is_by_provider=True,
        journal_entry=payment.journal_entry, idempotency_key="r", ended_at=timezone.now(),
    )  # fmt: skip
    Debt.objects.create(user=user, refund=refund, amount=100_00, currency="UZS")


def with_a_payout(user):
    fund(user, 400_000_00)
    payments.withdraw(user=user, amount=400_000_00, card_number=CARD, idempotency_key="p")


def with_an_open_try(user):
    payment = DepositFactory(user=user)
    payment.attempts.create(
        provider="payme", provider_id="1", amount=payment.amount, currency="UZS", provider_time=timezone.now()
    )


def contested(user):
    payment = DepositFactory(user=user)
    Transaction.objects.filter(pk=payment.pk).update(contested_at=timezone.now())


def buying(user):
    fund(user, 100_000_00)
    escrow.buy_from_balance(listing_id=ListingFactory().pk, buyer=user, idempotency_key="b")


OPEN = {
    "money": (lambda user: fund(user, 5_00), "is in your wallet"),
    "money in tenge": (lambda user: fund(user, 5_00, "KZT"), "is in your wallet"),
    "a purchase": (buying, "A trade is open"),
    "a sale": (lambda user: trades.started(seller=user), "A trade is open"),
    "a dispute": (lambda user: trades.disputed(seller=user), "A dispute is open"),
    "a payout": (with_a_payout, "A payout is on its way"),
    "a debt": (owing, "You owe"),
    "a payment at a provider": (with_an_open_try, "still being made"),
    "a contested payment": (contested, "contested"),
}


@pytest.mark.parametrize("what", OPEN)
def test_it_is_refused_while_something_is_open_and_the_page_says_what(what):
    make, words = OPEN[what]
    user = UserFactory()
    offer = ListingFactory(seller=user)
    make(user)
    client = signed_in(user)

    page = client.get(PAGE).content.decode()
    answer = client.post(PAGE, {"is_sure": "on", "password": PASSWORD})
    with pytest.raises(DeletionRefused):
        deletion.ask(user=user, at=timezone.now())

    user.refresh_from_db()
    offer.refresh_from_db()
    assert words in page
    assert answer.status_code == 422
    assert user.deletion_due_at is None
    assert offer.status == "active", "nothing half-done stays"


def test_staff_stays():
    for user in (StaffFactory(), UserFactory(is_staff=True)):
        assert "staff cannot be deleted" in signed_in(user).get(PAGE).content.decode()
        assert signed_in(user).post(PAGE, {"is_sure": "on", "password": PASSWORD}).status_code == 422
        with pytest.raises(StaffStays):
            deletion.ask(user=user, at=timezone.now())
    User.objects.filter(is_staff=True).update(deletion_due_at=timezone.now() - timedelta(days=1))

    assert deletion.sweep(at=timezone.now()) == 0


# --- Asking, waiting, taking back -------------------------------------------------------------------


def test_it_takes_the_password_and_a_yes(django_capture_on_commit_callbacks):
    user = UserFactory()
    client = signed_in(user)

    refused = [
        client.post(PAGE, form) for form in ({}, {"password": PASSWORD}, {"is_sure": "on", "password": "x"})
    ]
    assert [answer.status_code for answer in refused] == [422, 422, 422]
    user.refresh_from_db()
    assert not user.is_leaving
    with django_capture_on_commit_callbacks(execute=True):
        done = client.post(PAGE, {"is_sure": "on", "password": PASSWORD}, follow=True)
    run_jobs()

    user.refresh_from_db()
    assert timedelta(days=13, hours=23) < user.deletion_due_at - timezone.now() <= timedelta(days=14)
    assert "Keep my account" in done.content.decode()
    assert [letter.subject for letter in mail.outbox] == ["Your account will be deleted"]


def test_who_has_a_second_factor_needs_it():
    user = with_app(UserFactory())
    client = signed_in(user)

    assert client.post(PAGE, {"is_sure": "on", "password": PASSWORD}).status_code == 422
    assert client.post(PAGE, {"is_sure": "on", "code": code_of_app()}).status_code == 302


def test_while_it_waits_nothing_is_bought_or_sold_but_its_owner_can_sign_in():
    user, buyer = UserFactory(), UserFactory()
    fund(buyer, 10_000_000_00)
    offer, archived = ListingFactory(seller=user), ListingFactory(seller=user, status="archived")
    PaymentMethodFactory()
    deletion.ask(user=user, at=timezone.now())
    user.refresh_from_db()
    content = Content(game(), "Offer", "Text", 100_000_00, None, {}, [])

    offer.refresh_from_db()
    assert offer.status == "archived"
    for what in (
        lambda: listings.submit(seller=user, content=content, secrets=Secrets("a", "b")),
        lambda: listings.save_draft(seller=user, content=content),
        lambda: listings.relist(listing_id=archived.pk, seller=user),
        lambda: escrow.buy(listing_id=ListingFactory().pk, buyer=user, idempotency_key="b"),
        lambda: escrow.buy_from_balance(listing_id=ListingFactory().pk, buyer=user, idempotency_key="c"),
        lambda: payments.start_payment(
            user=user, amount=150_000_00, method_code="sandbox", idempotency_key="d"
        ),
        lambda: subscriptions.purchase(
            user=user,
            plan=SubscriptionPlan.objects.get(slug="premium"),
            period=Period.MONTHLY,
            idempotency_key="e",
        ),
    ):
        with pytest.raises(AccountLeaving):
            what()
    assert Client().post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    assert "Keep my account" in signed_in(user).get("/me/").content.decode()


def test_an_offer_of_somebody_who_leaves_cannot_be_bought_even_if_it_was_still_on_sale():
    """As when it was put up again at the very moment."""
    user = UserFactory(deletion_due_at=timezone.now() + timedelta(days=1))
    offer, waiting = ListingFactory(seller=user), ListingFactory(seller=user, status="pending")
    buyer = UserFactory()
    fund(buyer, 10_000_000_00)

    with pytest.raises(ListingNotAvailable):
        escrow.buy(listing_id=offer.pk, buyer=buyer, idempotency_key="b")
    with pytest.raises(ListingNotModeratable):
        listings.approve(listing_id=waiting.pk, moderator=StaffFactory())


def test_it_can_be_taken_back_and_what_was_withdrawn_put_up_again(django_capture_on_commit_callbacks):
    user = UserFactory()
    offer = ListingFactory(seller=user)
    client = signed_in(user)
    deletion.ask(user=user, at=timezone.now() - timedelta(days=13))

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/me/privacy/keep/")
        client.post("/me/privacy/keep/")
    delete_accounts()

    user.refresh_from_db()
    assert (user.deletion_due_at, user.deleted_at) == (None, None)
    assert user.notifications.count() == 1
    assert listings.relist(listing_id=offer.pk, seller=user).status == "active"


def test_asking_twice_does_not_stretch_the_wait():
    user = UserFactory()
    first = deletion.ask(user=user, at=timezone.now() - timedelta(days=3))

    assert deletion.ask(user=user, at=timezone.now()) == first


def test_not_a_moment_before_the_wait_is_over():
    user = UserFactory()
    due = deletion.ask(user=user, at=timezone.now())

    assert not deletion.erase(user_id=user.pk, at=due - timedelta(seconds=1))
    assert deletion.erase(user_id=user.pk, at=due)


def test_what_became_open_meanwhile_puts_it_off_and_the_person_is_told(django_capture_on_commit_callbacks):
    user = UserFactory()
    deletion.ask(user=user, at=timezone.now() - timedelta(days=15))
    fund(user, 5_00)

    with django_capture_on_commit_callbacks(execute=True):
        delete_accounts()

    user.refresh_from_db()
    assert user.deleted_at is None
    assert user.deletion_due_at > timezone.now() + timedelta(days=2)
    assert "put-off" in user.notifications.get().type.code


def test_who_was_switched_off_meanwhile_is_for_staff_to_see_to():
    user = UserFactory()
    deletion.ask(user=user, at=timezone.now() - timedelta(days=15))
    User.objects.filter(pk=user.pk).update(is_active=False)

    delete_accounts()

    user.refresh_from_db()
    assert user.deleted_at is None


# --- Nothing is found -------------------------------------------------------------------------------


@pytest.fixture
def life():
    """Somebody who has done everything that can be done here, and then closed it all. Their name stands wherever it can."""
    user = UserFactory(email=EMAIL, full_name=NAME, phone_number=PHONE, username=USERNAME)
    user.avatar.save("me.png", ContentFile(chats.picture().read()))
    with_app(user)
    SignIn.objects.create(
        user=user, kind="browser", mark="m", address="91.203.174.12", expires_at=timezone.now()
    )
    KnownDevice.objects.create(user=user, trait_hash="t", name="Chrome")
    tokens.issue(user=user)
    AccessAttempt.objects.create(username=EMAIL, ip_address="91.203.174.12", failures_since_start=1)
    NotificationSetting.objects.create(user=user, phrase="Qora choy", bounced_address=EMAIL)
    TelegramLink.objects.create(user=user, chat_id=7, name=f"@{USERNAME}")
    Job.objects.create(
        task="tasks.notifications.send_account_email", kwargs={"email": EMAIL}, status="failed"
    )
    content = Content(game(), "Conqueror", f"Ask {NAME}, {PHONE}", 100_000_00, None, {}, [f"by {USERNAME}"])
    listings.submit(
        seller=user,
        content=content,
        secrets=Secrets(EMAIL, "Secret", PHONE),
        pictures=[pictures.prepare(upload())],
    )
    sold = ListingFactory(seller=user, description=f"Ask {NAME}")
    buyer = trades.rich_buyer()
    trade = escrow.buy_from_balance(listing_id=sold.pk, buyer=buyer, idempotency_key="x")
    escrow.hand_over(trade_id=trade.pk, seller=user, login=EMAIL, password="Secret", note=PHONE)
    escrow.confirm(trade_id=trade.pk, buyer=buyer)
    fund(user, 10_000_000_00)
    bought = ListingFactory()
    mine = escrow.buy(listing_id=bought.pk, buyer=user, idempotency_key="y")
    escrow.pay_from_balance(trade_id=mine.pk, buyer=user)
    escrow.hand_over(trade_id=mine.pk, seller=bought.seller, login="a", password="b")
    escrow.confirm(trade_id=mine.pk, buyer=user)
    subscriptions.purchase(
        user=user,
        plan=SubscriptionPlan.objects.get(slug="premium"),
        period=Period.MONTHLY,
        idempotency_key="plan",
    )
    subscriptions.cancel(user=user, reason=f"Call me: {PHONE}")
    thread = messaging.open_about(listing=sold, buyer=buyer)
    chats.said(thread, by=user, attachment=chats.prepare(chats.file(name=f"{USERNAME}.pdf")))
    chats.said(thread, f"I am {NAME}", by=user)
    message = chats.said(thread, f"Before: {NAME}", by=user)
    messaging.edit(conversation_id=thread.pk, message_id=message.pk, sender=user, text="y")
    messaging.report(conversation_id=thread.pk, message_id=message.pk, reporter=buyer, reason="spam")
    messaging.tell_unread(conversation_id=thread.pk, user_id=buyer.pk)
    FavoriteFactory(user=user, listing=ListingFactory(favorites_count=1))
    staff = StaffFactory()
    notifications.notify(user=staff, kind="listing_waiting", context={"title": "Conqueror", "seller": NAME})
    LogEntry.objects.create(
        user=staff, content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk), object_repr=NAME,
        action_flag=CHANGE,
    )  # fmt: skip
    PaymentMethodFactory()
    with_a_payout(user)
    payout = Transaction.objects.get(user=user, type="withdrawal")
    payments.approve_withdrawal(transaction_id=payout.pk, actor=staff)
    payments.complete_withdrawal(transaction_id=payout.pk, actor=staff)
    rest = Account.objects.get(owner=user, kind="available").balance
    if rest:
        spend(user, rest)
    payments.start_payment(user=user, amount=150_000_00, method_code="sandbox", idempotency_key="never paid")
    exports.build(export_id=exports.ask(user=user, at=timezone.now()).pk, at=timezone.now())
    user.refresh_from_db()
    return user


# Where something of a person may stand afterwards, and why.
MAY_STAY = {
    # What was said to somebody is theirs as well, as a letter is.
    "messaging_message.text": "what the person wrote to others",
    # The books' evidence, word for word; providers name nobody but by our order.
    "payments_webhookevent.body": "what a provider told us",
}


def everything():
    """Each value of each column of each table, as text: (table.column, text)."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    if isinstance(value, memoryview | bytes):
                        value = bytes(value).decode("utf-8", "replace")
                    if value is not None:
                        yield f"{table}.{name}", str(value)
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                for value in model._base_manager.values_list(field.name, flat=True):
                    yield f"{model._meta.db_table}.{field.name} (opened)", json.dumps(value)


def found(*words):
    """Where any of these stands."""
    words = [word.lower() for word in words]
    return sorted({place for place, text in everything() if any(word in text.lower() for word in words)})


def needles(user):
    return EMAIL, NAME, "Zulfiyaxon", PHONE, PHONE[1:], USERNAME, user.handle, CARD


def test_before_it_the_person_is_found_in_many_places(life):
    """That the walk sees them at all."""
    places = found(*needles(life))

    assert len(places) > 15, places
    assert {
        "accounts_user.email",
        "listings_listing.description",
        "payments_payoutcard.number (opened)",
    } <= set(places)


def test_afterwards_nothing_of_the_person_is_found_anywhere(life):
    words = needles(life)
    letters_before = len(mail.outbox)

    over(life)

    assert life.deleted_at is not None
    assert found(*words) == ["messaging_message.text"]
    last = [letter for letter in mail.outbox[letters_before:] if letter.to == [EMAIL]]
    assert [(letter.subject, letter.to) for letter in last] == [("Your account is deleted", [EMAIL])]
    assert NAME in last[0].body


def test_that_it_was_done_stays_on_record(life):
    over(life)

    assert SecurityEvent.objects.filter(user=life, kind=SecurityEvent.Kind.DELETED, actor=None).count() == 1


def test_no_row_says_it_is_theirs_but_what_books_and_others_keep(life):
    kept = {
        "ledger.Account", "payments.Transaction", "listings.Listing", "subscriptions.UserSubscription",
        "subscriptions.Subscriber", "messaging.Conversation", "messaging.Participant", "messaging.Message",
        "escrow.EscrowTransaction",
        "accounts.SecurityEvent",  # goes with its own time; holds no name, no e-mail address, no number
    }  # fmt: skip
    over(life)

    left = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model is User and not field.many_to_many
        if model._base_manager.filter(**{field.name: life.pk}).exists()
    }

    assert left == kept
    assert not UserSubscription.objects.current().filter(user=life).exists()


def test_no_file_of_theirs_is_left(life):
    pictured = life.listings.get(status="pending").images.get()
    names = [life.avatar.name, pictured.image.name, pictured.card.name, pictured.thumb.name]
    private = [
        *Message.objects.filter(sender=life).exclude(attachment="").values_list("attachment", flat=True),
        life.exports.get().file,
    ]
    assert all(default_storage.exists(name) for name in names)
    assert all(storages["private"].exists(name) for name in private)
    assert len(private) == 2

    over(life)

    assert not any(default_storage.exists(name) for name in names)
    assert not any(storages["private"].exists(name) for name in private)


def test_the_books_are_whole_afterwards(life):
    done = life.transactions.filter(status="completed").count()

    over(life)

    assert ledger.audit(at=timezone.now()).is_green
    assert life.transactions.filter(status="completed").count() == done > 3


def test_a_payment_nobody_came_for_is_given_up(life):
    waiting = life.transactions.get(type="deposit", status="pending")

    over(life)

    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    deliver(payload(waiting))
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"


def test_twice_changes_nothing(life):
    over(life)
    before = sorted(everything())

    assert not deletion.erase(user_id=life.pk, at=timezone.now() + timedelta(days=30))
    delete_accounts()

    assert sorted(everything()) == before


def test_a_crash_in_the_middle_undoes_all_and_the_next_try_does_it(life, monkeypatch):
    words = needles(life)
    deletion.ask(user=life, at=timezone.now() - timedelta(days=15))
    before = sorted(everything())
    share = traces._shares["accounts"]

    def crash(leaver):
        share.forget(leaver)
        raise RuntimeError("the power went")

    monkeypatch.setitem(
        traces._shares, "accounts", traces.Share("accounts", share.parts, share.obstacles, crash)
    )
    delete_accounts()
    assert sorted(everything()) == before
    assert default_storage.exists(life.avatar.name)
    monkeypatch.undo()
    delete_accounts()
    run_jobs()

    assert set(found(*words)) - set(MAY_STAY) == set()


def test_one_account_that_fails_does_not_keep_the_others(monkeypatch):
    bad, good = UserFactory(), UserFactory()
    for user in (bad, good):
        deletion.ask(user=user, at=timezone.now() - timedelta(days=15))
    erase = deletion.erase
    monkeypatch.setattr(
        deletion,
        "erase",
        lambda *, user_id, at: 1 / 0 if user_id == bad.pk else erase(user_id=user_id, at=at),
    )

    assert deletion.sweep(at=timezone.now()) == 1


def test_the_database_itself_lets_nobody_in_who_is_deleted():
    user = over(UserFactory())

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=True)


# --- Afterwards -------------------------------------------------------------------------------------


def test_address_number_and_username_are_free_again(client, life):
    over(life)

    body = {"email": EMAIL, "password": PASSWORD, "username": USERNAME, "phone_number": PHONE}
    answer = client.post("/api/v1/auth/register/", body, content_type="application/json")

    assert answer.status_code == 201
    assert answer.json()["user"]["id"] != str(life.pk)


def test_nobody_comes_in_any_more():
    user = UserFactory()
    browser, pair = signed_in(user), tokens.issue(user=user)
    over(user)

    assert browser.get("/me/").status_code == 302
    assert (
        Client().get("/api/v1/auth/me/", headers={"Authorization": f"Bearer {pair.access}"}).status_code
        == 401
    )
    again = {"refresh": pair.refresh}
    assert Client().post("/api/v1/auth/refresh/", again, content_type="application/json").status_code == 401
    assert Client().post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code != 302
    assert not Authenticator.objects.filter(user=user).exists()


def test_the_other_pages_know_somebody_who_is_gone(life):
    trade = life.sales.get()
    buyer, handle = trade.buyer, life.public_handle
    over(life)
    client = signed_in(buyer)
    thread = messaging.open_about(listing=trade.listing, buyer=buyer)

    assert client.get(f"/u/{handle}/").status_code == 404
    assert client.get(f"/u/{life.public_handle}/").status_code == 404
    pages = {
        "trade": client.get(reverse("escrow:trade", args=[trade.pk])),
        "trades": client.get(reverse("escrow:list")),
        "chat": client.get(reverse("messaging:thread", args=[thread.pk])),
        "chats": client.get(reverse("messaging:inbox")),
        "notifications": client.get(reverse("notifications:list")),
    }
    for name, page in pages.items():
        assert page.status_code == 200, name
        assert "Deleted user" in page.content.decode(), name
        assert NAME not in page.content.decode().replace(f"I am {NAME}", ""), name
        assert f"/u/{life.public_handle}/" not in page.content.decode(), name
    assert "has deleted their account" in pages["chat"].content.decode()
    with pytest.raises(Blocked):
        chats.said(thread, by=buyer)
    with pytest.raises(BoxEmptied):
        escrow.reveal(trade_id=trade.pk, viewer=buyer)
    assert client.get(reverse("storefront:listing", args=[trade.listing_id])).status_code == 404


def test_offers_that_nothing_holds_on_to_are_gone_and_the_others_keep_title_and_price(life):
    sold = life.sales.get().listing

    over(life)

    assert [one.pk for one in Listing.objects.filter(seller=life)] == [sold.pk]
    sold.refresh_from_db()
    assert (sold.title != "", sold.price > 0, sold.description) == (True, True, "")
    assert not Credentials.objects.filter(listing=sold).exists()


def test_hearts_are_taken_from_the_counts():
    user = UserFactory()
    heart = FavoriteFactory(user=user)
    Listing.objects.filter(pk=heart.listing_id).update(favorites_count=3)

    over(user)

    heart.listing.refresh_from_db()
    assert heart.listing.favorites_count == 2


def test_somebody_else_of_the_same_name_keeps_it():
    leaving, staying, reader = UserFactory(full_name=NAME), UserFactory(full_name=NAME), UserFactory()
    for writer in (leaving, staying):
        thread = messaging.open_with(user=reader, other=writer)
        if writer is staying:
            other_reader = UserFactory()
            thread = messaging.open_with(user=other_reader, other=staying)
        chats.said(thread, by=writer)
        messaging.tell_unread(conversation_id=thread.pk, user_id=thread.buyer_id)

    over(leaving)

    assert reader.notifications.get().title.startswith("Deleted user")
    assert other_reader.notifications.get().title.startswith(NAME)
    staying.refresh_from_db()
    assert staying.full_name == NAME


def test_the_key_stays_for_the_books():
    user = UserFactory()
    key = user.pk

    over(user)

    assert isinstance(key, uuid.UUID)
    assert User.objects.get(pk=key).display_name == "Deleted user"


def test_staff_sees_the_row_and_changes_nothing_of_it(client):
    user, staff = over(UserFactory()), StaffFactory()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    path = reverse("admin:accounts_user_change", args=[user.pk])

    assert client.get(path).status_code == 200
    assert client.post(path, {"email": "back@example.uz", "is_active": "on"}).status_code == 403
    user.refresh_from_db()
    assert not user.is_active


def test_a_plan_is_not_renewed_for_somebody_who_leaves():
    user = UserFactory()
    fund(user, 10_000_000_00)
    bought = subscriptions.purchase(
        user=user,
        plan=SubscriptionPlan.objects.get(slug="premium"),
        period=Period.MONTHLY,
        idempotency_key="p",
    )
    User.objects.filter(pk=user.pk).update(deletion_due_at=timezone.now())

    assert not subscriptions.auto_renew(subscription_id=bought.pk, at=bought.due_at)

    bought.refresh_from_db()
    assert bought.status == "expired"


# --- At the same moment -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_asked_for_while_somebody_buys_one_of_the_two_is_refused():
    for number in range(5):
        user, buyer = UserFactory(), UserFactory()
        fund(buyer, 10_000_000_00)
        offer = ListingFactory(seller=user)

        results = in_parallel(
            lambda user=user: deletion.ask(user=user, at=timezone.now()),
            lambda offer=offer, buyer=buyer, number=number: escrow.buy_from_balance(
                listing_id=offer.pk, buyer=buyer, idempotency_key=f"b{number}"
            ),
        )

        kinds = [type(one) for one in results]
        assert (DeletionRefused in kinds) != (ListingNotAvailable in kinds), results
        user.refresh_from_db()
        assert user.is_leaving == (ListingNotAvailable in kinds)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_money_that_comes_while_the_account_is_deleted_is_credited_before_or_not_at_all():
    PaymentMethodFactory()
    for _number in range(5):
        user = UserFactory()
        payment = DepositFactory(user=user)
        deletion.ask(user=user, at=timezone.now() - timedelta(days=15))

        in_parallel(
            lambda user=user: deletion.erase(user_id=user.pk, at=timezone.now()),
            lambda payment=payment: deliver(payload(payment)),
        )

        user.refresh_from_db()
        payment.refresh_from_db()
        wallet = Account.objects.filter(owner=user, kind="available", balance__gt=0).exists()
        assert not (user.is_gone and wallet)
        assert (payment.status == "completed") == wallet


@pytest.mark.django_db(transaction=True)
def test_deleted_twice_at_the_same_moment_it_is_done_once():
    user = UserFactory()
    deletion.ask(user=user, at=timezone.now() - timedelta(days=15))
    when = timezone.now()

    results = in_parallel(
        lambda: deletion.erase(user_id=user.pk, at=when), lambda: deletion.erase(user_id=user.pk, at=when)
    )

    assert sorted(results) == [False, True]
    assert Job.objects.filter(task="tasks.notifications.send_account_email").count() == 1
