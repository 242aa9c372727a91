"""What a stage says it depends on besides its code: files, folders, patterns of names, packages and values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from curifactory.errors import DefinitionError
from curifactory.identity.depends import is_pattern, package_version, path_digest

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

# How the names of such parts, and the places of packages, begin.
DECLARED = "depends on "
VERSION = "version "


class DeclaredVisitor:
    """Enters what is declared, and the files that code comes to."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def declare(self, items: Sequence[Any]) -> None:
        """Enter what a stage says it depends on.

        Raises
        ------
        DefinitionError
            If a string is neither a path nor a package, or a value has no identity.
        """
        for item in items:
            if isinstance(item, os.PathLike):
                self._declare_path(os.fspath(item))
            elif isinstance(item, str):
                self._declare_text(item)
            elif isinstance(item, ModuleType) and not self._reach.scope.contains(item):
                self._enter_package(item.__name__, package_version(item.__name__) or "")
            elif isinstance(item, (ModuleType, FunctionType, type)):
                self._enter(
                    item.__name__, self._reach.label_of(item) or f"{item.__module__}:{item.__qualname__}"
                )
            else:
                digest = self._reach.data.declared(item)
                if digest is None:
                    raise DefinitionError(
                        f"depends names {item!r}, which cannot be identified.",
                        hint="Name a path, a package, a function, a class or a plain value.",
                    )
                self._enter(f"a {type(item).__name__} {digest[:8]}", digest)

    def file_digest(self, path: str) -> str:
        """Return the digest of a file, which is looked at again."""
        digest = path_digest(path)
        ledger, shown = self._reach.ledger, self._reach.modules.place(path, 0)
        ledger.watches.append(lambda: path_digest(path) == digest)
        ledger.read_late.append(lambda: None if path_digest(path) == digest else shown)
        return digest

    def _declare_text(self, item: str) -> None:
        path = self._below_root(item)
        if os.path.exists(path):
            self._declare_path(item)
        elif self._reach.texts.is_own(item):
            self._enter(item, self._reach.late.whole(item))
        elif (version := package_version(item)) is not None:
            self._enter_package(item, version)
        elif "/" in item or os.sep in item or is_pattern(path):
            self._declare_path(item)
        else:
            raise DefinitionError(
                f"depends names '{item}', which is neither a file ({path}) nor an installed package.",
                hint="Paths are relative to the project's folder; a pathlib.Path may name a file that comes later.",
            )

    def _declare_path(self, path: str) -> None:
        self._enter(path.replace(os.sep, "/"), self.file_digest(self._below_root(path)), place=path)

    def _below_root(self, path: str) -> str:
        return os.path.join(self._reach.scope.root_path or os.getcwd(), path)

    def _enter_package(self, name: str, version: str) -> None:
        # Its place is the version: nothing else tells people what it was.
        self._enter(name, version, place=f"{VERSION}{version}")

    def _enter(self, name: str, content: str, *, place: str = "") -> None:
        self._reach.ledger.put(f"{DECLARED}{name}", [content], place)
