"""The laws of cachers, kept by every cacher that we ship."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from curifactory.caching import (
    Cacheable,
    FileReferenceCacher,
    JsonCacher,
    NumpyCacher,
    PandasCacher,
    PandasCsvCacher,
    PandasJsonCacher,
    ParquetCacher,
    PathRef,
    PickleCacher,
    RawJupyterNotebookCacher,
)
from curifactory.errors import CacheError
from curifactory.testing import CacherLaws


@dataclass
class Model:
    weights: list[float]
    classes: frozenset[str]


def frame(rows=5):
    return pd.DataFrame(
        {"a": range(rows), "b": np.linspace(0, 1, rows) / 3, "c": [f"text {n}" for n in range(rows)]}
    )


class TestJsonCacher(CacherLaws):
    refuses_with = CacheError

    @pytest.fixture
    def cacher(self):
        return JsonCacher

    @pytest.fixture
    def values(self):
        return [
            {
                "rows": [[1, 2.5], [True, None]],
                "name": "größe",
                "empty": {},
                "nested": {"deep": {"deeper": ["x" * 200]}},
            },
            [float("nan"), float("inf"), -0.0, 1e-320, 10**40],
            "text",
            None,
            "\ud800 alone",
        ]

    @pytest.fixture
    def unsaveable(self):
        return [(1,), {1: 2}, {1, 2}, b"bytes", np.float64(1), object(), [[{"a": (1, 2)}]]]


class TestLossyJsonCacher(CacherLaws):
    lossy = True

    @pytest.fixture
    def cacher(self):
        return JsonCacher(lossy=True)

    @pytest.fixture
    def values(self):
        return [{"shape": (2, 3), 1: {"b", "a", "c"}, "path": Path("x")}, [np.int64(3)]]

    @pytest.fixture
    def unsaveable(self):
        return [{(1, 2): 3}]


class TestPickleCacher(CacherLaws):
    refuses_with = CacheError

    @pytest.fixture
    def cacher(self):
        return PickleCacher

    @pytest.fixture
    def values(self):
        return [{"a": (1, {2, 3})}, Model([0.5], frozenset("abc")), np.arange(3), frame(), None, Model]

    @pytest.fixture
    def unsaveable(self):
        return [lambda: 1, {"rows": [lambda: 2]}, (n for n in range(3))]


class FrameLaws(CacherLaws):
    refuses_with = CacheError
    lossy = True

    @pytest.fixture
    def values(self):
        return [frame(), frame(1), pd.DataFrame({"a": [1.5, 2.5]})]

    @pytest.fixture
    def unsaveable(self):
        return [[1, 2], np.arange(3), None]


class TestPandasCacher(FrameLaws):
    @pytest.fixture(params=["csv", "json", "parquet", "pickle", "orc", "hdf5", "excel", "xml"])
    def cacher(self, request):
        return PandasCacher(format=request.param)

    def inline_path(self, folder, number, value):
        # pandas writes Excel's formats only under their own extensions.
        return super().inline_path(folder, number, value).with_suffix(".xlsx")


class TestPandasCsvCacher(FrameLaws):
    @pytest.fixture
    def cacher(self):
        return PandasCsvCacher


class TestPandasCsvCacherWithOtherArguments(FrameLaws):
    @pytest.fixture
    def cacher(self):
        return PandasCsvCacher(
            to_csv_args={"sep": ";", "index": False}, read_csv_args={"sep": ";"}, extension=".csv.gz"
        )


class TestPandasJsonCacher(FrameLaws):
    @pytest.fixture
    def cacher(self):
        return PandasJsonCacher


class TestParquetCacher(CacherLaws):
    refuses_with = CacheError
    lossy = True

    @pytest.fixture
    def cacher(self):
        return ParquetCacher

    @pytest.fixture
    def values(self):
        table = pa.table({"a": [1, 2], "b": ["x", None]})
        return [
            frame(),
            frame().set_index("c"),
            pl.DataFrame({"a": [1, None], "b": [[1, 2], []]}),
            table,
            table.replace_schema_metadata({"who": "me"}),
            pa.RecordBatch.from_pydict({"a": [1, 2]}),
            pd.DataFrame({"lists": [[1], [2, 3]]}),
        ]

    @pytest.fixture
    def unsaveable(self):
        return [[1, 2], None, pd.DataFrame({"mixed": [1, "x", (2,)]}), pl.Series([1, 2])]


class TestNumpyCacher(CacherLaws):
    refuses_with = CacheError

    @pytest.fixture(params=[False, True])
    def cacher(self, request):
        return NumpyCacher(allow_pickle=request.param) if request.param else NumpyCacher

    @pytest.fixture
    def values(self):
        return [
            np.arange(12.0).reshape(3, 4),
            np.asfortranarray(np.arange(12).reshape(3, 4)),
            np.array(3),
            np.empty((0, 3)),
            np.array([("x", 1)], dtype=[("name", "U4"), ("n", ">i2")]),
            np.array(["2020-01-01"], dtype="M8[D]"),
            {"a": np.ones(2), "b/c": np.array(["ä"]), "": np.zeros((2, 0))},
            {},
        ]

    @pytest.fixture
    def unsaveable(self):
        return [[1, 2], np.float64(1), {"a": [1]}, {1: np.ones(1)}, np.ma.masked_array([1], [True])]

    def inline_path(self, folder, number, value):
        path = super().inline_path(folder, number, value)
        return path.with_suffix(".npz" if isinstance(value, dict) else ".npy")


class TestNumpyCacherWithObjects(CacherLaws):
    refuses_with = CacheError

    @pytest.fixture
    def cacher(self):
        return NumpyCacher(allow_pickle=True)

    @pytest.fixture
    def values(self):
        return [np.array([{"a": 1}, None], dtype=object), {"x": np.array([(1,), "b"], dtype=object)}]

    def inline_path(self, folder, number, value):
        path = super().inline_path(folder, number, value)
        return path.with_suffix(".npz" if isinstance(value, dict) else ".npy")


class TestFileReferenceCacher(CacherLaws):
    refuses_with = CacheError

    @pytest.fixture
    def cacher(self):
        return FileReferenceCacher

    @pytest.fixture
    def values(self, tmp_path):
        files = [tmp_path / name for name in ("one.png", "größe.png", "folder")]
        files[0].write_bytes(b"1")
        files[1].write_bytes(b"2")
        files[2].mkdir()
        return [str(files[0]), files[0], files, [str(path) for path in files], tuple(files), [], "../one.png"]

    @pytest.fixture
    def unsaveable(self, tmp_path):
        return [3, [b"x"], str(tmp_path / "absent"), {"a": "b"}]


class TestPathRef(CacherLaws):
    refuses_with = CacheError
    has_files = False

    @pytest.fixture
    def cacher(self):
        return PathRef(extension=".bin")

    @pytest.fixture
    def values(self):
        return [b"bytes of the stage"]

    @pytest.fixture
    def unsaveable(self):
        return ["elsewhere.bin", None]

    def prepare(self, cacher, value):
        path = cacher.get_path()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_bytes(value)
        return path


class TestRawJupyterNotebookCacher(CacherLaws):
    refuses_with = CacheError

    @pytest.fixture
    def cacher(self):
        return RawJupyterNotebookCacher

    @pytest.fixture
    def values(self):
        return [[], [["import json", "x = 1"], "print(x)"], [["ä"], []]]

    @pytest.fixture
    def unsaveable(self):
        return ["code", [1], [[1]], [("a",)]]


class ManyFiles(Cacheable):
    """A cacher as a person would write it: a folder, a second file, and no constructor of its base."""

    def __init__(self, encoding="utf-8"):
        self.encoding = encoding

    def save(self, obj):
        folder = self.get_dir()
        for name, text in obj.items():
            Path(folder, name).write_text(text, encoding=self.encoding)
        with open(self.get_path("_order.txt"), "w") as file:
            file.write("\n".join(obj))
        self.extra_metadata["count"] = len(obj)

    def load(self):
        names = Path(self.get_path("_order.txt")).read_text().split()
        return {name: Path(self.get_dir(), name).read_text(encoding=self.encoding) for name in names}


class TestACacherOfOnesOwn(CacherLaws):
    @pytest.fixture(params=["utf-8", "utf-16"])
    def cacher(self, request):
        return ManyFiles(request.param)

    @pytest.fixture
    def values(self):
        return [{"a": "1", "b": "größe"}, {"a": ""}]

    @pytest.fixture
    def unsaveable(self):
        return [{"a": "written", "b": 2}]


class TestTorchCacher(CacherLaws):
    refuses_with = CacheError
    lossy = True

    @pytest.fixture
    def cacher(self):
        pytest.importorskip("torch", reason="torch is not installed: pip install curifactory[torch]")
        from curifactory.caching import TorchCacher

        return TorchCacher

    @pytest.fixture
    def values(self):
        torch = pytest.importorskip("torch")
        net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
        optimizer = torch.optim.Adam(net.parameters())
        net(torch.ones(1, 4)).sum().backward()
        optimizer.step()
        shared = torch.arange(6.0)
        return [
            torch.arange(12, dtype=torch.int16).reshape(3, 4).T,
            torch.tensor(1.5, dtype=torch.bfloat16),
            dict(net.state_dict()),
            {"tied": shared, "again": shared, "empty": torch.empty(0, 3)},
            {
                "model": dict(net.state_dict()),
                "optimizer": optimizer.state_dict(),
                "epoch": 3,
                "names": ["a", "b"],
            },
            [torch.ones(2), {"deep": (torch.zeros(1), None)}],
            {},
        ]

    @pytest.fixture
    def unsaveable(self):
        torch = pytest.importorskip("torch")
        return [torch.nn.Linear(2, 2), {"model": torch.nn.Linear(2, 2)}, Model([1.0], frozenset())]
