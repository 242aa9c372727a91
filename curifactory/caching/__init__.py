"""Cachers: how values become files, and come back. Each name is loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curifactory.caching.cacheable import Cacheable as Cacheable
    from curifactory.caching.file_reference import FileReferenceCacher as FileReferenceCacher
    from curifactory.caching.json_cacher import JsonCacher as JsonCacher
    from curifactory.caching.notebook_cacher import RawJupyterNotebookCacher as RawJupyterNotebookCacher
    from curifactory.caching.numpy_cacher import NumpyCacher as NumpyCacher
    from curifactory.caching.pandas_cachers import PandasCacher as PandasCacher
    from curifactory.caching.pandas_cachers import PandasCSVCacher as PandasCSVCacher
    from curifactory.caching.pandas_cachers import PandasCsvCacher as PandasCsvCacher
    from curifactory.caching.pandas_cachers import PandasJsonCacher as PandasJsonCacher
    from curifactory.caching.parquet_cacher import ParquetCacher as ParquetCacher
    from curifactory.caching.path_ref import PathRef as PathRef
    from curifactory.caching.pickle_cacher import PickleCacher as PickleCacher
    from curifactory.caching.placement import Placement as Placement
    from curifactory.caching.torch_cacher import TorchCacher as TorchCacher
    from curifactory.core.lazy import Lazy as Lazy

_HOMES = {
    "Cacheable": "curifactory.caching.cacheable",
    "FileReferenceCacher": "curifactory.caching.file_reference",
    "JsonCacher": "curifactory.caching.json_cacher",
    "Lazy": "curifactory.core.lazy",
    "NumpyCacher": "curifactory.caching.numpy_cacher",
    "PandasCSVCacher": "curifactory.caching.pandas_cachers",
    "PandasCacher": "curifactory.caching.pandas_cachers",
    "PandasCsvCacher": "curifactory.caching.pandas_cachers",
    "PandasJsonCacher": "curifactory.caching.pandas_cachers",
    "ParquetCacher": "curifactory.caching.parquet_cacher",
    "PathRef": "curifactory.caching.path_ref",
    "PickleCacher": "curifactory.caching.pickle_cacher",
    "Placement": "curifactory.caching.placement",
    "RawJupyterNotebookCacher": "curifactory.caching.notebook_cacher",
    "TorchCacher": "curifactory.caching.torch_cacher",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'curifactory.caching' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
