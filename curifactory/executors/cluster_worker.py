"""What a process of a Dask cluster does with a job."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from curifactory.executors.executor import PREPARATION_S, Setup, Work
from curifactory.executors.marks import Mark, Marks
from curifactory.executors.resolving import begin_work, tell_fault
from curifactory.executors.threads import limit_threads
from curifactory.optional import require

# Under which workers of others tell what they have begun.
BEGUN = "curifactory-begun"

# Work that was begun for a setup, in a process of the cluster, and the threads of its jobs; a setup is known by its digest.
_begun: dict[str, tuple[Work, int]] = {}
# How many threads libraries use in a process of the cluster, and how many modules there were when it was told.
_limited: dict[str, tuple[int, int]] = {}
# The path of a process of the cluster before its first work.
_own_path: dict[str, tuple[str, ...]] = {}
# A process of the cluster may have several threads, and jobs of several runs, while its path, its modules, its working
# folder and its standard output are one.
_at_work = threading.Lock()


def do_job(
    key: str,
    packed: bytes,
    payload: bytes,
    threads: int,
    marks: str | None,
    mark: int,
) -> tuple[str, list[bytes], Any, float]:
    """Do a job in a process of the cluster, and say how long it took."""
    began = time.monotonic()
    noted = None if marks is None else Marks(marks)
    is_ready = key in _begun
    if noted is None:
        _tell_begun(key, mark)
    elif not noted.begin(mark, after_s=0.0 if is_ready else PREPARATION_S):
        # Nobody waits for it any more.
        return "recalled", [], b"", 0.0
    told: list[bytes] = []
    content: Any
    try:
        with _at_work:
            work, usual = _begun.get(key) or _begin(key, packed)
            if noted is not None and not is_ready:
                # What a process needs before its first job is none of the time of that job.
                noted.begin(mark)
            _limit(max(threads, usual))
            kind, content = "done", work(payload, told.append)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
        kind, content = "raised", tell_fault(error)
    if noted is not None:
        noted.set(mark, Mark.DONE)
    return kind, told, content, time.monotonic() - began


def _tell_begun(key: str, mark: int) -> None:
    """Tell whoever has handed over a job that it has begun; it waits for nothing but to say so to people."""
    with suppress(Exception):
        distributed = require("distributed", extra="dask", purpose="a worker of Dask")
        distributed.get_worker().log_event(BEGUN, [key, mark])


def _begin(key: str, packed: bytes) -> tuple[Work, int]:
    """Begin the work of a run in the place of another one's."""
    setup: Setup = pickle.loads(packed)
    # Not what an earlier run has put there: its modules are not this one's.
    own = _own_path.setdefault("path", tuple(sys.path))
    sys.path[:] = [*setup.path, *(each for each in own if each not in setup.path)]
    if os.path.isdir(setup.folder):
        os.chdir(setup.folder)
    _begun.clear()
    begun = _begun[key] = begin_work(setup), setup.threads
    return begun


def _limit(threads: int) -> None:
    """Limit the threads of libraries if it was another number before, or if there may be more libraries."""
    ((_, usual),) = _begun.values()
    wanted = threads, len(sys.modules)
    if _limited.get("threads") != wanted:
        limit_threads(threads, usual=usual)
        _limited["threads"] = threads, len(sys.modules)
