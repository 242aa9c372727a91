"""What a function reaches: the project's functions, classes, constants and modules that its result may depend on."""

from __future__ import annotations

import builtins
import sys
from collections import deque
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from curifactory.identity.callables import resolves
from curifactory.identity.code_scan import Scan, Use, scan
from curifactory.identity.ledger import MISSING, Ledger, content_of
from curifactory.identity.module_texts import ModuleTexts
from curifactory.identity.own_text import OwnText, own_text
from curifactory.identity.project_scope import Scope
from curifactory.identity.reach_classes import ClassVisitor
from curifactory.identity.reach_data import DataVisitor
from curifactory.identity.reach_declared import DeclaredVisitor
from curifactory.identity.reach_entrances import EntranceVisitor
from curifactory.identity.reach_files import FileVisitor
from curifactory.identity.reach_late import LateVisitor
from curifactory.identity.reach_loaded import LoadedVisitor
from curifactory.identity.reach_modules import ModuleVisitor, is_compiled
from curifactory.identity.reach_registered import RegisteredVisitor
from curifactory.identity.reach_texts import TextVisitor

_MODULE_WORDS = frozenset(
    {
        "__name__",
        "__file__",
        "__doc__",
        "__package__",
        "__spec__",
        "__loader__",
        "__path__",
        "__builtins__",
        "__cached__",
    }
)
_EVALUATORS = frozenset({"eval", "exec", "globals"})
_HARMLESS_IMPORTLIB = frozenset({"resources", "metadata", "reload", "invalidate_caches"})


_first_attributes: WeakKeyDictionary[FunctionType, frozenset[str]] = WeakKeyDictionary()


class Reach:
    """Follows code from a function to all that belongs to it, and enters what it finds into a ledger.

    Parameters
    ----------
    scope : Scope
        What counts as the project.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.ledger = Ledger()
        self.data = DataVisitor(self)
        self.declared = DeclaredVisitor(self)
        self.classes = ClassVisitor(self)
        self.entrances = EntranceVisitor(self)
        self.files = FileVisitor(self)
        self.texts = ModuleTexts(self)
        self.written = TextVisitor(self)
        self.late = LateVisitor(self)
        self.loaded = LoadedVisitor(self)
        self.modules = ModuleVisitor(self)
        self.registered = RegisteredVisitor(self)
        self._queue: deque[Callable[[], None]] = deque()
        #: Whether some code asks a class for the classes that are derived from it.
        self.asks_for_subclasses = False

    # ------------------------------------------------------------------------------------------------ the walk itself

    def later(self, visit: Callable[[], None]) -> None:
        """Put a visit into the queue."""
        self._queue.append(visit)

    def run(self) -> None:
        """Visit until nothing new is found, then enter the parts whose digests had to wait."""
        while True:
            while self._queue:
                self._queue.popleft()()
            if self.asks_for_subclasses:
                self.classes.follow_subclasses()
            if not self._queue:
                self.data.settle()
                self.registered.settle()
            if not self._queue:
                break
        self.classes.enter_parts()
        self.written.enter()
        self.data.watch_values()

    def label_of(self, thing: Any) -> str | None:
        """Return the name of the part that a function, class or module is, and visit it; None if its name is enough."""
        if isinstance(thing, FunctionType):
            spec = stage_spec(thing)
            return self._function(thing) if spec is None else self._stage(spec)
        if isinstance(thing, type):
            return self.classes.label(thing)
        if isinstance(thing, ModuleType):
            return self.modules.whole(thing) if self.scope.contains(thing) else None
        module = sys.modules.get(str(getattr(thing, "__module__", None)))
        if module is not None and is_compiled(module) and self.scope.contains(module):
            return self.modules.compiled(module)
        return None

    # ---------------------------------------------------------------------------------------------------- functions

    def is_own(self, function: FunctionType) -> bool:
        """Whether a function was written in the project."""
        namespace = function.__globals__
        name = str(namespace.get("__name__", ""))
        if self.scope.contains_module(name, namespace):
            return True
        # What was executed from a string has a namespace that no module has, and no name that says what it does.
        module = sys.modules.get(name)
        return "__file__" not in namespace and (module is None or module.__dict__ is not namespace)

    def _is_made_up(self, function: FunctionType) -> bool:
        """Whether a package's function was made at run time, so that its name does not say what it does."""
        module = str(function.__module__)
        # A wrapper takes the name of what it wraps, which may be the project's.
        return self.scope.contains(module) or not resolves(function, module, function.__qualname__)

    def _function(self, function: FunctionType) -> str | None:
        known = self.ledger.find_label(function)
        if known is not None:
            return known
        if not self.is_own(function) and not self._is_made_up(function):
            return None
        namespace = function.__globals__
        module = self.modules.label(namespace)
        label, _ = self.ledger.label(
            function, f"{module}.{function.__code__.co_qualname}".replace(".<locals>", "")
        )
        self.later(lambda: self._visit_function(function, label))
        return label

    def _visit_function(self, function: FunctionType, label: str) -> None:
        code, namespace = function.__code__, function.__globals__
        self.ledger.watch_function(function)
        found = scan(code)
        is_own = self.is_own(function)
        if is_own or code.co_name == "<lambda>":
            own = own_text(function, self.modules.find_source)
            self.modules.touch(namespace)
            content = [own.digest]
            content += [self.use(namespace, Use(chain)) for chain in own.outer_chains]
            content += [self.use(namespace, use) for use in found.uses if not use.free]
            for chain in own.changed:
                self._note_change(namespace, chain)
        else:
            # Code of a package counts by its name; what it was given by the project counts by itself.
            own = OwnText.external(function)
            content = [own.digest]
        content += self._closure(function, own, found)
        content += self._defaults(function, own)
        package = str(namespace.get("__package__") or str(namespace.get("__name__", "")).rpartition(".")[0])
        content += [self.late.target(imported, package) for imported in found.imports]
        if "__subclasses__" in found.attributes:
            self.asks_for_subclasses = True
        self.written.look_into(found, label)
        wrapped = function.__dict__.get("__wrapped__")
        if isinstance(wrapped, FunctionType):
            content.append(f"wraps {self.label_of(wrapped)}")
        if is_own:
            self._attributes(function, label, own)
        self.ledger.put(label, content, self.modules.place(own.filename, own.line))

    def _closure(self, function: FunctionType, own: OwnText, found: Scan) -> list[str]:
        content = []
        if "registry" in function.__dict__ and "dispatch" in function.__dict__:
            # The closure of functools.singledispatch also remembers what it has dispatched.
            return [self.data.value(function.__dict__["registry"])]
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            value = content_of(cell)
            if (name,) in own.changed:
                content.append(f"{name}:{self.data.first_value(cell, value)}")
                continue
            self.ledger.watch_cell(cell)
            if isinstance(value, ModuleType):
                chains = [use.chain for use in found.uses if use.free and use.chain[0] == name]
                content += [f"{name}:{self.follow(value, chain[1:], Use(chain))}" for chain in chains]
            elif value is MISSING:
                content.append(f"{name}:empty")
            else:
                content.append(f"{name}:{self.data.value(value)}")
        return content

    def _defaults(self, function: FunctionType, own: OwnText) -> list[str]:
        code = function.__code__
        defaults = function.__defaults__ or ()
        names = code.co_varnames[: code.co_argcount][code.co_argcount - len(defaults) :]
        pairs = [*zip(names, defaults, strict=True), *sorted((function.__kwdefaults__ or {}).items())]
        return [f"{name}={self.data.value(value, is_memo=(name,) in own.changed)}" for name, value in pairs]

    def _attributes(self, function: FunctionType, label: str, own: OwnText) -> None:
        """Visit what has been put on a function: each attribute is a global of its own.

        What comes after it was seen for the first time is a note of the code that is executed, in no other process there.
        """
        first = _first_attributes.get(function)
        if first is None:
            first = _first_attributes[function] = frozenset(function.__dict__)
        for name in function.__dict__:
            if name in first and not name.startswith("__"):
                self.data.attribute(function, name, label)
        for chain in own.changed:
            if len(chain) > 1 and chain[0] == function.__code__.co_name:
                # A wrapper counts its calls on itself, under a name that is no global.
                self.data.mark_memo(function.__dict__, chain[1])

    def _note_change(self, namespace: dict[str, Any], chain: tuple[str, ...]) -> None:
        """Mark the global that a function changes: it is a memo."""
        for attribute in chain[1:]:
            value = namespace.get(chain[0])
            if not isinstance(value, ModuleType):
                break
            namespace, chain = value.__dict__, (attribute, *chain[2:])
        on_class = (
            chain[0] == "cls" or isinstance(namespace.get(chain[0]), type) or chain[1:2] == ("__class__",)
        )
        if on_class and len(chain) > 1:
            self.classes.bound_attributes.add(chain[-1])
        if (on_class or chain[0] == "self") and len(chain) > 1:
            self.classes.changed_attributes.add(chain[1])
        elif chain[0] in namespace:
            self.data.mark_memo(namespace, chain[0])
            if len(chain) > 1 and isinstance(namespace[chain[0]], FunctionType):
                self.data.mark_memo(namespace[chain[0]].__dict__, chain[1])

    # ------------------------------------------------------------------------------------------------------- stages

    def _stage(self, spec: Any) -> str:
        """Name a decorated stage: its function, and what its decorator says apart from cachers."""
        function = self.label_of(spec.function) if isinstance(spec.function, FunctionType) else None
        if function is None:
            function = self.data.value(spec.function)
        label, is_new = self.ledger.label(spec, f"{function} (decorator)")
        if is_new:
            self.later(lambda: self._visit_spec(spec, label))
        return f"{function} {label}"

    def _visit_spec(self, spec: Any, label: str) -> None:
        outputs = [getattr(output, "name", output) for output in getattr(spec, "outputs", None) or ()]
        says = {
            name: getattr(spec, name, None)
            for name in ("aggregate", "inputs", "suppress_missing_inputs", "version")
        }
        # A tuple: what a decorator says cannot be changed, so that it need not be looked at again.
        code = getattr(spec.function, "__code__", None)
        place = "" if code is None else self.modules.place(code.co_filename, code.co_firstlineno)
        self.ledger.put(label, [self.data.value((*says.items(), ("outputs", tuple(outputs))))], place)
        self.declared.declare(tuple(getattr(spec, "depends", ()) or ()))

    # -------------------------------------------------------------------------------------------------------- names

    def use(self, namespace: dict[str, Any], use: Use) -> str:
        """Say what a global name stands for, and visit it."""
        name = use.chain[0]
        self.ledger.watch_name(namespace, name)
        return f"{'.'.join(use.chain)}->{self._resolve(namespace, name, use)}"

    def _resolve(self, namespace: dict[str, Any], name: str, use: Use) -> str:
        if name in namespace:
            if name in _MODULE_WORDS:
                return "of the module"
            return self.target(namespace, name, use.chain[1:], use)
        if not hasattr(builtins, name):
            return "unknown"
        if name in _EVALUATORS:
            return self._own_module(namespace, f"{name}()")
        if name == "__import__":
            return self._dynamic_import(namespace, use, "__import__()")
        return "built in"

    def target(self, namespace: dict[str, Any], name: str, rest: tuple[str, ...], use: Use) -> str:
        """Say what a name in a namespace stands for, and visit it."""
        value = namespace[name]
        if isinstance(value, ModuleType):
            return self.follow(value, rest, use, namespace)
        if _is_import_function(value):
            return self._dynamic_import(namespace, use, "importlib")
        if isinstance(value, (FunctionType, type)) or _is_plain_builtin(value):
            label = self.label_of(value)
            return label if label is not None else f"{value.__module__}:{value.__qualname__}"
        return self.data.label(namespace, name)

    def follow(
        self, module: ModuleType, rest: tuple[str, ...], use: Use, namespace: dict[str, Any] | None = None
    ) -> str:
        """Say what a chain of attributes that begins at a module stands for, and visit it."""
        while True:
            if not self.scope.contains(module):
                return self._follow_external(module, rest, use, namespace)
            if not rest or rest[0] == "__dict__":
                return self.modules.whole(module)
            if is_compiled(module):
                return self.modules.compiled(module)
            name, content = rest[0], module.__dict__
            self.ledger.watch_name(content, name)
            if name not in content:
                return self.modules.whole(module) if "__getattr__" in content else "unknown"
            if name in _MODULE_WORDS:
                return "of the module"
            found = content[name]
            if not isinstance(found, ModuleType):
                return self.target(content, name, rest[1:], use)
            module, rest = found, rest[1:]

    def _follow_external(
        self, module: ModuleType, rest: tuple[str, ...], use: Use, namespace: dict[str, Any] | None
    ) -> str:
        name = module.__name__
        if namespace is not None:
            if name == "importlib" and rest and rest[0] not in _HARMLESS_IMPORTLIB:
                return self._dynamic_import(namespace, use, "importlib")
            if name in {"runpy", "pkgutil"} and rest:
                return self._dynamic_import(namespace, use, name)
            if name == "sys" and rest[:1] == ("modules",):
                own = use.argument == "__name__"
                return (
                    self._own_module(namespace, "sys.modules")
                    if own
                    else self.all_files(namespace, "sys.modules")
                )
        return f"module {name}"

    def _own_module(self, namespace: dict[str, Any], means: str) -> str:
        module = sys.modules.get(str(namespace.get("__name__")))
        if module is None or module.__dict__ is not namespace or not self.scope.contains(module):
            return means
        self.ledger.note(
            f"{self.modules.label(namespace)} looks names up with {means}: all of this module counts."
        )
        return self.modules.whole(module)

    def _dynamic_import(self, namespace: dict[str, Any], use: Use, means: str) -> str:
        if use.argument == "__name__":
            return self._own_module(namespace, means)
        if use.argument is not None and use.complete:
            return self.late.whole(use.argument)
        package = (use.argument or "").rpartition(".")[0]
        return self.all_files(namespace, means, package=package)

    def all_files(self, namespace: dict[str, Any], means: str, *, package: str = "") -> str:
        """Count every file of the project, or of a package, because names are made at run time."""
        return self.note_all_files(self.modules.label(namespace), means, package=package)

    def note_all_files(self, module: str, means: str, *, package: str = "") -> str:
        """Count every file of the project, or of a package, because a module makes names at run time."""
        which = f"the package {package}" if package else "the project"
        self.ledger.note(f"{module} imports by names made at run time ({means}): all of {which} counts.")
        return self.late.all_files(package)


def stage_spec(thing: Any) -> Any:
    """Return the spec of a decorated stage; None for anything else."""
    spec = getattr(thing, "__dict__", {}).get("spec")
    return spec if callable(getattr(spec, "function", None)) else None


def _is_plain_builtin(value: Any) -> bool:
    """Whether a compiled function belongs to a module and not to some object."""
    return isinstance(value, BuiltinFunctionType) and isinstance(value.__self__, (ModuleType, type(None)))


def _is_import_function(value: Any) -> bool:
    return (
        isinstance(value, FunctionType)
        and value.__module__ == "importlib"
        and value.__name__ == "import_module"
    )
