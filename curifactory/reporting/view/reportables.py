"""The reportables of a run, in their groups, each with where it came from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curifactory.errors import ReportError
from curifactory.reporting.addresses import Addresses
from curifactory.reporting.reportables.reportable import FILES
from curifactory.reporting.view.calls import read_maker
from curifactory.reporting.view.chip import Chip, Chips

if TYPE_CHECKING:
    from curifactory.store.calls import CallRow
    from curifactory.store.rows import ReportableRow

NEEDED: Mapping[str, Mapping[str, type]] = {
    "table": {"columns": list, "rows": list},
    "json": {"text": str},
    "html": {"html": str},
    "latex": {"text": str},
    "text": {"text": str},
    "error": {"message": str},
}
KINDS = frozenset({*NEEDED, "figure", "image"})
MOST_SHOWN = 5_000


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a reportable; ``address`` is None if it is not there any more."""

    name: str
    address: str | None


@dataclass(frozen=True, slots=True)
class ReportableView:
    """One reportable, ready to be shown."""

    anchor: str
    name: str
    kind: str
    data: Mapping[str, Any]
    group: str
    caption: str
    chip: Chip
    stage: str
    call: int | None
    run: str
    run_address: str | None
    files: tuple[Attached, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Reportables that stand together: those of a group that people named, or all others of one record."""

    name: str
    chip: Chip | None
    reportables: tuple[ReportableView, ...]


def gather_reportables(
    rows: Sequence[ReportableRow], calls: Iterable[CallRow], chips: Chips, addresses: Addresses
) -> tuple[ReportableView, ...]:
    """Read the reportables in the order of records and calls."""
    makers = {row.index: read_maker(row) for row in calls}
    placed = sorted(enumerate(rows), key=lambda pair: (pair[1].record, _order(pair[1].call), pair[0]))
    return tuple(
        _show(number, row, makers.get(_order(row.call)), chips, addresses)
        for number, (_, row) in enumerate(placed[:MOST_SHOWN])
    )


def group_reportables(reportables: Iterable[ReportableView]) -> tuple[Group, ...]:
    """Put named groups first, in the order of their first reportable, then the others by record."""
    named: dict[str, list[ReportableView]] = {}
    others: dict[int, list[ReportableView]] = {}
    for each in reportables:
        if each.group:
            named.setdefault(each.group, []).append(each)
        else:
            others.setdefault(each.chip.index, []).append(each)
    return (
        *(Group(name, None, tuple(members)) for name, members in named.items()),
        *(Group(members[0].chip.name, members[0].chip, tuple(members)) for members in others.values()),
    )


def find_problem(kind: str, data: Any, files: Sequence[Attached]) -> str | None:
    """Say why a fragment, perhaps one of somebody's own reportable, cannot be shown; None if it can."""
    if kind in {"figure", "image"}:
        if not files:
            return "It has no file."
        return None if files[0].address is not None else f"The file {files[0].name} is missing."
    for key, wanted in NEEDED[kind].items():
        value = data.get(key) if isinstance(data, Mapping) else None
        if not isinstance(value, wanted):
            return f"A fragment of kind '{kind}' needs '{key}' in its data."
    if kind == "table" and any(len(row) != len(data["columns"]) for row in data["rows"]):
        return "The rows of the table are not as long as its columns."
    return None


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


def _order(call: int | None) -> int:
    return -1 if call is None else call


def _show(
    number: int, row: ReportableRow, maker: str | None, chips: Chips, addresses: Addresses
) -> ReportableView:
    fragment = row.fragment
    kind, data = fragment.kind, fragment.data
    files, problem = _attach(row, addresses)
    if kind not in KINDS:
        kind, data = "json", {"text": json.dumps(data, indent=2, ensure_ascii=False, default=str)}
    if kind == "error" and isinstance(data, Mapping):
        data = {"message": data.get("text"), **data}
    problem = problem or find_problem(kind, data, files)
    if problem is not None:
        kind, data = "error", {"message": problem}
    elif kind == "html":
        data = {"html": _with_files(data["html"], files)}
    elif kind == "table":
        data = complete_table(data)
    return ReportableView(
        anchor=f"reportable-{number}",
        name=row.name,
        kind=kind,
        data=data if isinstance(data, Mapping) else {},
        group=fragment.group or "",
        caption=fragment.caption or "",
        chip=chips.get(row.record),
        stage=row.stage or "",
        call=row.call,
        run=maker or "",
        run_address=addresses.find_report(maker),
        files=files,
    )


def _attach(row: ReportableRow, addresses: Addresses) -> tuple[tuple[Attached, ...], str | None]:
    try:
        return tuple(
            Attached(name, addresses.find_fragment(row.folder, name)) for name in row.fragment.files
        ), None
    except ReportError as error:
        return (), error.message


def _with_files(markup: str, files: Iterable[Attached]) -> str:
    # Longer names first: one may begin with another.
    for file in sorted(files, key=lambda each: -len(each.name)):
        if file.address is not None:
            markup = markup.replace(f"{FILES}/{file.name}", file.address)
    return markup
