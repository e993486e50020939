"""A queue that a thread of this process works off."""

import queue
import subprocess
import sys
import threading

import pytest

from marketplace.core.background import Background


def test_what_is_put_in_is_worked_off_by_another_thread():
    done = queue.Queue()

    def work():
        done.put((background.waiting.get(), threading.current_thread().name))

    background = Background("porter", work)
    background.put("parcel")

    assert done.get(timeout=10) == ("parcel", "porter")


def test_a_thread_that_has_died_is_started_again():
    done = queue.Queue()
    background = Background("porter", lambda: done.put(background.waiting.get()))
    background.put("first")
    done.get(timeout=10)
    background._thread.join(timeout=10)

    background.put("second")

    assert done.get(timeout=10) == "second"


def test_nobody_waits_where_too_much_waits_already():
    background = Background("idle", lambda: None, most=1)
    background.put("first")

    with pytest.raises(queue.Full):
        background.put("second")


FORKS = """
import os, queue, threading
from marketplace.core.background import Background
done, never = queue.Queue(), threading.Event()
def work():
    done.put(background.waiting.get())
    never.wait()
background = Background("porter", work)
background.put("first of the parent")
done.get(timeout=10)
background.put("the parent has this one still to do")
child = os.fork()
if child == 0:
    background.put("of the child")
    os._exit(0 if done.get(timeout=10) == "of the child" and background.waiting.empty() else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_worker_leaves_to_its_parent_what_is_its_parents():
    ended = subprocess.run([sys.executable, "-c", FORKS], timeout=30, check=False)  # noqa: S603 - our own words

    assert ended.returncode == 0
