"""Modules that code imports when it runs: found and parsed, but not imported to look at them."""

from __future__ import annotations

import ast
import hashlib
import operator
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from types import FunctionType
from typing import TYPE_CHECKING, Any

from curifactory.identity.code_scan import LateImport
from curifactory.identity.ledger import public_names
from curifactory.identity.module_index import ModuleIndex, index_of
from curifactory.identity.normal_form import NormalForm, chain_of, chains_in
from curifactory.identity.reach_data import absolute_name
from curifactory.identity.source import Source, byte_code_digest

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_NO_CODE = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class LateVisitor:
    """Follows names through the texts of modules, whether they are loaded or not, so that both give the same parts."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._labels: dict[tuple[str, str], str] = {}
        self._files: dict[str, str | None] = {}
        self._touched: set[str] = set()
        self._looked_at: set[str] = set()

    def is_project_module(self, name: str) -> bool:
        """Whether a name is that of a module of the project."""
        file = self._find(name)
        return file is not None and self._reach.scope.contains_file(file)

    def target(self, imported: LateImport, package: str) -> str:
        """Say what an import inside of a function stands for, and visit what is used of it."""
        module = absolute_name(imported.module, imported.level, package)
        found = []
        if imported.name is not None:
            found.append(self._name(module, (imported.name,)))
            found += [self._name(module, (imported.name, *chain)) for chain in imported.chains if chain]
        else:
            found.append(self._touch(module))
            found += [self._name(module, chain) if chain else self.whole(module) for chain in imported.chains]
        return f"import {module} {imported.name}: {' '.join(found)}"

    def whole(self, module: str) -> str:
        """Name a whole module, and visit all that its text imports from the project."""
        source = self._source(module)
        if source is None:
            return f"module {module}"
        label, is_new = self._label(source, "", f"{module} (whole module)")
        if is_new:
            self._reach.later(lambda: self._visit_whole(source, module, label))
        return label

    def all_files(self, package: str) -> str:
        """Enter every file of a package, or of the whole project if no package is named."""
        file = self._find(package)
        root = os.path.dirname(file) if file is not None else self._reach.scope.root_path
        if root is None:
            return self._all_loaded()
        for path in _python_files(root):
            if self._reach.scope.contains_file(path):
                self._enter_file(path)
        return f"all files of {package or 'the project'}"

    # --------------------------------------------------------------------------------------------------- the visits

    def _name(self, module: str, chain: tuple[str, ...]) -> str:
        source = self._source(module)
        if source is None:
            return f"{module}:{chain[0]}"
        self._touch(module)
        index, name = index_of(source), chain[0]
        if name not in index.bindings:
            return self._unbound(module, index, chain)
        imported = self._through_import(index.bindings[name], module, chain)
        if imported is not None:
            return imported
        label, is_new = self._label(source, name, f"{module}.{name}")
        if is_new:
            self._reach.later(lambda: self._visit(source, module, name, label))
        return label

    def _unbound(self, module: str, index: ModuleIndex, chain: tuple[str, ...]) -> str:
        below = f"{module}.{chain[0]}"
        if self._find(below) is not None:
            return self._name(below, chain[1:]) if chain[1:] else self.whole(below)
        origin = self._behind_star(module, chain[0], set())
        if origin is not None:
            return self._name(origin, chain)
        # A module may answer for names that it does not have.
        return self.whole(module) if "__getattr__" in index.bindings else f"{module}:{chain[0]} unknown"

    def _behind_star(self, module: str, name: str, seen: set[str]) -> str | None:
        """Find the module whose text binds a name that another one takes over with all others; the last one counts."""
        source = self._source(module)
        if source is None or module in seen:
            return None
        seen.add(module)
        index = index_of(source)
        if name in index.bindings:
            return module
        origins = (
            absolute_name(statement.module or "", statement.level, self._package(module))
            for statement in reversed(index.star_imports)
        )
        return next(
            (found for origin in origins if (found := self._behind_star(origin, name, seen)) is not None),
            None,
        )

    def _through_import(self, statements: list[ast.stmt], module: str, chain: tuple[str, ...]) -> str | None:
        """Follow a name that another module's text only imports."""
        if len(statements) != 1:
            return None
        statement = statements[0]
        if isinstance(statement, ast.ImportFrom):
            origin = absolute_name(statement.module or "", statement.level, self._package(module))
            names = {alias.asname or alias.name: alias.name for alias in statement.names}
            name = names[chain[0]]
            if origin == module:
                # A package that imports a module of its own has no such name but the module's.
                below = f"{origin}.{name}"
                return self._name(below, chain[1:]) if chain[1:] else self.whole(below)
            return self._name(origin, (name, *chain[1:]))
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if (alias.asname or alias.name.partition(".")[0]) == chain[0]:
                    bound = alias.name if alias.asname else chain[0]
                    return self._name(bound, chain[1:]) if chain[1:] else self.whole(bound)
        return None

    def _visit(self, source: Source, module: str, name: str, label: str) -> None:
        index = index_of(source)
        statements = index.bindings[name]
        self._watch(module, (name,))
        content = [NormalForm().write(*statements)]
        for chain in chains_in(*statements):
            if chain[0] != name and chain[0] in index.bindings:
                content.append(f"{'.'.join(chain)}->{self._name(module, chain)}")
        content += self._inner_imports(statements, module)
        content += self._as_loaded(source, module, name)
        self._reach.ledger.put(
            label, content, self._reach.modules.place(source.filename, statements[0].lineno)
        )

    def _visit_whole(self, source: Source, module: str, label: str) -> None:
        tree = source.tree
        body = tree.body if tree is not None else []
        self._watch(module, tuple(index_of(source).bindings))
        content = [NormalForm().write(*body), *self._inner_imports(body, module)]
        content += [
            item for name in index_of(source).bindings for item in self._as_loaded(source, module, name)
        ]
        self._reach.ledger.put(label, content, self._reach.modules.place(source.filename, 1))

    def _watch(self, module: str, names: tuple[str, ...]) -> None:
        """Look again whether a module that may be imported, or loaded once more, still has the same under names."""
        before = _loaded(module, names)
        self._reach.ledger.watches.append(
            lambda: all(map(operator.is_, before, now := _loaded(module, names))) and len(before) == len(now)
        )

    def _inner_imports(self, statements: list[ast.stmt], module: str) -> list[str]:
        found = []
        package = self._package(module)
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.ImportFrom):
                    origin = absolute_name(node.module or "", node.level, package)
                    names = [alias.name for alias in node.names]
                    found += [
                        self.whole(origin) if name == "*" else self._name(origin, (name,)) for name in names
                    ]
                elif isinstance(node, ast.Import):
                    found += [self.whole(alias.name) for alias in node.names]
        return found

    def _touch(self, module: str) -> str:
        source = self._source(module)
        if source is None:
            return f"module {module}"
        if module not in self._touched:
            self._touched.add(module)
            self._reach.later(lambda: self._effects(source, module))
        return f"module {module}"

    def _effects(self, source: Source, module: str) -> None:
        """Count what a module does when it is imported, and what the modules do that it imports."""
        index, package = index_of(source), self._package(module)
        registered = [node for node in index.decorated if self._is_registered(node, index)]
        counted = [*index.effects, *registered]
        if counted:
            label, is_new = self._reach.ledger.label(source, f"{module} (statements)")
            if is_new:
                content = [NormalForm().write(*counted), *self._inner_imports(counted, module)]
                content += self._names_in(counted, module, index)
                self._reach.ledger.put(
                    label, content, self._reach.modules.place(source.filename, counted[0].lineno)
                )
        for imported, level, name in index.imports:
            origin = absolute_name(imported, level, package)
            parts = origin.split(".")
            for each in (*(".".join(parts[: count + 1]) for count in range(len(parts))), f"{origin}.{name}"):
                if self._source(each) is not None:
                    self._touch(each)

    def _is_registered(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, index: ModuleIndex
    ) -> bool:
        """Whether a class is handed to a package that may keep it; of a function only the loaded module tells."""
        if not isinstance(node, ast.ClassDef):
            return False
        for decorator in node.decorator_list:
            chain = chain_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
            origin = _origin_of(chain[0], index) if chain is not None else ""
            if self._reach.modules.registers(origin) and not self.is_project_module(origin):
                return True
        return False

    def _names_in(self, statements: list[ast.stmt], module: str, index: ModuleIndex) -> list[str]:
        return [
            f"{'.'.join(chain)}->{self._name(module, chain)}"
            for chain in chains_in(*statements)
            if chain[0] in index.bindings
        ]

    def _as_loaded(self, source: Source, module: str, name: str) -> list[str]:
        """Say what a loaded module really has under a name, where that is not what its text says."""
        loaded = sys.modules.get(module)
        if loaded is None or name not in loaded.__dict__:
            return []
        value = loaded.__dict__[name]
        if isinstance(value, FunctionType) and value.__code__.co_filename == source.filename:
            return [] if source.definition(value.__code__) is not None else [byte_code_digest(value.__code__)]
        statements = index_of(source).bindings[name]
        if isinstance(value, FunctionType) and all(map(_is_plain_function, statements)):
            # Somebody has put another function in its place.
            return [self._reach.label_of(value) or f"{value.__module__}:{value.__qualname__}"]
        if not source.is_as_imported(loaded.__dict__):
            return ["edited since it was imported"]
        return self._changed_literal(source, name, value)

    def _changed_literal(self, source: Source, name: str, value: Any) -> list[str]:
        statements = index_of(source).bindings[name]
        if len(statements) != 1 or not isinstance(statements[0], (ast.Assign, ast.AnnAssign)):
            return []
        try:
            written = ast.literal_eval(statements[0].value or ast.Constant(None))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return []
        now = self._reach.data.value(value)
        return [] if self._reach.data.value(written) == now else [now]

    # ------------------------------------------------------------------------------------------------------- files

    def _find(self, module: str) -> str | None:
        if module not in self._files:
            self._files[module] = find_module(module)
        return self._files[module]

    def _source(self, module: str) -> Source | None:
        file = self._find(module)
        if file is None or not file.endswith(".py") or not self._reach.scope.contains_file(file):
            return None
        source = self._reach.modules.find_source(file)
        if source is not None and module not in self._looked_at:
            self._looked_at.add(module)
            if module not in sys.modules:
                place = self._reach.modules.place(file, 0)
                self._reach.ledger.read_late.append(lambda: _edited(source, module, place))
        return source

    def _package(self, module: str) -> str:
        file = self._find(module)
        is_package = file is not None and os.path.basename(file) == "__init__.py"
        return module if is_package else module.rpartition(".")[0]

    def _label(self, source: Source, name: str, wanted: str) -> tuple[str, bool]:
        key = (source.filename, name)
        if key in self._labels:
            return self._labels[key], False
        label, _ = self._reach.ledger.label(key, wanted)
        self._labels[key] = label
        return label, True

    def _all_loaded(self) -> str:
        for name, module in sorted(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file.endswith(".py") and self._reach.scope.contains_file(file):
                self._enter_file(file, name)
        return "all loaded modules of the project"

    def _enter_file(self, path: str, name: str = "") -> None:
        source = self._reach.modules.find_source(path)
        shown = name or self._reach.scope.relative(path)
        if source is not None and source.tree is not None:
            text = NormalForm().write(source.tree)
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            self._reach.ledger.put(f"file {shown}", [digest], self._reach.modules.place(path, 0))


def _is_plain_function(statement: ast.stmt) -> bool:
    return isinstance(statement, _DEFINITIONS) and not statement.decorator_list


def _loaded(module: str, names: tuple[str, ...]) -> list[Any]:
    """Return a module as it is loaded and what it has under names, with the code and attributes of that."""
    loaded = sys.modules.get(module)
    found: list[Any] = [loaded]
    content = {} if loaded is None else loaded.__dict__
    for name in names:
        value = content.get(name)
        found.append(value)
        if isinstance(value, FunctionType):
            found.append(value.__code__)
        elif isinstance(value, type) and value.__module__ == module:
            found += [value.__dict__[each] for each in public_names(value)]
    return found


def _edited(source: Source, module: str, place: str) -> str | None:
    """Return the place of a module that is not what it was when it was looked at, before anybody had imported it."""
    if module in source.imported_as:
        return None
    try:
        status = os.stat(source.filename)
    except OSError:
        return place
    if (status.st_mtime_ns, status.st_size) != source.stamp:
        return place
    if module in sys.modules:
        # From now on it stays what it is, whatever happens to the file.
        source.imported_as.add(module)
    return None


def _origin_of(name: str, index: ModuleIndex) -> str:
    """Return the module that a name of a module's text was imported from; empty if it was not imported."""
    statement = index.bindings.get(name, [None])[0]
    if isinstance(statement, ast.ImportFrom):
        return "" if statement.level else statement.module or ""
    if isinstance(statement, ast.Import):
        return next(
            (each.name for each in statement.names if (each.asname or each.name.partition(".")[0]) == name),
            "",
        )
    return ""


def find_module(name: str) -> str | None:
    """Return the file of a module, found without importing anything; None if there is none.

    Examples
    --------
    >>> find_module("json.decoder").endswith("decoder.py")
    True
    """
    top, _, rest = name.partition(".")
    try:
        spec = find_spec(top) if top else None
    except (ValueError, ImportError):
        spec = None
    found = top
    for part in rest.split(".") if rest else ():
        if spec is None or spec.submodule_search_locations is None:
            return None
        found = f"{found}.{part}"
        spec = PathFinder.find_spec(found, list(spec.submodule_search_locations))
    return spec.origin if spec is not None else None


def _python_files(root: str) -> list[str]:
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _NO_CODE
            and not name.startswith(".")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        found += [os.path.join(folder, name) for name in sorted(files) if name.endswith(".py")]
    return found
