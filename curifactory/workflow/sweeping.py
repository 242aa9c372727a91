"""The changes and sweeps of a request, applied to the parameter sets that it has chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from curifactory.errors import ConfigurationError, ParameterError
from curifactory.manager.manager import ArtifactManager
from curifactory.parameters.arguments import read_changes
from curifactory.parameters.sweeps import typed_sweep
from curifactory.parameters.updates import faults_error
from curifactory.parameters.variations import Kind, Sweep, Variation, iter_variations, make_variations
from curifactory.project.selection import SelectedSet
from curifactory.workflow.request import RunRequest
from curifactory.workflow.scores import choose_best
from curifactory.workflow.sweep_facts import describe_choice, describe_sweep


@dataclass(slots=True)
class Swept:
    """What became of the chosen sets.

    Parameters
    ----------
    request : RunRequest
        What was asked.
    bases : list of (SelectedSet, Sweep)
        Each chosen set with that over which it is multiplied.
    variations : list of Variation
        The sets that are known so far, in their order.
    carried : list of (str, Any)
        The best values that were carried on.
    place : int, optional
        Which of the sweeps of its run it is, once that keeps it.
    """

    request: RunRequest
    bases: list[tuple[SelectedSet, Sweep]]
    variations: list[Variation] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    carried: list[tuple[str, Any]] = field(default_factory=list)
    place: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether which sets there are depends on results."""
        return self.request.use_best is not None

    @property
    def count(self) -> int:
        """How many sets there are in the end."""
        return sum(sweep.count for _, sweep in self.bases)

    @property
    def sets(self) -> list[SelectedSet]:
        """The sets that are known so far."""
        return [
            SelectedSet(each.params, file) for each, file in zip(self.variations, self.files, strict=True)
        ]

    def make_all(self) -> None:
        """Make all sets at once.

        Raises
        ------
        ParameterError
            With all faults.
        """
        many = len(self.bases) > 1
        for chosen, sweep in self.bases:
            made = make_variations(chosen.params, sweep, keep_name=many)
            self.variations += made
            self.files += [chosen.file] * len(made)

    def expect_sets(self) -> list[SelectedSet]:
        """Return the sets that there will be, with the first value of each parameter in place of the best one."""
        many = len(self.bases) > 1
        return [
            SelectedSet(each.params, chosen.file)
            for chosen, sweep in self.bases
            for each in iter_variations(chosen.params, sweep, best=lambda name, made: None, keep_name=many)
        ]

    def iter_open(self, manager: ArtifactManager, *, planning: bool) -> Iterator[Any]:
        """Yield one set after the other; the best value of each parameter is carried on when its sets are through."""
        metric, minimize = self.request.use_best or "", self.request.minimize
        many = len(self.bases) > 1

        def best(name: str, made: Sequence[Variation]) -> Variation | None:
            chosen = None if planning else choose_best(manager, made, metric, minimize=minimize)
            if chosen is not None:
                self.carried.append((name, chosen.values[name]))
            return chosen

        for chosen, sweep in self.bases:
            for each in iter_variations(chosen.params, sweep, best=best, keep_name=many):
                self.variations.append(each)
                self.files.append(chosen.file)
                yield each.params

    def keep(self, manager: ArtifactManager) -> None:
        """Keep with a run what is known of the sweep by now."""
        self.place = manager.keep_sweep(self.to_json(), self.place)

    def to_json(self) -> dict[str, Any]:
        """Return the sweep as it is kept with the run: what varies, in which order, and what each set has of it."""
        told = describe_sweep(self.bases[0][1], self.variations)
        if self.is_open:
            told |= describe_choice(self.request.use_best, self.carried, minimize=self.request.minimize)
        return told


class OpenSets(Sequence[Any]):
    """Parameter sets of which the later ones depend on results: each is made when it is asked for.

    Parameters
    ----------
    swept : Swept
        Says which sets there are.
    manager : ArtifactManager
        The run whose results count.
    planning : bool
        Whether nothing is executed, so that the first value of each parameter has to stand for the best one.
    """

    def __init__(self, swept: Swept, manager: ArtifactManager, *, planning: bool) -> None:
        self._swept = swept
        self._coming = swept.iter_open(manager, planning=planning)
        self._made: list[Any] = []

    def __len__(self) -> int:
        return self._swept.count

    @overload
    def __getitem__(self, position: int) -> Any: ...
    @overload
    def __getitem__(self, position: slice) -> list[Any]: ...
    def __getitem__(self, position: int | slice) -> Any:
        if isinstance(position, slice):
            return [self[at] for at in range(*position.indices(len(self)))]
        at = position + len(self) if position < 0 else position
        if not 0 <= at < len(self):
            raise IndexError(f"there are {len(self)} parameter sets, and none at {position}")
        while len(self._made) <= at:
            self._made.append(next(self._coming))
        return self._made[at]


def sweep_sets(chosen: Sequence[SelectedSet], request: RunRequest) -> Swept | None:
    """Apply the changes of a request to the sets that it has chosen; None if it changes nothing.

    Parameters
    ----------
    chosen : sequence of SelectedSet
        The sets as their files have them.
    request : RunRequest
        Says what to change and over what to multiply.

    Raises
    ------
    ParameterError
        With all faults of names and values, of all sets.
    ConfigurationError
        If what is asked contradicts itself.
    """
    _check(request)
    if not request.changes and request.repeat == 1:
        return None
    kind: Kind = request.sweep  # type: ignore[assignment] # checked by Sweep itself
    bases: list[tuple[SelectedSet, Sweep]] = []
    faults: dict[tuple[str, str], None] = {}
    kinds: set[type[ParameterError]] = set()
    for each in chosen:
        try:
            changes = read_changes(each.params, request.changes)
            bases.append((each, typed_sweep(kind, changes, repeat=request.repeat)))
        except ParameterError as error:
            if not error.faults:
                raise
            faults.update(dict.fromkeys(error.faults))
            kinds.add(type(error))
    if faults:
        raise faults_error(faults, kinds.pop() if len(kinds) == 1 else ParameterError)
    swept = Swept(request, bases)
    if not swept.is_open:
        swept.make_all()
    return swept


def _check(request: RunRequest) -> None:
    if request.use_best is not None and request.sweep != "chain":
        raise ConfigurationError(
            "--use-best carries the best value of each parameter to the next, which only a chain has.",
            hint="Add --chain.",
        )
    if request.minimize and request.use_best is None:
        raise ConfigurationError(
            "--minimize says that less is better, of --use-best METRIC.", hint="Give both."
        )
    if request.sweep != "product" and not request.changes:
        raise ConfigurationError(
            f"--{request.sweep} goes with changes of parameters, as in n=10,50 seed=0-4."
        )
