"""Gives tests the maker of run folders."""

from __future__ import annotations

import pytest

from tests.conftest import load_file

MAKER = load_file("unit/reporting/run_folder.py")


@pytest.fixture
def maker():
    return MAKER


@pytest.fixture
def iris(maker, tmp_path):
    """Give the whole run of the iris experiment, not yet on disk."""
    return maker.make_iris(tmp_path / "runs")


@pytest.fixture
def empty_run(maker, tmp_path):
    """Give a run in which nothing has happened, not yet on disk."""
    return maker.RunFolder(tmp_path / "runs")
