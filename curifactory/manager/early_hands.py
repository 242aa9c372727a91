"""The hands of a run begin before the run: they import what they need while the command does."""

from __future__ import annotations

from contextlib import suppress

from curifactory.errors import ConfigurationError
from curifactory.executors.choice import uses_processes
from curifactory.executors.nursery import begin_early
from curifactory.provenance.ranks import is_follower

# Where the work of a worker begins; not imported here, since that is what is to happen elsewhere.
WORKER = "curifactory.manager.worker"


def begin_hands(executor: str | None, jobs: int | str | None) -> None:
    """Let processes get ready in which the calls of a run are probably going to be executed.

    Parameters
    ----------
    executor, jobs
        What was asked for.

    Examples
    --------
    >>> begin_hands("serial", 1)
    """
    # What is wrong with the words is told when the run begins.
    with suppress(ConfigurationError):
        if not is_follower() and uses_processes(executor, jobs):
            begin_early(WORKER)
