"""What stands beside the sell form: the offer as its card will be, and what would make it better. Saves nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.core.money import Currency
from marketplace.games.schema import Kind
from marketplace.listings.forms import ListingForm
from marketplace.listings.models import TITLE_LENGTH, Listing
from marketplace.listings.tiles import Tile, TileSeller

TITLE_GOOD = 20
DESCRIPTION_GOOD = 120
PICTURES_GOOD = 3
# A card needs a key for its address and its drawn cover; this one is nobody's and does not change while one types.
_NO_KEY = uuid.UUID(int=0)
_RING = 113.1  # length of the ring's line, 2πr for r = 18


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that makes an offer good."""

    label: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The card as it would be, and how good the offer is so far."""

    tile: Tile
    checks: list[Check]

    @property
    def done(self) -> int:
        return sum(check.is_done for check in self.checks)

    @property
    def missing(self) -> int:
        return len(self.checks) - self.done

    @property
    def percent(self) -> int:
        return 100 * self.done // len(self.checks)

    @property
    def ring(self) -> str:
        """How much of the ring is drawn, for `stroke-dasharray`."""
        return f"{_RING * self.done / len(self.checks):.1f} {_RING}"


def of(form: ListingForm, *, seller: User, new_pictures: int = 0) -> Preview:
    """The form as it stands, however much of it is still missing or wrong. Bound forms must have been validated."""
    given: Mapping[str, Any] = form.cleaned_data if form.is_bound else form.initial
    stored = [] if form.listing is None else list(form.listing.images.all())
    kept = [image for image in stored if image.pk not in (given.get("removed") or ())]
    first = next((image for image in kept if image.pk == given.get("first")), kept[0] if kept else None)
    price, before = given.get("price"), given.get("original_price")
    tile = Tile(
        pk=form.listing.pk if form.listing else _NO_KEY,
        game_id=form.game.pk,
        seller=TileSeller.of(seller),
        # While it is too short it is not clean yet, but it is what the seller is looking at.
        title=" ".join(str(form["title"].value() or "").split())[:TITLE_LENGTH] or _("Your title"),
        price=price or 0,
        currency=Currency.UZS if form.listing is None else form.listing.currency,
        original_price=before if price and before and before > price else None,
        status=Listing.Status.ACTIVE,
        is_premium=seller.is_premium,
        attributes=form.game.schema.collect(given),
        cover=first.card.name or "" if first else "",
    )
    return Preview(tile, _checks(form, given, tile, pictures=len(kept) + new_pictures))


def _checks(form: ListingForm, given: Mapping[str, Any], tile: Tile, *, pictures: int) -> list[Check]:
    # A box that is not ticked is an answer too.
    asked = {item.code for item in form.game.schema.attributes if item.kind is not Kind.BOOLEAN}
    least = {"title": TITLE_GOOD, "description": DESCRIPTION_GOOD, "pictures": PICTURES_GOOD}
    return [
        Check(
            _("A title of %(title)d characters or more") % least,
            len(given.get("title") or "") >= TITLE_GOOD,
        ),
        Check(_("All facts about the account"), asked <= tile.attributes.keys()),
        Check(
            _("A description of %(description)d characters or more") % least,
            len(given.get("description") or "") >= DESCRIPTION_GOOD,
        ),
        Check(_("A price"), bool(given.get("price"))),
        Check(_("%(pictures)d pictures or more") % least, pictures >= PICTURES_GOOD),
    ]
