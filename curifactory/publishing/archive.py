"""Folders as zip files that are the same, byte by byte, whenever and wherever they are written."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from curifactory.publishing.whole_file import made_whole

_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE = 0o100644
_PROGRAM = 0o100755
_PACKED = (
    ".zip",
    ".npz",
    ".png",
    ".jpg",
    ".jpeg",
    ".gz",
    ".parquet",
    ".mp4",
    ".webm",
    ".mp3",
    ".xlsx",
    ".bz2",
    ".xz",
)


def write_zip(folder: Path, target: Path, *, top: str = "") -> Path:
    """Put everything in a folder into a zip file; links are followed.

    Parameters
    ----------
    folder : Path
        The folder.
    target : Path
        The file; it appears when it is whole, in place of one that was there.
    top : str
        Folder within the zip file that everything lies in, so that unpacking it strews no files about.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
    ...     _ = Path(folder, "a.txt").write_text("text")
    ...     with zipfile.ZipFile(write_zip(Path(folder), Path(other, "all.zip"), top="run")) as archive:
    ...         archive.namelist()
    ['run/a.txt']
    """
    with made_whole(target) as partial, zipfile.ZipFile(partial, "w", allowZip64=True) as archive:
        for path in list_files(folder):
            name = f"{top}/{path}" if top else path
            _add(archive, name, folder / path)
    return target


def list_files(folder: Path) -> list[str]:
    """Return the paths of all files below a folder, relative to it and sorted.

    Examples
    --------
    >>> list_files(Path("/nowhere"))
    []
    """
    found = [
        os.path.relpath(os.path.join(parent, name), folder).replace(os.sep, "/")
        for parent, _, names in os.walk(folder, followlinks=True)
        for name in names
    ]
    return sorted(found)


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3
    info.external_attr = (_PROGRAM if os.access(path, os.X_OK) else _FILE) << 16
    info.compress_type = zipfile.ZIP_STORED if name.lower().endswith(_PACKED) else zipfile.ZIP_DEFLATED
    info.file_size = path.stat().st_size
    with path.open("rb") as source, archive.open(info, "w") as member:
        while block := source.read(1 << 20):
            member.write(block)
