"""Which class a section of a tree is of that does not say it: a registry by library and name of the section."""

from __future__ import annotations

from collections.abc import Mapping

from curifactory.core.nearest import suggest
from curifactory.errors import ParameterError

#: What is taken where no library is named, and where a library has nothing of its own.
CORE = "core"
FORMS = ("class", "def", "call")

_registry: dict[str, dict[str, tuple[str, str]]] = {CORE: {}}


def register_default(library: str, section: str, target: str, *, form: str = "class") -> None:
    """Say which class sections of a name are of, where a tree names a library (``library: torch``) but no class.

    Parameters
    ----------
    library : str
        Name of the library; ``core`` counts for all.
    section : str
        Name of the section, such as ``trainer``.
    target : str
        Dotted name of the class or function; it is imported when it is first used.
    form : str
        ``class`` or ``call`` to call it, ``def`` to hand it out with its arguments bound.

    Raises
    ------
    ParameterError
        If the form is none of these, or the target no dotted name.

    Examples
    --------
    >>> register_default("example", "count", "collections.Counter")
    >>> find_default("example", "count"), find_default("example", "unheard")
    (('class', 'collections.Counter'), None)
    """
    if form not in FORMS:
        raise ParameterError(f"'{form}' is no form of a definition.", hint=suggest(form, FORMS, nothing=""))
    if "." not in target:
        raise ParameterError(
            f"'{target}' is no dotted name.", hint="Write the module too, as in torch.optim.Adam."
        )
    _registry.setdefault(library, {})[section] = (form, target)


def find_default(library: str, section: str) -> tuple[str, str] | None:
    """Return form and target of a section of a library, else of all; None if nobody has registered one.

    Examples
    --------
    >>> find_default("core", "unheard") is None
    True
    """
    own: Mapping[str, tuple[str, str]] = _registry.get(library, {})
    return own.get(section) or _registry[CORE].get(section)


def check_library(library: object) -> str:
    """Return the name of a library that is registered.

    Raises
    ------
    ParameterError
        If it is not.

    Examples
    --------
    >>> check_library("core")
    'core'
    """
    if not isinstance(library, str) or library not in _registry:
        hint = suggest(str(library), list(_registry), nothing="")
        raise ParameterError(f"There is no library '{library}'.", hint=hint)
    return library
