"""Changes of parameters as they are typed, ``n=10,50 seed=0-4``: names, and the values that each is to have."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

from curifactory.errors import ParameterError, ParameterTypeError, UnknownParameterError
from curifactory.parameters.annotations import declared_type, members_of
from curifactory.parameters.names import resolve_name, value_at
from curifactory.parameters.parts import MISSING
from curifactory.parameters.ranges import Range
from curifactory.parameters.text import read_text, split_items
from curifactory.parameters.updates import ADD, faults_error

_LOG = ".log"
_ITEM = re.compile(r":\d+$")
_BRACKETS = "([{"
_NUMBERS = (int, float, complex)
_SEQUENCES = (list, tuple, set, frozenset)
#: Of an old value without a declared type, its own type says how text is read.
_TELLING = (bool, int, float, complex, str, PurePath, list, tuple, set, frozenset, dict)


def split_argument(word: str) -> tuple[str, str]:
    """Split a typed change into its name and its text, the logarithm always with the text.

    Raises
    ------
    ParameterError
        If it is no change.

    Examples
    --------
    >>> split_argument("n=10,50"), split_argument("url=http://x?a=b"), split_argument("lr.log=1e-5_1e-3")
    (('n', '10,50'), ('url', 'http://x?a=b'), ('lr', '1e-5_1e-3.log'))
    """
    name, equals, text = word.partition("=")
    name = name.strip()
    if not equals or not name.removeprefix(ADD):
        raise ParameterError(
            f"'{word}' is no change of a parameter.", hint="Write NAME=VALUE, as in n=10 or n=10,50."
        )
    if name.endswith(_LOG):
        return name.removesuffix(_LOG), text + _LOG
    return name, text


def read_values(text: str, annotation: Any = Any) -> list[Any]:
    """Return the values that a text lists.

    Parameters
    ----------
    text : str
        Values with commas between them, ranges among them; commas in brackets and quotes belong to the values.
    annotation : Any
        The declared type of one value. Ranges are such only where numbers may stand. Of a list ``1,2`` is one value.

    Raises
    ------
    ParameterTypeError
        If one of them cannot be of the type; it is a ``ValueError`` too.

    Examples
    --------
    >>> read_values("1-2,4-5"), read_values("1-3,x"), read_values("2020-01-01"), read_values("a=1e-3")
    ([1, 2, 4, 5], [1, 2, 3, 'x'], ['2020-01-01'], ['a=1e-3'])
    >>> read_values("64,32", list[int]), read_values("[64],[32]", list[int]), read_values("0-1", float)
    ([[64, 32]], [[64], [32]], [0.0, 1.0])
    """
    return [
        value
        for each in read_ranges(text, annotation)
        for value in (each if isinstance(each, Range) else [each])
    ]


def read_ranges(text: str, annotation: Any = Any) -> list[Any]:
    """Return the values that a text lists with every range as a :class:`Range`, not as its numbers.

    Raises
    ------
    ParameterTypeError
        As `read_values`.

    Examples
    --------
    >>> read_ranges("1e-5_1e-1.log,0.5", float)
    [Range(1e-05, 0.1, log=True), 0.5]
    """
    members = members_of(annotation)
    pieces = split_items(text)
    sequence = next((each for each in members if (typing.get_origin(each) or each) in _SEQUENCES), None)
    if sequence is not None and not any(piece.strip()[:1] in _BRACKETS for piece in pieces if piece.strip()):
        if _takes_none(members, text):
            return [None]
        return [_read_sequence(text, sequence)]
    if not any(member is Any or member in _NUMBERS for member in members):
        return [_read_piece(piece, annotation) for piece in pieces]
    found: list[Any] = []
    for piece in pieces:
        ranged = _find_range(piece)
        if ranged is not None:
            found.append(_as_declared(ranged, members, piece))
        elif piece.endswith(_LOG) and not _is_dotted(piece):
            raise ParameterTypeError(
                f"Invalid value for log mode: {[read_text(piece.removesuffix(_LOG))]}",
                hint="Write a range: lr.log=1e-5_1e-1:5",
            )
        else:
            found.append(_read_piece(piece, annotation))
    return found


def read_changes(params: Any, words: Iterable[str]) -> dict[str, list[Any]]:
    """Read typed changes of a parameter set; every text is converted by what the set declares for its place.

    Parameters
    ----------
    params : Any
        The set that is to be changed.
    words : iterable of str
        As in ``n=10,50``.

    Returns
    -------
    dict of str to list
        Name to values, in the order in which they were typed.

    Raises
    ------
    ParameterError
        With all faults: names that are not there, texts that cannot be read.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> read_changes(ExperimentParameters(), ["overwrite=yes,no", "hash=none"])
    {'overwrite': [True, False], 'hash': [None]}
    """
    found: dict[str, list[Any]] = {}
    named: set[str] = set()
    faults: list[tuple[str, str]] = []
    kinds: set[type[ParameterError]] = set()
    for word in words:
        name, text = split_argument(word)
        if name in named:
            faults.append((name, "it is given more than once; write n=10,50 for several values"))
            kinds.add(ParameterError)
            continue
        named.add(name)
        try:
            annotation = _type_of(params, name)
            found[name] = read_values(text, annotation)
        except ParameterTypeError as error:
            kinds.add(ParameterTypeError)
            faults.append((name, str(error)))
        except UnknownParameterError as error:
            kinds.add(UnknownParameterError)
            faults.append((name, error.message))
    if faults:
        raise faults_error(faults, kinds.pop() if len(kinds) == 1 else ParameterError)
    return found


def _type_of(params: Any, name: str) -> Any:
    """Return what type a text for a name is read as.

    Raises
    ------
    UnknownParameterError
        If the set has no such name.
    """
    item = _ITEM.search(name)
    bare = name.removeprefix(ADD)
    resolved = resolve_name(params, bare[: len(bare) - len(item[0])] if item else bare)
    if not resolved.places:
        if name.startswith(ADD):
            return Any
        raise UnknownParameterError(resolved.fault)
    place = resolved.places[0]
    owner, old = value_at(params, place[:-1]), value_at(params, place)
    annotation = declared_type(owner, place[-1])
    if item:
        old = old[0] if isinstance(old, (list, tuple)) and old else MISSING
        arguments = typing.get_args(annotation)
        annotation = arguments[0] if arguments else Any
    if members_of(annotation) != (Any,):
        return annotation
    if isinstance(old, str) and old[:1] == "$":
        return Any
    return type(old) if isinstance(old, _TELLING) else Any


def _find_range(piece: str) -> Range | None:
    try:
        return Range(piece)
    except ParameterTypeError as error:
        # What looks like a range and is none, as for its step, is a fault; anything else is no range.
        if error.message.startswith("Invalid string"):
            return None
        raise


def _as_declared(ranged: Range, members: Sequence[Any], piece: str) -> Range:
    if Any in members or ranged.is_float is (float in members) or (int in members and ranged.is_integer):
        return ranged
    if float in members or complex in members:
        return Range(
            float(ranged.start),
            float(ranged.stop),
            float(ranged.step) if not ranged.log else 1,
            ranged.num,
            ranged.log,
        )
    raise ParameterTypeError(f"'{piece}' is a range of floats, and an int is declared")


def _read_sequence(text: str, sequence: Any) -> Any:
    """Read ``64,32`` or ``1-3`` as one list."""
    arguments = typing.get_args(sequence)
    origin = typing.get_origin(sequence) or sequence
    if origin is tuple and arguments and arguments[-1] is not ...:
        return read_text(text, sequence)
    inner = arguments[0] if arguments else Any
    return origin(read_values(text, inner)) if text.strip() else origin()


def _read_piece(piece: str, annotation: Any) -> Any:
    return read_text(piece if annotation is Any else piece.strip(), annotation)


def _takes_none(members: Sequence[Any], text: str) -> bool:
    return type(None) in members and text.strip().casefold() in ("none", "null")


def _is_dotted(piece: str) -> bool:
    """Say whether a text that ends in ``.log`` is the name of a file or of something in a module."""
    return not re.fullmatch(r"[-+\d.eE_:]+", piece.removesuffix(_LOG))
