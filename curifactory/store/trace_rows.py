"""Rows of the index about traces: made from manifests, and turned into traces again."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import TYPE_CHECKING

from curifactory.store import manifest
from curifactory.store.digests import Facts
from curifactory.store.read_sets import INSERT as INSERT_READS
from curifactory.store.read_sets import ReadSet, merge, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from curifactory.core.trace import StoredFile, Trace
    from curifactory.store.database import Row
    from curifactory.store.fillers import Write
    from curifactory.store.manifest_files import ManifestFiles

SELECT = "SELECT manifest, crc, size_bytes, mtime_ns, inode, files FROM traces WHERE key = ?"
INSERT = (
    "INSERT OR REPLACE INTO traces (manifest, crc, size_bytes, mtime_ns, inode, files, key, stage, made_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DELETE = "DELETE FROM traces WHERE key = ?"
NEWEST = "SELECT key FROM traces WHERE stage = ? ORDER BY made_at DESC LIMIT 3"


def make_row(data: bytes, seen: tuple[int, int, int], facts: Mapping[str, Facts], trace: Trace | None) -> Row:
    """Make the part of a row that `SELECT` gives.

    Parameters
    ----------
    data : bytes
        Of the manifest.
    seen : tuple of int
        The manifest's size, mtime and inode.
    facts : mapping of str to Facts
        What is known of the trace's files.
    trace : Trace, optional
        Needed if anything is known.

    Examples
    --------
    >>> make_row(b"{}", (2, 10, 20), {}, None)
    (b'{}', 2745614147, 2, 10, 20, '')
    """
    numbers = ""
    if facts and trace is not None:
        numbers = ";".join(_write_numbers(facts.get(file.path), file) for file in iter_files(trace))
    return (data, zlib.crc32(data), *seen, numbers)


def read_row(key: str, row: Row) -> Trace | None:
    """Turn a row into its trace; None if the row is damaged.

    Examples
    --------
    >>> read_row("k", (b"{}", 0, 2, 10, 20, "")) is None
    True
    """
    # The seal was looked at when the row was made: a checksum is enough to find a page that has rotted since.
    return manifest.decode(key, row[0], is_checked=True) if zlib.crc32(row[0]) == row[1] else None


def read_facts(trace: Trace, numbers: str) -> dict[str, Facts]:
    """Give the stat facts of a trace's files that its row holds.

    Examples
    --------
    >>> from curifactory.core.trace import Trace
    >>> trace = Trace("k", "iris.load", "c", {}, {}, {}, {}, (), "iris_1", "2026-11-21", 0.5)
    >>> read_facts(trace, "")
    {}
    """
    found = {}
    texts = iter(numbers.split(";"))
    for output in trace.outputs:
        if output.artifact is None:
            continue
        for file in output.artifact.files:
            text = next(texts, "")
            if text:
                size_bytes, mtime_ns, inode = text.split(" ")
                found[file.path] = Facts(file.digest, int(size_bytes), int(mtime_ns), int(inode))
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
        heading = manifest.read_heading(key, data)
        if heading is None:
            found[1] += not manifest.is_newer(data)
            continue
        made_at_s = to_seconds(heading.made_at)
        of_stage = sets.setdefault((heading.stage, heading.code), {})
        of_stage[heading.reads] = max(made_at_s, of_stage.get(heading.reads, 0.0))
        found[0] += 1
        yield (*make_row(data, seen, {}, None), key, heading.stage, made_at_s)


def _write_numbers(facts: Facts | None, file: StoredFile) -> str:
    if facts is None or facts.print or facts.digest != file.digest:
        return ""
    return f"{facts.size_bytes} {facts.mtime_ns} {facts.inode}"
