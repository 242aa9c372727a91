"""Which names outside of itself a code object uses, read from its byte code, which is exact about scopes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

from curifactory.identity.byte_code import read_instructions


class Use(NamedTuple):
    """One use of a name.

    Parameters
    ----------
    chain : tuple of str
        The name and the attributes that are read from it directly.
    free : bool
        Whether it belongs to an enclosing function; otherwise it is global.
    argument : str or None
        A string constant that comes next, such as the first argument of a call.
    complete : bool
        Whether that string is the only argument.
    """

    chain: tuple[str, ...]
    free: bool = False
    argument: str | None = None
    complete: bool = False


@dataclass(slots=True)
class LateImport:
    """One import inside of a function.

    Parameters
    ----------
    module : str
        What is imported, without the dots of a relative import.
    level : int
        The number of those dots.
    name : str or None
        What is taken from the module; None if it is the module that is bound.
    chains : dict
        The attributes that are read from what is bound; an empty chain is the thing itself.
    """

    module: str
    level: int
    name: str | None
    chains: dict[tuple[str, ...], None] = field(default_factory=dict)


class Scan(NamedTuple):
    """All that a code object and the functions inside of it use.

    Parameters
    ----------
    uses : tuple of Use
        Global and free names, each use once, in order.
    imports : tuple of LateImport
        Imports inside of functions.
    attributes : frozenset of str
        All attributes that are read from anything.
    """

    uses: tuple[Use, ...]
    imports: tuple[LateImport, ...]
    attributes: frozenset[str]


_Token = tuple[str, Any]

_scans: dict[int, tuple[CodeType, Scan]] = {}


def scan(code: CodeType) -> Scan:
    """Return what a code object uses; remembered by the object.

    Examples
    --------
    >>> def area(r):
    ...     return math.pi * square(r)
    >>> [use.chain for use in scan(area.__code__).uses]
    [('math', 'pi'), ('square',)]
    """
    known = _scans.get(id(code))
    if known is None:
        uses: dict[Use, None] = {}
        imports: list[LateImport] = []
        attributes: set[str] = set()
        _scan_into(code, frozenset(code.co_freevars), {}, uses, imports, attributes)
        # The code object is kept, so that its id is not given to another one.
        known = _scans[id(code)] = (code, Scan(tuple(uses), tuple(imports), frozenset(attributes)))
    return known[1]


def _scan_into(
    code: CodeType,
    outside: frozenset[str],
    aliases: dict[str, list[LateImport]],
    uses: dict[Use, None],
    imports: list[LateImport],
    attributes: set[str],
) -> None:
    # Without a name of anything outside there is nothing to be found.
    tokens = list(_tokens(code)) if code.co_names or code.co_freevars or aliases else []
    inner = dict(aliases)
    for imported, bound in _imports(tokens):
        imports.append(imported)
        if bound is not None:
            inner[bound] = [*inner.get(bound, ()), imported]
    for place, (kind, content) in enumerate(tokens):
        if kind == "attributes":
            attributes.update(content)
        if kind not in {"global", "free", "local"}:
            continue
        chain: tuple[str, ...] = content
        attributes.update(chain[1:])
        if chain[0] in inner and kind != "global":
            for imported in inner[chain[0]]:
                imported.chains[chain[1:]] = None
        elif kind == "global" or (kind == "free" and chain[0] in outside):
            uses[_use(tokens, place, chain, free=kind == "free")] = None
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _scan_into(constant, outside, inner, uses, imports, attributes)


def _use(tokens: list[_Token], place: int, chain: tuple[str, ...], *, free: bool) -> Use:
    following = tokens[place + 1 : place + 3]
    argument = following[0][1] if following and following[0][0] == "constant" else None
    complete = len(following) == 2 and following[1][0] == "call"
    if place and tokens[place - 1] == ("global", ("getattr",)) and isinstance(argument, str) and complete:
        return Use((*chain, argument), free)
    if not isinstance(argument, str) or chain[-1] not in {"import_module", "__import__"}:
        argument, complete = _own_module(following), False
    return Use(chain, free, argument, complete)


def _own_module(following: list[_Token]) -> str | None:
    return "__name__" if following and following[0] == ("global", ("__name__",)) else None


def _tokens(code: CodeType) -> Iterator[_Token]:
    """Byte code as few kinds of tokens, in which a name and the attributes read from it are one."""
    begun = ""
    chain: tuple[str, ...] = ()
    # A cell that is loaded like a local is handed to an inner function, which is scanned itself.
    cells = {*code.co_cellvars, *code.co_freevars}
    for kind, value in read_instructions(code):
        if kind == "attribute" and chain:
            chain = (*chain, value)
            continue
        if chain:
            yield begun, chain
            chain = ()
        if kind in ("attribute", "super"):
            yield "attributes", (value,)
        elif kind in ("global", "free"):
            begun, chain = kind, (value,)
        elif kind in ("local", "two locals"):
            names = [name for name in ((value,) if kind == "local" else value) if name not in cells]
            for first in names[:-1]:
                yield "local", (first,)
            if names:
                begun, chain = "local", (names[-1],)
        elif kind == "store and local":
            yield "store", value[0]
            begun, chain = "local", (value[1],)
        elif kind == "two stores":
            yield from (("store", name) for name in value)
        elif kind != "other" or value is not None:
            yield kind, value
    if chain:
        yield begun, chain


def _imports(tokens: list[_Token]) -> Iterator[tuple[LateImport, str | None]]:
    """Pair each import with the local name that it is bound to."""
    for place, (kind, module) in enumerate(tokens):
        if kind != "import":
            continue
        level, names = tokens[place - 2][1], tokens[place - 1][1]
        level = level if isinstance(level, int) else 0
        following = tokens[place + 1 :]
        if names:
            for index, name in enumerate(names):
                bound = _bound(following[2 * index : 2 * index + 2], name)
                yield LateImport(module, level, name), bound
        elif following and following[0][0] == "store":
            # `import a.b` binds `a`, from which the chain of attributes goes on.
            yield LateImport(module.partition(".")[0], level, None), following[0][1]
            if "." in module:
                yield LateImport(module, level, None), None
        else:
            store = next((content for kind, content in following if kind == "store"), None)
            yield LateImport(module, level, None), store


def _bound(pair: list[_Token], name: str) -> str | None:
    if len(pair) == 2 and pair[0] == ("from", name) and pair[1][0] == "store":
        return str(pair[1][1])
    return None
