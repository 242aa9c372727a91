"""Where a name leads in a parameter set: all places of an undotted name, scopes of a dotted one, positions in lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from curifactory.core.nearest import find_nearest, join_names
from curifactory.parameters.parts import MISSING, is_section, part_of, parts_of

Place = tuple[str, ...]

#: Of an object definition: swapping them everywhere at once is never what somebody wants.
DEFINING = frozenset({"call", "class", "def"})


class Resolved(NamedTuple):
    """Where a name leads.

    Parameters
    ----------
    places : tuple of tuple of str
        Every place that the name stands for; empty if there is none.
    fault : str
        Why there is none.
    is_position : bool
        Whether the fault is a position outside of a list.
    """

    places: tuple[Place, ...] = ()
    fault: str = ""
    is_position: bool = False


def resolve_name(params: Any, name: str, *, look_up: Callable[[Place], Any] | None = None) -> Resolved:
    """Find the places that a name stands for.

    An undotted name is every value of this name, but where one level has it, that hides all that lies deeper in this
    level; sections count only where no value has the name. Of a dotted name the first component is looked up so, sections
    first, and the rest is taken as it stands; numbers are positions in lists.

    Parameters
    ----------
    params : Any
        A parameter set, or any value with parts.
    name : str
        Such as ``lr``, ``optimizer.lr`` or ``layers.0``.
    look_up : callable, optional
        Says what lies at a place, where that is no longer what ``params`` has there.

    Examples
    --------
    >>> tree = {"patience": 1, "stop": {"patience": 2}, "model": {"sizes": [10, 20]}}
    >>> resolve_name(tree, "patience").places
    (('patience',),)
    >>> resolve_name(tree, "sizes.1").places
    (('model', 'sizes', '1'),)
    """
    first, *rest = name.split(".")
    if not all((first, *rest)):
        return Resolved(fault=f"'{name}' is no name")
    if not rest:
        return _resolve_undotted(params, name)
    heads = find_places(params, first, sections=True)
    look_up = look_up or (lambda place: value_at(params, place))
    whole = tuple((*head, *rest) for head in heads if look_up((*head, *rest)) is not MISSING)
    if whole:
        return Resolved(whole)
    if not heads:
        return Resolved(fault=_tell_unknown(first, _names_below(params)))
    return _fault_below(look_up, heads[0], rest)


def find_places(params: Any, name: str, *, sections: bool) -> list[Place]:
    """List the places of a name, in the order of the parts; with ``sections`` whatever lies there.

    Examples
    --------
    >>> find_places({"a": {"n": 1}, "b": {"n": 2}}, "n", sections=False)
    [('a', 'n'), ('b', 'n')]
    """
    return list(_iter_places(params, name, sections=sections, above=()))


def value_at(params: Any, place: Place) -> Any:
    """Return what lies at a place; :data:`MISSING` if it leads nowhere.

    Examples
    --------
    >>> value_at({"a": {"n": [5, 6]}}, ("a", "n", "1"))
    6
    """
    value = params
    for part in place:
        value = part_of(value, part)
        if value is MISSING:
            return value
    return value


def show_place(place: Place) -> str:
    """Return a place as people write it.

    Examples
    --------
    >>> show_place(("model", "sizes", "1"))
    'model.sizes.1'
    """
    return ".".join(place)


def _iter_places(value: Any, name: str, *, sections: bool, above: tuple[int, ...]) -> Iterator[Place]:
    if isinstance(value, (list, tuple)) and not above:
        if name.isdecimal() and int(name) < len(value):
            yield (name,)
        return
    found = parts_of(value)
    if name in found and (sections or not is_section(found[name])):
        yield (name,)
        return
    for part, inner in found.items():
        # An object that holds itself has no end.
        if is_section(inner) and id(inner) not in above:
            for place in _iter_places(inner, name, sections=sections, above=(*above, id(value))):
                yield (part, *place)


def _resolve_undotted(params: Any, name: str) -> Resolved:
    places = find_places(params, name, sections=False) or find_places(params, name, sections=True)
    if not places:
        if name.isdecimal() and isinstance(params, (list, tuple)):
            return Resolved(fault=_tell_outside(params, name), is_position=True)
        return Resolved(fault=_tell_unknown(name, _names_below(params)))
    if name in DEFINING:
        written = [f"{show_place(place)}=…" for place in places]
        return Resolved(fault=f"'{name}' alone would change every object; write {join_names(written, 'or')}")
    return Resolved(tuple(places))


def _fault_below(look_up: Callable[[Place], Any], place: Place, rest: list[str]) -> Resolved:
    """Say at which step of a dotted name there is nothing."""
    steps = iter(rest)
    part = next(steps)
    while look_up((*place, part)) is not MISSING:
        place, part = (*place, part), next(steps)
    value = look_up(place)
    if isinstance(value, (list, tuple)) and part.isdecimal():
        return Resolved(fault=f"{show_place(place)} {_tell_outside(value, part)}", is_position=True)
    if not is_section(value):
        return Resolved(
            fault=f"there is no '{part}' in {show_place(place)}: it is a value of type {type(value).__name__}"
        )
    return Resolved(fault=_tell_unknown(part, list(parts_of(value)), inside=show_place(place)))


def _tell_outside(value: Any, part: str) -> str:
    count = len(value)
    return f"has {count} item{'' if count == 1 else 's'}, and none at position {part}"


def _tell_unknown(name: str, known: list[str], *, inside: str = "") -> str:
    near = find_nearest(name, known)
    if near:
        told = f"did you mean {join_names(near, 'or')}?"
    elif known:
        told = f"there {'is' if len(known) == 1 else 'are'} {join_names(known, 'and')}"
    else:
        told = "it has none"
    where = f" in {inside}" if inside else ""
    return f"there is no parameter '{name}'{where}; {told}"


def _names_below(value: Any, above: tuple[int, ...] = ()) -> list[str]:
    found: dict[str, None] = {}
    parts = parts_of(value)
    found.update(dict.fromkeys(parts))
    for inner in parts.values():
        if is_section(inner) and id(inner) not in above:
            found.update(dict.fromkeys(_names_below(inner, (*above, id(value)))))
    return list(found)
