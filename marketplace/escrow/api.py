"""The trades' door for programs: what one has bought and sold."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request

from marketplace.accounts.selectors import person
from marketplace.core.api.bodies import choose_from
from marketplace.core.api.fields import MoneyField
from marketplace.core.api.shapes import ShapedMixin
from marketplace.escrow import selectors
from marketplace.escrow.models import EscrowTransaction

_SHOWS = ("open", "finished")


class TradeSerializer(ShapedMixin, serializers.ModelSerializer[EscrowTransaction]):
    """A trade from its reader's side: `other` is whom they trade with, `due_at` when this step must be done."""

    number = serializers.CharField(read_only=True)
    amount = MoneyField(read_only=True)
    refunded_amount = MoneyField(read_only=True)
    listing = serializers.SerializerMethodField()
    other = serializers.SerializerMethodField()

    class Meta:
        model = EscrowTransaction
        fields = [
            "id", "number", "status", "ending", "amount", "refunded_amount", "currency", "listing", "other", "due_at",
            "created_at", "paid_at", "handed_over_at", "delivered_at", "seller_paid_at", "ended_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_listing(self, row: EscrowTransaction) -> dict[str, Any]:
        listing = row.listing
        return {"id": str(listing.pk), "title": listing.title, "game": listing.game.slug}

    def get_other(self, row: EscrowTransaction) -> dict[str, Any]:
        other = self.partner(row)
        return {
            "id": str(other.pk),
            "name": other.display_name,
            "handle": other.public_handle,
            "plan": other.plan,
        }

    def partner(self, row: EscrowTransaction) -> Any:
        return row.seller


class SaleSerializer(TradeSerializer):
    """What a seller sees besides: what the shop takes, and what is left."""

    commission_amount = MoneyField(read_only=True)
    seller_earnings = MoneyField(read_only=True)

    class Meta(TradeSerializer.Meta):
        fields = [*TradeSerializer.Meta.fields, "commission_amount", "seller_earnings"]
        read_only_fields = fields

    def partner(self, row: EscrowTransaction) -> Any:
        return row.buyer


class Purchases(ListAPIView[EscrowTransaction]):
    """GET: the trades in which the person buys, newest first; ?show=open or ?show=finished."""

    serializer_class: type[TradeSerializer] = TradeSerializer
    side = "buying"

    def get_queryset(self) -> QuerySet[EscrowTransaction]:
        return selectors.trade_list(person(self.request), side=self.side, show=_shown(self.request))


class Sales(Purchases):
    """GET: the trades in which the person sells, as `Purchases`."""

    serializer_class = SaleSerializer
    side = "selling"


def _shown(request: Request) -> str:
    show = request.query_params.get("show", "")
    if show and show not in _SHOWS:
        raise choose_from("show", _SHOWS)
    return show
