from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from curifactory.errors import DefinitionError
from curifactory.identity.fingerprint import (
    Scope,
    class_fingerprint,
    code_digest,
    compare,
    fingerprint,
    hold_changed_globals,
)

WORK = """
    import helpers
    from helpers import scale

    LIMIT = 3

    def run(x):
        '''Doc.'''
        total = scale(x)  # a comment
        return helpers.clean(total) + LIMIT
"""
HELPERS = """
    FACTOR = 2

    def clean(x):
        return tidy(x)

    def tidy(x):
        return x

    def scale(x):
        return FACTOR * x

    def unrelated(x):
        return 0
"""


@pytest.fixture
def basic(workshop):
    workshop.write("work.py", WORK)
    workshop.write("helpers.py", HELPERS)
    return workshop


def test_every_function_and_constant_that_is_reached_is_a_part(basic):
    taken = basic.take()
    assert set(taken.parts) == {
        "work.run", "work.LIMIT", "helpers.clean", "helpers.tidy", "helpers.scale", "helpers.FACTOR",
    }  # fmt: skip
    assert taken.places["helpers.tidy"] == "helpers.py:7"
    assert taken.places["work.LIMIT"] == "work.py:5"
    assert not taken.notes


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("work.py", "# a comment", "# another one"),
        ("work.py", "'''Doc.'''", "'''Another docstring.'''"),
        ("work.py", "total = scale(x)", "total  =  scale( x, )"),
        ("work.py", "import helpers\n", "import helpers\n\n\n# moved down\n"),
        ("helpers.py", "def clean(x):\n", "def clean(x: int) -> int:\n    y: int\n"),
        ("helpers.py", "return 0", "return 1"),
        ("helpers.py", "return tidy(x)", "'just a string'\n    return (tidy(x))"),
    ],
)
def test_what_means_nothing_changes_nothing(basic, path, before, after):
    first = basic.take()
    basic.edit(path, before, after)
    assert basic.take().digest == first.digest


@pytest.mark.parametrize(
    ("path", "before", "after", "part"),
    [
        ("work.py", "+ LIMIT", "- LIMIT", "work.run"),
        ("work.py", "LIMIT = 3", "LIMIT = 3.0", "work.LIMIT"),
        ("helpers.py", "    return x\n", "    return x + 1\n", "helpers.tidy"),
        ("helpers.py", "FACTOR = 2", "FACTOR = 4 - 1", "helpers.FACTOR"),
        ("helpers.py", "def tidy(x):", "def tidy(x, y=1):", "helpers.tidy"),
    ],
)
def test_what_means_something_is_named(basic, path, before, after, part):
    first = basic.take()
    basic.edit(path, before, after)
    assert basic.changed(first) == [part]


def test_another_helper_under_the_same_name_is_noticed(basic):
    first = basic.take()
    basic.edit("work.py", "from helpers import scale", "from helpers import unrelated as scale")
    assert basic.changed(first)[0] == "work.run"


def test_two_helpers_that_swap_their_names_are_noticed(workshop):
    workshop.write("helpers.py", "def a(x): return x + 1\ndef b(x): return x - 1\n")
    workshop.write("work.py", "from helpers import a as p, b as q\ndef run(x): return p(x) * 2 + q(x)\n")
    first = workshop.take()
    workshop.edit("work.py", "a as p, b as q", "b as p, a as q")
    assert workshop.changed(first) == ["work.run"]


def test_another_external_function_under_the_same_name_is_noticed(workshop):
    workshop.write("work.py", "from math import sqrt as root\ndef run(x): return root(x)\n")
    first = workshop.take()
    workshop.edit("work.py", "from math", "from cmath")
    assert workshop.changed(first) == ["work.run"]


def test_equal_code_has_equal_fingerprints_in_every_process(basic):
    basic.edit("work.py", "LIMIT = 3", "LIMIT = {'b', 'a', 'c', 'd'}")
    basic.edit("work.py", "+ LIMIT", "+ len(LIMIT)")
    here = basic.take()
    assert basic.take_elsewhere(seed=1) == basic.take_elsewhere(seed=2) == (here.digest, dict(here.parts))


def test_the_folder_of_the_project_is_no_part_of_its_code(workshop, tmp_path):
    workshop.write(
        "work.py",
        "from pathlib import Path\nHERE = Path(__file__).parent\nDATA = str(HERE / 'd')\ndef run(): return HERE, DATA\n",
    )
    first = workshop.take()
    moved = type(workshop)(tmp_path / "elsewhere")
    moved.write("work.py", (workshop.root / "work.py").read_text())
    assert moved.take_elsewhere() == (first.digest, dict(first.parts))


def test_a_stage_is_the_same_whether_its_wrapper_or_its_function_is_given(workshop):
    workshop.write(
        "work.py",
        """
        import curifactory.core.stages as cf

        @cf.stage(["a"], ["b"], None, version=3)
        def run(record, a: int):
            return a
        """,
    )
    module = workshop.load("work")
    whole = fingerprint(module.run, scope=workshop.scope)
    assert whole == fingerprint(module.run.spec.function, scope=workshop.scope)
    assert set(whole.parts) == {"work.run", "work.run (decorator)"}


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("[PickleCacher]", "[JsonCacher]", True),
        ("a: int", "a: float", True),
        ('["a"], ["b"]', '["a"], ["c"]', False),
        ("version=3", "version=4", False),
        ("suppress_missing_inputs=False", "suppress_missing_inputs=True", False),
    ],
)
def test_arguments_of_the_decorator_count_apart_from_cachers(workshop, before, after, same):
    workshop.write(
        "work.py",
        """
        import curifactory.core.stages as cf

        class PickleCacher:
            def save(self, value): ...
            def load(self): ...

        class JsonCacher(PickleCacher):
            pass

        @cf.stage(["a"], ["b"], [PickleCacher], suppress_missing_inputs=False, version=3)
        def run(record, a: int = 0):
            return a
        """,
    )
    first = workshop.take()
    workshop.edit("work.py", before, after)
    assert (workshop.take().digest == first.digest) is same


def test_other_stages_that_are_reached_count_through_their_functions(workshop):
    workshop.write(
        "work.py",
        """
        from curifactory.core.stages import stage

        @stage(None, ["b"])
        def inner(record):
            return 1

        @stage(None, ["c"])
        def run(record):
            inner(record)
            return 2
        """,
    )
    first = workshop.take()
    workshop.edit("work.py", "return 1", "return 3")
    assert workshop.changed(first) == ["work.inner"]


def test_a_function_bound_anew_in_a_running_process_is_noticed(basic):
    module = basic.load("work")
    first = fingerprint(module.run, scope=basic.scope)
    namespace = {"__name__": "helpers"}
    exec("def tidy(x):\n    return x + 5\n", namespace)
    module.helpers.tidy = namespace["tidy"]
    assert [part for part, _, _ in compare(first.parts, fingerprint(module.run, scope=basic.scope))] == [
        "helpers.tidy"
    ]


def test_code_that_is_patched_into_a_function_is_noticed(basic):
    module = basic.load("work")
    first = fingerprint(module.run, scope=basic.scope)
    module.helpers.tidy.__code__ = module.helpers.unrelated.__code__
    assert fingerprint(module.run, scope=basic.scope).digest != first.digest


def test_a_constant_changed_in_place_is_noticed_and_so_is_its_return(workshop):
    workshop.write("work.py", "CONFIG = {'depth': 2}\ndef run(): return CONFIG['depth']\n")
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.CONFIG["depth"] = 3
    second = fingerprint(module.run, scope=workshop.scope)
    assert [part for part, _, _ in compare(first.parts, second)] == ["work.CONFIG"]
    module.CONFIG["depth"] = 2
    assert fingerprint(module.run, scope=workshop.scope) == first


def test_a_fingerprint_that_still_holds_is_not_taken_again(basic):
    module = basic.load("work")
    first = fingerprint(module.run, scope=basic.scope)
    assert fingerprint(module.run, scope=basic.scope) is first
    assert fingerprint(module.run, scope=basic.scope, version=1) is not first


def test_a_global_that_a_stage_has_changed_is_held_at_its_first_value(workshop):
    workshop.write(
        "work.py",
        """
        class Store:
            def __init__(self):
                self.seen = []

        def remember(store, x):
            store.seen.append(x)

        STORE = Store()

        def run(x):
            remember(STORE, x)
        """,
    )
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    assert hold_changed_globals(module.run, scope=workshop.scope) == ()
    module.run(1)
    assert hold_changed_globals(module.run, scope=workshop.scope) == ("work.STORE",)
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest


def test_files_folders_packages_and_values_can_be_declared(workshop):
    workshop.write("work.py", "def run(): return 1\n")
    workshop.write("helpers.py", "def clean(): return 1\n")
    table = workshop.write("data/table.csv", "1,2\n")
    plain = workshop.take()
    for depends in (
        ["data/table.csv"],
        [Path("data")],
        ["pytest"],
        [{"a": 1}],
        ["helpers"],
        [Path("comes/later")],
    ):
        declared = workshop.take(depends=depends)
        assert declared.digest != plain.digest
        assert workshop.take(depends=depends).digest == declared.digest
    before = {name: workshop.take(depends=[name]) for name in ("data/table.csv", "data", "helpers")}
    table.write_text("1,2,3\n")
    workshop.edit("helpers.py", "return 1", "return 2")
    for name, taken in before.items():
        assert workshop.take(depends=[name]).digest != taken.digest


def test_a_declared_file_is_looked_at_again_in_the_same_process(workshop):
    workshop.write("work.py", "def run(): return 1\n")
    table = workshop.write("table.csv", "1\n")
    module = workshop.load("work")
    depends = ("table.csv",)
    first = fingerprint(module.run, scope=workshop.scope, depends=depends)
    table.write_text("2 2\n")
    second = fingerprint(module.run, scope=workshop.scope, depends=depends)
    assert compare(first.parts, second) == [("depends on table.csv", "changed", "table.csv")]


def test_a_declared_name_that_is_nothing_is_an_error_with_a_hint(workshop):
    workshop.write("work.py", "def run(): return 1\n")
    with pytest.raises(DefinitionError, match=r"'tabel.csv', which is neither a file .* Paths are relative"):
        workshop.take(depends=["tabel.csv"])
    with pytest.raises(DefinitionError, match="cannot be identified"):
        workshop.take(depends=[object()])


def test_versions_differ_by_type_too(workshop):
    workshop.write("work.py", "def run(): return 1\n")
    digests = {workshop.take(version=version).digest for version in (None, 1, True, 1.0, "1", (1,))}
    assert len(digests) == 6


def test_functions_that_call_each_other_have_fingerprints_of_their_own(workshop):
    workshop.write(
        "work.py", "def run(n): return n and other(n - 1)\ndef other(n): return n and run(n - 1)\n"
    )
    first, second = workshop.take("work:run"), workshop.take("work:other")
    assert first.parts == second.parts
    assert first.digest != second.digest


def test_partials_methods_and_callable_objects_can_be_stages(workshop):
    workshop.write(
        "work.py",
        """
        from functools import partial

        class Trainer:
            def __init__(self, rate):
                self.rate = rate
            def train(self, x):
                return helper(x)
            def __call__(self, x):
                return helper(x)

        def helper(x):
            return x

        slow, fast = Trainer(0.1), Trainer(0.2)
        by_part = partial(helper, 1)
        bound, other = slow.train, fast.train
        """,
    )
    names = ("slow", "fast", "by_part", "bound", "other")
    first = {name: workshop.take(f"work:{name}") for name in names}
    assert len({taken.digest for taken in first.values()}) == len(names)
    workshop.edit("work.py", "return x\n", "return -x\n")
    for name, taken in first.items():
        assert workshop.changed(taken, f"work:{name}") == ["work.helper"]


def test_a_class_of_the_project_has_a_fingerprint_and_others_have_none(workshop):
    workshop.write("work.py", "class Net:\n    def predict(self, x):\n        return x\n")
    first = class_fingerprint(workshop.load("work").Net, scope=workshop.scope)
    workshop.edit("work.py", "return x", "return x + 1")
    assert class_fingerprint(workshop.load("work").Net, scope=workshop.scope) != first
    assert class_fingerprint(Path, scope=workshop.scope) is None
    assert code_digest(sys.getsizeof, scope=workshop.scope) is None


def test_scopes_do_not_share_what_they_found(workshop):
    workshop.write("work.py", "import json\ndef run(x): return json.dumps(x)\n")
    module = workshop.load("work")
    narrow = fingerprint(module.run, scope=workshop.scope)
    wide = fingerprint(module.run, scope=Scope(workshop.root, packages=("json",)))
    assert "json.dumps" in wide.parts
    assert "json.dumps" not in narrow.parts


def test_a_fingerprint_can_be_sent_to_another_process(basic):
    taken = basic.take()
    assert pickle.loads(pickle.dumps(taken)) == taken
