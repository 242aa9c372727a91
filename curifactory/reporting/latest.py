"""``reports/_latest``: the way to the newest report, for bookmarks."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from urllib.parse import quote

from curifactory.reporting.pages import render_page

LATEST = "_latest"
_TIME = re.compile(r"_(\d{4}-\d{2}-\d{2}-T\d{6})$")


def point_latest(reports_folder: str, reference: str) -> None:
    """Let ``_latest`` lead to a report, unless it leads to that of a later run.

    It is a link to the report's folder; where links cannot be made, a folder whose page leads on.

    Raises
    ------
    OSError
        If neither can be written.
    """
    place = os.path.join(reports_folder, LATEST)
    current = find_latest(reports_folder)
    if current is not None and _time_of(current) > _time_of(reference):
        return
    partial = os.path.join(reports_folder, f".{LATEST}-{os.getpid()}")
    _remove(partial)
    try:
        os.symlink(reference, partial, target_is_directory=True)
    except (OSError, NotImplementedError):
        os.makedirs(partial)
        page = render_page("latest.html", reference=reference, address=quote(reference))
        with open(os.path.join(partial, "index.html"), "w", encoding="utf-8") as stream:
            stream.write(page)
        with open(os.path.join(partial, "reference.txt"), "w", encoding="utf-8") as stream:
            stream.write(reference)
    if not os.path.islink(place) or not os.path.islink(partial):
        _remove(place)
    os.replace(partial, place)


def find_latest(reports_folder: str) -> str | None:
    """Give the reference that ``_latest`` leads to, or None if it leads to no report."""
    place = os.path.join(reports_folder, LATEST)
    reference = None
    with contextlib.suppress(OSError, ValueError):
        if os.path.islink(place):
            reference = os.readlink(place).replace(os.sep, "/")
        else:
            with open(os.path.join(place, "reference.txt"), encoding="utf-8") as stream:
                reference = stream.read().strip()
    if reference and os.path.isfile(os.path.join(reports_folder, reference, "index.html")):
        return reference
    return None


def forget_latest(reports_folder: str) -> None:
    """Take ``_latest`` away, for there is no report any more.

    Raises
    ------
    OSError
        If that cannot be done.
    """
    _remove(os.path.join(reports_folder, LATEST))


def _time_of(reference: str) -> str:
    found = _TIME.search(reference)
    return found.group(1) if found else ""


def _remove(path: str) -> None:
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)
