"""The games that are there from the first day, their page and their covers."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import translation

from marketplace.core import covers
from marketplace.games import selectors, services
from marketplace.games.models import Category, Game

pytestmark = pytest.mark.django_db
PAGE = reverse("games:list")


def test_more_than_forty_five_games_are_there_with_a_schema_each():
    games = selectors.directory()

    assert len(games) >= 45
    assert all(game.schema.attributes and game.schema.filters for game in games)
    assert len([game for game in games if len(game.schema.attributes) >= 5]) >= 14


def test_every_game_can_be_asked_about_and_filtered_in_every_language():
    for language in ("uz", "ru", "en"):
        with translation.override(language):
            for game in selectors.directory():
                game.full_clean()
                assert game.schema.form_fields()
                assert game.schema.filter_fields()
                assert game.category.label


def test_every_glyph_is_in_the_sprite():
    assert {game.glyph for game in selectors.directory()} <= set(covers.glyphs())


def test_a_slug_is_made_from_the_name_and_never_twice():
    category = Category.objects.first()

    first = services.save(game=Game(name="Need for Speed", category=category))
    second = services.save(game=Game(name="Need for speed!", category=category))

    assert (first.slug, second.slug) == ("need-for-speed", "need-for-speed-2")


def test_a_bad_schema_or_colour_is_refused_beside_its_field():
    game = Game(
        name="X", slug="x", category=Category.objects.first(), color="red", attributes=[{"code": "!"}]
    )

    with pytest.raises(ValidationError) as refused:
        game.full_clean()

    assert {"color", "attributes"} <= set(refused.value.message_dict)


def test_the_page_shows_games_by_category_with_their_offers(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        page = client.get(PAGE).content.decode()

    assert "PUBG Mobile" in page
    assert "Shooters" in page
    assert page.count('class="lcard"') == len(selectors.directory())


def test_a_new_game_is_seen_by_the_next_request(client, django_capture_on_commit_callbacks):
    client.get(PAGE)

    with django_capture_on_commit_callbacks(execute=True):
        services.save(game=Game(name="Brand New Game", category=Category.objects.first()))

    assert b"Brand New Game" in client.get(PAGE).content


def test_a_game_that_is_switched_off_is_gone(client, django_capture_on_commit_callbacks):
    game = Game.objects.get(slug="steam")
    game.is_active = False

    with django_capture_on_commit_callbacks(execute=True):
        services.save(game=game)

    assert selectors.by_slug("steam") is None
    assert client.get(reverse("games:cover", args=["steam", 1])).status_code == 404


def test_a_cover_is_a_cacheable_drawing(client):
    url = reverse("games:cover", args=["steam", 3])

    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first["ETag"]})

    assert first["Content-Type"] == "image/svg+xml"
    assert "max-age" in first["Cache-Control"]
    assert again.status_code == 304
    assert client.get("/covers/steam/99999.svg").status_code == 404
