"""Reads a condition on runs from text: Python's own grammar, of which only a few harmless forms are let in."""

from __future__ import annotations

import ast
import re
import warnings
from typing import NoReturn

from curifactory.errors import ConfigurationError
from curifactory.workflow.runs.condition import (
    EQUALITIES,
    MEMBERSHIPS,
    ORDERS,
    PRESENCES,
    And,
    Comparison,
    Condition,
    Items,
    Literal,
    Name,
    Not,
    Operand,
    Or,
    Scalar,
)

LONGEST = 4_000
_SHOWN = 20
_DEEPEST = 50
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_TEXTS = re.compile(r"""(["'])(?:\\.|(?!\1).)*\1""")
# What people write who come from other languages, and what it is here.
_SLIPS = (
    (re.compile(r"=[<>]"), "=>", "The equals sign stands last: '>=', '<='."),
    (re.compile(r"(?<![=!<>])=(?!=)"), "=", "Two values are compared with '=='."),
    (re.compile(r"&&|&"), "&&", "Conditions are joined with 'and'."),
    (re.compile(r"\|\||\|"), "||", "Conditions are joined with 'or'."),
    (re.compile(r"!(?!=)"), "!", "The opposite is written with 'not'."),
    (re.compile(r"<>"), "<>", "Different is written '!='."),
)
_FORMS = (
    "A condition compares names with values, as in: acc > 0.9 and outcome == 'complete' and 'paper' in tags"
)
_BARE_TEXT = "A text stands in quotes: outcome == 'complete'."


def read_condition(text: str) -> Condition:
    """Read a condition; nothing of it is ever executed.

    Parameters
    ----------
    text : str
        Such as ``acc > 0.9`` or ``params.n >= 50 and outcome == "complete"``: comparisons (also chained, ``in``, ``is
        None``), ``and``, ``or``, ``not``, brackets; names with dots, or ``metrics["val/acc"]`` for what is no name in
        Python; texts, numbers, ``True``, ``False``, ``None`` and lists of them.

    Returns
    -------
    Condition
        Its ``str`` is the text in a settled form, which reads back as the same condition.

    Raises
    ------
    ConfigurationError
        With the place that cannot be understood, and what to write.

    Examples
    --------
    >>> str(read_condition("params.n>=50 and not outcome in ['failed']"))
    'params.n >= 50 and not outcome in ("failed",)'
    >>> read_condition("acc = 0.9")
    Traceback (most recent call last):
    ...
    curifactory.errors.ConfigurationError: The condition 'acc = 0.9' cannot be understood at character 5, '= 0.9': \
Two values are compared with '=='.
    """
    return _Reader(" ".join(text.split("\n")).strip()).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> Condition:
        if not self._text:
            raise ConfigurationError("The condition is empty.", hint=_FORMS)
        if len(self._text) > LONGEST:
            raise ConfigurationError(
                f"The condition has {len(self._text)} characters, and {LONGEST} are read at most.",
                hint="Select with --tag, or filter the output of --json.",
            )
        try:
            with warnings.catch_warnings():
                # A stray backslash in a text is the person's.
                warnings.simplefilter("ignore")
                tree = ast.parse(self._text, mode="eval")
        except SyntaxError as error:
            self._refuse_syntax(error)
        except (ValueError, RecursionError, MemoryError) as error:
            raise ConfigurationError(
                f"The condition {self._text[:_SHOWN]!r}… cannot be understood: {error}.", hint=_FORMS
            ) from error
        return self._condition(tree.body, 0)

    def _condition(self, node: ast.expr, depth: int) -> Condition:
        if depth > _DEEPEST:
            self._refuse(node, "it is nested too deeply")
        if isinstance(node, ast.BoolOp):
            terms = tuple(self._condition(term, depth + 1) for term in node.values)
            return And(terms) if isinstance(node.op, ast.And) else Or(terms)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Not(self._condition(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return self._name(node)
        if isinstance(node, ast.BinOp):
            self._refuse_slip(node)
        if isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.Set):
            self._refuse(node, "it is a value, and compared with nothing", hint=_FORMS)
        return self._refuse(node, f"{_kind(node)} cannot stand in a condition", hint=_FORMS)

    def _comparison(self, node: ast.Compare) -> Comparison:
        first = self._operand(node.left)
        rest: list[tuple[str, Operand]] = []
        for operator, each in zip(node.ops, node.comparators, strict=True):
            word = _OPERATORS[type(operator)]
            operand = self._operand(each)
            self._check(word, operand, each)
            rest.append((word, operand))
        if not any(isinstance(each, Name) for each in (first, *(operand for _, operand in rest))):
            self._refuse(node, "it names nothing of a run", hint=_FORMS)
        return Comparison(first, tuple(rest))

    def _check(self, word: str, operand: Operand, node: ast.expr) -> None:
        if word in MEMBERSHIPS and isinstance(operand, Literal) and not isinstance(operand.value, str):
            self._refuse(
                node, f"nothing can be '{word}' {operand}", hint="Write a list: outcome in ('failed',)."
            )
        if word in PRESENCES and operand != Literal(None):
            self._refuse(node, f"'{word}' stands only before None", hint="Compare with '==' or '!='.")
        if word in ORDERS and isinstance(operand, Items):
            self._refuse(node, f"'{word}' compares single values", hint="Write: n in (1, 2).")
        if word in (*ORDERS, *EQUALITIES) and operand == Literal(None) and word in ORDERS:
            self._refuse(node, "None is neither more nor less", hint="Write: acc is not None.")

    def _operand(self, node: ast.expr) -> Operand:
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return self._name(node)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return Items(tuple(self._scalar(each) for each in node.elts))
        if isinstance(node, ast.BinOp):
            self._refuse_slip(node)
        return Literal(self._scalar(node))

    def _name(self, node: ast.expr) -> Name:
        parts: list[str] = []
        inner = node
        while not isinstance(inner, ast.Name):
            if isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            elif (
                isinstance(inner, ast.Subscript)
                and isinstance(inner.slice, ast.Constant)
                and isinstance(inner.slice.value, str)
            ):
                parts.append(inner.slice.value)
                inner = inner.value
            else:
                self._refuse(inner, f"{_kind(inner)} cannot stand in a condition", hint=_FORMS)
        return Name((inner.id, *reversed(parts)), self._place(node.lineno, node.col_offset))

    def _scalar(self, node: ast.expr) -> Scalar:
        if isinstance(node, ast.Constant) and (
            node.value is None or isinstance(node.value, str | bool | int | float)
        ):
            return node.value
        if (
            isinstance(node, ast.UnaryOp)
            and isinstance(node.op, ast.USub | ast.UAdd)
            and isinstance(node.operand, ast.Constant)
            and type(node.operand.value) in (int, float)
        ):
            value: int | float = self._scalar(node.operand)  # type: ignore[assignment]
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Name):
            self._refuse(node, "a list has only values", hint=_BARE_TEXT)
        return self._refuse(node, f"{_kind(node)} cannot stand in a condition", hint=_FORMS)

    def _place(self, line: int, column: int) -> int:
        """Turn what the parser counts in bytes into characters."""
        before = "".join(self._text.splitlines(keepends=True)[: line - 1])
        rest = self._text[len(before) :]
        return len(before) + len(rest.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "replace"))

    def _refuse_syntax(self, error: SyntaxError) -> NoReturn:
        bare = _TEXTS.sub(lambda match: "_" * len(match[0]), self._text)
        for pattern, _, advice in _SLIPS:
            found = pattern.search(bare)
            if found is not None:
                self._fail(found.start(), advice.rstrip("."))
        # Some versions of Python have no place for an end that comes too early.
        place = error.offset - 1 if error.offset else len(self._text)
        message = (error.msg or "it is no condition").partition(". Perhaps")[0]
        self._fail(place, message if place < len(self._text) else "something is missing", hint=_FORMS)

    def _refuse_slip(self, node: ast.BinOp) -> NoReturn:
        if isinstance(node.op, ast.BitAnd):
            self._refuse(node, "conditions are joined with 'and'")
        if isinstance(node.op, ast.BitOr):
            self._refuse(node, "conditions are joined with 'or'")
        self._refuse(node, "nothing is calculated in a condition", hint=_FORMS)

    def _refuse(self, node: ast.expr, why: str, *, hint: str | None = None) -> NoReturn:
        self._fail(self._place(node.lineno, node.col_offset), why, hint=hint)

    def _fail(self, place: int, why: str, *, hint: str | None = None) -> NoReturn:
        rest = self._text[place:]
        shown = rest if len(rest) <= _SHOWN else f"{rest[:_SHOWN]}…"
        where = f" at character {place + 1}, {shown!r}" if rest else " at its end"
        raise ConfigurationError(
            f"The condition {self._text!r} cannot be understood{where}: {why}.", hint=hint
        )


_KINDS: dict[type[ast.AST], str] = {
    ast.Call: "a call",
    ast.Lambda: "a function",
    ast.IfExp: "an if",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "a text with places to fill in",
    ast.Subscript: "an index other than a name in quotes",
    ast.Dict: "a dictionary",
    ast.Starred: "a star",
    ast.UnaryOp: "a sign before what is no number",
    ast.Constant: "a value of this kind",
}


def _kind(node: ast.AST) -> str:
    return _KINDS.get(type(node), "this")
