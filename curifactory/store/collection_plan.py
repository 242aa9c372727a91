"""What a garbage collection keeps, and the plan of what it would take away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from curifactory.store.trash import Rubbish, TrashFolder


class WasteKind(Enum):
    """What can be collected."""

    ARTIFACT = "artifact"
    MANIFEST = "manifest"
    SUPERSEDED = "superseded"
    STAGING = "staging"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Waste:
    """One thing that nobody would use.

    Parameters
    ----------
    kind : WasteKind
        What it is.
    rubbish : Rubbish
        Where it lies and how much room it takes.
    """

    kind: WasteKind
    rubbish: Rubbish


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is kept.

    Parameters
    ----------
    keep_runs : int
        How many of the latest runs of each experiment keep what they used.
    is_current : callable
        Given stage and code of a trace, says whether the present code is that code; None if that cannot be seen, which
        keeps it.
    older_than : timedelta, optional
        Collect only what has not been made or used for this long.
    trash_days : int
        How long a collection stays in the trash at least.
    """

    keep_runs: int
    is_current: Callable[[str, str], bool | None]
    older_than: timedelta | None = None
    trash_days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPlan:
    """What a collection would take away.

    Parameters
    ----------
    waste : tuple of Waste
        What would go into the trash, in this order.
    traces : int
        How many calls' results these are.
    kept_traces : int
        How many are kept.
    unseen_stages : tuple of str
        Stages that are kept since their present code cannot be seen.
    live_run : str or None
        The oldest run that goes on: nothing younger than it is touched.
    trash : tuple of TrashFolder
        Earlier collections that would be removed for good.
    """

    waste: tuple[Waste, ...]
    traces: int
    kept_traces: int
    unseen_stages: tuple[str, ...] = ()
    live_run: str | None = None
    trash: tuple[TrashFolder, ...] = ()

    @property
    def size_bytes(self) -> int:
        """How much room would go into the trash."""
        return sum(each.rubbish.size_bytes for each in self.waste)

    def count(self) -> dict[WasteKind, tuple[int, int]]:
        """Return number and bytes of each kind, without kinds of which there are none."""
        numbers = Counter(each.kind for each in self.waste)
        sizes: Counter[WasteKind] = Counter()
        for each in self.waste:
            sizes[each.kind] += each.rubbish.size_bytes
        return {kind: (numbers[kind], sizes[kind]) for kind in WasteKind if numbers[kind]}

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values; the names of keys are kept from version to version."""
        return {
            "traces": self.traces,
            "kept_traces": self.kept_traces,
            "size_bytes": self.size_bytes,
            "waste": [
                {"kind": each.kind.value, "path": each.rubbish.path, "size_bytes": each.rubbish.size_bytes}
                for each in self.waste
            ],
            "unseen_stages": list(self.unseen_stages),
            "live_run": self.live_run,
            "trash": [
                {"folder": str(each.folder), "at": each.at.isoformat(), "size_bytes": each.size_bytes}
                for each in self.trash
            ],
        }
