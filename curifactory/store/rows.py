"""The other lines of a run's files as rows: records, reportables, parameter sets, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring as _quote
from typing import Any, NamedTuple

from curifactory.core.events import RecordAdded, Reported
from curifactory.core.trace import Fragment

RECORDS_NAME = "records.jsonl"
REPORTABLES_NAME = "reportables.jsonl"
RETRACTED = "retracted"
PARAMETERS_NAME = "parameters.json"


class RecordRow(NamedTuple):
    """A record of a run; ``name`` is its reference name, such as ``Record 0 (simple_lr)``."""

    index: int  # type: ignore[assignment]  # nobody looks for a value in it
    name: str
    params_name: str | None
    params_hash: str
    copied_from: int | None


class ReportableRow(NamedTuple):
    """Something that was reported; its files lie in ``folder`` below the run's fragments."""

    record: int
    call: int | None
    stage: str | None
    folder: str
    fragment: Fragment

    @property
    def name(self) -> str:
        """Name of the reportable within its call."""
        return self.fragment.name


class ParameterRow(NamedTuple):
    """A parameter set of a run.

    Parameters
    ----------
    name, hash : str
        As they name its files.
    file : str, optional
        The parameter file it came from.
    class_name : str
        Module-qualified name of its class.
    value : Any
        Lossless JSON tree, from which the set can be built again.
    shown : Any
        JSON tree for people.
    """

    name: str
    hash: str
    file: str | None
    class_name: str
    value: Any
    shown: Any


class WarningRow(NamedTuple):
    """A warning of a run."""

    text: str
    at: datetime


def encode_records(events: Sequence[RecordAdded]) -> bytes:
    """Encode what ``records.jsonl`` keeps of records, a line each.

    Examples
    --------
    >>> import json
    >>> read_record(json.loads(encode_records([RecordAdded(0, "Record 0 (a)", "a", "9f")]))).params_name
    'a'
    """
    lines = ""
    # Each set of a run has a line, and no encoder is told as quickly what stands in it.
    for index, name, params_name, params_hash, copied_from in events:
        lines += (
            f'{{"index":{index},"name":{_quote(name)},'
            f'"params_name":{"null" if params_name is None else _quote(params_name)},'
            f'"params_hash":{_quote(params_hash)},'
            f'"copied_from":{"null" if copied_from is None else copied_from}}}\n'
        )
    # Half a surrogate pair is written as JSON writes it.
    return lines.encode("utf-8", "backslashreplace")


def read_record(row: Mapping[str, Any]) -> RecordRow:
    """Read a line of ``records.jsonl`` back.

    Raises
    ------
    KeyError
        If the line is of another shape.
    """
    return RecordRow(row["index"], row["name"], row["params_name"], row["params_hash"], row["copied_from"])


def reportable_line(event: Reported) -> dict[str, Any]:
    """Return what ``reportables.jsonl`` keeps of a fragment, as JSON values.

    Examples
    --------
    >>> event = Reported(0, 3, "score", "3", Fragment("chart", "figure", files=("chart.svg",)))
    >>> read_reportable(reportable_line(event)).fragment.files
    ('chart.svg',)
    """
    fragment = event.fragment
    return {
        "record": event.record,
        "call": event.call,
        "stage": event.stage,
        "folder": event.folder,
        "name": fragment.name,
        "kind": fragment.kind,
        "group": fragment.group,
        "caption": fragment.caption,
        "files": list(fragment.files),
        "data": fragment.data,
    }


def retraction_line(call: int) -> dict[str, Any]:
    """Return what the files of metrics and reportables keep of a call whose execution so far does not count."""
    return {"call": call, RETRACTED: True}


def drop_retracted(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the lines that count.

    Examples
    --------
    >>> drop_retracted([{"call": 3, "name": "a"}, retraction_line(3), {"call": 3, "name": "b"}])
    [{'call': 3, 'name': 'b'}]
    """
    kept: list[Mapping[str, Any]] = []
    for row in rows:
        if RETRACTED in row:
            kept = [each for each in kept if each["call"] != row["call"]]
        else:
            kept.append(row)
    return kept


def read_reportable(row: Mapping[str, Any]) -> ReportableRow:
    """Read a line of ``reportables.jsonl`` back.

    Raises
    ------
    KeyError
        If the line is of another shape.
    """
    fragment = Fragment(
        row["name"], row["kind"], row["data"], tuple(row["files"]), row["group"], row["caption"]
    )
    return ReportableRow(row["record"], row["call"], row["stage"], row["folder"], fragment)


def read_parameter(row: Mapping[str, Any]) -> ParameterRow:
    """Read an entry of ``parameters.json`` back.

    Raises
    ------
    KeyError
        If the entry is of another shape.

    Examples
    --------
    >>> row = {
    ...     "name": "a",
    ...     "hash": "9f",
    ...     "file": None,
    ...     "class": "params.Params",
    ...     "value": {},
    ...     "shown": {"n": 1},
    ... }
    >>> read_parameter(row).shown
    {'n': 1}
    """
    return ParameterRow(row["name"], row["hash"], row["file"], row["class"], row["value"], row["shown"])
