"""Zip files are the same bytes whenever they are written."""

from __future__ import annotations

import os
import zipfile

import pytest

from curifactory.errors import StoreError
from curifactory.publishing.archive import write_zip


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "below/größe.txt").write_text("text" * 100)
    (folder / "a.png").write_bytes(b"\x89PNG" * 100)
    (folder / "program").write_text("#!/bin/sh\n")
    (folder / "program").chmod(0o755)
    return folder


def test_times_and_order_on_the_disk_do_not_matter(folder, tmp_path):
    first = write_zip(folder, tmp_path / "first.zip").read_bytes()
    os.utime(folder / "a.png", (1, 1))
    (folder / "program").rename(folder / "x")
    (folder / "x").rename(folder / "program")
    assert write_zip(folder, tmp_path / "second.zip").read_bytes() == first


def test_everything_is_there_and_readable(folder, tmp_path):
    with zipfile.ZipFile(write_zip(folder, tmp_path / "x.zip", top="run")) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["run/a.png", "run/below/größe.txt", "run/program"]
        assert archive.read("run/below/größe.txt").decode() == "text" * 100
        assert archive.getinfo("run/program").external_attr >> 16 == 0o100755


def test_what_cannot_be_written_leaves_nothing(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="could not be written"):
        write_zip(folder, tmp_path / "file/x.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
