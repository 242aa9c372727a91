"""Modules that code reaches: what they do when they are imported, and everything in them where names are looked up."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from curifactory.identity.code_scan import Use
from curifactory.identity.module_index import index_of
from curifactory.identity.normal_form import NormalForm, called_chains
from curifactory.identity.source import Source, find_source

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_ANSWERS = frozenset({"__getattr__", "__dir__"})
_NOTEBOOK_WORDS = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})


class ModuleVisitor:
    """Visits modules, names them, and knows their sources."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._touched: set[int] = set()
        self._sources: dict[str, Source | None] = {}

    def whole(self, module: ModuleType) -> str:
        """Name a whole module, and visit everything in it."""
        if is_compiled(module):
            return self.compiled(module)
        label, is_new = self._reach.ledger.label(module, f"{self.label(module.__dict__)} (whole module)")
        if is_new:
            self._reach.later(lambda: self._visit(module, label))
        return label

    def _visit(self, module: ModuleType, label: str) -> None:
        namespace = module.__dict__
        self.touch(namespace)
        content = []
        for name in sorted(namespace):
            value = namespace[name]
            if name.startswith("__") and name.endswith("__"):
                # Python's own words, apart from what the module answers with when it is asked for a name.
                if name not in _ANSWERS or not isinstance(value, FunctionType):
                    continue
            elif name in _NOTEBOOK_WORDS or name.startswith("_i"):
                continue
            self._reach.ledger.watch_name(namespace, name)
            if isinstance(value, ModuleType) and not value.__name__.startswith(module.__name__ + "."):
                content.append(f"{name}->module {value.__name__}")
            else:
                content.append(f"{name}->{self._reach.target(namespace, name, (), Use((name,)))}")
        self._reach.ledger.put(label, content, self.place(str(namespace.get("__file__", "")), 1))

    def touch(self, namespace: dict[str, Any]) -> None:
        """Count what a module does when it is imported besides binding names, once a module."""
        if id(namespace) in self._touched:
            return
        self._touched.add(id(namespace))
        source = self.source_of(namespace)
        if source is None or namespace.get("__name__") in {"__main__", "__mp_main__"}:
            return
        effects = index_of(source).effects
        if not effects:
            return
        # Named by its source, so that a module that is also imported late is counted once.
        label, is_new = self._reach.ledger.label(source, f"{self.label(namespace)} (statements)")
        if is_new:
            content = [NormalForm().write(*effects)]
            content += [
                self._reach.use(namespace, Use(chain))
                for chain in called_chains(*effects)
                if chain[0] in namespace
            ]
            if not source.is_as_imported(namespace):
                content.append("edited since it was imported")
            self._reach.ledger.put(label, content, self.place(source.filename, effects[0].lineno))

    def enter_texts(self) -> None:
        """Enter the whole text of every file of the project that was looked at, comments and all."""
        for filename, source in sorted(self._sources.items()):
            if source is not None and (filename.startswith("<") or self._reach.scope.contains_file(filename)):
                place = self.place(filename, 1)
                self._reach.ledger.put(f"text of {place.rpartition(':')[0]}", [source.text], place)

    def label(self, namespace: dict[str, Any]) -> str:
        """Return the name of the module that owns a namespace."""
        file = namespace.get("__file__")
        return self._reach.scope.module_name(
            str(namespace.get("__name__", "?")), file if isinstance(file, str) else None
        )

    def source_of(self, namespace: dict[str, Any]) -> Source | None:
        """Return the source of the module that owns a namespace; None if it has no file of Python."""
        file = namespace.get("__file__")
        if not isinstance(file, str) or not file.endswith(".py"):
            return None
        return self.find_source(file, namespace)

    def find_source(self, filename: str, namespace: dict[str, Any] | None = None) -> Source | None:
        """Return the source that a file name stands for; each file is looked at once a fingerprint."""
        if filename not in self._sources:
            self._sources[filename] = find_source(filename, namespace)
        return self._sources[filename]

    def place(self, filename: str, line: int) -> str:
        """Write file and line for people."""
        if not filename:
            return ""
        shown = self._reach.scope.relative(filename) if self._reach.scope.root_path else filename
        return f"{shown}:{line}" if line else shown

    def compiled(self, module: ModuleType) -> str:
        """Name a compiled module, which counts by its bytes."""
        file = str(module.__file__)
        label, is_new = self._reach.ledger.label(module, f"{module.__name__} (compiled)")
        if is_new:
            self._reach.ledger.put(label, [self._reach.data.file_digest(file)], self.place(file, 0))
        return label


def is_compiled(module: ModuleType) -> bool:
    """Whether a module was not written in Python.

    Examples
    --------
    >>> import json
    >>> is_compiled(json)
    False
    """
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and not file.endswith((".py", ".pyc"))
