"""``PathRef``: a stage that writes its file by itself, at the path that its cacher gives."""

from __future__ import annotations

import os
from typing import Any

from curifactory.caching.cacheable import Cacheable


class PathRef(Cacheable):
    """Saves nothing: the stage writes to ``get_path()`` of its cacher and returns exactly that path.

    The value is the path; what lies there (a file or a folder) is the artifact's content.

    Parameters
    ----------
    *args, **kwargs
        As for :class:`Cacheable`; give ``extension=".csv"`` for a file that needs one.

    Examples
    --------
    In a stage: ``path = record.stage_cachers[0].get_path()``, write to it, ``return path``. By itself:

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = PathRef(f"{folder}/model.bin")
    ...     _ = Path(cacher.get_path()).write_bytes(b"weights")
    ...     cacher.save(cacher.get_path())
    ...     cacher.load() == f"{folder}/model.bin"
    True
    """

    lossless = True

    def save(self, obj: Any) -> None:
        """Check that the value is the path and that something lies there.

        Raises
        ------
        CacheError
            If it is another value, or nothing lies there.
        """
        path = self.final_path()
        if type(obj) is not str or obj != path:
            raise self.refusal(
                f"the stage returned {obj!r}, not {path!r}.",
                hint="Write to the path that record.stage_cachers[…].get_path() gives, and return that very text.",
            )
        if not os.path.exists(path):
            raise self.refusal(f"the stage wrote nothing to {path!r}.")

    def load(self) -> str:
        """Return the path."""
        return self.get_path()

    def references(self) -> list[str]:
        """Return the path: the bytes are the stage's own, never moved."""
        return [self.final_path()]
