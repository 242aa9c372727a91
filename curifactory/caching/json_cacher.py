"""``JsonCacher``: values that JSON gives back as they are, in text that people can read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from types import NoneType
from typing import Any

from curifactory.caching.cacheable import Cacheable
from curifactory.caching.type_names import with_article
from curifactory.errors import CacheError

_ATOMS = frozenset({str, int, float, bool, NoneType})
_TEXT_KEYS = frozenset({str})
_encode = json.JSONEncoder(ensure_ascii=False).encode

# Longer than this, a list of texts or a flat dictionary gets a line for each entry.
_ROW = 100


class JsonCacher(Cacheable):
    """Saves what JSON can give back: ``dict`` with text keys, ``list``, ``str``, ``int``, ``float``, ``bool``, ``None``.

    Everything else is refused, as a tuple would come back as a list and the key ``1`` as ``"1"``: the next run would see
    another value than this one. NaN and infinities are fine.

    Parameters
    ----------
    lossy : bool
        Take every value: tuples become lists, keys texts, sets sorted lists, and what JSON does not know its ``str()``.
    *args, **kwargs
        As for :class:`Cacheable`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = JsonCacher(f"{folder}/scores.json")
    ...     _ = cacher.save({"scores": [0.5, 1.0], "best": None})
    ...     cacher.load()
    {'scores': [0.5, 1.0], 'best': None}
    >>> JsonCacher("never.json").save({"shape": (2, 3)})
    Traceback (most recent call last):
    ...
    curifactory.errors.CacheError: JsonCacher cannot save 'never.json': value["shape"] is a tuple, ...
    """

    extension = ".json"
    lossless = True

    def __init__(self, *args: Any, lossy: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lossy = lossy
        self.lossless = not lossy

    def save(self, obj: Any) -> str:
        """Write the value as indented JSON.

        Returns
        -------
        str
            Path of the file.

        Raises
        ------
        CacheError
            If the value would not come back equal; names where in the value.
        """
        return self.write_bytes(self._to_bytes(obj))

    def load(self) -> Any:
        """Read the value.

        Raises
        ------
        CacheError
            If the file is no JSON.
        """
        path = self.get_path()
        with open(path, "rb") as file:
            data = file.read()
        try:
            return json.loads(data)
        except ValueError as error:
            raise CacheError(
                f"{path} is no JSON: {error}.", hint="Delete it to have it made again."
            ) from error

    def _to_bytes(self, value: Any) -> bytes:
        try:
            if self.lossy:
                value = json.loads(json.dumps(value, default=_nearest))
            elif not _is_plain(value):
                raise self._faults(value)
            text = _render(value, "")
            try:
                return f"{text}\n".encode()
            except UnicodeEncodeError:
                # Halves of surrogate pairs have no UTF-8, but an escape.
                data = json.dumps(value).encode()
                if json.loads(data) != value:
                    raise self.refusal(
                        "a text has a surrogate pair, which comes back as one character."
                    ) from None
                return data
        except RecursionError as error:
            raise self.refusal(
                "it is nested too deeply, or contains itself.", hint="Use PickleCacher for such values."
            ) from error
        except (TypeError, ValueError) as error:
            # Keys that are no texts even when lossy, and numbers of more than 4,300 digits.
            raise self.refusal(f"{error}.", hint="Use PickleCacher for such values.") from error

    def _faults(self, value: Any) -> CacheError:
        faults = list(islice(_iter_faults(value, "value"), 4))
        text = "; ".join(faults[:3]) + ("; and more." if len(faults) > 3 else ".")
        return self.refusal(
            text, hint="Change the value, use PickleCacher, or accept the loss with JsonCacher(lossy=True)."
        )


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind in _ATOMS:
        return True
    items: Iterable[Any]
    if kind is list:
        items = value
    elif kind is dict and set(map(type, value)) <= _TEXT_KEYS:
        items = value.values()
    else:
        return False
    # Sets of types are made without a step of Python an item: a list of a million numbers is checked in 20 ms.
    return set(map(type, items)) <= _ATOMS or all(map(_is_plain, items))


def _iter_faults(value: Any, path: str) -> Iterator[str]:
    kind = type(value)
    if kind is list:
        for index, item in enumerate(value):
            if not _is_plain(item):
                yield from _iter_faults(item, f"{path}[{index}]")
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                yield f"{path} has the key {key!r}, which is no text and comes back as one"
            elif not _is_plain(item):
                yield from _iter_faults(item, f"{path}[{_encode(key)}]")
    elif kind not in _ATOMS:
        yield f"{path} is {with_article(kind)}, {_becomes(value)}"


def _becomes(value: Any) -> str:
    for base, name in (
        (tuple, "list"),
        (list, "list"),
        (dict, "dict"),
        (str, "str"),
        (int, "int"),
        (float, "float"),
    ):
        if isinstance(value, base):
            return f"which comes back as {'an' if name == 'int' else 'a'} {name}"
    return "which JSON does not know"


def _nearest(value: Any) -> Any:
    # The order of a set differs between processes; that of its texts does not.
    return sorted(value, key=str) if isinstance(value, (set, frozenset)) else str(value)


def _render(value: Any, indent: str) -> str:
    """Write containers of containers a line for each entry, rows of numbers and short dictionaries in one line."""
    kind = type(value)
    if kind is int:
        # As the encoder writes it, in a tenth of the time.
        return repr(value)
    if kind in _ATOMS:
        return _encode(value)
    inner = f"{indent}  "
    if kind is list:
        kinds = set(map(type, value))
        if kinds <= _ATOMS:
            row = _encode(value)
            if len(row) <= _ROW or str not in kinds:
                return row
        lines = [_render(item, inner) for item in value]
        brackets = "[]"
    else:
        if set(map(type, value.values())) <= _ATOMS:
            row = _encode(value)
            if len(row) <= _ROW:
                return row
        lines = [f"{_encode(key)}: {_render(item, inner)}" for key, item in value.items()]
        brackets = "{}"
    return f"{brackets[0]}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{brackets[1]}"
