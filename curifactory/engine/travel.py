"""Objects as bytes on their way to another process of this run: by name where it can import them, else by value."""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from typing import Any

_MAIN = b"__main__"


def pack(value: Any) -> bytes:
    """Return an object as bytes that :func:`pickle.loads` understands in a process that has the project.

    Parameters
    ----------
    value : Any
        Functions and classes in it may be ones that no module gives under their name, such as those of a notebook.

    Raises
    ------
    Exception
        Whatever the object raises that cannot be pickled.

    Examples
    --------
    >>> pickle.loads(pack({"double": lambda n: 2 * n}))["double"](21)
    42
    """
    if not _has_modules_by_value():
        # Whatever it cannot pickle, the slower way may know more.
        with suppress(Exception):
            packed = pickle.dumps(value, protocol=5)
            # What the main program has defined is found under its name here and nowhere else.
            if _MAIN not in packed:
                return packed
    import cloudpickle

    by_value: bytes = cloudpickle.dumps(value, protocol=5)
    return by_value


def _has_modules_by_value() -> bool:
    """Whether somebody has asked for modules to travel with what they define."""
    cloudpickle = sys.modules.get("cloudpickle")
    return cloudpickle is not None and bool(cloudpickle.list_registry_pickle_by_value())
