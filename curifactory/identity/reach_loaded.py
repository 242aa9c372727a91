"""What modules that count by their texts really have once they are loaded, where that is not what their texts say."""

from __future__ import annotations

import ast
import sys
from abc import ABCMeta
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from curifactory.identity.filled import note_filled, was_filled
from curifactory.identity.module_index import index_of
from curifactory.identity.normal_form import changed_chains
from curifactory.identity.source import Source, byte_code_digest, unknown_text

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ATOMS = (bool, int, float, complex, str, bytes, type(None))


class LoadedVisitor:
    """Compares what is loaded with its text, so that what somebody has put in its place counts."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def said(self, source: Source, module: str, name: str) -> list[str]:
        """Say what a module has under a name where that is not what its text says; empty if it is, or is not loaded."""
        loaded = sys.modules.get(module)
        if loaded is None or name not in loaded.__dict__:
            self._reach.ledger.read_late.append(lambda: note_filled(module, name))
            return []
        value, statements = loaded.__dict__[name], index_of(source).bindings[name]
        if isinstance(value, FunctionType):
            told = self._of_function(source, value, statements)
            if told is not None:
                return told
        if not source.is_as_imported(loaded.__dict__):
            return [unknown_text(loaded.__dict__), self._reach.data.value(value)]
        if isinstance(value, type) and len(statements) == 1 and isinstance(statements[0], ast.ClassDef):
            return list(self._changed_members(source, value, statements[0]))
        return self._changed_literal(source, module, name, value)

    def _of_function(
        self, source: Source, function: FunctionType, statements: list[ast.stmt]
    ) -> list[str] | None:
        """Say what a function is that is not the one of the text; None if it may be what another statement makes."""
        is_plain = all(map(_is_plain_function, statements))
        if function.__code__.co_filename == source.filename:
            definition = source.definition(function.__code__)
            if definition is None:
                return [byte_code_digest(function.__code__)]
            if not is_plain or definition in statements:
                return []
        # Somebody has put another function in its place.
        return [self._named(function)] if is_plain else None

    def _changed_members(self, source: Source, cls: type, node: ast.ClassDef) -> Iterator[str]:
        """Say which methods and plain attributes of a class are not those of its text, nor changed by its own methods."""
        if node.decorator_list or node.keywords or type(cls) not in {type, ABCMeta}:
            # Others make of it what they like.
            return
        changed = {chain[-1] for chain in changed_chains(node)}
        last = {name: each for each in node.body for name in _names_of(each)}
        for name, statement in last.items():
            item = cls.__dict__.get(name)
            if _is_plain_function(statement):
                if isinstance(item, FunctionType) and source.definition(item.__code__) is not statement:
                    yield f"{name}->{self._named(item)}"
            elif isinstance(item, _ATOMS) and name not in changed:
                written = _written(statement)
                if written and self._reach.data.value(written[0]) != self._reach.data.value(item):
                    yield f"{name}={self._reach.data.value(item)}"

    def _changed_literal(self, source: Source, module: str, name: str, value: Any) -> list[str]:
        statements = index_of(source).bindings[name]
        found = _written(statements[0]) if len(statements) == 1 else []
        if not found:
            return []
        written = found[0]
        if was_filled(module, name, value, written):
            # That it was loaded again, others watch.
            self._reach.ledger.watches.append(
                lambda: was_filled(module, name, getattr(sys.modules.get(module), name, None), written)
            )
            return []
        now = self._reach.data.value(value)
        return [] if self._reach.data.value(written) == now else [now]

    def _named(self, function: FunctionType) -> str:
        return self._reach.label_of(function) or f"{function.__module__}:{function.__qualname__}"


def _names_of(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [each.id for each in targets if isinstance(each, ast.Name)]


def _written(statement: ast.stmt) -> list[Any]:
    """Return the plain value that an assignment writes out; none if there is no such value."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return []
    try:
        return [ast.literal_eval(statement.value or ast.Constant(None))]
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return []


def _is_plain_function(statement: ast.stmt) -> bool:
    return isinstance(statement, _FUNCTIONS) and not statement.decorator_list
