"""Parameter files in YAML: what they extend and include, and the parameter sets that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from curifactory.core.nearest import find_nearest, join_names
from curifactory.errors import ConfigurationError, ParameterError
from curifactory.identity.fields import layout_of
from curifactory.parameters.addresses import find_address
from curifactory.parameters.sets import ExperimentParameters, check_sets, find_duplicate_names
from curifactory.parameters.trees import make_tree
from curifactory.parameters.updates import faults_error
from curifactory.parameters.yaml_objects import make_object
from curifactory.parameters.yaml_text import Document, Path

EXTENDS, INCLUDE, CLASS, SETS, DEFAULTS = "extends", "include", "class", "sets", "defaults"
#: What a file with several sets has at its top.
_TOP = (CLASS, DEFAULTS, SETS)

#: Returns the text of another file, read, by the name that one has for it; None if there is none.
Find = Callable[[str], Document | None]


def load_sets(document: Document, *, name: str, find: Find) -> list[ExperimentParameters]:
    r"""Return the parameter sets of a YAML file.

    A file has ``class: module.Params`` and ``sets:``, whose texts and numbers are converted by what the class declares, or
    ``sets:`` alone, or it is a tree and so one set. ``defaults:`` has what all sets have.

    Parameters
    ----------
    document, name, find : Document, str, callable
        The file, read; what a set is called that does not say it; what reads other files.

    Raises
    ------
    ParameterError
        With everything that is wrong, each with its line and column.
    ConfigurationError
        If sets have the same name.

    Examples
    --------
    >>> from curifactory.parameters.yaml_text import read_yaml
    >>> document = read_yaml("seed: 1\nmodel:\n  depth: 2", shown="params/small.yaml")
    >>> [params] = load_sets(document, name="small", find=lambda name: None)
    >>> params.name, params.model.depth
    ('small', 2)
    """
    _check_not_empty(document)
    tree = resolve_document(document, find=find)
    if SETS not in tree and CLASS not in tree:
        return [_make_tree(tree, name, document, ())]
    faults = _find_unknown(tree, document)
    written = tree.get(SETS, [{}])
    entries = _list_entries(written, document, faults)
    defaults = tree.get(DEFAULTS) or {}
    if not isinstance(defaults, Mapping):
        faults.append((document.place_of((DEFAULTS,)), "defaults are a mapping of names to values"))
        defaults = {}
    cls = _find_class(tree, document, faults) if CLASS in tree else None
    if faults:
        raise faults_error(faults, ParameterError)
    sets: list[Any] = []
    for path, given_name, entry in entries:
        called = given_name or (name if len(entries) == 1 else f"{name} {len(sets)}")
        values = complete_sections(dict(defaults), entry)
        if cls is None:
            sets.append(_make_tree(values, called, document, path))
            continue
        values.setdefault("name", called)
        found: list[tuple[Path, str]] = []
        sets.append(make_object(cls, values, (), found))
        faults += [(document.place_of((*path, *place)), f"{_show(place)}{told}") for place, told in found]
    if faults:
        raise faults_error(faults, ParameterError)
    duplicates = find_duplicate_names(
        (document.place_of(path), params) for (path, _, _), params in zip(entries, sets, strict=True)
    )
    if duplicates:
        raise ConfigurationError(
            f"{document.shown} has {' and '.join(duplicates)}.", hint="Give each set a name of its own."
        )
    return check_sets(sets, source=document.shown)


def resolve_document(document: Document, *, find: Find, above: tuple[str, ...] = ()) -> dict[str, Any]:
    r"""Return what a file says together with what it extends and includes.

    Parameters
    ----------
    document : Document
        The file, read.
    find : callable
        Reads other files.
    above : tuple of str
        The files that have led here.

    Raises
    ------
    ParameterError
        If there is no such file, files extend each other in a circle, or one is no mapping.

    Examples
    --------
    >>> from curifactory.parameters.yaml_text import read_yaml
    >>> base = read_yaml("model: {depth: 2, size: 5}\nseed: 1", shown="base.yaml")
    >>> document = read_yaml("extends: base\nmodel: {size: 7}", shown="x.yaml")
    >>> resolve_document(document, find=lambda name: base)
    {'model': {'depth': 2, 'size': 7}, 'seed': 1}
    """
    tree = document.value
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ParameterError(f"{document.place_of(())}: a parameter file is a mapping of names to values.")
    own = dict(tree)
    for name in _names_in(document, own.pop(INCLUDE, None), INCLUDE):
        own = include_sections(own, _resolve_other(document, name, INCLUDE, find, above))
    if EXTENDS not in own:
        return own
    names = _names_in(document, own[EXTENDS], EXTENDS)
    bases = [_resolve_other(document, name, EXTENDS, find, above) for name in names]
    before: list[str] = list(own)[: list(own).index(EXTENDS)]
    del own[EXTENDS]
    for base in reversed(bases):
        first = {key: own[key] for key in before}
        merged = complete_sections(base, own)
        # What stands before `extends` keeps its place.
        own = {**{key: merged[key] for key in first}, **merged}
    return own


def complete_sections(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a base with one's own values over it: in sections name by name, lists and values as a whole.

    Examples
    --------
    >>> complete_sections({"model": {"a": 1, "b": 2}, "n": 1}, {"model": {"b": 5}, "k": 7})
    {'model': {'a': 1, 'b': 5}, 'n': 1, 'k': 7}
    """
    found = dict(base)
    for name, value in own.items():
        old = found.get(name)
        found[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return found


def include_sections(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return one's own sections completed from another file; one without a body is taken from there as it is.

    Examples
    --------
    >>> include_sections(
    ...     {"model": {"b": 5}, "data": None}, {"model": {"a": 1, "b": 2}, "data": {"n": 1}, "other": {}}
    ... )
    {'model': {'b': 5, 'a': 1}, 'data': {'n': 1}}
    """
    found = dict(own)
    for name, value in own.items():
        if name not in other:
            continue
        if value is None:
            found[name] = other[name]
        elif isinstance(value, dict) and isinstance(other[name], dict):
            found[name] = {**value, **{key: item for key, item in other[name].items() if key not in value}}
    return found


def _resolve_other(
    document: Document, name: str, word: str, find: Find, above: tuple[str, ...]
) -> dict[str, Any]:
    place = document.place_of((word,))
    trail = (*above, document.shown)
    other = find(name)
    if other is None:
        raise ParameterError(f"{place}: there is no parameter file '{name}' in YAML.")
    if other.shown in trail:
        circle = " → ".join((*trail[trail.index(other.shown) :], other.shown))
        raise ParameterError(f"{place}: files lead in a circle: {circle}.")
    return resolve_document(other, find=find, above=trail)


def _names_in(document: Document, value: Any, word: str) -> list[str]:
    if value is None:
        return []
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) and name for name in names):
        raise ParameterError(
            f"{document.place_of((word,))}: {word} is the name of a parameter file, or a list of them."
        )
    return [name.removesuffix(".yaml").removesuffix(".yml") for name in names]


def _find_unknown(tree: Mapping[str, Any], document: Document) -> list[tuple[str, str]]:
    faults = []
    for name in tree:
        if name not in _TOP:
            near = find_nearest(str(name), _TOP)
            told = (
                f"did you mean {join_names(near, 'or')}?"
                if near
                else f"a file with sets has {join_names(_TOP, 'and')}"
            )
            faults.append((document.place_of((name,)), f"'{name}' has no meaning here; {told}"))
    return faults


def _list_entries(
    written: Any, document: Document, faults: list[tuple[str, str]]
) -> list[tuple[Path, str | None, Mapping[str, Any]]]:
    """Return path, name and values of each set, whether sets are a list or a mapping of names."""
    entries: list[tuple[Path, str | None, Mapping[str, Any]]] = []
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(written, dict):
        pairs = written.items()
    elif isinstance(written, list):
        pairs = enumerate(written)
    else:
        pairs = []
        faults.append(
            (document.place_of((SETS,)), "sets are a list of mappings, or a mapping of names to them")
        )
    for key, entry in pairs:
        body = {} if entry is None else entry
        if not isinstance(body, dict):
            faults.append((document.place_of((SETS, key)), "a set is a mapping of names to values"))
            continue
        given = str(key) if isinstance(written, dict) else body.get("name")
        entries.append(((SETS, key), given if isinstance(given, str) else None, body))
    if not entries and not faults:
        faults.append((document.place_of((SETS,)), "there are no sets"))
    return entries


def _find_class(tree: Mapping[str, Any], document: Document, faults: list[tuple[str, str]]) -> Any:
    place = document.place_of((CLASS,))
    written = tree[CLASS]
    if not isinstance(written, str) or "." not in written.replace(":", "."):
        faults.append((place, f"class is the dotted name of a parameter class, and not {written!r}"))
        return None
    module, _, name = written.rpartition(":" if ":" in written else ".")
    try:
        cls = find_address(f"{module}:{name}", lived_there=False)
    except ConfigurationError as error:
        faults.append((place, str(error).removesuffix(".")))
        return None
    if not isinstance(cls, type) or layout_of(cls) is None:
        faults.append((place, f"{written} is no parameter class"))
        return None
    return cls


def _check_not_empty(document: Document) -> None:
    if document.value is None:
        raise ParameterError(
            f"{document.shown}: the file is empty.", hint="Write class: and sets:, or names with values."
        )


def _make_tree(tree: Mapping[str, Any], name: str, document: Document, path: Path) -> ExperimentParameters:
    try:
        return make_tree(tree, name=name)
    except ConfigurationError as error:
        wrong = next((key for key in tree if f"'{key}'" in error.message), None)
        place = document.place_of((*path, wrong) if wrong is not None else path)
        raise ParameterError(f"{place}: {error.message}", hint=error.hint) from None


def _show(place: Path) -> str:
    return "".join(f"{part}: " for part in (".".join(map(str, place)),) if part)
