"""``Task``: records of a sweep one at a time, so that what comes next can depend on the results so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curifactory.core.record import Record
from curifactory.errors import ConfigurationError
from curifactory.manager.manager import ArtifactManager
from curifactory.parameters.sweeps import make_sweep
from curifactory.parameters.variations import Kind, Variation, iter_variations
from curifactory.workflow.scores import choose_best
from curifactory.workflow.sweep_facts import describe_choice, describe_sweep


class Task:
    """A sweep over one parameter set in a session: it makes the records, and the person calls stages on them.

    Parameters
    ----------
    manager : ArtifactManager
        The session.
    params : ExperimentParameters
        The set that is varied.

    Attributes
    ----------
    variations : list of Variation
        The sets of the records so far, with what varies.

    Examples
    --------
    >>> import tempfile
    >>> from dataclasses import dataclass
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> @dataclass
    ... class Params(ExperimentParameters):
    ...     n: int = 1
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manager = ArtifactManager("proto", dry=True, quiet=True, cache_path=f"{folder}/cache")
    ...     task = Task(manager, Params())
    ...     for record in task.product(n=[10, 20]):
    ...         record.log({"score": -record.params.n})
    ...     [record.params.name for record in manager.records]
    ['n=10', 'n=20']
    """

    def __init__(self, manager: ArtifactManager, params: Any) -> None:
        self.manager = manager
        self.params = params
        self.variations: list[Variation] = []

    def product(
        self, changes: Mapping[str, Any] | None = None, /, *, repeat: int = 1, **more: Any
    ) -> Iterator[Record]:
        """Yield a record for each combination of values; the last parameter varies fastest.

        Parameters
        ----------
        changes, repeat, **more
            As of :func:`curifactory.parameters.product`.
        """
        return self._iter_records("product", {**(changes or {}), **more}, repeat)

    def zipped(
        self, changes: Mapping[str, Any] | None = None, /, *, repeat: int = 1, **more: Any
    ) -> Iterator[Record]:
        """Yield a record for the first values of all parameters, for the second ones, and so on.

        Parameters
        ----------
        changes, repeat, **more
            As of :func:`curifactory.parameters.product`.
        """
        return self._iter_records("zip", {**(changes or {}), **more}, repeat)

    def chain(
        self,
        changes: Mapping[str, Any] | None = None,
        /,
        *,
        use_best: str | None = None,
        minimize: bool = False,
        repeat: int = 1,
        **more: Any,
    ) -> Iterator[Record]:
        """Yield records that vary one parameter after the other.

        Parameters
        ----------
        changes, repeat, **more
            As of :func:`curifactory.parameters.product`.
        use_best : str, optional
            A metric that records log, or an output that is a number. The value with the best of it is carried to the
            records of all later parameters; of equal ones the first.
        minimize : bool
            Whether less is better.

        Raises
        ------
        ConfigurationError
            If ``minimize`` is given without a metric.
        """
        if minimize and use_best is None:
            raise ConfigurationError(
                "minimize says that less of a metric is better.", hint="Give use_best='loss', too."
            )
        return self._iter_records("chain", {**(changes or {}), **more}, repeat, use_best, minimize)

    def _iter_records(
        self,
        kind: Kind,
        changes: Mapping[str, Any],
        repeat: int,
        use_best: str | None = None,
        minimize: bool = False,
    ) -> Iterator[Record]:
        # Made here, so that what is faulty is told where the sweep is written and not where it is gone through.
        sweep = make_sweep(self.params, kind, changes, repeat=repeat)
        carried: list[tuple[str, Any]] = []

        def best(name: str, made: Sequence[Variation]) -> Variation | None:
            chosen = choose_best(self.manager, made, use_best or "", minimize=minimize)
            if chosen is not None:
                carried.append((name, chosen.values[name]))
            return chosen

        def records() -> Iterator[Record]:
            here: list[Variation] = []
            indices: list[int] = []

            def describe() -> dict[str, Any]:
                facts = describe_sweep(sweep, here, indices)
                if use_best is not None:
                    facts |= describe_choice(use_best, carried, minimize=minimize)
                return facts

            place = self.manager.keep_sweep(describe())
            try:
                for each in iter_variations(self.params, sweep, best=best if use_best else None):
                    self.variations.append(each)
                    here.append(each)
                    record = Record(self.manager, each.params)
                    indices.append(record.index)
                    yield record
            finally:
                # Of a sweep that is left early, or in which a stage has raised, as far as it went.
                self.manager.keep_sweep(describe(), place)

        return records()
