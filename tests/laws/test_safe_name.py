"""Names of any kind become parts of file names: inside of their folder, readable, and never the same for two."""

from __future__ import annotations

import os
import tempfile

from hypothesis import given
from hypothesis import strategies as st

from curifactory.caching import JsonCacher
from curifactory.caching.names import LONGEST_PART_BYTES, safe_name

NAMES = (
    st.text(max_size=80)
    | st.text("./\\\0~=_-ab A", max_size=12)
    | st.from_regex(r"[a-zA-Z0-9._-]{1,70}", fullmatch=True)
)


@given(NAMES)
def test_a_safe_name_is_one_visible_part(name):
    safe = safe_name(name)
    assert safe
    assert not set(safe) & {"/", "\\", "\0", "~"}
    assert not safe.startswith(".")
    assert len(safe.encode()) <= LONGEST_PART_BYTES
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, safe), "w"):
            pass
        assert os.listdir(folder) == [safe]


@given(NAMES, NAMES)
def test_two_names_never_meet(one, other):
    assert (safe_name(one) == safe_name(other)) == (one == other)


@given(NAMES, NAMES, NAMES, NAMES)
def test_a_label_is_a_file_of_the_cache_folder(experiment, params_hash, stage, output):
    label = JsonCacher().label_for(
        experiment=experiment,
        params_hash=params_hash,
        stage=stage,
        output=output,
        params=None,
        cache_folder="/cache",
    )
    assert os.path.dirname(os.path.normpath(f"/cache/{label}.json")) == "/cache"
