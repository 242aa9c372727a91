"""``FileReferenceCacher``: paths of files that lie anywhere; their content is part of the artifact."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curifactory.caching.cacheable import Cacheable
from curifactory.errors import CacheError

_FORMAT = 1


class FileReferenceCacher(Cacheable):
    """Saves a path, or a list of paths, of files or folders that must exist; not their bytes.

    A path below the cache folder or the project is remembered relative to that, so that it is found in a copy of the
    project too; any other path is remembered as it is. Used by itself, only the folder of the ``.json`` file counts.
    The stage is made again when a file is changed or missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     image = Path(folder, "image.png")
    ...     _ = image.write_bytes(b"...")
    ...     cacher = FileReferenceCacher(f"{folder}/images.json")
    ...     cacher.save([image])
    ...     cacher.load() == [image]
    True
    """

    extension = ".json"
    lossless = True

    def save(self, obj: Any) -> None:
        """Write down the paths.

        Raises
        ------
        CacheError
            If the value is something else, or a file is missing.
        """
        one = isinstance(obj, (str, Path))
        shape, paths = ("one", [obj]) if one else (type(obj).__name__, obj)
        if not one and type(obj) not in (list, tuple):
            raise self.refusal(
                f"it is of type {type(obj).__qualname__}.",
                hint="Return a path (str or Path), or a list of paths.",
            )
        wrong = [path for path in paths if type(path) is not str and not isinstance(path, Path)]
        if wrong:
            raise self.refusal(f"{wrong[0]!r} is no path (str or Path).")
        missing = [str(path) for path in paths if not os.path.exists(path)]
        if missing:
            raise self.refusal(
                f"{_listed(missing)} {'does' if len(missing) == 1 else 'do'} not exist.",
                hint="Write the files before the stage returns their paths.",
            )
        content = {"format": _FORMAT, "shape": shape, "files": [self._entry(path) for path in paths]}
        with open(self.get_path(), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2, ensure_ascii=False)

    def load(self) -> Any:
        """Return the path or paths, of the types in which they were given.

        Raises
        ------
        CacheError
            If the file is not what ``save`` writes.
        """
        shape, entries = self._read()
        paths: list[str | Path] = []
        for entry in entries:
            path = self._resolve(entry)
            given = entry.get("given")
            # As it was given, as long as that still leads to the same file: not in a copy, nor from another folder.
            text = given if given is not None and os.path.abspath(given) == path else path
            paths.append(Path(text) if entry.get("type") == "Path" else text)
        if shape == "one":
            return paths[0]
        return tuple(paths) if shape == "tuple" else paths

    def references(self) -> list[str]:
        """Return the absolute paths of the files."""
        return [self._resolve(entry) for entry in self._read()[1]]

    def check(self) -> bool:
        """Return whether the list and all its files are there."""
        return super().check() and all(map(os.path.exists, self.references()))

    def _entry(self, path: str | Path) -> dict[str, str]:
        given = str(path)
        absolute = os.path.abspath(given)
        entry = {"path": absolute}
        for name, folder in self._folders():
            if absolute.startswith(os.path.join(folder, "")):
                entry = {"path": os.path.relpath(absolute, folder).replace(os.sep, "/"), "below": name}
                break
        if given != absolute:
            entry["given"] = given
        if isinstance(path, Path):
            entry["type"] = "Path"
        return entry

    def _resolve(self, entry: dict[str, str]) -> str:
        below = entry.get("below")
        if below is None:
            return entry["path"]
        # Read outside of its project: the current folder is the best that can be known of the root.
        folder = dict(self._folders()).get(below, os.getcwd())
        return os.path.normpath(os.path.join(folder, entry["path"]))

    def _folders(self) -> Iterator[tuple[str, str]]:
        if self.placement is None:
            yield "cache", os.path.dirname(os.path.abspath(self.final_path()))
            return
        yield "cache", self.placement.cache_folder
        if self.placement.project_folder is not None:
            yield "project", self.placement.project_folder

    def _read(self) -> tuple[str, list[dict[str, str]]]:
        path = self.get_path()
        try:
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            shape, entries = content["shape"], content["files"]
            if content["format"] != _FORMAT or not all(isinstance(entry["path"], str) for entry in entries):
                raise ValueError("an unknown format")
        except (ValueError, KeyError, TypeError) as error:
            raise CacheError(f"{path} is no list of files: {error}.") from error
        return shape, entries


def _listed(paths: list[str]) -> str:
    shown = ", ".join(f"'{path}'" for path in paths[:3])
    return f"{shown} and {len(paths) - 3} more" if len(paths) > 3 else shown
