"""The hands of a run begin before the run: they import what they need while the command does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from curifactory.errors import ConfigurationError
from curifactory.executors.choice import uses_processes
from curifactory.executors.nursery import begin_early
from curifactory.provenance.ranks import is_follower

# Where the work of a worker begins; not imported here, since that is what is to happen elsewhere.
WORKER = "curifactory.manager.worker"
_JOBS = re.compile(r"\s(?:-j|--jobs)[\s=]?(\w+)")
_EXECUTOR = re.compile(r"\s--executor[\s=](\S+)")


def begin_hands(words: Sequence[str]) -> None:
    """Let processes get ready in which the calls of a run are probably going to be executed.

    Before the command has imported what it takes to understand its words, these are only looked at: hands that have begun
    in vain end with the command, and those that were not foreseen begin with the run.

    Parameters
    ----------
    words : sequence of str
        What was typed.

    Examples
    --------
    >>> begin_hands(["experiment", "iris", "-j", "1"])
    """
    typed = " ".join(words)
    jobs, executor = _JOBS.search(typed), _EXECUTOR.search(typed)
    # What is wrong with the words is told when the run begins.
    with suppress(ConfigurationError):
        if not is_follower() and uses_processes(executor and executor[1], jobs and jobs[1]):
            begin_early(WORKER)
