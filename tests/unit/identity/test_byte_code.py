"""Byte code is read by hand as the standard library reads it."""

from __future__ import annotations

import ast
import dis
import importlib
import pkgutil
import types

import pytest

import curifactory.engine
from curifactory.identity import byte_code
from curifactory.identity.byte_code import read_instructions, read_slowly
from curifactory.identity.code_scan import scan

MODULES = sorted(
    {
        "_pydecimal",
        "argparse",
        "ast",
        "asyncio.base_events",
        "dataclasses",
        "dis",
        "enum",
        "inspect",
        "typing",
    }
    | {found.name for found in pkgutil.iter_modules(curifactory.engine.__path__, "curifactory.engine.")}
)


def codes_of(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_of(constant)


def code_of_module(name):
    loader = importlib.util.find_spec(name).loader
    return loader.get_code(name)


@pytest.mark.parametrize("name", MODULES)
def test_all_of_a_module_is_read_as_the_standard_library_reads_it(name):
    for code in codes_of(code_of_module(name)):
        assert list(byte_code._read_quickly(code)) == list(read_slowly(code)), code.co_qualname


def test_a_long_argument_is_put_together():
    names = [f"name_{number}" for number in range(70_000)]
    body = "\n".join(f"    {name}" for name in names)
    code = compile(f"def f():\n{body}\n", "long.py", "exec").co_consts[0]
    assert [value for kind, value in read_instructions(code) if kind == "global"] == names
    assert any(each.opname == "EXTENDED_ARG" for each in dis.get_instructions(code))


def test_the_code_of_a_function_that_is_warm_is_read_as_when_it_was_cold():
    def warm(items):
        total = 0
        for item in items:
            total += item.real + len(str(item))
        return total

    cold = list(read_instructions(warm.__code__))
    for _ in range(200):
        warm([1, 2, 3])
    assert list(read_instructions(warm.__code__)) == cold


def test_what_is_read_of_super_is_an_attribute():
    class Child(ast.NodeVisitor):
        def visit(self, node):
            return super().generic_visit(node)

    assert "generic_visit" in scan(Child.visit.__code__).attributes
