from __future__ import annotations

import importlib
import sys
import zipfile

import pytest

from curifactory.identity.fingerprint import take


def test_a_file_that_a_late_module_has_read_counts_as_it_was_then(workshop, monkeypatch):
    monkeypatch.chdir(workshop.root)
    workshop.write("table.json", "1")
    workshop.write("late.py", "from pathlib import Path\nTABLE = int(Path('table.json').read_text())\n")
    workshop.write("work.py", "def run():\n    import late\n    return late.TABLE\n")
    work = workshop.load("work")
    taken = take(work.run, scope=workshop.scope)
    assert work.run() == 1
    assert taken.reach.ledger.surprise() is None
    workshop.write("table.json", "22")
    # It has been read, and stays what it was for this process.
    assert take(work.run, scope=workshop.scope).result == taken.result
    importlib.reload(sys.modules["late"])
    assert work.run() == 22
    assert take(work.run, scope=workshop.scope).result != taken.result


def test_a_file_that_is_edited_before_a_late_module_reads_it_is_noticed(workshop, monkeypatch):
    monkeypatch.chdir(workshop.root)
    workshop.write("table.json", "1")
    workshop.write("late.py", "from pathlib import Path\nTABLE = int(Path('table.json').read_text())\n")
    workshop.write("work.py", "def run():\n    import late\n    return late.TABLE\n")
    taken = take(workshop.load("work").run, scope=workshop.scope)
    workshop.write("table.json", "22")
    assert taken.reach.ledger.surprise() == "table.json was changed while it was executed, or shortly before"


@pytest.mark.parametrize(
    "line",
    [
        "OUT = open('table.json', 'a').close()",
        "OUT = open('table.json', mode='a').close()",
        "OUT = Path('table.json')",
        "OUT = logging.FileHandler('table.json')",
        "OUT = threading.Thread(name='table.json')",
    ],
)
def test_a_file_that_a_late_module_only_names_or_writes_does_not_count(workshop, monkeypatch, line):
    monkeypatch.chdir(workshop.root)
    workshop.write("table.json", "1")
    workshop.write("late.py", f"import logging, threading\nfrom pathlib import Path\n{line}\n")
    workshop.write("work.py", "def run():\n    import late\n    return late.OUT\n")
    first = workshop.take()
    workshop.write("table.json", "22")
    assert workshop.changed(first) == []


@pytest.mark.parametrize(
    "made",
    [
        (
            "class C:\n    def __init__(self, v):\n        self.lock, self.v = threading.Lock(), v\n"
            "TABLE = C(Path('table.json').read_text())\n"
        ),
        (
            "class C:\n    def __init__(self):\n        self.lock = threading.Lock()\n"
            "        self.v = Path('table.json').read_text()\nTABLE = C()\n"
        ),
        "TABLE = {'lock': threading.Lock(), 'text': Path('table.json').read_text()}\n",
    ],
)
def test_a_file_that_an_object_without_identity_is_made_from_counts(workshop, monkeypatch, made):
    monkeypatch.chdir(workshop.root)
    workshop.write("table.json", "1")
    workshop.write("work.py", f"import threading\nfrom pathlib import Path\n{made}def run(): return TABLE\n")
    first = workshop.take()
    assert workshop.changed(first) == []
    workshop.write("table.json", "22")
    assert workshop.changed(first) == ["work.TABLE"]


def test_a_module_in_an_archive_that_is_imported_late_counts_by_the_archive(workshop, monkeypatch):
    monkeypatch.syspath_prepend(str(workshop.root / "pack.zip"))

    def pack(value):
        with zipfile.ZipFile(workshop.root / "pack.zip", "w") as archive:
            archive.writestr("packed_late.py", f"def f(): return {value}\n")

    pack(1)
    workshop.write("work.py", "def run():\n    import packed_late\n    return packed_late.f()\n")
    first = workshop.take()
    assert workshop.changed(first) == []
    pack(22)
    assert workshop.changed(first) == ["work.run"]
