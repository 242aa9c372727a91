from __future__ import annotations

import ast
import importlib.util
import os
import py_compile
import sys
import time
from pathlib import Path

import pytest

from curifactory.identity.source import byte_code_digest, find_source, source_of


def names_of(source, code):
    node = source.definition(code)
    return None if node is None else (getattr(node, "name", "lambda"), node.lineno)


def test_a_function_is_found_by_its_code_and_not_by_its_name(workshop):
    workshop.write("work.py", "def f(): return 1\nfirst = f\ndef f(): return 2\n")
    module = workshop.load("work")
    source = source_of(module.f)
    assert names_of(source, module.first.__code__) == ("f", 1)
    assert names_of(source, module.f.__code__) == ("f", 3)


def test_a_function_that_moved_is_found_and_one_that_changed_is_not(workshop):
    workshop.write("work.py", "def f(): return 1\ndef g(): return 1\n")
    module = workshop.load("work")
    workshop.write("work.py", "# new\n\ndef f(): return 1\ndef g(): return 2\n")
    source = source_of(module.f)
    assert names_of(source, module.f.__code__) == ("f", 3)
    assert source.definition(module.g.__code__) is None


def test_a_file_is_read_again_only_when_it_has_changed(workshop):
    path = str(workshop.write("work.py", "x = 1\n"))
    first = find_source(path)
    assert find_source(path) is first
    workshop.write("work.py", "x = 1234\n")
    assert "1234" in find_source(path).text


def test_what_is_no_file_and_no_python_has_no_definitions(workshop, tmp_path):
    assert find_source(str(tmp_path / "none.py")) is None
    broken = find_source(str(workshop.write("broken.py", "def (:\n")))
    assert broken.tree is None
    assert broken.definition(names_of.__code__) is None


def test_an_encoding_cookie_is_followed(tmp_path):
    path = tmp_path / "latin.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1"))
    assert "é" in find_source(str(path)).text


def test_text_older_than_the_process_is_the_text_that_was_imported(workshop):
    path = workshop.write("work.py", "def f(): return 1\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    module = workshop.load("work")
    assert source_of(module.f).is_as_imported(module.__dict__)


@pytest.mark.parametrize("writes_byte_code", [True, False])
def test_a_text_that_was_edited_after_the_import_is_not_the_one_that_was_imported(
    workshop, monkeypatch, writes_byte_code
):
    path = workshop.write("work.py", "RATE = 1\ndef f(): return 1\n")
    monkeypatch.setattr(sys, "dont_write_bytecode", not writes_byte_code)
    module = workshop.load("work")
    assert source_of(module.f).is_as_imported(module.__dict__)
    # Only a statement outside of functions is edited, which no code object shows.
    workshop.edit("work.py", "RATE = 1", "RATE = 1000")
    assert not source_of(module.f).is_as_imported(module.__dict__)
    # Another process has imported it since.
    py_compile.compile(str(path))
    assert not source_of(module.f).is_as_imported(module.__dict__)
    importlib.util.find_spec("work")
    assert not source_of(module.f).is_as_imported(module.__dict__)
    workshop.settle()
    importlib.reload(module)
    assert source_of(module.f).is_as_imported(module.__dict__)


def test_of_a_text_that_was_edited_just_before_the_import_the_byte_code_tells(workshop, monkeypatch):
    path = workshop.write("work.py", "RATE = 1\ndef f(): return 1\n")
    for writes_byte_code in (False, True):
        path.touch()
        workshop.forget()
        monkeypatch.setattr(sys, "dont_write_bytecode", not writes_byte_code)
        module = importlib.import_module("work")
        assert source_of(module.f).is_as_imported(module.__dict__) is writes_byte_code


def test_text_whose_byte_code_was_made_earlier_in_the_same_second_is_not_what_python_has_imported(workshop):
    path = workshop.write("work.py", "RATE = 1\ndef f(): return 1\n")
    moment = 1_000_000_000_000_000_000
    os.utime(path, ns=(moment, moment))
    compiled = Path(py_compile.compile(str(path)))
    os.utime(compiled, ns=(moment + 1000, moment + 1000))
    path.write_text("RATE = 2\ndef f(): return 1\n")
    os.utime(path, ns=(moment + 2000, moment + 2000))
    module = workshop.load("work")
    assert module.RATE == 1
    assert not source_of(module.f).is_as_imported(module.__dict__)


@pytest.mark.parametrize(("ahead_s", "writes_byte_code"), [(60, True), (86_400, True), (86_400, False)])
def test_a_text_whose_time_is_ahead_of_the_clock_is_what_was_imported_until_it_is_edited(
    workshop, monkeypatch, ahead_s, writes_byte_code
):
    path = workshop.write("work.py", "RATE = 1\ndef f(): return 1\n")
    moment = time.time() + ahead_s
    os.utime(path, (moment, moment))
    monkeypatch.setattr(sys, "dont_write_bytecode", not writes_byte_code)
    workshop.forget()
    module = importlib.import_module("work")
    assert source_of(module.f).is_as_imported(module.__dict__)
    workshop.edit("work.py", "RATE = 1", "RATE = 1000")
    # The same clock has given it its new time.
    moment += 1 if ahead_s < 3_600 else -ahead_s
    os.utime(path, (moment, moment))
    assert not source_of(module.f).is_as_imported(module.__dict__)


def test_a_class_that_was_edited_outside_of_its_methods_is_not_taken_from_the_new_text(workshop, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    workshop.write(
        "work.py", "class Net:\n    rate = set([1])\n    def f(self): return 1\ndef run(): return Net()\n"
    )
    from curifactory.identity.fingerprint import fingerprint

    module = workshop.load("work")
    workshop.edit("work.py", "set([1])", "set([1, 2])")
    running = fingerprint(module.run, scope=workshop.scope)
    # A new process would import the new text.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert workshop.take().parts["work.Net"] != running.parts["work.Net"]


def test_byte_code_does_not_depend_on_lines_and_tells_constants_apart():
    def code(text):
        return next(item for item in compile(text, "<x>", "exec").co_consts if hasattr(item, "co_code"))

    assert byte_code_digest(code("def f(): return {1, 'a'}")) == byte_code_digest(
        code("\n\ndef f(): return {1, 'a'}")
    )
    digests = {
        byte_code_digest(code(f"def f(x): return x in {{{item}}}"))
        for item in ("1", "1.0", "True", "'1'", "b'1'")
    }
    assert len(digests) == 5


def test_classes_are_found_by_their_qualified_name(workshop):
    path = workshop.write(
        "work.py", "class A:\n    class B: pass\ndef f():\n    class C: pass\nif 1:\n    class A: pass\n"
    )
    source = find_source(str(path))
    assert [node.lineno for node in source.classes("A")] == [1, 6]
    assert [node.lineno for node in source.classes("A.B")] == [2]
    assert [node.lineno for node in source.classes("f.<locals>.C")] == [4]
    assert all(isinstance(node, ast.ClassDef) for node in source.classes("A"))


def test_two_lambdas_of_one_line_are_told_apart(workshop):
    workshop.write("work.py", "first = lambda: 1; second = lambda: 2\nthird = lambda: 1\n")
    module = workshop.load("work")
    source = source_of(module.first)
    found = [source.definition(each.__code__) for each in (module.first, module.second, module.third)]
    assert [(node.lineno, ast.unparse(node.body)) for node in found] == [(1, "1"), (1, "2"), (2, "1")]


def test_of_a_long_text_only_the_statements_are_compiled_that_are_asked_for(workshop, monkeypatch):
    functions = "".join(f"def f{n}(): return {n}\n" for n in range(300))
    workshop.write("work.py", functions)
    module = workshop.load("work")
    source = source_of(module.f7)
    lengths = []

    def watch(part, *words, **options):
        lengths.append(len(part.body))
        return compile(part, *words, **options)

    monkeypatch.setattr("curifactory.identity.source.compile", watch, raising=False)
    assert names_of(source, module.f7.__code__) == ("f7", 8)
    assert names_of(source, module.f299.__code__) == ("f299", 300)
    assert lengths == [1, 1]
