"""``instantiate``: the objects that a tree of definitions describes; nothing is evaluated, nothing is written."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from curifactory.core.nearest import suggest
from curifactory.errors import ConfigurationError, ParameterError, UnknownParameterError
from curifactory.parameters.addresses import find_address
from curifactory.parameters.default_classes import CORE, FORMS, check_library, find_default
from curifactory.parameters.imported_names import tell_import
from curifactory.parameters.references import MARK, follow, is_reference
from curifactory.parameters.trees import plain_tree

ONE, SEVERAL, DEFAULT, LIBRARY = "_", "__", "__default__", "library"

_Path = tuple[str | int, ...]


def instantiate(tree: Any, names: Iterable[str] | None = None) -> Any:
    """Return what a tree describes: one object if it is a definition itself, otherwise a dictionary of its members.

    In a definition ``class: a.b.C`` or ``call: a.b.f`` names what is called with the other keys as keywords; ``def: a.b.f`` is
    not called but handed out with them bound. ``_`` is one positional argument, ``__`` a list of them; ``__default__`` is the
    default of the argument itself. ``$`` is the object of the same name, ``$.model.parameters()`` leads further. A section
    without any of the three is of the class that is registered for its name, if the tree says ``library:``.

    Parameters
    ----------
    tree : mapping
        Dictionaries, a :class:`ParameterTree`, or a section of one.
    names : iterable of str, optional
        Make only these members, and what they refer to.

    Returns
    -------
    Any
        The object, or members by name in their order.

    Raises
    ------
    UnknownParameterError
        If a reference or a name leads nowhere.
    ParameterError
        If a definition cannot be made; the message has its path, the cause is what was raised.

    Examples
    --------
    >>> instantiate({"class": "datetime.date", "__": [2020, 1, 2]})
    datetime.date(2020, 1, 2)
    >>> made = instantiate({"half": {"class": "fractions.Fraction", "__": [1, 2]}, "top": "$.half.numerator"})
    >>> made["half"], made["top"]
    (Fraction(1, 2), 1)
    """
    plain = plain_tree(tree)
    if not isinstance(plain, Mapping):
        raise ParameterError(f"A tree is a mapping, and this is of type {type(tree).__name__}.")
    if any(form in plain for form in FORMS):
        return _Making(plain).make(plain, ())
    library = check_library(plain.get(LIBRARY, CORE))
    members = {name: value for name, value in plain.items() if name != LIBRARY}
    making = _Making(members, library)
    wanted = list(members) if names is None else list(names)
    for name in wanted:
        if name not in members:
            hint = suggest(name, [str(each) for each in members], nothing="It has none.")
            raise UnknownParameterError(f"The tree has no member '{name}'.", hint=hint)
    return {name: making.member(name) for name in wanted}


class _Making:
    """The objects of one tree, each made when it is first asked for, and once."""

    def __init__(self, tree: Mapping[Any, Any], library: str = CORE) -> None:
        self._tree = tree
        self._library = library
        self._made: dict[_Path, Any] = {}
        self._open: list[_Path] = []
        self._places: dict[str, _Path] = {}
        self._index(tree, ())

    def member(self, name: str) -> Any:
        """Return what lies under a name at the top."""
        return self._at((name,))

    def make(self, value: Any, path: _Path) -> Any:
        """Return what a value of the tree stands for."""
        if is_reference(value):
            return self._follow(value, path)
        if isinstance(value, list):
            return [self.make(item, (*path, at)) for at, item in enumerate(value)]
        if isinstance(value, tuple):
            return tuple(self.make(item, (*path, at)) for at, item in enumerate(value))
        default = find_default(self._library, str(path[-1])) if path and self._is_bare(value, path) else None
        if not isinstance(value, Mapping):
            return value if default is None else self._define(default[0], default[1], {}, path)
        forms = [form for form in FORMS if form in value]
        if len(forms) > 1:
            raise ParameterError(f"{_show(path)} has {' and '.join(forms)}; a definition has one of them.")
        rest = {name: item for name, item in value.items() if name not in FORMS}
        if forms:
            return self._define(forms[0], value[forms[0]], rest, path)
        if default is not None:
            return self._define(default[0], default[1], rest, path)
        for word in (ONE, SEVERAL):
            if word in value:
                raise ParameterError(f"{_show(path)} has arguments ({word}) but no {' or '.join(FORMS)}.")
        return {name: self._at((*path, name), item) for name, item in value.items()}

    def _at(self, path: _Path, value: Any = None) -> Any:
        if path in self._made:
            return self._made[path]
        if path in self._open:
            circle = " → ".join(_show(each) for each in (*self._open[self._open.index(path) :], path))
            raise ParameterError(f"Definitions lead in a circle: {circle}.")
        self._open.append(path)
        try:
            made = self._made[path] = self.make(self._look_up(path) if value is None else value, path)
        finally:
            self._open.pop()
        return made

    def _look_up(self, path: _Path) -> Any:
        value: Any = self._tree
        for part in path:
            value = value[part]
        return value

    def _index(self, value: Any, path: _Path) -> None:
        """Find the place of every name: those at the top first, then definitions inside of others."""
        if not isinstance(value, Mapping):
            return
        for name, item in value.items():
            is_definition = isinstance(item, Mapping) and any(form in item for form in FORMS)
            if not path or is_definition:
                self._places.setdefault(str(name), (*path, name))
        for name, item in value.items():
            self._index(item, (*path, name))

    def _is_bare(self, value: Any, path: _Path) -> bool:
        return len(path) == 1 and (value is None or isinstance(value, Mapping))

    def _follow(self, text: str, path: _Path) -> Any:
        def find(name: str) -> Any:
            place = self._places.get(name)
            if place is None:
                hint = suggest(name, list(self._places), nothing="The tree has no members.")
                raise UnknownParameterError(
                    f"{_show(path)} refers to '{name}', which is not there.", hint=hint
                )
            return self._at(place)

        try:
            return find(str(path[-1])) if text == MARK else follow(text, find)
        except ParameterError as error:
            if error.message.startswith(_show(path)):
                raise
            raise type(error)(f"{_show(path)}: {error.message}", hint=error.hint) from error.__cause__
        except Exception as error:
            raise ParameterError(f"{_show(path)}: {text} raised {type(error).__name__}: {error}") from error

    def _define(self, form: str, target: Any, rest: Mapping[Any, Any], path: _Path) -> Any:
        function = _find_target(target, path, form)
        positional = [self._argument(rest[ONE], (*path, ONE))] if ONE in rest else []
        if SEVERAL in rest:
            several = self.make(rest[SEVERAL], (*path, SEVERAL))
            if not isinstance(several, (list, tuple)):
                raise ParameterError(f"{_show((*path, SEVERAL))} is a list of positional arguments.")
            positional += several
        keywords = {}
        for name, value in rest.items():
            if name in (ONE, SEVERAL):
                continue
            if value == DEFAULT and isinstance(value, str):
                keywords[str(name)] = _default_of(function, str(name), path)
            elif value == MARK and isinstance(value, str):
                keywords[str(name)] = self._follow(f"{MARK}.{name}", (*path, name))
            else:
                keywords[str(name)] = self._argument(value, (*path, name))
        if form == "def":
            return (
                functools.partial(function, *positional, **keywords) if positional or keywords else function
            )
        try:
            return function(*positional, **keywords)
        except Exception as error:
            raise ParameterError(
                f"{_show(path)}: {target}(…) raised {type(error).__name__}: {str(error).rstrip('.')}.",
                hint="Its arguments are the other keys of the definition.",
            ) from error

    def _argument(self, value: Any, path: _Path) -> Any:
        return self._at(path, value) if isinstance(value, Mapping) else self.make(value, path)


def _find_target(target: Any, path: _Path, form: str) -> Callable[..., Any]:
    if not isinstance(target, str) or not target.strip():
        raise ParameterError(f"{_show(path)}: {form} is a dotted name, and not {target!r}.")
    names = [name.strip() for name in target.split(",")]
    found: list[Callable[..., Any]] = [_find_one(name, path) for name in names]
    if len(found) == 1:
        return found[0]
    if form != "class" or not all(isinstance(each, type) for each in found):
        raise ParameterError(f"{_show(path)}: only classes can be taken together, as in class: a.X, a.Y.")
    bases: Any = tuple(found)
    try:
        return type("".join(each.__name__ for each in bases), bases, {})
    except TypeError as error:
        raise ParameterError(f"{_show(path)}: {target} cannot be taken together: {error}") from error


def _find_one(name: str, path: _Path) -> Any:
    module, _, last = name.rpartition(":" if ":" in name else ".")
    if not module:
        raise ParameterError(
            f"{_show(path)}: '{name}' has no module.", hint="Write it too, as in torch.optim.Adam."
        )
    try:
        found = find_address(f"{module}:{last}", lived_there=False)
    except ConfigurationError as error:
        raise ParameterError(f"{_show(path)}: {error.message}", hint=error.hint) from error
    tell_import(f"{module}:{last}")
    if not callable(found):
        raise ParameterError(f"{_show(path)}: {name} is of type {type(found).__name__} and cannot be called.")
    return found


def _default_of(function: Callable[..., Any], name: str, path: _Path) -> Any:
    try:
        parameter = inspect.signature(function).parameters.get(name)
    except (TypeError, ValueError):
        parameter = None
    if parameter is None or parameter.default is inspect.Parameter.empty:
        called = getattr(function, "__qualname__", str(function))
        raise ParameterError(f"{_show((*path, name))}: {called} has no default for '{name}'.")
    return parameter.default


def _show(path: _Path) -> str:
    return ".".join(map(str, path)) or "the tree"
