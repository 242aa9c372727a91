"""Where things lie: the cache folder, its siblings, and names that are safe in a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

_LONGEST_NAME_BYTES = 200
# Taken out of a name, they leave letters and digits of one that is safe.
_SIGNS = dict.fromkeys(map(ord, "._-~"))


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one store; all bookkeeping are siblings of the cache folder.

    Parameters
    ----------
    cache_folder : Path
        Where artifacts lie, and nothing else; made absolute, links are not followed.

    Examples
    --------
    >>> layout = Layout(Path("/project/data/cache"))
    >>> layout.manifests.as_posix(), layout.index_path.name
    ('/project/data/manifests', 'index.db')
    >>> layout.relative("/project/data/cache/iris_data.csv"), layout.relative("/project/models/net.pt")
    ('iris_data.csv', '../../models/net.pt')
    >>> layout.absolute("../../models/net.pt")
    '/project/models/net.pt'
    """

    cache_folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "cache_folder", Path(os.path.abspath(self.cache_folder)))

    @property
    def cache(self) -> Path:
        """Folder of the artifacts."""
        return self.cache_folder

    @property
    def manifests(self) -> Path:
        """Folder of the traces: a folder for each stage, a file for each key."""
        return self.cache_folder.parent / "manifests"

    @property
    def superseded(self) -> Path:
        """Folder of bytes whose name has passed to others, named by their digests."""
        return self.cache_folder.parent / "superseded"

    @property
    def staging(self) -> Path:
        """Folder of the staging folders."""
        return self.cache_folder.parent / "staging"

    @property
    def trash(self) -> Path:
        """Folder of what garbage collections have taken away, a folder for each."""
        return self.cache_folder.parent / "trash"

    @property
    def lock_path(self) -> Path:
        """The file that is locked: by runs together, by collections alone."""
        return self.cache_folder.parent / "store.lock"

    @property
    def checkpoints(self) -> Path:
        """Folder of what unfinished calls have put down to go on from, a folder for each."""
        return self.cache_folder.parent / "checkpoints"

    @property
    def call_locks_path(self) -> Path:
        """The file of which one byte is locked for each call that is being executed."""
        return self.cache_folder.parent / "calls.lock"

    @property
    def index_path(self) -> Path:
        """The SQLite index over everything else; it can always be rebuilt."""
        return self.cache_folder.parent / "index.db"

    def relative(self, path: str) -> str:
        """Give the form of an absolute path that is stored: relative inside the project, else absolute.

        The project is the folder two above the cache folder; a copied project keeps its meaning then.
        """
        path = os.path.normpath(path)
        cache = os.fspath(self.cache_folder)
        if path.startswith(cache + "/"):
            return path[len(cache) + 1 :]
        project = os.path.dirname(os.path.dirname(cache))
        if project != "/" and path.startswith(project + "/"):
            return os.path.relpath(path, cache)
        return path

    def absolute(self, path: str) -> str:
        """Give the absolute form of a stored path."""
        if path.startswith(("/", "../")) or "/../" in path:
            # Joined as text: a cache folder that is a link must not change what `..` means.
            return os.path.normpath(os.path.join(os.fspath(self.cache_folder), path))
        return f"{self.cache_folder}/{path}"


def safe_name(name: str) -> str:
    """Turn any text into a name for one file or folder that is readable, safe and its own.

    Letters and digits of any script, and ``. _ - ~``, stay; everything else and a leading dot are written as ``%`` and
    hex digits. What would be too long for a file system is cut and ends with a digest.

    Parameters
    ----------
    name : str
        Such as a stage's module-qualified name.

    Returns
    -------
    str
        Never empty, without ``/``, at most 200 bytes long; different texts give different names.

    Examples
    --------
    >>> safe_name("experiments.iris.train_model")
    'experiments.iris.train_model'
    >>> safe_name("notebook:flowers/iris.load"), safe_name("../x")
    ('notebook%3Aflowers%2Firis.load', '%2E.%2Fx')
    """
    safe = name
    if not name.translate(_SIGNS).isalnum():
        safe = "".join(
            sign
            if sign.isalnum() or sign in "._-~"
            else "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "surrogatepass"))
            for sign in name
        )
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if not safe:
        return "%"
    encoded = safe.encode("utf-8")
    if len(encoded) <= _LONGEST_NAME_BYTES:
        return safe
    ending = "%" + blake3(encoded).hexdigest()[:32]
    return encoded[: _LONGEST_NAME_BYTES - len(ending)].decode("utf-8", "ignore") + ending
