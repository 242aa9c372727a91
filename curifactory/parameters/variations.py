"""Variations: the sets that a sweep makes of one, each with the values that it has of its own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

from curifactory.errors import ParameterError
from curifactory.parameters.sets import REPEAT
from curifactory.parameters.updates import faults_error, update
from curifactory.parameters.variation_names import Namer

Kind = Literal["product", "chain", "zip"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Sweep:
    """Over what a set is multiplied.

    Parameters
    ----------
    kind : str
        ``product``, ``zip``, or ``chain``: one parameter after the other, the others as they are.
    fixed : mapping of str to Any
        Changes that all sets have.
    varying : mapping of str to tuple
        Values of each parameter that varies; one that is written twice counts once.
    repeat : int
        How many times all is played.

    Examples
    --------
    >>> Sweep("product", {}, {"n": (1, 2), "seed": (0, 1, 2)}).count
    6
    """

    kind: Kind = "product"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    varying: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    repeat: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ParameterError(f"'{self.kind}' is no kind of sweep.", hint=f"There are {', '.join(KINDS)}.")
        if not isinstance(self.repeat, int) or isinstance(self.repeat, bool) or self.repeat < 1:
            raise ParameterError(f"repeat is {self.repeat!r}; it is how many times, 1 or more.")
        faults = [(name, "it has no values") for name, values in self.varying.items() if not values]
        if self.kind == "zip" and len({len(values) for values in self.varying.values()}) > 1:
            told = ", ".join(f"{name} has {len(values)}" for name, values in self.varying.items())
            faults.append(("", f"side by side, parameters have as many values each: {told}"))
        if faults:
            raise faults_error(faults, ParameterError)

    @property
    def count(self) -> int:
        """How many sets are made of one."""
        sizes = [len(values) for values in self.varying.values()]
        if not sizes:
            return self.repeat
        once = {"product": math.prod(sizes), "chain": sum(sizes), "zip": sizes[0]}[self.kind]
        return once * self.repeat


class Variation(NamedTuple):
    """One set of a sweep.

    Parameters
    ----------
    params : Any
        The set.
    values : mapping of str to Any
        What varies, and its value here.
    repeat : int
        Which repetition it is, from 0.
    base : str
        Name of the set that was multiplied.
    """

    params: Any
    values: Mapping[str, Any]
    repeat: int
    base: str


#: Chooses, of the sets that one parameter was varied over, the best one; None if that cannot be known.
Best = Callable[[str, Sequence[Variation]], Variation | None]


def iter_variations(
    base: Any, sweep: Sweep, *, best: Best | None = None, keep_name: bool = False
) -> Iterator[Variation]:
    """Yield the sets of a sweep one at a time.

    Parameters
    ----------
    base : Any
        The set that is multiplied.
    sweep : Sweep
        Over what.
    best : callable, optional
        Of a chain: is asked at the end of each parameter which of its sets was the best; its value is carried on.
    keep_name : bool
        Whether the name of the base begins those of its variations.

    Raises
    ------
    ParameterError
        If a name or value is faulty.

    Examples
    --------
    >>> [
    ...     each.values
    ...     for each in iter_variations({"n": 1, "k": 2}, Sweep("chain", {}, {"n": (1, 5), "k": (3, 4)}))
    ... ]
    [{'n': 1}, {'n': 5}, {'k': 3}, {'k': 4}]
    """
    namer = Namer(base, sweep.varying, keep_name=keep_name or "name" in sweep.fixed)
    if best is None or sweep.kind != "chain":
        yield from (_vary(base, sweep, values, repeat, namer) for values, repeat in _iter_changes(sweep))
        return
    for repeat in range(sweep.repeat):
        yield from _iter_chain(base, sweep, repeat, namer, best)


def make_variations(base: Any, sweep: Sweep, *, keep_name: bool = False) -> list[Variation]:
    """Return all sets of a sweep at once.

    Raises
    ------
    ParameterError
        With the faults of all of them.

    Examples
    --------
    >>> [each.params for each in make_variations({"n": 1}, Sweep("product", {}, {"n": (1, 5)}))]
    [{'n': 1}, {'n': 5}]
    """
    namer = Namer(base, sweep.varying, keep_name=keep_name or "name" in sweep.fixed)
    made: list[Variation] = []
    faults: dict[tuple[str, str], None] = {}
    kinds: set[type[ParameterError]] = set()
    for each in _iter_changes(sweep):
        try:
            made.append(_vary(base, sweep, *each, namer))
        except ParameterError as error:
            faults.update(dict.fromkeys(error.faults))
            kinds.add(type(error))
            if len(faults) >= _MOST_FAULTS:
                break
    if faults:
        raise faults_error(faults, kinds.pop() if len(kinds) == 1 else ParameterError)
    return made


def _iter_changes(sweep: Sweep) -> Iterator[tuple[dict[str, Any], int]]:
    for repeat in range(sweep.repeat):
        if sweep.kind == "chain" and sweep.varying:
            yield from (({name: value}, repeat) for name, values in sweep.varying.items() for value in values)
        else:
            pick = zip if sweep.kind == "zip" else itertools.product
            rows: Iterable[tuple[Any, ...]] = pick(*sweep.varying.values()) if sweep.varying else [()]
            yield from ((dict(zip(sweep.varying, row, strict=True)), repeat) for row in rows)


def _iter_chain(base: Any, sweep: Sweep, repeat: int, namer: Namer, best: Best) -> Iterator[Variation]:
    carried: dict[str, Any] = {}
    last = list(sweep.varying)[-1]
    for name, values in sweep.varying.items():
        made = []
        for value in values:
            variation = _vary(base, sweep, {name: value, **carried}, repeat, namer)
            made.append(variation)
            yield variation
        # Of sets that nobody can tell apart the first one is kept.
        if name != last:
            carried[name] = (best(name, made) or made[0]).values[name]


def _vary(base: Any, sweep: Sweep, values: Mapping[str, Any], repeat: int, namer: Namer) -> Variation:
    changes = {**sweep.fixed, **values}
    name = namer.name_of(values, repeat, changes.get("name"))
    if name is not None:
        changes["name"] = name
    params, _ = update(base, changes)
    if repeat:
        mark_repeat(params, repeat)
    return Variation(params, dict(values), repeat, namer.base)


def mark_repeat(params: Any, repeat: int) -> None:
    """Note on a set which repetition it is.

    A set that has slots only, as attrs makes them, has no room for it: its class becomes one that says so.

    Parameters
    ----------
    params : Any
        The set, which nobody else has yet.
    repeat : int
        From 1.
    """
    try:
        object.__setattr__(params, REPEAT, repeat)
    except AttributeError:
        cls: Any = type(params)
        object.__setattr__(params, "__class__", _repeated_class(cls, repeat))


@lru_cache(maxsize=1024)
def _repeated_class(cls: Any, repeat: int) -> type:
    def reduce(self: Any) -> Any:
        names = (name for each in cls.__mro__ for name in vars(each).get("__slots__", ()))
        values = {
            name: getattr(self, name) for name in names if name != "__weakref__" and hasattr(self, name)
        }
        return _rebuild, (cls, repeat, values)

    same = {name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__")}
    made: Any = type(cls)(
        cls.__name__, (cls,), {**same, "__slots__": (), REPEAT: repeat, "__reduce__": reduce}
    )
    # Whoever looks at what an instance holds, to identify it, is to see it among the slots.
    made.__slots__ = (REPEAT,)
    repeated: type = made
    return repeated


def _rebuild(cls: type, repeat: int, values: Mapping[str, Any]) -> Any:
    params: Any = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(params, name, value)
    mark_repeat(params, repeat)
    return params
