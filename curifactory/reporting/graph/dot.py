"""The graph as text for the layout program; what people wrote is escaped for it."""

from __future__ import annotations

from typing import Any

from curifactory.reporting.graph.structure import Box, Graph, Node
from curifactory.reporting.view.quantities import format_duration

MOST_LABELLED_EDGES = 40
LONGEST_LABEL = 60
LONGEST_BOX_LABEL = 44
# Graphviz guesses the width of letters; where a browser's are wider, the name of a box must not leave it.
ROOM = "\u00a0"
FONT = "Helvetica,Arial,sans-serif"
# The pages colour nodes by their class; these are for a picture that somebody saves.
FILLS = {
    "ran": "#dcefe0",
    "reused": "#dbe9f6",
    "failed": "#fbdcd8",
    "interrupted": "#fbecc9",
    "mixed": "#e7e4f3",
}


def render_dot(graph: Graph, *, linked: bool) -> str:
    """Write the graph in the language of Graphviz.

    Parameters
    ----------
    graph : Graph
        What is drawn.
    linked : bool
        Whether a click on a node leads to ``#call-<n>``.

    Returns
    -------
    str
        The text.
    """
    from graphviz import Digraph, nohtml

    dot = Digraph(
        "calls",
        graph_attr={
            "rankdir": "LR",
            "bgcolor": "transparent",
            "nodesep": "0.16",
            "ranksep": "0.45",
            "pad": "0.1",
        },
        node_attr={
            "shape": "box",
            "style": "rounded,filled",
            "fontname": FONT,
            "fontsize": "11",
            "margin": "0.14,0.07",
            "height": "0.4",
        },
        edge_attr={
            "fontname": FONT,
            "fontsize": "9",
            "arrowsize": "0.6",
            "color": "#8a8f98",
        },
    )
    # Boxes that nothing connects are put one above the other, the first one lowest.
    boxes = graph.boxes if graph.is_connected else tuple(reversed(graph.boxes))
    for number, box in enumerate(boxes):
        _add_box(dot, f"cluster_{number}", box, linked=linked)
    if graph.is_connected:
        _align_beginnings(dot, graph)
    # So many words would hide the edges; a pointer then brings them out.
    place = "label" if len(graph.edges) <= MOST_LABELLED_EDGES else "edgetooltip"
    for edge in graph.edges:
        text = nohtml("\\n".join(_label(name) for name in edge.names[:6]))
        dot.edge(f"c{edge.source}", f"c{edge.target}", **{place: text})
    return str(dot.source)


def _align_beginnings(dot: Any, graph: Graph) -> None:
    """Let all that takes nothing in begin at the left, however short its way to what takes it in."""
    dot.node("begin", style="invis", shape="point", width="0", height="0", label="")
    taking = {edge.target for edge in graph.edges}
    for box in graph.boxes:
        for node in box.nodes:
            if node.call not in taking:
                dot.edge("begin", f"c{node.call}", style="invis", weight="20")


def _add_box(dot: Any, name: str, box: Box, *, linked: bool) -> None:
    from graphviz import nohtml

    with dot.subgraph(name=name) as cluster:
        cluster.attr(
            label=nohtml(_name_box(box)),
            color=f"{box.chip.hue / 360:.3f} 0.45 0.70",
            style="rounded",
            penwidth="1.3",
            fontname=FONT,
            fontsize="10",
            labeljust="l",
            margin="10",
        )
        for node in box.nodes:
            cluster.node(f"c{node.call}", **_node_attributes(node, linked=linked))


def _node_attributes(node: Node, *, linked: bool) -> dict[str, Any]:
    from graphviz import nohtml

    lines = [_label(node.name), _label(describe_node(node))]
    tooltip = _label(f"{node.name}: {node.reason or describe_node(node)}", longest=300)
    attributes = {
        "label": nohtml("\\n".join(lines)),
        "tooltip": nohtml(tooltip),
        "class": node.style,
        "fillcolor": FILLS.get(node.style, "#eeeeec"),
        "color": "#8a8f98",
    }
    if node.count > 1:
        attributes["peripheries"] = "2"
    if linked:
        attributes["href"] = f"#call-{node.call}"
    return attributes


def describe_node(node: Node) -> str:
    """Say what became of the calls of a node, and how long they took."""
    if node.count > 1 or len(node.outcomes) > 1:
        parts = [f"{count} {outcome}" for outcome, count in node.outcomes]
    else:
        parts = [node.outcomes[0][0]]
    duration = format_duration(node.duration_s) if node.duration_s else ""
    return " · ".join([*parts, duration] if duration else parts)


def _name_box(box: Box) -> str:
    """Name a box; which records a stack holds stands in the text of the graph, as no box is wide enough for it."""
    name = box.chip.name if len(box.chips) == 1 else f"{len(box.chips):,} records"
    shown = _label(name, longest=LONGEST_BOX_LABEL)
    return shown + ROOM * (1 + len(shown) // 6)


def _label(text: str, longest: int = LONGEST_LABEL) -> str:
    from graphviz import escape

    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    # Three dots, not one character for them: its width is unknown to Graphviz.
    shown = flat if len(flat) <= longest else flat[: longest - 3] + "..."
    # Graphviz reads entities in labels: without this `&lt;` in a name would become `<`.
    return str(escape(shown)).replace("&", "&amp;")
