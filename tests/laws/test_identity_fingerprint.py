"""Whatever project code runs is in the fingerprint, and an edit is noticed exactly when it is reached."""

from __future__ import annotations

import importlib
import itertools
import os
import sys

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from curifactory.identity.fingerprint import Scope, compare, fingerprint

# Ways in which one function comes to call another one; {m} is its module, {f} its name, {n} a number of its own.
TOP = {
    "module": ("import {m}", "{m}.{f}(x)"),
    "name": ("from {m} import {f}", "{f}(x)"),
    "alias": ("from {m} import {f} as a{n}", "a{n}(x)"),
    "table": ("import {m}\nT{n} = {{'k': {m}.{f}}}", "T{n}['k'](x)"),
    "lambda": ("import {m}\nL{n} = lambda x: {m}.{f}(x)", "L{n}(x)"),
    "partial": ("import functools\nimport {m}\nP{n} = functools.partial({m}.{f}, x=0)", "P{n}()"),
    "wrapped": ("import functools\nimport {m}\nW{n} = functools.lru_cache({m}.{f})", "W{n}(x)"),
    "object": ("import {m}\nclass C{n}:\n    def go(self, x):\n        return {m}.{f}(x)", "C{n}().go(x)"),
    "property": (
        "import {m}\nclass D{n}:\n    @property\n    def p(self):\n        return {m}.{f}(0)",
        "D{n}().p",
    ),
    "closure": (
        "import {m}\ndef m{n}(g):\n    def c(x):\n        return g(x)\n    return c\nK{n} = m{n}({m}.{f})",
        "K{n}(x)",
    ),
    "late": ("", "late{n}(x)"),
    "getattr": ("import {m}", "getattr({m}, '{f}')(x)"),
    "inner": ("import {m}", "(lambda y: [{m}.{f}(y) for _ in 'a'][0])(x)"),
}
_numbers = itertools.count()


@st.composite
def projects(draw):
    """Draw the functions of a project, each with the later ones that it calls and how."""
    count = draw(st.integers(2, 6))
    modules = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    calls = {
        index: {
            callee: draw(st.sampled_from(sorted(TOP)))
            for callee in draw(st.sets(st.integers(index + 1, count - 1), max_size=2))
        }
        if index + 1 < count
        else {}
        for index in range(count)
    }
    return modules, calls


def texts_of(name, modules, calls, edited):
    """Write the modules, one function with another constant than before."""
    texts = {}
    for place in sorted(set(modules)):
        heads, bodies, tails = [], [], []
        for index, home in enumerate(modules):
            if home != place:
                continue
            terms = []
            for callee, drawn in calls[index].items():
                number = index * 10 + callee
                # A module imports only later ones at its top, so that circles are no trouble.
                way = drawn if modules[callee] > place else "late"
                values = {"m": f"{name}{modules[callee]}", "f": f"f{callee}", "n": number}
                head, term = (part.format(**values) for part in TOP[way])
                heads.append(head)
                if way == "late":
                    bodies.append(
                        f"def late{number}(x):\n    from {values['m']} import {values['f']} as g\n    return g(x)\n"
                    )
                terms.append(term)
            constant = 1000 if index == edited else index
            bodies.append(f"def f{index}(x):\n    return {' + '.join([str(constant), *terms])}\n")
        texts[f"{name}{place}"] = "\n".join([*dict.fromkeys(heads), *bodies, *tails])
    return texts


def load(root, name, modules, calls, edited=None):
    for module in [found for found in sys.modules if found.startswith(name)]:
        del sys.modules[module]
    for module, text in texts_of(name, modules, calls, edited).items():
        path = root / f"{module}.py"
        path.write_text(text)
        # Nobody imports within a few milliseconds what he has written; without byte code the order would not be known.
        moment = path.stat().st_mtime_ns - 30_000_000
        os.utime(path, ns=(moment, moment))
    importlib.invalidate_caches()
    return importlib.import_module(f"{name}{modules[0]}").f0


def reached(calls, start=0):
    found, queue = set(), [start]
    while queue:
        index = queue.pop()
        if index not in found:
            found.add(index)
            queue += calls[index]
    return found


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("law"):
            del sys.modules[name]


def executed_in(folder, function):
    """Run a function and say which functions of the folder were executed."""
    seen = set()

    def watch(frame, event, argument):
        code = frame.f_code
        if (
            event == "call"
            and code.co_filename.startswith(str(folder) + os.sep)
            and code.co_name != "<module>"
        ):
            seen.add((os.path.basename(code.co_filename)[:-3], code.co_qualname, code.co_firstlineno))

    # Late imports have happened then: what runs while a module is imported shows in the values that it leaves behind.
    function(1)
    previous = sys.getprofile()
    sys.setprofile(watch)
    try:
        function(1)
    finally:
        sys.setprofile(previous)
    return seen


@given(projects())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_code_that_runs_is_in_the_fingerprint(root, project):
    modules, calls = project
    name = f"law{next(_numbers)}_"
    function = load(root, name, modules, calls)
    taken = fingerprint(function, scope=Scope(root))
    parts = {part.split("#")[0] for part in taken.parts}
    for module, qualname, line in executed_in(root, function):
        # Comprehensions and inner functions are part of the function around them, a lambda of what it is assigned to.
        names = {
            f"{module}.{qualname.split('.<locals>')[0]}",
            f"{module}.{qualname}".replace(".<locals>", ""),
        }
        around = {f"{module} (whole module)", *(f"{module}.{name}" for name in qualname.split(".")[:1])}
        at_line = f"{module}.py:{line}" in taken.places.values()
        assert at_line or (names | around) & parts, (qualname, parts)


@given(projects(), st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_edit_changes_the_fingerprint_exactly_if_it_is_reached(root, project, data):
    modules, calls = project
    name = f"law{next(_numbers)}_"
    before = fingerprint(load(root, name, modules, calls), scope=Scope(root))
    edited = data.draw(st.integers(0, len(modules) - 1))
    after = fingerprint(load(root, name, modules, calls, edited), scope=Scope(root))
    changed = [part for part, _, _ in compare(before.parts, after)]
    if edited in reached(calls):
        assert f"{name}{modules[edited]}.f{edited}" in {part.split("#")[0] for part in changed}
    else:
        assert changed == []
        assert before.digest == after.digest
