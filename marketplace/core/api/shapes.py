"""`?fields=` and `?expand=`: a client takes the part of an answer it needs, from what the serializer offers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request

from marketplace.core.api.bodies import choose_from


@dataclass(frozen=True, slots=True)
class Expand:
    """A relation that can be shown in full: with which serializer, and what the list has to fetch along with it.

    `source` is the attribute where it differs from the name; the two tuples go to the queryset (`filters.Expansion`).
    """

    serializer: type[serializers.BaseSerializer[Any]]
    select_related: tuple[str, ...] = ()
    prefetch_related: tuple[str, ...] = ()
    source: str = ""


class ShapedMixin:
    """For a serializer whose readers may choose.

    `?fields=id,title` leaves the other fields out; `?expand=seller` puts an object where the plain field of that name was
    (or adds it). Both are lists of names the serializer offers; others are refused with 400 beside `fields` or `expand`.
    Only the outermost serializer of an answer listens, and only to reads: what is written has one shape.
    """

    expandable: ClassVar[Mapping[str, Expand]] = {}

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields: dict[str, serializers.Field[Any, Any, Any, Any]] = super().get_fields()  # type: ignore[misc]
        request: Request | None = getattr(self, "context", {}).get("request")
        parent = getattr(self, "parent", None)
        is_outermost = parent is None or (
            getattr(parent, "parent", None) is None and getattr(parent, "many", False)
        )
        if request is None or request.method not in {"GET", "HEAD"} or not is_outermost:
            return fields
        for name in asked(request, "expand", self.expandable) or ():
            one = self.expandable[name]
            # Django REST framework refuses a source that says what the name says already.
            options: dict[str, Any] = {"source": one.source} if one.source not in {"", name} else {}
            fields[name] = one.serializer(read_only=True, **options)
        wanted = asked(request, "fields", fields)
        return fields if wanted is None else {name: field for name, field in fields.items() if name in wanted}


def asked(request: Request, parameter: str, offered: Collection[str]) -> frozenset[str] | None:
    """The names of a comma-separated query parameter; None where it is not given.

    Raises ValidationError beside the parameter when one of them is not offered.
    """
    given = request.query_params.get(parameter)
    if given is None:
        return None
    names = frozenset(name.strip() for name in given.split(",") if name.strip())
    if names - frozenset(offered):
        raise choose_from(parameter, sorted(offered) or ["—"])
    return names
