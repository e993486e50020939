"""One's own profile, passwords that were used before, and what the database itself refuses."""

import io
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation
from PIL import Image

from marketplace.accounts import pictures, selectors, services
from marketplace.accounts.middleware import PreferencesMiddleware
from marketplace.accounts.models import PasswordHistory, User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from marketplace.core.cache import generation

pytestmark = pytest.mark.django_db
EDIT = "/me/edit/"
NOW = timezone.now()


def profile(user, **changes):
    """What the browser posts from an unchanged profile form."""
    form = {
        "full_name": user.full_name,
        "username": user.username or "",
        "phone_number": user.phone_number or "",
        "language": user.language,
        "timezone": user.timezone,
    } | changes
    return {name: value for name, value in form.items() if value is not None}


@pytest.fixture
def user(client):
    """A signed-in person, whose browser `client` is."""
    user = UserFactory()
    client.force_login(user)
    return user


def picture(kind="PNG", size=(64, 64), name="me.png"):
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, kind)
    return SimpleUploadedFile(name, out.getvalue(), "image/png")


# --- The form ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/me/", EDIT])
def test_a_visitor_is_asked_to_sign_in(client, path):
    response = client.get(path)

    assert response.url == f"{reverse('account_login')}?next={path}"


def test_a_person_sees_their_own_facts(client, user):
    html = client.get("/me/").content.decode()

    assert user.email in html
    assert user.handle in html


def test_a_profile_is_saved_and_sellers_cards_become_stale(client, user, django_capture_on_commit_callbacks):
    before = generation("catalogue", f"seller:{user.pk}")

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(EDIT, profile(user, full_name="Aziza K.", username="aziza_k", language="ru"))

    user.refresh_from_db()
    assert response.url == "/me/"
    assert (user.full_name, user.username, user.language) == ("Aziza K.", "aziza_k", "ru")
    assert generation("catalogue", f"seller:{user.pk}") != before


def test_the_form_changes_nothing_it_does_not_show(client, user):
    client.post(
        EDIT,
        profile(
            user,
            email="other@example.uz",
            is_staff="on",
            plan="pro",
            is_verified="",
            rating="5",
            handle="boss",
        ),
    )

    after = User.objects.get(pk=user.pk)
    assert (after.email, after.is_staff, after.plan, after.rating, after.handle) == (
        user.email, False, "free", None, user.handle,
    )  # fmt: skip


@pytest.mark.parametrize(
    "typed",
    ["+998901234567", "+998 90 123-45-67", "998901234567", "901234567", "90 123 45 67", "(90) 123-45-67"],
)
def test_a_phone_number_is_read_as_people_write_it(client, user, typed):
    client.post(EDIT, profile(user, phone_number=typed))

    user.refresh_from_db()
    assert user.phone_number == "+998901234567"


@pytest.mark.parametrize(
    "typed",
    ["12345", "+7 901 123 45 67", "+99890123456", "+9989012345678", "998 90 123", "٩٠١٢٣٤٥٦٧", "call me"],
)
def test_a_wrong_phone_number_is_said_beside_the_field(client, user, typed):
    response = client.post(EDIT, profile(user, phone_number=typed))

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"phone_number"}
    assert 'id="id_phone_number_error"' in response.content.decode()
    user.refresh_from_db()
    assert user.phone_number is None


def test_anybody_may_write_a_number_and_nobody_learns_whose_it_is(client, user):
    """It belongs to whoever confirms it (test_phones.py)."""
    owner = UserFactory(phone_number="+998901234567", phone_confirmed_at=timezone.now())

    assert client.post(EDIT, profile(user, phone_number="901234567")).status_code == 302

    owner.refresh_from_db()
    user.refresh_from_db()
    assert owner.phone_confirmed_at
    assert not user.phone_confirmed_at


@pytest.mark.parametrize("typed", ["taken", "TAKEN"])
def test_a_username_is_taken_whatever_its_case(client, user, typed):
    UserFactory(username="taken")

    response = client.post(EDIT, profile(user, username=typed))

    assert response.status_code == 422
    assert response.context["form"].errors["username"] == ["This username is taken."]


@pytest.mark.parametrize("typed", ["ab", "1abc", "has space", "имя", "a/b", "a" * 31, "<b>name</b>"])
def test_a_username_that_does_not_fit_an_address_is_refused(client, user, typed):
    response = client.post(EDIT, profile(user, username=typed))

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"username"}


def test_two_people_may_both_have_no_username_and_no_phone(client, user):
    UserFactory(username=None, phone_number=None)

    response = client.post(EDIT, profile(user, username="", phone_number=""))

    user.refresh_from_db()
    assert response.status_code == 302
    assert (user.username, user.phone_number) == (None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [("language", "de"), ("language", ""), ("timezone", "Mars/Olympus"), ("timezone", "../etc/passwd")],
)
def test_only_offered_languages_and_zones_are_taken(client, user, field, value):
    response = client.post(EDIT, profile(user, **{field: value}))

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {field}


def test_a_picture_is_kept(client, user):
    response = client.post(EDIT, profile(user) | {"avatar": picture()})

    user.refresh_from_db()
    assert response.status_code == 302
    assert user.avatar.name.startswith("avatars/")


@pytest.mark.parametrize(
    "file",
    [
        SimpleUploadedFile("me.png", b"<svg onload=alert(1)>", "image/png"),
        SimpleUploadedFile("me.png", b"", "image/png"),
        picture("GIF", name="me.png"),
        picture(name="me.exe"),
    ],
    ids=["markup", "empty", "gif", "program"],
)
def test_what_is_no_picture_of_ours_is_refused(client, user, file):
    file.seek(0)
    response = client.post(EDIT, profile(user) | {"avatar": file})

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"avatar"}
    user.refresh_from_db()
    assert not user.avatar


def test_a_picture_that_is_too_large_is_refused(client, user, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 100)

    response = client.post(EDIT, profile(user) | {"avatar": picture()})

    assert response.context["form"].errors["avatar"] == ["The picture is larger than 2 MB."]


def test_a_refused_form_does_not_rename_the_person_in_the_header(client, user):
    response = client.post(EDIT, profile(user, full_name="Somebody Else", language="xx"))

    header = response.content.decode().split("<main")[0]
    assert "Somebody Else" not in header


# --- Reader's language and clock --------------------------------------------------------------------


def through_the_middleware(rf, user, **cookies):
    """The clock and the language that a view would find."""
    request = rf.get("/")
    request.COOKIES = {"sessionid": "x", **cookies}
    request.user = user
    found = {}

    def view(request):
        found["zone"] = str(timezone.get_current_timezone())
        found["language"] = translation.get_language()

    with translation.override("en"):
        PreferencesMiddleware(view)(request)
    return found


def test_a_reader_has_their_own_clock_and_language(rf):
    user = UserFactory(language="ru", timezone="Asia/Almaty")

    assert through_the_middleware(rf, user) == {"zone": "Asia/Almaty", "language": "ru"}


def test_the_browsers_choice_of_language_goes_before_the_persons(rf, settings):
    user = UserFactory(language="ru")

    found = through_the_middleware(rf, user, **{settings.LANGUAGE_COOKIE_NAME: "en"})

    assert found["language"] == "en"


@pytest.mark.parametrize("zone", ["Nowhere/Atall", "../../etc/passwd", ""])
def test_a_zone_that_is_gone_does_not_shut_a_person_out(rf, zone):
    user = UserFactory(timezone=zone)

    assert through_the_middleware(rf, user)["zone"] == "Asia/Tashkent"


def test_the_clock_of_one_request_does_not_stay_for_the_next(rf):
    through_the_middleware(rf, UserFactory(timezone="Asia/Almaty"))

    assert str(timezone.get_current_timezone()) == "UTC"


def test_a_language_chosen_in_the_profile_holds_although_the_browser_had_another(client, user, settings):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    client.post(EDIT, profile(user, language="ru"))
    page = client.get("/me/")

    assert page["Content-Language"] == "ru"


# --- Passwords --------------------------------------------------------------------------------------


CHANGE = "/accounts/password/change/"


def change(client, old, new):
    return client.post(CHANGE, {"oldpassword": old, "password1": new, "password2": new})


def test_a_password_that_was_used_before_is_refused_beside_the_field(client, user):
    change(client, PASSWORD, "Ikkinchi-parol-2")

    response = change(client, "Ikkinchi-parol-2", "Ikkinchi-parol-2")

    assert "one of your last 5" in response.context["form"].errors["password1"][0]


def test_the_password_before_the_last_is_refused_too(client, user):
    services.remember_password(user=user)
    change(client, PASSWORD, "Ikkinchi-parol-2")

    response = change(client, "Ikkinchi-parol-2", PASSWORD)

    assert response.context["form"].errors.keys() == {"password1"}


def test_a_wrong_old_password_changes_nothing(client, user):
    response = change(client, "Wrong7741", "Ikkinchi-parol-2")

    user.refresh_from_db()
    assert response.context["form"].errors.keys() == {"oldpassword"}
    assert user.check_password(PASSWORD)


def test_the_first_password_may_return_after_five_others(client, user):
    services.remember_password(user=user)
    passwords = [PASSWORD, *(f"Keyingi-parol-{number}" for number in range(5))]
    for old, new in pairwise(passwords):
        change(client, old, new)

    response = change(client, passwords[-1], PASSWORD)

    assert response.status_code == 302


def test_five_old_passwords_are_remembered_and_no_more(client, user):
    for number in range(7):
        services.change_password(user=user, password=f"Keyingi-parol-{number}")

    kept = PasswordHistory.objects.filter(user=user)
    assert kept.count() == services.REMEMBERED_PASSWORDS
    assert kept.first().password == user.password


# --- What the database refuses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ({"email": "one@example.uz"}, {"email": "ONE@example.uz"}),
        ({"username": "same"}, {"username": "Same"}),
        (
            {"phone_number": "+998901234567", "phone_confirmed_at": NOW},
            {"phone_number": "+998901234567", "phone_confirmed_at": NOW},
        ),
    ],
)
def test_two_people_never_share_what_names_them(given, other):
    UserFactory(**given)

    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(**other)


@pytest.mark.parametrize(
    "wrong",
    [{"rating": Decimal("0.99")}, {"rating": Decimal("5.01")}, {"username": ""}, {"phone_number": ""}],
)
def test_a_person_that_cannot_be_is_refused(wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(**wrong)


@pytest.mark.parametrize("rating", [None, Decimal(1), Decimal(5)])
def test_a_rating_is_none_or_between_one_and_five(rating):
    assert UserFactory(rating=rating).pk


# --- Who is found -----------------------------------------------------------------------------------


def test_a_person_is_found_by_handle_and_by_username_in_any_case():
    user = UserFactory(username="Aziza_K")

    assert selectors.public_person(user.handle) == user
    assert selectors.public_person("aziza_k") == user


@pytest.mark.parametrize("gone", [{"is_active": False}, {"is_active": False, "deleted_at": timezone.now()}])
def test_a_person_who_is_gone_is_not_found(gone):
    user = UserFactory(username="aziza", **gone)

    assert selectors.public_person("aziza") is None
    assert selectors.public_person(user.handle) is None


def test_without_a_name_a_person_is_called_by_the_handle():
    user = UserFactory(full_name="")

    assert (user.display_name, user.public_handle) == (user.handle, user.handle)


def test_staff_without_the_permission_do_not_moderate():
    assert selectors.is_staff_with(StaffFactory(), "listings.moderate_listing")
    assert not selectors.is_staff_with(UserFactory(is_staff=True), "listings.moderate_listing")
    assert not selectors.is_staff_with(UserFactory(), "listings.moderate_listing")


def test_a_finished_trade_counts_for_both_sides():
    seller, buyer = UserFactory(), UserFactory()

    services.note_sale(seller_id=seller.pk, buyer_id=buyer.pk)

    seller.refresh_from_db()
    buyer.refresh_from_db()
    assert (seller.total_sales, seller.total_purchases) == (1, 0)
    assert (buyer.total_sales, buyer.total_purchases) == (0, 1)
