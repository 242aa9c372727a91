"""The graph as a page shows it: the picture if there is one, and the text that there always is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from curifactory.reporting.graph.dot import describe_node, render_dot
from curifactory.reporting.graph.drawing import Draftsman, Drawing
from curifactory.reporting.graph.structure import MOST_STACKED_NODES, Graph, build_graph
from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.header import Share, count_outcomes, style_name

if TYPE_CHECKING:
    from curifactory.store.calls import CallRow

MOST_TEXT_BOXES = 200
FITTING_WIDTH = 1_300


class GraphLine(NamedTuple):
    """A call in the text: what became of it, and what it took from where."""

    call: int
    name: str
    what: str
    style: str
    inputs: str


class GraphBox(NamedTuple):
    """A record in the text, and how many others went the same way."""

    chip: Chip
    others: int
    lines: tuple[GraphLine, ...]


class GraphView:
    """The graph of a run: begins to be drawn at once, and who asks for the picture waits for it.

    Parameters
    ----------
    calls : sequence of CallRow
        The rows of ``calls.jsonl``.
    chips : Chips
        The marks of the records.
    linked : bool
        Whether a click on a node leads to ``#call-<n>``.
    """

    def __init__(self, calls: Sequence[CallRow], chips: Chips, *, linked: bool) -> None:
        self._calls = calls
        self._graph = build_graph(calls, chips)
        self._drawable = 0 < self._graph.size <= MOST_STACKED_NODES
        self._draftsman = Draftsman(render_dot(self._graph, linked=linked)) if self._drawable else None

    @property
    def svg(self) -> str:
        """The picture; empty if there is none."""
        return self._drawing.svg if self._drawing else ""

    @property
    def large(self) -> bool:
        """Whether the picture is better scrolled than shrunk."""
        return self._drawing is not None and self._drawing.width > FITTING_WIDTH

    @property
    def note(self) -> str:
        """Why there is no picture, or that records were stacked."""
        if self._graph.size and not self._drawable:
            return f"A picture of {len(self._calls):,} calls would show nothing; here they are as text."
        if self._graph.size and self._drawing is None:
            return (
                "No picture: neither dot nor graphviz-pure could draw one on the machine that made this page."
            )
        return "Records that went the same way are stacked." if self._graph.is_stacked else ""

    @property
    def shares(self) -> tuple[Share, ...]:
        """Outcomes that occur, for the legend."""
        shares = count_outcomes(self._calls)
        if any(node.style == "mixed" for box in self._graph.boxes for node in box.nodes):
            return (*shares, Share("several outcomes", "mixed", "", 0))
        return shares

    @property
    def boxes(self) -> tuple[GraphBox, ...]:
        """The text, of as many records as one reads."""
        return self._boxes[:MOST_TEXT_BOXES]

    @property
    def left_out(self) -> int:
        """How many records the text does not list."""
        return sum(1 + box.others for box in self._boxes[MOST_TEXT_BOXES:])

    @cached_property
    def _drawing(self) -> Drawing | None:
        return self._draftsman.wait() if self._draftsman else None

    @cached_property
    def _boxes(self) -> tuple[GraphBox, ...]:
        return _write_boxes(self._graph)


def _write_boxes(graph: Graph) -> tuple[GraphBox, ...]:
    names = {node.call: node.name for box in graph.boxes for node in box.nodes}
    inputs: dict[int, list[str]] = {}
    for edge in graph.edges:
        inputs.setdefault(edge.target, []).append(f"{', '.join(edge.names)} from {names[edge.source]}")
    return tuple(
        GraphBox(
            box.chip,
            len(box.chips) - 1,
            tuple(
                GraphLine(
                    node.call,
                    node.name,
                    describe_node(node),
                    node.style if node.style == "mixed" else style_name(node.outcomes[0][0]),
                    _join_inputs(inputs.get(node.call, [])),
                )
                for node in box.nodes
            ),
        )
        for box in graph.boxes
    )


def _join_inputs(found: list[str]) -> str:
    """Name equal inputs of many records once, as an aggregate has them."""
    counts: dict[str, int] = {}
    for each in found:
        counts[each] = counts.get(each, 0) + 1
    return "; ".join(f"{each} of {count} records" if count > 1 else each for each, count in counts.items())
