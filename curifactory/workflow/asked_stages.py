"""Stages that were asked for by name: whether the project has them, and the experiment calls them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from curifactory.core.nearest import suggest
from curifactory.core.spec import StageSpec
from curifactory.errors import DiscoveryError

if TYPE_CHECKING:
    from curifactory.engine.graph import Call


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


def check_called(names: Iterable[str], calls: Iterable[Call], experiment: str) -> None:
    """Refuse the name of a stage that an experiment does not call.

    Raises
    ------
    DiscoveryError
        With the nearest names.
    """
    known = {call.name for call in calls}
    for name in names:
        if name not in known:
            raise DiscoveryError(
                f"No stage named '{name}' is called by '{experiment}'.",
                hint=suggest(name, sorted(known), nothing="It calls none."),
            )


def _iter_stages(folder: str) -> Iterator[str]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and os.path.realpath(file).startswith(folder):
            for value in list(vars(module).values()):
                # Other objects of a person may answer to any name, or raise when they are asked for it.
                spec = vars(value).get("spec") if type(value) is FunctionType else None
                if isinstance(spec, StageSpec):
                    yield spec.name
