"""What is kept beside a run of code that no commit has: enough to make the work tree again."""

import os
import shutil

import pytest

from curifactory.errors import StoreError
from curifactory.provenance import patch as patch_module
from curifactory.provenance.git import read_git_state
from curifactory.provenance.patch import Patch, write_patch


@pytest.fixture
def run_folder(tmp_path):
    return tmp_path / "run"


def rebuild(git, project, run_folder, target):
    """Make the work tree again from the commit, the patch and the copies."""
    git(project.parent, "clone", "-q", str(project), str(target))
    if (run_folder / "patch.diff").exists():
        git(target, "apply", "--whitespace=nowarn", str(run_folder / "patch.diff"))
    if (run_folder / "untracked").exists():
        shutil.copytree(run_folder / "untracked", target, dirs_exist_ok=True)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git/" not in f"{path.relative_to(folder).as_posix()}/"
    }


def test_a_clean_work_tree_leaves_nothing(committed, run_folder):
    assert write_patch(read_git_state(committed), run_folder) == Patch()
    assert not run_folder.exists()


def test_commit_patch_and_copies_make_the_work_tree_again(git, committed, run_folder, tmp_path):
    (committed / "blob.bin").write_bytes(bytes(range(256)))
    (committed / "gone.py").write_text("x\n")
    git(committed, "add", ".")
    git(committed, "commit", "-q", "-m", "second")
    (committed / "a.py").write_text("one = 1  # no end of line")
    (committed / "blob.bin").write_bytes(bytes(reversed(range(256))))
    (committed / "gone.py").unlink()
    (committed / "staged.py").write_text("größe = 1\n")
    git(committed, "add", "staged.py")
    (committed / "folder").mkdir()
    (committed / "folder" / "new file.py").write_text("new = 1\n")
    script = committed / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    patch = write_patch(read_git_state(committed), run_folder)
    assert patch.files == ("folder/new file.py", "run.sh")
    assert patch.left_out == ()
    assert patch.size_bytes == (run_folder / "patch.diff").stat().st_size
    rebuild(git, committed, run_folder, tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(committed)
    assert os.access(tmp_path / "again" / "run.sh", os.X_OK)


def test_before_the_first_commit_the_patch_is_the_whole(git, repository, run_folder, tmp_path):
    (repository / "a.py").write_text("one = 1\n")
    git(repository, "add", "a.py")
    (repository / "a.py").write_text("one = 2\n")
    patch = write_patch(read_git_state(repository), run_folder)
    assert patch.size_bytes
    again = tmp_path / "again"
    again.mkdir()
    git(again, "init", "-q")
    git(again, "apply", str(run_folder / "patch.diff"))
    assert (again / "a.py").read_text() == "one = 2\n"


def test_peoples_configuration_of_diff_does_not_spoil_the_patch(git, committed, run_folder, tmp_path):
    for name, value in (
        ("diff.noprefix", "true"),
        ("diff.external", "false"),
        ("color.ui", "always"),
        ("diff.mnemonicPrefix", "true"),
    ):
        git(committed, "config", name, value)
    (committed / "a.py").write_text("one = 2\n")
    write_patch(read_git_state(committed), run_folder)
    rebuild(git, committed, run_folder, tmp_path / "again")
    assert (tmp_path / "again" / "a.py").read_text() == "one = 2\n"


def test_only_source_is_copied_and_the_rest_is_named_with_the_reason(git, committed, run_folder):
    (committed / "data.pkl").write_bytes(b"x")
    (committed / "large.py").write_text("#" * (1024**2 + 1))
    (committed / "link.py").symlink_to(committed / "a.py")
    (committed / ".env").write_text("PASSWORD=x")
    (committed / "api_token.txt").write_text("x")
    (committed / "Makefile").write_text("all:\n")
    (committed / "ignored").mkdir()
    (committed / "ignored" / "x.py").write_text("")
    git(committed, "init", "-q", "nested")
    (committed / "nested" / "x.py").write_text("")
    patch = write_patch(read_git_state(committed), run_folder)
    assert patch.files == ("Makefile",)
    assert {each.path: each.why for each in patch.left_out} == {
        ".env": "named like a secret",
        "api_token.txt": "named like a secret",
        "data.pkl": "not source",
        "large.py": "larger than 1 MiB",
        "link.py": "a link",
        "nested/": "a repository of its own",
    }
    assert sorted(files_of(run_folder)) == ["untracked/Makefile"]


SECRET_CODE = """import os

API_KEY = "marker-0815"


def connect(password=os.environ.get("DB_PASSWORD")):
    return password
"""


def test_new_files_with_a_secret_in_them_are_not_copied(committed, run_folder):
    (committed / "client.py").write_text(SECRET_CODE)
    (committed / "db.yaml").write_text("host: here\npassword: marker-0815\n")
    (committed / "fine.py").write_text(SECRET_CODE.replace('"marker-0815"', 'os.environ["API_KEY"]'))
    patch = write_patch(read_git_state(committed), run_folder)
    assert patch.files == ("fine.py",)
    assert {each.path: each.why for each in patch.left_out} == {
        "client.py": "a secret stands in it",
        "db.yaml": "a secret stands in it",
    }
    assert sorted(files_of(run_folder)) == ["untracked/fine.py"]


@pytest.mark.parametrize("name", ["client.py", "my client.py", "größe.py", 'a"b\tc.py'])
def test_changed_files_with_a_secret_are_left_out_of_the_patch(git, committed, run_folder, tmp_path, name):
    (committed / name).write_text("old = 1\n")
    git(committed, "add", ".")
    git(committed, "commit", "-q", "-m", "second")
    (committed / name).write_text(SECRET_CODE)
    (committed / "a.py").write_text("one = 2\n")
    patch = write_patch(read_git_state(committed), run_folder)
    assert [(each.path, each.why) for each in patch.left_out] == [(name, "a secret stands in it")]
    assert "marker" not in (run_folder / "patch.diff").read_text()
    rebuild(git, committed, run_folder, tmp_path / "again")
    assert (tmp_path / "again" / "a.py").read_text() == "one = 2\n"


def test_a_patch_of_nothing_but_secrets_is_not_kept(git, committed, run_folder):
    (committed / "a.py").write_text(SECRET_CODE)
    git(committed, "commit", "-q", "-a", "-m", "a slip")
    (committed / "a.py").write_text("one = 1\n")
    patch = write_patch(read_git_state(committed), run_folder)
    assert (patch.size_bytes, [each.path for each in patch.left_out]) == (0, ["a.py"])
    assert os.listdir(run_folder) == []


def test_all_copies_together_stay_below_their_limit(committed, run_folder, monkeypatch):
    monkeypatch.setattr(patch_module, "TOTAL_LIMIT_BYTES", 250)
    for name in "bcd":
        (committed / f"{name}.py").write_text("#" * 100)
    patch = write_patch(read_git_state(committed), run_folder)
    assert patch.files == ("b.py", "c.py")
    assert [each.path for each in patch.left_out] == ["d.py"]


def test_a_patch_beyond_its_limit_is_left_out_and_named(committed, run_folder, monkeypatch):
    monkeypatch.setattr(patch_module, "PATCH_LIMIT_BYTES", 50)
    (committed / "a.py").write_text("two = 2\n" * 100)
    patch = write_patch(read_git_state(committed), run_folder)
    assert patch.size_bytes == 0
    assert patch.to_json()["left_out"][0]["path"] == "patch.diff"
    assert os.listdir(run_folder) == []


def test_results_are_not_kept(committed, run_folder):
    (committed / "data").mkdir()
    (committed / "data" / "notes.txt").write_text("x")
    (committed / "b.py").write_text("")
    state = read_git_state(committed, exclude=[committed / "data"])
    assert write_patch(state, run_folder, exclude=[committed / "data"]).files == ("b.py",)


def test_changes_inside_of_a_submodule_are_named(git, committed, tmp_path, run_folder):
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "submodule", "add", "-q", str(committed), "inner")
    git(outer, "commit", "-q", "-m", "outer")
    (outer / "inner" / "a.py").write_text("one = 9\n")
    patch = write_patch(read_git_state(outer), run_folder)
    assert [(each.path, each.why) for each in patch.left_out] == [("inner", "changes inside of a submodule")]


def test_a_run_folder_that_cannot_be_made_is_one_clear_error(committed, tmp_path):
    (committed / "b.py").write_text("")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        write_patch(read_git_state(committed), tmp_path / "file" / "run")
