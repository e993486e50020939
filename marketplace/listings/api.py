"""The listings' door for programs: one's own offers, and what one has marked."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from marketplace.accounts.selectors import person
from marketplace.core.api.bodies import choose_from
from marketplace.core.api.fields import MoneyField
from marketplace.core.api.shapes import ShapedMixin
from marketplace.listings import selectors
from marketplace.listings.models import Listing


class ListingSerializer(ShapedMixin, serializers.ModelSerializer[Listing]):
    """An offer as a list shows it. `cover` is a whole address; `url` the page's path, `facts` the line above the title."""

    game = serializers.SerializerMethodField()
    seller = serializers.SerializerMethodField()
    price = MoneyField(read_only=True)
    original_price = MoneyField(read_only=True)
    cover = serializers.SerializerMethodField()
    url = serializers.CharField(source="get_absolute_url", read_only=True)
    facts = serializers.CharField(source="card_facts", read_only=True)

    class Meta:
        model = Listing
        fields = [
            "id", "title", "game", "seller", "facts", "price", "original_price", "currency", "status", "is_premium", "cover",
            "url", "views_count", "favorites_count", "created_at", "approved_at", "sold_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_game(self, row: Listing) -> dict[str, str]:
        return {"slug": row.game.slug, "name": row.game.name}

    def get_seller(self, row: Listing) -> dict[str, Any]:
        seller = row.seller
        return {"id": str(seller.pk), "name": seller.display_name, "handle": seller.public_handle}

    def get_cover(self, row: Listing) -> str:
        return str(self.context["request"].build_absolute_uri(row.cover_url))


class OwnListingSerializer(ListingSerializer):
    """What its seller sees besides: whether a moderator asks for changes, and the reason."""

    class Meta(ListingSerializer.Meta):
        fields = [*ListingSerializer.Meta.fields, "needs_changes", "rejection_reason", "submitted_at"]
        read_only_fields = fields


class OwnListings(ListAPIView[Listing]):
    """GET: one's own offers, newest first; ?status= filters by one status."""

    serializer_class = OwnListingSerializer
    ordering_fields = {"created_at": "created_at", "price": "price", "views_count": "views_count"}

    def get_queryset(self) -> QuerySet[Listing]:
        status = self.request.query_params.get("status", "")
        if status and status not in Listing.Status.values:
            raise choose_from("status", Listing.Status.values)
        return selectors.own(person(self.request), statuses=[status] if status else [])


class Favorites(ListAPIView[Listing]):
    """GET: what the person has marked, the latest first; what is sold by now too."""

    serializer_class = ListingSerializer

    def get_queryset(self) -> QuerySet[Listing]:
        return selectors.favourites(person(self.request)).select_related("game", "seller")
