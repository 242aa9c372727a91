"""Files that modules read while they are imported: a constant that its text alone does not tell counts by their content.

Which files these are is taken from the text: the paths that are written out where something is opened, read or loaded.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from curifactory.identity.depends import is_pattern, path_digest
from curifactory.identity.module_index import ModuleIndex, index_of
from curifactory.identity.normal_form import chain_of
from curifactory.identity.source import Source, is_older_than_process

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_READING = re.compile(
    "(?:^|_)(?:load|open|parse|read)|Load|Open|Parse|Read|imread|from_?(?:file|txt)|get_data|^File$|DLL$|dlopen"
)
_AT_IMPORT = frozenset({"__init__", "__new__", "__post_init__"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LONGEST_PATH = 500
_MOST_PARTS = 12
_DEEPEST = 4

# By module and path: what stands for its being loaded, None if it was not yet, and the digest that the file had.
_known: dict[tuple[str, str], tuple[Any, str]] = {}


class FileVisitor:
    """Enters the files that statements of a module read when it is imported."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def read_by(self, statements: Iterable[ast.stmt], source: Source, module: str) -> list[str]:
        """Return path and digest of each file that top-level statements of a module name and read.

        Parameters
        ----------
        statements : iterable of ast.stmt
            Statements that are executed when the module is imported; definitions among them are not.
        source : Source
            Of the module.
        module : str
            Its name.
        """
        executed = [node for node in statements if not isinstance(node, (*_FUNCTIONS, ast.ClassDef))]
        paths: dict[str, None] = {}
        for parts in self._parts_read(executed, source, module, _DEEPEST):
            paths |= dict.fromkeys(self._existing(parts, os.path.dirname(source.filename)))
        return [f"{self._reach.scope.relative(path)} {self._digest(path, module)}" for path in paths]

    def _parts_read(
        self, nodes: Sequence[ast.AST], source: Source, module: str, depth: int
    ) -> Iterator[list[str]]:
        """Yield what each call that reads says of a path, also where the call stands in a function that is called."""
        index, reads = index_of(source), False
        for call in (each for node in nodes for each in ast.walk(node) if isinstance(each, ast.Call)):
            chain = chain_of(call.func)
            inside = list(self._parts_inside(chain, source, module, depth - 1)) if chain and depth else []
            yield from inside
            if inside or _reads(call):
                reads = True
                yield list(self._texts(call, index, depth))
        if reads:
            # What a function opens may be said by a default.
            yield from (
                list(self._texts(node, index, depth)) for node in nodes if isinstance(node, ast.arguments)
            )

    def _parts_inside(
        self, chain: tuple[str, ...], source: Source, module: str, depth: int
    ) -> Iterator[list[str]]:
        index = index_of(source)
        found = self._definition(chain, index)
        if found is not None:
            yield from self._parts_read(found, source, module, depth)
            return
        origin = self._reach.texts.resolve(module, chain)
        if origin is not None and origin != (module, chain) and depth:
            there = self._reach.texts.source(origin[0])
            if there is not None:
                yield from self._parts_inside(origin[1], there, origin[0], depth - 1)

    def _definition(self, chain: tuple[str, ...], index: ModuleIndex) -> list[ast.AST] | None:
        """Return what is executed when a function or class of the module is called."""
        for statement in index.bindings.get(chain[0], ()) if len(chain) == 1 else ():
            if isinstance(statement, _FUNCTIONS):
                return [statement.args, *statement.body]
            if isinstance(statement, ast.ClassDef):
                called = [each for each in statement.body if isinstance(each, _FUNCTIONS)]
                return [
                    part for each in called if each.name in _AT_IMPORT for part in (each.args, *each.body)
                ]
        return None

    def _texts(self, node: ast.AST, index: ModuleIndex, depth: int) -> Iterator[str]:
        """Yield the texts in an expression in their order; a name stands for the texts that it was made from."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)
        ):
            parts = [
                text for child in ast.iter_child_nodes(node) for text in self._texts(child, index, depth)
            ]
            yield "".join(parts)
            yield from parts
        elif isinstance(node, ast.Name) and depth:
            for statement in index.bindings.get(node.id, ()):
                if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
                    yield from self._texts(statement.value, index, depth - 1)
        else:
            for child in ast.iter_child_nodes(node):
                yield from self._texts(child, index, depth)

    def _existing(self, parts: list[str], folder: str) -> Iterator[str]:
        """Yield the files that some of the parts one after the other are the path of, from the nearest folder."""
        parts = [part for part in parts if part and len(part) < _LONGEST_PATH and "\0" not in part][
            :_MOST_PARTS
        ]
        root = self._reach.scope.root_path
        folders = [os.getcwd() if root is None else root, folder]
        while root is not None and folder.startswith(root + os.sep):
            folder = os.path.dirname(folder)
            folders.append(folder)
        for begin, end in combinations(range(len(parts) + 1), 2):
            # Before the first part there may be a folder that no text tells, as in f"{FOLDER}/table.csv".
            inner = os.path.join(parts[begin], *(part.lstrip("/") for part in parts[begin + 1 : end]))
            for place, name in product(dict.fromkeys(folders), dict.fromkeys((inner, inner.lstrip("/")))):
                path = os.path.normpath(os.path.join(place, name))
                if os.path.isfile(path) or (is_pattern(path) and _fits_something(path)):
                    yield path

    def _digest(self, path: str, module: str) -> str:
        """Return the digest of a file as it was when the module was imported, or as it is before that."""
        loaded = _loading_of(module)
        known = _known.get((module, path))
        if loaded is not None and known is not None and known[0] is loaded:
            return known[1]
        if loaded is None:
            digest = path_digest(path)
            shown = self._reach.scope.relative(path)
            self._reach.ledger.watches.append(lambda: path_digest(path) == digest)
            self._reach.ledger.read_late.append(lambda: _changed(path, digest, module, shown))
        else:
            digest = path_digest(path)
            if known != (None, digest) and not is_older_than_process(path):
                # Nobody can say what was read.
                digest += f" changed at {os.stat(path).st_mtime_ns}"
        _known[module, path] = (loaded, digest)
        return digest


def _fits_something(pattern: str) -> bool:
    import glob

    return next(glob.iglob(pattern, recursive=True), None) is not None


def _loading_of(module: str) -> Any:
    """Return what stands for the last time that a module was loaded; None if it is not."""
    loaded = sys.modules.get(module)
    # A reload leaves the module, and gives it another one of these.
    return None if loaded is None else getattr(loaded, "__spec__", None) or loaded


def _changed(path: str, digest: str, module: str, shown: str) -> str | None:
    """Return a file that a module has read or will read, if that is not what it was; None if it is."""
    loaded = _loading_of(module)
    if loaded is not None and _known.get((module, path), (None, ""))[0] is loaded:
        return None
    if path_digest(path) != digest:
        return shown
    if loaded is not None:
        # What it has read then stays what it is, whatever happens to the file.
        _known[module, path] = (loaded, digest)
    return None


def _reads(call: ast.Call) -> bool:
    """Whether a call may read a file, as far as its name tells."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name == "open" and _writes(call):
        return False
    return _READING.search(name) is not None


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[0 if isinstance(call.func, ast.Attribute) else 1 :][:1]]
    modes += [each.value for each in call.keywords if each.arg == "mode"]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and len(mode.value) < 4
        and not {"w", "a", "x"}.isdisjoint(mode.value)
        for mode in modes
    )
