"""What a stage declares in ``depends=``: files and folders by content, packages by version."""

from __future__ import annotations

import hashlib
import os
import sys
from functools import lru_cache

_MISSING = "missing"
_CHUNK_BYTES = 1 << 20

_file_digests: dict[str, tuple[tuple[int, int, int], str]] = {}


def path_digest(path: str) -> str:
    """Return a digest of a file's content, or of all names and contents in a folder.

    A file is read again only if its size, time or place on the disk has changed. A path that is not there has a digest
    too: that it is missing. One with ``*``, ``?`` or ``[`` that is not there itself is a pattern, and has the digest of all
    that fits it, by name and content; ``**`` stands for any number of folders.

    Examples
    --------
    >>> path_digest("/nowhere/at/all")
    'missing'
    """
    if os.path.isdir(path):
        return _folder_digest(path)
    try:
        return _file_digest(path)
    except OSError:
        return _pattern_digest(path) if is_pattern(path) else _MISSING


def is_pattern(path: str) -> bool:
    """Whether a path that names nothing may be a pattern of names.

    Examples
    --------
    >>> is_pattern("tables/*.csv"), is_pattern("tables/a.csv")
    (True, False)
    """
    return any(each in path for each in "*?[") and not os.path.lexists(path)


def _pattern_digest(pattern: str) -> str:
    import glob

    whole = hashlib.sha256(b"pattern")
    fixed = pattern
    while is_pattern(fixed) and os.path.dirname(fixed) != fixed:
        fixed = os.path.dirname(fixed)
    for path in sorted(glob.glob(pattern, recursive=True)):
        relative = os.path.relpath(path, fixed).replace(os.sep, "/").encode("utf-8", "surrogateescape")
        # A folder that fits counts by its name, as it does for who lists what fits.
        content = "folder" if os.path.isdir(path) else path_digest(path)
        whole.update(b"%d:%b%b" % (len(relative), relative, content.encode()))
    return whole.hexdigest()


def _folder_digest(folder: str) -> str:
    whole = hashlib.sha256(b"folder")
    entered = {os.path.realpath(folder)}
    for current, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in list(folders):
            inner = os.path.join(current, name)
            if os.path.islink(inner):
                real = os.path.realpath(inner)
                if real in entered:
                    # A link to what is around it would lead round and round.
                    folders.remove(name)
                    whole.update(f"link {os.path.relpath(inner, folder)}".encode("utf-8", "surrogateescape"))
                entered.add(real)
        for name in sorted(files):
            file = os.path.join(current, name)
            relative = os.path.relpath(file, folder).replace(os.sep, "/").encode("utf-8", "surrogateescape")
            try:
                content = _file_digest(file)
            except OSError:
                content = _MISSING
            whole.update(b"%d:%b%b" % (len(relative), relative, content.encode()))
    return whole.hexdigest()


def _file_digest(path: str) -> str:
    status = os.stat(path)
    stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
    known = _file_digests.get(path)
    if known is not None and known[0] == stamp:
        return known[1]
    import blake3

    whole = blake3.blake3()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            whole.update(chunk)
    digest = str(whole.hexdigest())
    _file_digests[path] = (stamp, digest)
    return digest


@lru_cache(maxsize=256)
def package_version(name: str) -> str | None:
    """Return the version of an installed package, given by its own name or that of a module; None if there is none.

    Examples
    --------
    >>> package_version("no-such-package") is None
    True
    """
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return "python " + ".".join(map(str, sys.version_info[:3]))
    from importlib import metadata

    for candidate in (name, *metadata.packages_distributions().get(top, ())):
        try:
            return metadata.version(candidate)
        except (metadata.PackageNotFoundError, ValueError):
            continue
    version = getattr(sys.modules.get(top), "__version__", None)
    return str(version) if version is not None else None
