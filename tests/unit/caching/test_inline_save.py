from __future__ import annotations

import os
from pathlib import Path

from curifactory.caching.inline_save import InlineSave


def test_nothing_is_there_before_the_commit(tmp_path):
    saving = InlineSave()
    final = tmp_path / "new" / "a.txt"
    Path(saving.stage(str(final))).write_text("1")
    assert not final.exists()
    saving.commit()
    assert final.read_text() == "1"
    assert os.listdir(final.parent) == ["a.txt"]


def test_an_abandoned_save_leaves_what_was_there(tmp_path):
    final = tmp_path / "a.txt"
    final.write_text("old")
    saving = InlineSave()
    Path(saving.stage(str(final))).write_text("new")
    saving.abandon()
    assert final.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_takes_the_place_of_an_older_one_as_a_whole(tmp_path):
    final = tmp_path / "model"
    final.mkdir()
    (final / "old").write_text("x")
    saving = InlineSave()
    staged = Path(saving.stage(str(final)))
    staged.mkdir()
    (staged / "new").write_text("y")
    saving.commit()
    assert os.listdir(tmp_path) == ["model"]
    assert os.listdir(final) == ["new"]


def test_files_that_were_written_beside_go_along(tmp_path):
    saving = InlineSave()
    staged = saving.stage(str(tmp_path / "a.bin"))
    Path(staged).write_text("x")
    Path(f"{staged}.index").write_text("y")
    saving.commit()
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "a.bin.index"]


def test_a_path_that_was_never_written_is_not_missed(tmp_path):
    saving = InlineSave()
    saving.stage(str(tmp_path / "a"))
    saving.commit()
    assert os.listdir(tmp_path) == []


def test_two_saves_of_one_file_do_not_meet(tmp_path):
    first, second = InlineSave(), InlineSave()
    final = str(tmp_path / "a")
    Path(first.stage(final)).write_text("1")
    Path(second.stage(final)).write_text("2")
    second.commit()
    first.commit()
    assert Path(final).read_text() == "1"
    assert os.listdir(tmp_path) == ["a"]
