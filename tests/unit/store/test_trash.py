"""The trash: what goes in comes back, and nothing that was made in the meantime is lost."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from curifactory.errors import StoreError
from curifactory.store.layout import Layout
from curifactory.store.trash import COLLECTION, LIST_NAME, RUNS, Rubbish, Trash

NOW = datetime.fromisoformat("2026-11-21T10:15:00+01:00")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data" / "cache")
    for folder in (layout.cache, layout.manifests / "iris.load", layout.superseded):
        folder.mkdir(parents=True)
    (layout.cache / "deep").mkdir()
    (layout.cache / "deep" / "model").mkdir()
    (layout.cache / "deep" / "model" / "weights").write_text("w")
    (layout.cache / "x.txt").write_text("x")
    (layout.manifests / "iris.load" / "9f.json").write_text("{}")
    return layout


def entries_of(layout: Layout) -> list[Rubbish]:
    return [
        Rubbish(f"{layout.manifests}/iris.load/9f.json", 2),
        Rubbish(f"{layout.cache}/x.txt", 1, f"{layout.superseded}/aa.txt"),
        Rubbish(f"{layout.cache}/deep/model", 1),
    ]


def list_tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def test_files_and_folders_go_and_come_back(layout: Layout) -> None:
    trash, before = Trash(layout), list_tree(layout.cache.parent)
    put = trash.put(entries_of(layout), now=NOW)
    assert list(layout.cache.iterdir()) == []
    assert list(layout.manifests.iterdir()) == []
    assert trash.list_folders() == [put]
    assert trash.bring_back(put) == 3
    assert list_tree(layout.cache.parent) == before
    assert not layout.trash.exists()


def test_the_list_is_written_before_anything_moves(layout: Layout) -> None:
    entries = [*entries_of(layout), Rubbish(f"{layout.cache}/gone", 5)]
    put = Trash(layout).put(entries, now=NOW)
    listed = json.loads((put.folder / LIST_NAME).read_text())["entries"]
    assert [row["path"] for row in listed] == [
        "manifests/iris.load/9f.json",
        "cache/x.txt",
        "cache/deep/model",
        "cache/gone",
    ]


def test_bytes_whose_name_is_taken_come_back_aside(layout: Layout) -> None:
    trash = Trash(layout)
    put = trash.put(entries_of(layout), now=NOW)
    (layout.cache / "x.txt").write_text("newer")
    assert trash.bring_back(put) == 3
    assert (layout.cache / "x.txt").read_text() == "newer"
    assert (layout.superseded / "aa.txt").read_text() == "x"


def test_what_was_made_again_stays(layout: Layout) -> None:
    trash = Trash(layout)
    put = trash.put(entries_of(layout), now=NOW)
    (layout.manifests / "iris.load").mkdir()
    (layout.manifests / "iris.load" / "9f.json").write_text("{ }")
    assert trash.bring_back(put) == 2
    assert (layout.manifests / "iris.load" / "9f.json").read_text() == "{ }"
    assert trash.list_folders() == []


def test_a_half_done_collection_can_be_brought_back(layout: Layout) -> None:
    trash = Trash(layout)
    put = trash.put(entries_of(layout), now=NOW)
    # As if killed before the second move.
    os.rename(put.folder / "files" / "cache" / "x.txt", layout.cache / "x.txt")
    assert Trash(layout).bring_back(trash.list_folders()[0]) == 2
    assert (layout.cache / "x.txt").read_text() == "x"


def test_two_collections_of_one_second_have_their_own_folders(layout: Layout) -> None:
    trash = Trash(layout)
    one = trash.put(entries_of(layout)[:1], now=NOW)
    other = trash.put(entries_of(layout)[1:], now=NOW)
    assert other.folder.name == f"{one.folder.name}-2"
    assert trash.list_folders()[0].folder == other.folder


def test_old_folders_are_told_and_emptied(layout: Layout) -> None:
    trash = Trash(layout)
    put = trash.put(entries_of(layout), now=NOW)
    assert trash.list_old(now=NOW + timedelta(days=7), days=7) == []
    old = trash.list_old(now=NOW + timedelta(days=7, seconds=1), days=7)
    assert old == [put]
    trash.empty(old)
    assert not layout.trash.exists()


def test_nothing_outside_of_the_data_folder_goes_into_the_trash(layout: Layout, tmp_path: Path) -> None:
    outside = tmp_path / "mine.txt"
    outside.write_text("mine")
    with pytest.raises(StoreError, match=r"mine\.txt does not lie below"):
        Trash(layout).put([Rubbish(str(outside), 4)], now=NOW)
    assert outside.read_text() == "mine"


def test_other_folders_that_the_trash_was_told_of_go_and_come_back(layout: Layout, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    page = reports / "vision" / "iris_1" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("page")
    trash = Trash(layout, others=[reports])
    put = trash.put([Rubbish(str(page.parent), 4)], now=NOW, kind=RUNS)
    assert list(reports.iterdir()) == []
    assert (
        json.loads((put.folder / LIST_NAME).read_text())["entries"][0]["path"] == "../reports/vision/iris_1"
    )
    assert trash.holds(put, put.entries[0])
    assert trash.bring_back(trash.list_folders(RUNS)[0]) == 1
    assert page.read_text() == "page"
    assert not trash.holds(put, put.entries[0])


def test_a_list_that_names_a_foreign_place_brings_nothing_there(layout: Layout) -> None:
    trash = Trash(layout)
    put = trash.put(entries_of(layout)[:1], now=NOW)
    text = (put.folder / LIST_NAME).read_text().replace("manifests/iris.load", "../../elsewhere")
    (put.folder / LIST_NAME).write_text(text)
    with pytest.raises(StoreError, match="does not lie below"):
        trash.bring_back(trash.list_folders()[0])


def test_kinds_are_told_apart(layout: Layout) -> None:
    trash = Trash(layout)
    collected = trash.put(entries_of(layout)[:1], now=NOW)
    removed = trash.put(entries_of(layout)[1:], now=NOW, kind=RUNS)
    assert trash.list_folders(COLLECTION) == [collected]
    assert trash.list_folders(RUNS) == [removed]
    text = (collected.folder / LIST_NAME).read_text()
    # As an earlier version wrote it.
    (collected.folder / LIST_NAME).write_text(text.replace(' "kind": "collection",\n', ""))
    assert trash.list_folders(COLLECTION) == [collected]


def test_two_collections_at_the_same_time_are_refused(layout: Layout) -> None:
    descriptor = os.open(layout.cache.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="Another process collects garbage"):
            Trash(layout).put(entries_of(layout), now=NOW)
    finally:
        os.close(descriptor)
    assert (layout.cache / "x.txt").exists()
