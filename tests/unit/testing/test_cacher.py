"""A law that cannot fail is none: each bad cacher here breaks just the laws that it should."""

from __future__ import annotations

import pytest

from curifactory.testing import CacherLaws

pytest_plugins = ["pytester"]

HEADER = """
import json, os, time
from pathlib import Path
import pytest
from curifactory.caching import Cacheable
from curifactory.testing import CacherLaws

class Good(Cacheable):
    extension = ".json"
    def save(self, obj):
        with open(self.get_path(), "w") as file:
            json.dump(obj, file)
    def load(self):
        with open(self.get_path()) as file:
            return json.load(file)
"""

FOOTER = """
class TestIt(CacherLaws):
    @pytest.fixture
    def cacher(self):
        return Bad

    @pytest.fixture
    def values(self):
        return [{"a": [1, 2]}, "text"]
"""

LOSES_TYPES = """
class Bad(Good):
    def load(self):
        return str(super().load())
"""

WRITES_ELSEWHERE = """
class Bad(Good):
    def save(self, obj):
        super().save(obj)
        Path("stray").write_text("x")
"""

WRITES_BESIDE = """
class Bad(Good):
    def save(self, obj):
        super().save(obj)
        Path(self.get_path() + ".x").write_text("x")
"""

WRITES_THE_TIME = """
class Bad(Good):
    def save(self, obj):
        super().save(obj)
        Path(self.get_path("_time")).write_text(str(time.time_ns()))
"""

WRITES_TO_THE_FINAL_PATH = """
class Bad(Good):
    def get_path(self, suffix=None):
        return self.final_path(suffix)
"""

KEEPS_THE_VALUE = """
class Bad(Good):
    kept = None

    def save(self, obj):
        super().save(obj)
        self.kept = obj

    def load(self):
        return self.kept
"""

SWALLOWS = """
class Bad(Good):
    def save(self, obj):
        try:
            super().save(obj)
        except TypeError:
            pass
"""

HAS_A_RANDOM_KEY = """
class Bad(Good):
    def key(self):
        return f"{time.time_ns():064d}"
"""

HAS_NO_LOAD = """
class Bad(Cacheable):
    def save(self, obj):
        Path(self.get_path()).write_text(json.dumps(obj))
"""

COMES_BACK = "test_a_value_comes_back_equal_and_of_its_type"
PLACES = "test_files_are_written_only_where_get_path_says"
REFUSED = "test_a_refused_value_leaves_no_file"
KEPT = "test_a_refused_value_keeps_the_earlier_file"

CASES = {
    "good": ("class Bad(Good): pass", set()),
    "loses types": (LOSES_TYPES, {COMES_BACK, "test_it_works_without_a_stage"}),
    "writes elsewhere": (WRITES_ELSEWHERE, {PLACES}),
    "writes beside": (WRITES_BESIDE, {PLACES}),
    "writes the time": (WRITES_THE_TIME, {"test_the_same_value_gives_the_same_bytes"}),
    "writes to the final path": (WRITES_TO_THE_FINAL_PATH, {REFUSED, KEPT, PLACES}),
    "keeps the value": (KEEPS_THE_VALUE, {COMES_BACK}),
    "swallows": (SWALLOWS, {REFUSED, KEPT}),
    "has a random key": (HAS_A_RANDOM_KEY, {"test_copies_have_the_same_key"}),
    "has no load": (HAS_NO_LOAD, {"test_its_definition_is_complete", COMES_BACK}),
    "does not follow redirects": (
        "class Bad(Good):\n    def load(self): return json.loads(Path(self.final_path()).read_text())",
        {"test_files_are_loaded_from_where_they_lie_now"},
    ),
    "has suffixes of its own": (
        "class Bad(Good):\n    def get_path(self, suffix=None): return super().get_path(suffix and '_own' + suffix)",
        {"test_a_suffix_stands_in_place_of_the_extension"},
    ),
    "has metadata that is no JSON": (
        "class Bad(Good):\n    def save(self, obj): super().save(obj); self.extra_metadata['at'] = Path('x')",
        {"test_extra_metadata_is_json_and_complete"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_cacher_breaks_the_laws_that_it_should(pytester, case):
    source, broken = CASES[case]
    pytester.makepyfile(test_it=f"{HEADER}\n{source}\n{FOOTER}")
    result = pytester.runpytest_inprocess("-q", "-rA", "-p", "no:cacheprovider")
    verdicts = [line.split(" ")[:2] for line in result.outlines if line.startswith(("PASSED", "FAILED"))]
    failed = {name.rpartition("::")[2] for verdict, name in verdicts if verdict == "FAILED"}
    assert len(verdicts) == len([name for name in dir(CacherLaws) if name.startswith("test_")])
    assert broken <= failed
    assert broken or not failed
