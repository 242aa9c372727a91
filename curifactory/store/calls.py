"""A line of `calls.jsonl`: written from the event, read back as a row that mirrors it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as _quote
from math import inf
from typing import Any, NamedTuple

from curifactory.core.events import CallEnded
from curifactory.core.outcomes import CallOutcome
from curifactory.core.reason import Reason
from curifactory.core.secrets import mask_text
from curifactory.core.trace import Artifact
from curifactory.core.wall_clock import to_text
from curifactory.store.journal import encode

CALLS_NAME = "calls.jsonl"
_OUTCOMES: Mapping[str, CallOutcome] = {outcome.value: outcome for outcome in CallOutcome}
_NULL, _TRUE, _FALSE = "null", "true", "false"
_NO_END = '],"fragments":0,"error":null'


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


def encode_calls(events: Sequence[CallEnded]) -> bytes:
    """Encode what ``calls.jsonl`` keeps of calls, a line each; secrets in their errors are masked.

    Parameters
    ----------
    events : sequence of CallEnded
        In the order of the lines.

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
    texts = _Texts()
    reason_told, why = None, _reason_text(None)
    lines = []
    for event in events:
        if event.reason is not reason_told:
            # Most calls of a run share theirs.
            reason_told = event.reason
            why = _reason_text(reason_told)
        lines.append(_line_of(event, why, texts))
    # Half a surrogate pair, from a path that is no UTF-8, is written as JSON writes it.
    return "".join(lines).encode("utf-8", "backslashreplace")


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


def _reason_text(reason: Reason | None) -> str:
    told = _NULL if reason is None else encode(reason.to_json()).decode()
    return f'","reason":{told},"key":'


class _Texts(dict[str, str]):
    """What many lines have in common, as JSON has it."""

    def __missing__(self, text: str) -> str:
        made = self[text] = _quote(text)
        return made


def _line_of(event: CallEnded, why: str, texts: _Texts) -> str:
    (
        index, name, stage, record, record_name, outcome, _, key, started_at, duration_s, line, aggregate,
        inputs, outputs, fragments, error, peak_bytes,
    ) = event  # fmt: skip
    begin, place = _stage_texts(name, stage, line, aggregate)
    read = made = ""
    for taken, call, origin in inputs:
        read += (
            f'{"," if read else ""}{{"name":{texts[taken]},"call":{_NULL if call is None else call},'
            f'"record":{_NULL if origin is None else origin}}}'
        )
    for output, kind, summary, artifact, run, lazy in outputs:
        made += (
            f'{"," if made else ""}{{"name":{texts[output]},"type":{texts[kind]},"summary":{_quote(summary)},'
            f'"run":{_NULL if run is None else texts[run]},"lazy":{_TRUE if lazy else _FALSE},'
            f'"artifact":{_NULL if artifact is None else _artifact_text(artifact, texts)}}}'
        )
    # Left out where it is not known.
    peak = "" if peak_bytes is None else f',"peak_bytes":{peak_bytes}'
    end = _NO_END if error is None and not fragments else _end_text(fragments, error)
    return (
        f'{{"index":{index}{begin}{record},"record_name":{_quote(record_name)},"outcome":"{outcome._value_}{why}'
        f"{_NULL if key is None else _quote(key)},"
        f'"started_at":{_NULL if started_at is None else _quote(to_text(started_at))},'
        f'"duration_s":{f"{duration_s:.6f}" if -inf < duration_s < inf else _NULL}{place}{read}],"outputs":[{made}{end}'
        f"{peak}}}\n"
    )


@lru_cache(maxsize=1024)
def _stage_texts(name: str, stage: str, line: str, aggregate: bool) -> tuple[str, str]:
    """Return what the lines of all calls of a stage at one place say, before what each of them says for itself."""
    return (
        f',"name":{_quote(name)},"stage":{_quote(stage)},"record":',
        f',"line":{_quote(line)},"aggregate":{_TRUE if aggregate else _FALSE},"inputs":[',
    )


def _end_text(fragments: int, error: str | None) -> str:
    told = _NULL if error is None else _quote(mask_text(error))
    return f'],"fragments":{fragments},"error":{told}'


def _artifact_text(artifact: Artifact, texts: _Texts) -> str:
    _, cacher, _, whole, stored, *_ = artifact
    content = _quote(whole)
    files = ""
    for path, digest, size_bytes, _ in stored:
        files += (
            f'{"," if files else ""}{{"path":{_quote(path)},'
            f'"digest":{content if digest == whole else _quote(digest)},"size_bytes":{size_bytes}}}'
        )
    return f'{{"cacher":{texts[cacher]},"digest":{content},"files":[{files}]}}'


def _read_output(row: Mapping[str, Any]) -> OutputRow:
    artifact = row["artifact"]
    if artifact is not None:
        files = tuple(
            [FileRow(each["path"], each["digest"], each["size_bytes"]) for each in artifact["files"]]
        )
        artifact = ArtifactRow(artifact["cacher"], artifact["digest"], files)
    return OutputRow(row["name"], row["type"], row["summary"], row["run"], row["lazy"], artifact)
