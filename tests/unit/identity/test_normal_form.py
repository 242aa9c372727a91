from __future__ import annotations

import ast

import pytest

from curifactory.identity.normal_form import NormalForm, chains_in, changed_chains


def form(text):
    return NormalForm().write(ast.parse(text))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("def f(a: int) -> str: return a", "def f(a): return a"),
        ("def f():\n    x: int = 1\n    y: str\n    return x", "def f():\n    x = 1\n    return x"),
        ("def f():\n    'Doc.'\n    pass", "def f():\n    ...\n    1\n    'text'"),
        ("def f(): return ('a' 'b')", 'def f():\n    return """ab"""'),
        ("x: int = 1", "x = 1"),
        ("def f(x): return (x if x else (yield))", "def f(x):\n  return x if x else (yield)"),
        ("class A:\n    'Doc.'\n    def f(self):\n        x: int = 1\n        return x", "class A:\n    def f(self):\n        x = 1\n        return x"),
    ],
)  # fmt: skip
def test_these_are_the_same(left, right):
    assert form(left) == form(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("f(1)", "f(True)"),
        ("f(1)", "f(1.0)"),
        ("f('1')", "f(b'1')"),
        ("f(a, b)", "f((a, b))"),
        ("f(a=b)", "f(a, b)"),
        ("f(*a)", "f(**a)"),
        ("x = y = 1", "x, y = 1"),
        ("def f(a, /): pass", "def f(a): pass"),
        ("def f(*, a): pass", "def f(a): pass"),
        ("def f(a=None): pass", "def f(a): pass"),
        ("def f(): pass", "async def f(): pass"),
        ("class A:\n    x: int = 1", "class A:\n    x: str = 1"),
        ("class A:\n    x: int", "class A: pass"),
        ("@d\ndef f(a: int): pass", "@d\ndef f(a: str): pass"),
        ("class A:\n    def f(self, x: int): pass", "class A:\n    def f(self, x: str): pass"),
        ("f'{a}'", "f'{a!r}'"),
        ("f'{a:>3}'", "f'{a:>4}'"),
        ("a[1:2]", "a[1:2:3]"),
        ("lambda: None", "lambda: 0"),
        ("if a:\n    b\nc", "if a:\n    b\n    c"),
    ],
)
def test_these_differ(left, right):
    assert form(left) != form(right)


def test_a_number_of_any_length_can_be_written():
    assert form(f"x = {'9' * 4000}") != form(f"x = {'9' * 3999}8")


def test_members_can_be_left_to_others():
    apart = NormalForm(members_apart=True)
    left = apart.write(ast.parse("class A:\n    x = 1\n    def f(self): return 1").body[0])
    assert left == apart.write(ast.parse("class A:\n    x = 1\n    def f(self, y): return 2").body[0])
    assert left != apart.write(ast.parse("class A:\n    x = 1\n    def g(self): return 1").body[0])


def test_names_are_found_with_their_attributes_and_in_quoted_annotations():
    found = chains_in(
        ast.parse("class A(b.C):\n    x: 'd.E' = f(g.h[i])\n    def j(self, k: 'L'): getattr(m, 'n')")
    )
    assert {("b", "C"), ("d", "E"), ("f",), ("g", "h"), ("i",), ("L",), ("m", "n")} <= set(found)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("A[1] = 2", ("A",)),
        ("del A.b[1]", ("A", "b")),
        ("A.b.append(1)", ("A", "b")),
        ("A[1][2].update({})", ("A",)),
        ("A += [1]", ("A",)),
        ("A.b = 1", ("A", "b")),
        ("global A", ("A",)),
        ("self.seen[1] = 2", ("self", "seen")),
        ("cls.count += 1", ("cls", "count")),
    ],
)
def test_what_code_changes_is_found(text, changed):
    assert changed in changed_chains(ast.parse(text))


def test_binding_an_attribute_of_an_instance_changes_nothing_outside():
    assert ("self", "rate") not in changed_chains(ast.parse("self.rate = 1"))
