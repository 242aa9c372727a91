"""What Python files of a project say of stages, parameter sets and fields, read without running any of them."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from curifactory.project.listing import GET_PARAMS

_DECORATORS = ("stage", "aggregate")
_BASE = "ExperimentParameters"
# What other packages make fields of: the decorators of attrs, the base of pydantic.
_ATTRS = ("define", "frozen", "mutable", "attrs", "s")
_MODEL = "BaseModel"
_ENUMS = ("Enum", "Flag")
# Imports are followed this far from the file that is asked about.
_FARTHEST = 4
# The fields that every parameter set has.
_OWN_FIELDS = ("name",)


@dataclass(frozen=True, slots=True)
class _Text:
    """A file that was read: its statements, and which names it takes from where."""

    tree: ast.Module
    taken: dict[str, tuple[str, str]] = field(default_factory=dict)
    modules: tuple[str, ...] = ()


class Reading:
    r"""Reads a file and the project's modules that it imports.

    What cannot be read, or is made while the code runs (names in f-strings, sets of a sweep), is not found.

    Parameters
    ----------
    root : Path
        The project; only modules below it are looked into.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "iris.py")
    ...     _ = file.write_text("@cf.stage(outputs=['rows'])\ndef load(record): ...\n")
    ...     Reading(Path(folder)).list_stages(file)
    ['load']
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[Path, _Text | None] = {}

    def list_stages(self, file: Path) -> list[str]:
        """Return the names of stages and aggregates that a file defines or has by its imports."""
        found: dict[str, None] = {}
        for text in self._iter_texts(file):
            for statement in ast.walk(text.tree):
                if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
                    _last_name(decorator) in _DECORATORS for decorator in statement.decorator_list
                ):
                    found.setdefault(statement.name)
        return list(found)

    def list_set_names(self, file: Path) -> list[str]:
        """Return the names that ``get_params`` writes down for its sets."""
        return list(self.find_set_lines(file))

    def find_set_lines(self, file: Path) -> dict[str, list[int]]:
        """Return each name that ``get_params`` writes down for a set, with the lines where it stands."""
        text = self._read(file)
        if text is None:
            return {}
        functions = {
            statement.name: statement
            for statement in text.tree.body
            if isinstance(statement, ast.FunctionDef)
        }
        found: dict[str, list[int]] = {}
        for function in _reached(functions, GET_PARAMS):
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    for keyword in node.keywords:
                        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                            found.setdefault(str(keyword.value.value), []).append(keyword.value.lineno)
        return found

    def find_choices(self, file: Path) -> dict[str, list[str]]:
        """Return the fields of the parameter classes that a file defines or takes from others, nested ones with dots.

        With each stand the values that its type allows, none where it allows many: the members of an enum, the values of a ``Literal``, and True and False.
        """
        found: dict[str, list[str]] = {}
        for text in self._iter_texts(file):
            for statement in text.tree.body:
                if isinstance(statement, ast.ClassDef) and self._is_parameters(statement, text):
                    for name, annotation, around in self._iter_fields(statement, text, ""):
                        if name not in found and name not in _OWN_FIELDS:
                            found[name] = list(dict.fromkeys(self._iter_choices(annotation, around)))
        return found

    def _iter_choices(self, annotation: ast.expr, text: _Text) -> Iterator[str]:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except (SyntaxError, ValueError):
                return
        if isinstance(annotation, ast.BinOp):
            yield from self._iter_choices(annotation.left, text)
            yield from self._iter_choices(annotation.right, text)
        elif isinstance(annotation, ast.Constant):
            yield str(annotation.value)
        elif isinstance(annotation, ast.Subscript):
            inner = annotation.slice
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            kind = _last_name(annotation.value)
            if kind == "Literal":
                yield from (str(item.value) for item in items if isinstance(item, ast.Constant))
            elif kind in ("Annotated", "Optional", "Union"):
                for item in items[: 1 if kind == "Annotated" else None]:
                    yield from self._iter_choices(item, text)
            if kind == "Optional":
                yield "None"
        elif _last_name(annotation) == "bool":
            yield from ("True", "False")
        else:
            below = self._find_class(_last_name(annotation), text)
            if below is not None and any(_last_name(base).endswith(_ENUMS) for base in below[0].bases):
                yield from _iter_members(below[0])

    def _iter_fields(
        self, cls: ast.ClassDef, text: _Text, prefix: str, depth: int = 0
    ) -> Iterator[tuple[str, ast.expr, _Text]]:
        for base in cls.bases:
            above = self._find_class(_last_name(base), text)
            if above is not None and depth < _FARTHEST:
                yield from self._iter_fields(above[0], above[1], prefix, depth + 1)
        for statement in cls.body:
            if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
                continue
            kind = _last_name(statement.annotation)
            name = statement.target.id
            if kind == "ClassVar" or name.startswith("_"):
                continue
            yield f"{prefix}{name}", statement.annotation, text
            below = self._find_class(kind, text)
            if below is not None and depth < _FARTHEST and self._has_fields(*below):
                yield from self._iter_fields(below[0], below[1], f"{prefix}{name}.", depth + 1)

    def _is_parameters(self, cls: ast.ClassDef, text: _Text) -> bool:
        if self._comes_from(_BASE, cls, text):
            return True
        # Classes of attrs and pydantic are sets as they are, if they have a name.
        is_of_others = _is_decorated(cls, _ATTRS) or self._comes_from(_MODEL, cls, text)
        return is_of_others and any(name == "name" for name, _, _ in self._iter_fields(cls, text, ""))

    def _has_fields(self, cls: ast.ClassDef, text: _Text) -> bool:
        return _is_decorated(cls, ("dataclass", *_ATTRS)) or self._comes_from(_MODEL, cls, text)

    def _comes_from(self, wanted: str, cls: ast.ClassDef, text: _Text, depth: int = 0) -> bool:
        for base in cls.bases:
            name = _last_name(base)
            if name == wanted:
                return True
            above = self._find_class(name, text) if depth < _FARTHEST else None
            if above is not None and self._comes_from(wanted, above[0], above[1], depth + 1):
                return True
        return False

    def _find_class(self, name: str, text: _Text) -> tuple[ast.ClassDef, _Text] | None:
        for statement in text.tree.body:
            if isinstance(statement, ast.ClassDef) and statement.name == name:
                return statement, text
        if name in text.taken:
            module, original = text.taken[name]
            file = self.find_module(module)
            other = None if file is None else self._read(file)
            if other is not None and other is not text:
                return self._find_class(original, other)
        return None

    def _iter_texts(self, file: Path) -> Iterator[_Text]:
        seen = {file}
        pending = [(file, 0)]
        while pending:
            current, distance = pending.pop(0)
            text = self._read(current)
            if text is None:
                continue
            yield text
            for module in text.modules if distance < _FARTHEST else ():
                found = self.find_module(module)
                if found is not None and found not in seen:
                    seen.add(found)
                    pending.append((found, distance + 1))

    def find_module(self, name: str) -> Path | None:
        """Return the file of a module of the project, None if it is none of it."""
        place = self._root.joinpath(*name.split("."))
        for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if file.is_file():
                return file
        return None

    def _read(self, file: Path) -> _Text | None:
        if file not in self._texts:
            self._texts[file] = self._parse(file)
        return self._texts[file]

    def _parse(self, file: Path) -> _Text | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        package = ".".join(file.relative_to(self._root).parts[:-1]) if file.is_relative_to(self._root) else ""
        taken: dict[str, tuple[str, str]] = {}
        modules: list[str] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = _absolute(node, package)
                modules += [module, *(f"{module}.{alias.name}" for alias in node.names)]
                taken |= {alias.asname or alias.name: (module, alias.name) for alias in node.names}
        return _Text(tree, taken, tuple(dict.fromkeys(modules)))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _last_name(node: ast.expr) -> str:
    """Return the last word of a decorator, base class or annotation: ``stage`` of ``@cf.stage(...)``."""
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rpartition(".")[2]
    return node.id if isinstance(node, ast.Name) else ""


def _is_decorated(cls: ast.ClassDef, names: tuple[str, ...]) -> bool:
    return any(_last_name(decorator) in names for decorator in cls.decorator_list)


def _iter_members(cls: ast.ClassDef) -> Iterator[str]:
    for statement in cls.body:
        if isinstance(statement, ast.Assign):
            yield from (
                target.id
                for target in statement.targets
                if isinstance(target, ast.Name) and not target.id.startswith("_")
            )


def _reached(functions: dict[str, ast.FunctionDef], first: str) -> list[ast.FunctionDef]:
    """Return a function and those of the same file that it names."""
    found: dict[str, ast.FunctionDef] = {}
    pending = [first]
    while pending:
        name = pending.pop()
        if name in functions and name not in found:
            found[name] = functions[name]
            pending += [node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)]
    return list(found.values())
