"""Signing up, confirming the address, signing in and out, and what strangers cannot learn or force."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.urls import reverse

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from marketplace.core.models import Job
from marketplace.core.testing import run_jobs

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
SIGNUP = "/accounts/signup/"
LOCKED_OUT = 429


def sign_up(client, *, path=SIGNUP, **changes):
    form = {
        "full_name": "Aziza Karimova",
        "email": "aziza@example.uz",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "terms": "on",
    } | changes
    return client.post(path, {name: value for name, value in form.items() if value is not None})


def sign_in(client, email, password=PASSWORD, *, at="127.0.0.1", **extra):
    return client.post(LOGIN, {"login": email, "password": password, **extra}, REMOTE_ADDR=at)


def is_signed_in(client):
    return "_auth_user_id" in client.session


def link_in(message):
    """The path of the link that stands alone on a line of the mail."""
    return re.search(r"^https?://[^/\s]+(/accounts/\S+)$", message.body, re.MULTILINE).group(1)


def confirmed(client, path):
    return client.post(path)


# --- Signing up -------------------------------------------------------------------------------------


def test_signing_up_makes_a_person_with_a_handle_and_queues_the_mail(client):
    response = sign_up(client)

    user = User.objects.get(email="aziza@example.uz")
    assert (response.status_code, response.url) == (302, reverse("account_email_verification_sent"))
    assert re.fullmatch(r"u-[a-z2-9]{8}", user.handle)
    assert (user.full_name, user.username, user.is_verified) == ("Aziza Karimova", None, False)
    assert user.check_password(PASSWORD)
    assert [job.task for job in Job.objects.all()] == ["tasks.notifications.send_email_verification"]
    assert not is_signed_in(client)


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
def test_a_person_keeps_the_language_of_the_page_they_signed_up_on(client, settings, language):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language

    sign_up(client)

    assert User.objects.get().language == language


def test_an_address_is_kept_in_lower_case(client):
    sign_up(client, email="Aziza@Example.UZ")

    assert User.objects.get().email == "aziza@example.uz"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", ""),
        ("full_name", "x" * 121),
        ("email", "nobody"),
        ("email", ""),
        ("password1", ""),
        ("password2", "Another7741"),
        ("terms", None),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(client, field, value):
    response = sign_up(client, **{field: value})

    assert response.context["form"].errors.keys() == {field}
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Qor7741", "too short"),
        ("password123", "too common"),
        ("Qorbarslar", "at least one letter and one digit"),
        ("774185296374", "at least one letter and one digit"),
        ("aziza@example.uz1", "too similar"),
    ],
)
def test_a_weak_password_is_refused_beside_its_field(client, password, why):
    response = sign_up(client, password1=password, password2=password)

    assert why in " ".join(response.context["form"].errors["password1"])
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["to‘rt so'z 4 " * 11, "parol bilan 7 so‘z 🔑"])
def test_a_long_password_of_any_signs_is_taken_as_it_is(client, password):
    sign_up(client, password1=password, password2=password)

    user = User.objects.get(email="aziza@example.uz")
    assert user.check_password(password)
    assert not user.check_password(password[:-1])


@pytest.mark.parametrize("path", [SIGNUP, LOGIN])
def test_passwords_are_masked_and_managers_may_fill_them_in(client, path):
    fields = re.findall(r"<input[^>]*password[^>]*>", client.get(path).content.decode())

    assert fields
    for field in fields:
        assert 'type="password"' in field
        assert "onpaste" not in field
        assert re.search(r'autocomplete="(current|new)-password"', field)


def test_signing_up_with_a_known_address_tells_the_owner_and_nobody_else(client, mailoutbox):
    UserFactory(email="owner@example.uz")
    stranger = sign_up(client, email="Owner@example.uz")
    fresh = sign_up(client, email="fresh@example.uz")

    run_jobs()

    assert (stranger.status_code, stranger.url) == (fresh.status_code, fresh.url)
    assert User.objects.count() == 2
    to_owner = next(message for message in mailoutbox if message.to == ["owner@example.uz"])
    assert to_owner.subject == "You already have an account"


# --- The mail's link --------------------------------------------------------------------------------


def test_the_link_in_the_mail_confirms_the_address_once_it_is_pressed(client, mailoutbox):
    sign_up(client)
    run_jobs()
    link = link_in(mailoutbox[0])

    page = client.get(link)
    seen = User.objects.get().is_verified
    client.post(link)

    assert page.status_code == 200
    assert seen is False, "programs that look into mails must not confirm anything"
    assert User.objects.get().is_verified
    assert sign_in(client, "aziza@example.uz").status_code == 302
    assert is_signed_in(client)


def test_the_mail_is_in_the_language_of_the_form_with_text_and_html(client, mailoutbox, settings):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ru"

    sign_up(client)
    run_jobs()

    (message,) = mailoutbox
    assert message.to == ["aziza@example.uz"]
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    assert '<html lang="ru">' in html
    assert link_in(message) in html


def test_a_made_up_link_confirms_nothing(client):
    sign_up(client)

    page = client.get("/accounts/confirm-email/MTIz:made-up:key/")
    client.post("/accounts/confirm-email/MTIz:made-up:key/")

    assert page.status_code == 200
    assert not User.objects.get().is_verified


def test_nobody_signs_in_before_the_address_is_confirmed(client):
    sign_up(client)

    response = sign_in(client, "aziza@example.uz")

    assert response.url == reverse("account_email_verification_sent")
    assert not is_signed_in(client)


# --- In and out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["person@example.uz", "PERSON@Example.UZ", "  person@example.uz "])
def test_an_address_signs_in_however_it_is_written(client, typed):
    UserFactory(email="person@example.uz")

    sign_in(client, typed)

    assert is_signed_in(client)


def test_a_wrong_password_and_an_unknown_address_read_the_same(client):
    UserFactory(email="person@example.uz")

    wrong = sign_in(client, "person@example.uz", "Wrong7741")
    unknown = sign_in(client, "nobody@example.uz", "Wrong7741")

    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert not is_signed_in(client)


def test_a_person_who_was_shut_out_does_not_get_in(client):
    user = UserFactory(is_active=False)

    sign_in(client, user.email)

    assert not is_signed_in(client)


def test_only_a_post_signs_out(client):
    client.force_login(UserFactory())

    client.get("/accounts/logout/")
    after_get = is_signed_in(client)
    client.post("/accounts/logout/")

    assert after_get
    assert not is_signed_in(client)


def test_signing_out_empties_the_browsers_storage(client):
    client.force_login(UserFactory())
    before = client.get("/me/")

    after = client.post("/accounts/logout/")

    assert "Clear-Site-Data" not in before
    assert after["Clear-Site-Data"] == '"storage"'


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
    ],
)
@pytest.mark.parametrize("way", ["query", "field"])
def test_signing_in_leads_to_no_other_site(client, target, way):
    user = UserFactory()
    form = {"login": user.email, "password": PASSWORD}

    if way == "query":
        response = client.post(LOGIN, form, query_params={"next": target})
    else:
        response = client.post(LOGIN, {**form, "next": target})

    assert response.url == "/"


def test_signing_in_leads_to_where_one_wanted_to_go(client):
    user = UserFactory()

    response = sign_in(client, user.email, next="/wallet/?page=2")

    assert response.url == "/wallet/?page=2"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/"])
def test_signing_out_leads_to_no_other_site(client, target):
    client.force_login(UserFactory())

    response = client.post("/accounts/logout/", {"next": target})

    assert response.url == "/"


# --- A new password ---------------------------------------------------------------------------------


def ask_for_a_new_password(client, mailoutbox, email):
    client.post("/accounts/password/reset/", {"email": email})
    run_jobs()
    first = client.get(link_in(mailoutbox[-1]))
    return first.url


def test_a_forgotten_password_is_replaced_through_the_mail(client, mailoutbox):
    user = UserFactory()
    form = ask_for_a_new_password(client, mailoutbox, user.email)

    client.post(form, {"password1": "Yangi-parol-55", "password2": "Yangi-parol-55"})

    user.refresh_from_db()
    assert user.check_password("Yangi-parol-55")
    sign_in(client, user.email, "Yangi-parol-55")
    assert is_signed_in(client)


def test_the_link_for_a_new_password_leads_on_to_an_address_without_its_secret(client, mailoutbox):
    form = ask_for_a_new_password(client, mailoutbox, UserFactory().email)
    token = link_in(mailoutbox[-1]).rstrip("/").rsplit("/", 1)[-1]
    secret = token.partition("-")[2]

    page = client.get(form)

    assert secret not in form
    assert secret not in page.text


def test_the_link_for_a_new_password_works_once(client, mailoutbox):
    user = UserFactory()
    form = ask_for_a_new_password(client, mailoutbox, user.email)
    link = link_in(mailoutbox[-1])
    client.post(form, {"password1": "Yangi-parol-55", "password2": "Yangi-parol-55"})

    again = client.get(link, follow=True)
    client.post(link, {"password1": "Boshqa-parol-66", "password2": "Boshqa-parol-66"})

    user.refresh_from_db()
    assert again.status_code == 200
    assert user.check_password("Yangi-parol-55")


def test_the_link_for_a_new_password_is_too_old_after_an_hour(client, mailoutbox, monkeypatch):
    user = UserFactory()
    ask_for_a_new_password(client, mailoutbox, user.email)
    link = link_in(mailoutbox[-1])
    later = datetime.now() + timedelta(hours=1, minutes=1)  # noqa: DTZ005 (the generator's own clock)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda _self: later)

    page = client.get(link, follow=True)

    assert page.status_code == 200
    assert 'name="password1"' not in page.content.decode()


def test_asking_for_a_new_password_does_not_say_who_has_an_account(client, mailoutbox):
    user = UserFactory()

    known = client.post("/accounts/password/reset/", {"email": user.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.uz"})
    run_jobs()

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert [message.to for message in mailoutbox] == [[user.email], ["nobody@example.uz"]]
    assert mailoutbox[1].subject == "There is no account with this address"


def test_the_mail_with_the_link_is_forgotten_once_it_is_sent(client):
    user = UserFactory()
    client.post("/accounts/password/reset/", {"email": user.email})

    run_jobs()

    assert Job.objects.get().kwargs == {}
    assert len(mail.outbox) == 1


# --- Brute force ------------------------------------------------------------------------------------


@pytest.fixture
def guarded(settings):
    settings.AXES_ENABLED = True


def test_five_wrong_passwords_lock_the_account_for_that_address(client, guarded):
    user = UserFactory()

    answers = [sign_in(client, user.email, f"Wrong774{number}").status_code for number in range(5)]
    right = sign_in(client, user.email)

    assert answers[:4] == [200] * 4
    assert answers[4] == LOCKED_OUT
    assert right.status_code == LOCKED_OUT
    assert "Too many tries" in right.content.decode()
    assert not is_signed_in(client)


def test_another_spelling_of_the_address_does_not_open_the_lock(client, guarded):
    user = UserFactory(email="person@example.uz")
    for spelling in (
        "person@example.uz",
        "Person@example.uz",
        "pErson@example.uz",
        "PERSON@example.uz",
        "person@EXAMPLE.uz",
    ):
        sign_in(client, spelling, "Wrong7741")

    response = sign_in(client, user.email)

    assert response.status_code == LOCKED_OUT


def test_a_locked_account_does_not_lock_its_neighbours_elsewhere(client, guarded):
    locked, neighbour = UserFactory(), UserFactory()
    for _try in range(5):
        sign_in(client, locked.email, "Wrong7741")

    sign_in(client, neighbour.email, at="203.0.113.9")

    assert is_signed_in(client)


def test_one_account_is_not_guessed_from_many_addresses(client, guarded):
    user = UserFactory()
    for number in range(5):
        sign_in(client, user.email, "Wrong7741", at=f"203.0.113.{number}")

    assert sign_in(client, user.email, at="203.0.113.99").status_code == LOCKED_OUT


def test_many_accounts_are_not_guessed_from_one_address(client, guarded):
    for _number in range(5):
        sign_in(client, UserFactory().email, "Wrong7741")

    answer = sign_in(client, UserFactory().email)

    assert answer.status_code == LOCKED_OUT
    assert answer["Retry-After"] == "900"


def test_a_stranger_who_fails_on_purpose_does_not_keep_the_owner_out(client, guarded):
    owner = UserFactory()
    sign_in(client, owner.email, at="203.0.113.50")
    client.logout()
    for number in range(5):
        sign_in(client, owner.email, "Wrong7741", at=f"203.0.113.{number}")

    sign_in(client, owner.email, at="203.0.113.50")

    assert is_signed_in(client)


def test_at_home_an_account_is_guessed_no_longer_than_elsewhere(client, guarded):
    owner = UserFactory()
    sign_in(client, owner.email)
    client.logout()
    for _try in range(5):
        sign_in(client, owner.email, "Wrong7741")

    assert sign_in(client, owner.email).status_code == LOCKED_OUT


# --- Limits -----------------------------------------------------------------------------------------


def test_the_pages_and_the_api_count_tries_together(client, settings):
    settings.RATE_LIMITS = {"authentication": "2/minute"}
    user = UserFactory()

    sign_in(client, user.email, "Wrong7741")
    client.post(
        "/api/v1/auth/login/", {"email": user.email, "password": "x"}, content_type="application/json"
    )
    third = sign_in(client, user.email)

    assert third.status_code == LOCKED_OUT
    assert 0 < int(third["Retry-After"]) <= 60
    assert "Wait a minute" in third.content.decode()
    assert not is_signed_in(client)
    assert client.get("/accounts/login/").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/email/", "/admin/login/",
     "/accounts/password/reset/key/1-x/", "/accounts/reauthenticate/", "/accounts/password/change/"],
)  # fmt: skip
def test_each_page_where_people_prove_who_they_are_is_counted(client, settings, path):
    settings.RATE_LIMITS = {"authentication": "1/minute"}

    answers = [client.post(path).status_code for _try in range(2)]

    assert answers[0] in {200, 302}
    assert answers[1] == LOCKED_OUT


def test_a_signed_in_person_is_counted_wherever_they_are(client, settings):
    client.force_login(UserFactory())
    settings.RATE_LIMITS = {"authentication": "2/minute"}

    path = "/accounts/reauthenticate/"
    answers = [
        client.post(path, {"password": "x"}, REMOTE_ADDR=f"203.0.113.{n}").status_code for n in range(3)
    ]

    assert answers == [200, 200, LOCKED_OUT]


def test_nobody_is_kept_from_signing_out(client, settings):
    client.force_login(UserFactory())
    settings.RATE_LIMITS = {"authentication": "0/minute"}

    client.post("/accounts/logout/")

    assert not is_signed_in(client)


def test_signing_in_to_ones_own_account_does_not_forgive_tries_at_another(client, guarded):
    victim, attacker = UserFactory(), UserFactory()
    for _try in range(4):
        sign_in(client, victim.email, "Wrong7741")
    sign_in(client, attacker.email)
    client.logout()

    fifth = sign_in(client, victim.email, "Wrong7741")

    assert fifth.status_code == LOCKED_OUT


def test_a_right_password_forgives_the_wrong_ones_before_it(client, guarded):
    user = UserFactory()
    for _try in range(4):
        sign_in(client, user.email, "Wrong7741")

    sign_in(client, user.email)
    client.logout()

    assert sign_in(client, user.email, "Wrong7741").status_code == 200


def test_the_admin_has_no_sign_in_of_its_own(client):
    staff = StaffFactory(email="chief@example.uz")

    asked = client.get("/admin/")
    door = client.get(asked.url)
    tried = client.post("/admin/login/", {"username": staff.email, "password": PASSWORD})

    assert asked.url == "/admin/login/?next=/admin/"
    assert door.url == f"{LOGIN}?next=/admin/"
    assert tried.url == f"{LOGIN}?next=/admin/"
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "word", "\\"]
)
def test_the_admins_door_leads_nowhere_else(client, place):
    client.force_login(StaffFactory())

    assert client.get("/admin/login/", {"next": place}).url == "/admin/"


def test_people_who_are_no_staff_are_refused_at_the_admin(client):
    client.force_login(UserFactory())

    assert client.get("/admin/", follow=True).status_code == 403


def test_signing_in_begins_another_session(client):
    user = UserFactory()
    session = client.session
    session["mark"] = "of a visitor"
    session.save()
    before = session.session_key

    sign_in(client, user.email)

    assert is_signed_in(client)
    assert client.session.session_key != before
    assert not client.session.exists(before)


@pytest.mark.parametrize("path", ["/", "/me/", "/wallet/", "/notifications/"])
def test_every_page_has_the_way_out(client, path):
    client.force_login(UserFactory())

    assert 'method="post" action="/accounts/logout/"' in client.get(path).content.decode()
