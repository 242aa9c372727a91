"""Zip archives whose bytes depend on their content alone: every entry has the same date."""

from __future__ import annotations

import os
import re
import zipfile

# The first moment that a zip archive can hold.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PROPERTIES = "docProps/core.xml"
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def fixed_entry(name: str, *, compression: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    """Return the header of an entry without a date of its own.

    Parameters
    ----------
    name : str
        Name of the entry in the archive.
    compression : int
        One of the constants of :mod:`zipfile`.

    Examples
    --------
    >>> fixed_entry("a.npy").date_time
    (1980, 1, 1, 0, 0, 0)
    """
    entry = zipfile.ZipInfo(name, date_time=_EPOCH)
    entry.compress_type = compression
    entry.external_attr = 0o644 << 16
    return entry


def fix_zip_dates(path: str) -> None:
    """Write an archive anew with fixed dates: of its entries, and in the properties of an office document.

    Parameters
    ----------
    path : str
        The archive, which nobody else reads yet.
    """
    rewritten = f"{path}.fixed"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(rewritten, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == _PROPERTIES:
                data = _STAMP.sub(b"1980-01-01T00:00:00Z", data)
            target.writestr(fixed_entry(entry.filename, compression=entry.compress_type), data)
    os.replace(rewritten, path)
