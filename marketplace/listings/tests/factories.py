import io
from importlib import import_module

import factory
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from marketplace.accounts.tests.factories import UserFactory
from marketplace.games.models import Game
from marketplace.listings import search
from marketplace.listings.models import Credentials, Favorite, Listing

LOGIN, PASSWORD = "conqueror@example.uz", "Maxfiy-parol-42"


def game(slug="pubg-mobile"):
    """One of the games that the data migration brings (brought again after a test that flushed the tables)."""
    games = Game.objects.select_related("category")
    if not games.filter(slug=slug).exists():
        import_module("marketplace.games.migrations.0002_first_games").add(apps, None)
    return games.get(slug=slug)


class ListingFactory(factory.django.DjangoModelFactory):
    """An offer on sale, with a vault row and its search columns filled. `status` sets the times that belong to it.

    `vault=False` leaves the log-in details out.
    """

    class Meta:
        model = Listing
        skip_postgeneration_save = True

    vault = True
    seller = factory.SubFactory(UserFactory)
    game = factory.LazyFunction(game)
    title = factory.Sequence(lambda n: f"Conqueror account number {n}")
    description = "Played since the second season, never banned."
    price = 100_000_00
    status = Listing.Status.ACTIVE
    attributes = factory.LazyFunction(lambda: {"level": 78, "rank": "conqueror"})
    submitted_at = factory.LazyAttribute(lambda o: None if o.status == "draft" else timezone.now())
    approved_at = factory.LazyAttribute(
        lambda o: timezone.now() if o.status in {"active", "reserved", "sold", "archived"} else None
    )
    sold_at = factory.LazyAttribute(lambda o: timezone.now() if o.status == "sold" else None)
    rejected_at = factory.LazyAttribute(lambda o: timezone.now() if o.status == "rejected" else None)
    rejection_reason = factory.LazyAttribute(lambda o: "Blurred pictures." if o.status == "rejected" else "")
    seller_rating = factory.LazyAttribute(lambda o: o.seller.rating or 0)

    @classmethod
    def _create(cls, model_class, *args, vault=True, **kwargs):
        listing = model_class(*args, **kwargs)
        search.index(listing)
        listing.save(force_insert=True)
        search.learn([listing])
        if vault:
            Credentials.objects.create(
                listing=listing,
                account_email=LOGIN,
                account_password=PASSWORD,
                additional_info={"note": "Ask support."},
            )
        return listing


class FavoriteFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Favorite

    user = factory.SubFactory(UserFactory)
    listing = factory.SubFactory(ListingFactory)


def png(width=1000, height=700, *, kind="PNG", color="navy", **options):
    """The bytes of a picture."""
    out = io.BytesIO()
    Image.new(options.pop("mode", "RGB"), (width, height), color).save(out, kind, **options)
    return out.getvalue()


def upload(content=None, name="shot.png", content_type="image/png"):
    return SimpleUploadedFile(name, png() if content is None else content, content_type)


def offer(**changes):
    """What a browser posts from a filled sell form."""
    return {
        "game": "pubg-mobile",
        "a_level": "78",
        "a_rank": "conqueror",
        "title": "Conqueror with the Glacier set",
        "description": "Played since the second season, everything included.",
        "price": "1 500 000",
        "login_method": "email",
        "account_email": LOGIN,
        "account_password": PASSWORD,
        "note": "Recovery codes 1111 2222",
    } | changes
