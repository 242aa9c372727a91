"""The ``_metadata.json`` beside an artifact, for cachers that are used without a stage."""

from __future__ import annotations

import json
from typing import Any

from curifactory.caching.inline_save import InlineSave
from curifactory.caching.placed import Placed
from curifactory.errors import CacheError


class Sidecar(Placed):
    """The part of a cacher that writes and reads its metadata file.

    Stages keep ``extra_metadata`` by themselves and bring it back before ``load``; a cacher that is meant for use without
    one calls :meth:`save_metadata` in its ``save`` and :meth:`load_metadata` in its ``load``.
    """

    metadata: dict[str, Any]
    extra_metadata: dict[str, Any]

    def collect_metadata(self) -> dict[str, Any]:
        """Return what :meth:`save_metadata` writes: whose value this is (with a record), and ``extra``."""
        collected: dict[str, Any] = {}
        if self.record is not None and self.placement is None:
            collected["artifact_name"] = self.name
            collected["cacher_type"] = type(self).__qualname__
            collected["params_name"] = getattr(self.record.params, "name", None)
            collected["params_hash"] = self.record.get_hash()
        collected["extra"] = self.extra_metadata
        return collected

    def save_metadata(self) -> None:
        """Write ``extra_metadata`` to ``<path without extension>_metadata.json``."""
        self.metadata = self.collect_metadata()
        if self._saving is not None or self.placement is not None:
            self._write_metadata()
            return
        self._saving = saving = InlineSave()
        try:
            self._write_metadata()
            saving.commit()
        finally:
            self._saving = None
            saving.abandon()

    def load_metadata(self) -> dict[str, Any]:
        """Read what :meth:`save_metadata` wrote into ``metadata`` and ``extra_metadata``.

        Returns
        -------
        dict
            ``metadata``; unchanged if there is no such file.

        Raises
        ------
        CacheError
            If the file is not what :meth:`save_metadata` writes.
        """
        path = self.get_path("_metadata.json")
        try:
            with open(path, encoding="utf-8") as file:
                metadata = json.load(file)
            extra = metadata.get("extra", {})
        except FileNotFoundError:
            return self.metadata
        except (ValueError, AttributeError) as error:
            raise CacheError(f"{path} is no metadata file: {error}.") from error
        self.metadata, self.extra_metadata = metadata, extra
        return self.metadata

    def _write_metadata(self) -> None:
        with open(self.get_path("_metadata.json"), "w", encoding="utf-8") as file:
            json.dump(self.metadata, file, indent=2, ensure_ascii=False, default=str)
