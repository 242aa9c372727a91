"""Gives tests the maker of run folders."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

MAKER = Path(__file__).with_name("run_folder.py")


def load_maker():
    """Load `run_folder.py`; folders of tests are no packages to import from."""
    name = "curifactory_tests_run_folder"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, MAKER)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def maker():
    return load_maker()


@pytest.fixture
def iris(maker, tmp_path):
    """Give the whole run of the iris experiment, not yet on disk."""
    return maker.make_iris(tmp_path / "runs")


@pytest.fixture
def empty_run(maker, tmp_path):
    """Give a run in which nothing has happened, not yet on disk."""
    return maker.RunFolder(tmp_path / "runs")
