"""When a loaded value is the saved one: equal, of the same types throughout, NaN like NaN."""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any


def are_equal(saved: Any, loaded: Any) -> bool:
    """Return whether two values are equal and of the same types, all the way down.

    Knows arrays of NumPy, tensors of torch, frames and series of pandas and polars, tables of pyarrow, containers and
    dataclasses; everything else is asked by ``==``.

    Parameters
    ----------
    saved, loaded : object
        The values.

    Examples
    --------
    >>> are_equal([1, float("nan")], [1, float("nan")])
    True
    >>> are_equal((1,), [1]), are_equal(1, 1.0), are_equal({1: 2}, {"1": 2})
    (False, False, False)
    """
    if type(saved) is not type(loaded):
        return False
    if isinstance(saved, dict):
        return list(map(type, saved)) == list(map(type, loaded)) and (
            list(saved) == list(loaded) and all(are_equal(saved[key], loaded[key]) for key in saved)
        )
    if isinstance(saved, (list, tuple)):
        return len(saved) == len(loaded) and all(map(are_equal, saved, loaded))
    if isinstance(saved, float):
        return repr(saved) == repr(loaded)
    if is_dataclass(saved) and not isinstance(saved, type):
        return all(are_equal(getattr(saved, each.name), getattr(loaded, each.name)) for each in fields(saved))
    for package, compare in (
        ("numpy", _same_array),
        ("pandas", _same_frame),
        ("polars", _same_polars),
        ("torch", _same_tensor),
    ):
        module = sys.modules.get(package)
        verdict = None if module is None else compare(module, saved, loaded)
        if verdict is not None:
            return verdict
    if hasattr(saved, "equals"):
        return bool(saved.equals(loaded))
    return bool(saved == loaded)


def _same_array(numpy: Any, saved: Any, loaded: Any) -> bool | None:
    if not isinstance(saved, numpy.ndarray):
        return None
    if saved.dtype != loaded.dtype or saved.shape != loaded.shape:
        return False
    if saved.dtype.hasobject:
        return are_equal(saved.tolist(), loaded.tolist())
    return bool(saved.tobytes() == loaded.tobytes())


def _same_frame(pandas: Any, saved: Any, loaded: Any) -> bool | None:
    if isinstance(saved, pandas.DataFrame):
        compare = partial(pandas.testing.assert_frame_equal, check_column_type=True)
    elif isinstance(saved, pandas.Series):
        compare = pandas.testing.assert_series_equal
    else:
        return None
    try:
        compare(saved, loaded, check_exact=True, check_index_type=True)
    except AssertionError:
        return False
    return True


def _same_polars(polars: Any, saved: Any, loaded: Any) -> bool | None:
    if not isinstance(saved, (polars.DataFrame, polars.Series)):
        return None
    same_types = getattr(saved, "schema", None) == getattr(loaded, "schema", None)
    return bool(same_types and saved.equals(loaded, null_equal=True))


def _same_tensor(torch: Any, saved: Any, loaded: Any) -> bool | None:
    # A module of this name may be something else, or only half imported.
    tensor = getattr(torch, "Tensor", None)
    if tensor is None or not isinstance(saved, tensor):
        return None
    if saved.dtype != loaded.dtype or saved.shape != loaded.shape:
        return False
    return bool(
        torch.equal(saved.cpu(), loaded.cpu()) or torch.allclose(saved, loaded, 0.0, 0.0, equal_nan=True)
    )
