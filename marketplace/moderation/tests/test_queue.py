"""The moderation queue: who gets in, what they see, and what a decision does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.utils import timezone, translation

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.listings.models import Listing
from marketplace.listings.tests.factories import LOGIN, PASSWORD, ListingFactory, game, offer
from marketplace.moderation import selectors, services
from marketplace.moderation.forms import ChangesForm
from marketplace.notifications.models import Notification

pytestmark = pytest.mark.django_db
QUEUE = "/moderation/"


@pytest.fixture
def moderator(client):
    """A signed-in member of the moderators' group, whose browser `client` is."""
    person = UserFactory(is_staff=True)
    group = Group.objects.create(name="Moderators")
    group.permissions.add(
        Permission.objects.get(codename="moderate_listing", content_type__app_label="listings")
    )
    person.groups.add(group)
    client.force_login(person)
    return person


def waiting(**changes):
    return ListingFactory(**{"status": "pending", **changes})


def approve(client, listing):
    return client.post(f"{QUEUE}listings/{listing.pk}/approve/")


def reject(client, listing, reason="stolen", words=""):
    return client.post(f"{QUEUE}listings/{listing.pk}/reject/", {"reason": reason, "words": words})


def ask_for_changes(client, listing, reason="pictures", words=""):
    return client.post(f"{QUEUE}listings/{listing.pk}/changes/", {"reason": reason, "words": words})


DECISIONS = [approve, ask_for_changes, reject]


def status_of(listing):
    return Listing.objects.get(pk=listing.pk).status


# --- Who gets in ------------------------------------------------------------------------------------


def test_a_visitor_is_asked_to_sign_in(client):
    listing = waiting()

    assert client.get(QUEUE).url == f"/accounts/login/?next={QUEUE}"
    for decide in DECISIONS:
        assert decide(client, listing).url.startswith("/accounts/login/")


@pytest.mark.parametrize("who", [{}, {"is_staff": True}], ids=["a person", "staff without the permission"])
def test_without_the_permission_there_is_no_way_in(client, who):
    listing = waiting()
    client.force_login(UserFactory(**who))

    answers = [client.get(QUEUE), *(decide(client, listing) for decide in DECISIONS)]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert listing.title not in "".join(answer.content.decode() for answer in answers)
    assert status_of(listing) == "pending"


def test_the_permission_without_being_staff_is_not_enough(client):
    person = UserFactory()
    person.user_permissions.add(Permission.objects.get(codename="moderate_listing"))
    client.force_login(person)

    assert client.get(QUEUE).status_code == 403


def test_a_member_of_the_group_works_here(client, moderator):
    listing = waiting()

    response = client.get(QUEUE)

    assert response.status_code == 200
    assert listing.title in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_a_decision_is_never_taken_by_looking(client, moderator):
    listing = waiting()

    for decision in ("approve", "changes", "reject"):
        assert client.get(f"{QUEUE}listings/{listing.pk}/{decision}/").status_code == 405
    assert status_of(listing) == "pending"


# --- What they see ----------------------------------------------------------------------------------


def test_what_has_waited_longest_comes_first_and_nothing_else_is_there(client, moderator):
    now = timezone.now()
    young = waiting(submitted_at=now - timedelta(hours=1))
    old = waiting(submitted_at=now - timedelta(hours=5))
    waiting(deleted_at=now)
    for status in ("draft", "active", "rejected", "sold"):
        ListingFactory(status=status)

    response = client.get(QUEUE)

    assert response.context["queue"] == [old, young]
    assert response.context["listing"] == old
    assert response.context["count"] == 2


def test_the_chosen_offer_is_shown_and_an_unknown_choice_shows_the_oldest(client, moderator):
    oldest = waiting(submitted_at=timezone.now() - timedelta(hours=5))
    chosen = waiting()

    assert client.get(QUEUE, {"listing": str(chosen.pk)}).context["listing"] == chosen
    for unknown in (str(uuid4()), "x", "", "\x00", "'; --"):
        assert client.get(QUEUE, {"listing": unknown}).context["listing"] == oldest


def test_one_walks_through_the_queue_to_both_sides(client, moderator):
    now = timezone.now()
    first, second, third = (waiting(submitted_at=now - timedelta(hours=hours)) for hours in (3, 2, 1))

    seen = [client.get(QUEUE, {"listing": str(one.pk)}).context for one in (first, second, third)]

    assert [(one["previous"], one["next"]) for one in seen] == [
        (None, second),
        (first, third),
        (second, None),
    ]


def test_an_empty_queue_says_so(client, moderator):
    assert "Nothing waits" in client.get(QUEUE).content.decode()


def test_what_has_waited_longer_than_promised_is_counted(client, moderator):
    day = timedelta(hours=24)
    waiting(submitted_at=timezone.now() - day - timedelta(minutes=1))
    waiting(submitted_at=timezone.now() - day + timedelta(minutes=5))

    response = client.get(QUEUE)

    assert response.context["overdue"] == 1
    assert "1 listing has waited for more than 24 hours" in response.content.decode()


def test_the_record_of_the_seller_stands_beside(client, moderator):
    listing = waiting()
    for status in ("sold", "sold", "rejected", "active"):
        ListingFactory(seller=listing.seller, status=status)

    assert client.get(QUEUE).context["record"] == {"active": 1, "sold": 2, "rejected": 1, "blocked": 0}


def test_a_moderator_never_sees_the_login(client, moderator):
    waiting()

    html = client.get(QUEUE).content.decode()

    assert LOGIN not in html
    assert PASSWORD not in html


def test_what_a_seller_wrote_is_text_not_markup(client, moderator):
    waiting(title="<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")

    html = client.get(QUEUE).content.decode()

    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_grow_with_the_queue(
    client, moderator, count, django_assert_max_num_queries
):
    for _one in range(count):
        waiting()
    client.get(QUEUE)

    with django_assert_max_num_queries(13):
        client.get(QUEUE)


# --- Deciding ---------------------------------------------------------------------------------------


def test_an_approved_offer_is_on_sale_and_its_seller_is_told(client, moderator):
    listing = waiting()

    response = approve(client, listing)

    listing.refresh_from_db()
    told = Notification.objects.get(user=listing.seller)
    assert response.url == QUEUE
    assert (listing.status, listing.moderated_by) == ("active", moderator)
    assert told.title == "Your listing is published"
    assert told.action_url == listing.get_absolute_url()


def test_an_offer_to_be_changed_goes_back_with_the_reason_and_the_words(client, moderator):
    listing = waiting()

    response = ask_for_changes(client, listing, "contacts", "  Remove the phone number.  ")

    listing.refresh_from_db()
    told = Notification.objects.get(user=listing.seller)
    assert response.url == QUEUE
    assert (listing.status, listing.needs_changes, listing.moderated_by) == ("draft", True, moderator)
    assert listing.rejection_reason.endswith("Remove the phone number.")
    assert "Contacts stand in the title" in listing.rejection_reason
    assert listing.rejection_reason in told.message
    assert told.action_url == f"/sell/{listing.pk}/"


def test_the_seller_reads_the_words_mends_the_offer_and_it_waits_again(client, moderator):
    listing = waiting()
    ask_for_changes(client, listing, "other", "Say which <items> stay.")

    client.force_login(listing.seller)
    mine = client.get("/me/listings/").content.decode()
    form = client.get(f"/sell/{listing.pk}/").content.decode()
    listing.refresh_from_db()
    sent = client.post(
        f"/sell/{listing.pk}/", offer(version=listing.version, title="Now with all items named")
    )
    client.force_login(moderator)
    desk = client.get(QUEUE)

    for page in (mine, form):
        assert "Say which &lt;items&gt; stay." in page
    assert f'href="/sell/{listing.pk}/"' in mine
    assert sent.status_code == 302
    assert [one.title for one in desk.context["queue"]] == ["Now with all items named"]
    assert "Say which &lt;items&gt; stay." in desk.content.decode(), "the next moderator knows what was asked"


def test_what_was_asked_for_is_forgotten_once_the_offer_is_published(client, moderator):
    listing = waiting(rejection_reason="Blurred pictures.")

    approve(client, listing)

    listing.refresh_from_db()
    assert (listing.status, listing.rejection_reason) == ("active", "")


def test_a_rejected_offer_is_refused_for_good_and_its_seller_is_told_why(client, moderator):
    listing = waiting()

    response = reject(client, listing, "stolen", "Its owner wrote to us.")

    listing.refresh_from_db()
    told = Notification.objects.get(user=listing.seller)
    assert response.url == QUEUE
    assert (listing.status, listing.is_editable) == ("rejected", False)
    assert "Its owner wrote to us." in listing.rejection_reason
    assert listing.rejection_reason in told.message
    client.force_login(listing.seller)
    assert f'href="/sell/{listing.pk}/"' not in client.get("/me/listings/").content.decode()
    assert client.get(f"/sell/{listing.pk}/").url == "/me/listings/"


def test_another_reason_is_what_the_moderator_wrote(client, moderator):
    listing = waiting()

    reject(client, listing, "other", "Sold elsewhere.")

    listing.refresh_from_db()
    assert listing.rejection_reason == "Sold elsewhere."


def test_the_usual_reasons_are_said_in_the_sellers_language(client, moderator):
    listing = waiting(seller=UserFactory(language="ru"))
    with translation.override("ru"):
        wanted = str(dict(ChangesForm.REASONS)["pictures"])

    ask_for_changes(client, listing, "pictures")

    listing.refresh_from_db()
    assert listing.rejection_reason == wanted


@pytest.mark.parametrize("decision", ["changes", "reject"])
@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"reason": "other", "words": ""}, "words"),
        ({"reason": "other", "words": "   "}, "words"),
        ({"reason": "made up", "words": "x"}, "reason"),
        ({"words": "x"}, "reason"),
        ({"reason": "other", "words": "x" * 1001}, "words"),
    ],
)
def test_what_is_missing_is_said_beside_the_field(client, moderator, decision, form, field):
    waiting(submitted_at=timezone.now() - timedelta(hours=3))
    listing = waiting()

    response = client.post(f"{QUEUE}listings/{listing.pk}/{decision}/", form)

    assert response.status_code == 422
    assert field in response.context[decision].errors
    assert f'id="id_{decision}_{field}_error"' in response.content.decode()
    assert response.context["listing"] == listing, "the offer that was being decided stays in view"
    assert status_of(listing) == "pending"


@pytest.mark.parametrize("status", ["active", "rejected", "draft", "sold"])
def test_a_decision_from_a_stale_page_changes_nothing(client, moderator, status):
    listing = ListingFactory(status=status)

    answers = {decide(client, listing).status_code for decide in DECISIONS}

    assert answers <= {404, 409}
    assert status_of(listing) == status


def test_two_moderators_one_decision(client, moderator):
    listing = waiting()
    approve(client, listing)

    late = reject(client, listing)

    assert late.status_code in {404, 409}
    assert status_of(listing) == "active"
    assert Notification.objects.filter(user=listing.seller).count() == 1


def test_nobody_decides_about_their_own_offer(client, moderator):
    listing = waiting(seller=moderator)

    answers = [decide(client, listing) for decide in DECISIONS]

    assert [answer.status_code for answer in answers] == [409] * 3
    assert "your own offer" in answers[0].content.decode()
    assert status_of(listing) == "pending"


def test_an_unknown_offer_is_not_found(client, moderator):
    unknown = Listing(pk=uuid4())

    assert [decide(client, unknown).status_code for decide in DECISIONS] == [404] * 3


# --- Who is told that something waits ---------------------------------------------------------------


def test_moderators_are_those_who_may_decide_and_are_still_here(moderator):
    chief = StaffFactory()
    UserFactory(is_staff=True)
    StaffFactory(is_active=False)
    StaffFactory(is_active=False, deleted_at=timezone.now())
    double = UserFactory(is_staff=True)
    double.user_permissions.add(Permission.objects.get(codename="moderate_listing"))
    double.groups.add(Group.objects.get())

    assert set(selectors.moderators()) == {moderator, chief, double}
    assert selectors.moderators().count() == 3


def test_a_new_offer_is_told_to_every_moderator_once(client, django_capture_on_commit_callbacks):
    seller, chief, other = UserFactory(), StaffFactory(), StaffFactory()
    game()
    cache.clear()
    client.force_login(seller)

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/sell/", offer())

    listing = Listing.objects.get()
    assert response.status_code == 302
    for moderator in (chief, other):
        told = Notification.objects.get(user=moderator)
        assert listing.title in told.message
        assert told.action_url == f"{QUEUE}?listing={listing.pk}"
    assert not Notification.objects.filter(user=seller).exists()


def test_an_offer_that_is_gone_again_is_not_told(moderator):
    fact = services.ListingSubmitted(listing_id=uuid4(), seller_id=uuid4())

    services.tell_moderators(fact)

    assert not Notification.objects.exists()
