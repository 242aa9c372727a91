"""The reportables of a run, in their groups, each with where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.errors import ReportError
from curifactory.reporting.addresses import Addresses
from curifactory.reporting.reportables.reportable import FILES
from curifactory.reporting.view.calls import read_maker
from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.kinds import KINDS, find_problem, make_ready, show_unknown

if TYPE_CHECKING:
    from curifactory.store.calls import CallRow
    from curifactory.store.rows import ReportableRow

MOST_SHOWN = 5_000
COLUMNS_SIDE_BY_SIDE = 6
LETTERS_SIDE_BY_SIDE = 44
LETTERS_OF_CELL = 24
MEASURED_ROWS = 20
PICTURES_SIDE_BY_SIDE = 6
SEARCHED_ROWS = 8


class Attached(NamedTuple):
    """A file of a reportable; ``address`` is None if it is not there any more, empty if it is too large for the page."""

    name: str
    address: str | None


class ReportableView(NamedTuple):
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

    @property
    def is_wide(self) -> bool:
        """Whether it needs the whole width of the page."""
        data = self.data
        widths = {"table": "columns", "matrix": "labels"}
        if self.kind in widths:
            return len(data[widths[self.kind]]) > COLUMNS_SIDE_BY_SIDE or (
                self.kind == "table" and _measure_table(data) > LETTERS_SIDE_BY_SIDE
            )
        return self.kind == "plotly" or (self.kind == "images" and len(self.files) > PICTURES_SIDE_BY_SIDE)

    @property
    def is_searched(self) -> bool:
        """Whether it is a table that is long enough to be searched."""
        return self.kind == "table" and len(self.data["rows"]) >= SEARCHED_ROWS


class Group(NamedTuple):
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


def _measure_table(data: Mapping[str, Any]) -> int:
    """Say how many letters stand beside one another in a table, its first rows taken for all, and space between columns."""
    rows = [data["columns"], *data["rows"][:MEASURED_ROWS]]
    widths = [max(len(str(cell or "")) for cell in column) for column in zip(*rows, strict=True)]
    labels = [data["index_names"], *data["index"][:MEASURED_ROWS]] if data["index"] is not None else []
    widths += [max(len(str(cell or "")) for cell in column) for column in zip(*labels, strict=False)]
    return sum(min(width, LETTERS_OF_CELL) + 3 for width in widths)


def _order(call: int | None) -> int:
    return -1 if call is None else call


def _show(
    number: int, row: ReportableRow, maker: str | None, chips: Chips, addresses: Addresses
) -> ReportableView:
    fragment = row.fragment
    kind, data = fragment.kind, fragment.data
    files, problem = _attach(row, addresses)
    if kind not in KINDS:
        kind, data = "json", show_unknown(data)
    if kind == "error" and isinstance(data, Mapping):
        data = {"message": data.get("text"), **data}
    missing = [file.name for file in files if file.address is None]
    problem = problem or find_problem(kind, data, missing, len(files))
    if problem is not None:
        kind, data = "error", {"message": problem}
    data = make_ready(kind, data if isinstance(data, Mapping) else {})
    if kind == "html":
        data = {"html": _with_files(data["html"], files)}
    elif kind == "plotly":
        place = row.folder, files[0].name
        data = {**data, "script": addresses.find_script(*place), "figure": addresses.read_figure(*place)}
    return ReportableView(
        anchor=f"reportable-{number}",
        name=row.name,
        kind=kind,
        data=data,
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
