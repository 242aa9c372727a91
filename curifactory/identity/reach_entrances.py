"""The modules that everything is imported from: what they do when they are imported, and in ``get_params()`` and ``run()``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from curifactory.identity.code_scan import Use
from curifactory.identity.module_index import ModuleIndex, index_of
from curifactory.identity.module_texts import package_of
from curifactory.identity.normal_form import NormalForm, chain_of, chains_in, only_prints
from curifactory.identity.source import Source, find_source

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

# Experiments, and parameter files, that do the same share what their stages make.
_EXPERIMENT, _PARAMETERS = "the experiment's file", "the parameter file"
_CALLED = ("get_params", "run")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
# What is logged is no result.
_LOGGING = frozenset({"critical", "debug", "error", "exception", "info", "log", "warn", "warning"})


class EntranceVisitor:
    """Counts what an experiment and its parameter files do besides what their stages reach."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def enter(self, names: Iterable[str]) -> None:
        """Count what modules do from which everything was imported, and what the modules do that these import.

        Parameters
        ----------
        names : iterable of str
            First that of the experiment, then those of its parameters.
        """
        known_as = _EXPERIMENT
        for name in names:
            module = sys.modules.get(name)
            if module is not None and self._reach.scope.contains(module):
                self._reach.modules.touch(module.__dict__, known_as=known_as)
                self._called(module, known_as)
            known_as = _PARAMETERS

    def _called(self, module: ModuleType, known_as: str) -> None:
        """Count what its functions do that are called before and beside the stages, whatever they are given."""
        file = getattr(module, "__file__", None)
        source = (
            find_source(file, module.__dict__) if isinstance(file, str) and file.endswith(".py") else None
        )
        if source is None:
            return
        for name in _CALLED:
            for called in _called_in(source, name):
                self._function(called, module.__dict__, f"{known_as} ({name})", source.filename)

    def _function(
        self, called: _CalledFunction, namespace: dict[str, Any], wanted: str, filename: str
    ) -> None:
        self._reach.late.touch_imported(called.inside, package_of(namespace))
        statements = called.statements
        label, is_new = self._reach.ledger.label(called.node, wanted)
        if not statements or not is_new:
            return
        content = [called.text]
        content += [
            self._reach.use(namespace, Use(chain)) for chain in called.chains if chain[0] in namespace
        ]
        self._reach.ledger.put(label, content, self._reach.modules.place(filename, statements[0].lineno))


class _CalledFunction:
    """What the text of a function says that is called before and beside the stages; each of these asks."""

    def __init__(self, node: ast.FunctionDef) -> None:
        self.node = node
        self.inside = ModuleIndex(ast.Module(node.body, []))

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """The statements that count."""
        return list(_acting(self.node, self.inside))

    @cached_property
    def text(self) -> str:
        """Their normal form."""
        return NormalForm().write(*self.statements)

    @cached_property
    def chains(self) -> list[tuple[str, ...]]:
        """Dotted names in what they give away."""
        return chains_in(*(part for each in self.statements for part in _given(each)))


_known: WeakKeyDictionary[Source, dict[str, list[_CalledFunction]]] = WeakKeyDictionary()


def _called_in(source: Source, name: str) -> list[_CalledFunction]:
    """Return the functions that a text binds to a name, looked at once."""
    known = _known.setdefault(source, {})
    if name not in known:
        nodes = index_of(source).bindings.get(name, ())
        known[name] = [_CalledFunction(node) for node in nodes if isinstance(node, ast.FunctionDef)]
    return known[name]


def _acting(function: ast.FunctionDef, inside: ModuleIndex) -> Iterator[ast.stmt]:
    """Yield the statements that change something outside of a function and have nothing to do with its variables."""
    imported = (ast.Import, ast.ImportFrom)
    own = {name for name, made in inside.bindings.items() if not isinstance(made[0], imported)}
    own |= {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    waiting: list[ast.AST] = list(reversed(function.body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            continue
        if isinstance(node, ast.stmt) and _changes_something(node):
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            if names.isdisjoint(own):
                yield node
            continue
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _changes_something(statement: ast.stmt) -> bool:
    """Whether a statement assigns to a part of something, deletes one, or calls a function of a module or object."""
    if isinstance(statement, (ast.Assign, ast.Delete)):
        return any(isinstance(each, (ast.Attribute, ast.Subscript)) for each in statement.targets)
    if isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        return isinstance(statement.target, (ast.Attribute, ast.Subscript))
    if not isinstance(statement, ast.Expr) or only_prints(statement):
        return False
    chain = chain_of(statement.value.func) if isinstance(statement.value, ast.Call) else None
    return chain is not None and len(chain) > 1 and chain[-1] not in _LOGGING


def _given(statement: ast.stmt) -> list[ast.AST]:
    """Return what a statement gives to what it changes, and the functions that it calls."""
    value = getattr(statement, "value", None)
    return [] if value is None else [value]
