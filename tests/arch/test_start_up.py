"""What a command imports: a small one nothing that it does not need, since its imports are most of what it takes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import load_file

if TYPE_CHECKING:
    from tests.conftest import Project

CASE = load_file("bench/smallest.py").EXPERIMENT
TELL = """\
import atexit, sys

atexit.register(lambda: print("\\nIMPORTED", *sys.modules))
from curifactory.cli.experiment import main

main()
"""
NOBODYS = {
    *("cloudpickle", "git", "matplotlib", "msgspec", "numpy", "pandas", "plotly", "pygments", "markdown_it"),
    *("rich", "yaml", "tests"),
}
OF_MORE_THAN_A_RUN = {
    "curifactory.cli.live",
    "curifactory.executors.choice",
    "curifactory.executors.executor",
    "curifactory.parameters.text",
    "curifactory.parameters.tree_reader",
    "curifactory.parameters.updates",
    "curifactory.parameters.variations",
    "curifactory.project.frames",
    "curifactory.provenance.patch",
    "curifactory.workflow.past_run",
    "curifactory.workflow.resumption",
    "curifactory.workflow.sweeping",
}
OF_RARE_VALUES = {
    "curifactory.caching.closeness",
    "curifactory.identity.arrays",
    "curifactory.identity.frames",
    "curifactory.parameters.fitting",
}
OF_RARE_SECTIONS = {
    "curifactory.reporting.shared_scripts",
    "curifactory.reporting.view.curves",
    "curifactory.reporting.view.kinds",
    "curifactory.reporting.view.reportables",
    "curifactory.reporting.view.sweep",
}
OF_A_RUN = {*NOBODYS, *OF_MORE_THAN_A_RUN, *OF_RARE_VALUES, *OF_RARE_SECTIONS}
OF_A_QUESTION = {*OF_A_RUN, "jinja2", "curifactory.reporting.index", "curifactory.reporting.report"}
OF_A_LISTING = {
    *OF_A_QUESTION,
    "curifactory.engine.engine",
    "curifactory.store.artifacts",
    "curifactory.store.inventory",
    "curifactory.store.traces",
    "curifactory.workflow.experiment",
}


def list_imported(project: Project, *words: str) -> set[str]:
    """Run a command and list the modules that its process had in the end."""
    told = project.run(sys.executable, "-P", "-c", TELL, *words).stdout
    return set(told.rpartition("IMPORTED")[2].split())


@pytest.fixture
def case(project: Project) -> Project:
    """Give a project with the smallest experiment that there is."""
    project.write("experiments/case.py", CASE)
    return project


def test_a_small_run_imports_what_it_needs_whether_it_is_the_first_or_all_is_reused(case: Project) -> None:
    first, second = (list_imported(case, "case") for _ in range(2))
    assert "curifactory.reporting.report" in first & second
    assert OF_A_RUN & first == OF_A_RUN & second == set()


@pytest.mark.parametrize("flag", ["--map", "--paths", "--hashes", "--print-params"])
def test_a_question_imports_nothing_that_draws(case: Project, flag: str) -> None:
    imported = list_imported(case, "case", flag)
    assert "experiments.case" in imported
    assert OF_A_QUESTION & imported == set()


@pytest.mark.parametrize("verb", ["ls", "runs"])
def test_a_listing_imports_nothing_that_runs(case: Project, verb: str) -> None:
    imported = list_imported(case, verb)
    assert "curifactory.cli.console" in imported
    assert OF_A_LISTING & imported == set()


def test_every_module_of_these_lists_is_there() -> None:
    """A module that was renamed would never be found where it must not be."""
    from importlib.util import find_spec

    named = sorted(name for name in OF_A_LISTING - NOBODYS if name.startswith("curifactory."))
    assert [name for name in named if find_spec(name) is None] == []
