"""The calls of a run: why each ran or was reused, how long it took, what it took in and what it made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from curifactory.core.outcomes import CallOutcome
from curifactory.reporting.addresses import Addresses
from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.header import style_name
from curifactory.reporting.view.own_file import name_given
from curifactory.reporting.view.quantities import format_duration, format_size, format_time, shorten_digest

if TYPE_CHECKING:
    from curifactory.reporting.view.origins import Origin
    from curifactory.store.calls import CallRow, InputRow, OutputRow

MOST_CALLS = 2_000
MOST_INPUTS = 200
THIS_RUN = "this run"


class FileView(NamedTuple):
    """A file of an artifact."""

    path: str
    size: str
    digest: str


class OutputView(NamedTuple):
    """An output: its value in words, its artifact, and the run that made it."""

    name: str
    type: str
    summary: str
    lazy: bool
    cacher: str
    digest: str
    size: str
    files: tuple[FileView, ...]
    run: str
    run_address: str | None


class InputView(NamedTuple):
    """An input: its name, the call that made it (None: it was put into the state by hand), and what that call made."""

    name: str
    call: int | None
    maker: str
    chip: Chip | None
    made: OutputView | None


class CallView(NamedTuple):
    """One call, ready to be shown."""

    index: int  # type: ignore[assignment]  # nobody looks for a value in it
    name: str
    stage: str
    aggregate: bool
    chip: Chip
    outcome: str
    style: str
    symbol: str
    reason: str
    duration: str
    duration_s: float
    memory: str
    started: str
    line: str
    key: str
    inputs: tuple[InputView, ...]
    inputs_left_out: int
    outputs: tuple[OutputView, ...]
    fragments: int
    error: str
    run: str
    run_address: str | None


class Calls(NamedTuple):
    """The calls that are shown, and how many are not."""

    shown: tuple[CallView, ...]
    left_out: int


def gather_calls(rows: Sequence[CallRow], chips: Chips, addresses: Addresses) -> Calls:
    """Show the calls in the order of ``run()``; of very many, the failed ones and then the first."""
    ordered = sorted(rows, key=lambda row: row.index)
    made = _Made(ordered, addresses)
    if len(ordered) > MOST_CALLS:
        failed = [row for row in ordered if row.outcome is CallOutcome.FAILED][:MOST_CALLS]
        others = [row for row in ordered if row.outcome is not CallOutcome.FAILED]
        chosen = sorted([*failed, *others[: MOST_CALLS - len(failed)]], key=lambda row: row.index)
    else:
        chosen = ordered
    rises = measure_rises(ordered)
    shown = tuple(_show_call(row, made, rises, chips) for row in chosen)
    return Calls(shown, len(ordered) - len(shown))


def measure_rises(rows: Iterable[CallRow]) -> dict[int, int]:
    """Give for each executed call by how many bytes it raised the most that the process had used until then.

    The first call has no rise: what was used before it is not known.
    """
    rises: dict[int, int] = {}
    before: int | None = None
    executed = [row for row in rows if row.peak_bytes is not None and row.started_at is not None]
    for row in sorted(executed, key=lambda row: row.started_at or datetime.min.replace(tzinfo=UTC)):
        peak = row.peak_bytes or 0
        if before is not None:
            rises[row.index] = max(0, peak - before)
        before = max(peak, before or 0)
    return rises


def read_maker(row: CallRow) -> str | None:
    """Give the run that made what a reused call has; None for a call that made it now."""
    if row.outcome is not CallOutcome.REUSED:
        return None
    run = row.reason.get("run") if row.reason else None
    return run or next((output.run for output in row.outputs if output.run), None)


class _Made:
    """What the calls of a run have made, each shown once however many take it in."""

    def __init__(self, rows: Iterable[CallRow], addresses: Addresses) -> None:
        self._rows = {row.index: row for row in rows}
        self._shown: dict[int, tuple[OutputView, ...]] = {}
        self.addresses = addresses

    def name(self, call: int) -> str:
        """Give the name of a call."""
        row = self._rows.get(call)
        return f"call {call}" if row is None else row.name

    def list_outputs(self, call: int) -> tuple[OutputView, ...]:
        """Give the outputs of a call."""
        found = self._shown.get(call)
        if found is None:
            row = self._rows.get(call)
            outputs = () if row is None else row.outputs
            # What another call of the same run made is said in words, as the call itself says it.
            maker = None if row is None or read_maker(row) != THIS_RUN else THIS_RUN
            found = self._shown[call] = tuple(
                [_show_output(each, self.name(call), maker, self.addresses) for each in outputs]
            )
        return found

    def find(self, call: int, name: str) -> OutputView | None:
        """Give an output of a call by its name."""
        return next((each for each in self.list_outputs(call) if each.name == name), None)


def origins_of_calls(rows: Iterable[CallRow], origins: Mapping[str, Origin]) -> dict[int, Origin]:
    """Give for each call that was made elsewhere, in surroundings that are not this run's, where that was."""
    makers = ((row.index, read_maker(row)) for row in rows) if origins else ()
    return {index: origins[maker] for index, maker in makers if maker is not None and maker in origins}


def _show_call(row: CallRow, made: _Made, rises: Mapping[int, int], chips: Chips) -> CallView:
    outcome = row.outcome.value
    maker = read_maker(row)
    return CallView(
        index=row.index,
        name=row.name,
        stage=row.stage or row.name,
        aggregate=row.is_aggregate,
        chip=chips.get(row.record, row.record_name),
        outcome=outcome,
        style=style_name(outcome),
        symbol=row.outcome.symbol,
        reason=row.reason_text,
        duration=format_duration(row.duration_s) if row.duration_s else "",
        duration_s=row.duration_s,
        memory=_describe_memory(row.peak_bytes, rises.get(row.index)),
        started=format_time(row.started_at),
        line=row.line,
        key=shorten_digest(row.key),
        inputs=tuple(_show_input(each, made, chips, row.record) for each in row.inputs[:MOST_INPUTS]),
        inputs_left_out=max(0, len(row.inputs) - MOST_INPUTS),
        outputs=made.list_outputs(row.index),
        fragments=row.fragments,
        error=row.error or "",
        run=maker or "",
        run_address=made.addresses.find_report(maker),
    )


def _describe_memory(peak_bytes: int | None, rise_bytes: int | None) -> str:
    if peak_bytes is None:
        return ""
    peak = f"{format_size(peak_bytes)} at most"
    return f"{peak}, {format_size(rise_bytes)} more than before" if rise_bytes else peak


def _show_input(each: InputRow, made: _Made, chips: Chips, record: int) -> InputView:
    other = None if each.record is None or each.record == record else chips.get(each.record)
    if each.call is None:
        return InputView(each.name, None, "", other, None)
    return InputView(each.name, each.call, made.name(each.call), other, made.find(each.call, each.name))


def _show_output(each: OutputRow, stage: str, maker: str | None, addresses: Addresses) -> OutputView:
    artifact, run = each.artifact, maker or each.run
    files = artifact.files if artifact is not None else ()
    return OutputView(
        name=name_given(each.name, each.type, stage),
        type=each.type,
        summary=each.summary,
        lazy=each.lazy,
        cacher=artifact.cacher if artifact is not None else "",
        digest=shorten_digest(artifact.digest) if artifact is not None else "",
        size=format_size(artifact.size_bytes) if artifact is not None else "",
        files=tuple(FileView(file.path, format_size(file.size_bytes), file.digest) for file in files),
        run=run or "",
        run_address=addresses.find_report(run),
    )
