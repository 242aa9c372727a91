"""The parts of which a stage's code consists, with their digests and places: written once for each code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from curifactory.store import manifest
from curifactory.store.layout import safe_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from curifactory.store.manifest_files import ManifestFiles


class CodeParts:
    """Keeps the parts of codes beside the manifests, since many traces have one code.

    Parameters
    ----------
    files : ManifestFiles
        Writes and reads.
    read_only : bool
        Whether no file may be changed, and what is damaged stays where it is.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.store.layout import Layout
    >>> from curifactory.store.manifest_files import ManifestFiles
    >>> with tempfile.TemporaryDirectory() as data:
    ...     parts = CodeParts(ManifestFiles(Layout(Path(data, "cache"))), read_only=False)
    ...     parts.write("iris.load", "c1", {"load": "7d"}, {"load": "iris.py:3"})
    ...     parts.find("iris.load", "c1"), parts.find("iris.load", "c2")
    (({'load': '7d'}, {'load': 'iris.py:3'}), None)
    """

    __slots__ = ("_files", "_read_only", "_written")

    def __init__(self, files: ManifestFiles, *, read_only: bool) -> None:
        self._files = files
        self._read_only = read_only
        self._written: set[tuple[str, str]] = set()

    def write(self, stage: str, code: str, parts: Mapping[str, str], places: Mapping[str, str]) -> None:
        """Write the parts and places of a code, unless they lie there.

        Raises
        ------
        OSError
            If it cannot be done.
        """
        if (stage, code) in self._written:
            return
        path = self._path(stage, code)
        if not os.path.lexists(path):
            body = {"format": manifest.FORMAT, "parts": dict(parts), "places": dict(places)}
            self._files.write(path, manifest.seal(code, body))
        self._written.add((stage, code))

    def find(self, stage: str, code: str) -> tuple[dict[str, str], dict[str, str]] | None:
        """Give the parts and places of a code, or None if they are not there or damaged."""
        path = self._path(stage, code)
        try:
            data, _ = self._files.read(path)
        except OSError:
            return None
        body = manifest.unseal(code, data)
        if body is None:
            if not manifest.is_newer(data):
                if not self._read_only:
                    self._files.set_aside(path, data)
                self._written.discard((stage, code))
            return None
        return body.get("parts", {}), body.get("places", {})

    def _path(self, stage: str, code: str) -> str:
        return self._files.path(stage, f"code-{safe_name(code)}")
