from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curifactory.core.trace import StoredFile
from curifactory.errors import CacheError
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.digests import digest_bytes, take_facts
from curifactory.store.index import Index
from curifactory.store.layout import Layout


class Store:
    """A store in a temporary folder, which can be closed and opened again as another process would."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.layout = Layout(data / "cache")
        self.open()

    def open(self) -> None:
        self.index = Index(self.layout.index_path)
        self.files = ArtifactFiles(self.layout, self.index)

    def close(self) -> None:
        self.files.close()
        self.index.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    def save(self, name: str, content: bytes | dict[str, bytes]) -> StoredFile:
        staging = self.files.new_staging()
        staged = f"{staging}/staged"
        if isinstance(content, bytes):
            Path(staged).write_bytes(content)
        else:
            for below, data in content.items():
                place = Path(staged, below)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
        (file,) = self.files.commit([(staged, str(self.layout.cache / name))])
        self.files.discard_staging(staging)
        return file

    def place(self, file: StoredFile) -> Path:
        return Path(self.files.path_of(file))

    def aside(self) -> set[str]:
        return set(os.listdir(self.layout.superseded)) if self.layout.superseded.exists() else set()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "data")
    yield store
    store.close()


def flip(path: Path, *, keep_times: bool = False) -> None:
    """Change one bit of a file in place."""
    before = path.stat()
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    if keep_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# ------------------------------------------------------------------------------------------------------------- commit


def test_a_committed_file_has_its_name_its_digest_and_nothing_beside_it(store):
    file = store.save("iris_data.csv", b"a,b\n1,2\n")
    assert file == StoredFile("iris_data.csv", digest_bytes(b"a,b\n1,2\n"), 8)
    assert contents(store.layout.cache) == {"iris_data.csv": b"a,b\n1,2\n"}
    assert store.files.state(file) is FileState.PRESENT


def test_a_committed_folder_moves_whole(store):
    file = store.save("model", {"weights.bin": b"123", "sub/config.json": b"{}"})
    assert file.size_bytes == 5
    assert contents(store.layout.cache) == {"model/weights.bin": b"123", "model/sub/config.json": b"{}"}
    assert store.files.state(file) is FileState.PRESENT


def test_several_files_come_back_in_their_order_and_references_last(store, tmp_path):
    staging = store.files.new_staging()
    Path(staging, "a").write_bytes(b"A")
    Path(staging, "b").write_bytes(b"B")
    (tmp_path / "own.csv").write_bytes(b"own")
    cache = store.layout.cache
    stored = store.files.commit(
        [(f"{staging}/b", f"{cache}/x.b"), (f"{staging}/a", f"{cache}/sub/x.a")], [str(tmp_path / "own.csv")]
    )
    assert [(file.path, file.referenced) for file in stored] == [
        ("x.b", False),
        ("sub/x.a", False),
        ("../../own.csv", True),
    ]
    assert (tmp_path / "own.csv").read_bytes() == b"own"


def test_the_data_folder_is_only_made_by_the_first_write(tmp_path):
    store = Store(tmp_path / "data")
    missing = StoredFile("x.csv", digest_bytes(b""), 0)
    assert store.files.state(missing) is FileState.MISSING
    store.files.close()
    assert not (tmp_path / "data" / "staging").exists()
    store.close()


def test_a_missing_staged_file_changes_nothing_at_all(store):
    old = store.save("x.csv", b"old")
    staging = store.files.new_staging()
    Path(staging, "here").write_bytes(b"new")
    cache = store.layout.cache
    with pytest.raises(CacheError, match="missing"):
        store.files.commit([(f"{staging}/here", f"{cache}/x.csv"), (f"{staging}/missing", f"{cache}/y.csv")])
    assert store.files.state(old) is FileState.PRESENT


def test_a_missing_reference_changes_nothing_at_all(store, tmp_path):
    old = store.save("x.csv", b"old")
    staging = store.files.new_staging()
    Path(staging, "here").write_bytes(b"new")
    with pytest.raises(CacheError, match=r"gone\.csv"):
        store.files.commit([(f"{staging}/here", f"{store.layout.cache}/x.csv")], [str(tmp_path / "gone.csv")])
    assert store.files.state(old) is FileState.PRESENT


@pytest.mark.parametrize("names", [("x", "x"), ("x", "x/y")])
def test_files_whose_names_swallow_each_other_are_refused(store, names):
    staging = store.files.new_staging()
    pairs = []
    for number, name in enumerate(names):
        Path(staging, str(number)).write_bytes(b"x")
        pairs.append((f"{staging}/{number}", f"{store.layout.cache}/{name}"))
    with pytest.raises(CacheError, match="names"):
        store.files.commit(pairs)


def test_a_fifo_is_no_artifact_and_nobody_waits_for_it(store):
    staging = store.files.new_staging()
    os.mkfifo(f"{staging}/pipe")
    with pytest.raises(CacheError, match="neither a file nor a folder"):
        store.files.commit([(f"{staging}/pipe", f"{store.layout.cache}/x")])


def test_a_target_on_another_device_gets_a_copy_beside_it_and_then_the_name(store):
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == store.data.parent.stat().st_dev:
        pytest.skip("no second file system here")
    folder = other / f"curifactory-test-{os.getpid()}"
    folder.mkdir()
    try:
        staging = store.files.new_staging()
        Path(staging, "x").write_bytes(b"far away")
        (file,) = store.files.commit([(f"{staging}/x", f"{folder}/x.bin")])
        assert file.path == f"{folder}/x.bin"
        assert contents(folder) == {"x.bin": b"far away"}
        assert store.files.state(file) is FileState.PRESENT
        assert take_facts(f"{folder}/x.bin").digest == file.digest
        Path(staging, "x").write_bytes(b"newer")
        store.files.commit([(f"{staging}/x", f"{folder}/x.bin")])
        assert store.files.state(file) is FileState.ASIDE
        assert contents(folder) == {"x.bin": b"newer"}
    finally:
        shutil.rmtree(folder)


# ------------------------------------------------------------------------------------------- names that change hands


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"old", b"new"), ({"a": b"old"}, {"a": b"new"}), (b"old", {"a": b"new"}), ({"a": b"old"}, b"new")],
    ids=["file", "folder", "file to folder", "folder to file"],
)
def test_older_bytes_go_aside_and_come_back(store, old, new):
    first = store.save("x.dat", old)
    second = store.save("x.dat", new)
    assert store.files.state(first) is FileState.ASIDE
    assert store.files.state(second) is FileState.PRESENT
    assert first.digest.split(":")[1] + ".dat" in store.aside()
    store.files.restore(first)
    assert store.files.state(first) is FileState.PRESENT
    assert store.files.state(second) is FileState.ASIDE
    assert store.files.read_through(first) is FileState.PRESENT
    store.files.restore(second)
    assert store.files.read_through(second) is FileState.PRESENT


def test_two_names_with_the_same_bytes_both_come_back(store):
    same = [store.save(f"{name}.txt", b"same") for name in "abc"]
    for name in "abc":
        store.save(f"{name}.txt", name.encode())
    assert [store.files.state(file) for file in same] == [FileState.ASIDE] * 3
    assert len([name for name in store.aside() if name.startswith(same[0].digest[7:])]) == 1
    for file in same:
        store.files.restore(file)
    assert [store.files.read_through(file) for file in same] == [FileState.PRESENT] * 3


def test_saving_the_same_bytes_again_puts_nothing_aside(store):
    file = store.save("x.txt", b"same")
    assert store.save("x.txt", b"same") == file
    assert store.aside() == set()
    assert store.files.state(file) is FileState.PRESENT


def test_bytes_that_come_back_by_being_made_again_can_go_aside_once_more(store):
    for _ in range(3):
        first = store.save("x", {"a": b"1"})
        second = store.save("x", {"a": b"2"})
    assert store.files.state(first) is FileState.ASIDE
    assert store.files.state(second) is FileState.PRESENT
    store.files.restore(first)
    store.files.restore(second)
    assert len(store.aside()) == 2
    assert store.files.read_through(second) is FileState.PRESENT


def test_an_unknown_file_in_the_way_is_set_aside_under_its_own_digest(store):
    store.layout.cache.mkdir(parents=True)
    (store.layout.cache / "x.txt").write_bytes(b"somebody's own")
    store.save("x.txt", b"ours")
    assert store.aside() == {digest_bytes(b"somebody's own")[7:] + ".txt"}


def test_a_damaged_file_is_set_aside_and_not_erased(store):
    file = store.save("x.txt", b"whole")
    flip(store.place(file), keep_times=True)
    damaged = store.place(file).read_bytes()
    assert store.files.read_through(file) is not FileState.PRESENT
    where = store.files.set_aside(file.path)
    assert Path(where).read_bytes() == damaged
    assert store.files.state(file) is FileState.MISSING
    assert store.files.set_aside(file.path) is None


def test_bytes_that_rotted_while_aside_are_not_brought_back(store):
    first = store.save("x.txt", b"first")
    store.save("x.txt", b"second")
    (name,) = store.aside()
    flip(store.layout.superseded / name)
    assert store.files.state(first) is FileState.MODIFIED
    with pytest.raises(CacheError, match="do not lie aside"):
        store.files.restore(first)
    again = store.save("x.txt", b"first")
    store.save("x.txt", b"second")
    assert store.files.state(again) is FileState.ASIDE
    assert len(store.aside()) == 3


# --------------------------------------------------------------------------------------------------------- how it is


def test_facts_that_somebody_brings_are_enough_and_nothing_is_read(store, monkeypatch):
    file = store.save("x.txt", b"whole")
    status = store.place(file).stat()
    seen = {file.path: (status.st_size, status.st_mtime_ns, status.st_ino)}
    store.reopen()
    with monkeypatch.context() as patch:
        patch.setattr("curifactory.store.file_facts.take_facts", lambda *_: pytest.fail("was read"))
        assert store.files.worst([file], seen) == (FileState.PRESENT, None)
        # They are remembered for whoever asks without them.
        assert store.files.state(file) is FileState.PRESENT
    other = file._replace(digest="blake3:" + "0" * 64)
    assert store.files.worst([other]) == (FileState.MODIFIED, other)


@pytest.mark.parametrize(
    "damage",
    [flip, os.unlink, lambda path: path.write_bytes(b"longer than before")],
    ids=["flipped", "deleted", "grown"],
)
def test_facts_that_somebody_brings_do_not_hide_what_lies_there_now(store, damage):
    file = store.save("x.txt", b"whole")
    status = store.place(file).stat()
    seen = {file.path: (status.st_size, status.st_mtime_ns, status.st_ino)}
    store.reopen()
    damage(store.place(file))
    assert store.files.worst([file], seen)[1] == file


def test_what_this_process_has_found_out_counts_more_than_facts_that_somebody_brings(store):
    file = store.save("x.txt", b"whole")
    os.utime(store.place(file), ns=(1, 10**18))
    status = store.place(file).stat()
    seen = {file.path: (status.st_size, status.st_mtime_ns, status.st_ino)}
    flip(store.place(file), keep_times=True)
    assert store.files.read_through(file) is not FileState.PRESENT
    assert store.files.worst([file], seen) == (FileState.MODIFIED, file)


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize(
    ("damage", "state"),
    [
        (lambda path: path.unlink(), FileState.MISSING),
        (flip, FileState.MODIFIED),
        (lambda path: os.truncate(path, 3), FileState.MODIFIED),
        (lambda path: os.truncate(path, 0), FileState.MODIFIED),
        (lambda path: path.write_bytes(b"grown" * 100), FileState.MODIFIED),
        (lambda path: (path.unlink(), path.mkdir()), FileState.MODIFIED),
        (lambda path: (path.unlink(), path.symlink_to("nowhere")), FileState.MISSING),
    ],
    ids=["deleted", "flipped", "cut", "emptied", "grown", "a folder now", "a broken link now"],
)
def test_damage_to_a_file_is_noticed(store, damage, state, reopened):
    file = store.save("x.dat", b"0123456789")
    assert store.files.state(file) is FileState.PRESENT
    if reopened:
        store.reopen()
    damage(store.place(file))
    assert store.files.state(file) is state
    assert store.files.read_through(file) is not FileState.PRESENT


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "a").unlink(),
        lambda folder: flip(folder / "sub" / "b"),
        lambda folder: (folder / "new").write_bytes(b""),
        lambda folder: (folder / "empty").mkdir(),
        lambda folder: (folder / "a").rename(folder / "c"),
    ],
    ids=["deleted", "flipped", "added", "empty folder added", "renamed"],
)
def test_damage_within_a_folder_is_noticed(store, damage):
    file = store.save("x", {"a": b"1", "sub/b": b"2"})
    assert store.files.state(file) is FileState.PRESENT
    damage(store.place(file))
    assert store.files.state(file) is FileState.MODIFIED


def test_a_change_right_after_the_commit_is_noticed(store):
    for number in range(30):
        file = store.save("x.dat", b"%09d" % number)
        flip(store.place(file))
        assert store.files.state(file) is FileState.MODIFIED


def test_two_files_of_one_tick_of_the_clock_are_told_apart(store):
    seen = {}
    for number in range(50):
        file = store.save("x.dat", b"%09d" % number)
        status = store.place(file).stat()
        # The next one may get the same inode.
        store.place(file).unlink()
        assert seen.setdefault((status.st_ino, status.st_mtime_ns), file) == file


def test_a_change_that_keeps_all_stat_facts_is_found_by_reading_the_bytes(store):
    file = store.save("x.dat", b"0123456789")
    flip(store.place(file), keep_times=True)
    assert store.files.state(file) is FileState.PRESENT
    assert store.files.read_through(file) is not FileState.PRESENT
    assert store.files.state(file) is FileState.MODIFIED


def test_bytes_are_not_read_again_while_the_stat_facts_hold(store, monkeypatch):
    # The facts of a small file lie beside its trace, and there is none here.
    file, folder = store.save("x.dat", b"0123456789" * 10_000), store.save("y", {"a": b"1"})
    store.reopen()
    monkeypatch.setattr("curifactory.store.file_facts.take_facts", lambda *_: pytest.fail("was read"))
    for _ in range(2):
        assert store.files.state(file) is FileState.PRESENT
        assert store.files.state(folder) is FileState.PRESENT


def test_a_copied_store_is_checked_once_by_digest_and_then_by_stat(store, tmp_path, monkeypatch):
    file, folder = store.save("x.dat", b"0123456789"), store.save("y", {"a": b"1"})
    store.close()
    shutil.copytree(store.data, tmp_path / "copy" / "data")
    copy = Store(tmp_path / "copy" / "data")
    time.sleep(0.05)
    assert copy.files.state(file) is copy.files.state(folder) is FileState.PRESENT
    copy.reopen()
    monkeypatch.setattr("curifactory.store.file_facts.take_facts", lambda *_: pytest.fail("was read"))
    assert copy.files.state(file) is copy.files.state(folder) is FileState.PRESENT
    copy.close()


def test_a_file_whose_time_is_too_fresh_is_not_remembered(store):
    store.layout.cache.mkdir(parents=True)
    place = store.layout.cache / "x.dat"
    file = StoredFile("x.dat", digest_bytes(b"1"), 1)
    now_ns = time.time_ns() + 10**9
    for content, state in ((b"1", FileState.PRESENT), (b"2", FileState.MODIFIED), (b"1", FileState.PRESENT)):
        with place.open("r+b" if place.exists() else "wb") as opened:
            opened.write(content)
        # As if all writes had come in one tick of the clock.
        os.utime(place, ns=(now_ns, now_ns))
        assert store.files.state(file) is state


def test_facts_travel_between_processes(store, monkeypatch):
    file = store.save("x.dat", b"0123456789")
    facts = store.files.known([file])
    with Index(store.data / "other.db") as index:
        other = ArtifactFiles(store.layout, index)
        other.adopt(facts)
        monkeypatch.setattr("curifactory.store.file_facts.take_facts", lambda *_: pytest.fail("was read"))
        assert other.state(file) is FileState.PRESENT


def test_references_are_checked_and_never_touched(store, tmp_path):
    own = tmp_path / "own.csv"
    own.write_bytes(b"own")
    (file,) = store.files.commit([], [str(own)])
    assert store.files.state(file) is FileState.PRESENT
    own.write_bytes(b"changed")
    assert store.files.state(file) is FileState.MODIFIED
    own.unlink()
    assert store.files.state(file) is FileState.MISSING
    assert store.files.link(file, str(store.layout.cache / "x.csv")) == file
    assert store.aside() == set()


def test_a_referenced_folder_counts_with_what_its_links_lead_to(store, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "far.png").write_bytes(b"1")
    (tmp_path / "images" / "near.png").symlink_to(tmp_path / "far.png")
    (tmp_path / "images" / "loop").symlink_to(tmp_path / "images")
    (file,) = store.files.commit([], [str(tmp_path / "images")])
    assert store.files.state(file) is FileState.PRESENT
    (tmp_path / "far.png").write_bytes(b"2")
    assert store.files.state(file) is FileState.MODIFIED


@pytest.mark.parametrize("content", [b"0123456789", {"a": b"1", "b": b"2"}], ids=["file", "folder"])
def test_bytes_that_rotted_unseen_under_both_names_are_not_brought_back_for_ever(store, content):
    first = store.save("x", content)
    store.save("x", b"other")
    for below in store.layout.superseded.rglob("*"):
        if below.is_file():
            flip(below, keep_times=True)
    assert store.files.state(first) is FileState.ASIDE
    with contextlib.suppress(CacheError):
        store.files.restore(first)
    assert store.files.read_through(first) is not FileState.PRESENT
    assert store.files.state(first) is FileState.MODIFIED
    again = store.save("x", content)
    assert store.files.read_through(again) is FileState.PRESENT


# ------------------------------------------------------------------------------------------------------ second names


@pytest.mark.parametrize("content", [b"shared", {"a": b"1", "sub/b": b"2"}], ids=["file", "folder"])
def test_a_second_name_holds_the_same_bytes_and_outlives_the_first(store, content):
    file = store.save("one.dat", content)
    other = store.files.link(file, str(store.layout.cache / "two.dat"))
    assert (other.path, other.digest) == ("two.dat", file.digest)
    assert store.files.state(other) is FileState.PRESENT
    shutil.rmtree(store.place(file), ignore_errors=True)
    store.place(file).unlink(missing_ok=True)
    assert store.files.read_through(other) is FileState.PRESENT


def test_a_second_name_of_a_file_is_a_hard_link(store):
    file = store.save("one.dat", b"shared")
    other = store.files.link(file, str(store.layout.cache / "two.dat"))
    assert store.place(file).samefile(store.place(other))
    store.save("two.dat", b"other")
    assert store.files.state(file) is FileState.PRESENT


def test_a_second_name_that_is_taken_puts_the_other_bytes_aside(store):
    file, taken = store.save("one.dat", b"shared"), store.save("two.dat", b"taken")
    store.files.link(file, str(store.place(taken)))
    assert store.files.state(taken) is FileState.ASIDE


def test_a_second_name_can_come_from_bytes_that_lie_aside(store):
    file = store.save("one.dat", b"shared")
    store.save("one.dat", b"newer")
    other = store.files.link(file, str(store.layout.cache / "two.dat"))
    assert store.files.read_through(other) is FileState.PRESENT


def test_where_there_are_no_hard_links_a_second_name_is_a_copy(store, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    file, folder = store.save("one.dat", b"shared"), store.save("dir", {"a": b"1"})
    monkeypatch.setattr("os.link", refuse)
    for each in (file, folder):
        other = store.files.link(each, str(store.layout.cache / f"second_{each.path}"))
        assert store.files.read_through(other) is FileState.PRESENT
    assert not store.place(file).samefile(store.layout.cache / "second_one.dat")


def test_a_second_name_of_missing_bytes_is_refused(store):
    file = store.save("one.dat", b"shared")
    store.place(file).unlink()
    with pytest.raises(CacheError, match="missing"):
        store.files.link(file, str(store.layout.cache / "two.dat"))


# ------------------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EIO, "disk answers"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "denied"),
    ],
)
@pytest.mark.parametrize("call", ["rename", "open", "utime", "mkdir"])
def test_an_error_of_the_disk_names_the_path_and_leaves_nothing_false(
    store, monkeypatch, number, words, call
):
    old = store.save("sub/x.dat", b"old")
    staging = store.files.new_staging()
    Path(staging, "x").write_bytes(b"new")
    target = str(store.layout.cache / "sub/x.dat")
    real = getattr(os, call)

    def fail(path, *args, **kwargs):
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(f"os.{call}", fail)
    try:
        store.files.commit([(f"{staging}/x", target)])
        failed = None
    except CacheError as error:
        failed = error
    monkeypatch.setattr(f"os.{call}", real)
    if failed is None:
        assert call == "utime"
    else:
        assert words in str(failed)
        assert str(store.data) in str(failed)
        assert failed.hint
    store.reopen()
    assert store.files.state(old) in (FileState.PRESENT, FileState.ASIDE)
    new = store.save("sub/x.dat", b"new")
    assert store.files.read_through(new) is FileState.PRESENT


def test_a_folder_that_cannot_be_written_is_named(store):
    if os.geteuid() == 0:
        pytest.skip("permission bits do not bind this user")
    staging = store.files.new_staging()
    Path(staging, "x").write_bytes(b"x")
    store.layout.cache.mkdir()
    store.layout.cache.chmod(0o500)
    with pytest.raises(CacheError, match="permission is denied"):
        store.files.commit([(f"{staging}/x", str(store.layout.cache / "x"))])
    store.layout.cache.chmod(0o700)


def test_a_name_that_is_too_long_is_an_error_that_says_so(store):
    staging = store.files.new_staging()
    Path(staging, "x").write_bytes(b"x")
    with pytest.raises(CacheError, match="too long"):
        store.files.commit([(f"{staging}/x", f"{store.layout.cache}/{'n' * 300}")])


def test_a_data_folder_that_was_moved_away_is_not_made_again(store, tmp_path):
    store.save("x.dat", b"x")
    staging = store.files.new_staging()
    Path(staging, "x").write_bytes(b"new")
    store.data.rename(tmp_path / "moved")
    with pytest.raises(CacheError, match="moved or deleted"):
        store.files.commit([(f"{staging}/x", str(store.layout.cache / "x.dat"))])
    with pytest.raises(CacheError, match="moved or deleted"):
        store.files.new_staging()
    assert not store.data.exists()


def test_a_small_disk_that_is_full_is_one_clear_error_and_works_again_with_room(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        store = Store(disk / "data")
        old = store.save("x.dat", b"old")
        (disk / "ballast").write_bytes(b"0" * 1000)
        with (disk / "ballast").open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while ballast.write(b"0" * 1024):
                pass
        with pytest.raises((CacheError, OSError)):
            store.save("y.dat", b"y" * 100_000)
        assert store.files.state(old) is FileState.PRESENT
        (disk / "ballast").unlink()
        assert store.files.read_through(store.save("y.dat", b"y" * 50_000)) is FileState.PRESENT
        store.close()
    finally:
        subprocess.run(["umount", str(disk)], check=False)


# ----------------------------------------------------------------------------------------------------- staging, kills


def test_an_emptied_staging_folder_is_used_again_and_gone_at_the_end(store):
    first = store.files.new_staging()
    second = store.files.new_staging()
    assert first != second
    Path(first, "left").write_bytes(b"x")
    store.files.discard_staging(first)
    store.files.discard_staging(second)
    assert store.files.new_staging() == second
    store.files.discard_staging(second)
    store.files.close()
    assert os.listdir(store.layout.staging) == []


def test_staging_folders_of_dead_processes_are_cleared_away(store):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mark = Path(store.files.new_staging()).name.split("-")[1]
    old_s = time.time() - 3600
    kept = {f"{dead.pid}-{mark}-8", f"{os.getppid()}-{mark}-1", f"{dead.pid}-ffffff-1", "not ours"}
    for name in {f"{dead.pid}-{mark}-7", *kept}:
        (store.layout.staging / name).mkdir()
        (store.layout.staging / name / "x").write_bytes(b"x")
        if not name.endswith("-8"):
            os.utime(store.layout.staging / name, (old_s, old_s))
    store.reopen()
    ours = Path(store.files.new_staging()).name
    assert set(os.listdir(store.layout.staging)) - {ours} >= kept
    assert not (store.layout.staging / f"{dead.pid}-{mark}-7").exists()


KILLED = """
import os, random, signal, sys, threading, time
from pathlib import Path
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.index import Index
from curifactory.store.layout import Layout

layout = Layout(Path(sys.argv[1]))
index = Index(layout.index_path)
files = ArtifactFiles(layout, index)
number = int(sys.argv[2])
# On a busy machine little may come about in a time, so it begins after some turns.
turns = int(sys.argv[4])
while True:
    if turns == 0:
        threading.Timer(float(sys.argv[3]), os.kill, (os.getpid(), signal.SIGKILL)).start()
    turns -= 1
    number += 1
    staging = files.new_staging()
    Path(staging, "small").write_bytes(b"%d" % number)
    Path(staging, "big").write_bytes(b"%09d" % number * 40_000)
    os.mkdir(f"{staging}/dir")
    Path(staging, "dir", "a").write_bytes(b"%d" % number)
    stored = files.commit([(f"{staging}/{name}", f"{layout.cache}/{name}") for name in ("small", "big", "dir")])
    files.discard_staging(staging)
    # One line, by one write: what was said to be done.
    os.write(1, (" ".join(f"{file.path}={file.digest}={file.size_bytes}" for file in stored) + "\\n").encode())
"""


def test_killed_at_any_moment_everything_that_was_committed_is_found_whole(store):
    said: list[StoredFile] = []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for kill in range(20):
        command = [
            sys.executable,
            "-c",
            KILLED,
            str(store.layout.cache),
            str(kill * 1000),
            str(0.001 + 0.004 * kill),
            str(kill),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        for line in ended.stdout.splitlines():
            for word in line.split(" "):
                path, digest, size = word.split("=")
                said.append(StoredFile(path, digest, int(size)))
    assert len(said) > 50
    store.reopen()
    for file in said:
        where = store.files.find_bytes(file)
        assert where is not None
        assert take_facts(where).digest == file.digest
    last = said[-3]._replace()
    store.files.restore(last)
    assert store.files.read_through(last) is FileState.PRESENT
