"""The trace store: what finished calls read and made, committed whole or not at all, and found by key."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from curifactory.store import manifest, trace_rows
from curifactory.store.digests import inode_of
from curifactory.store.faults import as_cache_errors
from curifactory.store.last_uses import LastUses
from curifactory.store.layout import safe_name
from curifactory.store.manifest_files import ManifestFiles
from curifactory.store.read_sets import ReadSet, ReadSets
from curifactory.store.report_folders import is_whole
from curifactory.store.trace_rows import iter_files, make_row, read_facts, read_row, to_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from curifactory.core.trace import Trace
    from curifactory.store.artifacts import ArtifactFiles
    from curifactory.store.database import Row
    from curifactory.store.fillers import Write
    from curifactory.store.index import Index
    from curifactory.store.layout import Layout

_MOST_KEPT = 4_096
# Traces that many calls share are asked for in turn; each of the others is asked for once.
_MOST_KNOWN = 256

_Known = tuple["Trace", str, int, int, int]


class TraceStore:
    """Keeps traces as manifests, and finds them by one look-up in the index.

    Traces come back as a manifest keeps them: digests of what was read are cut by `manifest.shorten`.

    Parameters
    ----------
    layout : Layout
        Where things lie.
    index : Index
        Answers quickly; the manifests are the truth.
    durable : bool
        Wait for the disk at each commit, against power loss.
    files : ArtifactFiles, optional
        Told the stat facts that the index keeps beside each trace, so that checking its files needs no look-up.
    warn : callable, optional
        Takes one line of text; by default it is logged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.core.trace import Trace
    >>> from curifactory.store.index import Index
    >>> from curifactory.store.layout import Layout
    >>> trace = Trace(
    ...     "9f", "iris.load", "c1", {"n": "8e"}, {"n": "3"}, {}, {}, (), "iris_1", "2026-11-21", 0.5
    ... )
    >>> with tempfile.TemporaryDirectory() as data:
    ...     layout = Layout(Path(data, "cache"))
    ...     with Index(layout.index_path) as index:
    ...         store = TraceStore(layout, index)
    ...         store.commit(trace, parts={"load": "7d"}, places={"load": "iris.py:3"})
    ...         store.find("9f") == trace, store.read_sets("iris.load", "c1"), store.find("00")
    (True, [('n',)], None)
    """

    __slots__ = (
        "_files",
        "_fresh",
        "_index",
        "_known",
        "_manifests",
        "_newest",
        "_parts_written",
        "_read_sets",
        "_told",
        "_uses",
        "_warn",
    )  # fmt: skip

    def __init__(
        self,
        layout: Layout,
        index: Index,
        *,
        durable: bool = False,
        files: ArtifactFiles | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self._index = index
        self._files = files
        self._warn = warn if warn is not None else logging.getLogger("curifactory").warning
        self._manifests = ManifestFiles(layout, durable=durable)
        self._read_sets = ReadSets(index)
        self._known: dict[str, _Known] = {}
        self._fresh: dict[str, Row] = {}
        self._uses = LastUses(index)
        self._newest: dict[str, Trace] = {}
        self._parts_written: set[tuple[str, str]] = set()
        self._told: set[str] = set()
        index.add_filler("traces", self._fill)

    def close(self) -> None:
        """Remove the empty staging folder; the store can still be used."""
        self._manifests.close()

    def commit(
        self,
        trace: Trace,
        *,
        parts: Mapping[str, str],
        places: Mapping[str, str],
        report_folder: str | None = None,
    ) -> None:
        """Write a trace: the report folder, the parts of its code, then the manifest by rename, then the index.

        A trace of that key with the same outputs stays, unless there is a new report.

        Parameters
        ----------
        trace : Trace
            What the call read and made; its files are in place already.
        parts, places : mapping of str to str
            Digest and place of each part of the stage's code, written once for each code.
        report_folder : str, optional
            Absolute path of the folder with the call's fragments and metrics; it is linked or copied.

        Raises
        ------
        CacheError
            If it cannot be written, or metadata are no JSON values.
        """
        if report_folder is not None and not trace.reported:
            trace = trace._replace(reported=True)
        data = manifest.encode(trace)
        path = self._manifests.path(trace.stage, trace.key)
        with as_cache_errors("save what the call read and made"):
            self._write_parts(trace, parts, places)
            if os.path.lexists(path) and report_folder is None and self._is_like(trace, data):
                return
            if report_folder is not None:
                beside = self._manifests.path(trace.stage, trace.key, ".report")
                if os.path.isdir(beside) and not is_whole(beside):
                    self._manifests.set_aside_folder(beside)
                self._manifests.put_folder(report_folder, beside)
            seen = self._manifests.write(path, data)
        self._note(trace, data, seen)
        self._newest[trace.stage] = trace
        self._read_sets.add(trace.stage, trace.code, trace.reads)

    def find(self, key: str, *, stage: str | None = None) -> Trace | None:
        """Find a trace by its key, or None.

        Whether its manifest still lies there as it was is looked at each time; one that is damaged is set aside, in one line.

        Parameters
        ----------
        key : str
            Identity of the call.
        stage : str, optional
            Its stage: with it a manifest is found that the index does not know, as another process has just written it.
        """
        known = self._known.get(key)
        if known is None:
            row = self._fresh.get(key) or self._index.lookup(trace_rows.SELECT, (key,))
            known = self._remember(key, row) if row is not None else None
            if known is None:
                return self._read(stage, key) if stage is not None else None
        trace, path, size_bytes, mtime_ns, inode = known
        try:
            status = os.stat(path)
        except OSError:
            return self._read(trace.stage, key)
        if status.st_mtime_ns == mtime_ns and status.st_size == size_bytes and inode_of(status) == inode:
            return trace
        return self._read(trace.stage, key)

    def reading(self) -> AbstractContextManager[None]:
        """Find many traces in the block, more quickly; those that other processes write meanwhile may not be seen."""
        return self._index.reading()

    def read_sets(self, stage: str, code: str, *, fresh: bool = False) -> list[ReadSet]:
        """Give the sets of parameters that calls of a stage with this code were keyed by, newest first, at most 16.

        Parameters
        ----------
        fresh : bool
            Ask the index even if it was asked in the last 0.2 s: needed once the lock of a call is held.
        """
        return self._read_sets.get(stage, code, fresh=fresh)

    def key_reads(self, stage: str, code: str, reads: Iterable[str]) -> ReadSet:
        """Give the parameters whose values a new trace's key (and ``reads``) should hold, sorted.

        Those that the call read; when a stage has too many read sets, a union that holds them.
        """
        return self._read_sets.key_reads(stage, code, reads)

    def remember_use(self, stage: str, experiment: str, record_name: str, key: str, run: str) -> None:
        """Note which trace a record of this name had for a stage, for later explanations."""
        self._uses.remember(stage, experiment, record_name, key, run)

    def previous(self, stage: str, experiment: str, record_name: str) -> Trace | None:
        """Find the trace that a record of this name last had for a stage, else the newest of the stage.

        Only for explanations: what it gives decides nothing.
        """
        used = self._uses.find(stage, experiment, record_name)
        trace = self.find(used, stage=stage) if used is not None else None
        if trace is not None:
            return trace
        if stage in self._newest:
            return self._newest[stage]
        for (key,) in self._index.query(trace_rows.NEWEST, (stage,)):
            trace = self.find(key)
            if trace is not None:
                return trace
        return None

    def parts_of(self, stage: str, code: str) -> tuple[dict[str, str], dict[str, str]] | None:
        """Give the parts and places of a code fingerprint, or None if they are not there or damaged."""
        path = self._parts_path(stage, code)
        try:
            data, _ = self._manifests.read(path)
        except OSError:
            return None
        body = manifest.unseal(code, data)
        if body is None:
            if not manifest.is_newer(data):
                self._set_aside(path, data)
                self._parts_written.discard((stage, code))
            return None
        return body.get("parts", {}), body.get("places", {})

    def report_folder(self, trace: Trace) -> str | None:
        """Give the absolute path of a trace's fragments and metrics, or None if there are none."""
        path = self._manifests.path(trace.stage, trace.key, ".report")
        return path if os.path.isdir(path) else None

    def has_whole_report(self, trace: Trace) -> bool:
        """Say whether what a call reported lies there as it was written; what is damaged is set aside when it is replaced."""
        return is_whole(self._manifests.path(trace.stage, trace.key, ".report"))

    def manifest_path(self, trace: Trace) -> str:
        """Give the absolute path of a trace's manifest."""
        return self._manifests.path(trace.stage, trace.key)

    def iter_traces(self) -> Iterator[Trace]:
        """Read all manifests, in no order; those that are not whole are left out."""
        for key, path in self._manifests.iter_paths():
            try:
                data, _ = self._manifests.read(path)
            except OSError:
                continue
            trace = manifest.decode(key, data)
            if trace is not None:
                yield trace

    def is_there(self, key: str, stage: str) -> bool:
        """Say whether a manifest lies there, whatever is in it."""
        return os.path.lexists(self._manifests.path(stage, key))

    def rebuild(self) -> int:
        """Forget what the index knows of traces, read all manifests, and return how many there are."""
        self._known.clear()
        self._fresh.clear()
        return self._index.refill("traces")

    def _write_parts(self, trace: Trace, parts: Mapping[str, str], places: Mapping[str, str]) -> None:
        if (trace.stage, trace.code) in self._parts_written:
            return
        path = self._parts_path(trace.stage, trace.code)
        if not os.path.lexists(path):
            body = {"format": manifest.FORMAT, "parts": dict(parts), "places": dict(places)}
            self._manifests.write(path, manifest.seal(trace.code, body))
        self._parts_written.add((trace.stage, trace.code))

    def _parts_path(self, stage: str, code: str) -> str:
        return self._manifests.path(stage, f"code-{safe_name(code)}")

    def _is_like(self, trace: Trace, data: bytes) -> bool:
        """Say whether the trace that has this key made the same; what lies there if not is replaced."""
        old, new = self.find(trace.key, stage=trace.stage), manifest.decode(trace.key, data)
        return (
            old is not None and new is not None and (old.outputs, old.reported) == (new.outputs, new.reported)
        )

    def _note(self, trace: Trace, data: bytes, seen: tuple[int, int, int]) -> None:
        """Put a trace whose manifest lies there into memory and the index."""
        facts = self._files.known(iter_files(trace)) if self._files is not None else {}
        row = make_row(data, seen, facts, trace)
        if len(self._fresh) >= _MOST_KEPT:
            # What is not in memory has to be in the index.
            self._index.flush()
            self._fresh.clear()
        self._fresh[trace.key] = row
        self._known.pop(trace.key, None)
        self._index.execute(trace_rows.INSERT, (*row, trace.key, trace.stage, to_seconds(trace.made_at)))

    def _remember(self, key: str, row: Row) -> _Known | None:
        trace = read_row(key, row)
        if trace is None:
            self._forget(key)
            return None
        if self._files is not None and row[5]:
            self._files.seed(read_facts(trace, row[5]))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        known = (trace, self._manifests.path(trace.stage, key), row[2], row[3], row[4])
        self._known[key] = known
        return known

    def _forget(self, key: str) -> None:
        self._known.pop(key, None)
        self._fresh.pop(key, None)
        self._index.execute(trace_rows.DELETE, (key,))

    def _read(self, stage: str, key: str) -> Trace | None:
        """Read a manifest, whatever the index says of it, and tell the index."""
        path = self._manifests.path(stage, key)
        try:
            data, seen = self._manifests.read(path)
        except (FileNotFoundError, NotADirectoryError):
            if key in self._known or key in self._fresh:
                self._forget(key)
            return None
        except OSError as error:
            self._tell(f"The manifest '{path}' cannot be read ({error.strerror}); it is set aside.")
            self._set_aside(path, None)
            self._forget(key)
            return None
        trace = manifest.decode(key, data)
        if trace is not None and trace.stage == stage:
            self._note(trace, data, seen)
            return trace
        self._forget(key)
        if manifest.is_newer(data):
            self._tell(
                "Some results were saved by a newer version of curifactory; this version does not use them."
            )
        else:
            self._tell(f"The manifest '{path}' is damaged; it is set aside.")
            self._set_aside(path, data)
        return None

    def _set_aside(self, path: str, data: bytes | None) -> None:
        if not self._index.read_only:
            self._manifests.set_aside(path, data)

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._warn(text)

    def _fill(self, write: Write, since: float | None) -> int:
        return trace_rows.fill(self._manifests, write, since, self._tell)
