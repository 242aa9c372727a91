"""Rows of the index about traces: made from manifests, and turned into traces again."""

from __future__ import annotations

import zlib
from datetime import datetime
from sys import intern
from typing import TYPE_CHECKING, Any

from curifactory.core.trace import NO_METADATA, Artifact, Output, StoredFile, Trace, new_tuple
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

SELECT = "SELECT trace, crc, size_bytes, mtime_ns, inode FROM traces WHERE key = ?"
SELECT_LATEST = (
    "SELECT trace, crc, size_bytes, mtime_ns, inode FROM traces WHERE stage = ? ORDER BY made_at DESC LIMIT ?"
)
# What was written together is asked for together: a run reuses its calls in the order in which it made them.
SELECT_NEXT = (
    "SELECT key, trace, crc, size_bytes, mtime_ns, inode FROM traces"
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
    >>> row[2:], read_row("9f", row)[0] == trace
    ((2, 10, 20), True)
    """
    flat = [
        *trace[1:7],
        [_flatten(output, facts) for output in trace.outputs],
        *trace[8:],
    ]
    data = to_json_strictly(flat) if manifest.has_metadata(trace) else to_json(flat)
    return (data, zlib.crc32(data), *seen)


def read_row(key: str, row: Row) -> tuple[Trace, list[tuple[str, Facts]]] | None:
    """Turn a row into its trace, and the stat facts of its files that it holds; None if the row is damaged.

    Examples
    --------
    >>> read_row("k", (b"{}", 0, 2, 10, 20)) is None
    True
    """
    # A checksum is enough to find a page that has rotted since the row was made.
    if row[0].__class__ is not bytes or zlib.crc32(row[0]) != row[1]:
        return None
    facts: list[tuple[str, Facts]] = []
    flat = from_json(row[0])
    stage, code, reads, shown, inputs, overrides, outputs, run, made_at, duration_s, reported = flat
    # What many traces say is one object for all of them.
    made = tuple([_unflatten(output, facts) for output in outputs])
    stage, code, run = intern(stage), intern(code), intern(run)
    parts = (key, stage, code, reads, shown, inputs, overrides, made, run, made_at, duration_s, reported)
    return new_tuple(Trace, parts), facts


def find_file_facts(index: Index) -> dict[str, list[tuple[str, Facts]]]:
    """Return the stat facts that the rows of all traces hold of their files, by the key of the trace.

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
        read = read_row(key, tuple(row))
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


def _flatten(output: Output, facts: Mapping[str, Facts]) -> list[Any]:
    """Write an output as a list, an artifact's parts behind its own, with the stat facts of each file that are known."""
    name, kind, summary, artifact = output
    if artifact is None:
        return [name, kind, summary]
    files = []
    for path, digest, size_bytes, referenced in artifact.files:
        # What the artifact says already is not said again.
        rest = path.removeprefix(artifact.label) if path.startswith(artifact.label) else [path]
        flat = [rest, None if digest == artifact.digest else digest, size_bytes, referenced]
        known = facts.get(path)
        if known is not None and not known.print and known.digest == digest:
            flat += known[1:4]
        files.append(flat)
    return [name, kind, summary, *artifact[:4], files, *artifact[5:]]


def _unflatten(flat: list[Any], facts: list[tuple[str, Facts]]) -> Output:
    if len(flat) == 3:
        return Output(*flat)
    name, kind, summary, own, cacher, cacher_key, digest, files, label, own_kind, own_summary, metadata = flat
    stored = []
    for rest, other, size_bytes, referenced, *seen in files:
        path = label + rest if rest.__class__ is str else rest[0]
        own_digest = digest if other is None else other
        stored.append(new_tuple(StoredFile, (path, own_digest, size_bytes, referenced)))
        if seen:
            facts.append((path, new_tuple(Facts, (own_digest, *seen, "", True))))
    name, kind = intern(name), intern(kind)
    own, own_kind = name if own == name else own, kind if own_kind == kind else own_kind
    metadata, files = metadata or NO_METADATA, tuple(stored)
    cacher, cacher_key = intern(cacher), intern(cacher_key)
    artifact = (own, cacher, cacher_key, digest, files, label, own_kind, own_summary, metadata)
    return new_tuple(Output, (name, kind, summary, new_tuple(Artifact, artifact)))
