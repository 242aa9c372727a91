"""The files of two runs, put together again from commits, patches and new files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from curifactory.provenance.git import read_git_state
from curifactory.provenance.past_sources import CodeOrigin, diff_sources, has_commit
from curifactory.provenance.patch import write_patch


@pytest.fixture
def remember(committed, tmp_path):
    """Keep the state of the work tree as a run does."""

    def keep(name: str) -> CodeOrigin:
        state = read_git_state(committed)
        assert state is not None
        assert state.commit is not None
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        write_patch(state, folder)
        return CodeOrigin(state.commit, folder)

    return keep


def listing(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_states_of_one_commit_differ_by_their_patches(committed, remember) -> None:
    (committed / "a.py").write_text("one = 2\n")
    before = remember("before")
    (committed / "a.py").write_text("one = 3\n")
    after = remember("after")
    found = diff_sources(committed, before, after)
    assert found.files == ("a.py",)
    assert found.text == "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-one = 2\n+one = 3\n"


def test_commits_patches_and_new_files_are_all_in_it(committed, remember, git) -> None:
    clean = remember("clean")
    (committed / "new.py").write_text("new = 1\n")
    with_new = remember("with new")
    git(committed, "add", ".")
    git(committed, "commit", "-q", "-m", "second")
    (committed / "a.py").unlink()
    later = remember("later")
    assert (
        diff_sources(committed, clean, with_new).text
        == "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+new = 1\n"
    )
    assert diff_sources(committed, with_new, later).files == ("a.py",)
    assert diff_sources(committed, clean, later).files == ("a.py", "new.py")
    assert "+++ /dev/null" in diff_sources(committed, clean, later).text


def test_what_was_committed_unchanged_is_no_difference(committed, remember, git) -> None:
    (committed / "a.py").write_text("one = 2\n")
    dirty = remember("dirty")
    git(committed, "commit", "-q", "-a", "-m", "the same")
    found = diff_sources(committed, dirty, remember("clean"))
    assert (found.files, found.text, found.left_out) == ((), "", ())


def test_what_is_no_text_is_named_and_not_shown(committed, remember, git) -> None:
    before = remember("before")
    (committed / "data.bin").write_bytes(b"\0\1")
    (committed / "big.py").write_text("x = 1\n" * 200_000)
    (committed / "latin.py").write_bytes(b"x = '\xe9'\n")
    (committed / "größe [1].py").write_text("x = 1\n")
    git(committed, "add", ".")
    git(committed, "commit", "-q", "-m", "more")
    (committed / "größe [1].py").write_text("x = 2\n")
    found = diff_sources(committed, before, remember("after"))
    assert found.files == ("größe [1].py",)
    assert found.text.endswith("+x = 2\n")
    assert sorted(found.left_out) == ["big.py", "data.bin", "latin.py"]


def test_a_last_line_without_an_end_is_told(committed, remember) -> None:
    before = remember("before")
    (committed / "a.py").write_text("one = 2")
    assert diff_sources(committed, before, remember("after")).text.endswith(
        "-one = 1\n+one = 2\n\\ No newline at end of file\n"
    )


def test_the_repository_is_not_touched(committed, remember) -> None:
    before = remember("before")
    (committed / "a.py").write_text("one = 2\n")
    after = remember("after")
    files = listing(committed)
    diff_sources(committed, before, after)
    assert listing(committed) == files


def test_a_patch_that_is_damaged_is_no_difference(committed, remember) -> None:
    before = remember("before")
    (committed / "a.py").write_text("one = 2\n")
    after = remember("after")
    (after.folder / "patch.diff").write_text("damaged")
    assert diff_sources(committed, before, after) is None
    (after.folder / "patch.diff").write_text("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-two\n+three\n")
    assert diff_sources(committed, before, after) is None


def test_a_commit_is_known_or_not(committed, remember) -> None:
    origin = remember("run")
    assert has_commit(committed, origin.commit)
    assert not has_commit(committed, "0" * 40)
    shutil.rmtree(committed / ".git")
    assert not has_commit(committed, origin.commit)
