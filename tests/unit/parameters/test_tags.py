"""The table of tags: each finds its reader, and refuses what it could not say in full."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from curifactory.parameters.tags import LARGEST_ARRAY_BYTES, find_reader, find_tag, needs_tag


@pytest.mark.parametrize("value", [b"", bytearray(b"x"), 1j, dt.date(2026, 1, 1), Path("x"), range(3), ...])
def test_what_a_tag_wrote_its_reader_reads(value):
    tag = find_tag(value)
    assert find_reader(tag.name)(tag.write(value)) == value


@pytest.mark.parametrize("value", [[], {}, (), object(), print, slice([], None)])
def test_what_has_parts_or_no_writer_has_no_tag(value):
    assert find_tag(value) is None


def test_an_unknown_tag_has_no_reader():
    assert find_reader("$nothing") is None


def test_a_path_of_another_system_comes_back_as_one_that_cannot_be_opened():
    foreign, flavour = ("posix", PurePosixPath) if sys.platform == "win32" else ("windows", PureWindowsPath)
    read = find_reader("$path")({"text": "a", "kind": "path", "flavour": foreign})
    assert type(read) is flavour


def test_arrays_are_stored_up_to_a_size():
    np = pytest.importorskip("numpy")
    assert find_tag(np.zeros(LARGEST_ARRAY_BYTES, dtype="u1")) is not None
    assert find_tag(np.zeros(LARGEST_ARRAY_BYTES + 1, dtype="u1")) is None


def test_numbers_and_texts_that_json_has_need_no_tag():
    assert not any(map(needs_tag, (1, 1.5, "ä€😀", None)))
