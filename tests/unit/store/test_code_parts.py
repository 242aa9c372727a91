"""The parts of codes: written once, and never believed when they are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from curifactory.store.code_parts import CodeParts
from curifactory.store.layout import Layout
from curifactory.store.manifest_files import ManifestFiles

STAGE = "iris.load"
PARTS = {"load": "7d"}
PLACES = {"load": "iris.py:3"}


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "cache")


@pytest.fixture
def make(layout):
    """Make what another process would have."""
    return lambda read_only=False: CodeParts(ManifestFiles(layout), read_only=read_only)


def file_of(layout) -> Path:
    (path,) = layout.manifests.rglob("code-*.json")
    return path


def test_another_process_finds_what_was_written(make):
    make().write(STAGE, "c1", PARTS, PLACES)
    assert make().find(STAGE, "c1") == (PARTS, PLACES)
    assert make().find(STAGE, "c2") is None
    assert make().find("iris.train", "c1") is None


def test_they_are_written_once(layout, make):
    parts = make()
    parts.write(STAGE, "c1", PARTS, PLACES)
    written = file_of(layout).stat()
    for each in (parts, make()):
        each.write(STAGE, "c1", {"load": "8e"}, PLACES)
    assert file_of(layout).stat() == written
    assert make().find(STAGE, "c1") == (PARTS, PLACES)


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"format":1,"parts":{}}'])
def test_damaged_ones_are_set_aside_and_written_again(layout, make, damage):
    parts = make()
    parts.write(STAGE, "c1", PARTS, PLACES)
    file_of(layout).write_bytes(damage)
    assert parts.find(STAGE, "c1") is None
    assert [path.read_bytes() for path in layout.superseded.iterdir()] == [damage]
    parts.write(STAGE, "c1", PARTS, PLACES)
    assert parts.find(STAGE, "c1") == (PARTS, PLACES)


def test_who_only_reads_leaves_damaged_ones_where_they_are(layout, make):
    make().write(STAGE, "c1", PARTS, PLACES)
    file_of(layout).write_bytes(b"{}")
    assert make(read_only=True).find(STAGE, "c1") is None
    assert file_of(layout).read_bytes() == b"{}"
