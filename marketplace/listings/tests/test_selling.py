"""The seller's pages, in a browser that may have no JavaScript, and with what people and scripts send."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.listings.models import Credentials, Listing
from marketplace.listings.tests.factories import LOGIN, PASSWORD, ListingFactory, offer, png, upload

pytestmark = pytest.mark.django_db
SELL = reverse("listings:sell")
MINE = reverse("listings:mine")


def edit_url(listing):
    return reverse("listings:edit", args=[listing.pk])


def test_a_visitor_is_asked_to_log_in(client):
    assert client.get(SELL)["Location"].startswith("/accounts/login/")


def test_first_the_game_is_chosen_then_its_own_fields_are_asked(client, seller):
    assert b'name="a_rank"' not in client.get(SELL).content
    assert b'name="a_rank"' in client.get(SELL, {"game": "pubg-mobile"}).content
    assert b'name="a_town_hall"' in client.get(SELL, {"game": "clash-of-clans"}).content


def test_htmx_gets_the_fields_of_another_game(client, seller):
    response = client.get(SELL, {"game": "steam"}, headers={"HX-Request": "true", "HX-Target": "facts"})

    assert response.content.strip().startswith(b'<section class="card" id="facts"')
    assert b'value="steam"' in response.content


def test_an_offer_is_sent_to_review(client, seller):
    response = client.post(
        SELL, offer(pictures=[upload(), upload(name="two.png")], features="Glacier\nPharaoh\n")
    )

    listing = Listing.objects.get()
    assert response["Location"] == MINE
    assert (listing.status, listing.price, listing.seller) == (Listing.Status.PENDING, 1_500_000_00, seller)
    assert listing.attributes == {"level": 78, "rank": "conqueror"}
    assert listing.features == ["Glacier", "Pharaoh"]
    assert listing.images.count() == 2
    assert listing.credentials.note == "Recovery codes 1111 2222"


def test_a_draft_may_be_unfinished(client, seller):
    unfinished = {
        "game": "steam",
        "title": "To be finished",
        "price": "5000",
        "login_method": "email",
        "draft": "1",
    }

    client.post(SELL, unfinished)

    assert Listing.objects.get().status == Listing.Status.DRAFT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "short"),
        ("title", "x" * 121),
        ("title", "nul \x00 inside it"),
        ("description", ""),
        ("description", "x" * 5001),
        ("price", ""),
        ("price", "0"),
        ("price", "-5000"),
        ("price", "1000.555"),
        ("price", "999999999999999999999"),
        ("price", "NaN"),
        ("price", "１０００"),
        ("original_price", "1 500 000"),
        ("original_price", "abc"),
        ("login_method", "telepathy"),
        ("account_email", ""),
        ("account_password", ""),
        ("a_level", "101"),
        ("a_level", "-1"),
        ("a_level", "9" * 6000),
        ("a_level", "seven"),
        ("a_rank", ""),
        ("a_rank", "admiral"),
        ("a_links", "carrier-pigeon"),
        ("features", "\n".join(f"point {n}" for n in range(9))),
        ("features", "x" * 61),
        ("note", "x" * 2001),
    ],
)
def test_bad_input_is_said_beside_its_field_and_nothing_is_saved(client, seller, field, value):
    response = client.post(SELL, offer(**{field: value}))

    assert response.status_code == 422
    assert f'id="id_{field}_error"><p class="msg' in response.content.decode()
    assert not Listing.objects.exists()
    assert not Credentials.objects.exists()


def test_an_unknown_game_is_answered(client, seller):
    assert client.post(SELL, offer(game="no-such-game")).status_code == 422


def test_secrets_are_never_echoed(client, seller):
    page = client.post(SELL, offer(title="")).content.decode()

    assert PASSWORD not in page
    assert "Recovery codes 1111 2222" not in page


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([b"not a picture"], "“shot0.png”: is not a JPEG"),
        ([None, png(300, 200)], "“shot1.png”: is 300 × 200"),
        ([b"\xff" * (5 * 1024 * 1024 + 1)], "“shot0.png”: larger than 5 MB"),
        ([None] * 6, "at most 5 pictures"),
        ([b""], "empty"),
    ],
)
def test_a_bad_picture_is_named_beside_the_field(client, seller, files, said):
    uploads = [upload(data, name=f"shot{number}.png") for number, data in enumerate(files)]

    response = client.post(SELL, offer(pictures=uploads))

    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Listing.objects.exists()


def test_a_clients_file_name_is_escaped_and_not_used(client, seller):
    response = client.post(SELL, offer(pictures=[upload(b"x", name="<img src=x onerror=alert(1)>.png")]))
    client.post(SELL, offer(pictures=[upload(name="../../../etc/cron.d/x.png")]))

    assert b"<img src=x" not in response.content
    assert "cron" not in Listing.objects.get().images.get().image.name


def test_one_field_is_checked_while_the_others_are_empty(client, seller):
    url = reverse("listings:check", args=["price"])

    bad = client.post(url, {"game": "pubg-mobile", "price": "-1"}).content.decode()
    good = client.post(url, {"game": "pubg-mobile", "price": "100 000"}).content.decode()

    assert "msg-error" in bad
    assert "msg-error" not in good
    assert "90\u00a0000\u00a0soʻm" in good
    assert not Listing.objects.exists()


@pytest.mark.parametrize("field", ["nonsense", "pictures", "version"])
def test_only_real_fields_are_checked(client, seller, field):
    assert client.post(reverse("listings:check", args=[field]), {"game": "steam"}).status_code == 404


# --- Changing ------------------------------------------------------------------------------------


def change(listing, **changes):
    return offer(
        title=listing.title, description=listing.description, price="100000", version=str(listing.version),
        account_email="", account_password="", note="", **changes,
    )  # fmt: skip


def test_the_edit_form_shows_what_is_stored_but_no_secret(client, seller):
    listing = ListingFactory(seller=seller, title="Stored title")

    page = client.get(edit_url(listing)).content.decode()

    assert "Stored title" in page
    assert LOGIN not in page
    assert PASSWORD not in page


def test_a_new_price_is_on_sale_at_once(client, seller):
    listing = ListingFactory(seller=seller, features=[])

    client.post(edit_url(listing), change(listing) | {"price": "90 000"})

    listing.refresh_from_db()
    assert (listing.status, listing.price) == (Listing.Status.ACTIVE, 90_000_00)
    assert Credentials.objects.get(pk=listing.pk).account_password == PASSWORD


def test_a_stale_form_sent_twice_changes_things_once(client, seller):
    listing = ListingFactory(seller=seller)
    form = change(listing) | {"price": "90 000"}

    first, second = (
        client.post(edit_url(listing), form),
        client.post(edit_url(listing), form | {"price": "80 000"}),
    )

    listing.refresh_from_db()
    assert (first.status_code, second.status_code) == (302, 422)
    assert listing.price == 90_000_00
    assert b"changed elsewhere" in second.content


def test_an_edit_without_its_version_is_refused(client, seller):
    listing = ListingFactory(seller=seller)

    response = client.post(edit_url(listing), change(listing) | {"version": "soon"})

    assert response.status_code == 422


def test_pictures_of_others_cannot_be_removed(client, seller):
    listing, other = ListingFactory(seller=seller), uuid.uuid4()

    response = client.post(edit_url(listing), change(listing) | {"removed": str(other)})

    assert response.status_code == 422


@pytest.mark.parametrize("status", ["reserved", "sold", "blocked"])
def test_what_is_in_a_trade_opens_no_form(client, seller, status):
    listing = ListingFactory(seller=seller, status=status)

    assert client.get(edit_url(listing))["Location"] == MINE


@pytest.mark.parametrize("name", ["edit", "withdraw", "relist", "delete"])
def test_somebody_elses_offer_is_not_found(client, seller, name):
    listing = ListingFactory(title="Not yours")

    response = client.post(reverse(f"listings:{name}", args=[listing.pk]), {})

    listing.refresh_from_db()
    assert response.status_code == 404
    assert (listing.status, listing.deleted_at) == (Listing.Status.ACTIVE, None)


# --- One's own offers ----------------------------------------------------------------------------


def test_my_offers_are_mine_by_status(client, seller, django_assert_max_num_queries):
    for number in range(5):
        ListingFactory(seller=seller, title=f"On sale {number}")
    ListingFactory(seller=seller, title="Unfinished", status="draft")
    ListingFactory(title="Somebody's")
    client.get("/games/")

    with django_assert_max_num_queries(8):
        page = client.get(MINE).content.decode()

    drafts = client.get(MINE, {"tab": "draft"}).content.decode()
    assert "On sale 0" in page
    assert "Somebody" not in page
    assert "Unfinished" in drafts
    assert "On sale 0" not in drafts
    assert client.get(MINE, {"tab": "nonsense", "page": "x"}).status_code == 200


def test_withdraw_relist_and_delete_by_plain_forms(client, seller):
    listing = ListingFactory(seller=seller)

    client.post(reverse("listings:withdraw", args=[listing.pk]))
    listing.refresh_from_db()
    assert listing.status == Listing.Status.ARCHIVED

    client.post(reverse("listings:relist", args=[listing.pk]))
    listing.refresh_from_db()
    assert listing.is_on_sale

    confirm = reverse("listings:delete", args=[listing.pk])
    assert client.get(confirm).status_code == 200
    assert not Listing.objects.get().deleted_at
    client.post(confirm)
    assert Listing.objects.get().deleted_at
    assert client.post(confirm).status_code == 404


def test_a_refused_step_is_explained(client, seller):
    listing = ListingFactory(seller=seller, status="reserved")

    response = client.post(reverse("listings:withdraw", args=[listing.pk]))

    assert response.status_code == 409
    assert b"cannot be changed" in response.content


def test_forms_are_guarded_against_foreign_sites(seller):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(seller)

    assert browser.post(SELL, offer()).status_code == 403


def test_admin_shows_no_secret(admin_client):
    listing = ListingFactory()

    page = admin_client.get(f"/admin/listings/listing/{listing.pk}/change/").content.decode()

    assert LOGIN not in page
    assert PASSWORD not in page
