"""What the names of an artifact's files begin with, and what a ``path_override`` stands for."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from curifactory.caching.names import safe_name
from curifactory.caching.template import expand_template, template_extension
from curifactory.errors import DefinitionError


def artifact_stem(experiment: str, params_hash: str, stage: str, output: str, *, extension: str) -> str:
    """Return ``EXPERIMENT_HASH_STAGE_OUTPUT`` of safe parts; an extension that the output already has is cut off.

    Examples
    --------
    >>> artifact_stem("iris", "0a1b", "train", "model.pkl", extension=".pkl")
    'iris_0a1b_train_model'
    """
    begin, end = _around_hash(experiment, stage, output, extension)
    return f"{begin}{safe_name(params_hash)}{end}"


@lru_cache(maxsize=4096)
def _around_hash(experiment: str, stage: str, output: str, extension: str) -> tuple[str, str]:
    """Return what stands before and behind the hash in the names of an output's files; each call of its stage asks for it."""
    if extension:
        output = output.removesuffix(extension) or output
    return f"{safe_name(experiment)}_", f"_{safe_name(stage)}_{safe_name(output)}"


def checked_subdir(subdir: str) -> str:
    """Return a folder below the cache folder, of safe parts.

    Raises
    ------
    DefinitionError
        If it is absolute or has ``..``.

    Examples
    --------
    >>> checked_subdir("models/deep/")
    'models/deep'
    """
    parts = subdir.replace(os.sep, "/").split("/")
    if os.path.isabs(subdir) or ".." in parts:
        raise DefinitionError(
            f"subdir {subdir!r} leaves the cache folder.", hint="Use path_override for a file elsewhere."
        )
    return "/".join(safe_name(part) for part in parts if part not in ("", "."))


def override_label(template: str, values: dict[str, Any], *, extension: str) -> str:
    """Return the label that a ``path_override`` stands for: its path without the extension.

    Parameters
    ----------
    template : str
        The ``path_override``.
    values : dict
        Values of the template's keys.
    extension : str
        Extension of the cacher.

    Returns
    -------
    str
        Relative to ``values["cache"]`` with forward slashes, or absolute if it lies elsewhere.

    Raises
    ------
    DefinitionError, CacheError
        As :func:`curifactory.caching.template.expand_template`.

    Examples
    --------
    >>> override_label("{cache}/best/{name}.pkl", {"cache": "/data/cache", "name": "model"}, extension="")
    'best/model'
    """
    path = os.path.abspath(expand_template(template, values))
    path = path.removesuffix(template_extension(template, extension))
    below = os.path.join(values["cache"], "")
    return path.removeprefix(below).replace(os.sep, "/") if path.startswith(below) else path


def record_override(template: str, record: Any, *, name: str, prefix: str | None, extension: str) -> str:
    """Return the path that a ``path_override`` stands for when a cacher is used with a record, outside of a stage.

    Parameters
    ----------
    template : str
        The ``path_override``.
    record : Record
        Whose parameters, experiment and stage are filled in.
    name, prefix, extension
        Those of the cacher.

    Raises
    ------
    DefinitionError, CacheError
        As :func:`curifactory.caching.template.expand_template`.
    """
    manager = record.manager
    experiment, stage = manager.experiment_name, manager.current_stage_name or ""
    params_hash = record.get_hash()
    values = {
        "hash": safe_name(params_hash),
        "cache": str(manager.cache_path).rstrip("/"),
        "stage": stage,
        "name": name,
        "experiment": experiment,
        "artifact_filename": artifact_stem(
            prefix or experiment, params_hash, stage, name, extension=extension
        )
        + extension,
        "params": record.params,
    }
    return expand_template(template, values)
