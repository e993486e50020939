"""Dates as people write them: order, marks and the case of the month are each language's own, so a translator gives the form.

The letters are those of Django's `date` filter; `E` is the month as it stands after a day ("марта").
"""

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext


def day(moment: date) -> str:
    """20 March 2026."""
    return _written(moment, pgettext("date format", "j F Y"))


def short_day(moment: date) -> str:
    """20 Mar, for the axis of a chart."""
    return _written(moment, pgettext("date format", "j M"))


def month(moment: date) -> str:
    """March 2026, as it stands after "since"."""
    return _written(moment, pgettext("date format, after since", "F Y"))


def month_name(moment: date) -> str:
    """March 2026, standing alone."""
    return _written(moment, pgettext("date format, standing alone", "F Y"))


def day_and_time(moment: datetime) -> str:
    """20 Mar, 12:04; another year than this one is named."""
    if moment.year == timezone.localdate().year:
        return _written(moment, pgettext("date format", "j M, H:i"))
    return _written(moment, pgettext("date format", "j M Y, H:i"))


def _written(moment: date, form: str) -> str:
    text = date_format(moment, form)
    # Django begins Uzbek months with a capital, Uzbek does not.
    return text.lower() if get_language() == "uz" else text
