"""The main program of a process that does jobs for another one."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from functools import partial
from multiprocessing.connection import Connection

from curifactory.executors.executor import Setup, Work
from curifactory.executors.resolving import begin_work
from curifactory.executors.threads import limit_threads


def main(descriptor: int) -> None:
    """Do the jobs that come over a connection until it is closed.

    Parameters
    ----------
    descriptor : int
        Of our end of a socket pair.
    """
    # Who runs us decides when we end; the person's Ctrl-C reaches us only through it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(descriptor, False)
    connection = Connection(descriptor)
    setup: Setup = pickle.loads(connection.recv_bytes())
    sys.path[:] = setup.path
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, jobs), daemon=True).start()
    work: Work | None = None
    threads = setup.threads
    while True:
        number, payload, wanted = pickle.loads(jobs.get())
        try:
            if work is None:
                work = begin_work(setup)
            wanted = max(wanted, setup.threads)
            if wanted != threads:
                limit_threads(wanted)
                threads = wanted
            result = work(payload, partial(_send, connection, "told", number))
        except BaseException:  # noqa: BLE001 - whatever it is, it is told
            _send(connection, "raised", number, traceback.format_exc())
        else:
            _send(connection, "done", number, result)


def _read(connection: Connection, jobs: queue.SimpleQueue[bytes]) -> None:
    """Take jobs while others are being done, and leave when nobody is there any more to do them for."""
    while True:
        try:
            jobs.put(connection.recv_bytes())
        except (EOFError, OSError):
            # Even in the middle of a job: its result would reach nobody.
            os._exit(0)


def _send(connection: Connection, kind: str, number: int, content: bytes | str) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        connection.send_bytes(pickle.dumps((kind, number, content)))
    except OSError:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
