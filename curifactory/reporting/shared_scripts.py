"""Scripts that all reports share: plotly's, taken once from its wheel into ``reports/_assets``."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil

SHARED = "_assets"
_VERSION = re.compile(rb"plotly\.js v(\d[\w.]{0,30})")


def share_plotly(reports_folder: str) -> str | None:
    """Put the script that draws charts where all pages find it.

    Its version is part of its name: a report keeps the one that it was drawn with.

    Parameters
    ----------
    reports_folder : str
        Where the reports lie.

    Returns
    -------
    str or None
        Address from that folder; None if plotly is not there, and pages show what they have without it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    source = find_plotly()
    if source is None:
        return None
    folder = os.path.join(reports_folder, SHARED)
    name = f"plotly-{_read_version(source)}.min.js"
    target = os.path.join(folder, name)
    if not _is_like(target, source):
        os.makedirs(folder, exist_ok=True)
        partial = f"{target}.{os.getpid()}"
        try:
            shutil.copyfile(source, partial)
            os.replace(partial, target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(partial)
    return f"{SHARED}/{name}"


def find_plotly() -> str | None:
    """Give the path of the script in plotly's package, which is not imported for that."""
    try:
        spec = importlib.util.find_spec("plotly")
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    path = os.path.join(spec.submodule_search_locations[0], "package_data", "plotly.min.js")
    return path if os.path.isfile(path) else None


def _read_version(path: str) -> str:
    with open(path, "rb") as stream:
        found = _VERSION.search(stream.read(500))
    return found[1].decode("ascii") if found else "unknown"


def _is_like(target: str, source: str) -> bool:
    try:
        return os.path.getsize(target) == os.path.getsize(source)
    except FileNotFoundError:
        return False
