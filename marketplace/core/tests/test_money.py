from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.forms import MoneyField
from marketplace.core.money import MAX_MINOR, format_amount, share, to_decimal, to_minor

NBSP = "\u00a0"


@given(st.integers(-MAX_MINOR, MAX_MINOR))
def test_every_amount_survives_the_way_to_decimal_and_back(minor):
    assert to_minor(to_decimal(minor)) == minor


@given(st.integers(0, MAX_MINOR), st.integers(0, 10_000))
def test_a_share_and_the_rest_make_the_whole_again(amount, basis_points):
    part = share(amount, basis_points)

    assert 0 <= part <= amount
    assert abs(part * 10_000 - amount * basis_points) <= 5_000


@pytest.mark.parametrize("amount", ["0.001", "NaN", "Infinity", "1E+400"])
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(ValueError):
        to_minor(Decimal(amount))


def test_amounts_read_as_people_write_them():
    assert format_amount(345_000_000) == f"3{NBSP}450{NBSP}000"
    assert format_amount(-50) == "−0,50"


@pytest.mark.parametrize(
    ("typed", "minor"),
    [("150 000", 15_000_000), ("150000.50", 15_000_050), ("150 000,5", 15_000_050), ("1", 100)],
)
def test_a_money_field_reads_what_people_type(typed, minor):
    assert MoneyField().clean(typed) == minor


@pytest.mark.parametrize(
    "typed",
    ["-5", "1e9", "١٢٣", "0", "0.001", "1.2.3", "abc", "9" * 20, "1" * 40, "$5", "5 so'm", "∞", "0x10"],
)
def test_a_money_field_refuses_the_rest_with_a_word_beside_it(typed):
    with pytest.raises(ValidationError) as refused:
        MoneyField().clean(typed)

    assert refused.value.messages[0]
