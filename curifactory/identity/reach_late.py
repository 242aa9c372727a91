"""Modules that code imports when it runs: found and parsed, but not imported to look at them."""

from __future__ import annotations

import ast
import hashlib
import operator
import os
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from curifactory.identity.code_scan import LateImport
from curifactory.identity.ledger import public_names
from curifactory.identity.module_index import ModuleIndex, index_of
from curifactory.identity.module_texts import absolute_name, imported_by_byte_code
from curifactory.identity.normal_form import NormalForm, chain_of, chains_in
from curifactory.identity.source import Source

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_NO_CODE = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
_EVALUATORS = frozenset({"eval", "exec", "globals"})
_IMPORTERS = frozenset({"__import__", "import_module"})


class LateVisitor:
    """Follows names through the texts of modules, whether they are loaded or not, so that both give the same parts."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._labels: dict[tuple[str, str], str] = {}
        self._texts = reach.texts
        self._touched: set[str] = set()
        self._read_as_byte_code: set[str] = set()

    def target(self, imported: LateImport, package: str) -> str:
        """Say what an import inside of a function stands for, and visit what is used of it."""
        module = absolute_name(imported.module, imported.level, package)
        found = []
        if imported.name is not None:
            found.append(self.name(module, (imported.name,)))
            found += [self.name(module, (imported.name, *chain)) for chain in imported.chains if chain]
        else:
            found.append(self._touch(module))
            found += [self.name(module, chain) if chain else self.whole(module) for chain in imported.chains]
        return f"import {module} {imported.name}: {' '.join(found)}"

    def whole(self, module: str) -> str:
        """Name a whole module, and visit all that its text imports from the project."""
        source = self._texts.source(module)
        if source is None:
            return self._without_text(module)
        label, is_new = self._label(source, "", f"{module} (whole module)")
        if is_new:
            self._reach.later(lambda: self._visit_whole(source, module, label))
        return label

    def all_files(self, package: str) -> str:
        """Enter every file of a package, or of the whole project if no package is named."""
        file = self._texts.find(package)
        root = os.path.dirname(file) if file is not None else self._reach.scope.root_path
        if root is None:
            return self._all_loaded()
        for path in _python_files(root):
            if self._reach.scope.contains_file(path):
                self._enter_file(path)
        return f"all files of {package or 'the project'}"

    def places(self) -> set[tuple[str, str]]:
        """Return file and name of all that was visited; for a whole module, of everything in it."""
        found = set(self._labels)
        for filename, name in self._labels:
            source = self._reach.modules.find_source(filename) if not name else None
            if source is not None:
                found |= {(filename, each) for each in index_of(source).bindings}
        return found

    # --------------------------------------------------------------------------------------------------- the visits

    def name(self, module: str, chain: tuple[str, ...]) -> str:
        """Name what a dotted name in a module stands for, and visit it."""
        source = self._texts.source(module)
        if source is None:
            below = f"{module}.{chain[0]}"
            if self._texts.find(module) is not None or self._texts.source(below) is None:
                return f"{self._without_text(module)}:{chain[0]}"
            # A folder without an `__init__.py` has nothing but modules.
            return self.name(below, chain[1:]) if chain[1:] else self.whole(below)
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
        if self._texts.find(below) is not None:
            return self.name(below, chain[1:]) if chain[1:] else self.whole(below)
        origin = self._texts.behind_star(module, chain[0])
        if origin is not None:
            return self.name(origin, chain)
        # A module may answer for names that it does not have.
        return self.whole(module) if "__getattr__" in index.bindings else f"{module}:{chain[0]} unknown"

    def _through_import(self, statements: list[ast.stmt], module: str, chain: tuple[str, ...]) -> str | None:
        """Follow a name that another module's text only imports."""
        if len(statements) != 1:
            return None
        statement = statements[0]
        if isinstance(statement, ast.ImportFrom):
            origin = absolute_name(statement.module or "", statement.level, self._texts.package(module))
            names = {alias.asname or alias.name: alias.name for alias in statement.names}
            name = names[chain[0]]
            if origin == module:
                # A package that imports a module of its own has no such name but the module's.
                below = f"{origin}.{name}"
                return self.name(below, chain[1:]) if chain[1:] else self.whole(below)
            return self.name(origin, (name, *chain[1:]))
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if (alias.asname or alias.name.partition(".")[0]) == chain[0]:
                    bound = alias.name if alias.asname else chain[0]
                    return self.name(bound, chain[1:]) if chain[1:] else self.whole(bound)
        return None

    def _visit(self, source: Source, module: str, name: str, label: str) -> None:
        index = index_of(source)
        statements = index.told(name)
        self._watch(module, (name,))
        self._ask(statements, module)
        content = [NormalForm().write(*statements)]
        for chain in chains_in(*statements):
            if chain[0] != name and self._is_global(chain[0], module, index):
                content.append(f"{'.'.join(chain)}->{self.name(module, chain)}")
        content += self._inner_imports(statements, module)
        content += self._reach.files.read_by(statements, source, module)
        content += self._reach.loaded.said(source, module, name)
        self._reach.ledger.put(
            label, content, self._reach.modules.place(source.filename, statements[0].lineno)
        )

    def _visit_whole(self, source: Source, module: str, label: str) -> None:
        tree = source.tree
        body = tree.body if tree is not None else []
        self._watch(module, tuple(index_of(source).bindings))
        self._ask(body, module)
        content = [NormalForm().write(*body), *self._inner_imports(body, module)]
        content += self._reach.files.read_by(body, source, module)
        content += [
            item
            for name in index_of(source).bindings
            for item in self._reach.loaded.said(source, module, name)
        ]
        self._reach.ledger.put(label, content, self._reach.modules.place(source.filename, 1))

    def _ask(self, statements: list[ast.stmt], module: str) -> None:
        """Follow what a text asks for in other ways than by a name."""
        mentioned = set()
        for node in (each for statement in statements for each in ast.walk(statement)):
            if isinstance(node, ast.Attribute):
                mentioned.add(node.attr)
                if chain_of(node) == ("sys", "modules"):
                    self._reach.note_all_files(module, "sys.modules")
            elif isinstance(node, ast.Name):
                mentioned.add(node.id)
            elif isinstance(node, ast.Call):
                self._ask_by_call(node, module)
        if "__subclasses__" in mentioned:
            self._reach.asks_for_subclasses = True
        self._reach.written.look_at(mentioned, module)

    def _ask_by_call(self, call: ast.Call, module: str) -> None:
        chain = chain_of(call.func) or ("",)
        if chain[-1] in _EVALUATORS and len(chain) == 1:
            self.whole(module)
        elif chain[-1] in _IMPORTERS or chain[0] in {"pkgutil", "runpy"}:
            first = call.args[0] if call.args else None
            if isinstance(first, ast.Constant) and len(call.args) == 1 and chain[-1] in _IMPORTERS:
                self.whole(str(first.value))
            else:
                self._reach.note_all_files(module, ".".join(chain))

    def _watch(self, module: str, names: tuple[str, ...]) -> None:
        """Look again whether a module that may be imported, or loaded once more, still has the same under names."""
        before = _loaded(module, names)
        self._reach.ledger.watches.append(
            lambda: all(map(operator.is_, before, now := _loaded(module, names))) and len(before) == len(now)
        )

    def _inner_imports(self, statements: list[ast.stmt], module: str) -> list[str]:
        found = []
        package = self._texts.package(module)
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.ImportFrom):
                    origin = absolute_name(node.module or "", node.level, package)
                    names = [alias.name for alias in node.names]
                    found += [
                        self.whole(origin) if name == "*" else self.name(origin, (name,)) for name in names
                    ]
                elif isinstance(node, ast.Import):
                    found += [self.whole(alias.name) for alias in node.names]
        return found

    def _touch(self, module: str) -> str:
        source = self._texts.source(module)
        if source is None:
            self._texts.expect(module)
            return f"module {module}"
        if module not in self._touched:
            self._touched.add(module)
            self._reach.later(lambda: self._effects(source, module))
        return f"module {module}"

    def _effects(self, source: Source, module: str) -> None:
        """Count what a module does when it is imported, and what the modules do that it imports."""
        index, package = index_of(source), self._texts.package(module)
        registered = [node for node in index.decorated if self._is_registered(node, index)]
        counted = [*index.effects, *registered]
        self._reach.registered.look_into(source, module, None)
        if counted:
            label, is_new = self._reach.ledger.label(source, f"{module} (statements)")
            if is_new:
                content = [NormalForm().write(*counted), *self._inner_imports(counted, module)]
                content += self._names_in(counted, module, index)
                content += self._reach.files.read_by(counted, source, module)
                self._reach.ledger.put(
                    label, content, self._reach.modules.place(source.filename, counted[0].lineno)
                )
        self.touch_imported(index, package)

    def touch_imported(self, index: ModuleIndex, package: str) -> None:
        """Count what the modules do when they are imported that a text imports, and all packages around them."""
        for imported, level, name in index.imports:
            origin = absolute_name(imported, level, package)
            parts = origin.split(".")
            for each in (*(".".join(parts[: count + 1]) for count in range(len(parts))), f"{origin}.{name}"):
                if self._texts.source(each) is not None:
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
            if self._reach.modules.registers(origin) and not self._texts.is_own(origin):
                return True
        return False

    def _names_in(self, statements: list[ast.stmt], module: str, index: ModuleIndex) -> list[str]:
        return [
            f"{'.'.join(chain)}->{self.name(module, chain)}"
            for chain in chains_in(*statements)
            if self._is_global(chain[0], module, index)
        ]

    def _without_text(self, module: str) -> str:
        """Name a module; one of the project that is compiled, or lies in an archive, counts by the bytes of its file."""
        file = self._texts.find(module)
        self._texts.expect(module)
        if file is None or os.sep not in file or not self._reach.scope.contains_file(file):
            return f"module {module}"
        while file and not os.path.exists(file):
            file = os.path.dirname(file)
        if file.endswith(".pyc") and file not in self._read_as_byte_code:
            self._read_as_byte_code.add(file)
            self._reach.later(lambda: self._follow_byte_code(module, file))
        return f"module {module} {self._reach.declared.file_digest(file)}"

    def _follow_byte_code(self, module: str, file: str) -> None:
        """Visit what a module without a text imports, at its top and inside of its functions."""
        package = self._texts.package(module)
        for imported in imported_by_byte_code(module, file):
            origin = absolute_name(imported.module, imported.level, package)
            self._touch(origin)
            if imported.name in (None, "*"):
                self.whole(origin)
            else:
                self.name(origin, (str(imported.name),))

    def _is_global(self, name: str, module: str, index: ModuleIndex) -> bool:
        return name in index.bindings or (
            bool(index.star_imports) and self._texts.behind_star(module, name) is not None
        )

    # ------------------------------------------------------------------------------------------------------- files

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
