"""What one process writes, the next request to another one shows: on PostgreSQL and Redis, with two real processes."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from marketplace.escrow import services as escrow
from marketplace.escrow.tests.factories import rich_buyer
from marketplace.listings import services as listings
from marketplace.listings.models import Listing
from marketplace.listings.services import Content
from marketplace.listings.tests.factories import ListingFactory

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.django_db(transaction=True)]

# Answers each address on its standard input with the page, on one line; "kept" tells whether memory answered.
OTHER = """
import sys
import django
django.setup()
from django.test import Client
from marketplace.core import page_cache
client = Client(headers={"accept-language": "en"})
for line in sys.stdin:
    before = len(page_cache._bodies)
    response = client.get(line.strip())
    kept = before == len(page_cache._bodies)
    print(response.status_code, kept, response.content.decode().replace("\\n", " "), flush=True)
"""


@pytest.fixture
def other():
    """Another process of the site, with a memory of its own; call it with an address to get (status, kept, page)."""
    base, _slash, _name = os.environ["TEST_DATABASE_URL"].rpartition("/")
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings.testing",
        "TEST_DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}",
    }
    process = subprocess.Popen(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", OTHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
        cwd=settings.BASE_DIR,
    )

    def get(address):
        process.stdin.write(address + "\n")
        process.stdin.flush()
        status, kept, page = process.stdout.readline().split(" ", 2)
        return int(status), kept == "True", page

    yield get
    process.stdin.close()
    process.wait(timeout=20)


@pytest.fixture
def offer():
    return ListingFactory(title="Glacier seen by two", price=777_000_00)


def test_the_other_process_keeps_a_page_in_its_own_memory(other, offer):
    other(offer.get_absolute_url())

    status, kept, page = other(offer.get_absolute_url())

    assert (status, kept) == (200, True)
    assert "777\u00a0000" in page


def test_a_price_change_is_seen_by_the_next_request_to_another_process(other, offer):
    for address in (offer.get_absolute_url(), "/listings/"):
        assert "777\u00a0000" in other(address)[2]
    content = Content(
        game=offer.game, title=offer.title, description=offer.description, price=666_000_00, original_price=None,
        attributes=offer.attributes, features=offer.features, login_method=offer.login_method,
    )  # fmt: skip

    listings.edit(listing_id=offer.pk, seller=offer.seller, version=offer.version, content=content)

    assert Listing.objects.get(pk=offer.pk).status == "active"
    for address in (offer.get_absolute_url(), "/listings/"):
        page = other(address)[2]
        assert "666\u00a0000" in page
        assert "777\u00a0000" not in page


def test_a_sale_is_seen_by_the_next_request_to_another_process(other, offer):
    assert offer.title in other("/listings/")[2]
    assert "/buy/" in other(offer.get_absolute_url())[2]

    escrow.buy_from_balance(listing_id=offer.pk, buyer=rich_buyer(10**9), idempotency_key="two")

    assert offer.title not in other("/listings/")[2]
    assert "/buy/" not in other(offer.get_absolute_url())[2]


def test_a_block_is_seen_by_the_next_request_to_another_process(other, offer):
    from marketplace.accounts.tests.factories import StaffFactory

    assert other(offer.get_absolute_url())[0] == 200

    listings.block(listing_id=offer.pk, moderator=StaffFactory(), reason="Not yours to sell.")

    assert other(offer.get_absolute_url())[0] == 404
    assert offer.title not in other("/listings/")[2]


def test_control_without_the_bump_the_other_process_shows_the_old_price(other, offer):
    other(offer.get_absolute_url())

    Listing.objects.filter(pk=offer.pk).update(price=666_000_00)

    assert "777\u00a0000" in other(offer.get_absolute_url())[2]
