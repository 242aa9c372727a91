"""What names stand for in a run: its facts, its metrics and its parameters, from its row in the listing where that tells."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from curifactory.errors import StoreError
from curifactory.reporting.view.results import find_direction
from curifactory.store.journal import encode, read_journal
from curifactory.store.metrics import METRICS_NAME, MetricFacts, read_metric_facts, read_series
from curifactory.store.parameter_columns import MORE, MOST_FIELDS, flatten
from curifactory.store.rows import PARAMETERS_NAME
from curifactory.store.run_row import RunRow
from curifactory.store.run_summary import MOST_METRICS, pick_types
from curifactory.workflow.runs.condition import Name
from curifactory.workflow.runs.truth import Shown

PARAMETERS = ("params", "parameters")
METRICS = ("metrics",)
COUNTS = "counts"
# What of a metric is meant; without such a word it is the last value.
ASPECTS = ("last", "best", "min", "max")
_LONGEST = 1_000_000
_METRICS_KEY = '"metrics":{'

_FACTS: Mapping[str, Callable[[RunRow], Any]] = MappingProxyType(
    {
        "reference": lambda row: row.reference,
        "experiment": lambda row: row.experiment,
        "number": lambda row: row.number,
        "outcome": lambda row: row.outcome.value,
        "started": lambda row: row.started_at,
        "finished": lambda row: row.finished_at,
        "duration": lambda row: row.facts.get("duration_s"),
        "calls": lambda row: sum(row.counts.values()),
        "tags": lambda row: row.tags,
        "notes": lambda row: row.facts.get("notes") or "",
        "commit": lambda row: row.facts.get("commit"),
        "branch": lambda row: row.facts.get("branch"),
        "dirty": lambda row: row.facts.get("dirty"),
        "host": lambda row: row.facts.get("host"),
        "user": lambda row: row.facts.get("user"),
        "python": lambda row: row.facts.get("python"),
        "curifactory": lambda row: row.facts.get("curifactory"),
        "command": lambda row: row.facts.get("command_line"),
        "error": lambda row: row.facts.get("error"),
        "warnings": lambda row: row.facts.get("warnings") or 0,
        "sets": lambda row: row.facts.get("sets") or 0,
        "sweeps": lambda row: row.facts.get("sweeps") or 0,
        "live": lambda row: row.is_live,
    }
)
_OTHER_WORDS = MappingProxyType(
    {
        "run": "reference",
        "started_at": "started",
        "finished_at": "finished",
        "duration_s": "duration",
        "took": "duration",
        "command_line": "command",
        "note": "notes",
        "tag": "tags",
    }
)
FACTS = tuple(_FACTS)
# These words mean the run whatever it has logged; any other fact gives way to a metric of its name, such as `error`.
_OF_THE_RUN = frozenset(
    {"reference", "experiment", "number", "outcome", "started", "finished", "tags", "notes"}
)


def find_fact(word: str) -> str | None:
    """Return the fact that a word stands for, None if it is none.

    Examples
    --------
    >>> find_fact("took"), find_fact("outcome"), find_fact("accuracy")
    ('duration', 'outcome', None)
    """
    return word if word in _FACTS else _OTHER_WORDS.get(word)


class RunValues:
    """Answers what names stand for in one run; its folder is read only where its row does not tell.

    Parameters
    ----------
    row : RunRow
        The run in the listing.
    folder : str
        Its folder.

    Examples
    --------
    >>> from curifactory.core.outcomes import RunOutcome
    >>> summary = '{"metrics":{"acc":[0.5,0.9]},"parameters":{"model.depth":["2","3"]}}'
    >>> row = RunRow("iris_4", "iris", 4, RunOutcome.COMPLETE, None, None, summary=summary)
    >>> values = RunValues(row, "/nowhere")
    >>> values.get(Name(("acc",)), ends=True), [each.value for each in values.get(Name(("depth",)))]
    ((0.5, 0.9), [2, 3])
    """

    __slots__ = ("_folder", "_logged", "_row", "_sets")

    def __init__(self, row: RunRow, folder: str) -> None:
        self._row = row
        self._folder = folder
        self._logged: list[MetricFacts] | None = None
        self._sets: dict[str, list[str]] | None = None

    def get(self, name: Name, *, ends: bool = False) -> Sequence[Any]:
        """Return the different values of a name, nothing where the run has none.

        A word alone is a fact or a metric, else a parameter, by its whole path or the end of it.

        Parameters
        ----------
        name : Name
            The name.
        ends : bool
            Whether of a metric of several records the least and greatest value do.
        """
        first, others = name.parts[0], name.parts[1:]
        if not others:
            fact = find_fact(first)
            if first == "tag":
                return self._row.tags
            if fact is not None and (fact in _OF_THE_RUN or not self._has_metric(first)):
                value = _FACTS[fact](self._row)
                return () if value is None else (value,)
        elif first in PARAMETERS:
            return self.get_parameter(".".join(others))
        elif first in METRICS:
            return self.get_metric(others, ends=ends)
        elif first == COUNTS:
            return (self._row.counts.get(" ".join(others), 0),)
        return self.get_metric(name.parts, ends=ends) or self.get_parameter(name.path)

    def get_metric(self, parts: Sequence[str], *, ends: bool = False) -> Sequence[Any]:
        """Return the values of a metric over the records: the last ones, or the one that ``best``, ``min``, ``max`` mean."""
        if ends and len(parts) == 1:
            quick = _scan_ends(_make_key(parts[0]), self._row.summary)
            if quick is not None:
                return quick
        known = self._row.facts.get("metrics") or {}
        path, aspect = ".".join(parts), "last"
        if path not in known and len(parts) > 1 and parts[-1] in ASPECTS:
            path, aspect = ".".join(parts[:-1]), parts[-1]
        found = known.get(path)
        if found is None:
            return self._typed_metric(path, aspect) if self._may_have(path, known) else ()
        least, greatest = found
        if least is None or greatest is None:
            # Infinite: JSON has no word for that, the run's own lines have.
            return self._typed_metric(path, aspect)
        if aspect == "last":
            if ends or least == greatest:
                return (least,) if least == greatest else (least, greatest)
            return self._last_values(path) or (least, greatest)
        ever = (self._row.facts.get("metrics_ever") or {}).get(path) or found
        return self._typed_metric(path, aspect) if None in ever else (_aspect(path, aspect, *ever),)

    def get_parameter(self, path: str) -> Sequence[Shown]:
        """Return the different values of a parameter over the sets; a path may be given by its end."""
        known: Mapping[str, str | list[str]] = self._row.facts.get("parameters") or {}
        found = _pick(known, path)
        if (found is None and len(known) >= MOST_FIELDS) or (
            found is not None and any(_is_cut(each) for each in found)
        ):
            found = _pick(self._read_sets(), path)
        return () if found is None else [_read_shown(text) for text in found]

    def list_names(self) -> list[str]:
        """Return the names of all metrics and parameters that the row knows."""
        facts = self._row.facts
        return [*(facts.get("metrics") or ()), *(facts.get("parameters") or ())]

    def _has_metric(self, name: str) -> bool:
        return _scan_ends(_make_key(name), self._row.summary) is not None or name in (
            self._row.facts.get("metrics") or ()
        )

    def _may_have(self, path: str, known: Mapping[str, Any]) -> bool:
        return bool(known) and (len(known) >= MOST_METRICS or path.rpartition("/")[2] in known)

    def _typed_metric(self, path: str, aspect: str) -> Sequence[Any]:
        """Read what the row does not have: a metric of one type, such as ``train/loss``, or one of very many."""
        kind, _, name = path.rpartition("/")
        logged = self._read_logged()
        found = [each for each in pick_types(logged) if each.name == path]
        if not found:
            found = [each for each in logged if each.name == name and each.type == kind]
        if aspect == "last":
            return tuple(dict.fromkeys(each.last for each in found if each.last is not None))
        ever = [value for each in found for value in (each.least, each.greatest) if value is not None]
        return (_aspect(path, aspect, min(ever), max(ever)),) if ever else ()

    def _last_values(self, name: str) -> tuple[float, ...]:
        picked = [each.last for each in pick_types(self._read_logged()) if each.name == name]
        return tuple(dict.fromkeys(value for value in picked if value is not None))

    def _read_logged(self) -> list[MetricFacts]:
        if self._logged is None:
            try:
                series = read_series(read_journal(Path(self._folder, METRICS_NAME)))
                self._logged = read_metric_facts(series)
            except (StoreError, KeyError, ValueError, TypeError):
                self._logged = []
        return self._logged

    def _read_sets(self) -> dict[str, list[str]]:
        if self._sets is None:
            values: dict[str, dict[str, None]] = {}
            try:
                with open(os.path.join(self._folder, PARAMETERS_NAME), "rb") as file:
                    rows = json.loads(file.read())
                for row in rows:
                    for path, text in flatten(row.get("shown"), longest=_LONGEST):
                        values.setdefault(path, {})[text] = None
            except (OSError, ValueError, TypeError, AttributeError):
                values = {}
            self._sets = {path: list(texts) for path, texts in values.items()}
        return self._sets


def show_values(values: Sequence[Any]) -> list[Any]:
    """Return values as JSON has them: what a kept text stands for, moments as ISO texts.

    Examples
    --------
    >>> show_values([Shown("50", 50), datetime(2026, 11, 21), ("a", "b")])
    [50, '2026-11-21T00:00:00', ['a', 'b']]
    """
    return [_to_json(value.value if isinstance(value, Shown) else value) for value in values]


def find_metric(name: Name) -> str | None:
    """Return the metric that a name stands for in every run which has it; None if it may mean something else there.

    Examples
    --------
    >>> find_metric(Name(("acc",))), find_metric(Name(("metrics", "acc"))), find_metric(Name(("outcome",)))
    ('acc', 'acc', None)
    """
    first, *others = name.parts
    if not others:
        return None if first == "tag" or find_fact(first) in _OF_THE_RUN else first
    return others[0] if first in METRICS and len(others) == 1 else None


def _scan_ends(key: str, summary: str) -> tuple[float, ...] | None:
    # Of ten thousand rows this is most of the time that a condition takes.
    begin = summary.find(_METRICS_KEY)
    at = -1 if begin < 0 else summary.find(key, begin)
    # The quotes of a key cannot stand in a text of JSON, nor its first one behind anything else: what people wrote is not taken for it.
    if at < 0 or summary[at - 1] not in "{,":
        return None
    begin = at + len(key)
    try:
        least, greatest = map(float, summary[begin : summary.index("]", begin)].split(","))
    except ValueError:
        return None
    return (least,) if least == greatest else (least, greatest)


@lru_cache(maxsize=256)
def _make_key(name: str) -> str:
    return f"{encode(name).decode('utf-8', 'replace')}:["


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return [_to_json(each) for each in value] if isinstance(value, tuple) else value


def _aspect(name: str, aspect: str, least: float, greatest: float) -> float:
    if aspect == "best":
        aspect = "min" if find_direction(name) == "lower" else "max"
    return least if aspect == "min" else greatest


def _pick(known: Mapping[str, str | list[str]], path: str) -> list[str] | None:
    exact = known.get(path)
    if exact is not None:
        return [exact] if isinstance(exact, str) else exact
    end = f".{path}"
    found = [
        text
        for each, texts in known.items()
        if each.endswith(end)
        for text in ([texts] if isinstance(texts, str) else texts)
    ]
    return found or None


def _is_cut(text: str) -> bool:
    return text.endswith(MORE)


@lru_cache(maxsize=4096)
def _read_shown(text: str) -> Shown:
    """Read what the text of a parameter stands for: JSON where it is such, else itself."""
    try:
        value = json.loads(text)
    except ValueError:
        return Shown(text, text)
    return Shown(text, _freeze(value))


def _freeze(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_freeze, value))
    # An empty dictionary is the only one that a path leads to.
    return json.dumps(value) if isinstance(value, dict) else value
