"""Code that reads docstrings, source text or annotations: what is otherwise left out of a fingerprint counts then."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from curifactory.identity.code_scan import Scan
from curifactory.identity.source import Source

if TYPE_CHECKING:
    from curifactory.identity.reach import Reach

_TEXT_WORDS = frozenset({"__doc__", "getcomments", "getdoc", "getsource", "getsourcelines"})
_ANNOTATION_WORDS = frozenset(
    {
        "__annotate__",
        "__annotations__",
        "get_annotations",
        "get_type_hints",
        "getfullargspec",
        "signature",
    }
)


# Schemas of classes describe them by their docstrings, and by strings below fields.
_STRING_WORDS = frozenset({"json_schema", "model_json_schema", "schema_json"})


class TextVisitor:
    """Enters the texts of files, or the annotations in them, where code was reached that asks for such."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._texts_asked_by: str | None = None
        self._annotations_asked_by: str | None = None
        self._strings_asked_by: str | None = None

    def look_into(self, found: Scan, label: str) -> None:
        """Note what a function asks for."""
        names = {imported.name for imported in found.imports if imported.name is not None}
        self.look_at({*found.attributes, *names, *(use.chain[0] for use in found.uses)}, label)

    def look_at(self, names: Iterable[str], label: str) -> None:
        """Note what is asked for by one of the names that a part of the code mentions."""
        mentioned = set(names)
        if self._texts_asked_by is None and not _TEXT_WORDS.isdisjoint(mentioned):
            self._texts_asked_by = label
        if self._annotations_asked_by is None and not _ANNOTATION_WORDS.isdisjoint(mentioned):
            self._annotations_asked_by = label
        if self._strings_asked_by is None and not _STRING_WORDS.isdisjoint(mentioned):
            self._strings_asked_by = label

    def enter(self) -> None:
        """Enter what was asked for, of every file of the project that was looked at."""
        if self._texts_asked_by is not None:
            for source, place in self._sources():
                self._reach.ledger.put(f"text of {place.rpartition(':')[0]}", [source.text], place)
            self._reach.ledger.note(
                f"{self._texts_asked_by} reads docstrings or source text: comments count too, in all files that it reaches."
            )
            return
        if self._annotations_asked_by is not None:
            self._enter_written("annotations", _annotations)
        if self._strings_asked_by is not None:
            self._enter_written("docstrings", _strings)

    def _enter_written(self, what: str, find: Callable[[ast.Module], Iterable[str]]) -> None:
        for source, place in self._sources():
            written = [] if source.tree is None else [*find(source.tree)]
            if written:
                self._reach.ledger.put(f"{what} in {place.rpartition(':')[0]}", written, place)

    def _sources(self) -> list[tuple[Source, str]]:
        return [
            (source, self._reach.modules.place(filename, 1))
            for filename, source in sorted(self._reach.modules.sources.items())
            if source is not None and (filename.startswith("<") or self._reach.scope.contains_file(filename))
        ]


def _annotations(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            yield f"{node.arg}: {ast.unparse(node.annotation)}"
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{node.name} -> {'' if node.returns is None else ast.unparse(node.returns)}"
        elif isinstance(node, ast.AnnAssign):
            yield f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}"


def _strings(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.value.value
