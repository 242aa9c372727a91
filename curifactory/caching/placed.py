"""The part of a cacher that knows where its files lie: in a stage, with a record, or at a path of its own."""

from __future__ import annotations

import os
from typing import Any

from curifactory.caching.inline_save import InlineSave
from curifactory.caching.labels import artifact_stem, override_label, record_override
from curifactory.caching.names import safe_name
from curifactory.caching.placement import Placement
from curifactory.caching.template import template_extension
from curifactory.errors import CacheError


class Placed:
    """Paths of a cacher; see :class:`curifactory.caching.Cacheable` for the arguments that they are made of."""

    path_override: str | None = None
    name: str | None = None
    subdir: str | None = None
    prefix: str | None = None
    extension: str = ""
    record: Any = None
    track: bool = True

    stage: str | None
    placement: Placement | None
    cache_paths: list[str]
    _saving: InlineSave | None

    def get_path(self, suffix: str | None = None) -> str:
        """Return the path to write to or read from; use it unchanged.

        Parameters
        ----------
        suffix : str, optional
            Stands in place of the extension, such as ``"_index.json"`` for a second file.

        Raises
        ------
        CacheError
            If there is neither a stage, a record nor a ``path_override``, or the suffix is a path.
        """
        final = self.final_path(suffix)
        if final not in self.cache_paths:
            self.cache_paths.append(final)
        if self.placement is not None:
            return self.placement.current_path(final)
        return final if self._saving is None else self._saving.stage(final)

    def get_dir(self, suffix: str | None = None) -> str:
        """Return a folder to write into or read from; it exists when this returns.

        Parameters
        ----------
        suffix : str, optional
            Stands in place of the extension.

        Raises
        ------
        CacheError
            As :meth:`get_path`.
        """
        path = self.get_path(suffix)
        os.makedirs(path, exist_ok=True)
        return path

    def final_path(self, suffix: str | None = None) -> str:
        """Return the path under which the file will be known, also while it is being saved elsewhere.

        Parameters
        ----------
        suffix : str, optional
            As in :meth:`get_path`.

        Raises
        ------
        CacheError
            As :meth:`get_path`.
        """
        if suffix and ("/" in suffix or os.sep in suffix or "\0" in suffix):
            raise CacheError(
                f"{type(self).__qualname__}: the suffix {suffix!r} is a path.",
                hint="Use get_dir() for a folder of files.",
            )
        if self.placement is not None:
            if suffix is None:
                suffix = self.extension if self.path_override is None else self._path_extension()
            return self.placement.final_path(suffix)
        if self.path_override is not None:
            path = self.path_override
            if self.record is not None:
                path = record_override(
                    path, self.record, name=self.name or "", prefix=self.prefix, extension=self.extension
                )
            return path if suffix is None else path.removesuffix(self._path_extension()) + suffix
        if self.name is None or self.record is None:
            raise CacheError(
                f"{type(self).__qualname__} does not know where its file lies.",
                hint="Use it in a stage, or give it a path, or a name and a record.",
            )
        stem = self.name.removesuffix(self.extension)
        path = stem + (self.extension if suffix is None else suffix)
        return str(self.record.get_path(path, subdir=self.subdir, prefix=self.prefix, track=self.track))

    def check(self) -> bool:
        """Return whether the file is there and not to be overwritten; for use outside of stages."""
        overwrite = getattr(getattr(self.record, "params", None), "overwrite", False)
        return not overwrite and os.path.exists(self.get_path())

    def place(self, placement: Placement) -> None:
        """Say where the files lie; from now on :meth:`get_path` answers by this.

        Parameters
        ----------
        placement : Placement
            Where to save to (``staging`` is set) or to load from.
        """
        self.placement = placement
        self.stage = placement.stage
        if self.name is None:
            self.name = placement.output

    def set_record(self, record: Any) -> None:
        """Say to which record the value belongs."""
        self.record = record

    def label_for(
        self, *, experiment: str, params_hash: str, stage: str, output: str, params: Any, cache_folder: str
    ) -> str:
        """Return what the names of the files begin with, before any extension.

        Parameters
        ----------
        experiment, params_hash, stage, output : str
            The parts of the name.
        params : object
            The parameter set, for templates.
        cache_folder : str
            Absolute path of the cache folder.

        Returns
        -------
        str
            Relative to the cache folder with forward slashes; absolute for a ``path_override`` elsewhere.

        Raises
        ------
        DefinitionError
            If ``path_override`` is a template with unknown keys.
        CacheError
            If a parameter in the template cannot be part of a path.

        Examples
        --------
        >>> names = {"experiment": "iris", "params_hash": "0a1b", "stage": "train", "output": "model"}
        >>> from curifactory.caching import Cacheable
        >>> Cacheable(subdir="models").label_for(**names, params=None, cache_folder="/data/cache")
        'models/iris_0a1b_train_model'
        """
        output = self.name or output
        stem = artifact_stem(self.prefix or experiment, params_hash, stage, output, extension=self.extension)
        if self.path_override is None:
            return f"{self.subdir}/{stem}" if self.subdir else stem
        values = {
            "hash": safe_name(params_hash),
            "cache": cache_folder.rstrip("/"),
            "stage": stage,
            "name": output,
            "experiment": experiment,
            "artifact_filename": stem + self.extension,
            "params": params,
        }
        return override_label(self.path_override, values, extension=self.extension)

    def _path_extension(self) -> str:
        if self.path_override is None:
            return self.extension
        if self.placement is None and self.record is None:
            return os.path.splitext(self.path_override)[1]
        return template_extension(self.path_override, self.extension)
