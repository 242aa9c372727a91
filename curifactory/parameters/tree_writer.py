"""``TreeWriter``: values as trees of JSON, with the class paths and tags that are needed to rebuild them."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from curifactory.core.secrets import holds_secret, mask_text
from curifactory.identity.fields import layout_of
from curifactory.parameters.addresses import address_of
from curifactory.parameters.tags import find_tag, needs_tag
from curifactory.parameters.values import default_of, is_followed, stored_attributes

SECRET = "$secret"  # noqa: S105 (the tag of one)
LOSSY = "$lossy"
_LONGEST_REPR = 200
_SEQUENCES: dict[Any, str] = {tuple: "$tuple", set: "$set", frozenset: "$frozenset"}


class TreeWriter:
    """One parameter set on its way to JSON.

    Attributes
    ----------
    not_stored : list of str
        Paths of what was left out so far: secrets, and values that JSON cannot be made to hold.

    Examples
    --------
    >>> TreeWriter().write({"sizes": (1, 2)}, "")
    {'sizes': {'$tuple': [1, 2]}}
    """

    def __init__(self) -> None:
        self.not_stored: list[str] = []
        self._open: set[int] = set()

    def write_object(self, value: Any, path: str) -> dict[str, Any]:
        """Write an instance with fields by its class and its attributes."""
        cls: Any = type(value)
        address = address_of(cls)
        tree: dict[str, Any] = {"class": address or f"{cls.__module__}:{cls.__qualname__}", "fields": {}}
        if address is None:
            self.not_stored.append(path)
        prefix = f"{path}." if path else ""
        layout = layout_of(cls)
        declared = () if layout is None else layout.names
        for name, item in stored_attributes(value).items():
            # How fields count is said by the class; only what an instance says otherwise has to be told.
            if name == "hash_representations" and default_of(cls, name) == item:
                continue
            part = "fields" if name in declared else "others"
            tree.setdefault(part, {})[name] = self.write_entry(item, prefix + name, name)
        return tree

    def write_entry(self, value: Any, path: str, name: Any) -> Any:
        """Write what is known under a name: a field or an entry of a dictionary."""
        if isinstance(name, str) and holds_secret(name, value):
            self.not_stored.append(path)
            return {SECRET: True}
        return self.write(value, path)

    def write(self, value: Any, path: str) -> Any:
        """Write any value."""
        kind = type(value)
        if kind in (int, bool, type(None)):
            return value
        if kind is str:
            return self._write_text(value, path)
        if kind is float and not needs_tag(value):
            return value
        if isinstance(value, Enum):
            return self._write_enum(value, path)
        tag = find_tag(value)
        if tag is not None:
            return {tag.name: tag.write(value)}
        if callable(value) and (isinstance(value, type) or not is_followed(value)):
            return self._write_callable(value, path)
        return self._write_parts(value, path)

    def _write_text(self, value: str, path: str) -> Any:
        masked = mask_text(value)
        if masked != value:
            self.not_stored.append(path)
            return {SECRET: True, "$repr": masked}
        if needs_tag(value):
            tag = find_tag(value)
            return {tag.name: tag.write(value)} if tag is not None else self._write_lossy(value, path)
        return value

    def _write_enum(self, value: Enum, path: str) -> Any:
        address = address_of(type(value))
        if address is None:
            return self._write_lossy(value, path)
        if value.name is not None and type(value).__members__.get(value.name) is value:
            return {"$enum": address, "name": value.name}
        # A combination of flags has no single name.
        return {"$enum": address, "value": self.write(value.value, path)}

    def _write_callable(self, value: Any, path: str) -> Any:
        if type(value) is functools.partial and not value.__dict__:
            parts = (value.func, *value.args)
            return {
                "$partial": [self.write(part, f"{path}({position})") for position, part in enumerate(parts)],
                "keywords": {
                    name: self.write_entry(item, f"{path}({name})", name)
                    for name, item in value.keywords.items()
                },
            }
        address = address_of(value)
        if address is None:
            return self._write_lossy(value, path)
        return {"$class" if isinstance(value, type) else "$function": address}

    def _write_parts(self, value: Any, path: str) -> Any:
        kind = type(value)
        write = self._choose_writer(value)
        if write is None or id(value) in self._open:
            return self._write_lossy(value, path)
        self._open.add(id(value))
        tree = write(value, path)
        self._open.discard(id(value))
        return tree if kind not in _SEQUENCES else {_SEQUENCES[kind]: tree}

    def _choose_writer(self, value: Any) -> Callable[[Any, str], Any] | None:
        kind = type(value)
        if kind in (list, tuple):
            return self._write_items
        if kind in (set, frozenset):
            return self._write_unordered
        if kind in (dict, OrderedDict):
            return self._write_mapping
        if issubclass(kind, tuple) and hasattr(kind, "_fields") and address_of(kind) is not None:
            return self._write_named_tuple
        if is_followed(value) and address_of(kind) is not None:
            return lambda part, path: {"$object": self.write_object(part, path)}
        return None

    def _write_items(self, value: Iterable[Any], path: str) -> list[Any]:
        return [self.write(item, f"{path}[{position}]") for position, item in enumerate(value)]

    def _write_unordered(self, value: Iterable[Any], path: str) -> list[Any]:
        # The order of a set is no part of it; by their text, equal sets are written alike.
        return sorted((self.write(item, f"{path}{{}}") for item in value), key=repr)

    def _write_mapping(self, value: dict[Any, Any], path: str) -> Any:
        plain = type(value) is dict and all(
            type(key) is str and key[:1] != "$" and not needs_tag(key) for key in value
        )
        entries = [(key, self.write_entry(item, f"{path}[{key}]", key)) for key, item in value.items()]
        if plain:
            return dict(entries)
        tag = "$dict" if type(value) is dict else "$ordered"
        return {tag: [[self.write(key, f"{path}[{key}]"), item] for key, item in entries]}

    def _write_named_tuple(self, value: Any, path: str) -> dict[str, Any]:
        names = type(value)._fields
        items = [
            self.write_entry(item, f"{path}.{name}", name) for name, item in zip(names, value, strict=True)
        ]
        return {"$namedtuple": address_of(type(value)), "items": items}

    def _write_lossy(self, value: Any, path: str) -> dict[str, Any]:
        self.not_stored.append(path)
        try:
            text = mask_text(repr(value))
        except Exception:  # noqa: BLE001 (a repr of somebody else's may do anything)
            text = f"<{type(value).__qualname__}>"
        shown = text if len(text) <= _LONGEST_REPR else f"{text[:_LONGEST_REPR]}…"
        return {"$repr": shown.encode("utf-8", "replace").decode(), LOSSY: True}
