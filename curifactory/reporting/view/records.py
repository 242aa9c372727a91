"""The records of a run with what lies in their states: which stage made it, what it is, and where it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from curifactory.core.outcomes import CallOutcome
from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.header import style_name
from curifactory.reporting.view.own_file import name_given
from curifactory.reporting.view.quantities import format_size

if TYPE_CHECKING:
    from curifactory.store.calls import CallRow, OutputRow
    from curifactory.store.rows import RecordRow

MOST_RECORDS = 20
# Of a record by itself, and of one among others.
MOST_ENTRIES = 40
FEW_ENTRIES = 8


class Entry(NamedTuple):
    """One name in the state of a record.

    Parameters
    ----------
    name : str
        The name.
    stage : str
        The stage that made it; empty for a value that was put in by hand.
    outcome, style : str
        What became of the call, in words and as the name of a style.
    type, summary : str
        Of the value.
    kept : str
        Where it is: the size of its files, ``in memory``, ``not cached``.
    """

    name: str
    stage: str
    outcome: str = ""
    style: str = ""
    type: str = ""
    summary: str = ""
    kept: str = ""


class RecordView(NamedTuple):
    """A record with its entries, and how many are not shown."""

    chip: Chip
    entries: tuple[Entry, ...]
    left_out: int = 0


class Records(NamedTuple):
    """The records that are shown, and how many are not."""

    shown: tuple[RecordView, ...]
    left_out: int = 0


def gather_records(rows: Sequence[RecordRow], calls: Iterable[CallRow], chips: Chips) -> Records:
    """Show for each record what its calls made, in their order; of outputs of one name the last."""
    entries: dict[int, dict[str, Entry]] = {}
    for call in calls:
        for output in call.outputs:
            entries.setdefault(call.record, {})[output.name] = show_output(call, output)
    shown = tuple(
        limit_entries(chips.get(row.index), entries.get(row.index, {}).values(), most=FEW_ENTRIES)
        for row in rows[:MOST_RECORDS]
    )
    return Records(shown, len(rows) - len(shown))


def limit_entries(chip: Chip, entries: Iterable[Entry], *, most: int = MOST_ENTRIES) -> RecordView:
    """Put a record together from not too many entries."""
    known = tuple(entries)
    return RecordView(chip, known[:most], max(0, len(known) - most))


def show_output(call: CallRow, output: OutputRow) -> Entry:
    """Show what a call made, or would have made."""
    outcome = call.outcome.value
    made = call.outcome in (CallOutcome.RAN, CallOutcome.REUSED)
    kept = format_size(output.artifact.size_bytes) if output.artifact is not None else "not cached"
    return Entry(
        name=name_given(output.name, output.type, call.name),
        stage=call.name,
        outcome=outcome,
        style=style_name(outcome),
        type=output.type,
        summary=output.summary,
        kept=kept if made else "",
    )
