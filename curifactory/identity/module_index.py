"""What the top level of a module's text binds to its names, and what it does besides."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from weakref import WeakKeyDictionary

from curifactory.identity.normal_form import chain_of, only_prints, says_nothing
from curifactory.identity.source import Source

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPOUND = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.Match,
    ast.TryStar,
)


class ModuleIndex:
    """The statements of a module, sorted by what they are for.

    Parameters
    ----------
    tree : ast.Module
        The module's syntax tree.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree

    @cached_property
    def bindings(self) -> dict[str, list[ast.stmt]]:
        """The statements that give each name its value, or change the value that it has."""
        found: dict[str, list[ast.stmt]] = {}
        for statement in self._statements:
            for name in _bound_names(statement):
                known = found.setdefault(name, [])
                # A module that is imported twice is the same both times.
                if not (known and _is_imported(known) and ast.dump(known[0]) == ast.dump(statement)):
                    known.append(statement)
        for statement in self._statements:
            for owner in _changed_owners(statement):
                if owner in found and not _is_imported(found[owner]) and statement not in found[owner]:
                    found[owner].append(statement)
        return found

    @cached_property
    def effects(self) -> list[ast.stmt]:
        """The statements that bind nothing here, and so do something elsewhere: ``numpy.seterr(all="raise")``."""
        return [
            statement
            for statement in self._statements
            if not says_nothing(statement) and self._acts_elsewhere(statement)
        ]

    @cached_property
    def star_imports(self) -> list[ast.ImportFrom]:
        """The imports of all names of another module."""
        return [
            statement
            for statement in self._statements
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
        ]

    @cached_property
    def imports(self) -> list[tuple[str, int, str]]:
        """Module, level and name of all that is imported with this module; the name is empty where the module is bound."""
        found: dict[tuple[str, int, str], None] = {}
        for statement in self._statements:
            for node in _imported_with(statement):
                for alias in node.names:
                    if isinstance(node, ast.Import):
                        found[alias.name, 0, ""] = None
                    else:
                        found[node.module or "", node.level, alias.name.replace("*", "")] = None
        return list(found)

    @cached_property
    def decorated(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
        """The functions and classes that are handed to a decorator, which may keep them somewhere else."""
        return [
            statement
            for statement in self._statements
            if isinstance(statement, _DEFINITIONS) and statement.decorator_list
        ]

    @cached_property
    def decorators(self) -> frozenset[str]:
        """The names with which the decorators of all those begin."""
        return frozenset(decorator_name(each) for node in self.decorated for each in node.decorator_list)

    @cached_property
    def handed_over(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
        """What is decorated, and the classes that others are told of since they are derived from them."""
        derived = [
            statement
            for statement in self._statements
            if isinstance(statement, ast.ClassDef) and (statement.bases or statement.keywords)
        ]
        return [*self.decorated, *(each for each in derived if not each.decorator_list)]

    def told(self, name: str) -> list[ast.stmt]:
        """Return the statements that make the value of a name or may change it, such as ``_ = TABLE.fill(2)``."""
        found = self.bindings.get(name, [])
        if not found or isinstance(found[0], (*_DEFINITIONS, ast.Import, ast.ImportFrom)):
            return found
        more = [each for each in self._statements if each not in found and _is_handed_out(name, each)]
        return [*found, *more]

    def changes(self, name: str) -> list[ast.stmt]:
        """Return the statements with calls that may change what a definition is, such as ``Base.register(Other)``."""
        return [
            statement
            for statement in self.bindings.get(name, ())
            if isinstance(statement, (ast.Expr, *_COMPOUND)) and name in _changed_owners(statement)
        ]

    def origin(self, name: str) -> tuple[str, int, str] | None:
        """Return module, level and name of what a name was imported from; None if it was not imported by name."""
        statements = self.bindings.get(name, [])
        if len(statements) != 1 or not isinstance(statements[0], ast.ImportFrom):
            return None
        statement = statements[0]
        for alias in statement.names:
            if (alias.asname or alias.name) == name:
                return statement.module or "", statement.level, alias.name
        return None

    def line(self, name: str) -> int:
        """Return the line on which a name is bound first; 0 if the text does not show it."""
        statements = self.bindings.get(name)
        return statements[0].lineno if statements else 0

    @cached_property
    def _statements(self) -> list[ast.stmt]:
        return [statement for statement in self._tree.body if not _never_imported(statement)]

    def _acts_elsewhere(self, statement: ast.stmt) -> bool:
        if isinstance(statement, _COMPOUND):
            inner = (
                part for part in ast.walk(statement) if isinstance(part, ast.stmt) and part is not statement
            )
            return any(self._acts_elsewhere(part) and not says_nothing(part) for part in inner)
        if only_prints(statement) and "print" not in self.bindings and not self.star_imports:
            return False
        owner = _changed_owner(statement)
        if owner is not None:
            statements = self.bindings.get(owner)
            return statements is None or _is_imported(statements)
        return isinstance(statement, (ast.Expr, ast.Delete))


_indexes: WeakKeyDictionary[Source, ModuleIndex] = WeakKeyDictionary()


def index_of(source: Source) -> ModuleIndex:
    """Return the index of a source, made once."""
    try:
        return _indexes[source]
    except KeyError:
        tree = source.tree
        index = _indexes[source] = ModuleIndex(tree if tree is not None else ast.Module([], []))
        return index


def decorator_name(decorator: ast.expr) -> str:
    """Return the name with which a decorator begins; empty if it begins with anything else.

    Examples
    --------
    >>> decorator_name(ast.parse("cf.stage(outputs=['a'])", mode="eval").body)
    'cf'
    """
    chain = chain_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return "" if chain is None else chain[0]


def _imported_with(statement: ast.stmt) -> Iterator[ast.Import | ast.ImportFrom]:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        yield statement
    elif isinstance(statement, (*_COMPOUND, ast.ClassDef)):
        for child in ast.iter_child_nodes(statement):
            for part in child.body if isinstance(child, (ast.ExceptHandler, ast.match_case)) else (child,):
                if isinstance(part, ast.stmt) and not _never_imported(part):
                    yield from _imported_with(part)


def _bound_names(statement: ast.stmt) -> Iterable[str]:
    if isinstance(statement, _DEFINITIONS):
        return (statement.name,)
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [
            alias.asname or alias.name.partition(".")[0] for alias in statement.names if alias.name != "*"
        ]
    return list(dict.fromkeys(_stored_names(statement)))


def _stored_names(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_DEFINITIONS, ast.Import, ast.ImportFrom)):
            yield from _bound_names(child)
        elif isinstance(child, ast.Lambda):
            continue
        elif isinstance(child, ast.Name) and isinstance(child.ctx, (ast.Store, ast.Del)):
            yield child.id
        elif isinstance(child, ast.ExceptHandler) and child.name:
            yield child.name
            yield from _stored_names(child)
        else:
            yield from _stored_names(child)


def _changed_owners(statement: ast.stmt) -> dict[str, None]:
    """Return the names whose values a statement may change, also where it stands in a block."""
    parts = [statement]
    if isinstance(statement, _COMPOUND):
        parts = [part for part in ast.walk(statement) if isinstance(part, ast.stmt)]
    return {owner: None for part in parts if (owner := _changed_owner(part)) is not None}


def _changed_owner(statement: ast.stmt) -> str | None:
    """Return the name whose value a statement such as ``TABLE["a"] = 1`` or ``parser.add_argument(…)`` may change."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        targets = [statement.target]
    elif isinstance(statement, ast.Delete):
        targets = statement.targets
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        targets = [statement.value.func]
    for target in targets:
        if isinstance(target, (ast.Subscript, ast.Attribute)):
            node: ast.AST = target
            while isinstance(node, (ast.Subscript, ast.Attribute, ast.Call)):
                node = node.func if isinstance(node, ast.Call) else node.value
            if isinstance(node, ast.Name):
                return node.id
    return None


def _is_handed_out(name: str, statement: ast.stmt) -> bool:
    """Whether an assignment calls a method of what a name stands for, or gives it to a function."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return False
    for call in (each for each in ast.walk(statement) if isinstance(each, ast.Call)):
        owner = chain_of(call.func)
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if (owner is not None and owner[0] == name and len(owner) > 1) or any(
            isinstance(each, ast.Name) and each.id == name for each in given
        ):
            return True
    return False


def _is_imported(statements: list[ast.stmt]) -> bool:
    return isinstance(statements[0], (ast.Import, ast.ImportFrom))


def _never_imported(statement: ast.stmt) -> bool:
    """Whether a statement only runs in a script or under a type checker."""
    if not isinstance(statement, ast.If):
        return False
    test = statement.test
    if isinstance(test, ast.Compare):
        return chain_of(test.left) == ("__name__",) and isinstance(test.ops[0], ast.Eq)
    chain = chain_of(test)
    return chain is not None and chain[-1] == "TYPE_CHECKING" and not statement.orelse
