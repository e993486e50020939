"""What every app's api.py shares, without any app: money, keys, the reader of JSON, limits."""

import io
import json

import pytest
from django.core.cache import cache
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from marketplace.core import limits
from marketplace.core.api import throttling
from marketplace.core.api.errors import envelope
from marketplace.core.api.fields import MoneyField
from marketplace.core.api.idempotency import IdempotencyKeyInvalid, IdempotencyKeyRequired, idempotency_key
from marketplace.core.api.parsers import BodyTooLarge, StrictJSONParser
from marketplace.core.money import MAX_MINOR
from marketplace.core.testing import in_parallel

# --- Money ------------------------------------------------------------------------------------------


class Price(serializers.Serializer):
    price = MoneyField()
    change = MoneyField(min_value=-MAX_MINOR, required=False)
    tip = MoneyField(min_value=0, max_value=100_00, required=False)


@pytest.mark.parametrize(
    ("sent", "minor"),
    [
        ("50000.00", 50_000_00), ("50000", 50_000_00), ("0.01", 1), ("1.5", 150), ("1.500", 150), (50000, 50_000_00),
        (0.1, 10), (1234.56, 1234_56), (9_999_999_999_999.99, 999_999_999_999_999), ("10000000000000.00", MAX_MINOR),
        ("007", 700),
    ],
)  # fmt: skip
def test_an_amount_is_read_to_the_last_minor_unit(sent, minor):
    form = Price(data={"price": sent})

    assert form.is_valid(), form.errors
    assert form.validated_data["price"] == minor


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("", "not_amount"), ("abc", "not_amount"), ("NaN", "not_amount"), ("Infinity", "not_amount"), ("-Infinity", "not_amount"),
        ("1e3", "not_amount"), ("1E+3", "not_amount"), ("0x10", "not_amount"), ("1,5", "not_amount"), ("1 000", "not_amount"),
        ("1.", "not_amount"), (".5", "not_amount"), ("+5", "not_amount"), ("٣", "not_amount"), ("5\n", "not_amount"),
        ("5\x00", "not_amount"), ("--5", "not_amount"), (True, "not_amount"), (False, "not_amount"), ([], "not_amount"),
        ({}, "not_amount"), (float("nan"), "not_amount"), (float("inf"), "not_amount"), (1e30, "not_amount"),
        (1e-7, "not_amount"),
        ("1.001", "too_fine"), (1.005, "too_fine"), ("0.001", "too_small"), ("0", "too_small"), ("-0", "too_small"),
        ("-1", "too_small"), (-5, "too_small"), (0, "too_small"), ("10000000000000.01", "too_large"), (10**14, "too_large"),
        ("9" * 30, "too_large"), ("9" * 41, "not_amount"), (None, "null"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_its_reason(sent, code):
    form = Price(data={"price": sent})

    assert not form.is_valid()
    assert [error.code for error in form.errors["price"]] == [code]


@pytest.mark.parametrize(
    ("field", "sent", "minor"), [("tip", "0", 0), ("tip", "100.00", 100_00), ("change", "-12.50", -12_50)]
)
def test_each_field_has_limits_of_its_own(field, sent, minor):
    form = Price(data={"price": 1, field: sent})

    assert form.is_valid(), form.errors
    assert form.validated_data[field] == minor


def test_a_limit_is_told_as_people_read_it():
    form = Price(data={"price": 1, "tip": "100.01"})
    form.is_valid()

    assert form.errors["tip"] == ["Enter at most 100."]


def test_an_amount_is_shown_with_two_decimals():
    shown = Price({"price": 50_000_00, "change": -1, "tip": 0}).data

    assert shown == {"price": "50000.00", "change": "-0.01", "tip": "0.00"}


# --- Idempotency-Key --------------------------------------------------------------------------------


def with_key(key):
    headers = {} if key is None else {"Idempotency-Key": key}
    return Request(APIRequestFactory().post("/", headers=headers))


@pytest.mark.parametrize("key", ["1", "a b", "x" * 100, "~!{}", " padded "])
def test_a_key_is_read(key):
    assert idempotency_key(with_key(key)) == key.strip()


@pytest.mark.parametrize("key", ["x" * 101, "é", "a\x00b", "a\tb", "ключ", "a\x7f"])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(IdempotencyKeyInvalid) as refused:
        idempotency_key(with_key(key), required=False)

    answer = envelope(refused.value, {})
    assert (answer.status_code, answer.data["error"]["code"]) == (400, "idempotency_key_invalid")


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_key_that_is_missing_is_asked_for_where_it_has_to_be(key):
    with pytest.raises(IdempotencyKeyRequired) as refused:
        idempotency_key(with_key(key))

    assert idempotency_key(with_key(key), required=False) == ""
    answer = envelope(refused.value, {})
    assert (answer.status_code, answer.data["error"]["code"]) == (400, "idempotency_key_required")


# --- JSON -------------------------------------------------------------------------------------------


def read(body):
    return StrictJSONParser().parse(io.BytesIO(body))


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True, "ʻ🦊"]}, [], "text", 5, {"a": "\\u0000"}, {"a": "🦊\t"}]
)
def test_json_is_read(value):
    assert read(json.dumps(value).encode()) == value
    assert read(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"{'a': 1}", b"NaN", b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": -1e999}', b"\xff\xfe{}",
        '{"a": 1}'.encode("utf-16"), b'{"a": "\xe9"}', b'{"a": "\x00"}', b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 100_000,
        b"9" * 5000, b'{"a": 1}x', b"undefined",
    ],
)  # fmt: skip
def test_what_is_no_json_in_utf_8_is_refused(body):
    with pytest.raises(exceptions.ParseError):
        read(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (rb'{"name": "a\u0000b"}', "name"), (rb'{"name": "\ud800"}', "name"), (rb'{"deep": {"a": [{"\udfff": 1}]}}', "deep"),
        (rb'{"a\u0000": 1}', "non_field_errors"), (rb'["\u0000"]', "non_field_errors"),
    ],
)  # fmt: skip
def test_characters_that_no_database_keeps_are_refused_beside_their_field(body, field):
    with pytest.raises(exceptions.ValidationError) as refused:
        read(body)

    assert list(refused.value.detail) == [field]


def test_a_body_is_no_longer_than_the_site_takes(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    assert read(b'"12345678"') == "12345678"
    with pytest.raises(BodyTooLarge):
        read(b'"123456789"')


# --- Limits -----------------------------------------------------------------------------------------


class Two(throttling.AddressThrottle):
    scope = "two"


@pytest.fixture
def two(settings):
    """A limit of two a minute, asked at the 30th second of one."""
    settings.RATE_LIMITS = {"two": "2/minute"}
    throttle = Two()
    throttle.timer = lambda: 90.0
    return throttle


def ask(throttle, address="203.0.113.1"):
    return throttle.allow_request(Request(APIRequestFactory().get("/", REMOTE_ADDR=address)), None)


def test_the_third_request_of_a_minute_is_too_many_and_the_next_minute_is_new(two):
    answers = [ask(two) for _time in range(3)]
    wait = two.wait()
    two.timer = lambda: 120.0

    assert answers == [True, True, False]
    assert wait == 30
    assert ask(two)


def test_each_address_is_counted_by_itself(two):
    for _time in range(3):
        ask(two)

    assert ask(two, "203.0.113.2")


def test_a_scope_without_a_rate_is_free(two, settings):
    settings.RATE_LIMITS = {}

    assert all(ask(two) for _time in range(5))


def test_requests_at_the_same_moment_do_not_slip_through_together(two):
    answers = in_parallel(*[lambda: ask(two)] * 8)

    assert sorted(answers) == [False] * 6 + [True] * 2


def test_what_people_typed_does_not_stand_in_the_cache(two, monkeypatch):
    names = []
    monkeypatch.setattr(cache, "incr", lambda name: names.append(name) or 1)

    ask(two, "203.0.113.77")

    assert len(names) == 1
    assert "203.0.113.77" not in names[0]


@pytest.mark.parametrize("rate", ["", "10", "10/fortnight", "x/minute", "-1/minute", "10/min"])
def test_a_misspelt_rate_is_a_fault_of_the_settings(rate):
    with pytest.raises(ValueError, match="is no rate"):
        limits.parse(rate)
