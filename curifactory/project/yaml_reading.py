"""What YAML parameter files say of sets and names, for words on a command line; nothing of them is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curifactory.errors import CurifactoryError
from curifactory.project.reading import Reading


def list_tree_names(file: Path) -> list[str]:
    """Return the names of the sets of a YAML file; one that cannot be read has none.

    Examples
    --------
    >>> list_tree_names(Path("/none.yaml"))
    []
    """
    tree = _read(file)
    written = tree.get("sets")
    if isinstance(written, dict):
        return [str(name) for name in written]
    if isinstance(written, list):
        return [
            entry["name"]
            for entry in written
            if isinstance(entry, dict) and isinstance(entry.get("name"), str)
        ]
    name = tree.get("name", file.stem)
    return [name] if tree and isinstance(name, str) else []


def find_tree_choices(reading: Reading, file: Path) -> dict[str, list[str]]:
    """Return the names of parameters of a YAML file with the values that they allow.

    Parameters
    ----------
    reading : Reading
        Reads the module of the class that the file names.
    file : Path
        The YAML file.

    Examples
    --------
    >>> find_tree_choices(Reading(Path("/")), Path("/none.yaml"))
    {}
    """
    tree = _read(file)
    written = tree.get("class")
    if isinstance(written, str):
        module = reading.find_module(written.replace(":", ".").rpartition(".")[0])
        return {} if module is None else reading.find_choices(module)
    parts = [tree.get("defaults"), *_entries(tree["sets"])] if "sets" in tree else [tree]
    found: dict[str, list[str]] = {}
    for part in parts:
        for name, value in _iter_leaves(part, ""):
            found.setdefault(name, ["True", "False"] if isinstance(value, bool) else [])
    return found


def _entries(written: Any) -> list[Any]:
    return list(written.values()) if isinstance(written, dict) else list(written or [])


def _iter_leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if prefix == "" and name in ("name", "extends", "include", "library"):
            continue
        if isinstance(inner, dict):
            yield from _iter_leaves(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def _read(file: Path) -> dict[str, Any]:
    from curifactory.parameters.yaml_text import read_yaml

    try:
        value = read_yaml(file.read_text(encoding="utf-8-sig"), shown=file.name).value
    except (OSError, UnicodeDecodeError, CurifactoryError):
        return {}
    return value if isinstance(value, dict) else {}
