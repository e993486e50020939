"""What each language writes in its own way: dates, quotation marks, rules that others wrote."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone, translation

from marketplace.core import dates
from marketplace.core.quotes import quoted

MARCH = datetime(2020, 3, 5, 12, 4, tzinfo=ZoneInfo("Asia/Tashkent"))


@pytest.mark.parametrize(
    ("language", "day", "short", "month", "moment"),
    [
        ("en", "5 March 2020", "5 Mar", "March 2020", "5 Mar 2020, 12:04"),
        ("ru", "5 марта 2020", "5 мар", "марта 2020", "5 марта 2020, 12:04"),
        ("uz", "2020-yil 5-mart", "5-mar", "2020-yil mart", "2020-yil 5-mart, 12:04"),
    ],
)
def test_a_date_is_written_as_its_language_does(language, day, short, month, moment):
    with translation.override(language):
        assert dates.day(MARCH) == day
        assert dates.short_day(MARCH) == short
        assert dates.month(MARCH) == month
        assert dates.day_and_time(MARCH) == moment


@pytest.mark.parametrize("language", ["en", "ru", "uz"])
def test_this_year_is_not_named(language):
    now = timezone.localtime()

    with translation.override(language):
        assert str(now.year) not in dates.day_and_time(now)
        assert str(now.year - 3) in dates.day_and_time(now - timedelta(days=3 * 366))


def test_quotation_marks_follow_the_language():
    with translation.override("ru"):
        assert quoted("M416") == "«M416»"
    with translation.override("uz"):
        assert quoted("M416") == "“M416”"


def test_rules_for_passwords_are_told_in_uzbek():
    with translation.override("en"):
        english = set(password_validators_help_texts())

    with translation.override("uz"):
        told = password_validators_help_texts()
        with pytest.raises(ValidationError) as refused:
            validate_password("1234567")

    assert english.isdisjoint(told)
    assert "Parol juda qisqa: kamida 8 ta belgi kerak." in refused.value.messages
    assert "Bu parol juda keng tarqalgan." in refused.value.messages


@pytest.mark.django_db
def test_the_contacts_name_an_address_that_is_read(client, settings):
    settings.SUPPORT_EMAIL = "help@example.uz"

    html = client.get(reverse("core:page", args=["contacts"])).content.decode()

    assert "mailto:help@example.uz" in html
    assert "Answer any letter" not in html
