"""Definitions that are handed to a registry when their module is imported: they count for code that reads the registry.

A registry that has a value counts by that. One that code changes, that has no identity, or that is in a module which is imported
late counts by its text, which says nothing of what the decorators and classes of other modules enter into it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.identity.code_scan import Use
from curifactory.identity.module_index import index_of
from curifactory.identity.normal_form import chain_of, chains_in
from curifactory.identity.source import Source

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_Place = tuple[str, str]
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_NONE: frozenset[_Place] = frozenset()
_DEEPEST = 4


class _Module(NamedTuple):
    """A module that may hand something to a registry; its namespace is None if it is not sure to be loaded."""

    source: Source
    name: str
    namespace: dict[str, Any] | None


class RegisteredVisitor:
    """Visits what modules hand to registries that were reached."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._modules: list[_Module] = []
        self._registries: dict[tuple[str, tuple[str, ...]], frozenset[_Place]] = {}
        self._visited: set[_Place] = set()

    def look_into(self, source: Source, name: str, namespace: dict[str, Any] | None) -> None:
        """Have the definitions of a module looked at, once it is known which registries are reached."""
        self._modules.append(_Module(source, name, namespace))

    def settle(self) -> None:
        """Visit the definitions that are handed to a registry which counts by its text."""
        reached = self._reach.late.places() | self._reach.data.places_told_by_text()
        if not reached:
            return
        for module in self._modules:
            for node in index_of(module.source).handed_over:
                place = module.source.filename, node.name
                if place not in self._visited and not reached.isdisjoint(self._keepers(node, module.name)):
                    self._visited.add(place)
                    self._visit(module, node)

    def _visit(self, module: _Module, node: _Definition) -> None:
        if module.namespace is None:
            self._reach.late.name(module.name, (node.name,))
        elif node.name in module.namespace:
            self._reach.use(module.namespace, Use((node.name,)))

    def _keepers(self, node: _Definition, module: str) -> frozenset[_Place]:
        """Return the registries that a definition may be entered into."""
        found = _NONE
        for decorator in node.decorator_list:
            chain = chain_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
            found |= self._named(module, chain, _DEEPEST)
        if isinstance(node, ast.ClassDef):
            found |= self._told_of_subclass(node, module, _DEEPEST)
        return found

    def _named(self, module: str, chain: tuple[str, ...] | None, depth: int) -> frozenset[_Place]:
        """Return the registries that a dotted name stands for: an object, or what a function speaks of."""
        origin = self._reach.texts.resolve(module, chain) if chain is not None else None
        if origin is None or not depth:
            return _NONE
        known = self._registries.get(origin)
        if known is None:
            self._registries[origin] = _NONE
            known = self._registries[origin] = self._resolved(*origin, depth - 1)
        return known

    def _resolved(self, module: str, chain: tuple[str, ...], depth: int) -> frozenset[_Place]:
        source = self._reach.texts.source(module)
        if source is None:
            return _NONE
        statements = index_of(source).bindings[chain[0]]
        if len(chain) > 1 or not all(isinstance(each, _Definition) for each in statements):
            return frozenset({(source.filename, chain[0])})
        inner = (self._named(module, each, depth) for each in chains_in(*statements) if each[0] != chain[0])
        return _NONE.union(*inner)

    def _told_of_subclass(self, node: ast.ClassDef, module: str, depth: int) -> frozenset[_Place]:
        """Return the classes that are told of a class which is derived from them, with what they enter it into."""
        found = _NONE
        for base, definition, place in self._bases(node, module):
            is_metaclass = any(keyword.value is base for keyword in node.keywords)
            members = {getattr(each, "name", "") for each in definition.body}
            if is_metaclass or "__init_subclass__" in members or self._reach.asks_for_subclasses:
                found |= {(place.filename, definition.name)}
                found |= self._resolved(place.module, (definition.name,), depth)
            if depth:
                found |= self._told_of_subclass(definition, place.module, depth - 1)
        return found

    def _bases(self, node: ast.ClassDef, module: str) -> Iterator[tuple[ast.expr, ast.ClassDef, _There]]:
        for base in (
            *node.bases,
            *(keyword.value for keyword in node.keywords if keyword.arg == "metaclass"),
        ):
            chain = chain_of(base.value if isinstance(base, ast.Subscript) else base)
            origin = self._reach.texts.resolve(module, chain) if chain is not None else None
            source = self._reach.texts.source(origin[0]) if origin is not None else None
            if origin is None or source is None:
                continue
            for statement in index_of(source).bindings[origin[1][0]]:
                if isinstance(statement, ast.ClassDef):
                    yield base, statement, _There(source.filename, origin[0])


class _There(NamedTuple):
    """Where a class is defined."""

    filename: str
    module: str
