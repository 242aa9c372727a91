"""What became of a job on a Dask cluster that has no result, in words."""

from __future__ import annotations


def is_of_job(error: BaseException | None) -> bool:
    """Whether a worker lives and could not do a job at all, for want of a package maybe; then not even to read it."""
    return isinstance(error, (ImportError, AttributeError, TypeError, RuntimeError))


def say_fault(error: BaseException | None) -> str:
    """Return what Dask says of a job, in one line.

    Examples
    --------
    >>> say_fault(None), say_fault(OSError("Timed out"))
    ('the scheduler does not answer', 'OSError: Timed out')
    """
    if error is None:
        return "the scheduler does not answer"
    told = " ".join(str(error).partition("\n\n")[0].split())
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


def describe_death(error: BaseException | None, *, is_ours: bool) -> str | None:
    """Say how the workers ended of whose job Dask tells that it has killed them; None if it tells something else.

    Parameters
    ----------
    error : BaseException or None
        What Dask tells.
    is_ours : bool
        Whether they were processes of this machine that this command had started.
    """
    if type(error).__name__ != "KilledWorker":
        return None
    if is_ours:
        return "it exited, or was killed, as the system does when memory runs out"
    _, last, failures = error.args if error is not None else ("", "", 0)
    return (
        f"{failures + 1} processes of the cluster exited while they executed it, or were killed, as the system does when "
        f"memory runs out; the log of the last one, {getattr(last, 'address', last)}, may say why"
    )
