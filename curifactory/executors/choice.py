"""From the words of a command to the executor that they mean."""

from __future__ import annotations

from curifactory.errors import ConfigurationError
from curifactory.executors.budget import count_cores
from curifactory.executors.executor import Executor

_HINT = "There are serial, processes, dask and dask://HOST:PORT."


def count_jobs(jobs: int | str | None) -> int:
    """Return how many jobs are meant: a number, or ``auto`` for as many as there are cores.

    Raises
    ------
    ConfigurationError
        If it is neither.

    Examples
    --------
    >>> count_jobs("3"), count_jobs(None)
    (3, 1)
    """
    if jobs is None:
        return 1
    if jobs == "auto":
        return count_cores()
    try:
        number = int(jobs)
    except ValueError:
        number = 0
    if number < 1:
        raise ConfigurationError(
            f"{jobs!r} is no number of jobs.", hint="Write -j 4, or -j auto for all cores."
        )
    return number


def uses_processes(name: str | None = None, jobs: int | str | None = None) -> bool:
    """Whether :func:`choose_executor` gives one whose workers are processes of its own.

    Raises
    ------
    ConfigurationError
        If ``jobs`` is no number of jobs.

    Examples
    --------
    >>> uses_processes(jobs=2), uses_processes("processes"), uses_processes("serial"), uses_processes()
    (True, True, False, False)
    """
    return name == "processes" or (name is None and count_jobs(jobs) > 1)


def choose_executor(name: str | None = None, jobs: int | str | None = None) -> Executor | None:
    """Return the executor of a name; None if calls are executed in this process.

    Parameters
    ----------
    name : str, optional
        ``serial``, ``processes``, ``dask`` for a cluster of this machine's own, ``dask://HOST:PORT`` for one that runs.
    jobs : int or str, optional
        How many calls at once, or ``auto``.

    Raises
    ------
    ConfigurationError
        If there is no such executor, or something that it needs is not installed.

    Examples
    --------
    >>> choose_executor() is None, choose_executor(jobs=2).name
    (True, '2 processes')
    """
    if name is not None and name.startswith("dask"):
        from curifactory.executors.cluster import DaskExecutor

        kind, _, address = name.partition("://")
        if kind != "dask":
            raise ConfigurationError(f"There is no executor '{name}'.", hint=_HINT)
        return DaskExecutor(address or None, workers=count_jobs("auto" if jobs is None else jobs))
    if name not in (None, "serial", "processes"):
        raise ConfigurationError(f"There is no executor '{name}'.", hint=_HINT)
    number = count_jobs("auto" if name == "processes" and jobs is None else jobs)
    if not uses_processes(name, jobs):
        if number > 1:
            raise ConfigurationError(
                f"The serial executor executes one call at a time, not {number}.",
                hint="Leave --executor out.",
            )
        return None
    from curifactory.executors.processes import ProcessExecutor

    return ProcessExecutor(number)
