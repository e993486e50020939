"""Where connections run their queries: side by side, so that nobody waits for the answers to somebody else."""

import asyncio
import threading

import pytest

from marketplace.core.live.threads import in_thread


def test_what_one_connection_asks_does_not_wait_for_what_another_one_asked_before(settings):
    settings.LIVE_THREADS = 2
    meeting = threading.Barrier(2)

    async def both():
        return await asyncio.gather(*(in_thread(meeting.wait)(10) for _one in range(2)))

    assert sorted(asyncio.run(both())) == [0, 1], "each got there while the other one waited"


def test_with_one_thread_everything_runs_in_the_one_that_channels_gives(settings):
    settings.LIVE_THREADS = 1

    async def names():
        return {await in_thread(lambda: threading.current_thread().name)() for _call in range(3)}

    assert len(asyncio.run(names())) == 1


def test_an_error_comes_back_to_whoever_asked(settings):
    settings.LIVE_THREADS = 2

    def broken():
        raise ValueError("not today")

    with pytest.raises(ValueError, match="not today"):
        asyncio.run(in_thread(broken)())
