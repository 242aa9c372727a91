"""Tells whoever wants to know which classes and functions were imported by a name that stood in a tree."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

#: Is told each ``module:Qualname`` that is imported by name. A stage that makes objects of a tree depends on their code,
#: of which its own code does not speak.
import_listener: ContextVar[Callable[[str], None] | None] = ContextVar("import_listener", default=None)


def tell_import(address: str) -> None:
    """Tell the listener, if there is one, that something was imported by name.

    Examples
    --------
    >>> told = []
    >>> before = import_listener.set(told.append)
    >>> tell_import("models:Net")
    >>> import_listener.reset(before)
    >>> tell_import("models:Other")
    >>> told
    ['models:Net']
    """
    listener = import_listener.get()
    if listener is not None:
        listener(address)
