"""The trace store: what finished calls read and made, committed whole or not at all, and found by key."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from curifactory.core.trace import Result, Trace
from curifactory.store import manifest, trace_rows
from curifactory.store.code_parts import CodeParts
from curifactory.store.digests import INODE_BITS
from curifactory.store.faults import cache_error
from curifactory.store.journal import store_error
from curifactory.store.manifest_files import ManifestFiles
from curifactory.store.near_folders import holding_near
from curifactory.store.read_sets import ReadSet, ReadSets
from curifactory.store.report_folders import is_whole
from curifactory.store.rows_ahead import RowsAhead
from curifactory.store.trace_rows import make_row, read_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from curifactory.core.trace import Stats
    from curifactory.store.artifacts import ArtifactFiles
    from curifactory.store.database import Row
    from curifactory.store.fillers import Write
    from curifactory.store.index import Index
    from curifactory.store.layout import Layout

_MOST_KEPT = 4_096
# Traces that many calls share are asked for in turn; each of the others is asked for once.
_MOST_KNOWN = 256


class TraceStore:
    """Keeps traces as manifests, and finds them by one look-up in the index.

    Traces come back as a manifest keeps them: digests of what was read are cut by `manifest.shorten`. Of a trace the index has what
    reusing a call takes; the rest is read from its manifest when somebody asks.

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
        "_ahead", "_code_parts", "_files", "_fresh", "_index", "_known", "_manifests", "_misses",
        "_missing", "_newest", "_read_sets", "_told", "_used", "_warn",
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
        self._warn = warn or logging.getLogger("curifactory").warning
        self._manifests = ManifestFiles(layout, durable=durable)
        self._read_sets = ReadSets(index)
        # Rows that were asked for, and what those are that were so twice.
        self._used: dict[str, Row] = {}
        self._known: dict[str, Result] = {}
        # Rows that the index may not have yet.
        self._fresh: dict[str, Row] = {}
        self._ahead = RowsAhead(index)
        # The newest trace of a stage, None if there was none.
        self._newest: dict[str, Trace | None] = {}
        self._code_parts = CodeParts(self._manifests, read_only=index.read_only)
        self._told: set[str] = set()
        self._misses = False
        # The key whose manifest was looked for last, if it was not there.
        self._missing: str | None = None
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
        try:
            self._code_parts.write(trace.stage, trace.code, parts, places)
            # Who holds the call's lock has looked already.
            may_be_there = report_folder is None and trace.key != self._missing
            if may_be_there and os.access(path, os.F_OK) and self._is_like(trace, data):
                # Whoever has brought it may not have told the index.
                self._read_sets.add(trace.stage, trace.code, trace.reads)
                return
            if report_folder is not None:
                beside = self._manifests.path(trace.stage, trace.key, ".report")
                if os.path.isdir(beside) and not is_whole(beside):
                    self._manifests.set_aside_folder(beside)
                self._manifests.put_folder(report_folder, beside)
            seen = self._manifests.write(path, data)
        except OSError as error:
            raise cache_error(error, "save what the call read and made") from error
        self._note(trace, data, seen)
        self._newest[trace.stage] = trace
        self._read_sets.add(trace.stage, trace.code, trace.reads)

    def find(self, key: str, *, stage: str | None = None) -> Trace | None:
        """Read the trace of a key from its manifest, or None; one that is damaged is set aside, in one line.

        Parameters
        ----------
        key : str
            Identity of the call.
        stage : str, optional
            Its stage; without it only traces are found that the index knows.
        """
        if stage is None:
            row = self._fresh.get(key)
            place = row[3:] if row is not None else self._index.lookup(trace_rows.SELECT_STAGE, (key,))
            stage = None if place is None else str(place[0])
        found = None if stage is None else self._read(stage, key)
        return None if found is None else found[0]

    def find_result(self, key: str, stage: str) -> Result | None:
        """Find what reusing a call takes, or None, by the index; whether the manifest is what it was is looked at each time.

        One that the index does not know, as another process has just written it, is read.
        """
        path, near = self._manifests.reach(stage, key)
        # Whatever the index says, no trace is where no manifest lies; and of one that lies there this is asked anyway.
        # After one miss the next is likely, and then this is quicker: there is no exception to catch.
        if self._misses and not os.access(path, os.F_OK, dir_fd=near):
            self._miss(key)
            return None
        try:
            status = os.stat(path, dir_fd=near)
        except FileNotFoundError:
            self._miss(key)
            return None
        except OSError:
            return self._learn(stage, key)
        self._misses = False
        result = self._known.get(key)
        if result is None:
            used, ahead = self._used, self._ahead
            row = ahead.rows.pop(key, None) or self._fresh.get(key) or used.get(key) or ahead.look_up(key)
            result = None if row is None else read_row(key, row)
            if row is None or result is None:
                return self._learn(stage, key)
            if len(used) >= _MOST_KNOWN:
                used.clear()
                self._known.clear()
            # What a row is turned into is kept once somebody has asked twice: most are asked for once.
            if key in used:
                self._known[key] = result
            used[key] = row
        if (status.st_size, status.st_mtime_ns, status.st_ino & INODE_BITS) == result.manifest:
            return result
        return self._learn(stage, key)

    @contextmanager
    def reading(self, expected: int = 0) -> Iterator[None]:
        """Find many traces in the block, more quickly, above all if it is known how many are to be expected.

        Those that other processes write meanwhile may not be seen.
        """
        self._ahead.expect(expected)
        looking = (self._manifests,) if self._files is None else (self._manifests, self._files)
        with self._index.reading(), holding_near(*looking, looks=expected):
            yield

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

    def find_first(self, stage: str, keys: Iterable[str]) -> Trace | None:
        """Find the first trace that is there of some of a stage; the keys are read no further than to that one."""
        return next(filter(None, (self.find(key, stage=stage) for key in keys)), None)

    def newest(self, stage: str) -> Trace | None:
        """Find the newest trace of a stage. Only for explanations: it decides nothing, and is that of a while ago."""
        if stage not in self._newest:
            keys = (key for (key,) in self._index.query(trace_rows.NEWEST, (stage,)))
            self._newest[stage] = self.find_first(stage, keys)
        newest = self._newest[stage]
        return None if newest is None else manifest.as_kept(newest)

    def parts_of(self, stage: str, code: str) -> tuple[dict[str, str], dict[str, str]] | None:
        """Give the parts and places of a code fingerprint, or None if they are not there or damaged."""
        return self._code_parts.find(stage, code)

    def report_folder(self, stage: str, key: str) -> str | None:
        """Give the absolute path of the fragments and metrics of a stage's trace, or None if there are none."""
        path = self._manifests.path(stage, key, ".report")
        return path if os.path.isdir(path) else None

    def has_whole_report(self, stage: str, key: str) -> bool:
        """Say whether what a call reported lies there as it was written; what is damaged is set aside when it is replaced."""
        return is_whole(self._manifests.path(stage, key, ".report"))

    def manifest_path(self, trace: Trace) -> str:
        """Give the absolute path of a trace's manifest."""
        return self._manifests.path(trace.stage, trace.key)

    def iter_traces(self) -> Iterator[Trace]:
        """Read all manifests, in no order; those that are not whole are left out.

        Raises
        ------
        StoreError
            If one is there and cannot be read, or a folder of them cannot be listed: what it knows of must not be taken for waste.
        """
        for key, path in self._manifests.iter_paths():
            try:
                data, _ = self._manifests.read(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise store_error(error, "read the manifest", path) from error
            trace = manifest.decode(key, data)
            if trace is not None:
                yield trace

    def is_there(self, key: str, stage: str) -> bool:
        """Say whether a manifest lies there, whatever is in it."""
        is_there = os.access(self._manifests.path(stage, key), os.F_OK)
        self._missing = None if is_there else key
        return is_there

    def rebuild(self) -> int:
        """Forget what the index knows of traces, read all manifests, and return how many there are.

        Raises
        ------
        StoreError
            If one is there and cannot be read, or a folder of them cannot be listed; the index is then as it was.
        """
        self._known.clear()
        self._used.clear()
        self._ahead.rows.clear()
        self._fresh.clear()
        self._newest.clear()
        return self._index.refill("traces")

    def _is_like(self, trace: Trace, data: bytes) -> bool:
        """Say whether the trace that has this key made the same; what lies there if not is replaced."""
        old, new = self.find_result(trace.key, trace.stage), manifest.decode(trace.key, data)
        return (
            old is not None and new is not None and (old.outputs, old.reported) == (new.outputs, new.reported)
        )

    def _note(self, trace: Trace, data: bytes, seen: Stats) -> None:
        """Put a trace whose manifest lies there into memory and the index."""
        if manifest.has_metadata(trace):
            # They may come back as others than they were: a tuple as a list.
            trace = manifest.decode(trace.key, data, is_checked=True) or trace
        key, fresh = trace.key, self._fresh
        row = make_row(trace, seen, {} if self._files is None else self._files.remembered)
        if len(fresh) >= _MOST_KEPT:
            # What is not in memory has to be in the index.
            self._index.flush()
            fresh.clear()
        fresh[key] = row
        self._known.pop(key, None)
        self._used.pop(key, None)
        self._ahead.rows.pop(key, None)
        self._index.execute(trace_rows.INSERT, row)

    def _miss(self, key: str) -> None:
        self._misses = True
        if key in self._used or key in self._fresh:
            self._forget(key)

    def _forget(self, key: str) -> None:
        for kept in (self._known, self._used, self._ahead.rows, self._fresh):
            kept.pop(key, None)
        self._index.execute(trace_rows.DELETE, (key,))

    def _learn(self, stage: str, key: str) -> Result | None:
        """Read a manifest, whatever the index says of it, and tell the index."""
        if (found := self._read(stage, key)) is None:
            return None
        self._note(*found)
        return Result.of(found[0], found[2])

    def _read(self, stage: str, key: str) -> tuple[Trace, bytes, Stats] | None:
        """Read a manifest; one that is not there, or damaged, the index is to forget."""
        path = self._manifests.path(stage, key)
        try:
            data, seen = self._manifests.read(path)
        except (FileNotFoundError, NotADirectoryError):
            self._forget(key)
            return None
        except OSError as error:
            self._tell(f"The manifest '{path}' cannot be read ({error.strerror}); it is set aside.")
            self._set_aside(path, None)
            self._forget(key)
            return None
        trace = manifest.decode(key, data)
        if trace is not None and trace.stage == stage:
            return trace, data, seen
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
