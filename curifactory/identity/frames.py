"""Encoders for pandas and polars objects; neither package is imported here."""

from __future__ import annotations

import sys
from typing import Any

from curifactory.identity.arrays import encode_array, encode_objects
from curifactory.identity.callables import class_tag
from curifactory.identity.encoding import Encoder, Refusal, Walk, encode, record, text


def pandas_encoder(cls: type) -> Encoder | None:
    """Return the encoder for a class of pandas or one derived from it; None for what its state describes."""
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or not hasattr(pandas, "DataFrame"):
        return None
    pairs: tuple[tuple[Any, Encoder], ...] = (
        (pandas.DataFrame, _frame),
        (pandas.Series, _series),
        (pandas.MultiIndex, _multi_index),
        (pandas.RangeIndex, _range_index),
        (pandas.Index, _index),
        (pandas.api.extensions.ExtensionArray, _extension),
        (pandas.api.extensions.ExtensionDtype, _extension_dtype),
        (pandas.Timestamp, _timestamp),
        (pandas.Timedelta, _timedelta),
        (pandas.Period, _period),
        (pandas.Interval, _interval),
        (type(pandas.NaT), _named(b"NaT")),
        (type(pandas.NA), _named(b"NA")),
    )
    return next((encoder for base, encoder in pairs if issubclass(cls, base)), None)


def polars_encoder(cls: type) -> Encoder | None:
    """Return the encoder for a class of polars; None for what its state describes."""
    polars: Any = sys.modules["polars"]
    if issubclass(cls, polars.DataFrame):
        return _polars_frame
    if issubclass(cls, polars.Series):
        return _polars_series
    if issubclass(cls, polars.LazyFrame):
        return _lazy_frame
    if isinstance(cls, type(polars.DataType)) or issubclass(cls, polars.DataType):
        return _polars_dtype
    return None


def _named(name: bytes) -> Encoder:
    def encode_named(value: Any, walk: Walk) -> bytes:
        return record(b"pandas-" + name)

    return encode_named


def _frame(value: Any, walk: Walk) -> bytes:
    known = walk.remembered.get(id(value))
    if known is not None:
        return known[1]
    walk.enter(value)
    columns = []
    for place in range(value.shape[1]):
        try:
            columns.append(_values(value.iloc[:, place].array, walk))
        except Refusal as refusal:
            raise refusal.at(f"[{value.columns[place]!r}]") from None
    parts = [encode(value.index, walk), encode(value.columns, walk), record(b"columns", *columns)]
    return walk.leave(
        value, record(b"dataframe", class_tag(type(value), walk), *parts, *_attributes(value, walk))
    )


def _series(value: Any, walk: Walk) -> bytes:
    known = walk.remembered.get(id(value))
    if known is not None:
        return known[1]
    walk.enter(value)
    parts = [encode(value.name, walk), encode(value.index, walk), _values(value.array, walk)]
    return walk.leave(
        value, record(b"series", class_tag(type(value), walk), *parts, *_attributes(value, walk))
    )


def _attributes(value: Any, walk: Walk) -> list[bytes]:
    parts = [encode(dict(value.attrs), walk)] if value.attrs else []
    if not value.flags.allows_duplicate_labels:
        parts.append(text("unique labels"))
    return parts


def _index(value: Any, walk: Walk) -> bytes:
    return record(
        b"index", class_tag(type(value), walk), encode(value.name, walk), _values(value.array, walk)
    )


def _range_index(value: Any, walk: Walk) -> bytes:
    bounds = encode((value.start, value.stop, value.step), walk)
    return record(b"rangeindex", encode(value.name, walk), bounds)


def _multi_index(value: Any, walk: Walk) -> bytes:
    levels = [_values(value.get_level_values(level).array, walk) for level in range(value.nlevels)]
    return record(b"multiindex", encode(list(value.names), walk), *levels)


def _values(array: Any, walk: Walk) -> bytes:
    """Encode one column: numpy's own types as arrays, strings in one go, all others element by element."""
    if type(array).__name__ in {"NumpyExtensionArray", "PandasArray"}:
        return encode_array(array.to_numpy(), walk)
    return _extension(array, walk)


def _extension(value: Any, walk: Walk) -> bytes:
    pandas: Any = sys.modules["pandas"]
    dtype = value.dtype
    tag = encode(dtype, walk)
    if isinstance(value, pandas.Categorical):
        return record(b"categorical", tag, encode_array(value.codes, walk))
    if getattr(dtype, "kind", "O") in "Mm" and hasattr(value, "asi8"):
        return record(b"moments", tag, encode_array(value.asi8, walk))
    # Sparse columns give a sparse mask.
    missing = sys.modules["numpy"].asarray(value.isna())
    if hasattr(dtype, "numpy_dtype") and dtype.kind in "iufb":
        filled = value.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return record(b"nullable", tag, encode_array(missing, walk), encode_array(filled, walk))
    items = [item for item, gone in zip(value, missing.tolist(), strict=True) if not gone]
    return record(b"extension", tag, encode_array(missing, walk), encode_objects(items, walk))


def _extension_dtype(value: Any, walk: Walk) -> bytes:
    pandas: Any = sys.modules["pandas"]
    if isinstance(value, pandas.CategoricalDtype):
        categories = b"N" if value.categories is None else encode(value.categories, walk)
        return record(b"categories", encode(bool(value.ordered), walk), categories)
    if isinstance(value, pandas.StringDtype):
        # Where pandas keeps its strings differs from machine to machine; what is missing means differs by type.
        return record(b"strings", text("NA" if value.na_value is pandas.NA else "nan"))
    return record(b"pandas-dtype", text(f"{type(value).__qualname__} {value}"))


def _timestamp(value: Any, walk: Walk) -> bytes:
    unit = getattr(value, "unit", "ns")
    return record(
        b"timestamp",
        encode(value.asm8, walk),
        text(unit),
        encode(value.fold, walk),
        encode(value.tzinfo, walk),
    )


def _timedelta(value: Any, walk: Walk) -> bytes:
    return record(b"pandas-timedelta", encode(value.asm8, walk))


def _period(value: Any, walk: Walk) -> bytes:
    return record(b"period", encode(int(value.ordinal), walk), text(value.freqstr))


def _interval(value: Any, walk: Walk) -> bytes:
    return record(b"interval", encode(value.left, walk), encode(value.right, walk), text(value.closed))


def _polars_frame(value: Any, walk: Walk) -> bytes:
    known = walk.remembered.get(id(value))
    if known is not None:
        return known[1]
    walk.enter(value)
    columns = [_polars_series(column, walk) for column in value.get_columns()]
    return walk.leave(value, record(b"polars-frame", b"i%x;" % value.height, *columns))


def _polars_series(value: Any, walk: Walk) -> bytes:
    polars: Any = sys.modules["polars"]
    parts = [text(value.name), text(repr(value.dtype)), b"i%x;" % len(value)]
    if value.dtype == polars.Object:
        raise Refusal(f"the polars column '{value.name}' holds Python objects")
    missing = value.is_null()
    present = value.drop_nulls()
    if value.null_count():
        parts.append(encode_objects(["1" if gone else "0" for gone in missing.to_list()], walk))
    if value.dtype.is_numeric() and not value.dtype.is_decimal():
        parts.append(encode_array(present.to_numpy(), walk))
    else:
        parts.append(encode_objects(present.to_list(), walk))
    return record(b"polars-series", *parts)


def _polars_dtype(value: Any, walk: Walk) -> bytes:
    return record(b"polars-dtype", text(repr(value)))


def _lazy_frame(value: Any, walk: Walk) -> bytes:
    raise Refusal("it is a polars LazyFrame, a plan that has not been executed; collect() it first")
