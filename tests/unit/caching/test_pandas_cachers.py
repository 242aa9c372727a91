from __future__ import annotations

import gzip
import importlib
import logging
import os
import zipfile

import numpy as np
import pandas as pd
import pytest

from curifactory.caching import PandasCacher, PandasCSVCacher, PandasCsvCacher, PandasJsonCacher
from curifactory.caching.frame_formats import FORMATS
from curifactory.errors import CacheError, ConfigurationError, DefinitionError


@pytest.fixture
def frame():
    return pd.DataFrame({"a": [1, 2, 3], "b": [0.1, 1 / 3, 1e300], "c": ["x", "y", "z"]})


def test_an_unknown_format_is_refused_where_it_is_written():
    with pytest.raises(DefinitionError) as caught:
        PandasCacher(format="feather")
    assert all(name in str(caught.value) for name in FORMATS)


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("csv", ".csv"),
        ("json", ".json"),
        ("parquet", ".parquet"),
        ("pickle", ".pkl"),
        ("orc", ".orc"),
        ("hdf5", ".h5"),
        ("excel", ".xlsx"),
        ("xml", ".xml"),
    ],
)
def test_each_format_has_its_extension(name, extension):
    assert PandasCacher(format=name).extension == extension


def test_a_pickle_is_the_format_when_none_is_named():
    assert PandasCacher().format == "pickle"


@pytest.mark.parametrize("make", [PandasCsvCacher, PandasJsonCacher, lambda: PandasCacher(format="hdf5")])
def test_default_arguments_are_not_shared(make):
    first = make()
    first.to_args["changed"] = True
    first.read_args["changed"] = True
    assert "changed" not in make().to_args
    assert "changed" not in make().read_args


def test_the_arguments_of_a_person_are_not_changed(tmp_path, frame):
    to_args = {"compression": {"method": "gzip"}}
    PandasCsvCacher(tmp_path / "a.csv", to_csv_args=to_args).save(frame)
    assert to_args == {"compression": {"method": "gzip"}}


def test_what_was_used_stands_in_the_metadata(tmp_path, frame):
    cacher = PandasCsvCacher(tmp_path / "a.csv", to_csv_args={"sep": ";", "float_format": str})
    cacher.save(frame)
    assert cacher.extra_metadata == {
        "pandas_version": pd.__version__,
        "format": "csv",
        "to_args": {"sep": ";", "float_format": "<class 'str'>"},
        "read_args": {"index_col": 0},
    }


def test_numbers_in_csv_come_back_exactly(tmp_path):
    numbers = np.random.default_rng(0).random(2000) * 10.0 ** (np.arange(2000) % 600 - 300.0)
    cacher = PandasCsvCacher(tmp_path / "a.csv")
    cacher.save(pd.DataFrame({"a": numbers}))
    assert (cacher.load()["a"].to_numpy() == numbers).all()


@pytest.mark.parametrize("format_name", ["pickle", "hdf5"])
def test_a_series_comes_back_as_one(tmp_path, format_name):
    series = pd.Series([1, 2], name="s")
    cacher = PandasCacher(tmp_path / "a", format=format_name)
    cacher.save(series)
    pd.testing.assert_series_equal(cacher.load(), series)


@pytest.mark.parametrize("format_name", ["csv", "json", "parquet", "orc", "excel", "xml"])
def test_a_series_is_refused_where_it_would_come_back_as_a_frame(tmp_path, format_name):
    cacher = PandasCacher(tmp_path / "a", format=format_name)
    with pytest.raises(CacheError, match="to_frame"):
        cacher.save(pd.Series([1, 2]))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [[1], {"a": 1}, np.ones(2), None])
def test_what_is_no_frame_is_refused_with_its_type(tmp_path, value):
    with pytest.raises(CacheError, match=type(value).__name__):
        PandasCacher(tmp_path / "a").save(value)


def test_what_a_format_cannot_hold_is_refused(tmp_path):
    mixed = pd.DataFrame({"a": [1, "x", (2,)]})
    with pytest.raises(CacheError, match="parquet cannot hold this frame"):
        PandasCacher(tmp_path / "a.parquet", format="parquet").save(mixed)
    assert os.listdir(tmp_path) == []


def test_only_formats_that_keep_types_are_lossless():
    assert {name for name in FORMATS if PandasCacher(format=name).lossless} == {"pickle", "parquet"}


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zip", "a.xlsx"])
def test_files_hold_no_time_of_their_making(tmp_path, frame, monkeypatch, name):
    cacher = PandasCacher(tmp_path / name, format="excel" if name == "a.xlsx" else "csv")
    cacher.save(frame)
    data = (tmp_path / name).read_bytes()
    if name.endswith(".gz"):
        assert data[4:8] == b"\0\0\0\0"
        assert gzip.decompress(data).startswith(b",a,b,c")
    else:
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
            if name == "a.xlsx":
                assert archive.read("docProps/core.xml").count(b"1980-01-01T00:00:00Z") == 2
    assert cacher.load().equals(frame)


def test_hdf5_is_known_by_its_content(tmp_path, frame):
    cacher = PandasCacher(tmp_path / "a.h5", format="hdf5")
    cacher.save(frame)
    first = cacher.digest(frame, [str(tmp_path / "a.h5")])
    assert first is not None
    assert first.startswith("canonical:")
    assert first == cacher.digest(frame.copy(), [])
    assert first != cacher.digest(frame.assign(a=[1, 2, 4]), [])
    assert PandasCacher(format="csv").digest(frame, []) is None


def test_a_frame_of_another_pandas_is_loaded_with_a_note(tmp_path, frame, caplog):
    cacher = PandasCacher(tmp_path / "a.pkl")
    cacher.save(frame)
    cacher.extra_metadata["pandas_version"] = "0.1"
    with caplog.at_level(logging.WARNING):
        assert cacher.load().equals(frame)
    assert "written with pandas 0.1" in caplog.text


@pytest.mark.parametrize(
    ("format_name", "package", "extra"),
    [
        ("parquet", "pyarrow", "arrow"),
        ("orc", "pyarrow", "arrow"),
        ("hdf5", "tables", "pandas"),
        ("excel", "openpyxl", "pandas"),
        ("xml", "lxml", "pandas"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(tmp_path, frame, monkeypatch, format_name, package, extra):
    real = importlib.import_module

    def without(name, *args):
        if name == package:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", without)
    for use in (lambda c: c.save(frame), lambda c: c.load()):
        with pytest.raises(ConfigurationError) as caught:
            use(PandasCacher(tmp_path / "a", format=format_name))
        assert f"'{package}'" in str(caught.value)
        assert f"curifactory[{extra}]" in str(caught.value)


def test_another_parser_needs_no_package(tmp_path, frame, monkeypatch):
    monkeypatch.setattr("curifactory.optional.require", None)
    arguments = {"parser": "etree"}
    cacher = PandasCacher(
        tmp_path / "a", format="xml", to_args={**arguments, "index": False}, read_args=arguments
    )
    cacher.save(frame)
    assert cacher.load()["a"].tolist() == [1, 2, 3]


def test_both_spellings_are_one_class():
    assert PandasCSVCacher is PandasCsvCacher
