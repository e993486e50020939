"""Asking to hold events, on the page and by the API, and the moderators' answer."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import organizers, tokens
from marketplace.accounts.errors import AccountLeaving, AlreadyOrganizer, OrganizerDecided, OwnApplication
from marketplace.accounts.models import OrganizerProfile
from marketplace.accounts.organizers import Words
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.testing import in_parallel, run_jobs

pytestmark = pytest.mark.django_db
PAGE, API, DESK = "/organizer/apply/", "/api/v1/auth/organizer/", "/moderation/organizers/"
FORM = {
    "display_name": "Toshkent Arena",
    "city": "Toshkent",
    "bio": "Cups of PUBG Mobile every Saturday since 2022.",
    "instagram": "https://www.instagram.com/toshkent.arena/",
}
WORDS = Words("Toshkent Arena", FORM["bio"], "Toshkent", "toshkent.arena")


def signed_in(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def decider():
    member = UserFactory(is_staff=True)
    member.user_permissions.add(Permission.objects.get(codename="decide_organizer"))
    return member


def applied(user=None):
    return organizers.apply(user=user or UserFactory(), words=WORDS, at=timezone.now())


def call(user, method, body=None):
    headers = {"Authorization": f"Bearer {tokens.issue(user=user).access}"}
    return Client().generic(
        method, API, json.dumps(body or {}), content_type="application/json", headers=headers
    )


# --- Asking -----------------------------------------------------------------------------------------


def test_somebody_asks_and_whoever_decides_is_told(django_capture_on_commit_callbacks):
    user, member, other = UserFactory(), decider(), UserFactory(is_staff=True)
    client = signed_in(user)

    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(PAGE, FORM, follow=True).content.decode()

    profile = OrganizerProfile.objects.get()
    assert (profile.user, profile.status, profile.instagram) == (user, "pending", "toshkent.arena")
    assert "In review" in page
    assert [told.action_url for told in member.notifications.all()] == [DESK]
    assert not other.notifications.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", ""),
        ("city", ""),
        ("bio", "Short."),
        ("instagram", "two words"),
        ("instagram", "a..b"),
        ("instagram", "javascript:alert(1)"),
        ("display_name", "x" * 81),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_stays(field, value):
    user = UserFactory()

    page = signed_in(user).post(PAGE, {**FORM, field: value})
    answer = call(user, "POST", {**FORM, field: value})

    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [field]
    assert not OrganizerProfile.objects.exists()


@pytest.mark.parametrize("given", ["", "@toshkent.arena", "toshkent.arena", " instagram.com/toshkent.arena "])
def test_the_name_at_instagram_is_taken_as_people_give_it(given):
    user = UserFactory()

    signed_in(user).post(PAGE, {**FORM, "instagram": given})

    assert OrganizerProfile.objects.get().instagram == ("toshkent.arena" if given else None)


def test_the_api_takes_and_tells_it():
    user = UserFactory()

    assert call(user, "GET").status_code == 404
    made = call(user, "POST", {**FORM, "instagram": None})
    assert made.status_code == 201
    assert (made.json()["status"], made.json()["instagram"]) == ("pending", None)
    assert call(user, "GET").json()["display_name"] == "Toshkent Arena"
    assert call(UserFactory(is_verified=False), "POST", FORM).status_code == 403


def test_while_it_waits_the_words_may_be_changed_and_the_place_in_the_line_stays():
    user = UserFactory()
    first = applied(user)

    again = organizers.apply(
        user=user, words=Words("Other", FORM["bio"], "Buxoro"), at=timezone.now() + timedelta(days=1)
    )

    assert again.pk == first.pk
    assert (again.city, again.instagram, again.applied_at) == ("Buxoro", None, first.applied_at)


def test_after_a_rejection_one_asks_anew():
    profile = applied()
    organizers.decide(profile_id=profile.pk, actor=decider(), reason="Who are you?", at=timezone.now())
    later = timezone.now() + timedelta(days=1)
    assert "Who are you?" in signed_in(profile.user).get(PAGE).content.decode()

    again = organizers.apply(user=profile.user, words=WORDS, at=later)

    assert (again.status, again.reason, again.decided_by, again.applied_at) == ("pending", "", None, later)


def test_who_may_already_does_not_ask_again():
    profile = applied()
    organizers.decide(profile_id=profile.pk, actor=decider(), at=timezone.now())

    with pytest.raises(AlreadyOrganizer):
        applied(profile.user)
    assert call(profile.user, "POST", FORM).json()["error"]["code"] == "already_organizer"
    assert signed_in(profile.user).post(PAGE, {**FORM, "city": "Buxoro"}).status_code == 302
    profile.refresh_from_db()
    assert profile.city == "Toshkent"


def test_who_leaves_does_not_ask():
    with pytest.raises(AccountLeaving):
        applied(UserFactory(deletion_due_at=timezone.now()))


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_make_one():
    user = UserFactory()

    results = in_parallel(lambda: applied(user), lambda: applied(user))

    assert {type(one) for one in results} == {OrganizerProfile}
    assert OrganizerProfile.objects.count() == 1


# --- Deciding ---------------------------------------------------------------------------------------


def test_a_moderator_says_yes_and_the_person_is_told_by_mail(django_capture_on_commit_callbacks):
    profile, member = applied(), decider()

    with django_capture_on_commit_callbacks(execute=True):
        signed_in(member).post(reverse("moderation:organizer_approve", args=[profile.pk]))
    run_jobs()

    profile.refresh_from_db()
    assert (profile.status, profile.decided_by) == ("approved", member)
    assert organizers.is_organizer(profile.user)
    assert [letter.subject for letter in mail.outbox] == ["You may hold events now"]


def test_no_takes_a_reason_which_the_person_reads(django_capture_on_commit_callbacks):
    profile, client = applied(), signed_in(decider())
    path = reverse("moderation:organizer_reject", args=[profile.pk])

    empty = client.post(path, {"reason": "  "})
    profile.refresh_from_db()
    assert (empty.status_code, profile.status) == (422, "pending")
    assert "Write the reason" in empty.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(path, {"reason": "Name the <b>place</b>."})
    run_jobs()

    profile.refresh_from_db()
    assert (profile.status, profile.reason) == ("rejected", "Name the <b>place</b>.")
    assert not organizers.is_organizer(profile.user)
    assert "Name the <b>place</b>." in profile.user.notifications.get().message
    page = signed_in(profile.user).get(PAGE).content.decode()
    assert "Name the &lt;b&gt;place&lt;/b&gt;." in page


def test_nobody_decides_about_themselves():
    member = decider()
    profile = applied(member)

    answer = signed_in(member).post(reverse("moderation:organizer_approve", args=[profile.pk]))

    assert answer.status_code == 403
    with pytest.raises(OwnApplication):
        organizers.decide(profile_id=profile.pk, actor=member, at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        OrganizerProfile.objects.update(status="approved", decided_at=timezone.now(), decided_by=member)


def test_the_same_answer_twice_is_harmless_and_another_one_too_late(django_capture_on_commit_callbacks):
    profile, member = applied(), decider()
    organizers.decide(profile_id=profile.pk, actor=member, at=timezone.now())

    with django_capture_on_commit_callbacks() as told:
        organizers.decide(profile_id=profile.pk, actor=member, at=timezone.now())
    with pytest.raises(OrganizerDecided):
        organizers.decide(profile_id=profile.pk, actor=member, reason="No", at=timezone.now())

    assert told == []


def test_only_who_may_decide_sees_the_desk():
    profile = applied()

    for member in (UserFactory(), UserFactory(is_staff=True)):
        client = signed_in(member)
        assert client.get(DESK).status_code == 403
        assert client.post(reverse("moderation:organizer_approve", args=[profile.pk])).status_code == 403
        assert (
            client.post(
                reverse("moderation:organizer_reject", args=[profile.pk]), {"reason": "x"}
            ).status_code
            == 403
        )
    profile.refresh_from_db()
    assert profile.status == "pending"


def test_the_desk_shows_the_longest_waiting_first_and_costs_the_same(django_assert_num_queries):
    client = signed_in(StaffFactory())
    empty = client.get(DESK).content.decode()
    assert "Nothing here" in empty
    rows = [applied() for _number in range(3)]

    with django_assert_num_queries(8):
        page = client.get(DESK)
    decided = client.get(DESK + "?show=decided")

    assert [row.pk for row, _form in page.context["rows"]] == [row.pk for row in rows]
    assert list(decided.context["rows"]) == []


def test_staff_notes_that_somebody_was_checked():
    profile = applied()
    assert not organizers.verify(profile_id=profile.pk, actor=StaffFactory())
    organizers.decide(profile_id=profile.pk, actor=decider(), at=timezone.now())

    assert not organizers.verify(profile_id=profile.pk, actor=profile.user)
    assert organizers.verify(profile_id=profile.pk, actor=StaffFactory())
    with pytest.raises(IntegrityError), transaction.atomic():
        OrganizerProfile.objects.update(status="pending", decided_at=None, decided_by=None)
