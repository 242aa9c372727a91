"""Tests of :mod:`curifactory.identity.loadings`."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import pytest

from curifactory.identity import loadings


def test_each_loading_of_a_module_has_the_time_at_which_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "loaded_twice.py").write_text("import time\nWHEN = time.time_ns()\n")
    before = time.time_ns()
    module = importlib.import_module("loaded_twice")
    try:
        first = loadings.began_ns("loaded_twice", module.__spec__)
        assert first is not None
        assert before <= first <= module.WHEN
        between = time.time_ns()
        importlib.reload(module)
        again = loadings.began_ns("loaded_twice", module.__spec__)
        assert again is not None
        assert between <= again <= module.WHEN
    finally:
        del sys.modules["loaded_twice"]


def test_what_is_looked_for_in_vain_again_and_again_is_kept_once() -> None:
    for _ in range(100):
        with pytest.raises(ImportError):
            importlib.import_module("nowhere_to_be_found")
    assert len(loadings._searches["nowhere_to_be_found"]) == 1
