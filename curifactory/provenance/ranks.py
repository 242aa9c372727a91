"""Which of several processes this one is that a launcher such as ``torchrun`` has started with the same command."""

from __future__ import annotations

import os
from collections.abc import Mapping

_NAMES = ("RANK", "NODE_RANK", "LOCAL_RANK")


def is_follower(variables: Mapping[str, str] | None = None) -> bool:
    """Say whether another process of the same launch is the first one, which alone keeps a run and stores results.

    Parameters
    ----------
    variables : mapping of str to str, optional
        The environment; that of this process by default.

    Examples
    --------
    >>> is_follower({"RANK": "1"}), is_follower({"RANK": "0", "LOCAL_RANK": "0"}), is_follower({})
    (True, False, False)
    """
    found = os.environ if variables is None else variables
    for name in _NAMES:
        text = found.get(name, "")
        if text.isdecimal() and int(text) > 0:
            return True
    return False
