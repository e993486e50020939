"""Lists: by the page, in the reader's order, with the fields and relations they ask for. Shown on the passwords people had, of
which no real list will ever be made."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import path
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny

from marketplace.accounts.models import PasswordHistory, User
from marketplace.accounts.tests.factories import UserFactory
from marketplace.core.api.pagination import Stream
from marketplace.core.api.shapes import Expand, ShapedMixin

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class OwnerSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "full_name"]


class RowSerializer(ShapedMixin, serializers.ModelSerializer):
    code = serializers.CharField(source="password")
    owner = serializers.PrimaryKeyRelatedField(source="user", read_only=True)
    expandable = {
        "owner": Expand(OwnerSerializer, select_related=("user",), source="user"),
        "user": Expand(OwnerSerializer, select_related=("user",)),
    }

    class Meta:
        model = PasswordHistory
        fields = ["id", "code", "owner", "created_at"]


class Rows(generics.ListAPIView):
    permission_classes = [AllowAny]
    queryset = PasswordHistory.objects.order_by("password", "pk")
    serializer_class = RowSerializer
    ordering_fields = {"code": "password", "name": "user__full_name"}


class RowStream(Rows):
    pagination_class = Stream


class OneRow(generics.RetrieveUpdateAPIView):
    permission_classes = [AllowAny]
    queryset = PasswordHistory.objects.all()
    serializer_class = RowSerializer


urlpatterns = [
    path("api/v1/rows/", Rows.as_view()),
    path("api/v1/stream/", RowStream.as_view()),
    path("api/v1/rows/<uuid:pk>/", OneRow.as_view()),
]
LIST, STREAM = "/api/v1/rows/", "/api/v1/stream/"


@pytest.fixture
def rows():
    """Five people's passwords, A to E, and Z to V by name."""
    names = [UserFactory(full_name=name) for name in "ZYXWV"]
    return [
        PasswordHistory.objects.create(user=owner, password=code)
        for owner, code in zip(names, "abcde", strict=True)
    ]


def codes(response):
    assert response.status_code == 200, response.content
    return "".join(row["code"] for row in response.json()["results"])


def refused(response, name):
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], list(error["details"])) == ("validation_error", [name])
    return error["details"][name][0]


# --- By the page ------------------------------------------------------------------------------------


def test_a_list_stands_in_the_envelope(client, rows):
    body = client.get(LIST).json()

    assert set(body) == {"count", "next", "previous", "results"}
    assert (body["count"], body["next"], body["previous"]) == (5, None, None)


def test_a_list_costs_two_queries_whatever_its_length(client, rows, django_assert_num_queries):
    with django_assert_num_queries(2):
        client.get(LIST)
    with django_assert_num_queries(2):
        client.get(LIST, {"expand": "owner,user", "ordering": "-name"})


@pytest.mark.parametrize("start", ["?limit=2", "?limit=2&page=1", "?limit=2&offset=0"])
def test_next_leads_to_the_end_and_previous_back(client, rows, start):
    seen, page = [], client.get(LIST + start)
    while True:
        seen.append(codes(page))
        if not page.json()["next"]:
            break
        page = client.get(page.json()["next"])
    back = [codes(page)]
    while page.json()["previous"]:
        page = client.get(page.json()["previous"])
        back.append(codes(page))

    assert seen == ["ab", "cd", "e"]
    assert back == seen[::-1]


def test_who_counts_pages_is_answered_in_pages(client, rows):
    link = client.get(LIST, {"page": 2, "limit": 2}).json()["next"]

    assert parse_qs(urlsplit(link).query) == {"page": ["3"], "limit": ["2"]}


@pytest.mark.parametrize("query", ["page=99", "offset=99", "page=999999999999999", "offset=999999999999999"])
def test_past_the_end_there_is_nothing(client, rows, query):
    assert codes(client.get(f"{LIST}?{query}")) == ""


def test_a_page_holds_a_hundred_at_most(client, rows):
    assert client.get(LIST, {"limit": 100_000}).status_code == 200
    assert Rows.pagination_class.max_limit == 100


@pytest.mark.parametrize("name", ["page", "limit", "offset"])
@pytest.mark.parametrize("value", ["x", "-1", "1.5", "", "٣", "1e3", "9" * 400, "\x00", "null"])
def test_what_is_no_page_is_refused_under_its_name(client, name, value):
    refused(client.get(LIST, {name: value}), name)


# --- Streams ----------------------------------------------------------------------------------------


def test_a_stream_is_newest_first_and_counts_nothing(client, rows, django_assert_num_queries):
    with django_assert_num_queries(1):
        first = client.get(STREAM, {"limit": 2})
    second = client.get(first.json()["next"])
    third = client.get(second.json()["next"])

    assert [codes(first), codes(second), codes(third)] == ["ed", "cb", "a"]
    assert first.json()["count"] is None
    assert third.json()["next"] is None
    assert codes(client.get(third.json()["previous"])) == "cb"


def test_a_row_that_comes_meanwhile_repeats_none(client, rows):
    first = client.get(STREAM, {"limit": 2})
    PasswordHistory.objects.create(user=UserFactory(), password="f")

    assert codes(client.get(first.json()["next"])) == "cb"


def cursor(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        "x", "%%%", "\x00", "é", cursor("p=abc"), cursor("p=\x00"), cursor("p=" + "9" * 500), cursor("o=abc&p=1"),
        cursor("r=x&p=x"),
        cursor("p=00000000-0000-0000-0000-00000000000g"), "A" * 5000,
    ],
)  # fmt: skip
def test_a_bent_cursor_is_refused(client, rows, value):
    refused(client.get(STREAM, {"cursor": value}), "cursor")


# --- Order ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "expected"),
    [("code", "abcde"), ("-code", "edcba"), ("name", "edcba"), ("-name,code", "abcde"), ("", "abcde")],
)
def test_a_list_comes_in_the_readers_order(client, rows, order, expected):
    assert codes(client.get(LIST, {"ordering": order})) == expected


@pytest.mark.parametrize(
    "order", ["owner__password", "-owner__email", "?", "pk", "code,nothing", "--code", "\x00", "code;"]
)
def test_only_offered_orders_are_taken(client, rows, order):
    assert refused(client.get(LIST, {"ordering": order}), "ordering") == "Choose from: code, name."


# --- Fields and relations ---------------------------------------------------------------------------


def test_a_reader_takes_the_fields_they_need(client, rows):
    rows = client.get(LIST, {"fields": "code, id"}).json()["results"]

    assert all(set(row) == {"code", "id"} for row in rows)


def test_one_row_has_the_same_choice(client, rows):
    row = client.get(f"{LIST}{rows[0].pk}/", {"fields": "code,user", "expand": "user"}).json()

    assert row == {"code": "a", "user": {"id": str(rows[0].user_id), "full_name": "Z"}}


def test_a_relation_is_its_key_until_it_is_asked_for(client, rows):
    plain = client.get(LIST).json()["results"][0]
    full = client.get(LIST, {"expand": "owner"}).json()["results"][0]

    assert plain["owner"] == str(rows[0].user_id)
    assert full["owner"] == {"id": str(rows[0].user_id), "full_name": "Z"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fields", "password"), ("fields", "id,owner__email"), ("fields", "\x00"), ("expand", "owner.sessions"),
        ("expand", "code"), ("expand", "owner,x"),
    ],
)  # fmt: skip
def test_only_what_is_offered_is_shown(client, rows, name, value):
    refused(client.get(LIST, {name: value}), name)


def test_what_is_written_has_one_shape(client, rows):
    response = client.patch(f"{LIST}{rows[0].pk}/?fields=id&expand=owner", {"code": "z"}, "application/json")

    assert set(response.json()) == {"id", "code", "owner", "created_at"}
