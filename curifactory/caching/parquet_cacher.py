"""``ParquetCacher``: tables of any library that speaks Arrow, given back as the type that was saved."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from curifactory import optional
from curifactory.caching.cacheable import Cacheable
from curifactory.caching.type_names import public_name, with_article
from curifactory.errors import CacheError, CurifactoryError

_TYPE_ENTRY = b"curifactory.type"


class ParquetCacher(Cacheable):
    """Saves a pandas or polars frame, a ``pyarrow.Table``, or anything with ``__arrow_c_stream__``, as Parquet.

    The type stands in the file. What is loaded is of that type if it has a ``from_arrow``, else a ``pyarrow.Table``; a file
    that another program wrote is loaded as a pandas frame.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = ParquetCacher(f"{folder}/numbers.parquet")
    ...     cacher.save(pd.DataFrame({"a": [1, 2]}))
    ...     type(cacher.load()).__name__
    'DataFrame'
    """

    extension = ".parquet"

    def save(self, obj: Any) -> None:
        """Write the table.

        Raises
        ------
        CacheError
            If the value is no table, or has columns that Parquet cannot hold.
        ConfigurationError
            If pyarrow is not installed.
        """
        pyarrow = _pyarrow("pyarrow")
        parquet = _pyarrow("pyarrow.parquet")
        kind = type(obj)
        name = public_name(kind)
        try:
            table = _to_table(pyarrow, obj)
            if table is None:
                raise self.refusal(
                    f"it is {with_article(kind)}, no table.",
                    hint="Return a frame of pandas or polars, a pyarrow.Table, or something that exports Arrow.",
                )
            metadata = {**(table.schema.metadata or {}), _TYPE_ENTRY: name.encode()}
            parquet.write_table(table.replace_schema_metadata(metadata), self.get_path())
        except (OSError, CurifactoryError):
            raise
        except Exception as error:
            raise self.refusal(
                f"Parquet cannot hold this {name} ({error}).",
                hint="Give each column one type, or use PickleCacher.",
            ) from error
        self.lossless = comes_back(obj, name)
        self.extra_metadata["type"] = name

    def load(self) -> Any:
        """Read the table.

        Raises
        ------
        CacheError
            If the type that was saved cannot be imported, or the file is no Parquet.
        ConfigurationError
            If pyarrow is not installed.
        """
        pyarrow = _pyarrow("pyarrow")
        parquet = _pyarrow("pyarrow.parquet")
        path = self.get_path()
        try:
            # Of Arrow's own files, unlike Python's, several columns are read at once; a bare path could be taken for a URI.
            with pyarrow.OSFile(path, "rb") as file:
                table = parquet.read_table(file)
        except pyarrow.ArrowInvalid as error:
            raise CacheError(
                f"{path} is no Parquet: {error}.", hint="Delete it to have it made again."
            ) from error
        metadata = dict(table.schema.metadata or {})
        written = metadata.pop(_TYPE_ENTRY, b"").decode()
        table = table.replace_schema_metadata(metadata or None)
        name = self.extra_metadata.get("type") or written or "pandas.DataFrame"
        return _from_table(pyarrow, table, name)


def _pyarrow(module: str) -> Any:
    return optional.require(module, extra="arrow", purpose="ParquetCacher")


def _to_table(pyarrow: Any, value: Any) -> Any:
    if isinstance(value, pyarrow.Table):
        return value
    if isinstance(value, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([value])
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return pyarrow.Table.from_pandas(value)
    return pyarrow.table(value) if hasattr(value, "__arrow_c_stream__") else None


def _from_table(pyarrow: Any, table: Any, name: str) -> Any:
    if name == "pyarrow.Table":
        return table
    if name == "pyarrow.RecordBatch":
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else pyarrow.RecordBatch.from_pylist([], schema=table.schema)
    if name == "pandas.DataFrame":
        return table.to_pandas()
    if name == "polars.DataFrame":
        return optional.require("polars", extra="polars", purpose="Loading a polars.DataFrame").from_arrow(
            table
        )
    module, _, kind = name.rpartition(".")
    try:
        from_arrow = getattr(getattr(importlib.import_module(module), kind), "from_arrow", None)
    except (ImportError, AttributeError) as error:
        raise CacheError(
            f"The saved value was a {name}, which cannot be imported: {error}.",
            hint=f"Install {module.partition('.')[0]}.",
        ) from error
    return table if from_arrow is None else from_arrow(table)


def comes_back(value: Any, name: str) -> bool:
    """Say whether a table that is loaded from Parquet is certain to equal the saved one.

    Parameters
    ----------
    value : object
        The table.
    name : str
        Its type, such as ``pandas.DataFrame``.
    """
    if name != "pandas.DataFrame":
        return name in ("pyarrow.Table", "pyarrow.RecordBatch", "polars.DataFrame")
    # Lists in a column of objects come back as arrays, and an index forgets its frequency.
    pandas = sys.modules["pandas"]
    objects = [value.iloc[:, n] for n, dtype in enumerate(value.dtypes) if dtype == "object"]
    objects += [axis for axis in value.axes if axis.dtype == "object"]
    only_texts = all(pandas.api.types.infer_dtype(each, skipna=False) == "string" for each in objects)
    return only_texts and getattr(value.index, "freq", None) is None and not value.attrs
