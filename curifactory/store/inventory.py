"""What lies in the store: each artifact with its files, size, age, last use and state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any

from curifactory.core.trace import Artifact, StoredFile, Trace
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.digests import Facts
from curifactory.store.reference import Reference
from curifactory.store.run_row import read_time
from curifactory.store.uses import Use

# The worst comes last: an artifact is as its worst file.
_ORDER = (
    FileState.PRESENT, FileState.ASIDE, FileState.MISSING, FileState.MODIFIED, FileState.UNREADABLE
)  # fmt: skip


class SortBy(Enum):
    """What a list of artifacts can be sorted by."""

    SIZE = "size"
    AGE = "age"
    USED = "used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One artifact of the store.

    Parameters
    ----------
    key : str
        Of the trace that has it.
    stage, output : str
        Module-qualified name of the stage, and the output's name.
    experiments : tuple of str
        The experiment that made it, then others that have used it.
    run : str
        The run that made it.
    made_at : datetime or None
        When.
    used_by : str or None
        The latest run that made or reused it; None if no run that is still there did.
    used_at : datetime or None
        When that run started, or when it made the artifact.
    cacher, type, summary : str
        As its manifest says.
    files : tuple of StoredFile
        Its files.
    size_bytes : int
        Length of all its files together.
    state : FileState
        How the worst of its files is.
    """

    key: str
    stage: str
    output: str
    experiments: tuple[str, ...]
    run: str
    made_at: datetime | None
    used_by: str | None
    used_at: datetime | None
    cacher: str
    type: str
    summary: str
    files: tuple[StoredFile, ...]
    size_bytes: int
    state: FileState

    @property
    def stage_name(self) -> str:
        """Name of the stage without its module."""
        return self.stage.rpartition(".")[2]

    def to_json(self) -> dict[str, Any]:
        """Return the artifact as JSON values; the names of keys are kept from version to version."""
        return {
            "key": self.key,
            "stage": self.stage,
            "output": self.output,
            "experiments": list(self.experiments),
            "run": self.run,
            "made_at": None if self.made_at is None else self.made_at.isoformat(),
            "used_by": self.used_by,
            "used_at": None if self.used_at is None else self.used_at.isoformat(),
            "cacher": self.cacher,
            "type": self.type,
            "summary": self.summary,
            "files": [{"path": file.path, "size_bytes": file.size_bytes} for file in self.files],
            "size_bytes": self.size_bytes,
            "state": self.state.value,
        }


class Claims:
    """Which digests lie under which name by rights, so that a name that has passed on is not taken for damage.

    Parameters
    ----------
    files : ArtifactFiles
        The store's files.
    traces : iterable of Trace
        All traces of the store.
    """

    def __init__(self, files: ArtifactFiles, traces: Iterable[Trace]) -> None:
        self._files = files
        self._by_path: dict[str, dict[str, StoredFile]] = defaultdict(dict)
        for trace in traces:
            for artifact in iter_artifacts(trace):
                for file in artifact.files:
                    if not file.referenced:
                        self._by_path[file.path][file.digest] = file

    def state(self, file: StoredFile) -> FileState:
        """Return how a file is; one whose name now has the bytes of another trace is missing, not modified."""
        return self.correct(file, self._files.state(file))

    def correct(self, file: StoredFile, state: FileState) -> FileState:
        """Return what a state means beside the other traces that have had the name."""
        if state is not FileState.MODIFIED or file.referenced:
            return state
        others = (other for digest, other in self._by_path[file.path].items() if digest != file.digest)
        passed_on = any(self._files.state(other) is FileState.PRESENT for other in others)
        return FileState.MISSING if passed_on else FileState.MODIFIED


def read_inventory(
    traces: Iterable[Trace],
    files: ArtifactFiles,
    uses: Mapping[str, Use],
    facts: Mapping[str, Mapping[str, Facts]] = MappingProxyType({}),
) -> list[Item]:
    """Return every artifact that a trace has, once, in no order.

    Parameters
    ----------
    traces : iterable of Trace
        From the manifests.
    files : ArtifactFiles
        Tells how files are, by their stat facts where these hold.
    uses : mapping
        By key, from :func:`curifactory.store.uses.read_uses`.
    facts : mapping
        By key, from :func:`curifactory.store.trace_rows.find_file_facts`: what is known by them need not be read.
    """
    known = list(traces)
    claims = Claims(files, known)
    found: dict[tuple[str, str, tuple[StoredFile, ...]], Item] = {}
    for trace in known:
        files.seed(facts.get(trace.key, {}))
        for artifact in iter_artifacts(trace):
            item = _item(trace, artifact, claims, uses.get(trace.key))
            mark = (item.stage, item.output, item.files)
            # Several traces may have one artifact: code was accepted, or gave the same bytes again.
            if mark not in found or _seconds(found[mark].used_at) < _seconds(item.used_at):
                found[mark] = item
    return list(found.values())


def select_items(
    items: Iterable[Item],
    *,
    experiment: str | None = None,
    stage: str | None = None,
    sort: SortBy = SortBy.USED,
) -> list[Item]:
    """Return the artifacts of an experiment or stage: the largest, oldest or latest used first.

    Parameters
    ----------
    items : iterable of Item
        All.
    experiment : str, optional
        Those that it has made or used.
    stage : str, optional
        Those of this stage, with its module or without.
    sort : SortBy
        What comes first.
    """
    found = [
        item
        for item in items
        if (experiment is None or experiment in item.experiments)
        and (stage is None or stage in (item.stage, item.stage_name))
    ]
    found.sort(key=lambda item: (item.stage, item.output, item.key))
    if sort is SortBy.SIZE:
        found.sort(key=lambda item: item.size_bytes, reverse=True)
    elif sort is SortBy.AGE:
        found.sort(key=lambda item: _seconds(item.made_at))
    else:
        found.sort(key=lambda item: _seconds(item.used_at), reverse=True)
    return found


def total_of(items: Sequence[Item]) -> dict[str, int]:
    """Return how many artifacts there are, how many in each state, and the bytes of those whose bytes are there.

    A file that several traces have counts once.

    Examples
    --------
    >>> total_of([])
    {'artifacts': 0, 'size_bytes': 0, 'present': 0, 'aside': 0, 'missing': 0, 'modified': 0, 'unreadable': 0}
    """
    counts = {state.value: sum(item.state is state for item in items) for state in _ORDER}
    there = {
        (file.path, file.digest): file.size_bytes
        for item in items
        if item.state in (FileState.PRESENT, FileState.ASIDE)
        for file in item.files
        if not file.referenced
    }
    return {"artifacts": len(items), "size_bytes": sum(there.values()), **counts}


def iter_artifacts(trace: Trace) -> Iterator[Artifact]:
    """Go through the artifacts of a trace."""
    for output in trace.outputs:
        if output.artifact is not None:
            yield output.artifact


def experiment_of(reference: str) -> str:
    """Return the experiment of a run's reference; the text itself if it is none.

    Examples
    --------
    >>> experiment_of("iris_4_2026-11-21-T101500")
    'iris'
    """
    parsed = Reference.parse(reference)
    return reference if parsed is None else parsed.experiment


def _item(trace: Trace, artifact: Artifact, claims: Claims, use: Use | None) -> Item:
    made_by = experiment_of(trace.run)
    others = set() if use is None else {each for each in use.experiments if each != made_by}
    states = [claims.state(file) for file in artifact.files]
    made_at = read_time(trace.made_at)
    return Item(
        key=trace.key,
        stage=trace.stage,
        output=artifact.name,
        experiments=(made_by, *sorted(others)),
        run=trace.run,
        made_at=made_at,
        used_by=None if use is None else use.run,
        used_at=None if use is None else max(use.at, made_at, key=_seconds),
        cacher=artifact.cacher,
        type=artifact.type,
        summary=artifact.summary,
        files=artifact.files,
        size_bytes=artifact.size_bytes,
        state=max(states, key=_ORDER.index, default=FileState.PRESENT),
    )


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()
