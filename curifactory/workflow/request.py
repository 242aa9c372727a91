"""``RunRequest``: everything that can be asked of one run of an experiment, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run and how. The command builds one from its words; a program writes one down.

    Parameters
    ----------
    experiment : str
        Dotted name below the experiments folder.
    parameter_files : tuple of str
        Names of parameter files or experiments; none means the experiment's own.
    names : tuple of str
        Keep the parameter sets with these names.
    indices, global_indices : tuple of str
        Keep sets by position, in each file or over all files together: ``"3"`` or ``"2-5"`` (5 excluded).
    overwrite : bool
        Execute every call, whatever could be reused.
    overwrite_stages : tuple of str
        Execute these stages.
    cache : Path, optional
        Cache folder in place of the project's.
    prefix : str, optional
        Begins file names in place of the experiment's name.
    dry : bool
        Write nothing at all.
    dry_cache : bool
        Read the cache, write nothing into it; the run is recorded.
    lazy, ignore_lazy : bool
        Treat every output as ``Lazy``, or none.
    eager : bool
        Execute each call when ``run()`` makes it.
    report : bool
        Draw a report at the end.
    notes : str, optional
        Kept with the run.
    command : tuple of str
        The words that were typed, for the record.

    Examples
    --------
    >>> RunRequest(experiment="iris", overwrite=True).parameter_files
    ()
    """

    experiment: str
    parameter_files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()
    global_indices: tuple[str, ...] = ()
    overwrite: bool = False
    overwrite_stages: tuple[str, ...] = ()
    cache: Path | None = None
    prefix: str | None = None
    dry: bool = False
    dry_cache: bool = False
    lazy: bool = False
    ignore_lazy: bool = False
    eager: bool = False
    report: bool = True
    notes: str | None = None
    command: tuple[str, ...] = ()
