"""Modules that code imports when it runs: found and parsed, but not imported to look at them."""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from types import FunctionType
from typing import TYPE_CHECKING, Any

from curifactory.identity.code_scan import LateImport
from curifactory.identity.module_index import ModuleIndex, index_of
from curifactory.identity.normal_form import NormalForm, chains_in
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
        for statement in index.star_imports:
            origin = absolute_name(statement.module or "", statement.level, self._package(module))
            source = self._source(origin)
            if source is not None and chain[0] in index_of(source).bindings:
                return self._name(origin, chain)
        return f"{module}:{chain[0]} unknown"

    def _through_import(self, statements: list[ast.stmt], module: str, chain: tuple[str, ...]) -> str | None:
        """Follow a name that another module's text only imports."""
        if len(statements) != 1:
            return None
        statement = statements[0]
        if isinstance(statement, ast.ImportFrom):
            origin = absolute_name(statement.module or "", statement.level, self._package(module))
            names = {alias.asname or alias.name: alias.name for alias in statement.names}
            return self._name(origin, (names[chain[0]], *chain[1:]))
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if (alias.asname or alias.name.partition(".")[0]) == chain[0]:
                    bound = alias.name if alias.asname else chain[0]
                    return self._name(bound, chain[1:]) if chain[1:] else self.whole(bound)
        return None

    def _visit(self, source: Source, module: str, name: str, label: str) -> None:
        index = index_of(source)
        statements = index.bindings[name]
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
        content = [NormalForm().write(*body), *self._inner_imports(body, module)]
        content += [
            item for name in index_of(source).bindings for item in self._as_loaded(source, module, name)
        ]
        self._reach.ledger.put(label, content, self._reach.modules.place(source.filename, 1))

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
        effects = index_of(source).effects
        if effects:
            label, is_new = self._reach.ledger.label(source, f"{module} (statements)")
            if is_new:
                content = [NormalForm().write(*effects), *self._inner_imports(effects, module)]
                self._reach.ledger.put(
                    label, content, self._reach.modules.place(source.filename, effects[0].lineno)
                )
        return f"module {module}"

    def _as_loaded(self, source: Source, module: str, name: str) -> list[str]:
        """Say what a loaded module really has under a name, where that is not what its text says."""
        loaded = sys.modules.get(module)
        if loaded is None or name not in loaded.__dict__:
            return []
        value = loaded.__dict__[name]
        if isinstance(value, FunctionType) and value.__code__.co_filename == source.filename:
            return [] if source.definition(value.__code__) is not None else [byte_code_digest(value.__code__)]
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
        return self._reach.modules.find_source(file)

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
