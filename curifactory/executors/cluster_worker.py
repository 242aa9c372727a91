"""What a process of a Dask cluster does with a job."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
import traceback
from typing import Any

from curifactory.executors.executor import Setup, Work
from curifactory.executors.marks import Mark, Marks
from curifactory.executors.resolving import begin_work
from curifactory.executors.threads import limit_threads

# Work that was begun for a setup, in a process of the cluster, and the threads of its jobs; a setup is known by its digest.
_begun: dict[str, tuple[Work, int]] = {}
# How many threads libraries use in a process of the cluster, and how many modules there were when it was told.
_limited: dict[str, tuple[int, int]] = {}
# The path of a process of the cluster before its first work.
_own_path: dict[str, tuple[str, ...]] = {}


def do_job(
    key: str,
    packed: bytes,
    payload: bytes,
    threads: int,
    stop_after_s: float | None,
    marked: tuple[str, int] | None,
) -> tuple[str, list[bytes], Any, float]:
    """Do a job in a process of the cluster, and say how long it took.

    What takes longer than it may ends with its process: that one has nothing else to do, and another takes its place.
    """
    began = time.monotonic()
    _mark(marked, Mark.RUNS)
    stopping = None
    if stop_after_s is not None:
        stopping = threading.Timer(stop_after_s, _stop, (marked,))
        stopping.daemon = True
        stopping.start()
    told: list[bytes] = []
    content: Any
    try:
        work, usual = _begun.get(key, (None, 1))
        if work is None:
            setup: Setup = pickle.loads(packed)
            # Not what an earlier run has put there: its modules are not this one's.
            own = _own_path.setdefault("path", tuple(sys.path))
            sys.path[:] = [*setup.path, *(each for each in own if each not in setup.path)]
            if os.path.isdir(setup.folder):
                os.chdir(setup.folder)
            _begun.clear()
            work, usual = _begun[key] = begin_work(setup), setup.threads
        _limit(max(threads, usual))
        kind, content = "done", work(payload, told.append)
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        kind, content = "raised", traceback.format_exc()
    finally:
        if stopping is not None:
            stopping.cancel()
    _mark(marked, Mark.DONE)
    return kind, told, content, time.monotonic() - began


def _mark(marked: tuple[str, int] | None, mark: Mark) -> None:
    if marked is not None:
        path, number = marked
        Marks(path).set(number, mark)


def _stop(marked: tuple[str, int] | None) -> None:
    """End this process, in which a job takes longer than it may."""
    _mark(marked, Mark.STOPPED)
    os._exit(1)


def _limit(threads: int) -> None:
    """Limit the threads of libraries if it was another number before, or if there may be more libraries."""
    wanted = threads, len(sys.modules)
    if _limited.get("threads") != wanted:
        limit_threads(threads)
        _limited["threads"] = threads, len(sys.modules)
