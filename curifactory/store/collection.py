"""Garbage collection: what neither a recent run, nor a tagged one, nor the present code would use."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from curifactory.core.outcomes import RunOutcome
from curifactory.core.trace import StoredFile, Trace
from curifactory.errors import StoreError
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.collection_plan import CollectionPlan, Rules, Waste, WasteKind
from curifactory.store.inventory import iter_artifacts
from curifactory.store.layout import Layout, safe_name
from curifactory.store.process import is_alive
from curifactory.store.run_row import RunRow, read_time
from curifactory.store.runs import RunStore
from curifactory.store.staging import find_abandoned
from curifactory.store.store_lock import StoreLock
from curifactory.store.superseded import name_aside
from curifactory.store.traces import TraceStore
from curifactory.store.trash import COLLECTION, Rubbish, Trash, TrashFolder
from curifactory.store.uses import Use, read_uses

# A run on another machine whose end nobody has told is taken for dead after this long.
_UNHEARD_OF = timedelta(days=30)
# A run that is just ending is given the time for it.
_PATIENCE_S = 2.0
_GOING_ON = (RunOutcome.RUNNING, RunOutcome.LIVE)


@dataclass(slots=True)
class _Runs:
    """What the runs say: which traces are wanted, which others were used, and since when one goes on."""

    wanted: dict[str, Use]
    others: dict[str, Use]
    live: RunRow | None = None
    horizon_s: float = field(default=float("inf"))


class Collector:
    """Finds what nobody would use, and takes it away.

    Parameters
    ----------
    layout : Layout
        Where things lie.
    files : ArtifactFiles
        The files of artifacts.
    traces : TraceStore
        The traces.
    runs : RunStore
        The runs.
    lock : StoreLock, optional
        The store's, if it is held already.
    """

    def __init__(
        self,
        layout: Layout,
        files: ArtifactFiles,
        traces: TraceStore,
        runs: RunStore,
        lock: StoreLock | None = None,
    ) -> None:
        self._layout = layout
        self._files = files
        self._traces = traces
        self._runs = runs
        self._trash = Trash(layout)
        self._lock = lock or StoreLock(layout)

    def plan(self, rules: Rules, *, now: datetime) -> CollectionPlan:
        """Return what would be collected; nothing is changed.

        Parameters
        ----------
        rules : Rules
            What is kept.
        now : datetime
            The moment, with time zone.

        Raises
        ------
        StoreError
            If it cannot be read what there is, or what runs have used.
        """
        runs = self._read_runs(rules, now)
        latest_s = float("inf") if rules.older_than is None else (now - rules.older_than).timestamp()
        current: dict[tuple[str, str], bool | None] = {}
        dead: list[Trace] = []
        kept: list[Trace] = []
        for trace in self._traces.iter_traces():
            code = (trace.stage, trace.code)
            if code not in current:
                current[code] = rules.is_current(*code)
            is_waste = (
                trace.key not in runs.wanted
                and current[code] is False
                and self._last_used_s(trace, runs) < latest_s
                and not self._is_touched(trace, runs)
            )
            (dead if is_waste else kept).append(trace)
        waste = [
            *self._manifest_waste(dead, kept),
            *self._artifact_waste(dead, kept, runs),
            *self._superseded_waste(kept, runs, min(runs.horizon_s, latest_s)),
            *(_waste(WasteKind.STAGING, path) for path in find_abandoned(os.fspath(self._layout.staging))),
            *self._checkpoint_waste(
                min(runs.horizon_s, latest_s, (now - timedelta(days=rules.trash_days)).timestamp())
            ),
        ]
        return CollectionPlan(
            waste=tuple(waste),
            traces=len(dead),
            kept_traces=len(kept),
            unseen_stages=tuple(sorted({stage for (stage, _), seen in current.items() if seen is None})),
            live_run=None if runs.live is None else runs.live.reference,
            trash=tuple(self._trash.list_old(now=now, days=rules.trash_days)),
        )

    def carry_out(self, plan: CollectionPlan, *, now: datetime) -> TrashFolder | None:
        """Move what a plan names into the trash, and remove earlier collections for good.

        Returns
        -------
        TrashFolder or None
            What was taken away; None if there was nothing.

        Raises
        ------
        StoreError
            If something cannot be moved, a run goes on, or another process collects at the same time.
        """
        with self._alone():
            if plan.trash:
                self._trash.empty(plan.trash)
            if not plan.waste:
                return None
            put = self._trash.put((each.rubbish for each in plan.waste), now=now)
            self._traces.rebuild()
            return put

    def undo(self) -> tuple[TrashFolder, int] | None:
        """Bring the last collection back, and return it with the number of things that came back; None without one.

        Raises
        ------
        StoreError
            If something cannot be moved, a run goes on, or another process collects at the same time.
        """
        last = next(iter(self._trash.list_folders(COLLECTION)), None)
        if last is None:
            return None
        with self._alone():
            restored = self._trash.bring_back(last)
            self._traces.rebuild()
        return last, restored

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no run use the store meanwhile."""
        if not self._lock.take_alone(wait_s=_PATIENCE_S):
            raise StoreError(
                f"Another process uses the store in {self._layout.cache.parent}; nothing was moved.",
                hint="Wait until it has ended.",
            )
        try:
            yield
        finally:
            self._lock.release()

    def _read_runs(self, rules: Rules, now: datetime) -> _Runs:
        seen: Counter[str] = Counter()
        wanted: list[RunRow] = []
        others: list[RunRow] = []
        live: list[RunRow] = []
        listed = self._runs.list_runs()
        for row in listed.rows:
            seen[row.experiment] += 1
            is_live = goes_on(row, now)
            if is_live:
                live.append(row)
            keeps = is_live or row.tags or seen[row.experiment] <= rules.keep_runs
            (wanted if keeps else others).append(row)
        # Who says how old a run is, and whether it has tags, is not to be read: what it has used stays.
        wanted += [
            RunRow(reference, "", 0, RunOutcome.INTERRUPTED, None, None) for reference in listed.damaged
        ]
        found = _Runs(read_uses(self._runs, wanted, wholly=True), read_uses(self._runs, others))
        if live:
            found.live = live[-1]
            found.horizon_s = 0.0 if found.live.started_at is None else found.live.started_at.timestamp()
        return found

    def _last_used_s(self, trace: Trace, runs: _Runs) -> float:
        use = runs.others.get(trace.key)
        moments = [read_time(trace.made_at), None if use is None else use.at]
        return max((moment.timestamp() for moment in moments if moment is not None), default=0.0)

    def _is_touched(self, trace: Trace, runs: _Runs) -> bool:
        """Say whether a run that goes on may have made, linked or brought back something of a trace."""
        if runs.live is None:
            return False
        places = [self._traces.manifest_path(trace)]
        places += [self._layout.absolute(path) for path, _ in _names(trace, runs)]
        return any(_changed_s(place) >= runs.horizon_s for place in places)

    def _manifest_waste(self, dead: list[Trace], kept: list[Trace]) -> Iterator[Waste]:
        kept_code = {(trace.stage, trace.code) for trace in kept}
        told: set[tuple[str, str]] = set()
        for trace in dead:
            path = self._traces.manifest_path(trace)
            yield _waste(WasteKind.MANIFEST, path)
            report = self._traces.report_folder(trace.stage, trace.key)
            if report is not None:
                yield _waste(WasteKind.MANIFEST, report)
            code = (trace.stage, trace.code)
            parts = os.path.join(os.path.dirname(path), f"code-{safe_name(trace.code)}.json")
            if code not in kept_code and code not in told and os.path.lexists(parts):
                told.add(code)
                yield _waste(WasteKind.MANIFEST, parts)

    def _artifact_waste(self, dead: list[Trace], kept: list[Trace], runs: _Runs) -> Iterator[Waste]:
        claimed = {name for trace in kept for name in _names(trace, runs)} | _names_wanted(runs)
        cache = f"{self._layout.cache}/"
        told: set[str] = set()
        for trace in dead:
            for path, digest in _names(trace, runs):
                place = self._layout.absolute(path)
                # What lies outside of the cache is the person's own place; nothing is taken from there.
                if (path, digest) in claimed or place in told or not place.startswith(cache):
                    continue
                if self._files.state(StoredFile(path, digest, 0)) is FileState.PRESENT:
                    told.add(place)
                    yield _waste(WasteKind.ARTIFACT, place, aside=self._aside(path, digest))

    def _superseded_waste(self, kept: list[Trace], runs: _Runs, before_s: float) -> Iterator[Waste]:
        wanted = {digest.rpartition(":")[2] for _, digest in _names_wanted(runs)}
        wanted |= {
            file.digest.rpartition(":")[2]
            for trace in kept
            for artifact in iter_artifacts(trace)
            for file in artifact.files
        }
        with suppress(OSError):
            for name in sorted(os.listdir(self._layout.superseded)):
                place = f"{self._layout.superseded}/{name}"
                if name.partition(".")[0] not in wanted and _changed_s(place) < before_s:
                    yield _waste(WasteKind.SUPERSEDED, place)

    def _checkpoint_waste(self, before_s: float) -> Iterator[Waste]:
        """Go through what unfinished calls have put down and nobody has come back to."""
        with suppress(OSError):
            for name in sorted(os.listdir(self._layout.checkpoints)):
                place = f"{self._layout.checkpoints}/{name}"
                inside = (os.path.join(folder, each) for folder, _, names in os.walk(place) for each in names)
                if max(map(_written_s, [place, *inside])) < before_s:
                    yield _waste(WasteKind.CHECKPOINT, place)

    def _aside(self, path: str, digest: str) -> str:
        return f"{self._layout.superseded}/{name_aside(digest, path)}"


def _names(trace: Trace, runs: _Runs) -> set[tuple[str, str]]:
    """Return path and digest of each file of a trace, under all names that it was given."""
    found = {
        (file.path, file.digest)
        for artifact in iter_artifacts(trace)
        for file in artifact.files
        if not file.referenced
    }
    mine = {digest for _, digest in found}
    for uses in (runs.wanted, runs.others):
        use = uses.get(trace.key)
        if use is not None:
            found.update(name for name in use.names if name[1] in mine)
    return found


def _names_wanted(runs: _Runs) -> set[tuple[str, str]]:
    """Return what the runs that keep what they used say of it, also where a manifest is gone, damaged or too new to be read."""
    return {name for use in runs.wanted.values() for name in use.names}


def goes_on(row: RunRow, now: datetime) -> bool:
    """Say whether a run may still write: its process is there, or nobody can see that it is not."""
    if row.outcome not in _GOING_ON or row.finished_at is not None:
        return False
    alive = is_alive(row.facts)
    if alive is None:
        return row.started_at is None or now - row.started_at < _UNHEARD_OF
    return alive


def _waste(kind: WasteKind, path: str, *, aside: str | None = None) -> Waste:
    return Waste(kind, Rubbish(path, _size(path), aside))


def _size(path: str) -> int:
    if not os.path.isdir(path) or os.path.islink(path):
        return _size_of_files([path])
    return _size_of_files(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)


def _size_of_files(paths: Iterable[str]) -> int:
    total = 0
    for path in paths:
        with suppress(OSError):
            total += os.lstat(path).st_size
    return total


def _written_s(path: str) -> float:
    """Return when a file or folder was last written; now if it is gone, as somebody is at work there."""
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return float("inf")


def _changed_s(path: str) -> float:
    """Return when a file or folder was last written, renamed or linked; 0 if it is gone."""
    try:
        status = os.lstat(path)
    except OSError:
        return 0.0
    return max(status.st_mtime, status.st_ctime)
