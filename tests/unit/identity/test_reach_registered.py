from __future__ import annotations

import importlib
import sys

import pytest

from curifactory.identity.fingerprint import fingerprint


def changes_of(workshop, path, before, after):
    first = workshop.take()
    workshop.edit(path, before, after)
    return workshop.changed(first)


REGISTRY = """
import threading
class Registry:
    def __init__(self):
        self.lock = threading.Lock()
        self.items = {}
    def register(self, function):
        self.items[function.__name__] = function
        return function
ENTRIES = Registry()
def plain(): return 1
"""


@pytest.mark.parametrize("load", ["import registry, plug", "pass"])
def test_what_a_registry_without_identity_was_given_counts_for_who_reads_it_alone(workshop, load):
    workshop.write("registry.py", REGISTRY)
    workshop.write("plug.py", "from registry import ENTRIES\n@ENTRIES.register\ndef entry(): return 1\n")
    body = "    import registry, plug\n    return registry.{read}\n"
    for read, changed in (("ENTRIES.items['entry']()", ["plug.entry"]), ("plain()", [])):
        workshop.write("work.py", f"{load}\ndef run():\n{body.format(read=read)}")
        assert changes_of(workshop, "plug.py", "return 1", "return 2") == changed
        workshop.edit("plug.py", "return 2", "return 1")


def test_a_registry_is_looked_at_again_after_a_module_that_fills_it_was_loaded_anew(workshop):
    workshop.write("registry.py", REGISTRY)
    workshop.write("plug.py", "from registry import ENTRIES\n@ENTRIES.register\ndef entry(): return 1\n")
    workshop.write("work.py", "import registry, plug\ndef run(): return registry.ENTRIES.items['entry']()\n")
    work = workshop.load("work")
    first = fingerprint(work.run, scope=workshop.scope)
    workshop.edit("plug.py", "return 1", "return 22")
    importlib.reload(sys.modules["plug"])
    assert work.run() == 22
    assert fingerprint(work.run, scope=workshop.scope).digest != first.digest


@pytest.mark.parametrize(
    "unused",
    [
        "def timed(f):\n    def w(): return f()\n    return w\n@timed\ndef unused(): return 1\n",
        "from pathlib import Path\nUNUSED = int(Path('table.json').read_text())\n",
        "class Base:\n    def __init_subclass__(cls): pass\nclass Unused(Base):\n    x = 1\n",
    ],
)
def test_what_a_module_that_is_imported_late_only_has_besides_does_not_count(workshop, monkeypatch, unused):
    monkeypatch.chdir(workshop.root)
    workshop.write("table.json", "1")
    workshop.write("late.py", f"{unused}def used(): return 0\n")
    workshop.write("work.py", "def run():\n    import late\n    return late.used()\n")
    first = workshop.take()
    workshop.write("table.json", "2")
    workshop.edit("late.py", "1", "2") if "x = 1" in unused or "return 1" in unused else None
    assert workshop.changed(first) == []


def test_a_module_that_is_imported_twice_does_not_count_whole(workshop):
    workshop.write("helpers.py", "def used(): return 1\ndef unused(): return 5\n")
    workshop.write("late.py", "import helpers\nimport helpers\ndef go(): return helpers.used()\n")
    workshop.write("work.py", "def run():\n    import late\n    return late.go()\n")
    assert changes_of(workshop, "helpers.py", "return 5", "return 6") == []
    assert changes_of(workshop, "helpers.py", "return 1", "return 2") == ["helpers.used"]


def test_the_variable_of_a_loop_over_plug_ins_does_not_count_by_what_it_holds(workshop):
    workshop.write(
        "plugs/__init__.py",
        "import importlib, pkgutil\nENTRIES = {}\nfor each in pkgutil.iter_modules(__path__):\n"
        "    ENTRIES[each.name] = importlib.import_module(f'{__name__}.{each.name}')\n",
    )
    workshop.write("plugs/first.py", "def f(): return 1\n")
    workshop.write("work.py", "import plugs\ndef run(): return plugs.ENTRIES['first'].f()\n")
    taken = workshop.take()
    assert "plugs.each" not in taken.parts
    assert changes_of(workshop, "plugs/first.py", "return 1", "return 2") != []
