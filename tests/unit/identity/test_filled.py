from __future__ import annotations

import importlib
import sys

from curifactory.identity.fingerprint import take

LATE = "ENTRIES = {}\ndef enter(f):\n    ENTRIES[f.__name__] = f\n    return f\n"


def load(workshop):
    workshop.write("late.py", LATE)
    workshop.write("plug.py", "import late\n@late.enter\ndef entry(): return 1\n")
    workshop.write("work.py", "def run():\n    import late, plug\n    return late.ENTRIES['entry']()\n")
    return workshop.load("work").run


def test_a_registry_that_imports_fill_is_the_same_before_and_after_these(workshop):
    run = load(workshop)
    before = take(run, scope=workshop.scope)
    assert run() == 1
    assert before.reach.ledger.surprise() is None
    assert take(run, scope=workshop.scope).result == before.result
    workshop.forget()
    run = load(workshop)
    importlib.import_module("plug")
    assert take(run, scope=workshop.scope).result == before.result


def test_a_registry_that_was_looked_at_before_all_that_fills_it_was_imported_is_the_same_afterwards(workshop):
    run = load(workshop)
    before = take(run, scope=workshop.scope)
    # Another stage has imported it, and it is looked at once more before this one is executed.
    importlib.import_module("late")
    assert take(run, scope=workshop.scope).result == before.result
    assert run() == 1
    assert take(run, scope=workshop.scope).result == before.result
    sys.modules["late"].ENTRIES["another"] = run
    assert take(run, scope=workshop.scope).result != before.result


def test_what_is_entered_into_a_registry_later_is_noticed(workshop):
    run = load(workshop)
    before = take(run, scope=workshop.scope)
    run()
    assert before.reach.ledger.surprise() is None
    sys.modules["late"].ENTRIES["entry"] = lambda: 5
    assert take(run, scope=workshop.scope).result != before.result
