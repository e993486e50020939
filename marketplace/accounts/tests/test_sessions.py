"""Where somebody is signed in: what they see of it, and how each way in ends."""

import asyncio
from datetime import timedelta

import pytest
from channels.layers import get_channel_layer
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import services, sign_ins, tokens
from marketplace.accounts.errors import TokenNotValid
from marketplace.accounts.models import SignIn
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from marketplace.core.live import endings
from marketplace.core.testing import PATIENCE, call, played, session_of

pytestmark = pytest.mark.django_db
CHROME = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
PAGE, AGAIN = "/me/sessions/", "/accounts/reauthenticate/"
ENGINES = ["django.contrib.sessions.backends.db", "django.contrib.sessions.backends.cache"]


@pytest.fixture(params=ENGINES)
def engine(request, settings):
    """Both places where sessions may live."""
    settings.SESSION_ENGINE = request.param


@pytest.fixture
def user():
    return UserFactory(email="person@example.uz")


def browser(user, *, agent=CHROME, address="91.203.174.12"):
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


def sure(client):
    """The browser's person has just said again who they are."""
    client.post(AGAIN, {"password": PASSWORD})
    return client


def is_in(client):
    return client.get("/me/").status_code == 200


def row_of(client):
    return SignIn.objects.get(pk=client.session[sign_ins.NOTE]["id"])


def bearer(access):
    return Client().get("/api/v1/auth/me/", headers={"Authorization": f"Bearer {access}"}).status_code


# --- What is seen -----------------------------------------------------------------------------------


def test_the_page_names_every_browser_and_program_and_says_which_is_this_one(user):
    here = browser(user)
    browser(
        user,
        agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        address="203.0.113.7",
    )
    Client().post(
        "/api/v1/auth/login/", {"email": user.email, "password": PASSWORD}, content_type="application/json",
        headers={"User-Agent": "okhttp/4.9"}, REMOTE_ADDR="198.51.100.9",
    )  # fmt: skip

    page = here.get(PAGE)

    shown = page.context["sign_ins"]
    assert [(one.device, one.address) for one in shown] == [
        ("Chrome, Android", "91.203.174.12"),
        ("okhttp", "198.51.100.9"),
        ("Firefox, Linux", "203.0.113.7"),
    ]
    assert page.context["here"] == shown[0].pk
    assert page.content.decode().count("this device") == 1
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("uz", "Oʻzbekiston · 91.203.174.12"),
        ("ru", "Узбекистан · 91.203.174.12"),
        ("en", "Uzbekistan · 91.203.174.12"),
    ],
)
@pytest.mark.parametrize("path", [PAGE, "/me/security/"])
def test_the_place_is_the_country_of_the_network_in_the_readers_language(path, language, shown):
    here = browser(UserFactory(language=language))

    assert shown in here.get(path).content.decode()


@pytest.mark.parametrize("path", [PAGE, "/me/security/"])
def test_where_no_country_is_known_the_address_stands_alone(user, path):
    here = browser(user, address="203.0.113.7")

    text = here.get(path).content.decode()

    assert "203.0.113.7" in text
    assert not [name for name in ("Uzbekistan", "Oʻzbekiston", "Узбекистан") if name in text]


def test_nobody_sees_or_ends_the_sign_ins_of_others(user):
    mine, theirs = sure(browser(user)), browser(UserFactory())

    page = mine.get(PAGE)
    answer = mine.post(reverse("accounts:session_end", args=[row_of(theirs).pk]))

    assert len(page.context["sign_ins"]) == 1
    assert answer.status_code == 404
    assert is_in(theirs)


def test_strangers_are_sent_to_sign_in(client):
    assert client.get(PAGE).url.startswith("/accounts/login/")


def test_the_list_costs_the_same_however_long_it_is(user, django_assert_num_queries):
    here = browser(user)
    here.get(PAGE)
    for _number in range(5):
        browser(user)

    with django_assert_num_queries(6):  # the session, the person, the list, and three of the header
        here.get(PAGE)


def test_a_browser_is_written_down_once_and_then_left_alone_for_ten_minutes(user, django_assert_num_queries):
    client = browser(user)
    first = row_of(client)

    client.get("/me/")
    SignIn.objects.filter(pk=first.pk).update(seen_at=timezone.now() - timedelta(hours=1))
    client.get("/me/")
    untouched = row_of(client).seen_at
    session = client.session
    session[sign_ins.NOTE] = {**session[sign_ins.NOTE], "seen": 0}
    session.save()
    client.get("/me/", REMOTE_ADDR="203.0.113.7")

    assert untouched < timezone.now() - timedelta(minutes=30)
    assert row_of(client).seen_at > timezone.now() - timedelta(minutes=1)
    assert row_of(client).address == "203.0.113.7"
    assert SignIn.objects.count() == 1


def test_a_session_from_before_there_were_rows_gets_one(user):
    client = browser(user)
    SignIn.objects.all().delete()
    session = client.session
    del session[sign_ins.NOTE]
    session.save()

    client.get("/me/")

    assert SignIn.objects.get().user == user


def test_a_session_that_no_request_made_is_left_unnoted(user):
    client = Client()
    client.force_login(user)

    client.get("/me/")

    assert not SignIn.objects.exists()


def test_the_key_of_a_session_is_readable_nowhere(user):
    client = browser(user)
    key = client.session.session_key

    with connection.cursor() as cursor:
        cursor.execute("SELECT mark, session_key FROM accounts_signin")
        (row,) = cursor.fetchall()

    assert row_of(client).session_key == key
    assert key not in "".join(row)


def test_what_ran_out_is_not_shown_and_forgotten_after_three_months(user):
    client = browser(user)
    gone = browser(user)
    SignIn.objects.filter(pk=row_of(gone).pk).update(expires_at=timezone.now() - timedelta(days=1))

    shown = client.get(PAGE).context["sign_ins"]
    sign_ins.forget_old(at=timezone.now() + timedelta(days=88))
    kept = SignIn.objects.count()
    sign_ins.forget_old(at=timezone.now() + timedelta(days=91))

    assert [one.pk for one in shown] == [row_of(client).pk]
    assert (kept, SignIn.objects.count()) == (2, 1)


# --- How it ends ------------------------------------------------------------------------------------


def test_a_browser_that_is_ended_is_out_at_once_and_the_others_stay(engine, user):
    here, other, third = sure(browser(user)), browser(user), browser(user)

    here.post(reverse("accounts:session_end", args=[row_of(other).pk]))

    assert (is_in(here), is_in(other), is_in(third)) == (True, False, True)


def test_all_others_are_ended_at_once(engine, user):
    here, others = sure(browser(user)), [browser(user), browser(user)]
    pair = tokens.issue(user=user)

    here.post(reverse("accounts:sessions_end_others"))

    assert is_in(here)
    assert [is_in(one) for one in others] == [False, False]
    with pytest.raises(TokenNotValid):
        tokens.renew(refresh=pair.refresh)
    assert [one.pk for one in here.get(PAGE).context["sign_ins"]] == [row_of(here).pk]


def end_of(client):
    return reverse("accounts:session_end", args=[row_of(client).pk])


@pytest.mark.parametrize("of", [end_of, lambda _other: reverse("accounts:sessions_end_others")])
def test_a_stolen_session_puts_its_owner_nowhere_out(user, of):
    thief, owner, pair = browser(user, address="203.0.113.7"), browser(user), tokens.issue(user=user)
    pressed = of(owner)

    asked = thief.post(pressed)
    thief.post(asked.url, {"password": "a-guess-01", "next": pressed})

    assert asked.url.startswith(AGAIN)
    assert is_in(owner)
    assert bearer(pair.access) == 200


@pytest.mark.parametrize("of", [end_of, lambda _other: reverse("accounts:sessions_end_others")])
def test_what_was_pressed_is_done_once_they_have_said_who_they_are(user, of):
    here, other = browser(user), browser(user)
    pressed = of(other)

    asked = here.post(pressed)
    done = here.post(asked.url, {"password": PASSWORD, "next": pressed})

    assert done.url == PAGE
    assert (is_in(here), is_in(other)) == (True, False)


def test_who_has_just_been_asked_is_not_asked_again_for_the_next_one(user):
    here, first, second = sure(browser(user)), browser(user), browser(user)

    answers = [here.post(end_of(one)).url for one in (first, second)]

    assert answers == [PAGE, PAGE]
    assert (is_in(first), is_in(second)) == (False, False)


def test_ending_this_browser_signs_out(user):
    client = browser(user)
    row = row_of(client)

    answer = client.post(reverse("accounts:session_end", args=[row.pk]))

    assert answer.url == "/accounts/login/"
    assert not is_in(client)
    assert SignIn.objects.get().ended_at is not None
    assert SignIn.objects.get().session_key is None


def test_signing_out_ends_the_row(user):
    client = browser(user)

    client.post("/accounts/logout/")

    assert SignIn.objects.get().ended_at is not None


def test_a_browser_that_is_used_every_day_signs_in_again_after_three_months(user, monkeypatch):
    monkeypatch.setattr(sign_ins, "SEEN_EVERY", timedelta(0))
    client, other = browser(user), browser(user)
    client.get("/me/")
    row = row_of(client)
    SignIn.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=89))
    assert is_in(client)
    assert is_in(client)
    SignIn.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=91))

    client.get("/me/")

    assert not is_in(client)
    assert SignIn.objects.get(pk=row.pk).ended_at is not None
    assert is_in(other)


def test_a_program_that_renews_signs_in_again_after_three_months(user):
    pair = tokens.issue(user=user)
    SignIn.objects.update(created_at=timezone.now() - timedelta(days=89))
    pair = tokens.renew(refresh=pair.refresh)
    SignIn.objects.update(created_at=timezone.now() - timedelta(days=91))

    with pytest.raises(TokenNotValid):
        tokens.renew(refresh=pair.refresh)


@pytest.mark.django_db(transaction=True)
def test_a_program_that_is_ended_has_no_token_that_works(user):
    pair = tokens.issue(user=user)
    renewed = tokens.renew(refresh=pair.refresh)
    before = bearer(renewed.access)

    sign_ins.end(user=user, sign_in_id=SignIn.objects.get().pk)

    assert (before, bearer(renewed.access), bearer(pair.access)) == (200, 401, 401)
    with pytest.raises(TokenNotValid):
        tokens.renew(refresh=renewed.refresh)


def test_a_token_that_is_renewed_stays_one_sign_in(user):
    pair = tokens.issue(user=user, device="okhttp", address="203.0.113.7")
    SignIn.objects.update(expires_at=timezone.now(), seen_at=timezone.now() - timedelta(days=2))

    tokens.renew(refresh=pair.refresh, device="okhttp", address="203.0.113.8")

    row = SignIn.objects.get()
    assert (row.device, row.address) == ("okhttp", "203.0.113.8")
    assert row.expires_at > timezone.now() + timedelta(days=6)
    assert row.seen_at > timezone.now() - timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
@played
async def test_ending_a_browser_tells_what_it_has_open():
    user = await call(UserFactory)
    key = await call(session_of, user)
    row = await call(
        SignIn.objects.create, user=user, kind="browser", mark=endings.session_mark(key), session_key=key,
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    layer = get_channel_layer()
    name = await layer.new_channel()
    await layer.group_add(endings.person_group(user.pk), name)

    await call(sign_ins.end, user=user, sign_in_id=row.pk)

    told = await asyncio.wait_for(layer.receive(name), PATIENCE)
    assert (told["type"], told["sign_in"]) == ("live.ended", endings.session_mark(key))


# --- A new password ---------------------------------------------------------------------------------


def test_a_new_password_ends_all_but_this_browser(engine, user):
    here, other = browser(user), browser(user)
    pair = tokens.issue(user=user)

    here.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "Yangi-parol-55", "password2": "Yangi-parol-55"},
    )

    assert (is_in(here), is_in(other), bearer(pair.access)) == (True, False, 401)
    (left,) = here.get(PAGE).context["sign_ins"]
    assert left.pk == row_of(here).pk
    assert left.session_key == here.session.session_key, "a session gets another key with a new password"


def test_a_password_that_staff_sets_ends_all(user):
    client = browser(user)
    staff = browser(StaffFactory())

    answer = staff.post(
        f"/admin/accounts/user/{user.pk}/password/",
        {"password1": "Yangi-parol-55", "password2": "Yangi-parol-55", "usable_password": "true"},
    )

    assert answer.status_code == 302
    assert not is_in(client)
    assert not SignIn.objects.filter(user=user, ended_at__isnull=True).exists()
    assert user.old_passwords.count() == 1


def test_staff_that_sets_its_own_password_stays_in_and_noted():
    staff = StaffFactory()
    client = browser(staff)

    client.post(
        f"/admin/accounts/user/{staff.pk}/password/",
        {"password1": "Yangi-parol-55", "password2": "Yangi-parol-55", "usable_password": "true"},
    )

    assert is_in(client)
    assert row_of(client).ended_at is None
    assert row_of(client).session_key == client.session.session_key


def test_somebody_who_is_switched_off_is_signed_in_nowhere(user):
    client = browser(user)
    user.is_active = False

    services.save_by_staff(user=user)

    assert not is_in(client)
    assert SignIn.objects.get().ended_at is not None
