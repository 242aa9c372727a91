"""Tells whoever wants to know which classes and functions were imported by a name that stood in a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listening: ContextVar[Callable[[str], None] | None] = ContextVar("listening", default=None)


@contextmanager
def telling_imports(listener: Callable[[str], None]) -> Iterator[None]:
    """Tell a listener each ``module:Qualname`` that is imported by name while the block is executed.

    A stage that makes objects of a tree depends on their code, of which its own code does not speak.

    Examples
    --------
    >>> told = []
    >>> with telling_imports(told.append):
    ...     tell_import("models:Net")
    >>> tell_import("models:Other")
    >>> told
    ['models:Net']
    """
    before = _listening.set(listener)
    try:
        yield
    finally:
        _listening.reset(before)


def tell_import(address: str) -> None:
    """Tell the listener, if there is one, that something was imported by name.

    Examples
    --------
    >>> tell_import("models:Net")
    """
    listener = _listening.get()
    if listener is not None:
        listener(address)
