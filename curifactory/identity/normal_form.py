"""Source code reduced to what it means: no comments, docstrings or formatting, and annotations only where they run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

_FORGOTTEN = frozenset({"ctx", "type_comment", "type_ignores", "kind"})
_MUTATORS = frozenset(
    {
        "add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert", "pop", "popitem", "popleft",
        "put", "remove", "reverse", "setdefault", "sort", "update", "__setitem__", "__delitem__",
    }
)  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What is not written field by field, at least in some places.
_SPECIAL = frozenset({ast.Constant, *_FUNCTIONS, ast.ClassDef, ast.Lambda, ast.AnnAssign, ast.arg})
# Fields in which there are never nodes, or only such that change nothing.
_WITHOUT_NODES = _FORGOTTEN | {
    "arg", "asname", "attr", "conversion", "id", "is_async", "kwd_attrs", "level", "module", "name", "op", "ops", "rest",
    "simple",
}  # fmt: skip
# What stands for nothing in a list of nodes, or has no nodes in it.
_LEAVES = frozenset({type(None), str, ast.Name, ast.Constant})
# By the class of a node.
_written_fields: dict[type[ast.AST], tuple[tuple[str, str], ...]] = {}
_inner_fields: dict[type[ast.AST], tuple[str, ...]] = {}


class NormalForm:
    r"""Writes nodes as text in which only what changes the meaning is left.

    Parameters
    ----------
    is_ours : callable, optional
        Says of a decorator whether it is one of curifactory's, whose arguments are counted by value elsewhere.
    members_apart : bool
        Whether functions and classes in a class body are only named, because they are looked at one by one.

    Examples
    --------
    >>> form = NormalForm()
    >>> first = ast.parse("def f(x: int):\n    'Doc.'\n    return x+1  # comment")
    >>> second = ast.parse("def f(x): return (x + 1)")
    >>> form.write(first) == form.write(second)
    True
    """

    def __init__(
        self, *, is_ours: Callable[[ast.expr], bool] | None = None, members_apart: bool = False
    ) -> None:
        self._is_ours = is_ours or (lambda decorator: False)
        self._members_apart = members_apart

    def write(self, *nodes: ast.AST) -> str:
        """Return the normal form of nodes, one after the other."""
        out: list[str] = []
        for node in nodes:
            self._node(node, out, keep=False, in_class=False)
        return "".join(out)

    def write_member(self, node: ast.AST) -> str:
        """Return the normal form of a function that stands in a class body."""
        out: list[str] = []
        self._node(node, out, keep=False, in_class=True)
        return "".join(out)

    def _node(self, node: ast.AST, out: list[str], *, keep: bool, in_class: bool) -> None:
        kind = type(node)
        if kind not in _SPECIAL:
            self._fields(node, out, keep=keep, in_class=in_class)
            return
        if isinstance(node, ast.Constant):
            value = node.value
            shown = f"{value:x}" if type(value) is int else repr(value)
            out.append(f"<{type(value).__name__} {shown}>")
            return
        if isinstance(node, _FUNCTIONS):
            self._function(node, out, in_class=in_class)
            return
        if isinstance(node, ast.ClassDef):
            keep, in_class = True, True
        elif isinstance(node, ast.Lambda):
            in_class = False
        elif isinstance(node, ast.AnnAssign) and not keep and not in_class:
            out.append("Assign(targets=")
            self._value([node.target], out, keep=keep, in_class=False)
            if node.value is not None:
                out.append("value=")
                self._value(node.value, out, keep=keep, in_class=False)
            out.append(")")
            return
        elif isinstance(node, ast.arg) and not keep:
            out.append(f"arg {node.arg};")
            return
        self._fields(node, out, keep=keep, in_class=in_class)

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, out: list[str], *, in_class: bool
    ) -> None:
        decorators = [decorator for decorator in node.decorator_list if not self._is_ours(decorator)]
        signature = in_class or bool(decorators)
        out.append(f"{type(node).__name__} {node.name}(")
        self._value(decorators, out, keep=True, in_class=False)
        self._node(node.args, out, keep=signature, in_class=False)
        if signature:
            self._value(node.returns, out, keep=True, in_class=False)
            self._value(getattr(node, "type_params", []), out, keep=True, in_class=False)
        self._value(node.body, out, keep=bool(decorators), in_class=False)
        out.append(")")

    def _fields(self, node: ast.AST, out: list[str], *, keep: bool, in_class: bool) -> None:
        kind = type(node)
        fields = _written_fields.get(kind)
        if fields is None:
            fields = tuple((field, field + "=") for field in kind._fields if field not in _FORGOTTEN)
            _written_fields[kind] = fields
        out.append(kind.__name__ + "(")
        for field, shown in fields:
            value = getattr(node, field, None)
            if value is None or value == []:
                continue
            out.append(shown)
            if value.__class__ is str:
                out.append(f"{value!r};")
            elif in_class and self._members_apart and field == "body" and isinstance(value, list):
                self._body_of_names(value, out)
            else:
                self._value(value, out, keep=keep, in_class=in_class)
        out.append(")")

    def _body_of_names(self, body: list[ast.stmt], out: list[str]) -> None:
        out.append("[")
        for statement in body:
            if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
                out.append(f"member {statement.name};")
            elif not says_nothing(statement):
                self._node(statement, out, keep=True, in_class=True)
        out.append("]")

    def _value(self, value: object, out: list[str], *, keep: bool, in_class: bool) -> None:
        if isinstance(value, ast.AST):
            self._node(value, out, keep=keep, in_class=in_class)
        elif isinstance(value, list):
            out.append("[")
            for item in value:
                if isinstance(item, ast.stmt) and says_nothing(item):
                    continue
                if isinstance(item, ast.AnnAssign) and item.value is None and not keep and not in_class:
                    continue
                self._value(item, out, keep=keep, in_class=in_class)
                out.append(",")
            out.append("]")
        else:
            out.append(f"{value!r};")


def says_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring, a bare constant or ``pass``."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


_WITHOUT_EFFECT = (
    ast.Constant, ast.Name, ast.JoinedStr, ast.FormattedValue, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Starred,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
_STREAMS = frozenset({("sys", "stdout"), ("sys", "stderr")})


def only_prints(statement: ast.stmt) -> bool:
    """Whether a statement is a ``print`` onto the screen of what is there already, if that name is the built-in one.

    Examples
    --------
    >>> only_prints(ast.parse("print('numpy', numpy.__version__)").body[0])
    True
    >>> only_prints(ast.parse("print(load_table())").body[0])
    False
    """
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    call = statement.value
    given = [*call.args]
    for keyword in call.keywords:
        if keyword.arg == "file" and chain_of(keyword.value) not in _STREAMS:
            return False
        given += [keyword.value] if keyword.arg != "file" else []
    return chain_of(call.func) == ("print",) and all(
        isinstance(part, _WITHOUT_EFFECT) or (isinstance(part, ast.Attribute) and part.attr.startswith("__"))
        for each in given
        for part in ast.walk(each)
    )


def chain_of(node: ast.AST) -> tuple[str, ...] | None:
    """Return a dotted name as its parts; None for any other expression.

    Examples
    --------
    >>> chain_of(ast.parse("a.b.c", mode="eval").body)
    ('a', 'b', 'c')
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return (node.id, *reversed(parts))


def chains_in(*nodes: ast.AST) -> list[tuple[str, ...]]:
    """Return all dotted names that are read in nodes, each once, in their order; annotations in quotes included."""
    found: dict[tuple[str, ...], None] = {}
    for node in nodes:
        for chain in _chains(node):
            found[chain] = None
    return list(found)


def _chains(node: ast.AST) -> Iterator[tuple[str, ...]]:
    chain = chain_of(node)
    if chain is not None:
        yield chain
        return
    looked_up = _constant_getattr(node)
    if looked_up is not None:
        yield looked_up
        return
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else (value,):
            if (
                isinstance(child, ast.Constant)
                and isinstance(child.value, str)
                and field in {"annotation", "returns"}
            ):
                yield from _quoted(child.value)
            elif isinstance(child, ast.AST):
                yield from _chains(child)


def _constant_getattr(node: ast.AST) -> tuple[str, ...] | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr"):
        return None
    if (
        len(node.args) != 2
        or not isinstance(node.args[1], ast.Constant)
        or not isinstance(node.args[1].value, str)
    ):
        return None
    owner = chain_of(node.args[0])
    return None if owner is None else (*owner, node.args[1].value)


def _quoted(annotation: str) -> Iterator[tuple[str, ...]]:
    try:
        yield from _chains(ast.parse(annotation, mode="eval").body)
    except (SyntaxError, ValueError):
        return


def changed_chains(node: ast.AST) -> frozenset[tuple[str, ...]]:
    r"""Return the dotted names whose values a piece of code changes in place or binds anew outside of itself.

    Examples
    --------
    >>> sorted(changed_chains(ast.parse("CACHE[key] = 1\nseen.append(2)")))
    [('CACHE',), ('seen',)]
    """
    found: set[tuple[str, ...] | None] = set()
    for part in _walk(node):
        if isinstance(part, (ast.Subscript, ast.Attribute)):
            if isinstance(part.ctx, ast.Load):
                continue
            found.add(_owner(part.value))
            chain = chain_of(part)
            # `self.x = 1` binds an attribute of the instance, and leaves that of the class as it is.
            found.add(chain if chain is not None and (chain[0] != "self" or len(chain) > 2) else None)
        elif isinstance(part, ast.Call):
            if isinstance(part.func, ast.Attribute) and part.func.attr in _MUTATORS:
                found.add(_owner(part.func.value))
        elif isinstance(part, ast.AugAssign):
            found.add(chain_of(part.target))
        elif isinstance(part, (ast.Global, ast.Nonlocal)):
            found.update((name,) for name in part.names)
    return frozenset(chain for chain in found if chain is not None)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Go through nodes in no order, without plain names, constants and operators, which are most of them."""
    waiting: list[Any] = [node]
    while waiting:
        part = waiting.pop()
        kind = part.__class__
        if kind in _LEAVES:
            continue
        yield part
        fields = _inner_fields.get(kind)
        if fields is None:
            fields = _inner_fields[kind] = tuple(set(kind._fields) - _WITHOUT_NODES)
        for field in fields:
            value = getattr(part, field, None)
            if value.__class__ is list:
                waiting += value
            else:
                waiting.append(value)


def _owner(node: ast.AST) -> tuple[str, ...] | None:
    while isinstance(node, ast.Subscript):
        node = node.value
    return chain_of(node)
