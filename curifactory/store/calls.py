"""A line of `calls.jsonl`: written from the event, read back as a row that mirrors it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from curifactory.core.events import CallEnded, InputFacts, OutputFacts
from curifactory.core.outcomes import CallOutcome
from curifactory.core.reason import Reason
from curifactory.core.secrets import mask_text
from curifactory.store.journal import encode_lines

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


def encode_calls(events: Sequence[CallEnded], *, use_msgspec: bool = False) -> bytes:
    """Encode what ``calls.jsonl`` keeps of calls, a line each; secrets in their errors are masked.

    Parameters
    ----------
    events : sequence of CallEnded
        In the order of the lines.
    use_msgspec : bool
        As of :func:`curifactory.store.journal.encode`.

    Examples
    --------
    >>> import json
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
    >>> read_call(json.loads(encode_calls([event]))).outcome
    <CallOutcome.RAN: 'ran'>
    """
    parts = _get_structs() if use_msgspec or "msgspec" in sys.modules else _MAPPINGS
    make_call, make_input = parts.call, parts.input
    rows = [
        make_call(
            index,
            name,
            stage,
            record,
            record_name,
            outcome._value_,
            None if reason is None else reason.to_json(),
            key,
            None if started_at is None else started_at.isoformat(),
            round(duration_s, 6),
            line,
            aggregate,
            [make_input(*facts) for facts in inputs],
            [_output_row(output, parts) for output in outputs],
            fragments,
            None if error is None else mask_text(error),
            peak_bytes,
        )
        for (
            index, name, stage, record, record_name, outcome, reason, key, started_at, duration_s, line, aggregate,
            inputs, outputs, fragments, error, peak_bytes,
        ) in events
    ]  # fmt: skip
    return encode_lines(rows, use_msgspec=use_msgspec)


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


class _Parts(NamedTuple):
    """What makes the parts of a line from their values, which come in the order of their names."""

    call: Callable[..., Any]
    input: Callable[..., Any]
    output: Callable[..., Any]
    artifact: Callable[..., Any]
    file: Callable[..., Any]


_NAMES: Mapping[str, tuple[str, ...]] = {
    "call": CallEnded._fields,
    "input": InputFacts._fields,
    "output": ("name", "type", "summary", "run", "lazy", "artifact"),
    "artifact": ("cacher", "digest", "files"),
    "file": ("path", "digest", "size_bytes"),
}


# Left out where it is not known.
_OPTIONAL = "peak_bytes"


def _mapping_of(names: Sequence[str]) -> Callable[..., dict[str, Any]]:
    def make(*values: Any) -> dict[str, Any]:
        return {
            name: value
            for name, value in zip(names, values, strict=True)
            if value is not None or name != _OPTIONAL
        }

    return make


@cache
def _get_structs() -> _Parts:
    """Give structs, which are made and encoded in half the time of mappings."""
    import msgspec

    def struct_of(part: str, names: Sequence[str]) -> Callable[..., Any]:
        fields = [(name, Any, None) if name == _OPTIONAL else name for name in names]
        return msgspec.defstruct(part, fields, omit_defaults=True, gc=False)

    return _Parts(**{part: struct_of(part, names) for part, names in _NAMES.items()})


_MAPPINGS = _Parts(**{part: _mapping_of(names) for part, names in _NAMES.items()})


def _output_row(output: OutputFacts, parts: _Parts) -> Any:
    name, kind, summary, artifact, run, lazy = output
    if artifact is not None:
        files = [parts.file(path, digest, size_bytes) for path, digest, size_bytes, _ in artifact.files]
        artifact = parts.artifact(artifact.cacher, artifact.digest, files)
    return parts.output(name, kind, summary, run, lazy, artifact)


def _read_output(row: Mapping[str, Any]) -> OutputRow:
    artifact = row["artifact"]
    if artifact is not None:
        files = tuple(
            [FileRow(each["path"], each["digest"], each["size_bytes"]) for each in artifact["files"]]
        )
        artifact = ArtifactRow(artifact["cacher"], artifact["digest"], files)
    return OutputRow(row["name"], row["type"], row["summary"], row["run"], row["lazy"], artifact)
