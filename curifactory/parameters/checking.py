"""Whether the values of parameter sets are of the types that their classes declare, told all at once before a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from curifactory.errors import ParameterTypeError
from curifactory.parameters.annotations import declared_types, members_of
from curifactory.parameters.parts import is_fielded, parts_of
from curifactory.parameters.values import ATOMS

_MOST_FAULTS = 20


def find_type_faults(params: Any) -> Iterator[tuple[str, str]]:
    """Yield every value of a parameter set that is not of its declared type: its path and a sentence part.

    Sets inside of sets are followed. None is taken where it is the default; ``$`` references stand for anything.

    Parameters
    ----------
    params : Any
        The set.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> list(find_type_faults(ExperimentParameters(overwrite="no")))
    [('overwrite', "'no' is no bool")]
    """
    yield from _iter_faults(params, "", ())


def check_values(sets: Iterable[tuple[Any, str]]) -> None:
    """Refuse sets with values that are not of their declared types.

    Parameters
    ----------
    sets : iterable of (params, str)
        Each set with the file that it came from.

    Raises
    ------
    ParameterTypeError
        With all faults: file, name of the set, path.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> check_values([(ExperimentParameters(name="small", overwrite="no"), "params/iris.py")])
    Traceback (most recent call last):
    curifactory.errors.ParameterTypeError: params/iris.py: small.overwrite: 'no' is no bool. ...
    """
    faults: dict[tuple[str, str, str], list[str]] = {}
    for params, file in sets:
        for path, told in find_type_faults(params):
            faults.setdefault((file, path, told), []).append(str(getattr(params, "name", "")))
    if not faults:
        return
    files = {file for file, _, _ in faults}
    rows = [
        (f"{'' if len(files) == 1 else file + ': '}{_name_sets(names)}.{path}", told)
        for (file, path, told), names in faults.items()
    ]
    from curifactory.parameters.updates import faults_error

    more = len(rows) - _MOST_FAULTS
    shown = [*rows[:_MOST_FAULTS], *([("", f"and {more} more")] if more > 0 else [])]
    error = faults_error(shown, ParameterTypeError, begin=files.pop() if len(files) == 1 else "")
    if len(rows) == 1:
        error.hint = "Mend the value, or the type that the class declares."
    raise error


def _iter_faults(value: Any, prefix: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    declared = declared_types(type(value))
    for name, item in parts_of(value).items():
        annotation = declared.get(name, Any)
        if type(item) in ATOMS and (annotation is Any or type(item) is annotation):
            continue
        path = prefix + name
        if not _is_excused(value, name, item, annotation):
            # Most values are of just the type that was declared.
            from curifactory.parameters.fitting import find_misfits

            yield from find_misfits(item, annotation, path)
        # An object that holds itself has no end.
        if is_fielded(item) and id(item) not in above:
            yield from _iter_faults(item, f"{path}.", (*above, id(value)))


def _is_excused(owner: Any, name: str, item: Any, annotation: Any) -> bool:
    if annotation is Any or (isinstance(item, str) and item[:1] == "$" and str not in members_of(annotation)):
        return True
    # `n: int = None` is how many people write int | None.
    return item is None and _has_default_none(owner, name)


def _has_default_none(owner: Any, name: str) -> bool:
    field = getattr(type(owner), "__dataclass_fields__", {}).get(name)
    return field is not None and field.default is None


def _name_sets(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{names[0]} (and {len(names) - 1} more set{'' if len(names) == 2 else 's'})"
