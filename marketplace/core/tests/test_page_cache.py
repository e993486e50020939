"""Kept pages: who gets them, what makes them stale, and what is never kept."""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test import Client
from django.urls import path
from django.utils import translation

from marketplace.core import htmx, page_cache
from marketplace.core.cache import bump, generation
from marketplace.core.page_cache import keep
from marketplace.core.preferences import theme_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
made = []
visits = []


def _body(request, word=""):
    made.append(request.path)
    part = htmx.asked_for(request, {"part"}) or "page"
    return f"<p>{part} {word} {translation.get_language()} {theme_of(request)} {len(made)}</p>"


@keep(
    tags=lambda _request, word="": ("shelf", f"word:{word}"),
    visited=lambda _request, word="": visits.append(word),
)
def kept(request, word=""):
    return HttpResponse(_body(request, word))


@keep(tags=lambda _request: ("shelf",))
def with_token(request):
    return HttpResponse(f'<input name="csrfmiddlewaretoken" value="{get_token(request)}">{_body(request)}')


@keep(tags=lambda _request: ("shelf",))
def with_cookie(request):
    response = HttpResponse(_body(request))
    response.set_cookie("mine", "1")
    return response


@keep(tags=lambda _request: ("shelf",))
def missing(request):
    return HttpResponse(_body(request), status=404)


@keep(tags=lambda _request: ("shelf",))
def changing(request):
    """Something is written while the page is being made."""
    body = _body(request)
    cache.set("generation:shelf", f"stamp-{len(made)}")
    return HttpResponse(body)


def plain(request):
    return HttpResponse(_body(request))


urlpatterns = [
    path("kept/", kept),
    path("kept/<slug:word>/", kept),
    path("token/", with_token),
    path("cookie/", with_cookie),
    path("missing/", missing),
    path("changing/", changing),
    path("plain/", plain),
]


@pytest.fixture(autouse=True)
def _nothing_made():
    made.clear()
    visits.clear()


def body_of(client, path="/kept/", **extra):
    return client.get(path, **extra).content.decode()


@pytest.fixture
def bumped(django_capture_on_commit_callbacks):
    def now(*tags):
        with django_capture_on_commit_callbacks(execute=True):
            bump(*tags)

    return now


# --- Kept -------------------------------------------------------------------------------------------


def test_the_second_visitor_gets_the_body_from_memory_without_a_query(client, django_assert_num_queries):
    first = body_of(client)

    with django_assert_num_queries(0):
        second = body_of(Client())

    assert first == second
    assert made == ["/kept/"]


def test_a_page_that_is_not_marked_is_made_every_time(client):
    assert body_of(client, "/plain/") != body_of(client, "/plain/")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"query_params": {"q": "x"}}),
        ({}, {"headers": {"cookie": "django_language=ru"}}),
        ({}, {"headers": {"accept-language": "ru"}}),
        ({}, {"headers": {"cookie": "theme=dark"}}),
        ({}, {"headers": {"HX-Request": "true", "HX-Target": "part"}}),
    ],
    ids=["query", "language cookie", "browser's language", "theme", "partial"],
)
def test_what_differs_for_readers_is_kept_apart(one, other):
    first = body_of(Client(), **one)
    second = body_of(Client(), **other)

    assert first != second
    assert body_of(Client(), **one) == first
    assert body_of(Client(), **other) == second
    assert len(made) == 2


def test_a_part_is_never_given_as_the_page_nor_the_page_as_a_part():
    asks = {"headers": {"HX-Request": "true", "HX-Target": "part"}}
    boosted = {"headers": {"HX-Request": "true", "HX-Target": "part", "HX-Boosted": "true"}}
    restored = {"headers": {"HX-Request": "true", "HX-Target": "part", "HX-History-Restore-Request": "true"}}
    for _twice in range(2):
        assert body_of(Client(), **asks).startswith("<p>part")
        assert body_of(Client()).startswith("<p>page")
        assert body_of(Client(), **boosted).startswith("<p>page")
        assert body_of(Client(), **restored).startswith("<p>page")


def test_a_theme_that_does_not_exist_is_the_automatic_one():
    first = body_of(Client())

    assert body_of(Client(), headers={"cookie": "theme=<script>"}) == first
    assert len(made) == 1


def test_addresses_are_kept_apart(client):
    assert body_of(client, "/kept/one/") != body_of(client, "/kept/two/")


def test_an_answer_from_memory_is_a_visit_too(client):
    body_of(client, "/kept/one/")
    seen_while_making = list(visits)
    body_of(Client(), "/kept/one/")

    assert seen_while_making == []
    assert visits == ["one"]


# --- Stale ------------------------------------------------------------------------------------------


def test_a_change_is_seen_by_the_next_visitor(client, bumped):
    first = body_of(client)

    bumped("shelf")

    assert body_of(Client()) != first


def test_a_change_elsewhere_leaves_the_page_alone(client, bumped):
    first = body_of(client, "/kept/one/")

    bumped("word:two")

    assert body_of(Client(), "/kept/one/") == first


def test_a_change_that_is_not_committed_is_not_seen(client):
    first = body_of(client)

    bump("shelf")  # the test's own transaction never commits

    assert body_of(Client()) == first


def test_another_process_sees_the_change_through_the_shared_cache(client, bumped, monkeypatch):
    here = page_cache._bodies
    there = type(here)(here.maxsize, getsizeof=here.getsizeof)
    ours = body_of(client)
    monkeypatch.setattr(page_cache, "_bodies", there)
    theirs = body_of(Client())

    bumped("shelf")

    afterwards = body_of(Client())
    monkeypatch.setattr(page_cache, "_bodies", here)
    assert ours != theirs, "each process makes its own body"
    assert afterwards != theirs
    assert body_of(Client()) not in {ours, theirs}


def test_a_page_that_changed_while_it_was_made_is_not_given_again(client):
    first = body_of(client, "/changing/")

    assert body_of(Client(), "/changing/") != first


def test_an_emptied_cache_never_brings_an_old_body_back(client):
    first = body_of(client)

    cache.clear()

    assert body_of(Client()) != first


def test_what_no_tag_covers_grows_old(client, monkeypatch):
    first = body_of(client)
    real = page_cache.time.monotonic
    monkeypatch.setattr(page_cache.time, "monotonic", lambda: real() + page_cache.MAX_AGE + 1)

    assert body_of(Client()) != first


def test_a_stamp_depends_on_every_tag(bumped):
    before = generation("one", "two")

    bumped("two")

    assert generation("one", "two") != before
    assert generation("one") == before.split(".")[0]


# --- Never kept -------------------------------------------------------------------------------------


def test_a_person_neither_gets_a_kept_page_nor_leaves_one(client):
    kept_for_all = body_of(Client())
    person = get_user_model().objects.create_user("person@example.uz", "x")
    client.force_login(person)

    own = body_of(client)

    assert own != kept_for_all
    assert body_of(Client()) == kept_for_all


@pytest.mark.parametrize("cookie", ["sessionid=anything", "messages=anything"])
def test_a_browser_with_something_of_its_own_is_not_answered_from_memory(cookie):
    body_of(Client())

    body_of(Client(), headers={"cookie": cookie})
    body_of(Client(), headers={"cookie": cookie})

    assert len(made) == 3


@pytest.mark.parametrize("path", ["/cookie/", "/missing/"])
def test_an_answer_with_a_cookie_or_an_error_is_not_kept(path):
    body_of(Client(), path)
    body_of(Client(), path)

    assert len(made) == 2


def test_one_visitors_token_is_never_given_to_another():
    known = Client()
    known.cookies["csrftoken"] = "a" * 32

    first = body_of(known, "/token/")
    second = body_of(known, "/token/")
    body_of(Client(), "/token/")

    assert first != second
    assert len(made) == 3


@pytest.mark.parametrize("method", ["head", "post", "options"])
def test_only_looking_is_answered_from_memory(method):
    body_of(Client())

    response = getattr(Client(), method)("/kept/")

    assert response.status_code == 200
    assert len(made) == 2


def test_a_very_large_page_does_not_push_out_the_others(monkeypatch):
    monkeypatch.setattr(page_cache, "MAX_BYTES", 64)

    body_of(Client())
    body_of(Client())

    assert len(made) == 2


# --- What the browser keeps -------------------------------------------------------------------------


def test_a_browser_that_has_the_page_is_told_so_in_a_few_bytes(client):
    first = client.get("/kept/")

    again = Client().get("/kept/", headers={"If-None-Match": first["ETag"]})
    other = Client().get("/kept/", headers={"If-None-Match": 'W/"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert (other.status_code, other.content) == (200, first.content)


def test_a_changed_page_has_another_mark(client, bumped):
    first = client.get("/kept/")["ETag"]
    bumped("shelf")

    response = Client().get("/kept/", headers={"If-None-Match": first})

    assert response.status_code == 200
    assert response["ETag"] != first


def test_an_answer_from_memory_has_the_same_guards_as_a_fresh_one(client):
    guards = ("Content-Type", "Content-Language", "X-Frame-Options", "Content-Security-Policy", "X-Content-Type-Options",
              "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cache-Control", "ETag")  # fmt: skip

    fresh, remembered, plain_page = client.get("/kept/"), Client().get("/kept/"), client.get("/plain/")

    assert {name: remembered[name] for name in guards} == {name: fresh[name] for name in guards}
    assert fresh["Content-Security-Policy"] == plain_page["Content-Security-Policy"]
    assert remembered["Cache-Control"] == "private, no-cache"
    assert {"Cookie", "Accept-Language", "HX-Target"} <= set(remembered["Vary"].replace(" ", "").split(","))
    assert not remembered.cookies


def test_each_answer_has_a_request_id_of_its_own():
    assert Client().get("/kept/")["X-Request-ID"] != Client().get("/kept/")["X-Request-ID"]
