"""New files: written whole, with facts that hold at once, and never a digest of bytes that are not there."""

from __future__ import annotations

import errno
import os
import time

import pytest

from curifactory.store.digests import digest_bytes, take_facts
from curifactory.store.new_files import StagedFiles, write_new


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "x.json")


def test_the_facts_of_written_bytes_are_those_of_the_file_and_hold_at_once(path):
    files = StagedFiles()
    for data in (b"", b"19\n", b"x" * 5_000_000):
        files.write(path, data)
        assert files.find({path: "x"}) == [(path, "x")]
        facts = files.take(path)
        assert facts == take_facts(path)
        assert facts.settled
        assert facts.digest == digest_bytes(data)


@pytest.mark.parametrize("change", [b"20\n", b"19\nmore"])
def test_what_was_changed_after_it_was_written_is_read_again(path, change):
    files = StagedFiles()
    files.write(path, b"19\n")
    with open(path, "wb") as file:
        file.write(change)
    assert files.take(path).digest == digest_bytes(change)


def test_a_change_that_sets_the_time_back_and_replaces_the_file_is_read_again(path):
    files = StagedFiles()
    files.write(path, b"19\n")
    with open(f"{path}.other", "wb") as file:
        file.write(b"20\n")
    os.replace(f"{path}.other", path)
    assert files.take(path).digest == digest_bytes(b"20\n")


def test_what_nobody_can_have_touched_is_not_looked_at_again(path):
    files = StagedFiles()
    files.write(path, b"19\n")
    facts = take_facts(path)
    os.unlink(path)
    assert files.take(path, is_untouched=True) == facts


def test_files_that_others_have_written_are_read(path):
    with open(path, "wb") as file:
        file.write(b"abc")
    files = StagedFiles()
    assert files.find({path: "x", f"{path}.none": "y"}) == [(path, "x")]
    assert files.take(path).digest == digest_bytes(b"abc")


def test_bytes_that_are_written_in_pieces_are_whole(path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:3]))
    write_new(path, b"0123456789")
    with open(path, "rb") as file:
        assert file.read() == b"0123456789"


def test_a_full_disk_leaves_nothing(path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(OSError, match="No space"):
        write_new(path, b"abc")
    assert not os.path.exists(path)


def test_who_may_not_set_times_is_told_so(path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(os, "utime", refuse)
    # However long this process is kept waiting, it looks at the very moment in which it writes.
    began_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: began_ns)
    assert write_new(path, b"abc")[1] == -1
    files = StagedFiles()
    files.write(path, b"abc")
    # Its time could hide a change, so that the facts do not count for later looks.
    assert not files.take(path).settled
