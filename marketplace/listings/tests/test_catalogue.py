"""What visitors find, how they narrow it down, and that they see every change at once."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.core.cache import bump
from marketplace.games import selectors as games
from marketplace.listings import selectors, services
from marketplace.listings.models import Favorite, Listing
from marketplace.listings.tests.factories import FavoriteFactory, ListingFactory, game
from marketplace.listings.tests.test_publishing import edit, same

pytestmark = pytest.mark.django_db
URL = reverse("listings:catalogue")
PARTIAL = {"HX-Request": "true"}


def titles(response):
    found = re.findall(r'class="stretch" href="[^"]+">([^<]+)<', response.content.decode())
    return [title.strip() for title in found]


def search(query, **more):
    return titles(Client().get(URL, {"q": query, **more}))


# --- Seeing --------------------------------------------------------------------------------------


def test_a_card_shows_what_people_wrote_as_text(client):
    seller = UserFactory(full_name="<i>Aziz</i>")
    ListingFactory(title='<b onclick="x">Glacier</b>', seller=seller)

    page = client.get(URL).content.decode()

    assert "&lt;b onclick=&quot;x&quot;&gt;Glacier&lt;/b&gt;" in page
    assert "&lt;i&gt;Aziz&lt;/i&gt;" in page
    assert "<b onclick" not in page
    assert "<i>Aziz" not in page


def test_a_card_shows_what_a_buyer_wants_to_know(client):
    seller = UserFactory(full_name="Aziz Karimov", rating="4.90", rating_count=3)
    ListingFactory(title="Glacier set", seller=seller, price=3_450_000_00, original_price=4_100_000_00)

    page = client.get(URL).content.decode()

    for text in (
        "Glacier set",
        "Lv 78 · Conqueror",
        "3\u00a0450\u00a0000",
        "4\u00a0100\u00a0000",
        "−16%",
        "Aziz Karimov",
        "4.9",
    ):
        assert text in page


@pytest.mark.parametrize(
    "status", ["draft", "pending", "reserved", "sold", "rejected", "blocked", "archived"]
)
def test_what_is_not_on_sale_is_not_shown(client, status):
    ListingFactory(title="Not for your eyes", status=status)

    assert titles(client.get(URL, {"status": status})) == []
    assert search("eyes") == []


def test_the_page_has_a_next_one_that_htmx_appends(client):
    for _ in range(30):
        ListingFactory()

    first, second = client.get(URL), client.get(URL, {"page": 2})
    more = client.get(URL, {"page": 2}, headers=PARTIAL | {"HX-Target": "more"})

    assert (len(titles(first)), len(titles(second))) == (24, 6)
    assert not set(titles(first)) & set(titles(second))
    assert titles(more) == titles(second)
    assert b"<html" not in more.content
    assert b'href="?page=2"' in first.content


def test_htmx_gets_the_results_and_a_browser_the_page(client):
    ListingFactory()

    partial = client.get(URL, headers=PARTIAL | {"HX-Target": "results"})

    assert partial.content.strip().startswith(b'<section id="results"')
    assert b"<html" in client.get(URL, headers=PARTIAL | {"HX-Target": "something"}).content
    assert "HX-Target" in partial["Vary"]


def test_premium_comes_first_then_the_newest(client):
    ListingFactory(title="Old and premium", is_premium=True)
    ListingFactory(title="Older and plain")
    ListingFactory(title="New and plain")

    assert titles(client.get(URL)) == ["Old and premium", "New and plain", "Older and plain"]


@pytest.mark.parametrize(
    ("ordering", "first"),
    [
        ("price", "Cheap"),
        ("-price", "Dear"),
        ("-views_count", "Dear"),
        ("-rating", "Cheap"),
        ("-created_at", "Dear"),
    ],
)
def test_every_ordering(client, ordering, first):
    ListingFactory(title="Cheap", price=1_000_00, seller=UserFactory(rating="4.8"))
    ListingFactory(title="Dear", price=9_000_00, views_count=7, is_premium=False)

    assert titles(client.get(URL, {"ordering": ordering}))[0] == first


# --- Filters -------------------------------------------------------------------------------------


def test_filters_narrow_down(client):
    rated = UserFactory(rating="4.60", username="aziz")
    ListingFactory(title="One", price=100_000_00, seller=rated)
    ListingFactory(title="Two", price=300_000_00, is_premium=True, cover="listings/aa/x-card.webp")
    ListingFactory(title="Three", game=game("steam"), attributes={"games": 214})

    def found(**query):
        return set(titles(client.get(URL, query)))

    assert found(game="steam") == {"Three"}
    assert found(min_price="200 000") == {"Two"}
    assert found(max_price="100000", min_price="100000") == {"One", "Three"}
    assert found(is_premium="on") == {"Two"}
    assert found(has_images="on") == {"Two"}
    assert found(seller="aziz") == found(seller=rated.handle) == {"One"}
    assert found(rating="4.5") == {"One"}


def test_a_games_own_filters_narrow_down(client):
    ListingFactory(title="A", attributes={"level": 78, "rank": "conqueror", "links": {"google-play": True}})
    ListingFactory(title="B", attributes={"level": 40, "rank": "ace", "links": {"none": True}})
    ListingFactory(title="C", game=game("steam"), attributes={"games": 10, "cs2_prime": True})

    def found(slug="pubg-mobile", **query):
        return set(titles(client.get(URL, {"game": slug, **query})))

    assert found(a_rank="ace") == {"B"}
    assert found(a_rank=["ace", "conqueror"]) == {"A", "B"}
    assert found(a_level_min="50") == {"A"}
    assert found(a_level_max="50") == {"B"}
    assert found(a_links=["google-play", "facebook"]) == {"A"}
    assert found("steam", a_cs2_prime="on") == {"C"}


@pytest.mark.parametrize(
    "query",
    [
        {"game": "no-such-game"},
        {"min_price": "abc"},
        {"min_price": "-5"},
        {"max_price": "9" * 400},
        {"min_price": "1e9"},
        {"min_price": "500", "max_price": "100"},
        {"rating": "9"},
        {"seller": "nobody-at-all"},
        {"ordering": "password"},
        {"q": "x" * 5000},
        {"q": "a\x00b"},
        {"game": "pubg-mobile", "a_level_min": "minus"},
        {"game": "pubg-mobile", "a_level_min": "9" * 5000},
        {"game": "pubg-mobile", "a_rank": "admiral"},
    ],
)
def test_garbage_is_said_and_left_out(client, query):
    ListingFactory(title="Still here")

    response = client.get(URL, query)

    assert response.status_code == 200
    assert titles(response) == ["Still here"]
    assert b'role="alert"' in response.content


@pytest.mark.parametrize("page", ["0", "-1", "x", "999999999999999999999", "41", "²", ""])
def test_every_page_number_is_answered(client, page):
    ListingFactory()

    assert client.get(URL, {"page": page}).status_code == 200


def test_each_chip_takes_its_own_filter_away(client):
    ListingFactory()

    page = client.get(
        URL, {"game": "pubg-mobile", "a_rank": ["ace", "conqueror"], "min_price": "1000"}
    ).content.decode()

    assert 'href="/listings/?game=pubg-mobile&amp;a_rank=conqueror&amp;min_price=1000"' in page
    assert 'href="/listings/?game=pubg-mobile&amp;a_rank=ace&amp;a_rank=conqueror"' in page


def test_what_is_typed_comes_back_escaped(client):
    response = client.get(URL, {"q": "<script>alert(1)</script>", "game": '"><script>'})

    assert b"<script>alert" not in response.content
    assert b'"><script>' not in response.content


# --- Search --------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["qurol", "қурол", "QUROL", "ўйин", "o'yin", "oʻyin", "o‘yin", "oyin"])
def test_cyrillic_and_latin_find_each_other(query):
    ListingFactory(title="Qurol toʻplami va oʻyin")
    ListingFactory(title="Something else")

    assert search(query) == ["Qurol toʻplami va oʻyin"]


@pytest.mark.parametrize("query", ["перчатки", "perchatki", "Перчат"])
def test_russian_is_found_by_its_transliteration(query):
    ListingFactory(title="Перчатки Geometric")

    assert search(query) == ["Перчатки Geometric"]


@pytest.mark.parametrize("query", ["konqeror", "conquerer", "glasier", "glaciar", "glacier conqeror"])
def test_a_typo_still_finds(query):
    ListingFactory(title="Conqueror with Glacier")
    ListingFactory(title="Starter", attributes={})

    assert search(query) == ["Conqueror with Glacier"]


def test_a_corrected_search_says_so(client):
    ListingFactory(title="Conqueror with Glacier")

    assert "shown for “conqueror”" in client.get(URL, {"q": "konqeror"}).content.decode()


def test_nonsense_finds_nothing_and_says_what_to_do(client):
    ListingFactory(title="Conqueror with Glacier")

    response = client.get(URL, {"q": "xyzzyqwv"})

    assert titles(response) == []
    assert b"Nothing found" in response.content


def test_a_title_counts_more_than_premium_and_premium_more_than_age():
    ListingFactory(title="Only described", description="A Karambit too", is_premium=True)
    ListingFactory(title="Karambit, premium", is_premium=True)
    ListingFactory(title="Karambit, plain")
    ListingFactory(title="Karambit, newest and plain")

    assert search("karambit") == [
        "Karambit, premium",
        "Karambit, newest and plain",
        "Karambit, plain",
        "Only described",
    ]


def test_all_words_must_be_there_and_the_last_may_be_a_beginning():
    ListingFactory(title="Glacier and Pharaoh")
    ListingFactory(title="Glacier alone")

    assert search("glacier phar") == ["Glacier and Pharaoh"]


def test_a_game_and_a_fact_are_found_too():
    ListingFactory(title="No word about it", attributes={"level": 7, "rank": "ace-dominator"})

    assert search("pubg dominator") == ["No word about it"]


def test_hits_are_paged_over_both_bands():
    for number in range(20):
        ListingFactory(title=f"Karambit {number}")
    for number in range(20):
        ListingFactory(title=f"Other {number}", description="With a karambit.")

    pages = [search("karambit"), search("karambit", page=2)]

    assert [len(page) for page in pages] == [24, 16]
    assert len(set(pages[0] + pages[1])) == 40
    assert all(title.startswith("Karambit") for title in pages[0][:20])


def test_words_and_filters_and_an_order_go_together():
    ListingFactory(title="Glacier dear", price=9_000_00)
    ListingFactory(title="Glacier cheap", price=2_000_00)
    ListingFactory(title="Glacier of Steam", game=game("steam"), attributes={})

    assert search("glacier", game="pubg-mobile", ordering="price") == ["Glacier cheap", "Glacier dear"]


@pytest.mark.parametrize("query", ["'; drop table", "a & b | !c:*", "()", "%_%", "\\", "🎮", ":*", "а́"])
def test_no_sign_breaks_the_search(client, query):
    ListingFactory()

    assert client.get(URL, {"q": query}).status_code == 200


# --- Seen at once --------------------------------------------------------------------------------


@pytest.fixture(params=["visitor", "signed in"])
def reader(request):
    """A browser whose catalogue has been rendered and kept already."""
    browser = Client()
    if request.param == "signed in":
        browser.force_login(UserFactory())
    return browser


@pytest.fixture
def see(reader, django_capture_on_commit_callbacks):
    """`see(change)`: what the reader's next request shows after the change is committed."""

    def after(change):
        reader.get(URL)
        reader.get(URL)
        with django_capture_on_commit_callbacks(execute=True):
            change()
        return reader.get(URL).content.decode()

    return after


def test_a_price_change_is_seen_by_the_next_request(see):
    listing = ListingFactory(price=100_000_00)

    page = see(lambda: edit(listing, same(listing, price=77_000_00)))

    assert "77\u00a0000" in page
    assert "100\u00a0000" not in page


def test_a_sale_is_seen_by_the_next_request(see):
    listing = ListingFactory(title="Gone soon")

    assert "Gone soon" not in see(lambda: services.reserve(listing_id=listing.pk, buyer=UserFactory()))


def test_a_block_is_seen_by_the_next_request(see):
    listing, moderator = ListingFactory(title="Gone soon"), StaffFactory()

    page = see(lambda: services.block(listing_id=listing.pk, moderator=moderator, reason="Stolen"))

    assert "Gone soon" not in page


def test_a_new_offer_is_seen_by_the_next_request(see):
    listing, moderator = ListingFactory(title="Fresh", status="pending"), StaffFactory()

    assert "Fresh" in see(lambda: services.approve(listing_id=listing.pk, moderator=moderator))


def test_each_reader_sees_their_own_hearts():
    listing = ListingFactory()
    ListingFactory()
    fan = FavoriteFactory(listing=listing).user
    browser, other = Client(), Client()
    browser.force_login(fan)
    other.force_login(UserFactory())

    assert browser.get(URL).content.count(b'aria-pressed="true"') == 1
    assert other.get(URL).content.count(b'aria-pressed="true"') == 0
    assert b"aria-pressed" not in Client().get(URL).content


def test_nothing_of_a_reader_is_in_a_visitors_page():
    ListingFactory()

    page = Client().get(URL).content

    assert b"csrfmiddlewaretoken" not in page


def test_the_frame_of_a_reader_is_their_own_and_follows_their_counters():
    ListingFactory()
    aziz, dil = UserFactory(full_name="Aziz Karimov"), UserFactory(full_name="Dilnoza R")
    browsers = {}
    for person in (aziz, dil):
        browsers[person] = Client()
        browsers[person].force_login(person)
        browsers[person].get(URL)

    services.approve(listing_id=ListingFactory(status="pending", seller=aziz).pk, moderator=StaffFactory())
    pages = {person: browsers[person].get(URL).content.decode() for person in (aziz, dil)}

    assert "Notifications, 1 unread" in pages[aziz]
    assert "Aziz Karimov" in pages[aziz]
    assert "Notifications, 1 unread" not in pages[dil]
    assert "Dilnoza R" in pages[dil]


def test_a_kept_frame_carries_a_token_that_holds():
    listing = ListingFactory()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(UserFactory())
    browser.get(URL)

    tokens = [
        re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(URL).content.decode())[1]
        for _ in range(2)
    ]

    assert tokens[0] != tokens[1]
    for token in tokens:
        response = browser.post(
            reverse("listings:favourite", args=[listing.pk]), {"csrfmiddlewaretoken": token, "next": URL}
        )
        assert response["Location"] == URL


# --- What it costs -------------------------------------------------------------------------------


def test_a_visitors_second_request_asks_the_database_nothing(client, django_assert_num_queries):
    ListingFactory()
    client.get(URL)

    with django_assert_num_queries(0):
        client.get(URL)


@pytest.mark.parametrize("query", [{}, {"game": "pubg-mobile", "a_rank": "conqueror"}, {"q": "conqueror"}])
def test_the_signed_in_catalogue_costs_at_most_eight_queries(django_assert_max_num_queries, query):
    for _ in range(30):
        ListingFactory()
    browser = Client()
    browser.force_login(UserFactory())
    browser.get("/games/")

    with django_assert_max_num_queries(8):
        browser.get(URL, query)


def test_the_catalogue_itself_is_two_queries(django_assert_num_queries):
    for _ in range(30):
        ListingFactory()

    with django_assert_num_queries(2):
        shelf = selectors.catalogue(selectors.Filters())
        assert all(row.seller.display_name for row in shelf.tiles)


def test_a_search_is_at_most_three_queries(django_assert_max_num_queries):
    for _ in range(30):
        ListingFactory()

    with django_assert_max_num_queries(3):
        selectors.catalogue(selectors.Filters(query="conqueror"))


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (lambda: Listing.objects.on_sale(), "listing_shelf"),
        (lambda: Listing.objects.on_sale().with_pictures(), "listing_with_pictures"),
    ],
)
def test_a_plan_for_any_value_still_uses_the_indexes_of_what_is_on_sale(rows, index):
    sql, parameters = rows().order_by("-is_premium", "-id").only("pk")[:25].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        # There is next to nothing in the table, so that every way would do.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"PREPARE page AS {sql.replace('%s', '$1')}")
        cursor.execute(f"EXPLAIN EXECUTE page{parameters or ''}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE page")

    assert f"using {index} " in plan, plan


@pytest.mark.postgres
def test_no_search_reads_through_a_long_list_of_rows_that_are_not_indexed_yet():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reloptions FROM pg_class WHERE relname IN ('listing_search', 'listing_title_search')"
        )
        options = dict(cursor.fetchall())

    assert options == {
        key: ["gin_pending_list_limit=64"] for key in ("listing_search", "listing_title_search")
    }


@pytest.mark.postgres
def test_the_indexes_of_the_catalogue_are_there():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'listings_listing'")
        names = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT extname FROM pg_extension")
        extensions = {name for (name,) in cursor.fetchall()}

    assert {"listing_title_search", "listing_search", "listing_shelf"} <= names
    assert {"pg_trgm", "unaccent", "uuid-ossp"} <= extensions


# --- Favourites ----------------------------------------------------------------------------------


def test_a_heart_is_put_and_taken_without_javascript(client, seller):
    listing = ListingFactory()
    url = reverse("listings:favourite", args=[listing.pk])

    response = client.post(url, {"next": "/listings/?page=2"})
    listing.refresh_from_db()

    assert response["Location"] == "/listings/?page=2"
    assert listing.favorites_count == 1
    client.post(url)
    listing.refresh_from_db()
    assert (listing.favorites_count, Favorite.objects.count()) == (0, 0)


def test_htmx_gets_the_heart(client, seller):
    url = reverse("listings:favourite", args=[ListingFactory().pk])

    response = client.post(url, headers=PARTIAL)

    assert b'aria-pressed="true"' in response.content
    assert b"<html" not in response.content


def test_a_heart_leads_nowhere_else(client, seller):
    listing = ListingFactory()

    response = client.post(reverse("listings:favourite", args=[listing.pk]), {"next": "https://example.com/"})

    assert response["Location"] == listing.get_absolute_url()


def test_what_is_not_public_cannot_be_marked(client, seller):
    url = reverse("listings:favourite", args=[ListingFactory(status="draft").pk])

    assert client.post(url).status_code == 404


def test_an_offer_of_a_game_that_was_switched_off_keeps_its_card(client, seller):
    old = game("brawl-stars")
    FavoriteFactory(user=seller, listing=ListingFactory(game=old, title="Old account"))
    client.force_login(seller)
    type(old).objects.filter(pk=old.pk).update(is_active=False)
    bump("games")

    page = client.get(reverse("listings:favourites")).content.decode()

    assert "Old account" in page
    assert f"/covers/{old.slug}/" in page


def test_the_favourites_page_keeps_what_is_sold(client, seller, django_assert_max_num_queries):
    FavoriteFactory(user=seller, listing=ListingFactory(title="Mine"))
    FavoriteFactory(user=seller, listing=ListingFactory(title="Missed", status="sold"))
    FavoriteFactory(listing=ListingFactory(title="Somebody's"))

    with django_assert_max_num_queries(9):
        response = client.get(reverse("listings:favourites"))

    assert titles(response) == ["Missed", "Mine"]


# --- A card that has changed ----------------------------------------------------------------------


def card(client, listing):
    return client.get(reverse("listings:card", args=[listing.pk]))


@pytest.mark.parametrize("status", ["active", "reserved", "sold"])
def test_one_card_shows_the_offer_as_it_is_now(status, django_assert_num_queries):
    listing = ListingFactory(title="Glacier set", status=status)
    games.by_slug(listing.game.slug)

    with django_assert_num_queries(1):
        response = card(Client(), listing)

    assert titles(response) == ["Glacier set"]
    assert response.content.decode().count("<article") == 1


@pytest.mark.parametrize("status", ["draft", "pending", "archived", "blocked"])
def test_what_is_not_public_has_no_card_even_for_its_seller(client, seller, status):
    client.force_login(seller)

    assert card(client, ListingFactory(seller=seller, status=status)).content == b""


def test_one_card_has_the_readers_heart(client, seller):
    listing = FavoriteFactory(user=seller, listing=ListingFactory()).listing
    client.force_login(seller)

    assert 'aria-pressed="true"' in card(client, listing).content.decode()
    assert "aria-pressed" not in card(Client(), listing).content.decode()


def test_a_kept_card_is_made_anew_after_a_change(seller, django_capture_on_commit_callbacks):
    listing = ListingFactory(seller=seller, price=777_000_00)
    assert "777\u00a0000" in card(Client(), listing).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        edit(listing, same(listing, price=666_000_00))

    assert "666\u00a0000" in card(Client(), listing).content.decode()
