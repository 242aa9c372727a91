"""Classes that code reaches: each counts whole, with its methods, attributes, bases and metaclass."""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import sys
from collections.abc import Iterator
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, WrapperDescriptorType
from typing import TYPE_CHECKING, Any

from curifactory.identity.callables import resolves
from curifactory.identity.code_scan import Use
from curifactory.identity.ledger import public_names
from curifactory.identity.module_index import index_of
from curifactory.identity.normal_form import NormalForm, chains_in
from curifactory.identity.reach_data import ATOMS
from curifactory.identity.source import Source, source_of

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_SKIPPED = (GetSetDescriptorType, MemberDescriptorType, WrapperDescriptorType)
_HEAP_TYPE = 1 << 9
_Attribute = tuple[str, Any, str]


class ClassVisitor:
    """Visits classes.

    Attributes
    ----------
    changed_attributes : set of str
        Names of attributes whose values methods change in place.
    bound_attributes : set of str
        Names of attributes that code binds anew on a class.
    """

    def __init__(self, reach: Reach) -> None:
        self.changed_attributes: set[str] = set()
        self.bound_attributes: set[str] = set()
        self._reach = reach
        self._visited: list[type] = []
        self._parts: list[tuple[str, list[str], list[_Attribute], bool, str]] = []

    def label(self, cls: type) -> str | None:
        """Name a class, and visit it; None if its name is enough."""
        known = self._reach.ledger.find_label(cls)
        if known is not None:
            return known
        module = sys.modules.get(cls.__module__)
        namespace = module.__dict__ if module is not None else {}
        if not self._reach.scope.contains_module(cls.__module__, namespace) and not _is_made_up(cls):
            return None
        name = self._reach.scope.module_name(cls.__module__)
        label, _ = self._reach.ledger.label(cls, f"{name}.{cls.__qualname__}".replace(".<locals>", ""))
        self._reach.later(lambda: self._visit(cls, label, namespace))
        return label

    def follow_subclasses(self) -> None:
        """Visit the project's subclasses of all classes visited so far: some code asks for them."""
        for cls in list(self._visited):
            subclasses: list[type] = type.__subclasses__(cls)
            for subclass in sorted(subclasses, key=lambda found: (found.__module__, found.__qualname__)):
                self.label(subclass)

    def enter_parts(self) -> None:
        """Enter the classes; an attribute that methods change counts by the text that binds it."""
        for label, content, attributes, has_text, place in self._parts:
            values = [
                f"{name}={type(value).__qualname__ if has_text and self._is_memo(name, value) else digest}"
                for name, value, digest in attributes
            ]
            self._reach.ledger.put(label, [*content, *values], place)

    def _is_memo(self, name: str, value: Any) -> bool:
        if self._reach.data.holds_code(value):
            # A registry of classes or functions is filled when modules are imported, not by stages.
            return False
        return name in self.bound_attributes or (
            name in self.changed_attributes and not isinstance(value, ATOMS)
        )

    def _visit(self, cls: type, label: str, namespace: dict[str, Any]) -> None:
        self._visited.append(cls)
        names = public_names(cls)
        self._reach.ledger.watch_class(cls, names)
        if namespace:
            self._reach.modules.touch(namespace)
        content = [cls.__qualname__]
        content += [f"base {self._name(base)}" for base in cls.__bases__]
        content.append(f"metaclass {self._name(type(cls))}")
        source, node = self._definition(cls, namespace)
        place = ""
        if source is not None and node is not None:
            place = self._reach.modules.place(source.filename, node.lineno)
            content.append(NormalForm(members_apart=True).write(node))
            content += [self._reach.use(namespace, Use(chain)) for chain in _outer_chains(node)]
            if "." not in cls.__qualname__:
                # Such as `Base.register(Other)`, which leaves nothing on the class that could be read.
                calls = index_of(source).changes(cls.__name__)
                content.append(NormalForm().write(*calls))
                content += [
                    self._reach.use(namespace, Use(chain))
                    for chain in chains_in(*calls)
                    if chain[0] in namespace and chain[0] != cls.__name__
                ]
        else:
            content.append("without its text")
            content += self._declared_fields(cls)
        attributes: list[_Attribute] = []
        members: dict[str, enum.Enum] = dict(cls.__members__) if issubclass(cls, enum.Enum) else {}
        for name in sorted(names):
            self._attribute(cls, name, content, attributes, is_enum=issubclass(cls, enum.Enum))
        if members:
            values = {name: member._value_ for name, member in members.items()}
            content.append(self._reach.data.value(values))
        self._parts.append((label, content, attributes, node is not None, place))

    def _attribute(
        self, cls: type, name: str, content: list[str], attributes: list[_Attribute], *, is_enum: bool
    ) -> None:
        item = cls.__dict__[name]
        functions = list(_functions_in(item))
        for function in functions:
            if not isinstance(function, FunctionType):
                content.append(f"{name}={self._reach.data.value(function)}")
            elif not _is_generated(function, cls):
                label = self._reach.label_of(function)
                content.append(f"{name}->{label or f'{function.__module__}:{function.__qualname__}'}")
        if functions or isinstance(item, _SKIPPED) or type(item).__name__ == "_tuplegetter":
            return
        if isinstance(item, type):
            content.append(f"{name}->{self._name(item)}")
        elif not is_enum:
            attributes.append((name, item, self._reach.data.value(item)))

    def _name(self, cls: type) -> str:
        label = self.label(cls)
        return label if label is not None else f"{cls.__module__}:{cls.__qualname__}"

    def _declared_fields(self, cls: type) -> list[str]:
        """Say what a dataclass was made from, for one whose text is gone."""
        # Written down as they are: asking for them by `inspect` may evaluate them.
        annotations: dict[str, Any] = vars(cls).get("__annotations__", {})
        if not dataclasses.is_dataclass(cls):
            return [f"{name}: {kind!s}" for name, kind in sorted(annotations.items())]
        value = self._reach.data.value
        return [
            f"{field.name}: {field.type!s} = {value(field.default_factory)}"
            for field in dataclasses.fields(cls)
            if field.default_factory is not dataclasses.MISSING
        ]

    def _definition(self, cls: type, namespace: dict[str, Any]) -> tuple[Source | None, ast.ClassDef | None]:
        """Find the node of a class in the text that it was made from; None if the text no longer fits."""
        file = namespace.get("__file__")
        methods = [
            function
            for name in public_names(cls)
            for function in _functions_in(cls.__dict__[name])
            if isinstance(function, FunctionType)
            and function.__code__.co_qualname.startswith(cls.__qualname__ + ".")
        ]
        if isinstance(file, str) and file.endswith(".py"):
            source = self._reach.modules.find_source(file, namespace)
        else:
            source = next(
                (
                    found
                    for found in (source_of(method, self._reach.modules.find_source) for method in methods)
                    if found is not None
                ),
                None,
            )
        if source is None or not source.is_as_imported(namespace):
            return None, None
        lines = []
        for method in methods:
            if method.__code__.co_filename.startswith("<string>"):
                continue
            definition = source.definition(method.__code__)
            if definition is None:
                return None, None
            lines.append(definition.lineno)
        for node in reversed(source.classes(cls.__qualname__)):
            if all(node.lineno <= line <= (node.end_lineno or 0) for line in lines):
                return source, node
        return None, None


def _functions_in(item: Any) -> Iterator[Any]:
    """Yield the functions that an attribute of a class consists of."""
    if isinstance(item, FunctionType):
        yield item
    elif isinstance(item, (staticmethod, classmethod)):
        yield from _functions_in(item.__func__)
    elif isinstance(item, property):
        for part in (item.fget, item.fset, item.fdel):
            yield from _functions_in(part)
    elif isinstance(item, functools.cached_property):
        yield from _functions_in(item.func)
    elif isinstance(item, functools.singledispatchmethod):
        yield item.dispatcher


def _is_made_up(cls: type) -> bool:
    """Whether a package's class was made at run time, so that its name does not say what it is."""
    if not cls.__flags__ & _HEAP_TYPE or cls.__module__ in {"builtins", "typing"}:
        return False
    # What `dataclasses.make_dataclass` makes was said to come from `types` until Python 3.12.
    return ("<locals>" in cls.__qualname__ or cls.__module__ == "types") and not resolves(
        cls, cls.__module__, cls.__qualname__
    )


def _is_generated(function: FunctionType, cls: type) -> bool:
    """Whether a method was written by dataclasses, attrs or namedtuple, from what the class says anyway."""
    filename = function.__code__.co_filename
    if filename.startswith("<attrs generated"):
        return True
    made = dataclasses.is_dataclass(cls) or hasattr(cls, "_field_defaults")
    return filename == "<string>" and made


def _outer_chains(node: ast.ClassDef) -> list[tuple[str, ...]]:
    """Return the names in a class body outside of its methods, which are visited one by one."""
    parts: list[ast.AST] = [*node.decorator_list, *node.bases, *node.keywords]
    parts += [
        statement
        for statement in node.body
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    ]
    return chains_in(*parts)
