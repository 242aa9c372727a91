"""What each kind of fragment needs, and how its data become ready to be shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from curifactory.reporting.view.highlighting import highlight
from curifactory.reporting.view.markdown import render_markdown
from curifactory.reporting.view.matrix import complete_matrix
from curifactory.reporting.view.quantities import format_size

NEEDED: Mapping[str, Mapping[str, type]] = {
    "table": {"columns": list, "rows": list},
    "json": {"text": str},
    "html": {"html": str},
    "latex": {"text": str},
    "text": {"text": str},
    "markdown": {"text": str},
    "matrix": {"labels": list, "cells": list},
    "metric": {"text": str},
    "error": {"message": str},
}
WITH_FILES = frozenset({"figure", "image", "images", "plotly", "audio", "video", "file"})
KINDS = frozenset({*NEEDED, *WITH_FILES})
MOST_HIGHLIGHTED = 30_000


def find_problem(kind: str, data: Any, missing: Sequence[str], count: int) -> str | None:
    """Say why a fragment, perhaps one of somebody's own reportable, cannot be shown; None if it can.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    data : Any
        Its data.
    missing : sequence of str
        Names of its files that are not there.
    count : int
        How many files it has.
    """
    if kind in WITH_FILES:
        if not count:
            return "It has no file."
        return f"The file {missing[0]} is missing." if missing else None
    for key, wanted in NEEDED[kind].items():
        value = data.get(key) if isinstance(data, Mapping) else None
        if not isinstance(value, wanted):
            return f"A fragment of kind '{kind}' needs '{key}' in its data."
    if kind == "table" and not _is_table(data):
        return "The rows of the table are not as long as its columns."
    if kind == "matrix" and not _is_matrix(data):
        return "The matrix is not a square of numbers with a label for each row."
    return None


def make_ready(kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fill in what the data of a kind may leave out, and what follows from them."""
    ready = READY.get(kind)
    return data if ready is None else ready(data)


def show_unknown(data: Any) -> dict[str, str]:
    """Give the data of a kind that the page does not know as text."""
    return {"text": json.dumps(data, indent=2, ensure_ascii=False, default=str)}


def complete_table(data: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what a table may leave out: its index, its shape, which columns are numbers."""
    columns, rows = data["columns"], data["rows"]
    index, numeric = data.get("index"), data.get("numeric") or ()
    if index is not None and len(index) == len(rows):
        index = [label if isinstance(label, list) else [label] for label in index]
        names = list(data.get("index_names") or ())
        levels = len(index[0]) if index else len(names)
        names = [*names, *[""] * levels][:levels]
    else:
        index, names = None, []
    return {
        "columns": columns,
        "rows": rows,
        "index": index,
        "index_names": names,
        "numeric": [*numeric, *[False] * len(columns)][: len(columns)],
        "shape": data.get("shape") or [len(rows), len(columns)],
    }


def _complete_text(data: Mapping[str, Any]) -> dict[str, Any]:
    language, text = data.get("language"), data["text"]
    if not isinstance(language, str) or len(text) > MOST_HIGHLIGHTED:
        return {**data, "tokens": None}
    return {**data, "tokens": highlight(text, language)}


def _complete_markdown(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, "markup": render_markdown(data["text"])}


def _complete_file(data: Mapping[str, Any]) -> dict[str, Any]:
    size = data.get("size_bytes")
    return {
        "file_name": str(data.get("file_name") or ""),
        "size": format_size(size) if isinstance(size, int | float) else "",
    }


def _complete_images(data: Mapping[str, Any]) -> dict[str, Any]:
    labels, width = data.get("labels"), data.get("width")
    return {
        "labels": list(map(str, labels)) if isinstance(labels, list) else [],
        "width": width if isinstance(width, int) else 120,
    }


def _complete_plotly(data: Mapping[str, Any]) -> dict[str, Any]:
    height, title = data.get("height"), data.get("title")
    return {
        "height": height if isinstance(height, int) else 420,
        "title": title if isinstance(title, str) else "",
        "alt": data.get("alt"),
    }


def _complete_metric(data: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: str(data.get(key) or "") for key in ("text", "exact", "unit", "change", "baseline")}
    verdict = data.get("verdict")
    return {**shown, "verdict": verdict if verdict in {"better", "worse"} else ""}


READY: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "table": complete_table,
    "text": _complete_text,
    "markdown": _complete_markdown,
    "matrix": complete_matrix,
    "images": _complete_images,
    "plotly": _complete_plotly,
    "metric": _complete_metric,
    "audio": _complete_file,
    "video": _complete_file,
    "file": _complete_file,
}


def _is_table(data: Mapping[str, Any]) -> bool:
    width = len(data["columns"])
    return all(isinstance(row, list) and len(row) == width for row in data["rows"])


def _is_matrix(data: Mapping[str, Any]) -> bool:
    size, rows = len(data["labels"]), data["cells"]
    return len(rows) == size and all(
        isinstance(row, list)
        and len(row) == size
        and all(isinstance(cell, int | float) and cell >= 0 for cell in row)
        for row in rows
    )
