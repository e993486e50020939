"""Offers of game accounts: what is on sale, its pictures, its secrets, and who looked at it."""

from __future__ import annotations

import secrets
import uuid
from functools import cache, lru_cache
from typing import Any, Self

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.fields import EncryptedJSONField, EncryptedTextField
from marketplace.core.models import SoftDeleteModel, SoftDeleteQuerySet, TimestampedModel, UUIDModel
from marketplace.core.money import Currency, Minor, unit
from marketplace.games.models import Game
from marketplace.games.schema import Fact

TITLE_LENGTH = 120
DESCRIPTION_LENGTH = 5000

# The rows that visitors see; every catalogue index is kept for these only.
ON_SALE = Q(status="active", deleted_at__isnull=True)


def picture_path(_image: ListingImage, name: str) -> str:
    """A random name in one of 256 folders: a client's own file name goes nowhere. `name` ends in the rendition."""
    token = secrets.token_hex(16)
    return f"listings/{token[:2]}/{token}-{name.rpartition('/')[2]}"


class ListingQuerySet(SoftDeleteQuerySet):
    def on_sale(self) -> Self:
        """What visitors may see and buy."""
        # As ON_SALE, in words that the indexes of ON_SALE answer to whatever is asked besides.
        return self.filter(status__literally="active", deleted_at__isnull=True)

    def with_pictures(self) -> Self:
        return self.exclude(cover__literally="")

    def of(self, seller: object) -> Self:
        """A seller's own, without the deleted ones."""
        return self.filter(seller=seller).alive()

    def with_card(self) -> Self:
        """With everything a card shows."""
        return self.select_related("game", "seller")


class Listing(UUIDModel, TimestampedModel, SoftDeleteModel):
    """An account that is offered for sale.

    DRAFT is the seller's own affair, or what a moderator gave back to be mended (then it has a `rejection_reason`);
    PENDING waits for a moderator and ends as ACTIVE, as DRAFT again, or for good as REJECTED; RESERVED belongs to an open
    trade and ends as SOLD or ACTIVE again; ARCHIVED was taken back by its seller; BLOCKED by a moderator.
    What must be kept secret lives in `Credentials`.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PENDING = "pending", _("In review")
        ACTIVE = "active", _("On sale")
        RESERVED = "reserved", _("Being bought")
        SOLD = "sold", _("Sold")
        REJECTED = "rejected", _("Rejected")
        BLOCKED = "blocked", _("Blocked")
        ARCHIVED = "archived", _("Withdrawn")

    class LoginMethod(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone number")
        USERNAME = "username", _("Username")
        SOCIAL = "social", _("Social network")

    # No index of their own: (seller, status) and (game, status, created_at) below begin with them.
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="listings", db_index=False
    )
    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="listings", db_index=False)
    title = models.CharField(_("title"), max_length=TITLE_LENGTH)
    description = models.TextField(_("description"), max_length=DESCRIPTION_LENGTH, blank=True)
    price = models.BigIntegerField(_("price"), help_text=_("In minor units."))
    original_price = models.BigIntegerField(
        _("price before discount"), null=True, blank=True, help_text=_("In minor units.")
    )
    currency = models.CharField(_("currency"), max_length=3, choices=Currency, default=Currency.UZS)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.DRAFT)
    is_premium = models.BooleanField(
        _("premium"), default=False, help_text=_("Highlighted, and first within the same relevance.")
    )
    login_method = models.CharField(
        _("log-in by"), max_length=8, choices=LoginMethod, default=LoginMethod.EMAIL,
        help_text=_("How one signs in to the account."),
    )  # fmt: skip
    attributes = models.JSONField(
        _("attributes"), default=dict, blank=True, help_text=_("By the game's schema.")
    )
    features = models.JSONField(
        _("features"), default=list, blank=True, help_text=_("Short selling points, in order.")
    )
    views_count = models.PositiveIntegerField(_("views"), default=0, editable=False)
    favorites_count = models.PositiveIntegerField(_("favourites"), default=0, editable=False)

    submitted_at = models.DateTimeField(_("sent to review"), null=True, blank=True, editable=False)
    moderated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="moderated_listings",
    )
    moderated_at = models.DateTimeField(_("decided"), null=True, blank=True, editable=False)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True, editable=False)
    rejected_at = models.DateTimeField(_("rejected"), null=True, blank=True, editable=False)
    rejection_reason = models.TextField(_("reason for rejection"), blank=True)
    sold_at = models.DateTimeField(_("sold"), null=True, blank=True, editable=False)

    # Counts what a reader of the form or the card would see change. A form sends back the number it was filled from.
    version = models.PositiveIntegerField(default=1, editable=False)
    # What the catalogue reads in one row without joins: the first picture, and the seller's mark
    cover = models.CharField(
        max_length=200, blank=True, editable=False, help_text=_("The first picture's card rendition.")
    )
    # (zero while there is none).
    seller_rating = models.DecimalField(max_digits=3, decimal_places=2, default=0, editable=False)
    # Folded text that is searched (see listings/search.py).
    search_title = models.CharField(max_length=400, blank=True, default="", editable=False)
    search_text = models.TextField(blank=True, default="", editable=False)

    objects = ListingQuerySet.as_manager()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        permissions = [("moderate_listing", _("Can decide about listings"))]
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="listing_price_positive"),
            models.CheckConstraint(
                condition=Q(original_price__isnull=True) | Q(original_price__gt=models.F("price")),
                name="listing_original_price_above_price",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "reserved", "sold"]) | Q(approved_at__isnull=False),
                name="listing_on_sale_was_approved",
            ),
            models.CheckConstraint(
                condition=Q(status="sold", sold_at__isnull=False)
                | ~Q(status="sold") & Q(sold_at__isnull=True),
                name="listing_sold_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="pending") | Q(submitted_at__isnull=False),
                name="listing_pending_was_submitted",
            ),
            models.CheckConstraint(
                condition=~Q(status="rejected") | Q(rejected_at__isnull=False) & ~Q(rejection_reason=""),
                name="listing_rejected_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | ~Q(status="reserved"),
                name="listing_reserved_is_not_deleted",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "draft",
                        "pending",
                        "active",
                        "reserved",
                        "sold",
                        "rejected",
                        "blocked",
                        "archived",
                    ]
                ),
                name="listing_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "status"], name="listing_seller_status"),
            models.Index(fields=["game", "status", "created_at"], name="listing_game_status_created"),
            models.Index(fields=["created_at"], name="listing_created"),
            models.Index(fields=["submitted_at"], condition=Q(status="pending"), name="listing_queue"),
            models.Index("is_premium", "id", condition=ON_SALE, name="listing_shelf"),
            models.Index("game", "is_premium", "id", condition=ON_SALE, name="listing_game_shelf"),
            models.Index("is_premium", "id", condition=ON_SALE & ~Q(cover=""), name="listing_with_pictures"),
            models.Index("price", "id", condition=ON_SALE, name="listing_by_price"),
            models.Index("game", "price", "id", condition=ON_SALE, name="listing_game_by_price"),
            models.Index("views_count", "id", condition=ON_SALE, name="listing_by_views"),
            models.Index("seller_rating", "id", condition=ON_SALE, name="listing_by_rating"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return address(self.pk)

    @property
    def is_on_sale(self) -> bool:
        return self.status == self.Status.ACTIVE and self.deleted_at is None

    @property
    def is_editable(self) -> bool:
        """Whether its seller may change it now."""
        return self.deleted_at is None and self.status not in {
            self.Status.RESERVED,
            self.Status.SOLD,
            self.Status.REJECTED,
            self.Status.BLOCKED,
        }

    @property
    def needs_changes(self) -> bool:
        """Whether a moderator gave it back to be mended; `rejection_reason` has the words."""
        return self.status == self.Status.DRAFT and bool(self.rejection_reason)

    @property
    def facts(self) -> list[Fact]:
        """Everything that is known about the account, in the reader's language. Needs `game` loaded."""
        return self.game.schema.facts(self.attributes)

    @property
    def card_facts(self) -> str:
        """The line above the title on a card: "Lv 78 · Conqueror". Needs `game` loaded."""
        return self.game.schema.card_facts(self.attributes)

    @property
    def unit(self) -> str:
        """The word or sign behind the price."""
        return unit(self.currency)

    @property
    def discount(self) -> int:
        """Whole per cent off the price before discount; 0 when there is none."""
        return discount(self.price, self.original_price)

    @property
    def cover_url(self) -> str:
        """The first picture, or a cover drawn from the game's colours. Needs `game` loaded."""
        return cover_url(self.pk, self.cover, self.game.slug)


_SAMPLE = "00000000-0000-7000-8000-000000000000"
# Enough that neighbours in a grid differ, few enough that browsers and proxies soon have them all.
COVER_VARIANTS = 40


def address(key: uuid.UUID, name: str = "storefront:listing") -> str:
    """The address of a listing's page, or of another view that takes its key alone."""
    return _address(name).replace(_SAMPLE, str(key))


@cache
def _address(name: str) -> str:
    """With a sample key: two dozen cards a page need not resolve the same pattern each time."""
    return reverse(name, args=[_SAMPLE])


def cover_url(key: uuid.UUID, cover: str, game_slug: str) -> str:
    """The picture on a listing's card: its own, or one of the covers drawn from the game's colours."""
    return default_storage.url(cover) if cover else _drawn(game_slug, key.int % COVER_VARIANTS)


@lru_cache(maxsize=4096)
def _drawn(game_slug: str, variant: int) -> str:
    return reverse("games:cover", args=[game_slug, variant])


def discount(price: Minor, original: Minor | None) -> int:
    """Whole per cent off the price before discount; 0 when there is none."""
    return round((original - price) * 100 / original) if original else 0


class ListingImage(UUIDModel):
    """A picture of an offer, kept only as WebP that we encoded ourselves: no EXIF, no foreign bytes."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="images")
    image = models.ImageField(
        _("picture"), upload_to=picture_path, width_field="width", height_field="height", max_length=200
    )
    card = models.FileField(upload_to=picture_path, max_length=200, help_text=_("640 × 400, cropped."))
    thumb = models.FileField(upload_to=picture_path, max_length=200, help_text=_("160 × 100, cropped."))
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    is_primary = models.BooleanField(_("first picture"), default=False)
    sort_order = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["sort_order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["listing"], condition=Q(is_primary=True), name="listing_image_one_primary"
            ),
        ]

    def __str__(self) -> str:
        return f"picture {self.sort_order + 1} of {self.listing_id}"


class Credentials(models.Model):
    """The vault row: what a buyer needs to take the account over. Encrypted, and shown by nothing but a paid trade."""

    listing = models.OneToOneField(
        Listing, on_delete=models.CASCADE, primary_key=True, related_name="credentials"
    )
    account_email = EncryptedTextField(
        help_text=_("The e-mail, phone number or user name one signs in with.")
    )
    account_password = EncryptedTextField()
    additional_info = EncryptedJSONField(
        default=dict, blank=True, help_text=_('Recovery codes and the like: {"note": …}.')
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("log-in details")
        verbose_name_plural = _("log-in details")
        default_permissions = ()

    def __str__(self) -> str:
        return "log-in details (hidden)"

    def __repr__(self) -> str:
        return f"<Credentials of {self.listing_id}: hidden>"

    @property
    def note(self) -> str:
        """What the seller adds: how to change the e-mail, recovery codes."""
        info: Any = self.additional_info  # the field is JSON for us, text for the database
        return str(info.get("note", ""))


class Favorite(UUIDModel):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favorites")
    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="favorites")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "listing"], name="favorite_once")]
        indexes = [models.Index(fields=["user", "-created_at"], name="favorite_newest")]

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.listing_id}"


class ListingView(UUIDModel):
    """A visit that counted. `visitor` is a hash that cannot be traced back to an address once its day is over."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="views")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    visitor = models.CharField(max_length=32)
    day = models.DateField()
    viewed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "visitor", "day"], name="listing_view_once_a_day")
        ]
        indexes = [models.Index(fields=["day"], name="listing_view_day")]

    def __str__(self) -> str:
        return f"{self.listing_id} on {self.day}"


class SearchWord(models.Model):
    """A word that stands in some title or game's name: what a mistyped word is set right against."""

    word = models.CharField(max_length=40, primary_key=True)
    sound = models.CharField(
        max_length=40, help_text=_("The word with letters that are mistaken for one another made equal.")
    )

    class Meta:
        indexes = [models.Index(fields=["sound"], name="search_word_sound")]

    def __str__(self) -> str:
        return self.word
