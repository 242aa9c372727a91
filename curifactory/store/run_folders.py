"""Which folders of runs there are, by their names alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from curifactory.errors import ConfigurationError
from curifactory.store.reference import Reference, is_reference, number_pattern, safe_experiment


def iter_names(runs_folder: Path) -> Iterator[str]:
    """Give the references of all runs in a folder of runs, in no order.

    Examples
    --------
    >>> list(iter_names(Path("/nowhere")))
    []
    """
    return _walk(os.fspath(runs_folder), "")


def iter_references(runs_folder: Path, experiment: str) -> Iterator[Reference]:
    """Give the references of one experiment's runs, in no order; nothing for a name that no experiment can have.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(f"{folder}/vision/iris_4_2026-11-21-T101500")
    ...     [reference.number for reference in iter_references(Path(folder), "vision/iris")]
    [4]
    """
    try:
        safe = safe_experiment(experiment)
    except ConfigurationError:
        return
    above, _, name = safe.rpartition("/")
    try:
        found = os.listdir(runs_folder / above)
    except (FileNotFoundError, NotADirectoryError):
        return
    for each in found:
        if each.startswith(f"{name}_"):
            reference = Reference.parse(f"{above}/{each}" if above else each)
            if reference is not None and reference.experiment == safe:
                yield reference


def iter_numbers(runs_folder: Path, experiment: str) -> Iterator[int]:
    """Give the numbers of one experiment's runs, in no order, sooner than their references.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(f"{folder}/vision/iris_4_2026-11-21-T101500")
    ...     os.makedirs(f"{folder}/vision/iris_1_7_2026-11-21-T101500")
    ...     list(iter_numbers(Path(folder), "vision/iris"))
    [4]
    """
    try:
        safe = safe_experiment(experiment)
    except ConfigurationError:
        return
    above, _, name = safe.rpartition("/")
    try:
        found = os.listdir(runs_folder / above)
    except (FileNotFoundError, NotADirectoryError):
        return
    for match in filter(None, map(number_pattern(name).fullmatch, found)):
        yield int(match[1])


def _walk(folder: str, prefix: str) -> Iterator[str]:
    """Give what is a run, and look into what is none: it may hold the runs of experiments in folders."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if is_reference(name):
                    yield prefix + name
                elif not name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    yield from _walk(entry.path, f"{prefix}{name}/")
    except (FileNotFoundError, NotADirectoryError):
        return
