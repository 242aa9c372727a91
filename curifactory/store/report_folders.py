"""What a call reported and logged, kept beside its manifest: sealed when it is written, checked before it is told again."""

from __future__ import annotations

import json
import os

from curifactory.store.digests import digest_bytes, take_facts

SEAL_NAME = "seal.json"
# Of a long film or sound only the size is looked at: to read it would take longer than all the rest of a reused call.
_MOST_READ_BYTES = 4_000_000


def seal_folder(folder: str) -> None:
    """Write down which files a folder has, with size and digest of each, and a digest of that list.

    Parameters
    ----------
    folder : str
        With files only; nothing is written to them afterwards.

    Raises
    ------
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "plot.svg").write_text("<svg>")
    ...     seal_folder(folder)
    ...     before = is_whole(folder)
    ...     _ = Path(folder, "plot.svg").write_text("<gvs>")
    ...     before, is_whole(folder)
    (True, False)
    """
    rows = {}
    for name in sorted(os.listdir(folder)):
        if name != SEAL_NAME:
            facts = take_facts(os.path.join(folder, name))
            rows[name] = [facts.size_bytes, facts.digest]
    text = json.dumps(rows)
    with open(os.path.join(folder, SEAL_NAME), "w", encoding="utf-8") as file:
        json.dump({"files": text, "digest": digest_bytes(text.encode("utf-8", "surrogatepass"))}, file)


def is_whole(folder: str) -> bool:
    """Say whether everything that was sealed is there as it was written."""
    try:
        with open(os.path.join(folder, SEAL_NAME), encoding="utf-8") as file:
            seal = json.load(file)
        if digest_bytes(seal["files"].encode("utf-8", "surrogatepass")) != seal["digest"]:
            return False
        rows = json.loads(seal["files"])
        return all(
            _is_as_written(os.path.join(folder, name), size_bytes, digest)
            for name, (size_bytes, digest) in rows.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _is_as_written(path: str, size_bytes: int, digest: str) -> bool:
    if os.stat(path).st_size != size_bytes:
        return False
    return size_bytes > _MOST_READ_BYTES or take_facts(path).digest == digest
