"""The calls of a run as nodes in boxes, one box a record, alike records stacked when there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.header import style_name

if TYPE_CHECKING:
    from curifactory.store.calls import CallRow

MOST_NODES = 80
MOST_STACKED_NODES = 160


class Node(NamedTuple):
    """A call, or the same call of many records.

    Parameters
    ----------
    call : int
        Number of the call; of the first one for a stack.
    count : int
        How many calls it stands for.
    outcomes : tuple of (str, int)
        What became of them.
    style : str
        Style of the outcome, ``mixed`` if there are several.
    duration_s : float
        All their durations together.
    reason : str
        Why; empty for a stack.
    """

    call: int
    name: str
    count: int  # type: ignore[assignment]  # nobody looks for a value in it
    outcomes: tuple[tuple[str, int], ...]
    style: str
    duration_s: float
    reason: str


class Box(NamedTuple):
    """A record, or many that went the same way."""

    chip: Chip
    chips: tuple[Chip, ...]
    nodes: tuple[Node, ...]


class Edge(NamedTuple):
    """Inputs that one node has from another, by their names."""

    source: int
    target: int
    names: tuple[str, ...]


class Graph(NamedTuple):
    """Boxes of nodes, and the edges between nodes by their ``call``."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]

    @property
    def size(self) -> int:
        """Number of nodes."""
        return sum(len(box.nodes) for box in self.boxes)

    @property
    def is_connected(self) -> bool:
        """Whether any box takes something from another one."""
        home = {node.call: number for number, box in enumerate(self.boxes) for node in box.nodes}
        return any(home[edge.source] != home[edge.target] for edge in self.edges)

    @property
    def is_stacked(self) -> bool:
        """Whether a box stands for more than one record."""
        return any(len(box.chips) > 1 for box in self.boxes)


def build_graph(rows: Sequence[CallRow], chips: Chips) -> Graph:
    """Bring calls into boxes; where they are too many for a picture, stack the records that look alike.

    Alike are records with the same calls, inputs and outcomes; if that leaves too many, outcomes do not count.
    """
    records: dict[int, list[CallRow]] = {}
    for row in sorted(rows, key=lambda row: row.index):
        records.setdefault(row.record, []).append(row)
    whole = _assemble([[calls] for calls in records.values()], chips)
    if whole.size <= MOST_NODES:
        return whole
    places = {row.index: (row.name, place) for calls in records.values() for place, row in enumerate(calls)}
    stacked = whole
    for with_outcomes in (True, False):
        stacks: dict[Hashable, list[list[CallRow]]] = {}
        for calls in records.values():
            stacks.setdefault(_describe(calls, places, with_outcomes=with_outcomes), []).append(calls)
        stacked = _assemble(list(stacks.values()), chips)
        if stacked.size <= MOST_STACKED_NODES:
            break
    return stacked


def _describe(
    calls: Iterable[CallRow], places: Mapping[int, tuple[str, int]], *, with_outcomes: bool
) -> Hashable:
    """Describe what a record went through, without saying which record it is."""
    return tuple(
        (
            row.name,
            row.outcome if with_outcomes else None,
            frozenset(
                (each.name, each.record == row.record, None if each.call is None else places.get(each.call))
                for each in row.inputs
            ),
        )
        for row in calls
    )


def _assemble(stacks: Sequence[Sequence[Sequence[CallRow]]], chips: Chips) -> Graph:
    """Make one box of each stack; a stack is a list of records, a record a list of calls."""
    boxes: list[Box] = []
    home: dict[int, int] = {}
    for stack in stacks:
        columns = list(zip(*stack, strict=True))
        for column in columns:
            home.update({row.index: column[0].index for row in column})
        members = tuple(chips.get(calls[0].record, calls[0].record_name) for calls in stack)
        boxes.append(Box(members[0], members, tuple(map(_make_node, columns))))
    names: dict[tuple[int, int], dict[str, None]] = {}
    for stack in stacks:
        for row in (row for calls in stack for row in calls):
            for each in row.inputs:
                source = None if each.call is None else home.get(each.call)
                target = home[row.index]
                if source is not None and source != target:
                    names.setdefault((source, target), {})[each.name] = None
    edges = (Edge(source, target, tuple(found)) for (source, target), found in names.items())
    return Graph(tuple(boxes), tuple(edges))


def _make_node(column: Sequence[CallRow]) -> Node:
    first = column[0]
    outcomes = Counter(row.outcome.value for row in column)
    return Node(
        call=first.index,
        name=first.name,
        count=len(column),
        outcomes=tuple(outcomes.items()),
        style=style_name(first.outcome.value) if len(outcomes) == 1 else "mixed",
        duration_s=sum(row.duration_s for row in column),
        reason=first.reason_text if len(column) == 1 else "",
    )
