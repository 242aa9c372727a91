from __future__ import annotations

import importlib

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curifactory.caching import ParquetCacher
from curifactory.errors import CacheError, ConfigurationError


class Stream:
    """A table of some other library."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


class Rebuilt(Stream):
    @classmethod
    def from_arrow(cls, table):
        return cls(table)


@pytest.fixture
def table():
    return pa.table({"a": [1, 2, None], "b": ["x", "y", None]})


def test_the_type_stands_in_the_file_too(tmp_path):
    ParquetCacher(tmp_path / "a").save(pl.DataFrame({"a": [1]}))
    assert type(ParquetCacher(tmp_path / "a").load()) is pl.DataFrame


def test_a_table_comes_back_with_its_own_metadata_and_none_of_ours(tmp_path, table):
    for saved in (table, table.replace_schema_metadata({"who": "me"})):
        ParquetCacher(tmp_path / "a").save(saved)
        assert ParquetCacher(tmp_path / "a").load().schema.equals(saved.schema, check_metadata=True)


def test_an_empty_batch_comes_back(tmp_path, table):
    batch = pa.RecordBatch.from_pylist([], schema=table.schema)
    ParquetCacher(tmp_path / "a").save(batch)
    assert ParquetCacher(tmp_path / "a").load().equals(batch)


def test_a_type_that_can_be_made_from_arrow_comes_back(tmp_path, table):
    cacher = ParquetCacher(tmp_path / "a")
    cacher.save(Rebuilt(table))
    loaded = ParquetCacher(tmp_path / "a").load()
    assert type(loaded) is Rebuilt
    assert loaded.table.equals(table)
    assert not cacher.lossless


def test_a_stream_that_cannot_be_made_again_comes_back_as_a_table(tmp_path, table):
    cacher = ParquetCacher(tmp_path / "a")
    cacher.save(Stream(table))
    assert cacher.load().equals(table)
    assert not cacher.lossless


def test_a_file_of_another_program_is_a_pandas_frame(tmp_path, table):
    pq.write_table(table, tmp_path / "a")
    assert type(ParquetCacher(tmp_path / "a").load()) is pd.DataFrame


def test_pandas_itself_reads_the_file(tmp_path):
    frame = pd.DataFrame({"a": [1, 2]}, index=["x", "y"])
    ParquetCacher(tmp_path / "a").save(frame)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a"), frame)


@pytest.mark.parametrize(
    ("frame", "lossless"),
    [
        (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), True),
        (
            pd.DataFrame(
                {"a": pd.Categorical(["x", "y"]), "t": pd.to_datetime(["2020-01-01", None], utc=True)}
            ),
            True,
        ),
        (pd.DataFrame({"a": [[1], [2]]}), False),
        (pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020", periods=2)), False),
    ],
)
def test_it_says_whether_a_frame_comes_back_as_it_was(tmp_path, frame, lossless):
    cacher = ParquetCacher(tmp_path / "a")
    cacher.save(frame)
    assert cacher.lossless is lossless
    if lossless:
        pd.testing.assert_frame_equal(cacher.load(), frame)


@pytest.mark.parametrize("value", [[1], {"a": [1]}, None])
def test_what_is_no_table_is_refused(tmp_path, value):
    with pytest.raises(CacheError, match="no table"):
        ParquetCacher(tmp_path / "a").save(value)


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame({"a": [1, "x", (2,)]}), pd.DataFrame([[1, 2]], columns=["a", "a"]), pl.Series([1, 2])],
)
def test_what_parquet_cannot_hold_is_refused(tmp_path, frame):
    with pytest.raises(CacheError, match="Parquet cannot hold"):
        ParquetCacher(tmp_path / "a").save(frame)
    assert list(tmp_path.iterdir()) == []


def test_a_torn_file_is_named(tmp_path, table):
    ParquetCacher(tmp_path / "a").save(table)
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:50])
    with pytest.raises(CacheError, match="is no Parquet"):
        ParquetCacher(tmp_path / "a").load()


def test_a_type_that_is_gone_is_named(tmp_path, table):
    cacher = ParquetCacher(tmp_path / "a")
    cacher.save(table)
    cacher.extra_metadata["type"] = "no_such_library.Frame"
    with pytest.raises(CacheError, match=r"no_such_library\.Frame"):
        cacher.load()


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    real = importlib.import_module

    def without(name, *args):
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ConfigurationError, match=r"curifactory\[arrow\]"):
        ParquetCacher(tmp_path / "a").save(pd.DataFrame())
