"""Folders in which long stages put down how far they are, so that a killed one goes on from there."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

from curifactory.engine.prediction import WHOLE
from curifactory.errors import UnidentifiableError

if TYPE_CHECKING:
    from curifactory.engine.graph import Call
    from curifactory.engine.identify import Identifier


class Checkpoints:
    """Names the folder of each call.

    A name stands for the stage, its code, its inputs and *all* of its parameters: nobody knows yet which of them the
    execution is going to read, and to go on from a state that other parameters have made would be a wrong result.

    Parameters
    ----------
    folder : str
        Absolute path of the folder of all of them.
    identifier : Identifier
        Gives the identities.
    """

    __slots__ = ("_folder", "_identifier")

    def __init__(self, folder: str, identifier: Identifier) -> None:
        self._folder = folder
        self._identifier = identifier

    def path_of(self, call: Call) -> str:
        """Return the folder of a call; one that cannot be identified has one that no other execution finds."""
        paths = (WHOLE, f"records.{WHOLE}") if call.spec.aggregate else (WHOLE,)
        try:
            key = self._identifier.key(call, paths)
        except UnidentifiableError:
            key = self._identifier.momentary_key(call)
        return os.path.join(self._folder, f"{call.name}-{hashlib.sha256(key.encode()).hexdigest()[:32]}")


def discard_checkpoint(folder: str) -> None:
    """Remove the folder of a call that is finished, and the one above it if it was the last."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        os.rmdir(os.path.dirname(folder))
    except OSError:
        # Others are not finished.
        return
