"""Reads the settings from everywhere they may stand, and tells all their faults at once."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from curifactory.core.nearest import suggest
from curifactory.errors import ConfigurationError
from curifactory.project.root import OLDER_FILE, PYPROJECT, SECTION
from curifactory.project.settings import Settings

PREFIX = "CURIFACTORY_"
COMMAND_LINE = "command line"
DEFAULT = "default"

_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {field.name: field.default for field in dataclasses.fields(Settings)}
)
_MODULE_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
# A folder that was not set lies where the one that was set says.
_BELOW = (
    ("cache_path", "manager_cache_path", "cache"),
    ("runs_path", "manager_cache_path", "runs"),
    ("report_css_path", "reports_path", "style.css"),
)


class LoadedSettings(NamedTuple):
    """Settings and, for each of them, where its value comes from.

    Parameters
    ----------
    settings : Settings
        With absolute paths.
    sources : mapping of str to str
        Name of each setting to ``command line``, an environment variable, a file's name, or ``default``.
    """

    settings: Settings
    sources: Mapping[str, str]


def read_settings(
    root: Path, *, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> LoadedSettings:
    """Read a project's settings; of several places the command line wins, then environment, TOML, JSON, default.

    Parameters
    ----------
    root : Path
        The project's folder; relative paths are relative to it.
    environment : mapping of str to str, optional
        Where ``CURIFACTORY_CACHE_PATH`` and the like are looked up; the process's own if None.
    overrides : mapping of str to Any, optional
        What the command line says, by name of the setting.

    Returns
    -------
    LoadedSettings
        The settings and their sources.

    Raises
    ------
    ConfigurationError
        If a file cannot be read, a name is unknown or a value is of the wrong type; all faults are told at once.

    Examples
    --------
    >>> read = read_settings(Path("/"), environment={"CURIFACTORY_REPORTS_PATH": "pages"})
    >>> read.settings.report_css_path.as_posix(), read.sources["reports_path"]
    ('/pages/style.css', 'CURIFACTORY_REPORTS_PATH')
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    sources = dict.fromkeys(_DEFAULTS, DEFAULT)
    for source, given in (
        (OLDER_FILE, _read_json(root / OLDER_FILE, faults)),
        (PYPROJECT, _read_toml(root / PYPROJECT, faults)),
        (PREFIX, _read_environment(os.environ if environment is None else environment)),
        (COMMAND_LINE, dict(overrides or {})),
    ):
        for name, raw in given.items():
            place = PREFIX + name.upper() if source == PREFIX else source
            value = _check(name, raw, place, from_text=source == PREFIX, faults=faults)
            if value is not None:
                values[name], sources[name] = value, place
    if faults:
        raise ConfigurationError(_tell(faults))
    return LoadedSettings(_complete(values, root), sources)


def _tell(faults: list[str]) -> str:
    if len(faults) == 1:
        return faults[0]
    lines = "".join(f"\n  {fault}" for fault in faults)
    return f"The settings have {len(faults)} faults:{lines}"


def _complete(values: dict[str, Any], root: Path) -> Settings:
    for name, folder, leaf in _BELOW:
        if name not in values and folder in values:
            values[name] = values[folder] / leaf
    complete: dict[str, Any] = {
        name: Path(os.path.normpath(root / value.expanduser())) if isinstance(value, Path) else value
        for name, value in {**_DEFAULTS, **values}.items()
    }
    return Settings(**complete)


def _read_toml(path: Path, faults: list[str]) -> dict[str, Any]:
    text = _read_text(path, faults)
    if text is None or SECTION.partition(".")[2] not in text:
        return {}
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{path.name} is no valid TOML: {error}.")
        return {}
    tool = document.get("tool", {})
    section = tool.get("curifactory", {}) if isinstance(tool, dict) else {}
    if not isinstance(section, dict):
        faults.append(f"{path.name}: {SECTION} is {_kind_of(section)}; write it as a section [{SECTION}].")
        return {}
    return section


def _read_json(path: Path, faults: list[str]) -> dict[str, Any]:
    text = _read_text(path, faults)
    if text is None:
        return {}
    import json

    try:
        document = json.loads(text)
    except ValueError as error:
        faults.append(f"{path.name} is no valid JSON: {error}.")
        return {}
    if not isinstance(document, dict):
        faults.append(f"{path.name} holds {_kind_of(document)}; write an object of settings.")
        return {}
    return document


def _read_text(path: Path, faults: list[str]) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{path.name} cannot be read: {error}.")
        return None


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): text
        for name, text in environment.items()
        if name.startswith(PREFIX) and text
    }


def _check(name: str, raw: Any, place: str, *, from_text: bool, faults: list[str]) -> Any:
    """Return the value as the setting's type, or None and one more fault."""
    if name not in _DEFAULTS:
        hint = suggest(name, list(_DEFAULTS), nothing="")
        faults.append(f"{place}: there is no setting '{name}'. {hint}")
        return None
    default = _DEFAULTS[name]
    if from_text:
        raw = _from_text(raw, default)
    if isinstance(default, bool):
        expected, fits = "true or false", isinstance(raw, bool)
    elif isinstance(default, int) or default is None:
        # What is not set by default is a number, too.
        expected = "a whole number, 0 or more"
        fits = isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0
    elif isinstance(default, tuple):
        expected = "a list of names"
        fits = isinstance(raw, (list, tuple)) and all(isinstance(each, str) and each for each in raw)
    elif isinstance(default, Path):
        expected = "a path"
        fits = isinstance(raw, Path) or (isinstance(raw, str) and bool(raw.strip()) and "\0" not in raw)
    else:
        expected = "a dotted module name such as 'experiments'"
        fits = isinstance(raw, str) and _MODULE_NAME.fullmatch(raw) is not None
    if not fits:
        faults.append(f"{place}: {name} is {raw!r}, {_kind_of(raw)}; it must be {expected}.")
        return None
    return raw if default is None else type(default)(raw)


def _from_text(text: str, default: Any) -> Any:
    if isinstance(default, bool):
        folded = text.strip().lower()
        return True if folded in _YES else False if folded in _NO else text
    if isinstance(default, int) or default is None:
        return int(text) if text.strip().isdecimal() else text
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _kind_of(value: Any) -> str:
    kinds = {
        str: "a text",
        bool: "a truth value",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a table",
    }
    return "nothing" if value is None else kinds.get(type(value), f"of type {type(value).__name__}")
