"""What people see when something went wrong: a page in the site's clothes, with the code under which the log has it."""

import logging

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client
from django.urls import path

from marketplace.listings.tests.factories import ListingFactory
from project import urls as site

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def broken(_request):
    raise RuntimeError("the machine room is on fire")


def forbidden(_request):
    raise PermissionDenied


def suspicious(_request):
    raise SuspiciousOperation("odd")


urlpatterns = [
    path("broken/", broken),
    path("forbidden/", forbidden),
    path("suspicious/", suspicious),
    *site.urlpatterns,
]
handler500 = site.handler500


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


def test_a_bug_shows_a_page_with_its_code_and_nothing_of_the_inside(visitor, caplog):
    with caplog.at_level(logging.ERROR):
        response = visitor.get("/broken/", headers={"X-Request-ID": "code-4711-abc"})

    html = response.content.decode()
    assert response.status_code == 500
    assert response["X-Request-ID"] == "code-4711-abc"
    assert "code-4711-abc" in html
    assert "WibeStore" in html
    assert "machine room" not in html
    assert "machine room" in caplog.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/there/is/nothing/here/", 404, "There is no such page"),
        ("/listings/00000000-0000-0000-0000-000000000000/", 404, "There is no such page"),
        ("/u/nobody/", 404, "There is no such page"),
        ("/forbidden/", 403, None),
        ("/suspicious/", 400, None),
    ],
)
def test_an_error_is_a_page_of_the_site(visitor, path, status, words):
    response = visitor.get(path, headers={"X-Request-ID": "code-4711-abc"})

    html = response.content.decode()
    assert response.status_code == status
    assert "WibeStore" in html
    assert words is None or words in html
    assert status == 400 or "code-4711-abc" in html


def test_a_form_without_its_token_is_refused_with_a_page():
    strict = Client(enforce_csrf_checks=True)

    response = strict.post("/accounts/login/", {"login": "a@example.uz", "password": "x"})

    assert response.status_code == 403
    assert "WibeStore" in response.content.decode()


# --- Pages that are kept for visitors ---------------------------------------------------------------


def test_no_kept_page_holds_a_token_or_a_cookie_of_one_visitor():
    listing = ListingFactory()
    pages = [
        "/",
        "/listings/",
        "/games/",
        "/about/fees/",
        f"/listings/{listing.pk}/",
        f"/u/{listing.seller.public_handle}/",
    ]

    for page in pages:
        response = Client().get(page, headers={"User-Agent": "Mozilla/5.0"})
        assert response.status_code == 200, page
        assert response.has_header("ETag"), f"{page} is not kept"
        assert "csrfmiddlewaretoken" not in response.content.decode(), page
        assert not response.cookies, page
