"""``Draft``: a parameter value while it is being changed; the value itself is never written to."""

from __future__ import annotations

from typing import Any

from curifactory.errors import ParameterError
from curifactory.parameters.names import Place, show_place
from curifactory.parameters.parts import MISSING, is_section, part_of, with_parts


class Draft:
    """Changes of a value by place, from which the new value is made at once, from the inside to the outside.

    Parameters
    ----------
    origin : Any
        A section, list or tuple.

    Attributes
    ----------
    faults : list of (str, str)
        Path and sentence of what classes have refused while the new value was made.

    Examples
    --------
    >>> draft = Draft({"model": {"sizes": [10, 20]}})
    >>> draft.put(("model", "sizes", "1"), 5)
    >>> draft.value_at(("model", "sizes")), draft.make()
    ([10, 5], {'model': {'sizes': [10, 5]}})
    """

    __slots__ = ("_changed", "_origin", "faults")

    def __init__(self, origin: Any) -> None:
        self._origin = origin
        self._changed: dict[str, Any] = {}
        self.faults: list[tuple[str, str]] = []

    def put(self, place: Place, value: Any) -> None:
        """Put a value at a place, over whatever was there."""
        first, *rest = place
        if not rest:
            self._changed[first] = value
            return
        inner = self._changed.get(first, MISSING)
        if not isinstance(inner, Draft):
            inner = Draft(part_of(self._origin, first) if inner is MISSING else inner)
            self._changed[first] = inner
        inner.put(tuple(rest), value)

    def value_at(self, place: Place) -> Any:
        """Return what lies at a place now; :data:`MISSING` if there is nothing."""
        if not place:
            return self.make()
        inner = self._changed.get(place[0], MISSING)
        if isinstance(inner, Draft):
            return inner.value_at(place[1:])
        value = part_of(self._origin, place[0]) if inner is MISSING else inner
        for part in place[1:]:
            value = part_of(value, part)
        return value

    def owner_of(self, place: Place) -> Any:
        """Return the value, as it was, that a place lies in; its class says what is declared for the place."""
        value: Any = self._origin
        for at, part in enumerate(place[:-1]):
            inner = self._changed.get(part, MISSING) if at == 0 else MISSING
            if isinstance(inner, Draft):
                return inner.owner_of(place[1:])
            value = part_of(value, part) if inner is MISSING else inner
        return value

    def make(self, path: Place = ()) -> Any:
        """Return the new value; what a class refuses is among the faults, and then the value is the old one."""
        changed: dict[str, Any] = {}
        for name, inner in self._changed.items():
            if isinstance(inner, Draft):
                changed[name] = inner.make((*path, name))
                self.faults += inner.faults
            else:
                changed[name] = inner
        if self.faults:
            return self._origin
        try:
            return with_parts(self._origin, changed)
        except ParameterError as error:
            self.faults += error.faults or ((show_place(path), error.message),)
        except Exception as error:  # noqa: BLE001 (checks of a person's class may raise anything)
            self.faults += _faults_of(error, self._origin, path)
        return self._origin


def _faults_of(error: Exception, origin: Any, path: Place) -> list[tuple[str, str]]:
    told = getattr(error, "errors", None)
    if callable(told) and is_section(origin) and hasattr(type(origin), "__pydantic_fields__"):
        return [(show_place((*path, *map(str, each["loc"]))), str(each["msg"])) for each in told()]
    name = type(origin).__name__
    return [(show_place(path), f"{name} refuses the values: {type(error).__name__}: {error}")]
