"""The code of a run is put together again: commit, submodules, patch, new files."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from curifactory.errors import StoreError
from curifactory.provenance.git import read_git_state
from curifactory.provenance.patch import write_patch
from curifactory.provenance.worktree import check_out, has_commit, read_code, remove_trees

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder, *words):
    command = ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *words]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | IDENTITY, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a.py").write_text("a = 1\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def record(root, folder, *, along=()):
    """Keep of the work tree what a run keeps, and read it back."""
    state = read_git_state(root)
    patch = write_patch(state, folder)
    return read_code(
        folder, {"reference": "r", "git": state.to_json(), "patch": patch.to_json()}, along=along
    )


def test_commit_patch_and_new_files_give_the_code(repository, tmp_path):
    (repository / "a.py").write_text("a = 2\n")
    (repository / "below").mkdir()
    (repository / "below/new.py").write_text("new = 1\n")
    (repository / "data.bin").write_bytes(b"\0")
    code = record(repository, tmp_path / "run")
    (repository / "a.py").write_text("a = 3\n")
    trees = check_out(repository, code, tmp_path / "tree")
    assert (tmp_path / "tree/a.py").read_text() == "a = 2\n"
    assert (tmp_path / "tree/below/new.py").read_text() == "new = 1\n"
    assert not (tmp_path / "tree/data.bin").exists()
    assert code.not_kept == ("data.bin (not source)",)
    remove_trees(trees)
    assert not (tmp_path / "tree").exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert (repository / "a.py").read_text() == "a = 3\n"


def test_before_the_first_commit_the_patch_is_everything(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q")
    (root / "staged.py").write_text("a = 1\n")
    git(root, "add", "staged.py")
    (root / "new.py").write_text("b = 1\n")
    code = record(root, tmp_path / "run")
    assert code.commit is None
    check_out(root, code, tmp_path / "tree")
    assert (tmp_path / "tree/staged.py").read_text() == "a = 1\n"
    assert (tmp_path / "tree/new.py").read_text() == "b = 1\n"


def test_submodules_come_from_the_clone_that_is_here(repository, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (other / "b.py").write_text("b = 1\n")
    git(other, "add", "-A")
    git(other, "commit", "-qm", "first")
    git(repository, "submodule", "add", "-q", str(other), "sub")
    git(repository, "commit", "-qam", "with a submodule")
    code = record(repository, tmp_path / "run")
    (repository / "sub/b.py").write_text("b = 2\n")
    git(repository / "sub", "commit", "-qam", "later")
    trees = check_out(repository, code, tmp_path / "tree")
    assert (tmp_path / "tree/sub/b.py").read_text() == "b = 1\n"
    remove_trees(trees)
    assert len(git(repository / "sub", "worktree", "list").splitlines()) == 1
    shutil.rmtree(repository / "sub")
    (repository / "sub").mkdir()
    with pytest.raises(StoreError, match="submodule sub is not here") as raised:
        check_out(repository, code, tmp_path / "again")
    assert "git submodule update --init sub" in raised.value.hint


def test_hooks_of_people_are_not_run(repository, tmp_path):
    hook = repository / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    check_out(repository, record(repository, tmp_path / "run"), tmp_path / "tree")
    assert not (tmp_path / "tree/hooked").exists()


def test_files_with_secrets_are_missed_unless_they_come_along(repository, tmp_path):
    (repository / "settings.py").write_text('api_key = "hunter2hunter2"\n')
    with pytest.raises(StoreError, match=r"settings\.py \(a secret stands in it\)") as raised:
        record(repository, tmp_path / "run")
    assert "--with" in raised.value.hint
    assert record(repository, tmp_path / "run", along=["settings.py"]).untracked is None


def test_a_patch_that_does_not_fit_is_said(repository, tmp_path):
    (repository / "a.py").write_text("a = 2\n")
    code = record(repository, tmp_path / "run")
    code.patch.write_text(code.patch.read_text().replace("-a = 1", "-a = 7"))
    with pytest.raises(StoreError, match="could not apply the changes"):
        check_out(repository, code, tmp_path / "tree")


def test_a_commit_is_there_or_not(repository):
    assert has_commit(repository, git(repository, "rev-parse", "HEAD").strip())
    assert not has_commit(repository, "1" * 40)
