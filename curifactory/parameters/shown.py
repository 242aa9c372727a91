"""Parameter values as people read them: short texts, readable trees, and what differs between two sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from curifactory.core.secrets import MASK, holds_secret
from curifactory.parameters.class_questions import CLASS, DERIVED, DOC, MEMBERS
from curifactory.parameters.reads import CODE, NO_VALUES, WHOLE
from curifactory.parameters.tree_writer import SECRET, TreeWriter
from curifactory.parameters.values import ABSENT, find_value

_LONGEST_TEXT = 120
_CUT = "…"
# Of a value whose text is cut.
_MOST_PARTS = 200
_MOST_ITEMS = 30
_OF_CLASSES = {
    CLASS: "",
    DERIVED: "the classes derived from ",
    DOC: "the docstring of ",
    MEMBERS: "the names in ",
}
#: A run shows these elsewhere, or has no use for them.
_FRAMEWORK = frozenset({"name", "hash", "overwrite", "hash_representations"})
# What stands in a tree as it is; most parameters are such values.
_AS_THEY_ARE = frozenset({bool, int, type(None)})
_BRACKETS = {"$tuple": "()", "$set": "{}", "$frozenset": "{}"}


def shown_set(params: Any) -> dict[str, Any]:
    """Return a parameter set as a readable tree: fields by name, nested sets as trees, everything else short.

    Secrets are masked. The fields that every set has (``name``, ``hash``, …) are left out.

    Parameters
    ----------
    params : ExperimentParameters
        The set.

    Returns
    -------
    dict
        JSON values. It is for people: :func:`curifactory.parameters.lossless.dump_set` is for rebuilding.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> @dataclass
    ... class MyParams(ExperimentParameters):
    ...     sizes: tuple[int, ...] = (64, 32)
    ...     api_token: str = "hunter2"
    >>> shown_set(MyParams())
    {'sizes': [64, 32], 'api_token': '********'}
    """
    written = TreeWriter().write_object(params, "")
    return {name: _show(tree) for name, tree in _parts(written).items() if name not in _FRAMEWORK}


def shown_reads(params: Any, paths: Iterable[str]) -> dict[str, str]:
    """Return short texts of the values that a call has read, for reasons such as ``parameter n: 100 → 200``.

    Parameters
    ----------
    params : Any
        The set itself, not a view.
    paths : iterable of str
        As in a read log. Paths of values are taken; of code, types and the whole there is nothing to show.

    Returns
    -------
    dict of str to str
        Path to text, sorted by path; secrets are masked. Of a value whose text is cut its parts follow.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> shown_reads(ExperimentParameters(name="small"), ["name", "type:", "momentum"])
    {'momentum': 'absent', 'name': "'small'"}
    """
    found: dict[str, str] = {}
    for path in sorted(paths):
        if path.startswith(NO_VALUES) or path == WHOLE:
            continue
        value = find_value(params, path)
        if value is ABSENT:
            found[path] = "absent"
        elif type(value) in _AS_THEY_ARE:
            found[path] = MASK if holds_secret(path, value) else text_of(value)
        else:
            tree = TreeWriter().write_entry(value, path, path)
            found[path] = text_of(tree)
            if found[path].endswith(_CUT):
                found.update(islice(_iter_parts(tree, path), _MOST_PARTS))
    return found


def shown_code(path: str) -> str | None:
    """Name the code that a path of a read log leads to; None if it leads to no code.

    Examples
    --------
    >>> shown_code("code:model.area"), shown_code("class:model"), shown_code("doc:")
    ('parameter model.area', 'the class of parameter model', "the docstring of the parameters' class")
    >>> shown_code("model.lr") is None
    True
    """
    if path.startswith(CODE):
        return f"parameter {path.removeprefix(CODE)}"
    kind, colon, owner = path.partition(":")
    what = _OF_CLASSES.get(kind + colon)
    if what is None:
        return None
    return what + (f"the class of parameter {owner}" if owner else "the parameters' class")


def diff_shown(
    path: str, before: Mapping[str, str], now: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Go through what differs in a value that was read: the value itself, or the parts of one whose text is cut.

    Parameters
    ----------
    path : str
        Of a value that differs.
    before, now : mapping of str to str
        As :func:`shown_reads` makes them.

    Yields
    ------
    tuple of str
        Path, old text, new text.

    Examples
    --------
    >>> list(diff_shown("n", {"n": "1"}, {}))
    [('n', '1', 'absent')]
    >>> list(diff_shown("weights", {"weights": "array <f8 (3,)"}, {"weights": "array <f8 (3,)"}))
    [('weights', 'array <f8 (3,)', 'another array <f8 (3,)')]
    """
    old, new = before.get(path, "absent"), now.get(path, "absent")
    changed: list[str] = []
    if old.endswith(_CUT) and new.endswith(_CUT):
        begins = (f"{path}[", f"{path}.")
        parts = [[part for part in each if part.startswith(begins)] for each in (before, now)]
        # A part that is missing may have been one too many.
        is_whole = all(0 < len(each) < _MOST_PARTS for each in parts)
        changed = [
            part
            for part in dict.fromkeys(chain(*parts))
            if before.get(part) != now.get(part) and (is_whole or (part in before and part in now))
        ]
    for part in changed:
        yield part, before.get(part, "absent"), now.get(part, "absent")
    if not changed:
        if new == old != MASK:
            new = "another value that begins alike" if new.endswith(_CUT) else f"another {new}"
        yield path, old, new


def diff_sets(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Say what differs between two parameter sets.

    Parameters
    ----------
    old, new : mapping
        Trees as :func:`curifactory.parameters.lossless.dump_set` makes them.

    Returns
    -------
    list of (str, str, str)
        Path, old text, new text; in the order of the fields. ``absent`` stands for a field that one of them lacks. Two
        secrets cannot be told apart.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> from curifactory.parameters.lossless import dump_set
    >>> small, large = (dump_set(ExperimentParameters(name=name)) for name in ("small", "large"))
    >>> diff_sets(small, large)
    [('name', "'small'", "'large'")]
    """
    found: list[tuple[str, str, str]] = []
    if old.get("class") != new.get("class"):
        found.append(("class", _short_name(old.get("class")), _short_name(new.get("class"))))
    _diff_fields(old, new, "", found)
    return found


def text_of(tree: Any) -> str:
    """Return one line for a tree that ``dump_value`` made, as Python would write the value, cut where it is long.

    Examples
    --------
    >>> text_of({"$tuple": [1, "a"]}), text_of({"$class": "collections:Counter"})
    ("(1, 'a')", 'Counter')
    """
    text = " ".join(_text(tree).split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}{_CUT}"


def _iter_parts(tree: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict) and "$object" in tree:
        for name, item in _parts(tree["$object"]).items():
            yield from _iter_parts(item, f"{path}.{name}")
    elif isinstance(tree, dict) and tree and not any(key[:1] == "$" for key in tree):
        for key, item in tree.items():
            yield from _iter_parts(item, f"{path}[{key}]")
    else:
        yield path, text_of(tree)


def _diff_fields(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str, found: list[tuple[str, str, str]]
) -> None:
    before, after = _parts(old), _parts(new)
    for name in [*before, *(name for name in after if name not in before)]:
        path = prefix + name
        if name not in before or name not in after:
            found.append((path, _text_or_absent(before, name), _text_or_absent(after, name)))
        else:
            _diff_values(before[name], after[name], path, found)


def _diff_values(old: Any, new: Any, path: str, found: list[tuple[str, str, str]]) -> None:
    if _is_same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        if "$object" in old and "$object" in new and old["$object"]["class"] == new["$object"]["class"]:
            _diff_fields(old["$object"], new["$object"], f"{path}.", found)
            return
        if not any(key[:1] == "$" for key in (*old, *new)):
            for key in [*old, *(key for key in new if key not in old)]:
                if key in old and key in new:
                    _diff_values(old[key], new[key], f"{path}[{key}]", found)
                else:
                    found.append((f"{path}[{key}]", _text_or_absent(old, key), _text_or_absent(new, key)))
            return
    found.append((path, text_of(old), text_of(new)))


def _parts(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a tree of an object says of its fields, and of what it holds besides."""
    return {**written.get("fields", {}), **written.get("others", {})}


def _text_or_absent(trees: Mapping[str, Any], name: str) -> str:
    return text_of(trees[name]) if name in trees else "absent"


def _is_same(old: Any, new: Any) -> bool:
    """Compare two trees as values: 1, 1.0 and True differ, the order of a dictionary does not count."""
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(_is_same(old[key], new[key]) for key in old)
    if isinstance(old, list):
        return len(old) == len(new) and all(map(_is_same, old, new))
    return repr(old) == repr(new)


def _show(tree: Any) -> Any:
    if isinstance(tree, dict):
        if "$object" in tree:
            return {
                name: _show(item)
                for name, item in _parts(tree["$object"]).items()
                if name != "hash_representations"
            }
        if not any(key[:1] == "$" for key in tree):
            return {key: _show(item) for key, item in tree.items()}
        for tag in _BRACKETS:
            if tag in tree:
                return _show(tree[tag])
        return text_of(tree)
    if isinstance(tree, list):
        rest = [f"… {len(tree) - _MOST_ITEMS} more"] if len(tree) > _MOST_ITEMS else []
        return [*map(_show, tree[:_MOST_ITEMS]), *rest]
    if isinstance(tree, str) and len(tree) > _LONGEST_TEXT:
        return f"{tree[: _LONGEST_TEXT - 1]}…"
    return tree


def _text(tree: Any) -> str:
    if isinstance(tree, list):
        return f"[{_join(tree)}]"
    if not isinstance(tree, dict):
        return repr(tree)
    tag = next((key for key in tree if key[:1] == "$"), None)
    if tag is None:
        return "{" + ", ".join(f"{key!r}: {_text(item)}" for key, item in tree.items()) + "}"
    return _text_of_tag("$secret" if SECRET in tree else tag, tree)


def _text_of_tag(tag: str, tree: dict[str, Any]) -> str:
    content = tree[tag]
    if tag in _BRACKETS:
        comma = "," if tag == "$tuple" and len(content) == 1 else ""
        return f"{_BRACKETS[tag][0]}{_join(content)}{comma}{_BRACKETS[tag][1]}"
    if tag == SECRET:
        return str(tree.get("$repr", MASK))
    if tag in ("$class", "$function"):
        return _short_name(content)
    if tag == "$object":
        fields = (f"{name}={_text(item)}" for name, item in _parts(content).items())
        return f"{_short_name(content['class'])}({', '.join(fields)})"
    if tag == "$enum":
        return (
            f"{_short_name(content)}.{tree['name']}"
            if "name" in tree
            else f"{_short_name(content)}({_text(tree['value'])})"
        )
    if tag == "$array":
        return f"array {content['dtype']} {tuple(content['shape'])}"
    if tag in ("$dict", "$ordered"):
        return "{" + ", ".join(f"{_text(key)}: {_text(item)}" for key, item in content) + "}"
    if tag == "$partial":
        keywords = (f"{name}={_text(item)}" for name, item in tree["keywords"].items())
        return f"partial({', '.join([*map(_text, content), *keywords])})"
    if tag == "$namedtuple":
        return f"{_short_name(content)}({_join(tree['items'])})"
    if tag == "$repr":
        return str(content)
    return _text_of_atom(tag, tree)


def _text_of_atom(tag: str, tree: dict[str, Any]) -> str:
    from curifactory.parameters.tags import find_reader

    read = find_reader(tag)
    value = tree[tag] if read is None else read(tree[tag])
    return (
        repr(value)
        if tag in ("$bytes", "$bytearray", "$complex", "$range", "$slice", "$text")
        else str(value)
    )


def _join(trees: list[Any]) -> str:
    shown = ", ".join(map(_text, trees[:_MOST_ITEMS]))
    return shown if len(trees) <= _MOST_ITEMS else f"{shown}, … {len(trees) - _MOST_ITEMS} more"


def _short_name(address: Any) -> str:
    return str(address).rpartition(":")[2]
