"""Last uses: one by one or all at once, the answer is the same."""

from __future__ import annotations

import pytest

from curifactory.store.index import Index
from curifactory.store.last_uses import LastUses


@pytest.fixture
def index(tmp_path):
    with Index(tmp_path / "index.db") as opened:
        yield opened


@pytest.mark.parametrize("count", [3, 30, 5_000])
def test_many_records_are_answered_as_few_are(index, count):
    uses = LastUses(index)
    for number in range(count):
        uses.remember("iris.load", "iris", f"s{number}", f"key{number}", "iris_1")
    uses.remember("iris.load", "other", "s0", "elsewhere", "other_1")
    index.flush()
    later = LastUses(index)
    asked = range(0, count, max(1, count // 100))
    assert [later.find("iris.load", "iris", f"s{number}") for number in asked] == [f"key{n}" for n in asked]
    assert later.find("iris.load", "iris", "unknown") is None
    assert later.find("iris.load", "other", "s0") == "elsewhere"


def reopen_with_old(index):
    """Return what another process sees after twenty sets were noted with the trace 'old'."""
    first = LastUses(index)
    for number in range(20):
        first.remember("iris.load", "iris", f"s{number}", "old", "iris_1")
    index.flush()
    return LastUses(index)


def test_what_this_process_has_noted_comes_before_what_was_read(index):
    uses = reopen_with_old(index)
    for number in range(20):
        assert uses.find("iris.load", "iris", f"s{number}") == "old"
        uses.remember("iris.load", "iris", f"s{number}", "new", "iris_2")
        assert uses.find("iris.load", "iris", f"s{number}") == "new"


def test_a_record_that_goes_back_to_an_earlier_trace_is_noted_so(index):
    uses = reopen_with_old(index)
    for key in ("old", "new", "old"):
        for number in range(20):
            uses.remember("iris.load", "iris", f"s{number}", key, "iris_2")
    index.flush()
    later = LastUses(index)
    assert {later.find("iris.load", "iris", f"s{number}") for number in range(20)} == {"old"}


def test_a_new_trace_is_written_also_when_all_that_was_known_has_been_read(index):
    uses = reopen_with_old(index)
    for number in range(20):
        uses.remember("iris.load", "iris", f"s{number}", "old" if number < 15 else "new", "iris_2")
    uses.remember("iris.load", "iris", "another", "new", "iris_2")
    index.flush()
    later = LastUses(index)
    found = [later.find("iris.load", "iris", f"s{number}") for number in range(20)]
    assert found == ["old"] * 15 + ["new"] * 5
    assert later.find("iris.load", "iris", "another") == "new"
