from __future__ import annotations

import unicodedata

import pytest

from curifactory.caching.names import LONGEST_PART_BYTES, safe_name

STRANGE = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/absolute",
    "a/b",
    "a\\b",
    "a\0b",
    ".hidden",
    "trailing.",
    "with space",
    "CON",
    "nul.txt",
    "com1",
    "line\nbreak",
    "\u202eright to left",
    "\ud800",
    "x" * 300,
    "ü" * 200,
    unicodedata.normalize("NFD", "größe"),
    "emoji 🙂",
    "a=b",
    "a~b",
    "*?",
]


@pytest.mark.parametrize(
    "name", ["train_model", "long-compute-data", "v1.2", "größe", "数据", "नमस्ते", "_", "-x", "CONTENT"]
)
def test_an_ordinary_name_stays_as_it_is(name):
    assert safe_name(name) == name


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_name_becomes_one_part_of_a_path_that_can_be_made(name, tmp_path):
    safe = safe_name(name)
    assert safe != name
    file = tmp_path / safe
    file.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == [safe]
    assert not safe.startswith(".")
    assert len(safe.encode()) <= LONGEST_PART_BYTES


def test_what_can_be_read_of_a_name_is_kept():
    assert safe_name("simple lr / balanced").startswith("simple_lr_balanced=")


def test_different_names_never_meet():
    names = [*STRANGE, "a_b", "with_space", "x" * 56, "x" * 57, "x" * 58, "hidden", "name"]
    # Also the outcome of one name, given as a name.
    names += [safe_name(name) for name in STRANGE]
    outcomes = {}
    for name in dict.fromkeys(names):
        outcomes.setdefault(safe_name(name), set()).add(name)
    assert {safe: given for safe, given in outcomes.items() if len(given) > 1} == {}


def test_a_label_of_the_longest_parts_is_still_a_file_name(tmp_path):
    part = safe_name("x" * 500)
    (tmp_path / f"{part}_{part}_{part}_{part}~01234567_metadata.json").write_text("x")
