"""The names in a folder of the store: none where there is no folder, and an error where nobody may look."""

from __future__ import annotations

import os

from curifactory.store.journal import store_error


def list_names(folder: str, what: str) -> list[str]:
    """Return the names in a folder, in no order; none if it is not there, or is no folder.

    Parameters
    ----------
    folder : str
        The folder.
    what : str
        What lies there, as people call it.

    Raises
    ------
    StoreError
        If it is there and cannot be looked into: what lies there must not be taken for gone.

    Examples
    --------
    >>> list_names("/nowhere", "runs")
    []
    """
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise store_error(error, f"list the {what} in", folder) from error
