"""The source of code as it was when it was imported: text, syntax tree, and which definition a code object comes from.

Text that is read late is not always the code that runs. A definition is taken from the text only if compiling the text
gives the loaded code object; otherwise there is no definition, and the byte code has to speak for itself.
"""

from __future__ import annotations
import __future__

import ast
import bisect
import hashlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from importlib.util import MAGIC_NUMBER, cache_from_source, decode_source
from types import CodeType, FunctionType
from typing import Any

from curifactory.identity.loadings import began_ns

# Fields with statements in them, and which of them a kind of node has.
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
_blocks: dict[type[ast.AST], tuple[str, ...]] = {}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda

_WHOLE = -1
_NO_CODE = compile("", "", "exec")
_FUTURE_FLAGS = 0
for _name in __future__.all_feature_names:
    _FUTURE_FLAGS |= getattr(__future__, _name).compiler_flag


class Source:
    """The text of one file or notebook cell, read once.

    Parameters
    ----------
    filename : str
        As code objects name it.
    text : str
        The whole text.
    stamp : tuple
        Size and time of the file, by which an edit is noticed; empty if there is no file.
    """

    def __init__(self, filename: str, text: str, stamp: tuple[int, ...]) -> None:
        self.filename = filename
        self.text = text
        self.stamp = stamp
        #: The modules that were found to be made from this very text.
        self.imported_as: set[str] = set()
        # By flags and the number of a statement.
        self._compiled: dict[tuple[int, int], dict[str, list[CodeType]]] = {}
        # For which loading of the module it was asked, and the answer.
        self._as_imported: tuple[Any, bool] | None = None

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None if the text is not Python."""
        try:
            return ast.parse(self.text, self.filename)
        except (SyntaxError, ValueError):
            return None

    @cached_property
    def _named(self) -> dict[tuple[str, int], list[Definition]]:
        found: dict[tuple[str, int], list[Definition]] = {}
        for node in _walk_statements(self.tree) if self.tree is not None else ():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.setdefault((node.name, first_line(node)), []).append(node)
        return found

    @cached_property
    def _lambdas(self) -> dict[int, list[Definition]]:
        found: dict[int, list[Definition]] = {}
        for node in ast.walk(self.tree) if self.tree is not None else ():
            if isinstance(node, ast.Lambda):
                found.setdefault(node.lineno, []).append(node)
        return found

    def definition(self, code: CodeType) -> Definition | None:
        """Return the node that a loaded code object was compiled from; None if the text does not have it any more."""
        compiled = self._match(code)
        if compiled is None:
            return None
        if compiled.co_name == "<lambda>":
            return _lambda_around(compiled, self._lambdas.get(compiled.co_firstlineno, []))
        nodes = self._named.get((compiled.co_name, compiled.co_firstlineno), [])
        return nodes[0] if nodes else None

    def classes(self, qualname: str) -> list[ast.ClassDef]:
        """Return the class definitions with a qualified name, in the order of the text."""
        if self.tree is None:
            return []
        return [
            node
            for path, node in _walk_definitions(self.tree, "")
            if path == qualname and isinstance(node, ast.ClassDef)
        ]

    def is_as_imported(self, namespace: dict[str, Any]) -> bool:
        """Whether the text is the one that the module with this namespace was made from.

        It is if it was there before the import began. Of one that was edited only just then, the byte code tells that the import
        has left behind.
        """
        loading = namespace.get("__spec__")
        if self._as_imported is None or self._as_imported[0] is not loading:
            self._as_imported = loading, self._check_as_imported(str(namespace.get("__name__")), loading)
        return self._as_imported[1]

    def _match(self, code: CodeType) -> CodeType | None:
        flags = code.co_flags & _FUTURE_FLAGS
        candidates: Sequence[CodeType] = ()
        # To compile all of a long text, of which a few functions are reached, takes longer than whatever else is done with them.
        for number in (self._statement_at(code.co_firstlineno), _WHOLE):
            candidates = self._codes(flags, number).get(code.co_qualname, ())
            for compiled in candidates:
                if compiled == code and compiled.co_firstlineno == code.co_firstlineno:
                    return compiled
        # Lines above it may have come or gone without changing what it does.
        wanted = shape_of(code) if candidates else b""
        moved = [compiled for compiled in candidates if shape_of(compiled) == wanted]
        return moved[0] if len(moved) == 1 else None

    def _statement_at(self, line: int) -> int:
        """Return the number of the module's last statement that begins on a line or above it."""
        return max(0, bisect.bisect_right(self._first_lines, line) - 1)

    @cached_property
    def _first_lines(self) -> list[int]:
        return [first_line(node) for node in self.tree.body] if self.tree is not None else []

    def _codes(self, flags: int, number: int) -> dict[str, list[CodeType]]:
        """Return the code objects of one statement of the module, or of all of them."""
        known = self._compiled.get((flags, number))
        if known is None:
            known = self._compiled[flags, number] = {}
            for code in _walk_codes(self._compile(flags, number)):
                known.setdefault(code.co_qualname, []).append(code)
        return known

    def _compile(self, flags: int, number: int) -> CodeType:
        if self.tree is None:
            return _NO_CODE
        part = self.tree if number == _WHOLE else ast.Module(self.tree.body[number : number + 1], [])
        # A notebook's cell may await at its top level.
        allowed = flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        try:
            module: CodeType = compile(part, self.filename, "exec", flags=allowed, dont_inherit=True)
        except (SyntaxError, ValueError):
            return _NO_CODE
        return module

    def _check_as_imported(self, name: str, loading: Any) -> bool:
        if not self.stamp:
            return True
        modified_ns = self.stamp[0]
        seen_ns = began_ns(name, loading)
        before_ns = _PROCESS_STARTED_NS if seen_ns is None else seen_ns
        ahead_ns = modified_ns - time.time_ns()
        if ahead_ns > 0:
            # By a server's clock that is ahead of ours, or as somebody has set it: of such a time nobody says what it came before.
            return ahead_ns > _FAR_AHEAD_NS or _has_cache_of(self.filename, *self.stamp)
        written_ns = _cache_written_ns(self.filename)
        if written_ns is not None and written_ns < modified_ns and _has_cache_of(self.filename, *self.stamp):
            # Python has taken byte code of what was there earlier in the same second for that of this text.
            return False
        if modified_ns < before_ns - _STEP_NS:
            return True
        if seen_ns is None or written_ns is None or modified_ns > seen_ns:
            return False
        return written_ns < seen_ns + _LONGEST_NS and _has_cache_of(self.filename, *self.stamp)


_sources: dict[str, Source] = {}
# What stands for the loadings of modules, by ids, numbered.
_loadings: dict[int, tuple[Any, int]] = {}
# The clock of files goes in steps, and a large text takes its time to be compiled.
_STEP_NS, _LONGEST_NS = 10_000_000, 5_000_000_000
# So far no clock is ahead of another one by mistake: nobody has edited that file just now.
_FAR_AHEAD_NS = 3_600_000_000_000


def unknown_text(namespace: dict[str, Any]) -> str:
    """Return what stands for the text of a module that is not known any more: it is told from any other by its loading.

    Examples
    --------
    >>> unknown_text(globals()) == unknown_text(globals())
    True
    """
    loading = namespace.get("__spec__")
    number = _loadings.setdefault(id(loading), (loading, len(_loadings)))[1]
    return f"edited since it was imported: {_PROCESS_STARTED_NS}, {os.getpid()}, {number}"


def find_source(filename: str, namespace: dict[str, Any] | None = None) -> Source | None:
    """Return the source that a file name stands for, re-read if the file has changed; None if there is none.

    Parameters
    ----------
    filename : str
        A path, or the name under which a notebook, a prompt or a loader keeps its text.
    namespace : dict, optional
        The globals of the module, by which its loader can be asked.
    """
    known = _sources.get(filename)
    try:
        status = os.stat(filename)
    except (OSError, ValueError):
        return _from_cache(filename, namespace, known)
    stamp = (status.st_mtime_ns, status.st_size)
    if known is not None and known.stamp == stamp:
        return known
    try:
        with open(filename, "rb") as file:
            text = decode_source(file.read())
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    _sources[filename] = Source(filename, text, stamp)
    return _sources[filename]


def _from_cache(filename: str, namespace: dict[str, Any] | None, known: Source | None) -> Source | None:
    import linecache

    text = "".join(linecache.getlines(filename, namespace))
    if not text:
        return None
    if known is None or known.text != text:
        known = _sources[filename] = Source(filename, text, ())
    return known


FindSource = Callable[[str, dict[str, Any] | None], Source | None]


def source_of(function: FunctionType, find: FindSource = find_source) -> Source | None:
    """Return the source of a function, looked up by `find`; None if it has none."""
    filename = function.__code__.co_filename
    if not os.path.isabs(filename) and not filename.startswith("<"):
        # A script is compiled under the path that was typed, which means nothing after a change of folder.
        file = function.__globals__.get("__file__")
        if isinstance(file, str) and os.path.basename(file) == os.path.basename(filename):
            filename = file
    return find(filename, function.__globals__)


def first_line(node: ast.stmt | ast.Lambda) -> int:
    """Return the line on which a statement begins, the decorators of a definition included."""
    decorators = getattr(node, "decorator_list", [])
    return min(int(part.lineno) for part in (node, *decorators))


def byte_code_digest(code: CodeType) -> str:
    """Return a digest of byte code; it holds for one version of Python only, and says so."""
    tag = f"{sys.implementation.cache_tag}:{MAGIC_NUMBER.hex()}:"
    return hashlib.sha256(b"byte code " + tag.encode() + shape_of(code)).hexdigest()


def shape_of(code: CodeType) -> bytes:
    """Return what a code object does, without the lines that it stands on."""
    whole = hashlib.sha256()
    for item in (
        code.co_name,
        code.co_qualname,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
    ):
        whole.update(repr(item).encode("utf-8", "surrogatepass") + b"\0")
    for content in (code.co_code, code.co_exceptiontable):
        whole.update(b"%d:" % len(content) + content)
    for constant in code.co_consts:
        whole.update(_constant_shape(constant) + b"\0")
    return whole.digest()


def _constant_shape(constant: Any) -> bytes:
    if isinstance(constant, CodeType):
        return b"code " + shape_of(constant)
    if isinstance(constant, tuple):
        return b"(" + b",".join(map(_constant_shape, constant)) + b")"
    if isinstance(constant, frozenset):
        return b"{" + b",".join(sorted(map(_constant_shape, constant))) + b"}"
    if isinstance(constant, int) and not isinstance(constant, bool):
        return b"int %x" % constant
    return repr((type(constant).__name__, constant)).encode("utf-8", "surrogatepass")


def is_older_than_process(path: str) -> bool:
    """Whether a file was written before this process began, so that it is what was read since, whenever that was.

    Examples
    --------
    >>> is_older_than_process(ast.__file__)
    True
    """
    return os.stat(path).st_mtime_ns < _PROCESS_STARTED_NS


def _walk_codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _walk_codes(constant)


def _walk_statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Go through all statements, breadth first, without a look into the expressions in them, which are many more."""
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        kind = type(node)
        names = _blocks.get(kind)
        if names is None:
            names = _blocks[kind] = tuple(name for name in _BLOCKS if name in kind._fields)
        for name in names:
            waiting.extend(getattr(node, name))
        yield node


def _walk_definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Definition]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            yield from _walk_definitions(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + child.name, child
            yield from _walk_definitions(child, f"{prefix}{child.name}.<locals>.")
        else:
            yield from _walk_definitions(child, prefix)


def _lambda_around(code: CodeType, nodes: list[Definition]) -> Definition | None:
    """Several lambdas may stand on one line: the innermost whose body has all of the code's positions is meant."""
    starts, ends = [], []
    for line, end_line, column, end_column in code.co_positions():
        if line and end_line and column is not None and end_column is not None and end_column > 0:
            starts.append((line, column))
            ends.append((end_line, end_column))
    fitting: list[tuple[tuple[int, int], tuple[int, int], Definition]] = []
    for node in nodes:
        if isinstance(node, ast.Lambda) and starts:
            body = node.body
            start, end = (body.lineno, body.col_offset), (body.end_lineno or 0, body.end_col_offset or 0)
            if start <= min(starts) and max(ends) <= end:
                fitting.append((start, end, node))
    if not fitting:
        return nodes[0] if len(nodes) == 1 else None
    return max(fitting, key=lambda found: (found[0], (-found[1][0], -found[1][1])))[2]


def _cache_written_ns(filename: str) -> int | None:
    """Return when the cached byte code of a file was written; None if there is none."""
    try:
        return os.stat(cache_from_source(filename)).st_mtime_ns
    except (OSError, NotImplementedError, ValueError):
        return None


def _has_cache_of(filename: str, modified_ns: int, size: int) -> bool:
    """Whether the cached byte code says that it was made from a text of this time and size."""
    try:
        with open(cache_from_source(filename), "rb") as file:
            header = file.read(16)
    except OSError:
        return False
    stamp = (number & 0xFFFFFFFF for number in (0, modified_ns // 1_000_000_000, size))
    return header == MAGIC_NUMBER + b"".join(number.to_bytes(4, "little") for number in stamp)


def _process_start_ns() -> int:
    """When this process began, a little early rather than late; 0 where the system does not say."""
    import time

    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0
    return time.time_ns() - int((age_s + 0.05) * 1e9)


_PROCESS_STARTED_NS = _process_start_ns()
