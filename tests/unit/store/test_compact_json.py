"""JSON of ours is the same whoever writes it, and what the quick way refuses the standard library takes."""

from __future__ import annotations

import sys

import msgspec
import pytest

from curifactory.store.compact_json import from_json, to_json, to_json_strictly

BODY = {"format": 1, "reads": {"größe": "9f"}, "made": ["a_1", 0.25, None, True], "files": [[".json", 3]]}


def test_what_the_quick_way_refuses_is_written_all_the_same() -> None:
    value = {"name": "half a pair \ud800"}
    with pytest.raises(ValueError, match="surrogates"):
        msgspec.json.encode(value)
    assert from_json(to_json(value)) == value


def test_both_ways_write_the_same_bytes() -> None:
    assert to_json(BODY) == to_json_strictly(BODY)


def test_without_the_quick_way_the_bytes_are_the_same(monkeypatch) -> None:
    quick = to_json(BODY)
    monkeypatch.delitem(sys.modules, "msgspec")
    assert to_json(BODY) == quick


def test_no_way_takes_what_is_no_json() -> None:
    with pytest.raises(TypeError):
        to_json({"x": object()})
