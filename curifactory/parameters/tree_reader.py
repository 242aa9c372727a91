"""``TreeReader``: values out of the trees of ``TreeWriter``; classes are imported, nothing is unpickled or evaluated."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from curifactory.errors import ConfigurationError, CurifactoryError
from curifactory.identity.fields import layout_of
from curifactory.parameters.addresses import find_address
from curifactory.parameters.tags import find_reader
from curifactory.parameters.tree_writer import LOSSY, SECRET
from curifactory.parameters.values import NO_DEFAULT, default_of


class TreeReader:
    """One parameter set on its way back from JSON.

    Parameters
    ----------
    values : mapping of str to Any
        Values by path that stand in place of what the tree says there.

    Attributes
    ----------
    faults : list of (str, str)
        Path and sentence of everything that was wrong so far.

    Examples
    --------
    >>> TreeReader({}).read({"sizes": {"$tuple": [1, 2]}}, "")
    {'sizes': (1, 2)}
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.faults: list[tuple[str, str]] = []
        self._values = values
        self._readers: dict[str, Callable[[Any, str], Any]] = {
            "$class": lambda tree, path: self._find(tree["$class"], path),
            "$dict": lambda tree, path: dict(self._read_pairs(tree["$dict"], path)),
            "$enum": self._read_enum,
            "$frozenset": lambda tree, path: frozenset(self._read_items(tree["$frozenset"], path)),
            "$function": lambda tree, path: self._find(tree["$function"], path),
            "$namedtuple": self._read_named_tuple,
            "$object": lambda tree, path: self.read_object(tree["$object"], path),
            "$ordered": lambda tree, path: OrderedDict(self._read_pairs(tree["$ordered"], path)),
            "$partial": self._read_partial,
            "$set": lambda tree, path: set(self._read_items(tree["$set"], path)),
            "$tuple": lambda tree, path: tuple(self._read_items(tree["$tuple"], path)),
        }

    def read_object(self, tree: Mapping[str, Any], path: str) -> Any:
        """Make an instance of the class with fields that a tree names, and fill it."""
        try:
            address, stored = tree["class"], tree["fields"]
        except (KeyError, TypeError):
            return self._note_fault(path, "this is no tree of a parameter set")
        cls = self._find(address, path)
        if cls is None:
            return None
        layout = layout_of(cls) if isinstance(cls, type) else None
        if layout is None:
            return self._note_fault(path, f"'{address}' is no dataclass")
        # A pydantic model has to know which fields it was given; the others are filled as they were.
        make_empty = getattr(cls, "model_construct", None)
        instance = object.__new__(cls) if make_empty is None else make_empty()
        prefix = f"{path}." if path else ""
        known = set(layout.names)
        for name, item in stored.items():
            if name in known:
                object.__setattr__(instance, name, self._read_field(cls, name, item, prefix + name))
            else:
                self._note_fault(prefix + name, f"{cls.__name__} has no such field any more")
        for name, item in tree.get("others", {}).items():
            object.__setattr__(instance, name, self.read(item, prefix + name))
        for name in layout.names:
            if name not in stored:
                self._fill_new_field(instance, name, prefix + name)
        return instance

    def read(self, tree: Any, path: str) -> Any:
        """Make the value of a tree."""
        if path in self._values:
            return self._values[path]
        if isinstance(tree, list):
            return self._read_items(tree, path)
        if not isinstance(tree, Mapping):
            return tree
        if SECRET in tree:
            return self._note_fault(path, "it is a secret and was not stored")
        if LOSSY in tree:
            return self._note_fault(path, f"it could not be stored ({tree.get('$repr')})")
        tag = next((key for key in tree if key[:1] == "$"), None)
        if tag is None:
            return {key: self.read(item, f"{path}[{key}]") for key, item in tree.items()}
        return self._read_tagged(tag, tree, path)

    def _read_tagged(self, tag: str, tree: Mapping[str, Any], path: str) -> Any:
        reader, read_content = self._readers.get(tag), find_reader(tag)
        try:
            if reader is not None:
                return reader(tree, path)
            if read_content is not None:
                return read_content(tree[tag])
        except CurifactoryError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever is wrong with the content is one fault among others)
            return self._note_fault(path, f"its {tag} cannot be read: {type(error).__name__}: {error}")
        return self._note_fault(path, f"'{tag}' is of a newer version of curifactory")

    def _read_field(self, cls: type, name: str, tree: Any, path: str) -> Any:
        if path not in self._values and isinstance(tree, Mapping) and SECRET in tree:
            default = default_of(cls, name)
            if default is not NO_DEFAULT:
                return default
        return self.read(tree, path)

    def _fill_new_field(self, instance: Any, name: str, path: str) -> None:
        value = self._values[path] if path in self._values else default_of(type(instance), name)
        if value is NO_DEFAULT:
            self._note_fault(path, f"{type(instance).__name__} has got this field since, without a default")
        else:
            object.__setattr__(instance, name, value)

    def _read_items(self, trees: list[Any], path: str) -> list[Any]:
        return [self.read(item, f"{path}[{position}]") for position, item in enumerate(trees)]

    def _read_pairs(self, pairs: list[list[Any]], path: str) -> list[tuple[Any, Any]]:
        keys = [self.read(key, f"{path}[]") for key, _ in pairs]
        return [(key, self.read(item, f"{path}[{key}]")) for key, (_, item) in zip(keys, pairs, strict=True)]

    def _read_enum(self, tree: Mapping[str, Any], path: str) -> Any:
        cls = self._find(tree["$enum"], path)
        if cls is None:
            return None
        if not (isinstance(cls, type) and issubclass(cls, Enum)):
            return self._note_fault(path, f"'{tree['$enum']}' is no enum")
        if "value" in tree:
            return cls(self.read(tree["value"], path))
        if tree["name"] not in cls.__members__:
            return self._note_fault(path, f"{cls.__name__} has no member '{tree['name']}' any more")
        return cls[tree["name"]]

    def _read_named_tuple(self, tree: Mapping[str, Any], path: str) -> Any:
        cls = self._find(tree["$namedtuple"], path)
        if cls is None:
            return None
        if not (isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")):
            return self._note_fault(path, f"'{tree['$namedtuple']}' is no named tuple")
        if len(cls._fields) != len(tree["items"]):
            return self._note_fault(path, f"{cls.__name__} has other fields than it had")
        items = zip(cls._fields, tree["items"], strict=True)
        return tuple.__new__(cls, [self.read(item, f"{path}.{name}") for name, item in items])

    def _read_partial(self, tree: Mapping[str, Any], path: str) -> Any:
        function, *arguments = (
            self.read(part, f"{path}({position})") for position, part in enumerate(tree["$partial"])
        )
        keywords = {name: self.read(item, f"{path}({name})") for name, item in tree["keywords"].items()}
        return functools.partial(function, *arguments, **keywords) if callable(function) else None

    def _find(self, address: str, path: str) -> Any:
        try:
            return find_address(address)
        except ConfigurationError as error:
            return self._note_fault(path, str(error))

    def _note_fault(self, path: str, fault: str) -> None:
        self.faults.append((path, fault))
