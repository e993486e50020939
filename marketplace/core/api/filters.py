"""`?ordering=`: a list in the reader's order, by the names its view offers."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from marketplace.core.api.bodies import choose_from
from marketplace.core.api.shapes import asked


class Ordering(BaseFilterBackend):
    """`?ordering=price,-created_at`. A view offers names in `ordering_fields = {"price": "price", "game": "game__name"}`.

    Names that are not offered are refused, not ignored: an order nobody asked for looks right and is wrong. The key comes
    last, so that equal rows keep their order from page to page. Views with a `Stream` have an order already.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        offered: Mapping[str, str] = getattr(view, "ordering_fields", None) or {}
        given = [name for name in request.query_params.get("ordering", "").split(",") if name]
        if not given or not offered:
            return queryset
        unknown = [name for name in given if name.removeprefix("-") not in offered]
        if unknown:
            raise choose_from("ordering", sorted(offered))
        paths = ["-" * name.startswith("-") + offered[name.removeprefix("-")] for name in given]
        return queryset.order_by(*paths, "pk")


class Expansion(BaseFilterBackend):
    """`?expand=seller`: joins what the serializer will show in full, so that a list costs the same with and without."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        offered = getattr(view.get_serializer_class(), "expandable", None) or {}
        for name in sorted(asked(request, "expand", offered) or ()):
            queryset = queryset.select_related(*offered[name].select_related)
            queryset = queryset.prefetch_related(*offered[name].prefetch_related)
        return queryset
