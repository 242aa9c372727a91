"""Modules that code reaches: what they do when they are imported, and everything in them where names are looked up."""

from __future__ import annotations

import sys
from functools import partial
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from curifactory.identity.code_scan import Use
from curifactory.identity.module_index import decorator_name, index_of
from curifactory.identity.module_texts import absolute_name, package_of
from curifactory.identity.normal_form import NormalForm, chains_in
from curifactory.identity.source import Source, find_source, unknown_text

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_ANSWERS = frozenset({"__getattr__", "__dir__"})
_MAIN = frozenset({"__main__", "__mp_main__"})
# Decorators of these make something of what they are given, and keep it nowhere; those of no module are not known.
_MAKERS = frozenset(
    {"", "attr", "attrs", "beartype", "curifactory", "msgspec", "numba", "pydantic", "typeguard", "typing_extensions"}
)  # fmt: skip
# Built-in functions that come to code of the project.
_ASKED_BY_NAME = frozenset({"__import__", "eval", "exec", "globals"})
_NOTEBOOK_WORDS = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})


class ModuleVisitor:
    """Visits modules, names them, and knows their sources.

    Attributes
    ----------
    sources : dict
        The sources that were looked at, by the names of their files; None for a file without one.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._touched: set[int] = set()
        self.sources: dict[str, Source | None] = {}

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

    def touch(self, namespace: dict[str, Any], *, known_as: str = "") -> None:
        """Count what a module does when it is imported besides binding names, once a module.

        What the modules do that it imports counts too: one of them may be imported for nothing else.
        """
        if id(namespace) in self._touched:
            return
        self._touched.add(id(namespace))
        # A reload gives it another one, and executes its statements once more.
        self._reach.ledger.watch_name(namespace, "__spec__")
        file = namespace.get("__file__")
        source = None
        if isinstance(file, str) and file.endswith(".py"):
            # Not put among the sources that this fingerprint has looked at: a module that is only imported is not read for more.
            source = self.sources.get(file) or find_source(file, namespace)
        if source is not None and namespace.get("__name__") not in _MAIN:
            self._effects(namespace, source, known_as or self.label(namespace))
            self._reach.registered.look_into(source, str(namespace.get("__name__")), namespace)
        elif isinstance(file, str) and not file.endswith(".py") and self._reach.scope.contains_file(file):
            module = sys.modules.get(str(namespace.get("__name__")))
            if module is not None and module.__dict__ is namespace:
                # Nobody can say what it does when it is imported.
                self.compiled(module)
        for module in self._imported_by(namespace, source):
            self._reach.later(partial(self.touch, module.__dict__))

    def _effects(self, namespace: dict[str, Any], source: Source, known_as: str) -> None:
        effects = index_of(source).effects
        registered = self._registered(namespace, source)
        if not effects and not registered:
            return
        # Named by its source, so that a module that is also imported late is counted once.
        label, is_new = self._reach.ledger.label(source, f"{known_as} (statements)")
        if is_new:
            content = [NormalForm().write(*effects)]
            # The variable of a loop is told by the loop; what it holds in the end may differ from process to process.
            bindings = index_of(source).bindings
            own = {name for name in bindings if all(each in effects for each in bindings[name])}
            content += [
                self._reach.use(namespace, Use(chain))
                for chain in chains_in(*effects)
                if chain[0] in _ASKED_BY_NAME or (chain[0] in namespace and chain[0] not in own)
            ]
            content += self._reach.files.read_by(effects, source, str(namespace.get("__name__")))
            content += [self._reach.use(namespace, Use((name,))) for name in registered]
            if not source.is_as_imported(namespace):
                content.append(unknown_text(namespace))
            line = effects[0].lineno if effects else index_of(source).line(registered[0])
            self._reach.ledger.put(label, content, self.place(source.filename, line))

    def _registered(self, namespace: dict[str, Any], source: Source) -> list[str]:
        """Name what a package's decorator was given and has given back as it was: it has it, and may use it by itself."""
        index = index_of(source)
        external = {name for name in index.decorators if self._is_external(namespace.get(name))}
        found = []
        for node in index.decorated if external else ():
            if external.isdisjoint(map(decorator_name, node.decorator_list)):
                continue
            thing = namespace.get(node.name)
            if isinstance(thing, FunctionType):
                is_itself = "__wrapped__" not in thing.__dict__ and source.definition(thing.__code__) is node
            else:
                is_itself = isinstance(thing, type)
            if is_itself:
                found.append(node.name)
        return found

    def _is_external(self, thing: Any) -> bool:
        name = thing.__name__ if isinstance(thing, ModuleType) else str(getattr(thing, "__module__", ""))
        return self.registers(name)

    def registers(self, module: str) -> bool:
        """Whether decorators of a module may keep what they are given where no code of the project shows it."""
        top = module.partition(".")[0]
        return not (top in _MAKERS or top in sys.stdlib_module_names or self._reach.scope.contains(module))

    def _imported_by(self, namespace: dict[str, Any], source: Source | None) -> list[ModuleType]:
        """Return the modules below the project's folder that a module has imported at its top."""
        if source is None:
            # A notebook or a prompt.
            found = [each for each in namespace.values() if isinstance(each, ModuleType)]
        else:
            names = _names_imported_by(source, package_of(namespace))
            found = [each for each in map(sys.modules.get, names) if isinstance(each, ModuleType)]
        return [each for each in found if self._reach.scope.acts(each)]

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
        if filename not in self.sources:
            self.sources[filename] = find_source(filename, namespace)
        return self.sources[filename]

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
            self._reach.ledger.put(label, [self._reach.declared.file_digest(file)], self.place(file, 0))
        return label


# By source and package: the names of all that may be a module among what a text imports.
_imported: WeakKeyDictionary[Source, dict[str, tuple[str, ...]]] = WeakKeyDictionary()


def _names_imported_by(source: Source, package: str) -> tuple[str, ...]:
    known = _imported.setdefault(source, {})
    if package not in known:
        names: dict[str, None] = {}
        for module, level, name in index_of(source).imports:
            origin = absolute_name(module, level, package)
            # With a module all packages around it are imported.
            parts = origin.split(".")
            names |= dict.fromkeys(".".join(parts[: count + 1]) for count in range(len(parts)))
            names[f"{origin}.{name}"] = None
        known[package] = tuple(names)
    return known[package]


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
