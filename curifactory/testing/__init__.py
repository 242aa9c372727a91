"""The laws of the doors as pytest classes: inherit one, say what is to be tested, and run it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curifactory.testing.cacher import CacherLaws as CacherLaws
    from curifactory.testing.equality import are_equal as are_equal
    from curifactory.testing.executor import ExecutorLaws as ExecutorLaws
    from curifactory.testing.reportable import ReportableLaws as ReportableLaws

_HOMES = {
    "CacherLaws": "curifactory.testing.cacher",
    "ExecutorLaws": "curifactory.testing.executor",
    "ReportableLaws": "curifactory.testing.reportable",
    "are_equal": "curifactory.testing.equality",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'curifactory.testing' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
