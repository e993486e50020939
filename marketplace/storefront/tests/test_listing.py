"""The page of an offer: who sees it, what it says in each state, and that nobody is shown yesterday's price."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.test import Client
from django.utils.html import escape

from marketplace.accounts.tests.factories import UserFactory
from marketplace.escrow.tests import factories as trades
from marketplace.listings import services, visits
from marketplace.listings.models import Listing, ListingImage
from marketplace.listings.tests.factories import LOGIN, PASSWORD, FavoriteFactory, ListingFactory, game

pytestmark = pytest.mark.django_db
Status = Listing.Status
BROWSER = {"HTTP_USER_AGENT": "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0"}


@pytest.fixture(autouse=True)
def _no_visits_remembered():
    visits.forget_all()


@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def html_of(client, listing, **query):
    response = client.get(listing.get_absolute_url(), query, **BROWSER)
    assert response.status_code == 200
    return response.content.decode()


def with_pictures(number, **listing):
    listing = ListingFactory(**listing)
    for place in range(number):
        content = ContentFile(b"RIFF....WEBP", name=f"{place}.webp")
        ListingImage.objects.bulk_create(
            [ListingImage(listing=listing, image=f"photo-{place}.webp", card=content.name, thumb=f"thumb-{place}.webp",
                          width=1200, height=900, is_primary=place == 0, sort_order=place)]
        )  # fmt: skip
    return listing


def moderator():
    person = UserFactory(is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="moderate_listing"))
    return person


# --- What it says -----------------------------------------------------------------------------------


def test_a_visitor_sees_the_offer_its_facts_and_the_way_to_buy(client):
    listing = ListingFactory(
        title="M416 Glacier max", price=3_450_000_00, original_price=4_100_000_00, features=["Old skins"]
    )

    html = html_of(client, listing)

    assert "M416 Glacier max</h1>" in html
    assert "3\u00a0450\u00a0000" in html
    assert "−16%" in html
    assert f"/listings/{listing.pk}/buy/" in html
    assert "Conqueror" in html
    assert "Old skins" in html
    assert listing.seller.display_name in html


def test_the_login_details_are_never_on_the_page(client):
    listing = ListingFactory()
    for person in (listing.seller, moderator(), UserFactory()):
        client.force_login(person)
        html = html_of(client, listing)
        assert LOGIN not in html
        assert PASSWORD not in html


def test_what_a_seller_writes_stays_text(client):
    listing = ListingFactory(
        title='<script>alert("t")</script>',
        description="<img src=x onerror=alert(1)>\n\nSecond",
        features=["<b>bold</b>"],
    )

    html = html_of(client, listing)

    for text in (listing.title, "<img src=x onerror=alert(1)>", "<b>bold</b>"):
        assert text not in html
        assert escape(text) in html
    assert "<p>Second</p>" in html


def test_link_previews_get_words_and_one_address(client, settings):
    settings.SITE_URL = "https://wibe.example"
    listing = with_pictures(1)

    html = html_of(client, listing)

    assert f'<link rel="canonical" href="https://wibe.example/listings/{listing.pk}/">' in html
    assert 'property="og:image" content="https://wibe.example/media/photo-0.webp"' in html
    assert '<meta name="description" content="PUBG Mobile. ' in html


def test_pictures_turn_without_a_script(client):
    listing = with_pictures(3)

    html = html_of(client, listing, photo=2)

    assert "photo-1.webp" in html
    assert "photo-0.webp" not in html.partition("<body")[2]
    assert "2 / 3" in html


@pytest.mark.parametrize("photo", ["0", "-1", "99", "²", "x", "9" * 5000])
def test_a_picture_that_is_not_there_shows_another(client, photo):
    listing = with_pictures(2)

    assert "photo-" in html_of(client, listing, photo=photo)


def test_the_gallery_can_be_asked_for_alone(client):
    listing = with_pictures(2)

    response = client.get(
        listing.get_absolute_url(), {"photo": 2}, headers={"HX-Request": "true", "HX-Target": "gallery"}
    )

    html = response.content.decode()
    assert html.strip().startswith('<div id="gallery">')
    assert "<html" not in html


def test_similar_offers_are_of_the_same_game_and_do_not_repeat_this_one(client):
    listing = ListingFactory(title="The one itself")
    ListingFactory(title="Its neighbour")
    ListingFactory(title="From another game", game=game("steam"))

    similar = html_of(client, listing).partition("Similar accounts")[2]

    assert "Its neighbour" in similar
    assert "The one itself" not in similar
    assert "From another game" not in similar


# --- Who sees what ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status", [Status.DRAFT, Status.PENDING, Status.REJECTED, Status.BLOCKED, Status.ARCHIVED]
)
def test_what_is_not_on_sale_is_seen_by_its_seller_and_moderators_only(client, status):
    listing = ListingFactory(status=status)

    assert client.get(listing.get_absolute_url()).status_code == 404
    for person, expected in ((UserFactory(), 404), (listing.seller, 200), (moderator(), 200)):
        client.force_login(person)
        assert client.get(listing.get_absolute_url()).status_code == expected


def test_a_deleted_offer_is_gone_for_everybody(client):
    listing = ListingFactory(status=Status.ARCHIVED)
    Listing.objects.filter(pk=listing.pk).update(deleted_at=listing.created_at)
    client.force_login(listing.seller)

    assert client.get(listing.get_absolute_url()).status_code == 404


def test_a_seller_gets_the_way_to_edit_instead_of_buy(client):
    listing = ListingFactory()
    client.force_login(listing.seller)

    html = html_of(client, listing)

    assert f"/sell/{listing.pk}/" in html
    assert "/buy/" not in html


@pytest.mark.parametrize(
    ("status", "words"),
    [(Status.SOLD, "This account was sold on"), (Status.RESERVED, "Somebody is buying this account")],
)
def test_what_cannot_be_bought_says_why(client, status, words):
    listing = ListingFactory(status=status)

    html = html_of(client, listing)

    assert words in html
    assert "/buy/" not in html


def test_a_buyer_is_led_back_to_the_running_trade(client):
    trade = trades.paid()
    client.force_login(trade.buyer)

    assert f"/trades/{trade.pk}/" in html_of(client, trade.listing)


def test_a_stranger_is_not_told_of_the_trade(client):
    trade = trades.paid()
    client.force_login(UserFactory())

    assert str(trade.pk) not in html_of(client, trade.listing)


def test_the_heart_of_the_page_is_the_readers_own(client):
    favourite = FavoriteFactory()
    client.force_login(favourite.user)
    assert "Saved</button>" in html_of(client, favourite.listing)

    client.force_login(UserFactory())
    assert "Saved</button>" not in html_of(client, favourite.listing)


def test_a_visitors_page_holds_no_token(client):
    html = html_of(client, ListingFactory())

    assert "csrfmiddlewaretoken" not in html
    assert "/accounts/login/?next=" in html


# --- What it costs ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_signed_in_reader_costs_at_most_eight_queries(client, django_assert_max_num_queries):
    listing = with_pictures(3)
    ListingFactory.create_batch(5)
    client.force_login(UserFactory())
    html_of(client, listing)

    with django_assert_max_num_queries(8):
        html_of(client, listing)


@pytest.mark.django_db(transaction=True)
def test_the_first_visit_of_a_day_costs_no_query_more_and_is_counted_beside_the_answer(
    client, django_assert_max_num_queries, settings, monkeypatch
):
    settings.COURIER_THREAD = True
    monkeypatch.setattr(visits, "_work", lambda: None)  # the writer, who is called by hand below
    listing = with_pictures(3)
    ListingFactory.create_batch(5)
    html_of(client, listing)  # the games are known to the process
    client.force_login(UserFactory())

    with django_assert_max_num_queries(
        9
    ):  # three of them are the header's, which live as long as nothing changes
        html_of(client, listing)
    before = visits_of(listing)
    visits.write_waiting()

    assert (before, visits_of(listing)) == (0, 2)


def test_a_second_visitor_costs_one_visit_and_no_read(client, django_assert_num_queries):
    listing = ListingFactory()
    html_of(client, listing)

    with django_assert_num_queries(0):
        html_of(Client(), listing)


# --- Visits -----------------------------------------------------------------------------------------


def visits_of(listing):
    return Listing.objects.values_list("views_count", flat=True).get(pk=listing.pk)


def test_a_visitor_counts_once_a_day_also_when_the_page_comes_from_memory(client):
    listing = ListingFactory()

    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2", "10.0.0.3"):
        Client().get(listing.get_absolute_url(), REMOTE_ADDR=address, **BROWSER)

    assert visits_of(listing) == 3


def test_a_sellers_own_visit_does_not_count(client):
    listing = ListingFactory()
    client.force_login(listing.seller)

    html_of(client, listing)

    assert visits_of(listing) == 0


# --- Nobody is shown what is over --------------------------------------------------------------------


def test_a_new_price_is_seen_by_the_next_visitor(client, commits):
    listing = ListingFactory(price=100_000_00)
    assert "100\u00a0000" in html_of(client, listing)

    with commits():
        listing.price = 90_000_00
        listing.save(update_fields=["price"])
        services.common.changed(listing, "price")

    assert "90\u00a0000" in html_of(client, listing)


def test_a_purchase_is_seen_by_the_next_visitor(client, commits):
    listing = ListingFactory()
    assert "/buy/" in html_of(client, listing)

    with commits():
        services.reserve(listing_id=listing.pk, buyer=UserFactory())

    assert "/buy/" not in html_of(client, listing)


def test_a_blocked_offer_is_gone_for_the_next_visitor(client, commits):
    listing = ListingFactory()
    html_of(client, listing)

    with commits():
        services.block(listing_id=listing.pk, moderator=moderator(), reason="Stolen.")

    assert client.get(listing.get_absolute_url()).status_code == 404


def test_a_blocked_offer_leaves_the_similar_ones(client, commits):
    listing, neighbour = ListingFactory(), ListingFactory(title="Its neighbour")
    assert "Its neighbour" in html_of(client, listing)

    with commits():
        services.block(listing_id=neighbour.pk, moderator=moderator(), reason="Stolen.")

    assert "Its neighbour" not in html_of(client, listing)
