"""Finds experiments and parameter files by reading them, without importing any."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from curifactory.errors import ParameterError

RUN = "run"
#: How the names of parameter files end that are no Python.
YAML = (".yaml", ".yml")
GET_PARAMS = "get_params"


class Listed(NamedTuple):
    """An experiment or a parameter file that was found.

    Parameters
    ----------
    name : str
        Dotted name below its folder, as it is written on the command line.
    doc : str
        First line of its docstring; may be empty.
    file : Path
        Where it lies.
    error : str, optional
        Why the file cannot be read, with the line; such a file is listed all the same.
    """

    name: str
    doc: str
    file: Path
    error: str | None = None

    def to_json(self, root: Path) -> dict[str, str | None]:
        """Return the entry as JSON values, the file relative to the project."""
        return {"name": self.name, "doc": self.doc, "file": show_path(self.file, root), "error": self.error}


class Outline(NamedTuple):
    """What a Python file says without being run: the first line of its docstring and the names that it binds."""

    doc: str = ""
    names: frozenset[str] = frozenset()
    error: str | None = None


def list_experiments(folder: Path, *, root: Path) -> list[Listed]:
    r"""List the files below a folder that have a ``run``, and those that do not parse, by name.

    Parameters
    ----------
    folder : Path
        The project's experiments.
    root : Path
        The project; errors name files relative to it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "iris.py").write_text('"Sort flowers."\ndef run(\n    sets, manager\n): ...')
    ...     [(found.name, found.doc) for found in list_experiments(Path(folder), root=Path(folder))]
    [('iris', 'Sort flowers.')]
    """
    return list(_iter_listed(folder, RUN, root=root, broken=True))


def list_parameter_files(params: Path, experiments: Path, *, root: Path) -> list[Listed]:
    """List parameter files, in Python and in YAML, then experiments with a ``get_params`` that no such file hides.

    Parameters
    ----------
    params, experiments : Path
        The project's folders.
    root : Path
        The project; errors name files relative to it.

    Examples
    --------
    >>> list_parameter_files(Path("/none"), Path("/none"), root=Path("/"))
    []
    """
    found = {listed.name: listed for listed in _iter_yaml(params, root=root)}
    found |= {listed.name: listed for listed in _iter_listed(params, GET_PARAMS, root=root, broken=True)}
    for listed in _iter_listed(experiments, GET_PARAMS, root=root, broken=False):
        found.setdefault(listed.name, listed)
    return sorted(found.values(), key=lambda listed: listed.name)


def _iter_listed(folder: Path, function: str, *, root: Path, broken: bool) -> Iterator[Listed]:
    for name, file in iter_modules(folder):
        outline = read_outline(file, root=root)
        if function in outline.names or (broken and outline.error):
            yield Listed(name, outline.doc, file, outline.error)


def _iter_yaml(folder: Path, *, root: Path) -> Iterator[Listed]:
    for name, file in iter_modules(folder, extensions=YAML):
        from curifactory.parameters.yaml_text import read_yaml

        shown = show_path(file, root)
        try:
            yield Listed(name, read_yaml(file.read_text(encoding="utf-8-sig"), shown=shown).doc, file)
        except ParameterError as error:
            yield Listed(name, "", file, error.message.removesuffix("."))
        except (OSError, UnicodeDecodeError) as error:
            yield Listed(name, "", file, f"{shown}: {getattr(error, 'strerror', None) or error}")


def iter_modules(folder: Path, *, extensions: tuple[str, ...] = (".py",)) -> Iterator[tuple[str, Path]]:
    """Yield dotted name and file of every module below a folder, by name; the folder's own ``__init__`` is none.

    Parameters
    ----------
    folder : Path
        Where to look.
    extensions : tuple of str
        Of which files.

    Examples
    --------
    >>> list(iter_modules(Path("/none")))
    []
    """
    found: list[tuple[str, Path]] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__")) and "." not in name]
        parts = Path(place).relative_to(folder).parts
        for file in files:
            stem, extension = os.path.splitext(file)
            if extension not in extensions or "." in stem:
                continue
            whole = parts if stem == "__init__" else (*parts, stem)
            if whole:
                found.append((".".join(whole), Path(place, file)))
    yield from sorted(found)


def read_outline(file: Path, *, root: Path) -> Outline:
    """Parse a file and return what it says; its error if it does not parse.

    Parameters
    ----------
    file : Path
        A Python file.
    root : Path
        The project; the error names the file relative to it.

    Examples
    --------
    >>> read_outline(Path("/none.py"), root=Path("/")).error
    'none.py: No such file or directory'
    """
    shown = show_path(file, root)
    try:
        with warnings.catch_warnings():
            # What a person's text makes Python warn of is for the run to show, not for a list.
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes(), filename=str(file))
    except OSError as error:
        return Outline(error=f"{shown}: {error.strerror}")
    except SyntaxError as error:
        return Outline(error=f"{shown}:{error.lineno or 1}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return Outline(error=f"{shown}: {str(error) or type(error).__name__}")
    docstring = ast.get_docstring(tree) or ""
    lines = docstring.strip().splitlines()
    return Outline(lines[0].strip() if lines else "", frozenset(_iter_names(tree.body)))


def _iter_names(statements: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that are bound at the top of a module, in the branches of its conditions too."""
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield statement.name
        elif isinstance(statement, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in statement.names)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            yield from _iter_names(statement.body)
            if not isinstance(statement, ast.With):
                yield from _iter_names(statement.orelse)
            if isinstance(statement, ast.Try):
                yield from _iter_names(statement.finalbody)
                for handler in statement.handlers:
                    yield from _iter_names(handler.body)


def show_path(path: Path, root: Path) -> str:
    """Return a path as messages show it: relative to the project where it lies in it.

    Examples
    --------
    >>> show_path(Path("/p/experiments/iris.py"), Path("/p"))
    'experiments/iris.py'
    """
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
