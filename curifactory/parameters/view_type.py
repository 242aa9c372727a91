"""``ViewType``: the type of tracked views, which answers as the class of the set does and counts what it is asked."""

from __future__ import annotations

import copy
import copyreg
import dataclasses
import operator
import sys
import types
from collections.abc import Callable
from typing import Any

from curifactory.parameters.children import CHILDREN, PARAMETERS
from curifactory.parameters.class_questions import (
    ITS_CODE,
    ITS_DERIVED,
    ITS_DOC,
    ITS_NAME,
    OF_ITS_DERIVED,
    OF_ITS_DOC,
    OF_ITS_NAME,
    is_own,
)

_FIELDS_OF_CLASS = "__dataclass_fields__"
_ITS_OWN = "__curifactory_"
# These ask only whether there are fields at all.
_ASK_WHETHER = frozenset(
    function.__code__
    for name in ("is_dataclass", "_is_dataclass_instance")
    if (function := getattr(dataclasses, name, None)) is not None
)
_read = type.__getattribute__


class ViewType(type):
    """The type of views. It stands for the class of what they show; only ``is`` and ``issubclass`` tell them apart.

    What is asked of it counts for all views of that class which are in use.
    """

    #: How often what was asked of it, as in :mod:`curifactory.parameters.class_questions`.
    __curifactory_asked__: list[int]
    #: Gives the class, which is not held; None of the base of all views.
    __curifactory_class__: Any
    #: Methods that a view has of its own.
    __curifactory_kept__: frozenset[str]

    def __new__(mcls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:  # noqa: D102
        plain = tuple(map(_class_behind, bases))
        if all(map(operator.is_, plain, bases)):
            return type.__new__(mcls, name, bases, body)
        for base in bases:
            if type(base) is ViewType:
                _note(base, ITS_CODE)
        # Somebody derives a class from what the type of a view stands for.
        home = {"__module__": sys._getframe(1).f_globals.get("__name__")}  # noqa: SLF001 (as `type` does)
        return types.new_class(name, plain, {}, lambda namespace: namespace.update(home | body))

    def __getattribute__(cls, name: str) -> Any:
        if name.startswith(_ITS_OWN):
            return _read(cls, name)
        plain = _class_behind(cls)
        if plain is cls or name in _read(cls, "__curifactory_kept__"):
            return _read(cls, name)
        if name == "__signature__":
            # Who asks for it has imported `inspect`; its answer would be that of `__call__` below.
            _note(cls, ITS_CODE)
            return sys.modules["inspect"].signature(plain)
        frame = sys._getframe(1)  # noqa: SLF001 (nobody else can tell who asks)
        if name in OF_ITS_NAME or name == "__class__":
            _note(cls, ITS_NAME)
        elif name in OF_ITS_DOC:
            _note(cls, ITS_DOC if name == "__doc__" else ITS_DOC | ITS_CODE)
        elif name == OF_ITS_DERIVED:
            _note(cls, ITS_DERIVED | ITS_CODE)
        elif not is_own(frame) and not (name == _FIELDS_OF_CLASS and frame.f_code in _ASK_WHETHER):
            _note(cls, ITS_CODE)
        value = getattr(plain, name)
        # It is told which class to make an instance of, by who holds the type of a view for that.
        return _for_class_behind(value) if name == "__new__" else value

    def __setattr__(cls, name: str, value: Any) -> None:
        plain = _class_behind(cls)
        if plain is cls:
            type.__setattr__(cls, name, value)
        else:
            _note(cls, ITS_CODE)
            setattr(plain, name, value)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an instance of the class that this stands for."""
        plain = _class_behind(cls)
        if plain is cls:
            return type.__call__(cls, *args, **kwargs)
        _note(cls, ITS_CODE)
        return plain(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        plain = _class_behind(cls)
        if plain is cls:
            return type.__instancecheck__(cls, instance)
        _note(cls, ITS_NAME)
        return isinstance(instance, plain)

    def __subclasscheck__(cls, subclass: type) -> bool:
        plain = _class_behind(cls)
        if plain is cls:
            return type.__subclasscheck__(cls, subclass)
        _note(cls, ITS_NAME)
        return issubclass(_class_behind(subclass), plain)

    def __eq__(cls, other: object) -> bool:
        _note(cls, ITS_NAME)
        return _class_behind(cls) is _class_behind(other)

    def __hash__(cls) -> int:
        _note(cls, ITS_NAME)
        plain = _class_behind(cls)
        return type.__hash__(cls) if plain is cls else hash(plain)

    def __repr__(cls) -> str:
        _note(cls, ITS_NAME)
        plain = _class_behind(cls)
        return type.__repr__(cls) if plain is cls else repr(plain)

    def __dir__(cls) -> list[str]:
        _note(cls, ITS_CODE)
        plain = _class_behind(cls)
        return list(type.__dir__(cls)) if plain is cls else dir(plain)


def _class_behind(cls: Any) -> Any:
    """Return the class that a type of views stands for; any other value as it is."""
    if type(cls) is not ViewType:
        return cls
    plain = _read(cls, "__curifactory_class__")()
    return cls if plain is None else plain


def _for_class_behind(new: Callable[..., Any]) -> Callable[..., Any]:
    def make(cls: Any, *args: Any, **kwargs: Any) -> Any:
        return new(_class_behind(cls), *args, **kwargs)

    return make


def _note(cls: ViewType, question: int) -> None:
    _read(cls, "__curifactory_asked__")[0] += question
    if CHILDREN.generation:
        # A process that a stage has forked cannot count for its parent.
        CHILDREN.tell(PARAMETERS)


def _reduce(cls: ViewType) -> Any:
    _note(cls, ITS_CODE)
    plain = _class_behind(cls)
    # A copy of a class is the class; this is the shortest name for it that every process knows.
    return cls.__qualname__ if plain is cls else (copy.copy, (plain,))


copyreg.pickle(ViewType, _reduce)
