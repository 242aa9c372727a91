"""Rows of the index about traces: made from manifests, and turned into traces again."""

from __future__ import annotations

import sys
import zlib
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from curifactory.core.trace import Artifact, Output, StoredFile, Trace
from curifactory.store import manifest
from curifactory.store.compact_json import from_json, to_json, to_json_strictly
from curifactory.store.digests import Facts
from curifactory.store.read_sets import INSERT as INSERT_READS
from curifactory.store.read_sets import ReadSet, merge, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from curifactory.store.database import Row
    from curifactory.store.fillers import Write
    from curifactory.store.index import Index
    from curifactory.store.manifest_files import ManifestFiles

Found = tuple[Trace, dict[str, Facts]]

SELECT = "SELECT trace, crc, size_bytes, mtime_ns, inode FROM traces WHERE key = ?"
SELECT_LATEST = (
    "SELECT trace, crc, size_bytes, mtime_ns, inode FROM traces WHERE stage = ? ORDER BY made_at DESC LIMIT ?"
)
# What was written together is asked for together: a run reuses its calls in the order in which it made them.
SELECT_NEXT = (
    "SELECT trace, crc, size_bytes, mtime_ns, inode, key FROM traces"
    " WHERE rowid > (SELECT rowid FROM traces WHERE key = ?) ORDER BY rowid LIMIT ?"
)
SELECT_ALL = "SELECT key, trace, crc, size_bytes, mtime_ns, inode FROM traces"
INSERT = (
    "INSERT OR REPLACE INTO traces (trace, crc, size_bytes, mtime_ns, inode, key, stage, made_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
DELETE = "DELETE FROM traces WHERE key = ?"
NEWEST = "SELECT key FROM traces WHERE stage = ? ORDER BY made_at DESC LIMIT 3"


def make_row(trace: Trace, seen: tuple[int, int, int], facts: Mapping[str, Facts]) -> Row:
    """Make the part of a row that `SELECT` gives.

    Parameters
    ----------
    trace : Trace
        As its manifest keeps it.
    seen : tuple of int
        The manifest's size, mtime and inode.
    facts : mapping of str to Facts
        What is known of the trace's files.

    Examples
    --------
    >>> trace = Trace("9f", "iris.load", "c", {}, {}, {}, {}, (), "iris_1", "2026-11-21", 0.5)
    >>> row = make_row(trace, (2, 10, 20), {})
    >>> row[2:], read_row(row)[0] == trace
    ((2, 10, 20), True)
    """
    # Word for word as they are in memory, so that they are read without a step of ours.
    body = (trace, _fitting(trace, facts) if facts else facts)
    data = to_json_strictly(body) if manifest.has_metadata(trace) else to_json(body)
    return (data, zlib.crc32(data), *seen)


def read_row(row: Row) -> Found | None:
    """Turn a row into its trace, and the stat facts of its files that it holds; None if the row is damaged.

    Examples
    --------
    >>> read_row((b"{}", 0, 2, 10, 20)) is None
    True
    """
    data = row[0]
    # A checksum is enough to find a page that has rotted since the row was made.
    if data.__class__ is not bytes or zlib.crc32(data) != row[1]:
        return None
    # For a few rows the import would cost more.
    if "msgspec" in sys.modules:
        try:
            return _get_quick_decoder()(data)
        except (sys.modules["msgspec"].MsgspecError, UnicodeError):
            pass  # Half a surrogate pair, infinity: the standard library takes more.
    return _from_lists(from_json(data))


def read_many() -> None:
    """Expect so many rows that whatever makes reading them quicker is worth an import."""
    _get_quick_decoder()


def find_file_facts(index: Index) -> dict[str, dict[str, Facts]]:
    """Return the stat facts that the rows of all traces hold of their files by path, by the key of the trace.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.store.index import Index
    >>> with tempfile.TemporaryDirectory() as folder, Index(Path(folder, "index.db")) as index:
    ...     find_file_facts(index)
    {}
    """
    found = {}
    for key, *row in index.lookup_all(SELECT_ALL):
        read = read_row(tuple(row))
        if read is not None and read[1]:
            found[key] = read[1]
    return found


def iter_files(trace: Trace) -> Iterator[StoredFile]:
    """List the files of all artifacts of a trace."""
    for output in trace.outputs:
        if output.artifact is not None:
            yield from output.artifact.files


def to_seconds(made_at: str) -> float:
    """Turn a time as a trace has it into seconds since 1970; 0 if it is none.

    Examples
    --------
    >>> to_seconds("1970-01-01T01:00:00+01:00"), to_seconds("")
    (0.0, 0.0)
    """
    try:
        return datetime.fromisoformat(made_at).timestamp()
    except ValueError:
        return 0.0


def fill(files: ManifestFiles, write: Write, since: float | None, tell: Callable[[str], None]) -> int:
    """Put traces and read sets into the index from the manifests and give their number; see `Index.add_filler`."""
    if since is None:
        write("DELETE FROM traces", [()])
        write("DELETE FROM read_sets", [()])
    found: list[int] = [0, 0]
    sets: dict[tuple[str, str], dict[ReadSet, float]] = {}
    write(INSERT, _iter_rows(files, since, sets, found))
    for (stage, code), seen in sets.items():
        newest = sorted(seen, key=lambda names: (-seen[names], names))
        at_s = 0.0
        rows = []
        for names in merge(newest):
            # A union that no trace has is as old as the set before it.
            at_s = seen.get(names, at_s - 1e-6)
            rows.append((stage, code, to_text(names), at_s))
        write(INSERT_READS, rows)
    if found[1]:
        tell(f"{found[1]} damaged manifests were left out of the index.")
    return found[0]


def _iter_rows(
    files: ManifestFiles,
    since: float | None,
    sets: dict[tuple[str, str], dict[ReadSet, float]],
    found: list[int],
) -> Iterator[Row]:
    for key, path in files.iter_paths(since):
        try:
            data, seen = files.read(path)
        except OSError:
            found[1] += 1
            continue
        trace = manifest.decode(key, data)
        if trace is None:
            found[1] += not manifest.is_newer(data)
            continue
        made_at_s = to_seconds(trace.made_at)
        reads = tuple(sorted(trace.reads))
        of_stage = sets.setdefault((trace.stage, trace.code), {})
        of_stage[reads] = max(made_at_s, of_stage.get(reads, 0.0))
        found[0] += 1
        yield (*make_row(trace, seen, {}), key, trace.stage, made_at_s)


def _fitting(trace: Trace, facts: Mapping[str, Facts]) -> dict[str, Facts]:
    """Leave out facts of other bytes than the trace's, and those of folders, which have rows of their own."""
    fitting = {}
    for file in iter_files(trace):
        known = facts.get(file.path)
        if known is not None and not known.print and known.digest == file.digest:
            fitting[file.path] = known
    return fitting


@cache
def _get_quick_decoder() -> Callable[[bytes], Found]:
    # Another thread may be importing it: this waits until it has come to its end.
    import msgspec

    return msgspec.json.Decoder(tuple[Trace, dict[str, Facts]]).decode


def _from_lists(body: Any) -> Found:
    """Make the tuples of what JSON gives as lists."""
    (*before, outputs, run, made_at, duration_s, reported), facts = body
    made = tuple([_output_from_lists(*output) for output in outputs])
    trace = Trace._make([*before, made, run, made_at, duration_s, reported])
    return trace, {path: Facts(*known) for path, known in facts.items()}


def _output_from_lists(name: str, kind: str, summary: str, artifact: list[Any] | None) -> Output:
    if artifact is None:
        return Output(name, kind, summary)
    artifact[4] = tuple([StoredFile(*file) for file in artifact[4]])
    return Output(name, kind, summary, Artifact(*artifact))
