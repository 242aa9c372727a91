"""How far apart two values are: the largest difference of their numbers, or no number if they differ in more."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from typing import Any


def measure_distance(first: Any, second: Any) -> float | None:
    """Return the largest relative difference between the numbers of two values that are otherwise equal.

    Numbers alone are compared with each other, those of an array, a column or a list of numbers with the largest of them:
    noise around zero in a column of thousands is small. NaN equals NaN.

    Parameters
    ----------
    first, second : object
        Numbers, texts, containers, dataclasses, arrays of NumPy, frames and series of pandas and polars, tables of
        pyarrow, tensors of torch, and whatever ``==`` compares. Of objects whose class does not say when two are equal,
        such as fitted models, what a pickle would keep is compared.

    Returns
    -------
    float or None
        0.0 of equal values; None if they differ in type, shape, names, or in anything that is no number.

    Examples
    --------
    >>> measure_distance({"acc": 0.5, "name": "a"}, {"acc": 0.5000005, "name": "a"}) < 1e-5
    True
    >>> (
    ...     measure_distance({"acc": 0.5}, {"acc": 1.0}),
    ...     measure_distance([1, 2], [1, 2]),
    ...     measure_distance("a", "b"),
    ... )
    (0.5, 0.0, None)
    """
    if type(first) is not type(second):
        return None
    if isinstance(first, (bool, str, bytes)) or first is None:
        return 0.0 if first == second else None
    if isinstance(first, (int, float, complex)):
        return _between([first], [second])
    if isinstance(first, dict):
        if first.keys() != second.keys():
            return None
        return _largest(measure_distance(value, second[key]) for key, value in first.items())
    if isinstance(first, (list, tuple)):
        return _of_sequences(first, second)
    if is_dataclass(first) and not isinstance(first, type):
        return _largest(
            measure_distance(getattr(first, each.name), getattr(second, each.name)) for each in fields(first)
        )
    for package, measure in _MEASURES.items():
        module = sys.modules.get(package)
        if module is not None and type(first).__module__.partition(".")[0] == package:
            measured = measure(module, first, second)
            if measured is not _NOT_MINE:
                return measured  # type: ignore[no-any-return]
    return _of_others(first, second)


_NOT_MINE: Any = object()
# Pairs of objects that are being compared.
_begun: ContextVar[frozenset[tuple[int, int]]] = ContextVar("begun", default=frozenset())


def _of_sequences(first: Any, second: Any) -> float | None:
    if len(first) != len(second):
        return None
    kinds = {type(item) for item in (*first, *second)}
    if kinds in ({float}, {int}):
        return _between(first, second)
    return _largest(map(measure_distance, first, second))


def _of_others(first: Any, second: Any) -> float | None:
    try:
        if hasattr(first, "equals"):
            return 0.0 if first.equals(second) else None
        if first is second or bool(first == second):
            return 0.0
        says_equal = any("__eq__" in vars(cls) for cls in type(first).__mro__ if cls is not object)
        return None if says_equal else _of_objects(first, second)
    except Exception:  # noqa: BLE001 - a person's __eq__ or __reduce__ may raise anything; then nobody knows
        return None


def _of_objects(first: Any, second: Any) -> float | None:
    """Compare what pickles of two objects would keep: it is what makes them again."""
    pair = (id(first), id(second))
    begun = _begun.get()
    if pair in begun:
        # They hold themselves; whether they differ is seen where they were begun.
        return 0.0
    how, other = first.__reduce_ex__(2), second.__reduce_ex__(2)
    if isinstance(how, str) or isinstance(other, str):
        # Known by a name, and so not the same.
        return None
    token = _begun.set(begun | {pair})
    try:
        return measure_distance(_contents(how), _contents(other))
    finally:
        _begun.reset(token)


def _contents(reduced: tuple[Any, ...]) -> list[Any]:
    make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    return [make, arguments, state, list(items or ()), list(pairs or ())]


def _between(first: Iterable[Any], second: Iterable[Any]) -> float:
    """Compare numbers, position by position, with the largest finite one of them."""
    scale = apart = 0.0
    for one, other in zip(first, second, strict=True):
        if one == other or (one != one and other != other):  # noqa: PLR0124 - NaN alone differs from itself
            scale = max(scale, _size(one))
            continue
        try:
            difference = float(abs(one - other))
        except OverflowError:
            return math.inf
        if not math.isfinite(difference):
            return math.inf
        apart, scale = max(apart, difference), max(scale, _size(one), _size(other))
    return apart / scale if apart else 0.0


def _size(number: Any) -> float:
    try:
        size = float(abs(number))
    except OverflowError:
        return sys.float_info.max
    return size if math.isfinite(size) else 0.0


def _largest(distances: Iterable[float | None]) -> float | None:
    largest = 0.0
    for distance in distances:
        if distance is None:
            return None
        largest = max(largest, distance)
    return largest


def _of_numpy(numpy: Any, first: Any, second: Any) -> Any:
    if isinstance(first, numpy.generic):
        first, second = numpy.asarray(first), numpy.asarray(second)
    if not isinstance(first, numpy.ndarray):
        return _NOT_MINE
    if first.dtype != second.dtype or first.shape != second.shape:
        return None
    if first.dtype.names is not None:
        return _largest(_of_numpy(numpy, first[name], second[name]) for name in first.dtype.names)
    if first.dtype.hasobject:
        return _largest(map(measure_distance, first.ravel().tolist(), second.ravel().tolist()))
    if first.dtype.kind not in "iufc":
        return 0.0 if numpy.array_equal(first, second) else None
    return _of_numbers(numpy, first, second)


def _of_numbers(numpy: Any, first: Any, second: Any) -> float:
    wide = complex if first.dtype.kind == "c" else numpy.longdouble
    same = first == second
    if first.dtype.kind in "fc":
        same |= numpy.isnan(first) & numpy.isnan(second)
    if bool(same.all()):
        return 0.0
    one, other = first.astype(wide), second.astype(wide)
    with numpy.errstate(all="ignore"):
        difference = numpy.abs(one - other)[~same]
        sizes = numpy.concatenate([numpy.abs(one).ravel(), numpy.abs(other).ravel()])
    if not bool(numpy.isfinite(difference).all()):
        return math.inf
    return float(difference.max() / sizes[numpy.isfinite(sizes)].max())


def _of_pandas(pandas: Any, first: Any, second: Any) -> Any:
    if isinstance(first, pandas.DataFrame):
        if not first.columns.equals(second.columns) or not first.index.equals(second.index):
            return None
        return _largest(
            _of_pandas(pandas, first.iloc[:, place], second.iloc[:, place]) for place in range(first.shape[1])
        )
    if isinstance(first, pandas.Index):
        first, second = first.to_series(), second.to_series()
    if not isinstance(first, pandas.Series):
        return _NOT_MINE
    if first.dtype != second.dtype or len(first) != len(second) or not first.index.equals(second.index):
        return None
    if first.dtype == object:
        return _largest(map(measure_distance, first.tolist(), second.tolist()))
    if not pandas.api.types.is_numeric_dtype(first.dtype) or pandas.api.types.is_bool_dtype(first.dtype):
        return 0.0 if first.equals(second) else None
    if not (first.isna() == second.isna()).all():
        return math.inf
    import numpy as np

    return _of_numpy(np, first.dropna().to_numpy(), second.dropna().to_numpy())


def _of_polars(polars: Any, first: Any, second: Any) -> Any:
    if isinstance(first, polars.DataFrame):
        if first.schema != second.schema or first.height != second.height:
            return None
        return _largest(_of_polars(polars, first[name], second[name]) for name in first.columns)
    if not isinstance(first, polars.Series):
        return _NOT_MINE
    if first.dtype != second.dtype or len(first) != len(second):
        return None
    if not first.dtype.is_numeric():
        return 0.0 if first.equals(second, null_equal=True) else None
    if not first.is_null().equals(second.is_null()):
        return math.inf
    return _between(first.drop_nulls().to_list(), second.drop_nulls().to_list())


def _of_arrow(pyarrow: Any, first: Any, second: Any) -> Any:
    if not isinstance(first, pyarrow.Table):
        return _NOT_MINE
    if not first.schema.equals(second.schema) or first.num_rows != second.num_rows:
        return None
    return _largest(
        measure_distance(one.to_pylist(), other.to_pylist())
        for one, other in zip(first.columns, second.columns, strict=True)
    )


def _of_torch(torch: Any, first: Any, second: Any) -> Any:
    if not isinstance(first, torch.Tensor):
        return _NOT_MINE
    if first.dtype != second.dtype or first.shape != second.shape:
        return None
    if torch.equal(first, second):
        return 0.0
    wide = torch.complex128 if first.is_complex() else torch.float64
    return measure_distance(
        first.detach().to(device="cpu", dtype=wide).numpy(),
        second.detach().to(device="cpu", dtype=wide).numpy(),
    )


_MEASURES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "numpy": _of_numpy,
    "pandas": _of_pandas,
    "polars": _of_polars,
    "pyarrow": _of_arrow,
    "torch": _of_torch,
}
