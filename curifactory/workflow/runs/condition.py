"""A condition on runs as a tree: comparisons of names with literals, joined by ``and``, ``or`` and ``not``."""

from __future__ import annotations

import keyword
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

ORDERS = ("<", "<=", ">", ">=")
EQUALITIES = ("==", "!=")
MEMBERSHIPS = ("in", "not in")
PRESENCES = ("is", "is not")

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A word for something of a run: ``outcome``, ``acc``, ``params.model.depth``, ``metrics["val/acc"]``.

    Parameters
    ----------
    parts : tuple of str
        What stands between the dots.
    place : int
        Where it stands in the text, from 0; counts for nothing.

    Examples
    --------
    >>> str(Name(("metrics", "val/acc", "best")))
    'metrics["val/acc"].best'
    """

    parts: tuple[str, ...]
    place: int = field(default=0, compare=False)

    @property
    def path(self) -> str:
        """The parts with dots between them."""
        return ".".join(self.parts)

    def __str__(self) -> str:
        first, *others = self.parts
        return first + "".join(f".{part}" if _is_word(part) else f"[{_quote(part)}]" for part in others)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number, ``True``, ``False`` or ``None``."""

    value: Scalar

    def __str__(self) -> str:
        value = self.value
        if isinstance(value, str):
            return _quote(value)
        if isinstance(value, float) and math.isinf(value):
            # The only way to write it without a name.
            return "1e999" if value > 0 else "-1e999"
        return repr(value)


@dataclass(frozen=True, slots=True)
class Items:
    """Several literals, in brackets."""

    values: tuple[Scalar, ...]

    def __str__(self) -> str:
        inner = ", ".join(str(Literal(value)) for value in self.values)
        return f"({inner},)" if len(self.values) == 1 else f"({inner})"


Operand = Name | Literal | Items


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row of comparisons, such as ``0.5 < acc <= 0.9``.

    Parameters
    ----------
    first : Name, Literal or Items
        What stands first.
    rest : tuple of (str, operand)
        Each operator with what follows it.
    """

    first: Operand
    rest: tuple[tuple[str, Operand], ...]

    def __str__(self) -> str:
        return " ".join([str(self.first), *(f"{operator} {operand}" for operator, operand in self.rest)])


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition; of one that nobody can answer, nobody can answer it either."""

    term: Condition

    def __str__(self) -> str:
        return f"not {_bracket(self.term)}"


@dataclass(frozen=True, slots=True)
class And:
    """Conditions that all have to hold."""

    terms: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(map(_bracket, self.terms))


@dataclass(frozen=True, slots=True)
class Or:
    """Conditions of which one has to hold."""

    terms: tuple[Condition, ...]

    def __str__(self) -> str:
        return " or ".join(map(_bracket, self.terms))


Condition = Name | Comparison | Not | And | Or


def join(conditions: list[Condition]) -> Condition | None:
    """Return the condition that all of some hold; None if there are none.

    Examples
    --------
    >>> str(join([Name(("dirty",)), Comparison(Name(("n",)), ((">", Literal(5)),))]))
    'dirty and n > 5'
    """
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return And(tuple(conditions))


def iter_comparisons(condition: Condition) -> Iterator[Comparison]:
    """Give every comparison in a condition."""
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Not):
        yield from iter_comparisons(condition.term)
    elif isinstance(condition, And | Or):
        for term in condition.terms:
            yield from iter_comparisons(term)


def iter_names(condition: Condition) -> Iterator[Name]:
    """Give every name in a condition, in the order in which they stand there.

    Examples
    --------
    >>> condition = Comparison(Name(("acc",)), (("<", Name(("baseline",))),))
    >>> [name.path for name in iter_names(condition)]
    ['acc', 'baseline']
    """
    if isinstance(condition, Name):
        yield condition
    elif isinstance(condition, Comparison):
        for operand in (condition.first, *(operand for _, operand in condition.rest)):
            if isinstance(operand, Name):
                yield operand
    elif isinstance(condition, Not):
        yield from iter_names(condition.term)
    else:
        for term in condition.terms:
            yield from iter_names(term)


def _bracket(condition: Condition) -> str:
    return f"({condition})" if isinstance(condition, And | Or) else str(condition)


def _is_word(part: str) -> bool:
    """Whether a name can stand behind a dot; Python takes letters that only look otherwise, such as ``ª``, for the plain ones."""
    is_plain = unicodedata.normalize("NFKC", part) == part
    return is_plain and part.isidentifier() and not keyword.iskeyword(part)


def _quote(text: str) -> str:
    """Write a text as Python would read it back, with the quotes that need least care in a shell."""
    shown = repr(text)
    if shown.startswith("'") and '"' not in shown and "\\'" not in shown:
        return f'"{shown[1:-1]}"'
    return shown
