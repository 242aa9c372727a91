"""When modules began to be loaded: by that an edit of a file is told to have come before its import or after."""

from __future__ import annotations

import sys
import time
from typing import Any

# By name of a module: each time that it was looked for, with what stood for its loading before.
_searches: dict[str, list[tuple[int, object]]] = {}


class Witness:
    """Is asked for every module that is about to be loaded, and leaves it to the others to find it.

    Examples
    --------
    >>> Witness.find_spec("no_such_module") is None
    True
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Note the time."""
        found, before = _searches.setdefault(name, []), _loading_of(name)
        if found and found[-1][1] is before:
            # Looked for in vain since, as may happen any number of times.
            found.pop()
        found.append((time.time_ns(), before))


def began_ns(name: str, loading: object) -> int | None:
    """Return a time before a module began to be loaded; None if nobody has seen it.

    Parameters
    ----------
    name : str
        Of the module.
    loading : Any
        Its ``__spec__``: a reload gives it another one.

    Examples
    --------
    >>> began_ns("no_such_module", None) is None
    True
    """
    for moment, before in reversed(_searches.get(name, ())):
        # One that was only looked for is loaded as it was before.
        if loading is not None and before is not loading:
            return moment
    return None


def _loading_of(name: str) -> Any:
    return getattr(sys.modules.get(name), "__spec__", None)


def watch() -> None:
    """Have every import from now on seen.

    Examples
    --------
    >>> watch()
    >>> sys.meta_path.count(Witness)
    1
    """
    if Witness not in sys.meta_path:
        # First, since who finds a module is the last one to be asked.
        sys.meta_path.insert(0, Witness)


watch()
