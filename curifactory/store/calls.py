"""A line of `calls.jsonl`: written from the event, read back as a row that mirrors it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from curifactory.core.events import CallEnded, OutputFacts
from curifactory.core.outcomes import CallOutcome
from curifactory.core.reason import Reason
from curifactory.core.secrets import mask_text

CALLS_NAME = "calls.jsonl"
_OUTCOMES: Mapping[str, CallOutcome] = {outcome.value: outcome for outcome in CallOutcome}


class FileRow(NamedTuple):
    """A file of an artifact; ``path`` is relative to the cache folder, or absolute."""

    path: str
    digest: str
    size_bytes: int


class ArtifactRow(NamedTuple):
    """What a call saved or found saved."""

    cacher: str
    digest: str
    files: tuple[FileRow, ...]

    @property
    def size_bytes(self) -> int:
        """Length of all files together."""
        return sum(file.size_bytes for file in self.files)


class InputRow(NamedTuple):
    """An input of a call, and the call and record it came from (None: put in by hand)."""

    name: str
    call: int | None
    record: int | None


class OutputRow(NamedTuple):
    """An output of a call; ``run`` is the run that made it, None when this one did."""

    name: str
    type: str
    summary: str
    run: str | None
    lazy: bool
    artifact: ArtifactRow | None


class CallRow(NamedTuple):
    """What became of one call; the fields are those of :class:`curifactory.core.events.CallEnded`.

    ``reason`` holds the kind, the particulars and the sentence as they were written, so that a reason of a newer
    version can be shown too.
    """

    index: int  # type: ignore[assignment]  # nobody looks for a value in it
    name: str
    stage: str
    record: int
    record_name: str
    outcome: CallOutcome
    reason: Mapping[str, str] | None
    key: str | None
    started_at: datetime | None
    duration_s: float
    line: str
    is_aggregate: bool
    inputs: tuple[InputRow, ...]
    outputs: tuple[OutputRow, ...]
    fragments: int
    error: str | None
    peak_bytes: int | None = None

    @property
    def reason_text(self) -> str:
        """The reason as a sentence; empty if there was none."""
        return self.reason.get("text", "") if self.reason is not None else ""

    def get_reason(self) -> Reason | None:
        """Return the reason as a value, None if there was none or this version does not know its kind."""
        try:
            return Reason.from_json(self.reason) if self.reason is not None else None
        except KeyError:
            return None


def call_line(event: CallEnded) -> dict[str, Any]:
    """Return what ``calls.jsonl`` keeps of a call, as JSON values; secrets in its error are masked.

    Examples
    --------
    >>> event = CallEnded(
    ...     0,
    ...     "load",
    ...     "iris.load",
    ...     0,
    ...     "Record 0 (a)",
    ...     CallOutcome.RAN,
    ...     None,
    ...     "9f",
    ...     None,
    ...     0.5,
    ...     "iris.py:7",
    ...     False,
    ...     (),
    ...     (),
    ... )
    >>> read_call(call_line(event)).outcome
    <CallOutcome.RAN: 'ran'>
    """
    reason = event.reason
    started_at = event.started_at
    line = {
        "index": event.index,
        "name": event.name,
        "stage": event.stage,
        "record": event.record,
        "record_name": event.record_name,
        "outcome": event.outcome._value_,
        "reason": None if reason is None else reason.to_json(),
        "key": event.key,
        "started_at": None if started_at is None else started_at.isoformat(),
        "duration_s": round(event.duration_s, 6),
        "line": event.line,
        "aggregate": event.aggregate,
        "inputs": [{"name": each.name, "call": each.call, "record": each.record} for each in event.inputs],
        "outputs": [_output_line(output) for output in event.outputs],
        "fragments": event.fragments,
        "error": None if event.error is None else mask_text(event.error),
    }
    if event.peak_bytes is not None:
        line["peak_bytes"] = event.peak_bytes
    return line


def read_call(row: Mapping[str, Any]) -> CallRow:
    """Read a line of ``calls.jsonl`` back.

    Raises
    ------
    KeyError, ValueError, TypeError
        If the line is of another shape.
    """
    started_at = row["started_at"]
    return CallRow(
        index=row["index"],
        name=row["name"],
        stage=row["stage"],
        record=row["record"],
        record_name=row["record_name"],
        outcome=_OUTCOMES[row["outcome"]],
        reason=row["reason"],
        key=row["key"],
        started_at=None if started_at is None else datetime.fromisoformat(started_at),
        duration_s=row["duration_s"],
        line=row["line"],
        is_aggregate=row["aggregate"],
        inputs=tuple([InputRow(each["name"], each["call"], each["record"]) for each in row["inputs"]]),
        outputs=tuple([_read_output(each) for each in row["outputs"]]),
        fragments=row["fragments"],
        error=row["error"],
        peak_bytes=row.get("peak_bytes"),
    )


def _output_line(output: OutputFacts) -> dict[str, Any]:
    artifact = output.artifact
    return {
        "name": output.name,
        "type": output.type,
        "summary": output.summary,
        "run": output.run,
        "lazy": output.lazy,
        "artifact": None
        if artifact is None
        else {
            "cacher": artifact.cacher,
            "digest": artifact.digest,
            "files": [
                {"path": file.path, "digest": file.digest, "size_bytes": file.size_bytes}
                for file in artifact.files
            ],
        },
    }


def _read_output(row: Mapping[str, Any]) -> OutputRow:
    artifact = row["artifact"]
    if artifact is not None:
        files = tuple(
            [FileRow(each["path"], each["digest"], each["size_bytes"]) for each in artifact["files"]]
        )
        artifact = ArtifactRow(artifact["cacher"], artifact["digest"], files)
    return OutputRow(row["name"], row["type"], row["summary"], row["run"], row["lazy"], artifact)
