"""Tracked views: a parameter set as a stage sees it, which notes whatever is read of it."""

from __future__ import annotations

import copy
import dataclasses
import functools
import sys
import weakref
from collections.abc import Callable
from functools import cached_property
from types import FunctionType
from typing import Any, NoReturn

from curifactory.errors import DefinitionError
from curifactory.identity.fields import layout_of
from curifactory.parameters.children import CHILDREN, PARAMETERS
from curifactory.parameters.class_questions import CLASS, DOC, OF_ITS_DOC, TYPE, paths_asked, question_of
from curifactory.parameters.parts import with_parts
from curifactory.parameters.reads import CODE, FIELDS, ReadLog
from curifactory.parameters.sets import ExperimentParameters, check_class
from curifactory.parameters.values import ATOMS, find_member, is_followed, representations_of
from curifactory.parameters.view_type import ViewType

_MISSING = object()
_FIELDS_OF_CLASS = "__dataclass_fields__"
_set_attribute = object.__setattr__
# `replace` hands what it reads to the class: a view among it would go on living inside of a plain object.
_REPLACE = getattr(dataclasses, "_replace", dataclasses.replace).__code__
_PYDANTIC = "pydantic.main"
# Methods that a decorator has written have no file.
_GENERATED = ("<string>", "<attrs generated")
# What stands in a class and is given the instance, or nothing, when it is read.
_GIVEN_NO_CLASS = (FunctionType, cached_property, property, staticmethod, type(functools.lru_cache(len)))
_FRAMEWORK_MODULE = ExperimentParameters.__module__
# Special methods that make or describe objects and classes; a view has its own, or must not have them.
_NOT_FORWARDED = frozenset(
    """__abstractmethods__ __annotate__ __annotate_func__ __annotations__ __annotations_cache__ __class__
    __class_getitem__ __classcell__ __dataclass_fields__ __dataclass_params__ __del__ __dict__ __doc__ __firstlineno__
    __getattr__ __getattribute__ __getnewargs__ __getnewargs_ex__ __init__ __init_subclass__ __match_args__ __module__
    __new__ __orig_bases__ __parameters__ __post_init__ __qualname__ __set_name__ __setstate__ __slots__
    __static_attributes__ __subclasshook__ __weakref__""".split()  # noqa: SIM905 (a list of it is a page long)
)


def track(params: Any, log: ReadLog) -> Any:
    """Return a view of a parameter set that behaves as the set and notes every read in a log.

    Parameters
    ----------
    params : ExperimentParameters
        The set; it is never copied and never written to.
    log : ReadLog
        Is told what is read.

    Returns
    -------
    Any
        The view; the set itself, counted as read whole, if its class cannot be followed (it answers every attribute by
        a ``__getattribute__`` of its own).

    Raises
    ------
    DefinitionError
        If the class adds fields without ``@dataclass``.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class MyParams(ExperimentParameters):
    ...     n: int = 1
    ...     seed: int = 42
    >>> log = ReadLog()
    >>> params = track(MyParams(), log)
    >>> isinstance(params, MyParams), params.n + 1
    (True, 2)
    >>> sorted(log.paths())
    ['n', 'type:']
    """
    cls = type(params)
    view_type = _view_types.get(cls)
    if view_type is not None and type(cls) is not ViewType:
        # Others of its class were followed before.
        return _fill_view(view_type, params, log, "")
    plain = plain_of(params)
    if not is_followed(plain):
        log.note_object(plain, "", shared=True)
        return plain
    return _make_view(plain, log, "")


def plain_of(value: Any) -> Any:
    """Return the object behind a view, counted as read whole; any other value as it is."""
    if not isinstance(type(value), ViewType):
        return value
    value.__curifactory_log__.note_object(
        value.__curifactory_plain__, value.__curifactory_prefix__, shared=True
    )
    return value.__curifactory_plain__


def names_in(value: Any) -> list[str]:
    """Return the names that an instance holds values under; of a view this counts as reading which they are."""
    if isinstance(type(value), ViewType):
        value.__curifactory_log__.note(FIELDS + value.__curifactory_prefix__[:-1])
        value = value.__curifactory_plain__
    return list(vars(value))


class _Fields(dict[str, Any]):
    """The fields of a dataclass; looking them up on an instance is noted."""

    def __get__(self, view: Any, owner: type) -> dict[str, Any]:
        if view is not None:
            view.__curifactory_log__.note(FIELDS + view.__curifactory_prefix__[:-1])
        return self


class _OfClass:
    """What an instance shows of its class; looking it up is noted."""

    def __init__(self, name: str, kind: str) -> None:
        self._name = name
        self._kind = kind

    def __get__(self, view: Any, owner: type) -> Any:
        if view is None:
            return self
        view.__curifactory_log__.note(self._kind + view.__curifactory_prefix__[:-1])
        return getattr(view.__curifactory_plain__, self._name)


class _Attributes:
    """Gives views a dictionary of their own, in which values that were read are found again at native speed."""


class TrackedView(_Attributes, metaclass=ViewType):
    """A dataclass instance seen through a read log.

    It is no subclass of the instance's class, so that ``isinstance`` has to ask for ``__class__`` and can be noted.
    """

    __slots__ = (
        "__curifactory_children__",
        "__curifactory_log__",
        "__curifactory_plain__",
        "__curifactory_prefix__",
    )

    __curifactory_children__: dict[str, Any]
    __curifactory_log__: ReadLog
    __curifactory_plain__: Any
    __curifactory_prefix__: str
    __curifactory_fields__: frozenset[str] = frozenset()
    __curifactory_asked__: list[int] = [0]  # noqa: RUF012 (each class of views has one of its own)
    __curifactory_class__ = staticmethod(lambda: None)

    def __getattr__(self, name: str) -> Any:
        child = self.__curifactory_children__.get(name)
        if child is not None and sys._getframe(1).f_code is not _REPLACE:  # noqa: SLF001 (nobody else can tell)
            return child
        if name in self.__curifactory_fields__:
            plain = self.__curifactory_plain__
            value = getattr(plain, name, _MISSING)
            if type(value) in ATOMS:
                log = self.__curifactory_log__
                log.values[self.__curifactory_prefix__ + name] = value
                if log.generation != CHILDREN.generation:
                    CHILDREN.tell(PARAMETERS)
                _set_attribute(self, name, value)
                return value
            if value is not _MISSING:
                return _hand_out(self, name, value, sys._getframe(1).f_code is _REPLACE)  # noqa: SLF001
        return _read_member(self, name)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        _refuse_write(self, name)

    def __delattr__(self, name: str) -> NoReturn:
        _refuse_write(self, name)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        question = question_of(sys._getframe(1))  # noqa: SLF001 (nobody else can tell what for)
        for path in paths_asked(question, self.__curifactory_prefix__[:-1]):
            self.__curifactory_log__.note(path)
        return type(self.__curifactory_plain__)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return dict(_give_away(self, shared=True).__dict__)

    def __dir__(self) -> list[str]:
        self.__curifactory_log__.note(FIELDS + self.__curifactory_prefix__[:-1])
        return dir(self.__curifactory_plain__)

    def __repr__(self) -> str:
        return repr(_give_away(self))

    def __eq__(self, other: object) -> bool:
        plain = _give_away(self)
        return bool(plain == (_give_away(other) if isinstance(type(other), ViewType) else other))

    def __hash__(self) -> int:
        return hash(_give_away(self))

    def __copy__(self) -> Any:
        return copy.copy(_give_away(self, shared=True))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(_give_away(self), memo)

    def __replace__(self, /, **changes: Any) -> Any:
        return with_parts(_give_away(self, shared=True), changes)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _give_away(self, shared=True).__reduce_ex__(protocol)

    def __reduce__(self) -> Any:
        return _give_away(self, shared=True).__reduce__()

    def __getstate__(self) -> Any:
        return _give_away(self, shared=True).__getstate__()


_view_types: weakref.WeakKeyDictionary[type, type[TrackedView]] = weakref.WeakKeyDictionary()
_OWN = frozenset(vars(TrackedView))
TrackedView.__curifactory_kept__ = frozenset(name for name in _OWN if callable(vars(TrackedView)[name]))
_slots: dict[str, Any] = dict(vars(TrackedView))
_set_children, _set_log, _set_plain, _set_prefix = (
    _slots[f"__curifactory_{name}__"].__set__ for name in ("children", "log", "plain", "prefix")
)


def _make_view(plain: Any, log: ReadLog, prefix: str) -> TrackedView:
    view_type = _view_types.get(type(plain))
    if view_type is None:
        view_type = _view_types[type(plain)] = _make_view_type(type(plain))
    return _fill_view(view_type, plain, log, prefix)


def _fill_view(view_type: type[TrackedView], plain: Any, log: ReadLog, prefix: str) -> TrackedView:
    view: TrackedView = object.__new__(view_type)
    _set_plain(view, plain)
    _set_log(view, log)
    _set_prefix(view, prefix)
    _set_children(view, {})
    log.note_view(view, plain, prefix, asked=view.__curifactory_asked__)
    return view


def _make_view_type(cls: type) -> Any:
    check_class(cls)
    # Not held by the class of views, which would otherwise keep redefined classes of a notebook alive.
    layout = layout_of(cls)
    names = frozenset(name for name in (layout.names if layout else ()) if _is_stored(cls, name))
    body: dict[str, Any] = {
        "__slots__": (),
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": _OfClass("__doc__", DOC),
        "__annotations__": _OfClass("__annotations__", CLASS),
        "__curifactory_fields__": names,
        "__curifactory_asked__": [0],
        "__curifactory_class__": weakref.ref(cls),
    }
    if hasattr(cls, _FIELDS_OF_CLASS):
        body[_FIELDS_OF_CLASS] = _Fields(getattr(cls, _FIELDS_OF_CLASS))
    for base in cls.__mro__[:-1]:
        for name, member in vars(base).items():
            special = name.startswith("__") and name.endswith("__")
            if (
                special
                and callable(member)
                and name not in body
                and name not in _NOT_FORWARDED
                and name not in _OWN
            ):
                body[name] = _forward(name)
    return ViewType(cls.__name__, (TrackedView,), body)


def _is_stored(cls: type, name: str) -> bool:
    """Say whether a field lies in the instance, in its dictionary or a slot, and is not computed by a descriptor."""
    member = find_member(cls, name, _MISSING)
    return not hasattr(type(member), "__set__") or type(member).__name__ == "member_descriptor"


def _forward(name: str) -> Callable[..., Any]:
    def forwarded(self: TrackedView, /, *args: Any, **kwargs: Any) -> Any:
        return _read_member(self, name)(*args, **kwargs)

    return forwarded


def _hand_out(view: TrackedView, name: str, value: Any, into_copy: bool) -> Any:
    """Give a value that is no atom: a view of a dataclass, anything else as it is."""
    log = view.__curifactory_log__
    path = view.__curifactory_prefix__ + name
    if is_followed(value) and name not in representations_of(view.__curifactory_plain__):
        plain = value.__curifactory_plain__ if isinstance(type(value), ViewType) else value
        if into_copy:
            log.note_object(plain, path + ".", shared=True)
            return plain
        log.note(TYPE + path)
        child = view.__curifactory_children__[name] = _make_view(plain, log, f"{path}.")
        return child
    log.note_value(path, value)
    _set_attribute(view, name, value)
    return value


def _read_member(view: TrackedView, name: str) -> Any:
    """Read what is no stored field: a method or property, a constant of the class, or what only the instance has."""
    plain, log = view.__curifactory_plain__, view.__curifactory_log__
    cls = type(plain)
    member = find_member(cls, name, _MISSING)
    if member is _MISSING or not hasattr(type(member), "__set__"):
        own = getattr(plain, "__dict__", {}).get(name, _MISSING)
        if own is not _MISSING and not isinstance(member, cached_property):
            return _hand_out(view, name, own, into_copy=False)
    if member is _MISSING:
        return _read_missing(view, name)
    if not hasattr(type(member), "__get__"):
        return _hand_out(view, name, member, into_copy=False)
    home = getattr(member, "__module__", None)
    if home == _PYDANTIC:
        # What a model does by itself is compiled, and takes nothing but the model.
        if name in OF_ITS_DOC:
            log.note(DOC + view.__curifactory_prefix__[:-1])
        return getattr(_give_away(view, shared=True), name)
    if home == _FRAMEWORK_MODULE:
        # Hashes are made of the whole set, and of a preset one.
        log.note(f"{view.__curifactory_prefix__}hash")
        log.note_whole()
        return getattr(plain, name)
    if type(member).__name__ in ("member_descriptor", "getset_descriptor"):
        return _hand_out(view, name, getattr(plain, name), into_copy=False)
    _note_code(log, view, name, member)
    if isinstance(member, cached_property):
        value = member.func(view)
        _set_attribute(view, name, value)
        return value
    return member.__get__(view, cls)


def _note_code(log: ReadLog, view: TrackedView, name: str, member: Any) -> None:
    prefix = view.__curifactory_prefix__
    if isinstance(member, FunctionType) and member.__code__.co_filename.startswith(_GENERATED):
        # Made by `dataclass` or attrs: its fields are all there is to it.
        log.note(FIELDS + prefix[:-1])
        return
    log.note(CODE + prefix + name)
    if not isinstance(member, _GIVEN_NO_CLASS):
        # Class methods and people's own descriptors are handed the class, and can read all of it.
        log.note(CLASS + prefix[:-1])


def _read_missing(view: TrackedView, name: str) -> Any:
    plain, log, path = (
        view.__curifactory_plain__,
        view.__curifactory_log__,
        view.__curifactory_prefix__ + name,
    )
    fallback = find_member(type(plain), "__getattr__", _MISSING)
    if getattr(fallback, "__module__", None) == _PYDANTIC:
        fallback = _MISSING
    if fallback is not _MISSING:
        log.note(f"{CODE}{view.__curifactory_prefix__}__getattr__")
    # That there is no such attribute is something that was read: one that is added later makes a difference.
    log.note(path)
    return getattr(plain, name) if fallback is _MISSING else fallback.__get__(view, type(plain))(name)


def _give_away(view: Any, *, shared: bool = False) -> Any:
    view.__curifactory_log__.note_object(
        view.__curifactory_plain__, view.__curifactory_prefix__, shared=shared
    )
    return view.__curifactory_plain__


def _refuse_write(view: TrackedView, name: str) -> NoReturn:
    path = view.__curifactory_prefix__ + name
    raise DefinitionError(
        f"A stage tried to change the parameter '{path}'; parameters are the same for all stages.",
        hint=f"Make a changed copy with dataclasses.replace(…, {name}=…).",
    )
