"""Modules of the project by their names: found without importing them, and what the names in their texts stand for."""

from __future__ import annotations

import ast
import os
import sys
from importlib.machinery import ModuleSpec, SourcelessFileLoader
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from curifactory.identity.code_scan import LateImport, scan
from curifactory.identity.module_index import index_of
from curifactory.identity.source import Source

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_MOST_STEPS = 16


class ModuleTexts:
    """Gives the texts of modules, whether these are loaded or not."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._files: dict[str, str | None] = {}
        self._looked_at: set[str] = set()

    def is_own(self, name: str) -> bool:
        """Whether a name is that of a module of the project."""
        file = self.find(name)
        return file is not None and self._reach.scope.contains_file(file)

    def find(self, module: str) -> str | None:
        """Return the file of a module; None if there is none."""
        if module not in self._files:
            self._files[module] = find_module(module)
        return self._files[module]

    def source(self, module: str) -> Source | None:
        """Return the source of a module of the project; None of any other."""
        file = self.find(module)
        if file is None or not file.endswith(".py") or not self._reach.scope.contains_file(file):
            return None
        source = self._reach.modules.find_source(file)
        if source is not None and module not in self._looked_at:
            self._looked_at.add(module)
            if module not in sys.modules:
                place = self._reach.modules.place(file, 0)
                self._reach.ledger.read_late.append(lambda: _edited(source, module, place))
        return source

    def expect(self, module: str) -> None:
        """Look later whether a module that is nowhere, as the path is now, has turned out to be the project's."""
        if self.find(module) is not None or module in self._looked_at:
            return
        self._looked_at.add(module)
        before, scope = sys.modules.get(module), self._reach.scope

        def found() -> str | None:
            now = sys.modules.get(module)
            file = getattr(now, "__file__", None)
            is_own = now is not before and isinstance(file, str) and scope.contains_file(file)
            return scope.relative(str(file)) if is_own else None

        self._reach.ledger.found_late.append(found)

    def package(self, module: str) -> str:
        """Return the package in which relative imports of a module begin."""
        file = self.find(module)
        is_package = file is not None and os.path.basename(file) in ("__init__.py", "__init__.pyc")
        return module if is_package else module.rpartition(".")[0]

    def behind_star(self, module: str, name: str) -> str | None:
        """Find the module whose text binds a name that another one takes over with all others; the last one counts."""
        return self._behind_star(module, name, set())

    def resolve(self, module: str, chain: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """Follow a dotted name through imports to the module whose text binds it otherwise; None if it leaves the project."""
        for _ in range(_MOST_STEPS):
            source = self.source(module)
            bound = None if source is None else index_of(source).bindings.get(chain[0])
            if bound is None:
                there = None if source is None else self.behind_star(module, chain[0])
                further = (f"{module}.{chain[0]}", chain[1:]) if there is None else (there, chain)
            elif len(bound) == 1 and isinstance(bound[0], ast.ImportFrom):
                name = next(each.name for each in bound[0].names if (each.asname or each.name) == chain[0])
                origin = absolute_name(bound[0].module or "", bound[0].level, self.package(module))
                # A package that imports a module of its own has no such name but the module's.
                further = (
                    (f"{origin}.{name}", chain[1:]) if origin == module else (origin, (name, *chain[1:]))
                )
            elif len(bound) == 1 and isinstance(bound[0], ast.Import):
                names = {each.asname: each.name for each in bound[0].names}
                further = (names.get(chain[0], chain[0]), chain[1:])
            else:
                return module, chain
            module, chain = further
            if not chain or (self.find(module) is None and not self._is_folder(module)):
                return None
        return None

    def _is_folder(self, module: str) -> bool:
        """Whether a module is a folder without an ``__init__.py``, which has nothing but modules."""
        spec = _find_spec(module)
        return spec is not None and spec.submodule_search_locations is not None

    def _behind_star(self, module: str, name: str, seen: set[str]) -> str | None:
        """Find the module whose text binds a name that another one takes over with all others; the last one counts."""
        source = self.source(module)
        if source is None or module in seen:
            return None
        seen.add(module)
        index = index_of(source)
        if name in index.bindings:
            return module
        origins = (
            absolute_name(statement.module or "", statement.level, self.package(module))
            for statement in reversed(index.star_imports)
        )
        return next(
            (found for origin in origins if (found := self._behind_star(origin, name, seen)) is not None),
            None,
        )


def imported_by_byte_code(module: str, file: str) -> list[LateImport]:
    """Return all imports of a module that has no text but byte code; none if that is not of this Python.

    Parameters
    ----------
    module : str
        The name of the module.
    file : str
        Its file, which ends in ``.pyc``.
    """
    try:
        code = SourcelessFileLoader(module, file).get_code(module)
    except (ImportError, OSError, EOFError, ValueError):
        return []
    return [] if code is None else list(scan(code).imports)


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


def find_module(name: str) -> str | None:
    """Return the file of a module, found without importing anything; None if there is none.

    Examples
    --------
    >>> find_module("json.decoder").endswith("decoder.py")
    True
    """
    spec = _find_spec(name)
    return spec.origin if spec is not None else None


def _find_spec(name: str) -> ModuleSpec | None:
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
        spec = _find_below(found, list(spec.submodule_search_locations))
    return spec


def _find_below(name: str, folders: list[str]) -> ModuleSpec | None:
    """Find a module in the folders of its package, which nobody may have imported.

    ``PathFinder`` would ask the package itself where a folder without an ``__init__.py`` lies.
    """
    # Used only where modules are imported late, and not by every command.
    from pkgutil import get_importer

    portions: list[str] = []
    for folder in folders:
        finder = get_importer(folder)
        spec = None if finder is None else finder.find_spec(name, None)
        if spec is not None and spec.loader is not None:
            return spec
        if spec is not None:
            portions += spec.submodule_search_locations or ()
    if not portions:
        return None
    found = ModuleSpec(name, None, is_package=True)
    found.submodule_search_locations = portions
    return found


def absolute_name(module: str, level: int, package: str) -> str:
    """Return the full name of a module that was imported relatively.

    Examples
    --------
    >>> absolute_name("shapes", 2, "models.linear")
    'models.shapes'
    """
    if level == 0:
        return module
    parents = package.split(".")
    base = ".".join(parents[: len(parents) - level + 1])
    return f"{base}.{module}" if module else base


def package_of(namespace: dict[str, Any]) -> str:
    """Return the package in which relative imports of a module begin."""
    package = namespace.get("__package__")
    return str(package) if package else str(namespace.get("__name__", "")).rpartition(".")[0]
