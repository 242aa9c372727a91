from __future__ import annotations

import itertools
import linecache
import sys
import types

import pytest

from curifactory.identity.fingerprint import fingerprint

_cells = itertools.count()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("D = {'a': 1, 'b': 2}", "D = {'b': 2, 'a': 1}"),
        ("D = Holder(1)", "D = Holder(2)"),
        ("D = Holder(1)", "D.value = 2"),
        ("D = [threading.Lock(), 1]", "D[1] = 2"),
        ("D = Holder(lambda: 1)", "D.value = lambda: 2"),
        ("D = {'memo': 1}", "D = {'memo': 2}"),
        ("D = contextvars.ContextVar('D', default=1)", "D.set(2)"),
        ("D = threading.local(); D.value = 1", "D.value = 2"),
    ],
)
def test_in_a_notebook_a_global_counts_by_what_it_is_as_no_text_says_it(workshop, monkeypatch, first, then):
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    main = module.__dict__

    def cell(text):
        filename = f"<cell-{next(_cells)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        exec(compile(text, filename, "exec"), main)

    cell("import contextvars, threading\nclass Holder:\n    def __init__(self, value):\n        self.lock = threading.Lock()\n"
         "        self.value = value\n")  # fmt: skip
    cell("def run():\n    return D\n" if "memo" not in first else "def run():\n    D['more'] = 1\n")
    cell(first)
    before = fingerprint(main["run"], scope=workshop.scope)
    assert fingerprint(main["run"], scope=workshop.scope).digest == before.digest
    cell(then)
    assert fingerprint(main["run"], scope=workshop.scope).digest != before.digest
