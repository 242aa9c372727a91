"""Parameter trees: sets without a class of a person, whose names and sections come from a YAML file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from curifactory.errors import ConfigurationError
from curifactory.parameters.annotations import name_type
from curifactory.parameters.fitting import fits
from curifactory.parameters.sets import ExperimentParameters
from curifactory.parameters.view import names_in

# A dot would make another path of it; what Python itself uses is left to it.
_NAME = re.compile(r"(?!__\w+__$)[^\W\d][\w -]*")
#: What means the same in every set, and of which type it is.
_OF_EVERY_SET: Mapping[str, Any] = MappingProxyType(
    {"name": str, "hash": str | None, "overwrite": bool, "hash_representations": dict[str, None]}
)
_FRAMEWORK = tuple(_OF_EVERY_SET)


class Branch:
    """What trees and their sections share: their names are attributes and items alike."""

    __slots__ = ()
    #: Names may be added by updates.
    __grows__: ClassVar[bool] = True

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self, name)
        except AttributeError:
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in names_in(self)

    def __iter__(self) -> Iterator[str]:
        return iter(own_names(self))

    def __len__(self) -> int:
        return len(own_names(self))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        known = vars(self)
        names = (["name"] if isinstance(self, ExperimentParameters) else []) + own_names(self)
        shown = ", ".join(f"{name}={known[name]!r}" for name in names)
        return f"{type(self).__name__}({shown})"


@dataclass(eq=False, repr=False)
class Section(Branch):
    """A part of a tree with names of its own.

    Examples
    --------
    >>> model = make_section({"depth": 2, "sizes": [10, 20]})
    >>> model.depth, model["sizes"], list(model)
    (2, [10, 20], ['depth', 'sizes'])
    """


@dataclass(eq=False, repr=False)
class ParameterTree(Branch, ExperimentParameters):
    """A parameter set that is a tree: read, tracked, changed and kept like any other.

    Examples
    --------
    >>> params = make_tree({"seed": 1, "model": {"depth": 2}}, name="small")
    >>> params.name, params.seed, params.model.depth
    ('small', 1, 2)
    >>> plain_tree(params)
    {'seed': 1, 'model': {'depth': 2}}
    """


def make_tree(tree: Mapping[str, Any], *, name: str) -> ParameterTree:
    """Return a parameter set of a mapping.

    Parameters
    ----------
    tree : mapping
        Values and sections by name. ``name``, ``hash``, ``overwrite`` and ``hash_representations`` at its top are what they
        are in every set.
    name : str
        What the set is called if the mapping does not say it.

    Raises
    ------
    ConfigurationError
        If a name at the top cannot be a parameter's.
    """
    made = ParameterTree(name=name)
    for key, value in tree.items():
        if not (isinstance(key, str) and _NAME.fullmatch(key)) or (
            hasattr(ParameterTree, key) and key not in _FRAMEWORK
        ):
            raise ConfigurationError(
                f"'{key}' cannot be the name of a parameter.",
                hint="Names begin with a letter and have no dots; those of methods of parameter sets are taken.",
            )
        if key in _FRAMEWORK and not fits(value, _OF_EVERY_SET[key]):
            raise ConfigurationError(
                f"'{key}' is {value!r}, and every set has there: {name_type(_OF_EVERY_SET[key])}."
            )
        setattr(made, key, value if key in _FRAMEWORK else grow(value))
    return made


def make_section(tree: Mapping[str, Any]) -> Section:
    """Return a section of a mapping; see `grow`."""
    made = Section()
    for key, value in tree.items():
        setattr(made, key, grow(value))
    return made


def grow(value: Any) -> Any:
    """Return a value as trees hold it: mappings with proper names as sections, whatever else as it is.

    Examples
    --------
    >>> grow({"a": {"b": 1}}).a.b, grow({1: "one"}), grow([{"a": 1}])[0].a
    (1, {1: 'one'}, 1)
    """
    if isinstance(value, list):
        return [grow(item) for item in value]
    if type(value) is tuple:
        return tuple(grow(item) for item in value)
    if not isinstance(value, Mapping) or not value:
        return value
    if all(isinstance(key, str) and _NAME.fullmatch(key) for key in value):
        return make_section(value)
    return {key: grow(item) for key, item in value.items()}


def plain_tree(value: Any) -> Any:
    """Return a tree, a section, or a view of one, as plain dictionaries and lists.

    Examples
    --------
    >>> plain_tree(make_section({"a": {"b": [1]}}))
    {'a': {'b': [1]}}
    """
    if isinstance(value, Branch):
        return {name: plain_tree(getattr(value, name)) for name in own_names(value)}
    if isinstance(value, dict):
        return {key: plain_tree(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain_tree(item) for item in value)
    return value


def own_names(branch: Any) -> list[str]:
    """Return the names of a tree or section that are not those of every set.

    Examples
    --------
    >>> own_names(make_tree({"seed": 1}, name="small"))
    ['seed']
    """
    left_out = (*_FRAMEWORK, "repeat_index") if isinstance(branch, ExperimentParameters) else ()
    return [name for name in names_in(branch) if name not in left_out]
