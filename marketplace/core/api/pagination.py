"""Lists by the page. All answer {"count", "next", "previous", "results"}; `next` and `previous` are whole addresses or null."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100


class Pages(pagination.LimitOffsetPagination):
    """The default: `?limit=20&offset=40`, or `?page=3` for those who count pages. Past the end the results are empty.

    What is no such number is refused beside its name, so that a misspelt page is not taken for the first one.
    """

    default_limit = PAGE_SIZE
    max_limit = MAX_PAGE_SIZE

    def get_limit(self, request: Request) -> int:
        return min(_number(request, "limit", least=1, default=PAGE_SIZE), MAX_PAGE_SIZE)

    def get_offset(self, request: Request) -> int:
        self.page = _number(request, "page", least=1, default=0)
        if self.page:
            return (self.page - 1) * self.get_limit(request)
        return _number(request, "offset", least=0, default=0)

    def get_next_link(self) -> str | None:
        link = super().get_next_link()
        return self._by_page(link, self.page + 1)

    def get_previous_link(self) -> str | None:
        link = super().get_previous_link()
        return self._by_page(link, self.page - 1)

    def _by_page(self, link: str | None, page: int) -> str | None:
        """Who asked by page goes on by page."""
        if link is None or not self.page:
            return link
        link = remove_query_param(remove_query_param(link, "offset"), "page")
        return str(replace_query_param(link, "page", page))


class Stream(pagination.CursorPagination):
    """For lists without an end (offers, messages, movements of money): each page costs the same, none repeats a row.

    Newest first by the time-sorted key, unless a subclass says otherwise (`ordering` must end in something unique).
    `count` is null: counting such a list would cost more than the page. `?cursor=` comes from `next`; `?limit=` to 100.
    """

    ordering: str | tuple[str, ...] = "-pk"
    page_size = PAGE_SIZE

    def get_page_size(self, request: Request) -> int:
        return min(_number(request, "limit", least=1, default=PAGE_SIZE), MAX_PAGE_SIZE)

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:  # noqa: ARG002
        return (self.ordering,) if isinstance(self.ordering, str) else tuple(self.ordering)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (DjangoValidationError, ValueError, OverflowError, DataError) as error:
            # A cursor is the client's to bend: what it says may be no value of the column.
            raise _bad_cursor() from error

    def decode_cursor(self, request: Request) -> Any:
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise _bad_cursor() from error
        if cursor is None:
            return None
        # Leniently decoded rubbish holds nothing at all, and would read as the first page.
        says_nothing = cursor.position is None and not cursor.offset and not cursor.reverse
        if says_nothing or "\x00" in str(cursor.position):
            raise _bad_cursor()
        return cursor

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": None,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
                "results": data,
            }
        )


def _number(request: Request, name: str, *, least: int, default: int) -> int:
    """A whole number of the query. Raises ValidationError under its name when it is none."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= 15 and int(given) >= least):
        raise ValidationError({name: [_("Enter a whole number from %(least)d.") % {"least": least}]})
    return int(given)


def _bad_cursor() -> ValidationError:
    return ValidationError({"cursor": [_("This cursor is not valid. Start from the first page.")]})
