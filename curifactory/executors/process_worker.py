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

# Threads of a stage tell things, too, and a message in the middle of another one is the end of both.
_sending = threading.Lock()
_own_pid = os.getpid()


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
    # A child that a stage forks must not speak for us, nor keep the connection open when we are gone.
    os.register_at_fork(after_in_child=connection.close)
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
            _leave()


def _send(connection: Connection, kind: str, number: int, content: bytes | str) -> None:
    if os.getpid() != _own_pid:
        # A forked child that has come back from the stage: there is only one end of a job.
        os._exit(0)
    sys.stdout.flush()
    sys.stderr.flush()
    message = pickle.dumps((kind, number, content))
    try:
        with _sending:
            connection.send_bytes(message)
    except OSError:
        _leave()


def _leave() -> None:
    """End this process, with whatever its stages have started and left running."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
