"""The rows of the index as a script beside its page: written whole, or one run after the other."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from curifactory.reporting.view.results import HIGHER_IS_BETTER, LOWER_IS_BETTER

if TYPE_CHECKING:
    from curifactory.store.run_row import RunRow

FORMAT = 3
FACTS = (
    "started_at",
    "duration_s",
    "parameter_files",
    "commit",
    "branch",
    "dirty",
    "counts",
    "metrics",
    "metrics_ever",
    "notes",
    "tags",
    "command_line",
    "host",
    "python",
    "error",
    "sets",
    "parameters",
)
FIELDS = ("reference", "experiment", "number", "outcome", "has_report", *FACTS)
LONGEST_ABOUT = 400
# For fewer, importing msgspec takes longer than it saves.
ROWS_WORTH_AN_IMPORT = 1_000

_NAME = b"window.curifactoryRuns="
_END = b"\n]};\n"
_RUNNING, _LIVE = b',"running",', b',"live",'

HasReport = Callable[[str], bool]


@dataclass(slots=True)
class Entry:
    """An experiment: how many runs it has, the newest of them, and what its docstring says."""

    runs: int
    reference: str
    number: int
    outcome: str
    has_report: bool
    about: str
    more: str

    @classmethod
    def begin(cls) -> Entry:
        """Give one that no run has been put into yet."""
        return cls(0, "", 0, "", has_report=False, about="", more="")

    def take(self, row: RunRow, *, has_report: bool) -> None:
        """Let a run be the newest."""
        self.reference, self.number, self.outcome = row.reference, row.number, row.outcome.value
        self.has_report = has_report
        docstring = str(row.facts.get("experiment_doc") or "").strip()[:LONGEST_ABOUT]
        first, _, rest = docstring.partition("\n")
        self.about, self.more = first.strip(), rest.strip()


@dataclass(slots=True)
class IndexData:
    """Experiments, and a line of JSON for each run, newest first.

    Parameters
    ----------
    mark : str or None
        How far the listing of runs was when this was drawn from it.
    experiments : dict
        By name.
    lines : list of bytes
        The fields that `FIELDS` names, in their order, of each run.
    """

    mark: str | None
    experiments: dict[str, Entry] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)

    @classmethod
    def draw(cls, rows: Sequence[RunRow], has_report: HasReport, *, mark: str | None = None) -> IndexData:
        """Make it anew from all runs, newest first; ten thousand of them may be there."""
        encode = _encode_row if len(rows) < ROWS_WORTH_AN_IMPORT else _get_quick_encoder()
        data = cls(mark)
        append, entries = data.lines.append, data.experiments
        for row in rows:
            experiment, reference = row.experiment, row.reference
            entry = entries.get(experiment)
            if entry is None:
                entry = entries[experiment] = Entry.begin()
                entry.take(row, has_report=has_report(reference))
            entry.runs += 1
            append(encode(row, has_report=has_report(reference)))
        return data

    @classmethod
    def read(cls, content: bytes) -> IndexData | None:
        """Read what was written; None if it is of another version, or damaged."""
        head, _, rest = content.partition(b"\n")
        try:
            about = json.loads(head.removeprefix(_NAME).removesuffix(b',"rows":[') + b"}")
            if about["format"] != FORMAT or about["fields"] != list(FIELDS) or not rest.endswith(_END):
                return None
            entries = {name: Entry(**each) for name, each in about["experiments"].items()}
            mark = about["mark"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        body = rest.removesuffix(_END)
        return cls(mark, entries, body.split(b",\n") if body else [])

    def to_bytes(self) -> bytes:
        """Write it as a script."""
        words = {"lower": LOWER_IS_BETTER.pattern, "higher": HIGHER_IS_BETTER.pattern}
        entries = {
            name: {each: getattr(entry, each) for each in Entry.__slots__}
            for name, entry in self.experiments.items()
        }
        about = {
            "format": FORMAT,
            "mark": self.mark,
            "fields": FIELDS,
            "words": words,
            "experiments": entries,
        }
        head = json.dumps(about, separators=(",", ":")).encode("ascii")
        return b"".join((_NAME, head[:-1], b',"rows":[\n', b",\n".join(self.lines), _END))

    def take(self, row: RunRow, *, has_report: bool) -> bool:
        """Put one run in, in place of what was there of it, or before all others.

        Returns
        -------
        bool
            False if it is neither known nor the newest: then it is none of these, and nothing was changed.
        """
        line = _encode_row(row, has_report=has_report)
        beginning = f"[{json.dumps(row.reference, ensure_ascii=False)},".encode()
        place = next((at for at, each in enumerate(self.lines) if each.startswith(beginning)), None)
        entry = self.experiments.get(row.experiment)
        if place is not None:
            if entry is None:
                return False
            self.lines[place] = line
            if entry.reference == row.reference:
                entry.take(row, has_report=has_report)
            return True
        newest = next(iter(self.iter_rows(1)), None)
        if newest is not None and not _is_later(row, newest):
            return False
        if entry is None:
            entry = self.experiments[row.experiment] = Entry.begin()
        entry.runs += 1
        entry.take(row, has_report=has_report)
        self.lines.insert(0, line)
        return True

    def iter_rows(self, count: int) -> Iterable[Mapping[str, Any]]:
        """Give the newest rows, each with its fields by name."""
        return (dict(zip(FIELDS, json.loads(line), strict=True)) for line in islice(self.lines, count))

    def find_unsettled(self) -> list[str]:
        """List the runs that went on when their line was written, and may by now have ended without a word."""
        found = [line for line in self.lines if _RUNNING in line or _LIVE in line]
        return [row[0] for row in map(json.loads, found) if row[3] in {"running", "live"}]


def _encode_row(row: RunRow, *, has_report: bool) -> bytes:
    facts = row.facts
    values = [row.reference, row.experiment, row.number, row.outcome.value, has_report]
    text = json.dumps([*values, *map(facts.get, FACTS)], ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair becomes the escape that JSON has for it.
    return text.encode("utf-8", "backslashreplace")


def _is_later(row: RunRow, other: Mapping[str, Any]) -> bool:
    from curifactory.store.run_row import read_time

    started_at = read_time(other["started_at"])
    return row.started_at is not None and started_at is not None and row.started_at >= started_at


@functools.cache
def _get_quick_encoder() -> Callable[..., bytes]:
    """Give what encodes thousands of rows: of their facts, which are text already, it passes on what the table shows."""
    import msgspec

    absent = msgspec.Raw(b"null")
    shown = msgspec.defstruct("ShownFacts", [(name, msgspec.Raw, absent) for name in FACTS], gc=False)
    read, take = msgspec.json.Decoder(shown).decode, msgspec.structs.astuple
    encode = msgspec.json.Encoder().encode

    def encode_quickly(row: RunRow, *, has_report: bool) -> bytes:
        head = (row.reference, row.experiment, row.number, row.outcome._value_, has_report)
        try:
            return encode((*head, *take(read(row.summary))))
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return _encode_row(row, has_report=has_report)

    return encode_quickly
