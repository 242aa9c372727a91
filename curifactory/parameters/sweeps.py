"""Sweeps for ``get_params()``: sets multiplied over values as a product, one parameter by one, or side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from curifactory.parameters.names import resolve_name, value_at
from curifactory.parameters.variation_names import is_same
from curifactory.parameters.variations import Kind, Sweep, make_variations

_SCALARS = (str, bytes, Mapping, Enum, type)


def product(
    base: Any, changes: Mapping[str, Any] | None = None, /, *, repeat: int = 1, **more: Any
) -> list[Any]:
    """Return a set for each combination of values; the last parameter varies fastest.

    Parameters
    ----------
    base : ExperimentParameters or sequence of them
        What is multiplied.
    changes : mapping of str to Any, optional
        Values by name, as :func:`update` knows names: one value is the same for all sets, several (a list, a ``range``,
        a :class:`Range`) vary.
    repeat : int
        How many times to play all of it; the sets of repetitions differ by their ``repeat_index``.
    **more
        Further changes.

    Raises
    ------
    ParameterError
        With all faults of names and values.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> @dataclass
    ... class Params(ExperimentParameters):
    ...     n: int = 1
    ...     seed: int = 0
    >>> [params.name for params in product(Params(), n=[10, 50], seed=range(2))]
    ['n=10,seed=0', 'n=10,seed=1', 'n=50,seed=0', 'n=50,seed=1']
    """
    return _multiply("product", base, {**(changes or {}), **more}, repeat)


def chain(
    base: Any, changes: Mapping[str, Any] | None = None, /, *, repeat: int = 1, **more: Any
) -> list[Any]:
    """Return sets that vary one parameter after the other, the others as the base has them.

    To carry the best value of each parameter to the next, results have to be looked at: see :class:`curifactory.Task`.

    Parameters
    ----------
    base, changes, repeat, **more
        As of `product`.

    Raises
    ------
    ParameterError
        With all faults of names and values.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> @dataclass
    ... class Params(ExperimentParameters):
    ...     n: int = 1
    ...     seed: int = 0
    >>> [params.name for params in chain(Params(), n=[10, 50], seed=range(2))]
    ['n=10', 'n=50', 'seed=0', 'seed=1']
    """
    return _multiply("chain", base, {**(changes or {}), **more}, repeat)


def zipped(
    base: Any, changes: Mapping[str, Any] | None = None, /, *, repeat: int = 1, **more: Any
) -> list[Any]:
    """Return sets with the first values of all parameters, the second ones, and so on.

    Parameters
    ----------
    base, changes, repeat, **more
        As of `product`.

    Raises
    ------
    ParameterError
        With all faults; if parameters have different numbers of values, too.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> @dataclass
    ... class Params(ExperimentParameters):
    ...     n: int = 1
    ...     seed: int = 0
    >>> [params.name for params in zipped(Params(), n=[10, 50], seed=[1, 2])]
    ['n=10,seed=1', 'n=50,seed=2']
    """
    return _multiply("zip", base, {**(changes or {}), **more}, repeat)


def make_sweep(base: Any, kind: Kind, changes: Mapping[str, Any], *, repeat: int = 1) -> Sweep:
    """Tell values that are the same for all sets from those that vary.

    A value with one element is fixed, one with several varies. Where the old value is a list itself, a list of lists
    varies, and a list of anything else is one value.

    Examples
    --------
    >>> sweep = make_sweep({"n": 1, "sizes": [1]}, "product", {"n": range(3), "sizes": [7]})
    >>> sweep.fixed, sweep.varying
    ({'sizes': [7]}, {'n': (0, 1, 2)})
    """
    fixed: dict[str, Any] = {}
    varying: dict[str, tuple[Any, ...]] = {}
    for name, given in changes.items():
        values = _values_of(base, name, given)
        if values is None:
            fixed[name] = given
        elif len(values) == 1:
            fixed[name] = values[0]
        else:
            varying[name] = values
    return Sweep(kind, fixed, varying, repeat)


def typed_sweep(kind: Kind, changes: Mapping[str, Sequence[Any]], *, repeat: int = 1) -> Sweep:
    """Return the sweep of values that are lists already, as `read_changes` gives them.

    Examples
    --------
    >>> typed_sweep("product", {"n": [10, 50], "seed": [3]}).fixed
    {'seed': 3}
    """
    distinct = {name: _distinct(values) for name, values in changes.items()}
    fixed = {name: values[0] for name, values in distinct.items() if len(values) == 1}
    return Sweep(kind, fixed, {name: distinct[name] for name in distinct if name not in fixed}, repeat)


def _multiply(kind: Kind, base: Any, changes: Mapping[str, Any], repeat: int) -> list[Any]:
    if not isinstance(base, (list, tuple)):
        return [each.params for each in make_variations(base, make_sweep(base, kind, changes, repeat=repeat))]
    found: list[Any] = []
    for each in base:
        sweep = make_sweep(each, kind, changes, repeat=repeat)
        found += [variation.params for variation in make_variations(each, sweep, keep_name=len(base) > 1)]
    return found


def _values_of(base: Any, name: str, given: Any) -> tuple[Any, ...] | None:
    """Return the values that a parameter is to have; None if what was given is one value."""
    if isinstance(given, _SCALARS) or not isinstance(given, Iterable):
        return None
    places = resolve_name(base, name).places
    old = value_at(base, places[0]) if places else None
    if isinstance(given, (set, frozenset)):
        if isinstance(old, (set, frozenset)) and not any(
            isinstance(item, (set, frozenset)) for item in given
        ):
            return None
        # The order of a set is that of this process; a sweep has one that comes back.
        return _distinct(sorted(given, key=lambda value: (str(type(value)), repr(value))))
    if isinstance(given, (list, tuple)) and isinstance(old, (list, tuple)):
        if not given or not all(isinstance(item, (list, tuple)) for item in given):
            return None
        if old and all(isinstance(item, (list, tuple)) for item in old) and not _is_nested(given):
            # A list of lists onto a list of lists is one value.
            return None
    elif type(given).__module__ == "numpy" and type(old) is type(given):
        return None
    return _distinct(given.tolist() if hasattr(given, "tolist") else given)


def _is_nested(given: Iterable[Any]) -> bool:
    return all(item and all(isinstance(each, (list, tuple)) for each in item) for item in given)


def _distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    found: list[Any] = []
    known: set[Any] = set()
    for value in values:
        try:
            key: Any = (type(value), value)
            if key in known:
                continue
            known.add(key)
        except TypeError:
            if any(is_same(each, value) for each in found):
                continue
        found.append(value)
    return tuple(found)
