"""``update``: a parameter set changed by names, as a new set; the grammar of Python, YAML and the command line alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from curifactory.errors import ParameterError, ParameterIndexError, ParameterTypeError, UnknownParameterError
from curifactory.parameters.annotations import declared_type
from curifactory.parameters.draft import Draft
from curifactory.parameters.fitting import fits
from curifactory.parameters.names import Place, resolve_name, show_place, value_at
from curifactory.parameters.parts import MISSING, grows, is_section, parts_of
from curifactory.parameters.whole_numbers import whole_of

ADD = "+"
_ITEM = re.compile(r"(?P<name>.+):(?P<position>\d+)")
_NO_CHANGES: Mapping[str, Any] = {}


def update(
    params: Any, changes: Mapping[str, Any] | None = None, /, **more: Any
) -> tuple[Any, dict[str, Any]]:
    """Return a parameter set with changed values, and what was changed.

    Parameters
    ----------
    params : Any
        A parameter set, or any dataclass, attrs class, pydantic model, dictionary or list. It is not written to; the new
        one shares no container with it, and its class checks the new values (``__post_init__``, validators).
    changes : mapping of str to Any, optional
        New values by name. ``lr`` is every value of this name (one that lies higher hides those below it),
        ``optimizer.lr`` the one in this scope, ``sizes.1`` one item of a list, ``sizes:0``, ``sizes:1``, … together a new
        list, and ``+momentum`` adds a name that is not there, to a dictionary or a section of a YAML tree.
    **more
        Further changes by keyword; where both name the same, these win.

    Returns
    -------
    (Any, dict)
        The new set, and the changes as they were applied: by name, in order, with items collected to lists.

    Raises
    ------
    ParameterTypeError
        If a value is not exactly of the type of the old one, or of the one that the class declares; old values that are
        None or a ``$`` reference take anything. Or if the class refuses it. It is a ``ValueError`` too.
    UnknownParameterError
        If there is no such name; a ``KeyError`` too.
    ParameterIndexError
        If an item lies outside of its list; an ``IndexError`` too.
    ParameterError
        If there are faults of several kinds. Whatever the class, ``faults`` has all of them with their paths.

    Examples
    --------
    >>> from dataclasses import dataclass, field
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> @dataclass
    ... class Optimizer:
    ...     lr: float = 0.001
    >>> @dataclass
    ... class Params(ExperimentParameters):
    ...     optimizer: Optimizer = field(default_factory=Optimizer)
    ...     sizes: list[int] = field(default_factory=lambda: [20, 30])
    >>> new, applied = update(Params(), {"sizes.1": 5}, lr=0.1)
    >>> new.optimizer.lr, new.sizes, applied
    (0.1, [20, 5], {'sizes.1': 5, 'lr': 0.1})
    >>> update(Params(), lr=1)
    Traceback (most recent call last):
    curifactory.errors.ParameterTypeError: optimizer.lr: different type: <class 'float'> != <class 'int'>. ...
    """
    wanted = dict(changes or _NO_CHANGES)
    for name, value in more.items():
        wanted.pop(name, None)
        wanted[name] = value
    updating = _Updating(params)
    applied = updating.collect_items(wanted)
    for name, value in applied.items():
        updating.apply(name, value)
    return updating.finish(), applied


class _Updating:
    """One update on its way, with the faults that were found so far by their kind."""

    def __init__(self, params: Any) -> None:
        self._draft = Draft(params)
        self._params = params
        self._unknown: list[tuple[str, str]] = []
        self._outside: list[tuple[str, str]] = []
        self._mistyped: list[tuple[str, str]] = []

    def collect_items(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Bring ``name:0``, ``name:1``, … together to one list."""
        applied: dict[str, Any] = {}
        items: dict[str, list[Any]] = {}
        faulty: set[str] = set()
        for written, value in wanted.items():
            match = _ITEM.fullmatch(written)
            name = match["name"] if match else written
            if match is None:
                if name in items:
                    faulty.add(name)
                applied[name] = value
                continue
            if (name in applied and name not in items) or int(match["position"]) != len(items.get(name, ())):
                faulty.add(name)
            applied[name] = items.setdefault(name, [])
            items[name].append(value)
        for name in faulty:
            told = f"items are written {name}:0, {name}:1, … from 0, ascending, without a gap and not beside {name} itself"
            self._unknown.append((name, told))
            del applied[name]
        for name in items.keys() - faulty:
            old = [value_at(self._params, place) for place in resolve_name(self._params, name).places]
            if old and all(type(each) is tuple for each in old):
                applied[name] = tuple(items[name])
        return applied

    def apply(self, name: str, value: Any) -> None:
        """Put a value at every place that its name stands for."""
        adds = name.startswith(ADD)
        bare = name.removeprefix(ADD)
        found = resolve_name(self._params, bare, look_up=self._draft.value_at)
        if found.places:
            for place in found.places:
                self._replace(place, value)
        elif adds:
            self._add(bare, value)
        else:
            (self._outside if found.is_position else self._unknown).append((name, found.fault))

    def finish(self) -> Any:
        """Return the new set.

        Raises
        ------
        ParameterError
            Or one of its children, with all faults.
        """
        if not (self._unknown or self._outside or self._mistyped):
            made = self._draft.make()
            self._mistyped += self._draft.faults
            if not self._mistyped:
                return made
        kinds: list[tuple[list[tuple[str, str]], type[ParameterError]]] = [
            (self._unknown, UnknownParameterError),
            (self._outside, ParameterIndexError),
            (self._mistyped, ParameterTypeError),
        ]
        present = [kind for faults, kind in kinds if faults]
        faults = [*self._unknown, *self._outside, *self._mistyped]
        raise faults_error(faults, present[0] if len(present) == 1 else ParameterError)

    def _replace(self, place: Place, value: Any) -> None:
        old = self._draft.value_at(place)
        owner = self._draft.owner_of(place)
        if isinstance(old, dict) and isinstance(value, dict):
            value = {**old, **value}
        elif grows(old) and isinstance(value, dict):
            for name, item in value.items():
                self._draft.put((*place, name), item)
            return
        elif not isinstance(owner, (list, tuple)) and not is_replaceable(
            old, value, declared_type(owner, place[-1])
        ):
            self._mistyped.append((show_place(place), _tell_types(old, value, place)))
            return
        self._draft.put(place, value)

    def _add(self, name: str, value: Any) -> None:
        *scope, last = name.split(".")
        places: Iterable[Place] = [()]
        if scope:
            found = resolve_name(self._params, ".".join(scope))
            if not found.places:
                self._unknown.append((ADD + name, found.fault))
                return
            places = found.places
        for place in places:
            section = value_at(self._params, place)
            if not grows(section):
                told = f"{type(section).__name__} takes no new names; declare '{last}' in the class"
                self._unknown.append((ADD + name, told))
                return
            self._draft.put((*place, last), value)


def is_replaceable(old: Any, new: Any, annotation: Any) -> bool:
    """Say whether a value may stand in the place of another one.

    Examples
    --------
    >>> is_replaceable(1, 2, int), is_replaceable(1, True, int), is_replaceable(1, None, int | None)
    (True, False, True)
    """
    if old is None or old is MISSING or (isinstance(old, str) and old[:1] == "$"):
        return True
    if type(old) is type(new):
        return True
    return annotation is not Any and fits(new, annotation, exactly=True)


def faults_error(
    faults: Iterable[tuple[str, str]], kind: type[ParameterError], *, begin: str = ""
) -> ParameterError:
    """Return the error that tells faults, one in a line of its own where there are several.

    Examples
    --------
    >>> print(faults_error([("n", "is 'a', no int"), ("", "is empty")], ParameterError))
    Parameters have 2 faults:
      n: is 'a', no int
      is empty
    """
    told = tuple(dict.fromkeys(faults))
    lines = [f"{path}: {sentence}" if path else sentence for path, sentence in told]
    where = f"{begin}: " if begin else ""
    if len(lines) == 1:
        said = lines[0]
        return kind(where + (said if said.endswith(("?", ".")) else f"{said}."), faults=told)
    listing = "".join(f"\n  {line}" for line in lines)
    return kind(f"{where}Parameters have {len(lines)} faults:{listing}", faults=told)


def _tell_types(old: Any, new: Any, place: Place) -> str:
    told = f"different type: {type(old)} != {type(new)}"
    if type(old) is float and type(new) is int:
        return f"{told}. Write {float(new)!r}"
    if type(old) is int and type(new) is float and whole_of(new) is not None:
        return f"{told}. Write {whole_of(new)}"
    if is_section(old) and not is_section(new):
        names = list(parts_of(old))
        inside = f"{show_place(place)}.{names[0]}=…" if names else f"{ADD}{show_place(place)}.name=…"
        return f"{told}. It is a section; write {inside}"
    return told
