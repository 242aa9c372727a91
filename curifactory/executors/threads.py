"""How many threads numerical libraries use, so that workers do not fight for cores."""

from __future__ import annotations

import sys
from collections.abc import Mapping

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


def limit_threads(threads: int) -> None:
    """Limit the libraries that are loaded already, as variables are only read when they are."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
