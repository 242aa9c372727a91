"""Rows of the index about traces: made from manifests, and turned into what reusing a call takes."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

from curifactory.core.trace import NOTHING_SEEN, Artifact, Output, Result, Stats, StoredFile, Trace, new_tuple
from curifactory.errors import StoreError
from curifactory.store import manifest
from curifactory.store.compact_json import from_json, to_json, to_json_strictly
from curifactory.store.digests import Facts
from curifactory.store.journal import store_error
from curifactory.store.read_sets import INSERT as INSERT_READS
from curifactory.store.read_sets import ReadSet, merge, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from curifactory.store.database import Row
    from curifactory.store.fillers import Write
    from curifactory.store.index import Index
    from curifactory.store.manifest_files import ManifestFiles

# A key is found by its end, which is all that the index holds; without the sign SQLite would put the one condition into the other
# and look through all rows.
SELECT = "SELECT result, crc FROM traces WHERE substr(key, -12) = substr(?1, -12) AND +key = ?1"
SELECT_LATEST = "SELECT key, result, crc FROM traces WHERE stage = ? ORDER BY made_at DESC LIMIT ?"
# What was written together is asked for together: a run reuses its calls in the order in which it made them. Given the end of a key,
# since a plan asks once or twice: what it takes to read a statement counts.
SELECT_FROM = (
    "SELECT result, crc, key FROM traces WHERE rowid >= (SELECT rowid FROM traces WHERE substr(key, -12) = ?1)"
    " ORDER BY rowid LIMIT ?2"
)
SELECT_ALL = "SELECT key, result, crc FROM traces"
SELECT_STAGE = "SELECT stage FROM traces WHERE substr(key, -12) = substr(?1, -12) AND +key = ?1"
INSERT = "INSERT OR REPLACE INTO traces (result, crc, key, stage, made_at) VALUES (?, ?, ?, ?, ?)"
DELETE = "DELETE FROM traces WHERE substr(key, -12) = substr(?1, -12) AND +key = ?1"
NEWEST = "SELECT key FROM traces WHERE stage = ? ORDER BY made_at DESC LIMIT 3"
# What turns a row into tuples in C, once somebody has imported that.
_quick_decoder: Callable[[bytes], Result] | None = None


def make_row(trace: Trace, manifest_stats: Stats, facts: Mapping[str, Facts]) -> Row:
    """Make the row of a trace.

    Parameters
    ----------
    trace : Trace
        As its manifest keeps it.
    manifest_stats : tuple of int
        The manifest's size, mtime and inode.
    facts : mapping of str to Facts
        What is known of the trace's files.

    Examples
    --------
    >>> trace = Trace("9f", "iris.load", "c", {}, {}, {}, {}, (), "iris_1", "1970-01-01T00:00:01Z", 0.5)
    >>> row = make_row(trace, (2, 10, 20), {})
    >>> row[2:], read_row("9f", row) == Result.of(trace, (2, 10, 20))
    (('9f', 'iris.load', 1.0), True)
    """
    # Word for word as it is in memory, so that it is read without a step of ours.
    body = Result.of(trace, manifest_stats, _fitting(trace, facts) if facts else NOTHING_SEEN)
    data = to_json_strictly(body) if manifest.has_metadata(trace) else to_json(body)
    # Another number if the row's bytes, or the key beside them, have rotted.
    checksum = crc32(data, crc32(trace.key.encode("utf-8", "surrogatepass")))
    return (data, checksum, trace.key, trace.stage, to_seconds(trace.made_at))


def read_row(key: str, row: Row) -> Result | None:
    """Turn the begin of a row into what reusing its trace takes; None if the row is damaged.

    Examples
    --------
    >>> read_row("9f", (b"{}", 0)) is None
    True
    """
    data = row[0]
    # A checksum is enough to find a page that has rotted since the row was made.
    if data.__class__ is not bytes or crc32(data, crc32(key.encode("utf-8", "surrogatepass"))) != row[1]:
        return None
    # For a few rows the import would cost more.
    if "msgspec" in sys.modules:
        try:
            return (_quick_decoder or read_many())(data)
        except (sys.modules["msgspec"].MsgspecError, UnicodeError):
            pass  # Half a surrogate pair, infinity: the standard library takes more.
    return _from_lists(*from_json(data))


def read_many() -> Callable[[bytes], Result]:
    """Expect so many rows that whatever makes reading them quicker is worth an import, and give that."""
    global _quick_decoder  # noqa: PLW0603 (each row asks for it)
    # Another thread may be importing it: this waits until it has come to its end.
    import msgspec

    decode = _quick_decoder = msgspec.json.Decoder(Result).decode
    return decode


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
        result = read_row(key, tuple(row))
        if result is not None and result.seen:
            found[key] = {
                file.path: Facts(file.digest, *result.seen[file.path])
                for file in iter_files(result)
                if file.path in result.seen
            }
    return found


def iter_files(trace: Trace | Result) -> Iterator[StoredFile]:
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
    """Put traces and read sets into the index from the manifests and give their number; see `Index.add_filler`.

    Raises
    ------
    StoreError
        If a manifest is there and cannot be read, or a folder of them cannot be listed, once all others have been put in.
    """
    if since is None:
        write("DELETE FROM traces", [()])
        write("DELETE FROM read_sets", [()])
    found: list[int] = [0, 0]
    faults: list[StoreError] = []
    sets: dict[tuple[str, str], dict[ReadSet, float]] = {}
    write(INSERT, _iter_rows(files, since, sets, found, faults))
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
    if faults:
        raise faults[0]
    return found[0]


def _iter_rows(
    files: ManifestFiles,
    since: float | None,
    sets: dict[tuple[str, str], dict[ReadSet, float]],
    found: list[int],
    faults: list[StoreError],
) -> Iterator[Row]:
    for key, path in _iter_paths(files, since, faults):
        try:
            data, seen = files.read(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            faults.append(store_error(error, "read the manifest", path))
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
        yield make_row(trace, seen, {})


def _iter_paths(
    files: ManifestFiles, since: float | None, faults: list[StoreError]
) -> Iterator[tuple[str, str]]:
    try:
        yield from files.iter_paths(since)
    except StoreError as error:
        faults.append(error)


def _fitting(trace: Trace, facts: Mapping[str, Facts]) -> dict[str, Stats]:
    """Leave out facts of other bytes than the trace's, and those of folders, which have rows of their own."""
    fitting = {}
    for output in trace.outputs:
        for file in () if output.artifact is None else output.artifact.files:
            known = facts.get(file.path)
            if known is not None and not known.print and known.digest == file.digest:
                fitting[file.path] = (known.size_bytes, known.mtime_ns, known.inode)
    return fitting


def _from_lists(
    run: str,
    reads: list[str],
    outputs: list[Any],
    duration_s: float,
    reported: bool,
    stats: list[int],
    seen: dict[str, list[int]],
) -> Result:
    """Make the tuples of what JSON gives as lists."""
    made: list[Output] = []
    for name, kind, summary, saved in outputs:
        artifact = None
        if saved is not None:
            output, cacher, cacher_key, digest, stored, label, of_type, text, metadata = saved
            files = tuple(
                [
                    new_tuple(StoredFile, (path, content, size_bytes, referenced))
                    for path, content, size_bytes, referenced in stored
                ]
            )
            artifact = new_tuple(
                Artifact, (output, cacher, cacher_key, digest, files, label, of_type, text, metadata)
            )
        made.append(new_tuple(Output, (name, kind, summary, artifact)))
    known = {path: tuple(each) for path, each in seen.items()} if seen else NOTHING_SEEN
    return new_tuple(Result, (run, tuple(reads), tuple(made), duration_s, reported, tuple(stats), known))
