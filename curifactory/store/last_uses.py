"""Which traces a record of a name last had for a stage: read from the runs of its experiment once a call is to be explained."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from heapq import nlargest
from itertools import accumulate
from json.encoder import encode_basestring
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import NamedTuple, TypedDict

from curifactory.core.record import find_set_name
from curifactory.errors import StoreError
from curifactory.store.calls import CALLS_NAME
from curifactory.store.facts import read_facts
from curifactory.store.journal import Journal, encode_lines, iter_journal
from curifactory.store.reference import Reference
from curifactory.store.run_folders import iter_references
from curifactory.store.run_row import read_time
from curifactory.store.uses import SETTLED

ACCEPTED_NAME = "accepted.jsonl"
# How far back is looked. What is not found so far is compared with the newest trace of its stage.
_MOST_RUNS = 200
_MOST_BYTES = 64 * 1024 * 1024
# To look through the lines of a long run for one name takes a fifth of the time that reading them all does.
_ASKED_SINGLY = 3
_BYTES_WORTH_A_SEARCH = 512 * 1024
_HOLDS_S = 5.0

_KEY_BYTES = 32
_MOST_BYTES_OF_KEYS = 3 * _KEY_BYTES
# By stage, by name of the parameter set, the keys one after the other: a run may have very many.
_Uses = dict[str, dict[str | None, bytes]]
_NOWHERE: Mapping[str | None, bytes] = {}


class _Line(TypedDict):
    """What has to be known of a call."""

    index: int
    stage: str
    record_name: str
    outcome: str
    key: str | None


class _Accepted(TypedDict):
    """A call, and the key of the trace that it has got since."""

    call: int
    key: str


class _PastRun(NamedTuple):
    """The folder of a run, and how its calls are now."""

    folder: str
    size_bytes: int
    mtime_ns: int


class LastUses:
    """Answers which traces the calls of an experiment's records had in its runs, the latest first.

    Nothing is kept for it while calls are made: a run's ``calls.jsonl`` has it all. The runs are read when somebody asks, as
    many of them as the answer takes, and each once for all but the first few questions.

    Parameters
    ----------
    runs_folder : Path
        Where the folders of runs lie.
    experiment : str
        Whose runs are read.
    run : str
        Reference of the present run, which is no earlier one.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import datetime, timezone
    >>> from curifactory.store.runs import RunStore
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = RunStore(Path(folder)).claim("iris", now=datetime.now(timezone.utc))
    ...     journal = Journal(run.path / CALLS_NAME)
    ...     call = {"index": 0, "stage": "iris.load", "record_name": "Record 0 (a)", "outcome": "ran"}
    ...     journal.append({**call, "key": 32 * "9f"})
    ...     journal.close()
    ...     uses = LastUses(Path(folder), "iris", run="iris_2")
    ...     [len(key) for key in uses.iter_keys("iris.load", "a")], list(uses.iter_keys("iris.load", "b"))
    ([64], [])
    """

    __slots__ = ("_asked", "_experiment", "_folder", "_listed", "_looked_s", "_run", "_uses", "_waiting")

    def __init__(self, runs_folder: Path, experiment: str, *, run: str) -> None:
        self._folder = runs_folder
        self._experiment = experiment
        self._run = run
        self._asked = 0
        self._looked_s = float("-inf")
        self._listed: list[_PastRun] = []
        # What was read, and the runs that were not, the latest last.
        self._uses: _Uses = {}
        self._waiting: list[_PastRun] = []

    def iter_keys(self, stage: str, set_name: str | None) -> Iterable[str]:
        """Give the last few keys of the traces that a record had for a stage, that of the latest run first.

        Parameters
        ----------
        stage : str
            Module-qualified name of the stage.
        set_name : str or None
            Name of the record's parameter set; None without one.
        """
        self._look()
        return self._iter_keys(stage, set_name) if self._listed else ()

    def let_go(self) -> None:
        """Keep nothing in memory of what was read; the next question reads it anew."""
        self._uses, self._waiting = {}, self._listed[::-1]

    def _iter_keys(self, stage: str, set_name: str | None) -> Iterator[str]:
        self._asked += 1
        uses, waiting, sought = self._uses, self._waiting, b""
        if self._asked <= _ASKED_SINGLY and waiting and waiting[-1].size_bytes > _BYTES_WORTH_A_SEARCH:
            known = uses.get(stage, _NOWHERE).get(set_name, b"")
            uses, waiting = {stage: {set_name: known}}, [*waiting]
            text = f'"{stage}"' if set_name is None else encode_basestring(f" ({set_name})")[1:]
            sought = text.encode("utf-8", "backslashreplace")
        told = 0
        while True:
            keys = uses.get(stage, _NOWHERE).get(set_name, b"")
            while told < len(keys):
                yield keys[told : told + _KEY_BYTES].hex()
                told += _KEY_BYTES
            if told >= _MOST_BYTES_OF_KEYS or not waiting:
                return
            _add_run(waiting.pop().folder, uses, sought)

    def _look(self) -> None:
        """Begin anew if runs have come, or gone on, since it was looked at last; a session may stay open for days."""
        now_s = monotonic()
        if now_s - self._looked_s < _HOLDS_S:
            return
        self._looked_s = now_s
        listed = self._list()
        if listed != self._listed:
            self._listed = listed
            self.let_go()

    def _list(self) -> list[_PastRun]:
        references: list[Reference] = []
        # What cannot be looked at now is as if it were not there.
        with suppress(StoreError):
            references += iter_references(self._folder, self._experiment)
        found: list[_PastRun] = []
        for reference in nlargest(_MOST_RUNS, references, key=attrgetter("number")):
            folder = f"{self._folder}/{reference}"
            try:
                status = os.stat(f"{folder}/{CALLS_NAME}")
            except OSError:
                continue
            if str(reference) != self._run:
                found.append(_PastRun(folder, status.st_size, status.st_mtime_ns))
        times = [each.mtime_ns for each in found]
        if times != sorted(times, reverse=True):
            # One has gone on after a later one had begun, or they were copied.
            found.sort(key=_last_call_s, reverse=True)
        before = accumulate((each.size_bytes for each in found), initial=0)
        return [each for each, so_far in zip(found, before, strict=False) if so_far < _MOST_BYTES]


def read_accepted(folder: Path) -> dict[int, str]:
    """Return the keys of the traces that calls of a run have got since by their index, see :func:`note_accepted`.

    Raises
    ------
    StoreError
        If they cannot be read.

    Examples
    --------
    >>> read_accepted(Path("/nowhere"))
    {}
    """
    return {each["call"]: each["key"] for each in iter_journal(folder / ACCEPTED_NAME, _Accepted)}


def note_accepted(folder: Path, keys: Mapping[int, str]) -> None:
    """Write into the folder of a run that calls of it have got other traces since, as their changed code was accepted.

    Parameters
    ----------
    folder : Path
        Of the run.
    keys : mapping of int to str
        The key of the new trace by the index of the call.

    Raises
    ------
    StoreError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     note_accepted(Path(folder), {3: "9f"})
    ...     read_accepted(Path(folder))
    {3: '9f'}
    """
    journal = Journal(folder / ACCEPTED_NAME)
    try:
        journal.write(encode_lines([{"call": index, "key": key} for index, key in keys.items()]))
    finally:
        journal.close()


def _last_call_s(run: _PastRun) -> float:
    """Return when the last call of a run was over: not after its end, whenever its file was copied."""
    written_s = run.mtime_ns / 1e9
    try:
        finished_at = read_time(read_facts(Path(run.folder)).get("finished_at"))
    except (StoreError, ValueError, TypeError):
        return written_s
    return written_s if finished_at is None else min(written_s, finished_at.timestamp())


def _add_run(folder: str, uses: _Uses, sought: bytes) -> None:
    """Add the traces that the calls of a run have to those of later runs.

    Parameters
    ----------
    folder : str
        Of the run.
    uses : dict
        What is known so far.
    sought : bytes
        What lines must have in them to be looked at.
    """
    for stage, found in _read_run(folder, sought).items():
        known = uses.setdefault(stage, found)
        if known is found:
            continue
        for name, key in found.items():
            before = known.get(name, b"")
            if len(before) < _MOST_BYTES_OF_KEYS and not before.endswith(key):
                known[name] = before + key


def _read_run(folder: str, sought: bytes) -> _Uses:
    """Return which traces the calls of a run have; what is torn or damaged tells nothing."""
    uses: defaultdict[str, dict[str | None, bytes]] = defaultdict(dict)
    names: dict[str, str | None] = {}
    # What cannot be read now is as if it were not there.
    with suppress(StoreError):
        accepted = {
            each["call"]: each["key"] for each in iter_journal(Path(folder, ACCEPTED_NAME), _Accepted)
        }
        for call in iter_journal(Path(folder, CALLS_NAME), _Line, sought=sought):
            text, name = call["key"], call["record_name"]
            if text is None or call["outcome"] not in SETTLED:
                continue
            if name not in names:
                # One text for all calls of a record.
                names[name] = find_set_name(name)
            try:
                key = bytes.fromhex(accepted.get(call["index"], text) if accepted else text)
            except (ValueError, TypeError):
                continue
            if len(key) == _KEY_BYTES:
                uses[call["stage"]][names[name]] = key
    return uses
