"""``JsonReporter``: a tree of plain values as indented text."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from curifactory.core.secrets import MASK, holds_secret, mask_text
from curifactory.core.trace import Fragment
from curifactory.reporting.reportables.reportable import Reportable

SHOWN_CHARACTERS = 100_000


class JsonReporter(Reportable):
    """Show a dictionary or any other tree of plain values.

    Values that JSON does not know are shown by what they hold (arrays, sets, dataclasses) or by their ``str``; those
    under a name like ``api_key`` are masked.

    Parameters
    ----------
    dictionary : Any
        The tree.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.

    Examples
    --------
    >>> print(JsonReporter({"path": {3, 1}}).to_fragment(folder=".", name="0").data["text"])
    {
      "path": [
        1,
        3
      ]
    }
    """

    def __init__(
        self, dictionary: Any, name: str | None = None, group: str | None = None, caption: str | None = None
    ) -> None:
        super().__init__(name, group, caption)
        self.dictionary = dictionary

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become text; a long one is cut and lies whole in a file beside it.

        Raises
        ------
        RecursionError
            If the tree contains itself.
        """
        text = mask_text(json.dumps(_plain(self.dictionary), indent=2, ensure_ascii=False, default=_show))
        if len(text) <= SHOWN_CHARACTERS:
            return self._fragment(name, "json", {"text": text, "cut": False})
        file = f"{name}.json"
        with open(os.path.join(folder, file), "w", encoding="utf-8") as stream:
            stream.write(text)
        return self._fragment(name, "json", {"text": text[:SHOWN_CHARACTERS], "cut": True}, (file,))


def _plain(value: Any) -> Any:
    """Give keys that JSON does not take, such as tuples, as text; all else is left to ``default``."""
    if isinstance(value, dict):
        return {
            (text := key if isinstance(key, str) else _key(key)): _named(text, inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _named(name: str, value: Any) -> Any:
    return MASK if holds_secret(name, value) else _plain(value)


def _key(key: Any) -> str:
    return json.dumps(key) if key is None or isinstance(key, bool | int | float) else str(key)


def _show(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _named(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, set | frozenset):
        try:
            return sorted(value)
        except TypeError:
            return sorted(map(str, value))
    # Arrays, tensors and their scalars of all libraries have it.
    to_list = getattr(value, "tolist", None)
    return to_list() if callable(to_list) else str(value)
