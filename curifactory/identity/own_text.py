"""The text of one function in normal form, found once a code object, and the names that its text alone shows."""

from __future__ import annotations

import ast
import hashlib
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from curifactory.identity.normal_form import NormalForm, chain_of, chains_in, changed_chains
from curifactory.identity.source import (
    FindSource,
    byte_code_digest,
    find_source,
    first_line,
    source_of,
    unknown_text,
)

_OURS = "curifactory"


class OwnText(NamedTuple):
    """What the text of a function says.

    Parameters
    ----------
    digest : str
        Digest of its normal form; of its byte code where the text is gone or has changed since it was loaded.
    filename : str
        Where it stands.
    line : int
        On which line it begins.
    changed : frozenset
        Dotted names whose values it changes.
    outer_chains : tuple
        Dotted names in its decorators and in annotations that these may read.
    has_source : bool
        Whether the text was found.
    """

    digest: str
    filename: str
    line: int
    changed: frozenset[tuple[str, ...]] = frozenset()
    outer_chains: tuple[tuple[str, ...], ...] = ()
    has_source: bool = False

    @classmethod
    def external(cls, function: FunctionType) -> OwnText:
        """Return what stands for a function of an installed package: its name."""
        module = function.__globals__.get("__name__")
        return cls(f"{module}:{function.__code__.co_qualname}", "", 0)


_known: dict[int, tuple[CodeType, OwnText]] = {}


def own_text(function: FunctionType, find: FindSource = find_source) -> OwnText:
    """Return the text of a function, whose source is looked up by `find`.

    Examples
    --------
    >>> def double(x):
    ...     return 2 * x
    >>> len(own_text(double).digest)
    64
    """
    code = function.__code__
    known = _known.get(id(code))
    if known is None:
        # The code object is kept, so that its id is not given to another one.
        known = _known[id(code)] = (code, _read(function, find))
    return known[1]


def _read(function: FunctionType, find: FindSource) -> OwnText:
    code = function.__code__
    source = source_of(function, find)
    node = source.definition(code) if source is not None else None
    if source is None or node is None or isinstance(node, ast.ClassDef):
        return OwnText(byte_code_digest(code), code.co_filename, code.co_firstlineno)

    def is_ours(decorator: ast.expr) -> bool:
        return _is_ours(decorator, function.__globals__)

    form = NormalForm(is_ours=is_ours)
    # A method keeps the annotations of its signature, as everything in a class body does.
    text = form.write_member(node) if "." in code.co_qualname.rpartition("<locals>.")[2] else form.write(node)
    decorators = [item for item in getattr(node, "decorator_list", []) if not is_ours(item)]
    if decorators and not source.is_as_imported(function.__globals__):
        text += unknown_text(function.__globals__)
    outer = list(decorators)
    if decorators and not isinstance(node, ast.Lambda):
        outer += [node.args, *([node.returns] if node.returns is not None else [])]
    return OwnText(
        hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        source.filename,
        first_line(node),
        changed_chains(node),
        tuple(chains_in(*outer)),
        has_source=True,
    )


def _is_ours(decorator: ast.expr, namespace: dict[str, Any]) -> bool:
    """Whether a decorator is ``stage`` or ``aggregate``, under whatever name."""
    chain = chain_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
    if chain is None or chain[0] not in namespace:
        return False
    thing = namespace[chain[0]]
    for name in chain[1:]:
        thing = getattr(thing, name, None)
    module = getattr(thing, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == _OURS
