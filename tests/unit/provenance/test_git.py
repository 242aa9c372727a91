"""The state of real repositories, in every shape that people have them in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import curifactory
from curifactory.provenance.git import GitState, cut_list, find_root, read_git_state, run_git


def test_outside_of_git_there_is_no_state(tmp_path, capfd):
    assert read_git_state(tmp_path) is None
    assert capfd.readouterr() == ("", "")


def test_without_git_there_is_no_state_and_no_noise(committed, monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert read_git_state(committed) is None
    assert capfd.readouterr() == ("", "")


def test_a_repository_that_git_refuses_is_said_once_in_the_log_and_nowhere_else(committed, caplog, capfd):
    (committed / ".git" / "config").write_text("[broken")
    with caplog.at_level("INFO", logger="curifactory.provenance"):
        assert read_git_state(committed) is None
    assert len(caplog.records) == 1
    assert str(committed) in caplog.text
    assert capfd.readouterr() == ("", "")


def test_a_repository_without_a_commit(repository):
    (repository / "new.py").write_text("")
    state = read_git_state(repository)
    assert (state.commit, state.branch, state.untracked, state.is_dirty) == (None, "main", ("new.py",), True)


def test_a_clean_commit_has_all_its_digits(git, committed):
    state = read_git_state(committed)
    assert state == GitState(root=committed, commit=git(committed, "rev-parse", "HEAD"), branch="main")
    assert len(state.commit) == 40
    assert not state.is_dirty


def test_byte_code_that_nothing_ignores_is_no_change(committed):
    for folder in (committed, committed / "experiments", committed / "lib" / "deep"):
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "__pycache__" / "iris.cpython-311.pyc").write_bytes(b"")
    assert not read_git_state(committed).is_dirty
    (committed / "lib" / "new.py").write_text("")
    assert read_git_state(committed).untracked == ("lib/",)


def test_a_repository_of_sha256_has_64_digits(git, tmp_path):
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    assert len(read_git_state(tmp_path).commit) == 64


def test_the_state_is_read_from_any_folder_of_the_work_tree(committed):
    deep = committed / "deep" / "er"
    deep.mkdir(parents=True)
    assert read_git_state(deep).root == committed


def test_a_link_to_the_project_leads_to_its_root(committed, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(committed)
    assert read_git_state(link).root == committed


def test_a_detached_commit_has_no_branch(git, committed):
    git(committed, "checkout", "-q", "--detach")
    state = read_git_state(committed)
    assert state.branch is None
    assert state.commit == git(committed, "rev-parse", "HEAD")


def test_staged_changed_new_and_ignored_files_are_told_apart(git, committed):
    (committed / "staged file.py").write_text("")
    git(committed, "add", "staged file.py")
    (committed / "a.py").write_text("one = 2\n")
    (committed / "größe.py").write_text("")
    (committed / "folder").mkdir()
    (committed / "folder" / "x.py").write_text("")
    (committed / "ignored").mkdir()
    (committed / "ignored" / "x").write_text("")
    state = read_git_state(committed)
    assert state.staged == ("staged file.py",)
    assert state.unstaged == ("a.py",)
    assert state.untracked == ("folder/", "größe.py")
    assert state.is_dirty


@pytest.mark.parametrize("change", ["staged", "unstaged", "untracked", "deleted", "renamed"])
def test_each_kind_of_change_alone_makes_the_work_tree_dirty(git, committed, change):
    if change == "untracked":
        (committed / "b.py").write_text("")
    elif change == "deleted":
        (committed / "a.py").unlink()
    elif change == "renamed":
        git(committed, "mv", "a.py", "b.py")
    else:
        (committed / "a.py").write_text("one = 3\n")
        if change == "staged":
            git(committed, "add", "a.py")
    assert read_git_state(committed).is_dirty


def test_a_conflict_is_a_change(git, committed):
    git(committed, "checkout", "-q", "-b", "other")
    (committed / "a.py").write_text("one = 4\n")
    git(committed, "commit", "-q", "-am", "theirs")
    git(committed, "checkout", "-q", "main")
    (committed / "a.py").write_text("one = 5\n")
    git(committed, "commit", "-q", "-am", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(committed, "merge", "other")
    assert read_git_state(committed).unstaged == ("a.py",)


def test_results_make_no_work_tree_dirty(committed):
    (committed / "data" / "cache").mkdir(parents=True)
    (committed / "data" / "cache" / "x.pkl").write_text("")
    assert read_git_state(committed).is_dirty
    assert not read_git_state(committed, exclude=[committed / "data"]).is_dirty
    (committed / "b.py").write_text("")
    assert read_git_state(committed, exclude=["data", "/elsewhere", committed]).untracked == ("b.py",)


def test_a_file_name_that_is_no_text_is_kept_printable(committed):
    try:
        open(os.path.join(os.fsencode(committed), b"caf\xe9.py"), "w").close()
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    assert read_git_state(committed).to_json()["untracked"] == [r"caf\xe9.py"]


def test_a_second_work_tree_is_known_as_one(git, committed, tmp_path):
    other = tmp_path / "other"
    git(committed, "remote", "add", "origin", "https://example.org/x.git")
    git(committed, "worktree", "add", "-q", "-b", "side", str(other))
    state = read_git_state(other)
    assert (state.root, state.branch, state.is_worktree, state.is_submodule) == (other, "side", True, False)
    assert state.remote == "https://example.org/x.git"


def test_a_submodule_is_known_as_one_and_its_changes_make_both_dirty(git, committed, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "submodule", "add", "-q", str(committed), "inner")
    git(outer, "commit", "-q", "-m", "outer")
    inner = read_git_state(outer / "inner")
    assert (inner.root, inner.is_submodule, inner.is_worktree) == (outer / "inner", True, False)
    assert inner.commit == git(committed, "rev-parse", "HEAD")
    assert not read_git_state(outer).is_dirty
    (outer / "inner" / "a.py").write_text("one = 9\n")
    state = read_git_state(outer)
    assert state.is_dirty
    assert state.dirty_submodules == ("inner",)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://ann:hunter2@example.org/x.git", "https://********@example.org/x.git"),
        ("git@example.org:ann/x.git", "git@example.org:ann/x.git"),
        ("/srv/with space/x.git", "/srv/with space/x.git"),
        ("https://example.org/x#y", "https://example.org/x#y"),
    ],
)
def test_the_remote_is_kept_without_its_credentials(git, committed, address, kept):
    git(committed, "remote", "add", "origin", address)
    assert read_git_state(committed).remote == kept


def test_the_remote_of_the_branch_goes_before_origin(git, committed, tmp_path):
    git(tmp_path, "init", "-q", "--bare", "far.git")
    git(committed, "remote", "add", "origin", "https://example.org/origin.git")
    git(committed, "remote", "add", "far", str(tmp_path / "far.git"))
    assert read_git_state(committed).remote == "https://example.org/origin.git"
    git(committed, "push", "-q", "-u", "far", "main")
    assert read_git_state(committed).remote == str(tmp_path / "far.git")


def test_variables_of_a_git_hook_do_not_lead_to_another_repository(git, committed, tmp_path, monkeypatch):
    other = tmp_path / "hooked"
    other.mkdir()
    git(other, "init", "-q", "-b", "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert read_git_state(committed).branch == "main"


def test_reading_writes_nothing_and_waits_for_no_lock(committed):
    index = committed / ".git" / "index"
    (committed / ".git" / "index.lock").write_text("")
    os.utime(committed / "a.py", (1, 1))
    before = index.read_bytes(), index.stat().st_mtime_ns
    assert read_git_state(committed) is not None
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before


def test_a_clean_work_tree_costs_one_process(committed, tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nstarted = []\n"
        "sys.addaudithook(lambda name, args: started.append(1) if name == 'subprocess.Popen' else None)\n"
        "from curifactory.provenance.git import read_git_state\nfrom curifactory.provenance.patch import write_patch\n"
        "state = read_git_state(Path(sys.argv[1]))\nwrite_patch(state, Path(sys.argv[2]))\n"
        "print(len(started), 'git' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(committed), str(tmp_path / "run")]
    environment = os.environ | {"PYTHONPATH": str(Path(curifactory.__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
    assert done.stdout.strip() == "1 False"


def test_an_empty_folder_named_git_is_no_repository(committed):
    inner = committed / "inner"
    (inner / ".git").mkdir(parents=True)
    assert find_root(inner) == committed


def test_the_facts_for_a_run_are_whole_and_long_lists_are_cut(git, committed):
    for number in range(230):
        (committed / f"n{number}.py").write_text("")
    facts = read_git_state(committed).to_json()
    assert facts["commit"] == git(committed, "rev-parse", "HEAD")
    assert facts["dirty"] is True
    assert facts["root"] == str(committed)
    assert len(facts["untracked"]) == 201
    assert facts["untracked"][-1] == "… and 30 more"
    assert cut_list(["a"]) == ["a"]


def test_git_that_refuses_gives_nothing(committed, capfd):
    assert run_git(committed, ["rev-parse", "no-such-thing"]) is None
    assert capfd.readouterr() == ("", "")
