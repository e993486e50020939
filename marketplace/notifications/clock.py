"""Quiet hours and the hour of the digest, on the reader's own clock, on the days when it is put forward or back too.

All moments are aware; zones are the reader's `ZoneInfo`.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(at: datetime, *, zone: ZoneInfo, begins: time | None, ends: time | None) -> datetime | None:
    """When the quiet hours in which `at` lies end; None outside of them. Hours may go over midnight."""
    if begins is None or ends is None:
        return None
    local = at.astimezone(zone)
    now = local.time().replace(tzinfo=None, fold=0)
    over_midnight = begins > ends
    is_quiet = (now >= begins or now < ends) if over_midnight else begins <= now < ends
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and now >= begins else local.date()
    end = _moment(day, ends, zone)
    # In an hour that comes twice the first end may lie behind us already.
    return end if end > at else _moment(day, ends, zone, fold=1)


def next_digest(after: datetime, *, zone: ZoneInfo, hour: int, sent_on: date | None) -> datetime:
    """The first moment after `after` when it is `hour` o'clock there, on a day that has had none yet.

    An hour that the clock leaves out is the one after it; of an hour that comes twice the first counts.
    """
    day = after.astimezone(zone).date()
    if sent_on is not None and sent_on >= day:
        day = sent_on + timedelta(days=1)
    moment = _moment(day, time(hour), zone)
    return moment if moment > after else _moment(day + timedelta(days=1), time(hour), zone)


def _moment(day: date, clock: time, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)
