"""Which folders of runs there are, by their names alone."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from pathlib import Path

from curifactory.errors import ConfigurationError
from curifactory.store.folder_names import list_names
from curifactory.store.reference import Reference, is_reference, number_pattern, safe_experiment

_RUNS = "runs"


def iter_names(runs_folder: Path | str, known: Container[str] = ()) -> Iterator[str]:
    """Give the references of all runs in a folder of runs, in no order.

    Parameters
    ----------
    runs_folder : Path or str
        The folder.
    known : container of str
        What is known to be references; that is found out sooner.

    Raises
    ------
    StoreError
        If the folder cannot be listed.

    Examples
    --------
    >>> list(iter_names(Path("/nowhere")))
    []
    """
    return _walk(os.fspath(runs_folder), "", known)


def iter_references(runs_folder: Path | str, experiment: str) -> Iterator[Reference]:
    """Give the references of one experiment's runs, in no order; nothing for a name that no experiment can have.

    Raises
    ------
    StoreError
        If the folder cannot be listed.

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
    for each in list_names(os.path.join(runs_folder, above), _RUNS):
        if each.startswith(f"{name}_"):
            reference = Reference.parse(f"{above}/{each}" if above else each)
            if reference is not None and reference.experiment == safe:
                yield reference


def iter_numbers(runs_folder: Path, experiment: str) -> Iterator[int]:
    """Give the numbers of one experiment's runs, in no order, sooner than their references.

    Raises
    ------
    StoreError
        If the folder cannot be listed.

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
    found = list_names(os.path.join(runs_folder, above), _RUNS)
    for match in filter(None, map(number_pattern(name).fullmatch, found)):
        yield int(match[1])


def _walk(folder: str, prefix: str, known: Container[str]) -> Iterator[str]:
    """Give what is a run, and look into what is none: it may hold the runs of experiments in folders."""
    for name in list_names(folder, _RUNS):
        reference = f"{prefix}{name}" if prefix else name
        if reference in known or is_reference(name):
            yield reference
        elif not name.startswith(".") and not os.path.islink(f"{folder}/{name}"):
            yield from _walk(f"{folder}/{name}", f"{reference}/", known)
