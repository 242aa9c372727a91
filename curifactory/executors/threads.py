"""How many threads numerical libraries use, so that workers do not fight for cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def thread_variables(threads: int, present: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that limit numerical libraries; those that a person has set stay.

    Examples
    --------
    >>> thread_variables(2, {"OMP_NUM_THREADS": "8"})["MKL_NUM_THREADS"]
    '2'
    >>> "OMP_NUM_THREADS" in thread_variables(2, {"OMP_NUM_THREADS": "8"})
    False
    """
    return {name: str(threads) for name in _VARIABLES if name not in present}


def limit_threads(threads: int, *, usual: int) -> None:
    """Limit the libraries that are loaded already, and by variables those that a job is the first to load.

    Parameters
    ----------
    threads : int
        How many the next job may use.
    usual : int
        How many one may that asks for none; then what a person has set stays.
    """
    from threadpoolctl import threadpool_limits

    at_first = _variables_at_first()
    os.environ.update({**at_first, **thread_variables(threads, at_first if threads == usual else {})})
    threadpool_limits(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


@cache
def _variables_at_first() -> dict[str, str]:
    """Return what the environment of this process says before it is changed for a job."""
    return {name: os.environ[name] for name in _VARIABLES if name in os.environ}
