from __future__ import annotations

import ast
import importlib
import linecache
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from curifactory.identity.fingerprint import Scope, compare, fingerprint, hold_changed_globals, take
from curifactory.identity.module_index import ModuleIndex


def changes_of(workshop, path, before, after, *, target="work:run"):
    first = workshop.take(target)
    workshop.edit(path, before, after)
    return workshop.changed(first, target)


# ------------------------------------------------------------------------------------------------ names and modules


def test_a_chain_of_attributes_is_followed_through_modules(workshop):
    workshop.write("pack/__init__.py", "from pack import deep\n")
    workshop.write(
        "pack/deep.py", "class Tool:\n    def use(self): return 1\ndef f(): return 1\ndef g(): return 2\n"
    )
    workshop.write("work.py", "import pack\ndef run(): return pack.deep.f()\n")
    first = workshop.take()
    assert set(first.parts) == {"work.run", "pack.deep.f"}
    workshop.edit("pack/deep.py", "return 2", "return 3")
    assert workshop.changed(first) == []


def test_names_in_inner_functions_lambdas_and_comprehensions_are_followed(workshop):
    workshop.write("helpers.py", "".join(f"def h{n}(x): return x\n" for n in range(4)))
    workshop.write(
        "work.py",
        """
        from helpers import h0, h1, h2, h3

        def run(xs):
            def inner(x):
                return h0(x)
            pick = lambda x: h1(x)
            class Local:
                value = h3(1)
            return [h2(inner(pick(x))) for x in xs]
        """,
    )
    assert {f"helpers.h{n}" for n in range(4)} <= set(workshop.take().parts)


def test_a_local_with_the_name_of_a_global_is_not_that_global(workshop):
    workshop.write("work.py", "data = 3\ndef run(x):\n    data = x\n    return data\n")
    assert set(workshop.take().parts) == {"work.run"}


def test_a_constant_is_named_after_the_module_that_made_it(workshop):
    workshop.write("base.py", "SIZE = 3\n")
    workshop.write("middle.py", "from base import SIZE as WIDTH\n")
    workshop.write("work.py", "from middle import WIDTH\ndef run(): return WIDTH\n")
    taken = workshop.take()
    assert taken.places["base.SIZE"] == "base.py:1"


def test_what_a_module_does_when_it_is_imported_counts(workshop):
    workshop.write("work.py", "import sys\nsys.setrecursionlimit(3000)\nprint = print\ndef run(): return 1\n")
    assert changes_of(workshop, "work.py", "3000", "3100") == ["work (statements)"]


@pytest.mark.parametrize(
    "statement", ["if __name__ == '__main__':\n    print(1)\n", "TABLE['x'] = 1\n", "log.setLevel(10)\n"]
)
def test_statements_that_matter_to_nothing_reached_do_not_count(workshop, statement):
    workshop.write(
        "work.py",
        f"import logging\nTABLE = {{}}\nlog = logging.getLogger('a')\n{statement}def run(): return 1\n",
    )
    assert changes_of(workshop, "work.py", "return 1", "return 2") == ["work.run"]
    first = workshop.take()
    workshop.edit("work.py", statement, "")
    assert workshop.changed(first) == []


# -------------------------------------------------------------------------------------------------------- decorators


DECORATED = """
    import functools
    from tools import timed, scaled, Memo, registry

    @timed
    def plain(x):
        return x

    @scaled(2)
    def by_argument(x):
        return x

    @Memo
    def by_object(x):
        return x

    @functools.lru_cache(maxsize=5)
    def cached(x):
        return x

    @registry.register
    def registered(x):
        return x

    def run(x):
        return plain(x) + by_argument(x) + by_object(x) + cached(x) + registered(x)
"""
TOOLS = """
    import functools

    def timed(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)
        return wrapper

    def scaled(factor):
        twice = factor * 2
        def decorate(function):
            def wrapper(x):
                return twice * function(x)
            return wrapper
        return decorate

    class Memo:
        def __init__(self, function):
            self.function = function
            self.seen = 0
        def __call__(self, x):
            return self.function(x)

    class Registry:
        def register(self, function):
            return function

    registry = Registry()
"""


@pytest.mark.parametrize(
    ("path", "before", "after", "part"),
    [
        ("work.py", "def plain(x):\n        return x", "def plain(x):\n        return -x", "work.plain"),
        (
            "work.py",
            "def by_argument(x):\n        return x",
            "def by_argument(x):\n        return -x",
            "work.by_argument",
        ),
        (
            "work.py",
            "def by_object(x):\n        return x",
            "def by_object(x):\n        return -x",
            "work.by_object",
        ),
        ("work.py", "def cached(x):\n        return x", "def cached(x):\n        return -x", "work.cached"),
        (
            "work.py",
            "def registered(x):\n        return x",
            "def registered(x):\n        return -x",
            "work.registered",
        ),
        ("work.py", "scaled(2)", "scaled(3)", "work.by_argument"),
        ("work.py", "maxsize=5", "maxsize=6", "work.cached"),
        ("tools.py", "return function(*args)", "return 1 + function(*args)", "tools.timed.wrapper"),
        ("tools.py", "twice = factor * 2", "twice = factor * 2 + 0", "tools.scaled"),
        ("tools.py", "return self.function(x)", "return -self.function(x)", "tools.Memo.__call__"),
        (
            "tools.py",
            "def register(self, function):",
            "def register(self, function, x=1):",
            "tools.Registry.register",
        ),
    ],
)
def test_decorated_functions_count_with_their_decorators(workshop, path, before, after, part):
    workshop.write("work.py", DECORATED.replace("\n    ", "\n"))
    workshop.write("tools.py", TOOLS.replace("\n    ", "\n"))
    assert part in changes_of(workshop, path, before.replace("\n    ", "\n"), after.replace("\n    ", "\n"))


def test_two_wrappers_of_one_decorator_that_swap_are_noticed(workshop):
    text = """
        def make(n):
            def inner(x):
                return n * x
            return inner
        one, two = make(1), make(2)
        TABLE = {"a": lambda x: x, "b": lambda x: -x}
        def run(x):
            return one(x) - two(x) + TABLE["a"](x)
    """
    workshop.write("work.py", text)
    assert changes_of(workshop, "work.py", "one, two =", "two, one =")
    assert changes_of(
        workshop, "work.py", '"a": lambda x: x, "b": lambda x: -x', '"b": lambda x: x, "a": lambda x: -x'
    )


def test_single_dispatch_counts_all_implementations_and_not_what_it_remembers(workshop):
    workshop.write(
        "work.py",
        """
        import functools

        @functools.singledispatch
        def show(x):
            return "any"

        @show.register
        def _(x: int):
            return "int"

        def run(x):
            return show(x)
        """,
    )
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.run(True)
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest
    workshop.edit("work.py", '"int"', '"whole"')
    assert workshop.changed(first)
    # Under a decorator that reads them, annotations count.
    assert changes_of(workshop, "work.py", "x: int", "x: float")


def test_a_context_manager_is_followed_through_contextlib(workshop):
    workshop.write(
        "work.py",
        """
        from contextlib import contextmanager

        @contextmanager
        def opened(x):
            yield x + 1

        def run(x):
            with opened(x) as y:
                return y
        """,
    )
    assert changes_of(workshop, "work.py", "yield x + 1", "yield x + 2") == ["work.opened"]


# ----------------------------------------------------------------------------------------------------------- classes


CLASSES = """
    from dataclasses import dataclass, field
    from functools import cached_property

    class Meta(type):
        def __new__(meta, name, bases, space):
            return super().__new__(meta, name, bases, space)

    class Base(metaclass=Meta):
        RATE = 1
        def fit(self, x):
            return self.step(x)
        def step(self, x):
            return x

    class Typed:
        def __get__(self, instance, owner):
            return 4

    class Net(Base):
        depth: int = 2
        size = Typed()

        class Inner:
            LEVEL = 1

        def step(self, x):
            '''Doc.'''
            return helper(x) * self.RATE

        @property
        def width(self):
            return 1

        @staticmethod
        def static(x):
            return 2

        @classmethod
        def made(cls):
            return 3

        @cached_property
        def slow(self):
            return 5

    @dataclass
    class Options:
        rate: float = 0.1
        layers: list = field(default_factory=list)

    def helper(x):
        return x

    def unrelated():
        return 0

    def run(x):
        return Net().fit(x), Options()
"""


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ("return super().__new__(meta, name, bases, space)", "return type.__new__(meta, name, bases, space)", "work.Meta.__new__"),
        ("RATE = 1", "RATE = 2", "work.Base"),
        ("return self.step(x)", "return self.step(x) + 1", "work.Base.fit"),
        ("return 4", "return 5", "work.Typed.__get__"),
        ("depth: int = 2", "depth: float = 2", "work.Net"),
        ("LEVEL = 1", "LEVEL = 2", "work.Net.Inner"),
        ("return helper(x) * self.RATE", "return helper(x)", "work.Net.step"),
        ("return 1", "return 11", "work.Net.width"),
        ("return 2", "return 12", "work.Net.static"),
        ("return 3", "return 13", "work.Net.made"),
        ("return 5", "return 15", "work.Net.slow"),
        ("return x\n\n    def unrelated", "return -x\n\n    def unrelated", "work.helper"),
        ("rate: float = 0.1", "rate: float = 0.2", "work.Options"),
        ("default_factory=list", "default_factory=tuple", "work.Options"),
        ("class Net(Base):", "class Net(Base, Inherited):", "work.Net"),
        ("class Net(Base):", "class Net(Typed):", "work.Net"),
    ],
)  # fmt: skip
def test_a_class_counts_whole_and_names_what_changed(workshop, before, after, part):
    text = CLASSES.replace("\n    ", "\n")
    workshop.write("work.py", text.replace("class Net", "class Inherited: pass\nclass Net", 1))
    workshop.load("work")
    before, after = before.replace("\n    ", "\n"), after.replace("\n    ", "\n")
    assert part in changes_of(workshop, "work.py", before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [("'''Doc.'''", "'''New.'''"), ("return 0", "return 9"), ("class Typed:", "\n# c\nclass Typed:")],
)
def test_a_class_does_not_change_with_comments_and_docstrings(workshop, before, after):
    workshop.write("work.py", CLASSES.replace("\n    ", "\n"))
    assert changes_of(workshop, "work.py", before, after) == []


def test_a_method_that_comes_or_goes_is_noticed(workshop):
    workshop.write("work.py", "class Net:\n    def a(self): return 1\ndef run(): return Net()\n")
    assert changes_of(workshop, "work.py", "    def a", "    def b(self): return 2\n    def a") == [
        "work.Net",
        "work.Net.b",
    ]


def test_a_method_patched_in_from_another_module_is_followed(workshop):
    workshop.write("patch.py", "def predict(self, x): return x\n")
    workshop.write(
        "work.py", "import patch\nclass Net: pass\nNet.predict = patch.predict\ndef run(): return Net()\n"
    )
    assert changes_of(workshop, "patch.py", "return x", "return -x") == ["patch.predict"]


def test_what_methods_remember_on_their_class_is_no_part_of_its_code(workshop):
    workshop.write(
        "work.py",
        """
        class Net:
            _seen = {}
            def get(self, x):
                self._seen[x] = x
                return x
        def run(x): return Net().get(x)
        """,
    )
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.run(1)
    assert workshop.take().digest == first.digest
    assert changes_of(workshop, "work.py", "_seen = {}", "_seen = {1: 2}") == ["work.Net"]


def test_enums_named_tuples_and_pydantic_models_are_classes_too(workshop):
    workshop.write(
        "work.py",
        """
        import enum
        import typing
        import attrs
        import pydantic

        class Kind(enum.Enum):
            A = 1
            B = 2
            def show(self): return "k"

        class Point(typing.NamedTuple):
            x: int = 1
            y: int = 2

        class Sub(pydantic.BaseModel):
            depth: int = 3

        class Model(pydantic.BaseModel):
            sub: "Sub"
            rate: float = 0.5

        @attrs.define
        class Shape:
            sides: int = 4

        def run(): return Kind.A, Point(), Model, Shape()
        """,
    )
    first = workshop.take_elsewhere(seed=1)
    assert first == workshop.take_elsewhere(seed=2)
    for before, after, part in [
        ("B = 2", "B = 3", "work.Kind"),
        ('return "k"', 'return "q"', "work.Kind.show"),
        ("y: int = 2", "y: int = 4", "work.Point"),
        ("rate: float", "rate: int", "work.Model"),
        ("depth: int = 3", "depth: int = 5", "work.Sub"),
        ("sides: int = 4", "sides: int = 5", "work.Shape"),
    ]:
        assert part in changes_of(workshop, "work.py", before, after)


# ----------------------------------------------------------------------------------------------------------- globals


def test_a_logger_a_lock_and_a_session_do_not_stand_in_the_way(workshop):
    workshop.write(
        "work.py",
        """
        import logging
        import threading

        log = logging.getLogger(__name__)
        lock = threading.Lock()
        local = threading.local()
        missing = object()

        def run(x=missing):
            with lock:
                log.info("x")
                return local
        """,
    )
    first = workshop.take()
    assert workshop.take_elsewhere() == (first.digest, dict(first.parts))
    assert changes_of(workshop, "work.py", "threading.Lock()", "threading.RLock()") == ["work.lock"]


def test_what_makes_an_unidentifiable_global_counts(workshop):
    workshop.write(
        "work.py",
        """
        import threading

        class Session:
            def __init__(self, size): self.lock, self.size = threading.Lock(), size

        def make(size): return Session(size)

        session = make(3)

        def run(): return session
        """,
    )
    assert changes_of(workshop, "work.py", "make(3)", "make(4)") == ["work.session"]
    assert changes_of(workshop, "work.py", "return Session(size)", "return Session(size + 1)") == [
        "work.make"
    ]
    assert changes_of(workshop, "work.py", "size): self.lock", "size=1): self.lock") == [
        "work.Session.__init__"
    ]


@pytest.mark.parametrize(
    "line", ["CACHE[x] = x", "CACHE.setdefault(x, x)", "helpers.CACHE[x] = x", "CACHE[x] += 1", "fill(x)"]
)
def test_a_memo_counts_by_its_binding_and_is_named_once(workshop, line):
    workshop.write("helpers.py", "CACHE = {0: 0, 1: 1}\ndef fill(x):\n    CACHE.update({x: x})\n")
    workshop.write(
        "work.py",
        f"import helpers\nfrom helpers import CACHE, fill\ndef run(x):\n    {line}\n    return CACHE[x]\n",
    )
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    assert [note.split(" is ")[0] for note in first.notes] == ["helpers.CACHE"]
    module.run(1)
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest
    assert "helpers.CACHE" in changes_of(workshop, "helpers.py", "0: 0", "0: 5")


def test_a_global_that_is_bound_anew_by_a_function_is_a_memo(workshop):
    workshop.write("work.py", "COUNT = 0\ndef run():\n    global COUNT\n    COUNT += 1\n    return COUNT\n")
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.run()
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest


def test_a_dict_of_functions_is_followed_by_value(workshop):
    workshop.write(
        "work.py",
        """
        def linear(x): return x
        def tree(x): return -x
        MODELS = {}
        MODELS["linear"] = linear
        MODELS["tree"] = tree
        def run(kind): return MODELS[kind](1)
        """,
    )
    assert changes_of(workshop, "work.py", "return -x", "return 0") == ["work.tree"]
    assert (
        changes_of(workshop, "work.py", 'MODELS["tree"] = tree', 'MODELS["tree"] = linear')[0]
        == "work.MODELS"
    )


def test_defaults_and_closures_count_by_value(workshop):
    workshop.write(
        "work.py",
        """
        SIZE = 3
        def make(rate):
            state = {"rate": rate}
            def inner(x, size=SIZE, *, mode="a"):
                return state["rate"], x, size, mode
            return inner
        run = make(0.5)
        """,
    )
    assert changes_of(workshop, "work.py", "0.5", "0.6") == ["work.make.inner"]
    assert changes_of(workshop, "work.py", "SIZE = 3", "SIZE = 4") == ["work.make.inner"]
    assert changes_of(workshop, "work.py", 'mode="a"', 'mode="b"') == ["work.make.inner"]


def test_a_big_array_is_digested_once_an_object(workshop):
    workshop.write("work.py", "import numpy\nTABLE = numpy.zeros(200_000)\ndef run(): return TABLE\n")
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.TABLE = module.numpy.ones(200_000)
    assert fingerprint(module.run, scope=workshop.scope).digest != first.digest


# ----------------------------------------------------------------------------------------- imports made at run time


LATE = """
    import nowhere_to_be_found

    RATE = 2
    TABLE = {"a": 1}

    def clean(x):
        return tidy(x) * RATE

    def tidy(x):
        return x

    class Tool:
        def use(self):
            return tidy(1)

    def unrelated():
        return 0
"""


@pytest.mark.parametrize(
    "line",
    [
        "from late import clean; return clean(x)",
        "import late; return late.clean(x)",
        "import late as l; return l.clean(x)",
    ],
)
def test_an_import_inside_of_a_function_is_parsed_and_not_imported(workshop, line):
    workshop.write("late.py", LATE)
    workshop.write("work.py", f"def run(x):\n    {line}\n")
    first = workshop.take()
    assert "late" not in sys.modules
    assert {"late.clean", "late.tidy", "late.RATE"} <= set(first.parts)
    assert changes_of(workshop, "late.py", "return 0", "return 1") == []
    assert changes_of(workshop, "late.py", "return x\n", "return -x\n") == ["late.tidy"]
    assert changes_of(workshop, "late.py", "RATE = 2", "RATE = 3") == ["late.RATE"]


def test_a_late_import_is_the_same_whether_it_has_happened_or_not(workshop):
    workshop.write("late.py", LATE.replace("import nowhere_to_be_found", "import json\n    json.dumps(1)"))
    workshop.write("pack/__init__.py", "")
    workshop.write("pack/inner.py", "from .other import *\ndef g(): return h()\n")
    workshop.write("pack/other.py", "def h(): return 1\n")
    workshop.write(
        "work.py",
        "def run(x):\n    from late import clean, Tool, TABLE\n    from pack import inner\n    return clean(inner.g())\n",
    )
    cold = workshop.take_elsewhere()
    assert cold == workshop.take_elsewhere(also=("late", "pack.inner"))
    assert {"late (statements)", "late.Tool", "pack.inner.g", "late.TABLE"} <= set(cold[1])
    first = workshop.take()
    workshop.edit("pack/other.py", "return 1", "return 2")
    assert workshop.changed(first)


def test_a_late_constant_that_was_changed_in_this_process_is_noticed(workshop):
    workshop.write("late.py", "TABLE = {'a': 1}\n")
    workshop.write("work.py", "def run():\n    from late import TABLE\n    return TABLE\n")
    first = workshop.take()
    module = workshop.load("work")
    __import__("late").TABLE["a"] = 2
    assert [part for part, _, _ in compare(first.parts, fingerprint(module.run, scope=workshop.scope))] == [
        "late.TABLE"
    ]


def test_a_late_function_that_was_edited_after_its_import_counts_as_it_runs(workshop):
    workshop.write("late.py", "def f(): return 1\n")
    workshop.write("work.py", "def run():\n    from late import f\n    return f()\n")
    first = workshop.take()
    module = workshop.load("work")
    __import__("late")
    workshop.edit("late.py", "return 1", "return 2")
    edited = fingerprint(module.run, scope=workshop.scope)
    assert edited.digest not in {first.digest, workshop.take().digest}


def test_relative_imports_inside_of_functions_are_followed(workshop):
    workshop.write("pack/__init__.py", "")
    workshop.write(
        "pack/work.py",
        "def run():\n    from .near import f\n    from . import far\n    return f() + far.g()\n",
    )
    workshop.write("pack/near.py", "def f(): return 1\n")
    workshop.write("pack/far.py", "def g(): return 1\ndef other(): return 1\n")
    first = workshop.take("pack.work:run")
    assert {"pack.near.f", "pack.far.g"} <= set(first.parts)


# --------------------------------------------------------------------------------------------------- dynamic reach


@pytest.mark.parametrize(
    "line",
    ["getattr(models, kind)()", "vars(models)[kind]()", "models.__dict__[kind]()", "pick(models, kind)()"],
)
def test_a_module_whose_names_are_looked_up_counts_whole(workshop, line):
    workshop.write("models.py", "def linear(): return 1\ndef tree(): return 2\n")
    workshop.write(
        "work.py", f"import models\ndef pick(m, k): return getattr(m, k)\ndef run(kind): return {line}\n"
    )
    assert changes_of(workshop, "models.py", "return 2", "return 3") == ["models.tree"]
    assert "models (whole module)" in changes_of(
        workshop, "models.py", "def linear", "def more(): return 1\ndef linear"
    )


def test_a_constant_getattr_reaches_one_name(workshop):
    workshop.write("models.py", "def linear(): return 1\ndef tree(): return 2\n")
    workshop.write("work.py", "import models\ndef run(): return getattr(models, 'linear')()\n")
    assert changes_of(workshop, "models.py", "return 2", "return 3") == []
    assert changes_of(workshop, "models.py", "return 1", "return 4") == ["models.linear"]


@pytest.mark.parametrize(
    "line", ["eval(text)", "exec(text)", "globals()[text]()", "sys.modules[__name__].__dict__[text]()"]
)
def test_evaluated_text_counts_the_own_module_and_says_so(workshop, line):
    workshop.write("work.py", f"import sys\ndef helper(): return 1\ndef run(text): return {line}\n")
    assert "all of this module counts" in workshop.take().notes[0]
    assert changes_of(workshop, "work.py", "return 1", "return 2") == ["work.helper"]


def test_a_method_called_eval_evaluates_nothing(workshop):
    workshop.write("work.py", "def helper(): return 1\ndef run(model): return model.eval()\n")
    assert set(workshop.take().parts) == {"work.run"}


@pytest.mark.parametrize(
    "line",
    [
        "importlib.import_module(name)",
        "import_module(name)",
        "__import__(name)",
        "importlib.import_module(f'models.{name}')",
        "sys.modules[name]",
    ],
)
def test_names_of_modules_made_at_run_time_count_all_files(workshop, line):
    workshop.write("models/__init__.py", "")
    workshop.write("models/linear.py", "def f(): return 1\n")
    workshop.write(".venv/pyvenv.cfg", "")
    workshop.write(".venv/x.py", "1\n")
    workshop.write(
        "work.py",
        f"import importlib\nimport sys\nfrom importlib import import_module\ndef run(name): return {line}\n",
    )
    assert "counts." in workshop.take().notes[0]
    assert changes_of(workshop, "models/linear.py", "return 1", "return 2") == ["file models/linear.py"]
    cold, warm = workshop.take_elsewhere(), workshop.take_elsewhere(also=("models.linear",))
    assert cold == warm


def test_a_constant_name_of_a_module_counts_that_module(workshop):
    workshop.write("models.py", "def f(): return 1\n")
    workshop.write("other.py", "def f(): return 1\n")
    workshop.write("work.py", "import importlib\ndef run(): return importlib.import_module('models').f()\n")
    assert changes_of(workshop, "models.py", "return 1", "return 2") == ["models (whole module)"]
    assert changes_of(workshop, "other.py", "return 1", "return 2") == []


@pytest.mark.parametrize(
    "line",
    [
        "return helpers.clean.__doc__",
        "return inspect.getsource(helpers.clean)",
    ],
)
def test_where_code_reads_texts_comments_count_too_and_it_says_so(workshop, line):
    workshop.write(
        "work.py", f"import inspect, typing\nimport helpers\ndef run():\n    helpers.clean(1)\n    {line}\n"
    )
    workshop.write("helpers.py", "def clean(x: int):\n    'Says one thing.'\n    return x  # and a remark\n")
    assert changes_of(workshop, "helpers.py", "and a remark", "another") == ["text of helpers.py"]
    workshop.write("helpers.py", "def clean(x: int):\n    'Says one thing.'\n    return x  # and a remark\n")
    assert "text of helpers.py" in changes_of(workshop, "helpers.py", "Says one", "Says no")
    assert any("source text" in note for note in workshop.take().notes)


@pytest.mark.parametrize(
    "line",
    [
        "return str(helpers.clean.__annotations__)",
        "return typing.get_type_hints(helpers.clean)",
        "return str(inspect.signature(helpers.clean))",
        "return inspect.getfullargspec(helpers.clean)",
    ],
)
@pytest.mark.parametrize("load", ["import helpers", "pass"])
def test_where_code_reads_annotations_those_count_and_comments_do_not(workshop, line, load):
    workshop.write(
        "work.py",
        f"import inspect, typing\n{load}\ndef run():\n    import helpers\n    helpers.clean(1)\n    {line}\n",
    )
    workshop.write("helpers.py", "def clean(x: int):\n    'Says.'\n    return x  # and a remark\n")
    assert changes_of(workshop, "helpers.py", "and a remark", "another") == []
    assert changes_of(workshop, "helpers.py", "x: int", "x: str") == ["annotations in helpers.py"]


def test_a_module_that_answers_for_names_it_does_not_have_counts_with_its_answers(workshop):
    workshop.write("work.py", "import helpers\ndef run(): return helpers.anything\n")
    workshop.write("helpers.py", "def __getattr__(name):\n    return 1\n")
    assert "helpers.__getattr__" in changes_of(workshop, "helpers.py", "return 1", "return 2")


def test_a_class_that_is_made_at_run_time_counts_by_what_it_is_made_of(workshop):
    workshop.write(
        "work.py",
        "import dataclasses\nMade = dataclasses.make_dataclass('Made', [('x', int, 1)])\ndef run(): return Made().x\n",
    )
    assert changes_of(workshop, "work.py", "int, 1", "int, 2") != []


def test_code_that_asks_for_subclasses_reaches_them(workshop):
    workshop.write(
        "work.py",
        """
        class Base:
            def go(self): return 1
        class Fast(Base):
            def go(self): return 2
        def run(): return [cls().go() for cls in Base.__subclasses__()]
        """,
    )
    assert changes_of(workshop, "work.py", "return 2", "return 3") == ["work.Fast.go"]


# -------------------------------------------------------------------------------------- text that is not what runs


def test_a_module_edited_after_its_import_counts_as_it_runs(workshop):
    workshop.write("helpers.py", "def f(x): return 1\n")
    workshop.write("work.py", "from helpers import f\ndef run(x): return f(x)\n")
    original = workshop.take()
    module = workshop.load("work")
    workshop.edit("helpers.py", "return 1", "return 2")
    running = fingerprint(module.run, scope=workshop.scope)
    assert module.run(0) == 1
    assert running.digest not in {original.digest, workshop.take().digest}


def test_a_comment_added_after_the_import_changes_nothing(workshop):
    workshop.write("helpers.py", "def f(x): return 1\n")
    workshop.write("work.py", "from helpers import f\ndef run(x): return f(x)\n")
    original = workshop.take()
    module = workshop.load("work")
    workshop.edit("helpers.py", "def f", "# more\n\ndef f")
    assert fingerprint(module.run, scope=workshop.scope).digest == original.digest


def test_a_class_edited_after_its_import_is_not_taken_from_the_new_text(workshop):
    workshop.write(
        "work.py", "class Net:\n    rate = [1]\n    def f(self): return 1\ndef run(): return Net()\n"
    )
    original = workshop.take()
    module = workshop.load("work")
    workshop.edit("work.py", "return 1", "return 2")
    running = fingerprint(module.run, scope=workshop.scope)
    assert running.digest not in {original.digest, workshop.take().digest}


def test_cells_of_a_notebook_count_by_their_text(workshop):
    def cell(number, text, namespace):
        name = f"<ipython-input-{number}-test>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), namespace)

    main = {"__name__": "__main__"}
    cell(1, "def helper(x):\n    return x\n", main)
    cell(2, "def run(x):\n    return helper(x)  # one\n", main)
    first = fingerprint(main["run"], scope=workshop.scope)
    cell(3, "def helper(x):\n    return x + 1\n", main)
    second = fingerprint(main["run"], scope=workshop.scope)
    assert [part.rpartition(".")[2] for part, _, _ in compare(first.parts, second)] == ["helper"]
    cell(4, "# again\ndef helper(x):\n    return x\n", main)
    assert fingerprint(main["run"], scope=workshop.scope).digest == first.digest


def test_code_without_any_text_counts_by_its_byte_code(workshop):
    def made(text):
        namespace = {"__name__": "made_up"}
        exec(text, namespace)
        return fingerprint(namespace["run"], scope=workshop.scope).digest

    assert made("def run(x): return x") == made("\n\ndef run(x): return x")
    assert made("def run(x): return x") != made("def run(x): return -x")


def test_of_several_lambdas_on_a_line_the_right_one_counts(workshop):
    workshop.write("work.py", "pair = (lambda x: x + 1, lambda x: (lambda y: x + y)(2), lambda: 3)\n")
    module = workshop.load("work")
    digests = [fingerprint(function, scope=workshop.scope).digest for function in module.pair]
    assert len(set(digests)) == 3
    workshop.edit("work.py", "lambda: 3", "lambda: 4")
    module = workshop.load("work")
    again = [fingerprint(function, scope=workshop.scope).digest for function in module.pair]
    assert again[:2] == digests[:2]
    assert again[2] != digests[2]


def test_a_compiled_module_of_the_project_counts_by_its_bytes(workshop, monkeypatch):
    import types

    library = workshop.root / "fastmod.so"
    library.write_bytes(b"one")
    compiled = types.ModuleType("fastmod")
    compiled.__file__ = str(library)
    # No compiler is at hand: any function that was not written in Python stands for one of a compiled module.
    compiled.go = len
    monkeypatch.setitem(sys.modules, "fastmod", compiled)
    workshop.write("work.py", "import fastmod\ndef run(x): return fastmod.go(x)\n")
    first = workshop.take()
    library.write_bytes(b"another")
    assert workshop.changed(first) == ["fastmod (compiled)"]


def test_a_registry_that_is_filled_by_a_decorator_is_followed(workshop):
    for lock in ("", "self.lock = threading.Lock()"):
        workshop.write(
            "work.py",
            f"""
            import threading

            class Registry:
                def __init__(self):
                    self.known = {{}}
                    {lock}
                def register(self, function):
                    self.known[function.__name__] = function
                    return function

            REGISTRY = Registry()
            TABLE = {{}}

            def register(function):
                TABLE[function.__name__] = function
                return function

            @REGISTRY.register
            def linear(x): return x

            @register
            def tree(x): return -x

            def run(kind): return REGISTRY.known[kind](1) + TABLE[kind](2)
            """,
        )
        assert workshop.take().notes == ()
        assert changes_of(workshop, "work.py", "return x", "return x * 5") == ["work.linear"]
        assert changes_of(workshop, "work.py", "return -x", "return -x * 5") == ["work.tree"]


def test_a_class_attribute_that_is_patched_is_noticed_even_if_methods_shadow_it(workshop):
    workshop.write(
        "work.py",
        """
        class Net:
            rate = 0.1
            made = 0
            def __init__(self, rate=None):
                self.rate = rate or self.rate
                Net.made += 1
        def run(): return Net()
        """,
    )
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.run()
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest
    module.Net.rate = 0.5
    assert fingerprint(module.run, scope=workshop.scope).digest != first.digest


def test_a_held_global_is_forgotten_when_its_module_is_loaded_again(workshop):
    import importlib

    from curifactory.identity.fingerprint import hold_changed_globals

    workshop.write("work.py", "LOG = [1]\ndef add(log): log.append(2)\ndef run(): add(LOG)\n")
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.run()
    assert hold_changed_globals(module.run, scope=workshop.scope) == ("work.LOG",)
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest
    workshop.edit("work.py", "LOG = [1]", "LOG = [3]")
    importlib.reload(module)
    assert fingerprint(module.run, scope=workshop.scope).digest != first.digest


def test_an_object_that_wraps_a_function_and_bears_its_name_is_followed(workshop):
    workshop.write(
        "work.py",
        """
        import functools

        class Memo:
            def __init__(self, function):
                functools.update_wrapper(self, function)
                self.known = {}
            def __call__(self, x):
                return self.__wrapped__(x)

        @Memo
        def slow(x): return x

        part = functools.update_wrapper(functools.partial(slow, 1), slow)

        def run(x): return slow(x) + part()
        """,
    )
    assert changes_of(workshop, "work.py", "return x", "return x + 1") == ["work.slow"]


def test_a_decorated_function_of_a_package_counts_by_its_name(workshop):
    workshop.write("work.py", "from sklearn.datasets import load_iris\ndef run(): return load_iris()\n")
    assert set(workshop.take().parts) == {"work.run"}


def test_a_script_from_standard_input_counts_by_its_byte_code(workshop):
    text = """
from pathlib import Path
from curifactory.identity.fingerprint import Scope, fingerprint
def helper(x): return 1
def run(x): return helper(x)
print(sorted(fingerprint(run, scope=Scope(Path("."))).parts))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    done = subprocess.run(
        [sys.executable, "-"], input=text, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "['__main__.helper', '__main__.run']\n"


@pytest.mark.filterwarnings("ignore:registration of accessor")
def test_a_class_that_a_package_was_given_by_a_decorator_counts_where_its_module_is_imported(workshop):
    workshop.write(
        "accessors.py",
        """
        import pandas as pd

        @pd.api.extensions.register_dataframe_accessor("walked")
        class Walked:
            def __init__(self, frame): self.frame = frame
            def total(self): return 1
        """,
    )
    workshop.write("work.py", "import pandas, accessors\ndef run(frame): return frame.walked.total()\n")
    assert "accessors.Walked.total" in changes_of(workshop, "accessors.py", "return 1", "return 2")
    workshop.write("late.py", "def run(frame):\n    import accessors\n    return frame.walked.total()\n")
    changed = changes_of(workshop, "accessors.py", "return 2", "return 3", target="late:run")
    assert changed == ["accessors (statements)"]


@pytest.mark.parametrize(
    "module",
    [
        "import attrs\n@attrs.define\nclass Point:\n    x: int = 1\n",
        "import functools\n@functools.cache\ndef slow(x): return 1\n",
        "def plain(x): return 1\nSIZE = 1\n",
        "def register(f):\n    return f\n@register\ndef own(x): return 1\n",
    ],
)
def test_what_an_imported_module_only_defines_does_not_count(workshop, module):
    workshop.write("helpers.py", module)
    workshop.write("work.py", "import helpers\ndef run(): return 1\n")
    first = workshop.take()
    workshop.edit("helpers.py", "1", "2")
    assert workshop.changed(first) == []


def test_where_code_reads_texts_those_of_modules_that_are_only_imported_do_not_count(workshop):
    workshop.write("helpers.py", "SIZE = 1\n")
    workshop.write("work.py", "import helpers\ndef run():\n    'Text.'\n    return run.__doc__\n")
    first = workshop.take()
    workshop.edit("helpers.py", "1", "2  # more")
    assert workshop.changed(first) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("TABLE = {'a': 1, 'b': 2}", "TABLE = {'b': 2, 'a': 1}"),
        ("TABLE = {'a': f, 'b': g}", "TABLE = {'b': g, 'a': f}"),
        ("TABLE = [{'a': 1, 'b': 2}]", "TABLE = [{'b': 2, 'a': 1}]"),
        ("TABLE = collections.Counter('aab')", "TABLE = collections.Counter('baa')"),
        ("TABLE = C()\nTABLE.d = {'a': 1, 'b': 2}", "TABLE = C()\nTABLE.d = {'b': 2, 'a': 1}"),
    ],
)
def test_the_order_of_a_dictionary_that_code_reads_counts(workshop, before, after):
    workshop.write(
        "work.py",
        "import collections\nclass C: pass\ndef f(): return 1\ndef g(): return 2\n"
        f"{before}\ndef run(): return list(TABLE)\n",
    )
    first = workshop.take()
    assert workshop.take_elsewhere(seed=5)[0] == first.digest
    assert changes_of(workshop, "work.py", before, after)[0] == "work.TABLE"


def test_the_order_in_which_decorators_fill_a_registry_counts(workshop):
    workshop.write(
        "work.py",
        """
        KNOWN = {}
        def known(function):
            KNOWN[function.__name__] = function
            return function
        @known
        def a(): return 1
        @known
        def b(): return 2
        def run(): return list(KNOWN)
        """,
    )
    swapped = "@known\ndef b(): return 2\n@known\ndef a(): return 1\n"
    before = "@known\ndef a(): return 1\n@known\ndef b(): return 2\n"
    assert changes_of(workshop, "work.py", before, swapped) == ["work.KNOWN"]


def test_what_a_function_remembers_on_itself_is_a_memo(workshop):
    workshop.write(
        "work.py",
        """
        import functools

        def counted(function):
            @functools.wraps(function)
            def inner():
                inner.calls += 1
                return function()
            inner.calls = 0
            return inner

        @counted
        def f(): return 1

        def run():
            run.seen = getattr(run, "seen", 0) + 1
            return f() + run.seen
        """,
    )
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.run()
    module.run()
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest


def test_an_attribute_of_a_function_that_is_changed_in_a_running_process_is_noticed(workshop):
    workshop.write("work.py", "def f(): return f.k\nf.k = [1]\ndef run(): return f()\n")
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.f.k.append(2)
    second = fingerprint(module.run, scope=workshop.scope)
    assert [part for part, _, _ in compare(first.parts, second)] == ["work.f.k"]
    module.f.k = [1]
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest


def test_modules_that_import_names_of_each_other_in_a_circle_are_followed(workshop):
    workshop.write("pack/__init__.py", "from . import inner\nfrom .inner import f\n")
    workshop.write("pack/inner.py", "import pack\nfrom pack import other\ndef f(): return other.g()\n")
    workshop.write("pack/other.py", "from pack import inner\ndef g(): return 1\n")
    workshop.write("work.py", "def run():\n    from pack import f, inner\n    return f() + inner.f()\n")
    changed = changes_of(workshop, "pack/other.py", "return 1", "return 2")
    assert "pack.other.g" in changed or "pack.other (whole module)" in changed


def test_a_late_module_that_is_loaded_again_or_patched_in_a_running_process_is_noticed(workshop):
    workshop.write("late.py", "class C:\n    def m(self): return 1\ndef f(): return C().m()\n")
    workshop.write("work.py", "def run():\n    import late\n    return late.f()\n")
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    module.run()
    late = sys.modules["late"]
    assert fingerprint(module.run, scope=workshop.scope).digest == first.digest

    late.C.m = lambda self: 2
    workshop.edit("late.py", "return C().m()", "return C().m() + 10")
    workshop.settle()
    importlib.reload(late)
    second = fingerprint(module.run, scope=workshop.scope)
    assert [part for part, _, _ in compare(first.parts, second)] == ["late.f"]
    late.f = lambda: 7
    third = fingerprint(module.run, scope=workshop.scope)
    assert third.digest not in (first.digest, second.digest)
    del sys.modules["late"]
    assert fingerprint(module.run, scope=workshop.scope).digest == second.digest


def test_a_counter_in_a_closure_counts_by_what_it_begins_with(workshop):
    workshop.write(
        "work.py",
        """
        import functools

        def counted(begin):
            def decorate(function):
                calls = begin
                @functools.wraps(function)
                def inner():
                    nonlocal calls
                    calls += 1
                    inner.calls = calls
                    setattr(inner, "twice", 2 * calls)
                    return function() + calls
                inner.twice = 0
                return inner
            return decorate

        @counted(3)
        def f(): return 1

        def run(): return f()
        """,
    )
    module = workshop.load("work")
    first = fingerprint(module.run, scope=workshop.scope)
    for _ in range(2):
        module.run()
        hold_changed_globals(module.run, scope=workshop.scope)
        assert fingerprint(module.run, scope=workshop.scope).digest == first.digest
    assert changes_of(workshop, "work.py", "@counted(3)", "@counted(4)") != []


@pytest.mark.parametrize("make", ["{k: 1 for k in KEYS}", "dict.fromkeys(keys(), 1)"])
def test_the_order_of_a_dictionary_counts_by_what_its_text_is_made_from(workshop, make):
    workshop.write(
        "work.py",
        f"KEYS = ['a', 'b']\ndef keys(): return ['a', 'b']\nTABLE = {make}\ndef run(): return list(TABLE)\n",
    )
    assert changes_of(workshop, "work.py", "'a', 'b'", "'b', 'a'") != []


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("print('loading', VALUE, __name__)", False),
        ("print(f'{__name__}: {VALUE}', string.__name__, sep='')", False),
        ("print('loading', VALUE, file=sys.stderr)", False),
        ("if sys:\n    print(VALUE)", False),
        ("print(string.capwords('loading'), VALUE)", True),
        ("print('loading', VALUE, file=LOG)", True),
        ("print([string.capwords(each) for each in 'ab'], VALUE)", True),
        ("from string import capwords as print\nprint('loading', VALUE)", True),
        ("from helpers import *\nprint('loading', VALUE)", True),
    ],
)
def test_what_a_module_prints_when_it_is_imported_does_not_count(line, counts):
    def effects_with(value):
        text = f"import string, sys\n{line}\n".replace("VALUE", value)
        return [ast.dump(each) for each in ModuleIndex(ast.parse(text)).effects]

    assert (effects_with("1") != effects_with("2")) is counts


def test_a_module_of_byte_code_alone_counts_by_its_bytes_where_it_is_imported(workshop):
    workshop.write("work.py", "import string, bare\ndef run(): return string.of_bare\n")
    found = []
    for number in (1, 2, 1):
        path = workshop.write("bare.py", f"import string\nstring.of_bare = {number}\n")
        moment = 1_000_000_000_000_000_000
        os.utime(path, ns=(moment, moment))
        py_compile.compile(str(path), cfile=str(workshop.root / "bare.pyc"))
        path.unlink()
        found.append(workshop.take().digest)
    assert found[0] != found[1]
    assert found[0] == found[2]


@pytest.mark.parametrize("packages", [(), ("named",)])
def test_what_a_named_package_does_when_it_is_imported_counts(workshop, packages):
    workshop.write("site-packages/named/__init__.py", "import string\nstring.of_named = 1\n")
    workshop.written.add("named")
    workshop.write("work.py", "import sys\nfrom pathlib import Path\n"
                   "sys.path.insert(0, str(Path(__file__).parent / 'site-packages'))\n"
                   "import string, named\ndef run(): return string.of_named\n")  # fmt: skip
    scope = Scope(workshop.root, packages)
    first = fingerprint(workshop.load("work").run, scope=scope)
    workshop.edit("site-packages/named/__init__.py", "1", "2")
    assert (fingerprint(workshop.load("work").run, scope=scope).digest != first.digest) is bool(packages)


def test_what_a_module_of_a_linked_folder_does_when_it_is_imported_counts(workshop, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (workshop.root / "linked").symlink_to(tmp_path / "elsewhere")
    workshop.write("linked/patches.py", "import string\nstring.of_linked = 1\n")
    workshop.write("work.py", "import linked.patches\ndef run(): return 1\n")
    assert changes_of(workshop, "linked/patches.py", "1", "2") == ["linked.patches (statements)"]


def test_a_module_that_is_found_only_when_code_is_executed_is_told(workshop):
    workshop.write("aside/hidden.py", "def f(): return 1\n")
    workshop.written.add("hidden")
    workshop.write("work.py", "import sys\nFOLDER = __file__.replace('work.py', 'aside')\n"
                   "def run():\n    sys.path.insert(0, FOLDER)\n    import hidden\n    return hidden.f()\n")  # fmt: skip
    work = workshop.load("work")
    taken = take(work.run, scope=workshop.scope)
    assert taken.reach.ledger.surprise() is None
    try:
        assert work.run() == 1
    finally:
        sys.path.remove(work.FOLDER)
    assert taken.reach.ledger.surprise() == "aside/hidden.py was not to be found before it was executed"


def test_a_late_module_that_was_patched_counts_as_it_is(workshop):
    workshop.write("late.py", "class C:\n    RATE = 1\n    def m(self): return self.RATE\n"
                   "def f(): return 1\ndef g(): return 2\n")  # fmt: skip
    workshop.write("work.py", "def run():\n    from late import C, f\n    return C().m() + f()\n")
    work = workshop.load("work")
    found = [fingerprint(work.run, scope=workshop.scope).digest]
    work.run()
    late = sys.modules["late"]
    assert fingerprint(work.run, scope=workshop.scope).digest == found[0]
    late.f = late.g
    found.append(fingerprint(work.run, scope=workshop.scope).digest)
    late.C.RATE = 5
    found.append(fingerprint(work.run, scope=workshop.scope).digest)
    late.C.m = lambda self: 7
    found.append(fingerprint(work.run, scope=workshop.scope).digest)
    assert len(set(found)) == 4


def test_a_module_that_is_loaded_again_does_again_what_it_does(workshop):
    workshop.write("patches.py", "import string\nstring.of_patches = 1\n")
    workshop.write("work.py", "import patches\ndef run(): return 1\n")
    work = workshop.load("work")
    first = fingerprint(work.run, scope=workshop.scope)
    workshop.edit("patches.py", "1", "22")
    workshop.settle()
    importlib.reload(work.patches)
    assert fingerprint(work.run, scope=workshop.scope).digest != first.digest


def test_a_text_that_was_edited_after_the_import_is_told_from_the_same_one_imported(workshop):
    text = "import threading\nclass Holder: pass\nHOLDER = Holder()\nHOLDER.lock = threading.Lock()\nHOLDER.value = 1\n"
    workshop.write("work.py", text + "def run(): return HOLDER.value\n")
    digests = []
    for begins_with in (1, 3):
        workshop.write(
            "work.py", (workshop.root / "work.py").read_text().replace("value = 2", f"value = {begins_with}")
        )
        work = workshop.load("work")
        workshop.edit("work.py", f"value = {begins_with}", "value = 2")
        digests.append(fingerprint(work.run, scope=workshop.scope).digest)
    digests.append(workshop.take().digest)
    assert len(set(digests)) == 3
    assert workshop.take().digest == digests[2]


def test_a_compiled_library_counts_by_its_file(workshop):
    workshop.write(
        "work.py", "import ctypes\nLIBRARY = ctypes.CDLL(None)\ndef run(): return LIBRARY.getpid()\n"
    )
    first = workshop.take_elsewhere()
    assert workshop.take_elsewhere()[0] == first[0]
