"""Files that reportables show: copied when they are reported, so that the originals may go."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection

from curifactory.errors import ReportError


def copy_file(path: str, folder: str, name: str) -> str:
    """Copy a file into the folder of a fragment.

    Parameters
    ----------
    path : str
        The file.
    folder : str
        The fragment's folder.
    name : str
        Name of the copy; the extension of the file, in lower case, is put behind it.

    Returns
    -------
    str
        The whole name of the copy.

    Raises
    ------
    ReportError
        If it cannot be copied.
    """
    file = name + os.path.splitext(path)[1].lower()
    try:
        shutil.copyfile(path, os.path.join(folder, file))
    except OSError as error:
        raise ReportError(
            f"The file '{path}' could not be copied: {error.strerror or error}.",
            hint=f"The path is looked up from {os.getcwd()}.",
        ) from error
    return file


def check_extension(path: str, known: Collection[str], what: str) -> None:
    """Refuse a file that no browser shows.

    Raises
    ------
    ReportError
        If its extension is not among the known ones.

    Examples
    --------
    >>> check_extension("talk.mp3", {".mp3"}, "audio")
    >>> check_extension("talk.doc", {".mp3"}, "audio")
    Traceback (most recent call last):
    curifactory.errors.ReportError: No browser shows 'talk.doc' as audio. Save it as one of .mp3, or show it with FileReporter.
    """
    if os.path.splitext(path)[1].lower() not in known:
        raise ReportError(
            f"No browser shows '{path}' as {what}.",
            hint=f"Save it as one of {', '.join(sorted(known))}, or show it with FileReporter.",
        )
