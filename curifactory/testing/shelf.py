"""A cache folder for the laws of cachers: saves and loads by the engine's protocol, with nothing else of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curifactory.caching.cacheable import Cacheable
from curifactory.caching.placement import Placement


@dataclass(frozen=True, slots=True)
class Stored:
    """What a save left behind.

    Parameters
    ----------
    label : str
        What the names of the files begin with.
    metadata : str
        The cacher's ``extra_metadata`` as JSON.
    files : dict of str to bytes
        Final path of each file, with its content.
    strays : tuple of str
        Files in the staging folder that were not asked for.
    digest : str or None
        What the cacher's own ``digest`` gave.
    lossless : bool
        What the cacher said of this value.
    """

    label: str
    metadata: str
    files: dict[str, bytes]
    strays: tuple[str, ...]
    digest: str | None
    lossless: bool


class Shelf:
    """Saves values as the engine does: into a staging folder, then by renames into the cache folder.

    Parameters
    ----------
    root : Path
        An empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.cache_folder = root / "data" / "cache"
        self.staging = root / "data" / "staging"
        self.cache_folder.mkdir(parents=True)
        self.staging.mkdir()
        self._count = 0

    def place(
        self, cacher: Cacheable | type[Cacheable], *, output: str = "value"
    ) -> tuple[Cacheable, Placement]:
        """Return a fresh cacher that knows where the files of an output will lie, and its placement."""
        fresh = (cacher() if isinstance(cacher, type) else cacher).fresh()
        folder = str(self.cache_folder)
        placement = Placement(
            "", folder, experiment="laws", params_hash="0" * 32, stage="make", output=output
        )
        placement.label = fresh.label_for(
            experiment=placement.experiment,
            params_hash=placement.params_hash,
            stage=placement.stage,
            output=output,
            params=None,
            cache_folder=folder,
        )
        fresh.place(placement)
        return fresh, placement

    def save(self, cacher: Cacheable | type[Cacheable], value: Any, *, output: str = "value") -> Stored:
        """Save a value; whatever the cacher raises goes on, and the cache folder is as before."""
        fresh, placement = self.place(cacher, output=output)
        self._count += 1
        staging = self.staging / str(self._count)
        staging.mkdir()
        placement.staging = str(staging)
        fresh.save(value)
        digest = fresh.digest(value, list(placement.staged))
        asked_for = {staged: final for staged, final in placement.staged.items() if os.path.exists(staged)}
        strays = tuple(
            str(path.relative_to(staging))
            for path in _iter_files(staging)
            if not any(path == Path(staged) or Path(staged) in path.parents for staged in asked_for)
        )
        files = {}
        for staged, final in asked_for.items():
            os.makedirs(os.path.dirname(final), exist_ok=True)
            for file in _iter_files(Path(staged)):
                files[final + str(file).removeprefix(staged)] = file.read_bytes()
            if os.path.isdir(final):
                shutil.rmtree(final)
            os.replace(staged, final)
        metadata = json.dumps(fresh.extra_metadata)
        return Stored(placement.label, metadata, files, strays, digest, fresh.lossless)

    def load(
        self, cacher: Cacheable | type[Cacheable], stored: Stored, *, redirects: dict[str, str] | None = None
    ) -> Any:
        """Load what was saved, by a cacher that has never seen the value."""
        fresh, placement = self.place(cacher)
        placement.label = stored.label
        placement.redirects = redirects or {}
        fresh.extra_metadata = json.loads(stored.metadata)
        return fresh.load()


def _iter_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path):
        for name in sorted(names):
            yield Path(folder, name)
