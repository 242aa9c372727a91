"""The folder in which this process works, which may be gone."""

from __future__ import annotations

import os


def working_folder() -> str | None:
    """Return the folder in which this process works; None if somebody has removed it.

    Examples
    --------
    >>> working_folder() == os.getcwd()
    True
    """
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None
