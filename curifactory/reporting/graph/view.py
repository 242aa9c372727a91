"""The graph as a page shows it: the picture if there is one, and the text that there always is."""

from __future__ import annotations

from collections.abc import Sequence
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


class GraphView(NamedTuple):
    """What the section shows.

    Parameters
    ----------
    svg : str
        The picture; empty if there is none.
    large : bool
        Whether it is better scrolled than shrunk.
    note : str
        Why there is no picture, or that records were stacked.
    shares : tuple of Share
        Outcomes that occur, for the legend.
    boxes : tuple of GraphBox
        The text.
    left_out : int
        Records that the text does not list.
    """

    svg: str
    large: bool
    note: str
    shares: tuple[Share, ...]
    boxes: tuple[GraphBox, ...]
    left_out: int


class GraphWork:
    """The graph of a run: begins to be drawn at once and is fetched when the page needs it.

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

    def finish(self) -> GraphView:
        """Wait for the picture and put it beside the text."""
        drawing = self._draftsman.wait() if self._draftsman else None
        boxes = _write_boxes(self._graph)
        shares = count_outcomes(self._calls)
        if any(node.style == "mixed" for box in self._graph.boxes for node in box.nodes):
            shares = (*shares, Share("several outcomes", "mixed", "", 0))
        return GraphView(
            svg=drawing.svg if drawing else "",
            large=drawing is not None and drawing.width > FITTING_WIDTH,
            note=self._write_note(drawing),
            shares=shares,
            boxes=boxes[:MOST_TEXT_BOXES],
            left_out=sum(1 + box.others for box in boxes[MOST_TEXT_BOXES:]),
        )

    def _write_note(self, drawing: Drawing | None) -> str:
        if self._graph.size and not self._drawable:
            return f"A picture of {len(self._calls):,} calls would show nothing; here they are as text."
        if self._graph.size and drawing is None:
            return (
                "No picture: neither dot nor graphviz-pure could draw one on the machine that made this page."
            )
        return "Records that went the same way are stacked." if self._graph.is_stacked else ""


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
