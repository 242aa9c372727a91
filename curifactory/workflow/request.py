"""``RunRequest``: everything that can be asked of one run of an experiment, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from curifactory.errors import ConfigurationError

_PASSING = frozenset({"dry", "notebook", "docker", "resumes", "notes", "command"})


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
    changes : tuple of str
        Values of parameters by name, as they are typed: ``n=10``, ``n=10,50``, ``seed=0-4``. Several values multiply the
        sets.
    sweep : str
        How parameters with several values come together: ``product``, ``chain`` or ``zip``.
    repeat : int
        How many times to play all of it.
    use_best : str, optional
        A metric; in a chain the best value of each parameter by it is carried to the next.
    minimize : bool
        Whether less of the metric is better.
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
    trust : bool
        Load what can run code although the store came from elsewhere; it then counts as one's own.
    log : bool
        Keep a log of the run.
    all_loggers : bool, optional
        Keep in the log what other libraries say, too; as the setting says if None.
    store_full : bool
        Keep everything that the run stands on in its folder, which can then be the cache of other runs.
    notebook : bool
        Write a notebook that loads the run when it has ended.
    docker : bool
        Write what an image of the run is built from when it has ended; goes with ``store_full``.
    resumes : str, optional
        Reference of the run that this one finishes.
    notes : str, optional
        Kept with the run.
    executor : str, optional
        Who executes calls: ``serial``, ``processes``, ``dask`` or ``dask://HOST:PORT``.
    jobs : int or str, optional
        How many calls at once, or ``auto`` for as many as there are cores.
    keep_going : bool
        Go on after a call has failed, with all that does not need it.
    retries : int
        How often a failed call is tried again at least.
    timeout_s : float, optional
        After which an execution is stopped, unless its stage says otherwise.
    seed : int, optional
        From which the random numbers of each call follow; in place of the setting.
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
    changes: tuple[str, ...] = ()
    sweep: str = "product"
    repeat: int = 1
    use_best: str | None = None
    minimize: bool = False
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
    trust: bool = False
    log: bool = True
    all_loggers: bool | None = None
    store_full: bool = False
    notebook: bool = False
    docker: bool = False
    resumes: str | None = None
    notes: str | None = None
    executor: str | None = None
    jobs: int | str | None = None
    keep_going: bool = False
    retries: int = 0
    timeout_s: float | None = None
    seed: int | None = None
    command: tuple[str, ...] = ()

    @property
    def asks_for_sweep(self) -> bool:
        """Whether anything is said of other sets than the files have, if only something that contradicts itself.

        Examples
        --------
        >>> (
        ...     RunRequest(experiment="iris").asks_for_sweep,
        ...     RunRequest(experiment="iris", repeat=2).asks_for_sweep,
        ... )
        (False, True)
        """
        return (
            bool(self.changes)
            or self.repeat != 1
            or self.sweep != "product"
            or self.use_best is not None
            or self.minimize
        )

    def following(self) -> RunRequest:
        """Return what is asked of another process of a launch than the first one, which makes all that is kept of the run.

        Examples
        --------
        >>> asked = RunRequest(experiment="iris", notebook=True, jobs=2)
        >>> asked.following() == RunRequest(experiment="iris", report=False)
        True
        """
        return replace(
            self,
            report=False,
            # They execute all that the first one executes for it.
            store_full=self.store_full or self.docker,
            notebook=False,
            docker=False,
            executor=None,
            jobs=None,
        )

    def to_json(self) -> dict[str, Any]:
        """Return as JSON values what has to be asked to do the same again.

        What has no bearing on results is left out: notes, the words that were typed, what is done after the run.
        """
        return {
            each.name: _to_plain(value)
            for each in fields(self)
            if each.name not in _PASSING and (value := getattr(self, each.name)) != each.default
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> RunRequest:
        """Return the request that was written down.

        Raises
        ------
        ConfigurationError
            If it asks for something that this version does not know.

        Examples
        --------
        >>> request = RunRequest(experiment="iris", names=("small",), eager=True)
        >>> request.to_json()
        {'experiment': 'iris', 'names': ['small'], 'eager': True}
        >>> RunRequest.from_json(request.to_json()) == request
        True
        """
        known = {each.name for each in fields(cls)}
        unknown = sorted(set(tree) - known)
        if unknown:
            raise ConfigurationError(
                f"The run was asked for with {', '.join(unknown)}, which this version of curifactory does not know.",
                hint="Use the version that made the run.",
            )
        values = {name: _from_plain(value) for name, value in tree.items()}
        if values.get("cache") is not None:
            values["cache"] = Path(values["cache"])
        return cls(**values)


def _to_plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _from_plain(value: Any) -> Any:
    return tuple(map(_from_plain, value)) if isinstance(value, list) else value
