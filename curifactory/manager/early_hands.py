"""The hands of a run begin before anything of a person's is imported: then they need not import what is here already."""

from __future__ import annotations

from curifactory.executors.choice import uses_processes
from curifactory.executors.nursery import begin_early
from curifactory.project.modules import may_have_imported
from curifactory.provenance.ranks import is_follower

# Where the work of a worker begins.
WORKER = "curifactory.manager.worker"


def begin_hands(executor: str | None, jobs: int | str | None) -> None:
    """Let a process get ready of which those will be forks that execute the calls of a run.

    Where that cannot be yet, or any more, one begins with the run; hands that nobody needs end with the command.

    Parameters
    ----------
    executor, jobs
        What is asked for, as by :func:`curifactory.executors.choice.choose_executor`.

    Raises
    ------
    ConfigurationError
        If ``jobs`` is no number of jobs.

    Examples
    --------
    >>> begin_hands(None, 1)
    """
    if uses_processes(executor, jobs) and not (is_follower() or may_have_imported()):
        begin_early(WORKER)
