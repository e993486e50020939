"""What goes out after a commit, without keeping the answer waiting: one thread per process hands over jobs and events.

Nothing here is the only copy of anything: a job is a row that the sweeper finds again, a live event only tells an open
page to look. So what a dying process still had in hand may be lost.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any

from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings

from marketplace.core.background import Background

logger = logging.getLogger(__name__)

# So many leave together at most: one message for all the jobs of a burst.
BATCH = 200
# Seconds to wait for the rest of the jobs that one transaction sends, and for its neighbours': nobody sees the difference, and
# a hand-over to Celery costs about the same for one job as for many. Events wait for nothing: two people are talking.
LINGER = 0.05

type Event = tuple[str, dict[str, Any]]


def take(parcel: uuid.UUID | Event) -> None:
    """Take a job's id, or a (group, message) for the channel layer, and bring it as soon as possible."""
    if not settings.COURIER_THREAD:
        asyncio_run(_bring([parcel]))
        return
    _out.put(parcel)


def _work() -> None:
    # One loop for the life of the thread, so that the layer keeps its connection.
    loop = asyncio.new_event_loop()
    waiting = _out.waiting  # a forked process has a thread and a queue of its own
    jobs: list[uuid.UUID] = []
    leave_at = 0.0
    while True:
        events: list[Event] = []
        # With jobs in hand, until they have lingered long enough; else for as long as it takes.
        with contextlib.suppress(queue.Empty):
            parcel = waiting.get(timeout=max(0.0, leave_at - time.monotonic()) if jobs else None)
            while True:
                if isinstance(parcel, uuid.UUID):
                    leave_at = leave_at if jobs else time.monotonic() + LINGER
                    jobs.append(parcel)
                else:
                    events.append(parcel)
                if len(jobs) + len(events) >= BATCH:
                    break
                parcel = waiting.get_nowait()
        go, jobs = _those_that_leave(jobs, leave_at)
        try:
            loop.run_until_complete(_bring([*events, *go]))
        except Exception:
            logger.exception(
                "the courier lost %s parcels; jobs among them will be swept", len(events) + len(go)
            )


def _those_that_leave(jobs: list[uuid.UUID], leave_at: float) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    """Which jobs go now, and which linger: all of them one or the other."""
    is_time = len(jobs) >= BATCH or time.monotonic() >= leave_at
    return (jobs, []) if is_time else ([], jobs)


_out: Background[uuid.UUID | Event] = Background("courier", _work)


def asyncio_run(coroutine: Any) -> None:
    """Run to the end from ordinary code, also where a loop is running in this thread already."""
    worker = threading.Thread(target=asyncio.run, args=[coroutine])
    worker.start()
    worker.join()


async def _bring(parcels: Sequence[uuid.UUID | Event]) -> None:
    # Events first: handing over to a broker that is away takes seconds.
    for parcel in parcels:
        if not isinstance(parcel, uuid.UUID):
            await _send(*parcel)
    jobs = [str(parcel) for parcel in parcels if isinstance(parcel, uuid.UUID)]
    if jobs:
        _hand_over(jobs)


def _hand_over(job_ids: list[str]) -> None:
    try:
        current_app.send_task("tasks.core.run_jobs", args=[job_ids])
    except Exception as error:  # noqa: BLE001 (any broker failure means the same: the sweeper does it later)
        logger.warning("%s jobs not handed over (%s); the sweeper will", len(job_ids), error)


async def _send(group: str, message: dict[str, Any]) -> None:
    try:
        await get_channel_layer().group_send(group, message)
    except Exception as error:  # noqa: BLE001 (a page that is not updated live must not undo the write that was committed)
        logger.warning("event %s on %s was not published: %s", message["event"], message["topic"], error)
