"""Stages that were asked for by name: whether a loaded module of the project has them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FunctionType

from curifactory.core.spec import StageSpec


def are_defined(names: Iterable[str], root: Path) -> bool:
    """Return whether modules of a project that are loaded have a stage of each name.

    Parameters
    ----------
    names : iterable of str
        Names of stages.
    root : Path
        The project's root.

    Examples
    --------
    >>> are_defined([], Path("/nowhere")), are_defined(["train_model"], Path("/nowhere"))
    (True, False)
    """
    wanted = set(names)
    return not wanted or wanted <= set(_iter_stages(f"{root.resolve()}{os.sep}"))


def _iter_stages(folder: str) -> Iterator[str]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and os.path.realpath(file).startswith(folder):
            for value in list(vars(module).values()):
                # Other objects of a person may answer to any name, or raise when they are asked for it.
                spec = vars(value).get("spec") if type(value) is FunctionType else None
                if isinstance(spec, StageSpec):
                    yield spec.name
