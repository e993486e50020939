from datetime import UTC, datetime, timedelta

import pytest


class Clock:
    """What `timezone.now` answers; it stands still until a test moves it on."""

    def __init__(self):
        self.at = datetime(2027, 3, 1, 9, tzinfo=UTC)

    def __call__(self):
        return self.at

    def on(self, **step):
        self.at += timedelta(**step)
        return self.at


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock
