"""Where the files of one artifact lie: the engine's word to a cacher."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Placement:
    """Where a cacher finds or puts the files of one output of one call.

    While a value is saved, ``staging`` is a folder of this artifact alone: each path that the cacher asks for lies
    below it, and ``staged`` remembers which name each is meant for. Otherwise the final paths are given out, or what
    ``redirects`` has for them.

    Parameters
    ----------
    label : str
        What the artifact's paths begin with, without extension: relative to the cache folder with forward slashes,
        or absolute when a ``path_override`` lies elsewhere.
    cache_folder : str
        Absolute path of the cache folder.
    staging : str, optional
        Absolute path of an existing, empty folder; given only while the value is saved.
    staged : dict of str to str
        Path below the staging folder to the final path of each file or folder that was asked for.
    redirects : dict of str to str
        Final path to the path where its bytes lie now.
    project_folder : str, optional
        Absolute path of the project's root; references below it survive that the project is copied.
    experiment, params_hash, stage, output : str
        Values of a ``path_override`` template.
    params : object, optional
        The parameter set, for ``{params.…}`` in a template.
    write : callable, optional
        Writes all bytes (second argument) of a staged path (first) and takes their digest on the way; see
        :meth:`Cacheable.write_bytes`.

    Examples
    --------
    >>> placement = Placement("iris_0a1b_train_model", "/data/cache")
    >>> placement.final_path(".pkl")
    '/data/cache/iris_0a1b_train_model.pkl'
    """

    label: str
    cache_folder: str
    staging: str | None = None
    staged: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    project_folder: str | None = None
    experiment: str = ""
    params_hash: str = ""
    stage: str = ""
    output: str = ""
    params: Any = None
    write: Callable[[str, bytes], None] | None = None

    def final_path(self, suffix: str) -> str:
        """Return the path that the label and a suffix name, whether or not anything lies there."""
        label = self.label
        return f"{label}{suffix}" if label[:1] == "/" else f"{self.cache_folder}/{label}{suffix}"

    def current_path(self, final: str) -> str:
        """Return the path to use now instead of a final one: staged, redirected, or the same.

        Parameters
        ----------
        final : str
            What :meth:`final_path` gave.
        """
        if self.staging is None:
            return self.redirects.get(final, final)
        if self.label[:1] == "/":
            staged = os.path.join(self.staging, os.path.basename(final))
        else:
            staged = f"{self.staging}/{final.removeprefix(self.cache_folder).lstrip('/')}"
            if "/" in self.label:
                os.makedirs(os.path.dirname(staged), exist_ok=True)
        self.staged[staged] = final
        return staged
