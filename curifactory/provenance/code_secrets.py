"""Finds secrets that are written into code, so that no copy of them is kept with a run."""

from __future__ import annotations

import os
import re
from pathlib import Path

from curifactory.core.secrets import holds_secret, shows_secret

_ENTRY_SUFFIXES = (".yaml", ".yml", ".ini", ".cfg", ".conf", ".properties")
# `name: value` and `name = value` of files whose texts need no quotes; a line of a patch begins with a sign.
_ENTRY = re.compile(
    r"^[+ -]?\s*(?:-\s+)?(?P<name>[\w.-]+)\s*[:=]\s+(?P<value>[^\s#|>&*{\[].*)$", re.MULTILINE
)
_SECTION = b"diff --git "


def text_shows_secret(text: str, name: str) -> bool:
    """Say whether a secret stands in a file of this name, or in a part of a patch for it.

    Examples
    --------
    >>> text_shows_secret("password: hunter2", "db.yaml"), text_shows_secret("password: str", "db.py")
    (True, False)
    """
    if shows_secret(text):
        return True
    if not name.lower().endswith(_ENTRY_SUFFIXES):
        return False
    # What other programs put in when they read the file is no secret yet.
    return any(
        holds_secret(entry["name"], entry["value"]) and not entry["value"].startswith(("$", "!", "null", "~"))
        for entry in _ENTRY.finditer(text)
    )


def file_shows_secret(path: str) -> bool:
    """Say whether a secret stands in a file.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        return text_shows_secret(file.read(), os.path.basename(path))


def find_secret_paths(patch: Path) -> list[str]:
    """Return the files whose part of a patch shows a secret; context and removed lines count too.

    Parameters
    ----------
    patch : Path
        As git writes it, without renames.
    """
    found = []
    sections = patch.read_bytes().split(b"\n" + _SECTION)
    for section in sections:
        head, _, body = section.removeprefix(_SECTION).partition(b"\n")
        path = _path_of(head)
        if text_shows_secret(body.decode("utf-8", "replace"), path):
            found.append(path)
    return found


def _path_of(head: bytes) -> str:
    r"""Return the path in the head of a section, ``a/x b/x``; git quotes names with control characters.

    Examples
    --------
    >>> _path_of(b"a/my file.py b/my file.py"), _path_of(b'"a/x\\ty.py" "b/x\\ty.py"')
    ('my file.py', 'x\ty.py')
    """
    half = head[: (len(head) - 1) // 2]
    if half.startswith(b'"'):
        half = half[1:-1].decode("unicode_escape").encode("latin-1")
    return os.fsdecode(half.removeprefix(b"a/"))
