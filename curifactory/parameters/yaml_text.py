"""YAML texts as plain values with the place of each, read by the safe C loader and without running anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curifactory.errors import ParameterError

if TYPE_CHECKING:
    import yaml

Path = tuple[str | int, ...]

# YAML 1.1 reads numbers with an exponent as text unless they have a point and a sign.
_EXPONENT = re.compile(r"[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+")
# What stands before a text whose tag was written: an anchor, perhaps.
_TAGGED = re.compile(r"(?:&\S+\s+)?!")
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_OWN_TAGS = "tag:yaml.org,2002:"
_TEXT_TAG = "tag:yaml.org,2002:str"
_MERGE_TAG = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML text says.

    Parameters
    ----------
    value : Any
        Dictionaries, lists and values.
    shown : str
        The file as messages name it.
    places : dict of tuple to (int, int)
        Line and column of what lies at a path, from 1.
    doc : str
        The first line of the comment that the text begins with.
    """

    value: Any
    shown: str
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    doc: str = ""

    def place_of(self, path: Path) -> str:
        r"""Return file, line and column of a path, or of the nearest thing around it.

        Examples
        --------
        >>> read_yaml("a:\n  b: 1", shown="x.yaml").place_of(("a", "b"))
        'x.yaml:2:3'
        """
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return f"{self.shown}:{line}:{column}"


def read_yaml(text: str, *, shown: str) -> Document:
    r"""Read a YAML text.

    Numbers such as ``1e-3`` are numbers, and texts that are a Python list, tuple, dictionary or ``None`` are that; ``!!str``
    before a text leaves it as it is, and numbers and truth values in quotes stay texts.

    Parameters
    ----------
    text : str
        The text.
    shown : str
        The file as messages name it.

    Raises
    ------
    ParameterError
        If it is no YAML, has a key twice, or a tag that stands for an object; with line and column.

    Examples
    --------
    >>> read_yaml("lr: 1e-3\nsizes: (1, 2)\nname: '10'", shown="x.yaml").value
    {'lr': 0.001, 'sizes': (1, 2), 'name': '10'}
    """
    import yaml

    loader_type: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = loader_type(text)
        try:
            node = loader.get_single_node()
            places: dict[Path, tuple[int, int]] = {}
            reader = _Reader(loader, text, shown, places)
            value = None if node is None else reader.read(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = shown if mark is None else f"{shown}:{mark.line + 1}:{mark.column + 1}"
        line = "" if mark is None else text.split("\n")[mark.line : mark.line + 1]
        is_tab = mark is not None and "".join(line)[mark.column : mark.column + 1] == "\t"
        raise ParameterError(
            f"{place}: this is no YAML: {error.problem or error.context}.",
            hint="Lines of YAML begin with spaces, and there is a tab." if is_tab else None,
        ) from None
    except yaml.YAMLError as error:
        raise ParameterError(f"{shown}: this is no YAML: {' '.join(str(error).split())}.") from None
    return Document(value, shown, places, read_comment(text))


def read_comment(text: str) -> str:
    r"""Return the first line of the comment that a text begins with; empty if it begins with something else.

    Examples
    --------
    >>> read_comment("# Small networks.\n# For tests.\nn: 1")
    'Small networks.'
    """
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            said = stripped.lstrip("#! ").strip()
            if said:
                return said
        elif stripped and stripped != "---":
            break
    return ""


def read_plain(text: str) -> Any:
    """Return what a text in a YAML file stands for, where YAML itself takes it for a text.

    Examples
    --------
    >>> read_plain("(1, 2)"), read_plain("None"), read_plain("10")
    ((1, 2), None, '10')
    """
    stripped = text.strip()
    if stripped == "None":
        return None
    if stripped[:1] in _BRACKETS and stripped.endswith(_BRACKETS[stripped[0]]):
        try:
            value = ast.literal_eval(stripped)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return text
        return value if isinstance(value, (list, tuple, dict)) else text
    return text


class _Reader:
    """Makes values of the nodes of one text, and writes down where each stands."""

    def __init__(self, loader: Any, text: str, shown: str, places: dict[Path, tuple[int, int]]) -> None:
        self._loader = loader
        self._lines = text.removeprefix("\ufeff").split("\n")
        self._shown = shown
        self._places = places
        self._open: list[int] = []

    def read(self, node: yaml.Node, path: Path) -> Any:
        """Return the value of a node."""
        import yaml

        self._places.setdefault(path, _place(node))
        if id(node) in self._open:
            raise self._fault(node, "an alias leads to what it is a part of")
        self._open.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return dict(self._iter_entries(node, path))
            if isinstance(node, yaml.SequenceNode):
                return [self.read(item, (*path, position)) for position, item in enumerate(node.value)]
            return self._read_scalar(node)
        finally:
            self._open.pop()

    def _iter_entries(self, node: Any, path: Path) -> Iterator[tuple[Any, Any]]:
        own: set[Any] = set()
        merged: dict[Any, Any] = {}
        entries: list[tuple[Any, Any]] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE_TAG:
                merged = {**self._read_merged(value_node, path), **merged}
                continue
            key = self.read(key_node, (*path, "\0key"))
            try:
                twice = key in own
            except TypeError:
                raise self._fault(key_node, "a list or mapping cannot be a key") from None
            if twice:
                raise self._fault(key_node, f"'{key}' is written twice")
            own.add(key)
            # A fault is looked for where the name stands.
            self._places[(*path, key)] = _place(key_node)
            entries.append((key, self.read(value_node, (*path, key))))
        self._places.pop((*path, "\0key"), None)
        yield from ((key, value) for key, value in merged.items() if key not in own)
        yield from entries

    def _read_merged(self, node: Any, path: Path) -> dict[Any, Any]:
        nodes = node.value if type(node).__name__ == "SequenceNode" else [node]
        found: dict[Any, Any] = {}
        for each in nodes:
            value = self.read(each, path)
            if not isinstance(value, dict):
                raise self._fault(each, "only mappings can be merged with <<")
            found = {**value, **found}
        return found

    def _read_scalar(self, node: Any) -> Any:
        if node.tag != _TEXT_TAG:
            if not node.tag.startswith(_OWN_TAGS) or node.tag.startswith(_OWN_TAGS + "python"):
                raise self._fault(
                    node, f"the tag {node.tag} stands for an object; write class: and its arguments"
                )
            return self._loader.construct_object(node)
        text: str = node.value
        line, column = _place(node)
        if _TAGGED.match(self._lines[line - 1], column - 1):
            return text
        # A block of text, folded or not, is a text.
        if not node.style and _EXPONENT.fullmatch(text):
            return float(text.replace("_", ""))
        return text if node.style in ("|", ">") else read_plain(text)

    def _fault(self, node: Any, told: str) -> ParameterError:
        line, column = _place(node)
        return ParameterError(f"{self._shown}:{line}:{column}: {told}.")


def _place(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
