"""B4: whatever git says of the folder, a run works, says one quiet line at most, and records the state as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Project

if TYPE_CHECKING:
    from collections.abc import Callable

EXPERIMENT = """from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

@cf.stage(outputs=["number"], cachers=[JsonCacher])
def count(record):
    return record.params.n

def get_params():
    return [Params(name="only")]

def run(param_sets, manager):
    for params in param_sets:
        count(cf.Record(manager, params))
"""


def begin(project: Project) -> None:
    project.write("experiments/x.py", EXPERIMENT)
    project.write(".gitignore", "data/\nreports/\n__pycache__/\n")
    project.git("init", "--quiet")


def commit(project: Project) -> str:
    project.git("add", "--all")
    project.git("commit", "--quiet", "-m", "first")
    return project.git("rev-parse", "HEAD").stdout.strip()


def outside(project: Project) -> tuple[Project, dict[str, Any] | None]:
    project.write("experiments/x.py", EXPERIMENT)
    return project, None


def without_git(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    commit(project)
    (project.root.parent / "bin").mkdir()
    project.environment["PATH"] = str(project.root.parent / "bin")
    return project, None


def no_commit(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    return project, {"commit": None, "branch": "main", "dirty": True, "worktree": False, "submodule": False}


def clean(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    return project, {"commit": commit(project), "branch": "main", "dirty": False}


def detached(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    found = commit(project)
    project.git("checkout", "--quiet", "--detach")
    return project, {"commit": found, "branch": None, "dirty": False}


def dirty(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    found = commit(project)
    project.write("experiments/x.py", f"{EXPERIMENT}\n# changed\n")
    project.write("new.py", "x = 1\n")
    state = {"unstaged": ["experiments/x.py"], "untracked": ["new.py"], "staged": []}
    return project, {"commit": found, "branch": "main", "dirty": True, **state}


def staged(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    found = commit(project)
    project.write("new.py", "x = 1\n")
    project.git("add", "new.py")
    return project, {"commit": found, "dirty": True, "staged": ["new.py"], "untracked": []}


def submodule(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    found = commit(project)
    whole = Project(project.root.parent / "whole")
    whole.root.mkdir()
    whole.git("init", "--quiet")
    whole.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(project.root), "part")
    return Project(whole.root / "part"), {
        "commit": found,
        "submodule": True,
        "worktree": False,
        "dirty": False,
    }


def worktree(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    found = commit(project)
    other = project.root.parent / "other"
    project.git("worktree", "add", "--quiet", "-b", "side", str(other))
    return Project(other), {
        "commit": found,
        "branch": "side",
        "worktree": True,
        "submodule": False,
        "dirty": False,
    }


def below_the_top(project: Project) -> tuple[Project, dict[str, Any] | None]:
    top = Project(project.root.parent)
    begin(project)
    (project.root / ".git").rename(top.root / ".git")
    found = commit(top)
    return project, {"commit": found, "root": str(top.root)}


def damaged(project: Project) -> tuple[Project, dict[str, Any] | None]:
    begin(project)
    commit(project)
    (project.root / ".git/HEAD").write_text("noise")
    return project, None


STATES = [
    outside,
    without_git,
    no_commit,
    clean,
    detached,
    dirty,
    staged,
    submodule,
    worktree,
    below_the_top,
    damaged,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_run_works_and_records_what_git_says(
    project: Project, state: Callable[[Project], tuple[Project, dict[str, Any] | None]]
) -> None:
    there, expected = state(project)
    done = there.experiment("x")
    assert len(done.stderr.splitlines()) <= 1, done.stderr
    assert "Traceback" not in done.output
    git = json.loads(there.experiment("show", "--json").stdout)["run"]["git"]
    if expected is None:
        assert git is None
    else:
        assert {name: git[name] for name in expected} == expected
    assert "nothing had to run" in there.experiment("x").stdout
    assert (Path(there.root) / "reports/index.html").is_file()
