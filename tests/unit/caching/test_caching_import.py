from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import curifactory.caching
from curifactory.caching import Cacheable

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {"pandas", "numpy", "pyarrow", "polars", "msgspec", "zipfile", "curifactory.caching.pandas_cachers"}


def test_importing_the_room_imports_nothing_heavy():
    code = "import sys; from curifactory.caching import JsonCacher, PickleCacher, Lazy; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert HEAVY & set(done.stdout.split()) == set()


@pytest.mark.parametrize("name", curifactory.caching.__all__)
def test_each_public_name_is_there(name):
    assert getattr(curifactory.caching, name).__doc__


def test_a_name_that_is_not_there_is_no_attribute():
    with pytest.raises(AttributeError, match="Jsoncacher"):
        _ = curifactory.caching.Jsoncacher


def test_every_cacher_that_is_exported_is_complete():
    cachers = [getattr(curifactory.caching, name) for name in curifactory.caching.__all__]
    cachers = [kind for kind in cachers if issubclass(kind, Cacheable) and kind is not Cacheable]
    assert len(cachers) == 12
    for kind in cachers:
        kind().check_definition()
