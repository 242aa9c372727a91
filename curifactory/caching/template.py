"""Templates of ``path_override``: which keys they may name, and what they become."""

from __future__ import annotations

import os
import string
from collections.abc import Iterator, Mapping
from typing import Any

from curifactory.caching.names import safe_name
from curifactory.errors import CacheError, DefinitionError

KEYS = ("hash", "cache", "stage", "name", "params.X", "experiment", "artifact_filename")

_PLAIN = frozenset(key for key in KEYS if key != "params.X")
_NAMES = frozenset({"stage", "name", "experiment"})


def check_template(template: str) -> None:
    """Refuse a template that names unknown keys.

    Raises
    ------
    DefinitionError
        If a key is not one of :data:`KEYS`, is more than attribute names, or the braces do not match.

    Examples
    --------
    >>> check_template("{cache}/{name}_{params.model.depth}.pkl")
    >>> check_template("{nam}.pkl")
    Traceback (most recent call last):
    ...
    curifactory.errors.DefinitionError: path_override '{nam}.pkl' names {nam}. The keys are {hash}, ...
    """
    unknown = [
        "{" + field + "}"
        for _, field, spec, conversion in _iter_fields(template)
        if not _is_known(field) or conversion or "{" in spec
    ]
    if unknown:
        keys = ", ".join("{" + key + "}" for key in KEYS)
        raise DefinitionError(
            f"path_override {template!r} names {', '.join(unknown)}.",
            hint=f"The keys are {keys}; X is a parameter, nested ones by dots.",
        )


def expand_template(template: str, values: Mapping[str, Any]) -> str:
    """Return the path that a template stands for.

    Names of stages, outputs, experiments and parameter sets are made safe; a parameter's text may have slashes, but
    never ``..`` or NUL.

    Parameters
    ----------
    template : str
        A ``path_override``.
    values : mapping
        The value of each plain key, and ``params``.

    Raises
    ------
    DefinitionError
        If the template is wrong, or names a parameter that is not there.
    CacheError
        If a parameter's value cannot be a part of a path.

    Examples
    --------
    >>> expand_template("models/{name}.pkl", {"name": "model"})
    'models/model.pkl'
    """
    check_template(template)
    parts = []
    for literal, field, spec, _ in _iter_fields(template, with_tail=True):
        parts.append(literal)
        if field in _NAMES:
            parts.append(format(safe_name(values[field]), spec))
        elif field in _PLAIN:
            parts.append(format(values[field], spec))
        elif field:
            parts.append(_parameter_text(template, field, values.get("params"), spec))
    return "".join(parts)


def template_extension(template: str, extension: str) -> str:
    """Return the extension of the path that a template stands for.

    Only what is written out counts: ``.5`` in ``{params.rate}`` is no extension.

    Parameters
    ----------
    template : str
        A ``path_override``.
    extension : str
        Extension of the cacher, which ``{artifact_filename}`` ends with.

    Examples
    --------
    >>> template_extension("{cache}/{name}.tar.gz", ".pkl"), template_extension("{artifact_filename}", ".pkl")
    ('.gz', '.pkl')
    """
    tail, last_field = "", ""
    for literal, field, _, _ in _iter_fields(template, with_tail=True):
        tail, last_field = ("", field) if field else (literal, last_field)
    if not tail:
        return extension if last_field == "artifact_filename" else ""
    # The letter stands for what comes before, so that a dot behind a field is not taken for a hidden file's.
    return os.path.splitext(f"x{tail}" if last_field else tail)[1]


def _iter_fields(template: str, *, with_tail: bool = False) -> Iterator[tuple[str, str, str, str]]:
    try:
        for literal, field, spec, conversion in string.Formatter().parse(template):
            if field == "":
                raise ValueError("empty braces")
            if field is not None or with_tail:
                yield literal, field or "", spec or "", conversion or ""
    except ValueError as error:
        raise DefinitionError(
            f"path_override {template!r} is no template: {error}.",
            hint="Write {{ and }} for braces that are meant as they are.",
        ) from error


def _is_known(field: str) -> bool:
    if field in _PLAIN:
        return True
    root, *names = field.split(".")
    return root == "params" and bool(names) and all(n.isidentifier() and n[0] != "_" for n in names)


def _has_address_as_text(kind: type) -> bool:
    return all(getattr(kind, method) is getattr(object, method) for method in ("__str__", "__repr__"))


def _parameter_text(template: str, field: str, params: Any, spec: str) -> str:
    names = field.split(".")[1:]
    value = params
    for name in names:
        try:
            value = value[name] if isinstance(value, Mapping) else getattr(value, name)
        except (AttributeError, KeyError) as error:
            raise DefinitionError(
                f"path_override {template!r} names {{{field}}}, but the parameter set has no '{name}' there.",
                hint="Name a field of the parameter class.",
            ) from error
    if isinstance(value, type):
        value = value.__name__
    elif callable(value) or _has_address_as_text(type(value)):
        raise CacheError(
            f"path_override {template!r}: {{{field}}} is of type {type(value).__qualname__}, whose text differs in each process.",
            hint="Name a parameter that is a text or a number.",
        )
    text = format(str(value) if value is None or not spec else value, spec)
    if names == ["name"]:
        return safe_name(text)
    if "\0" in text or ".." in text.replace("\\", "/").split("/"):
        raise CacheError(f"path_override {template!r}: {{{field}}} is {text!r}, which leaves the folder.")
    return text
