"""What earlier runs tell of one that goes on: how long its calls may take."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from curifactory.errors import CurifactoryError

if TYPE_CHECKING:
    from curifactory.project.project import Project


class Past:
    """Looks up times of calls when they are first asked for.

    Parameters
    ----------
    project : Project, optional
        Whose runs they were; without one nothing is known.

    Examples
    --------
    >>> Past().durations(["experiments.iris.train"])
    {}
    """

    def __init__(self, project: Project | None = None) -> None:
        self._project = project

    def durations(self, stages: Iterable[str]) -> dict[str, float]:
        """Return how long a call of each stage took in the past, in seconds."""
        if self._project is None:
            return {}
        from curifactory.store.durations import read_durations
        from curifactory.store.index import Index
        from curifactory.store.layout import Layout

        # A guess is no reason to disturb a run.
        with (
            suppress(CurifactoryError, OSError),
            Index(
                Layout(self._project.cache_folder).index_path, read_only=True, warn=lambda _: None
            ) as index,
        ):
            return read_durations(index, stages)
        return {}
