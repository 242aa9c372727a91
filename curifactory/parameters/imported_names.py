"""Tells whoever wants to know which classes and functions were imported by a name that stood in a tree."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token

_listening: ContextVar[Callable[[str], None] | None] = ContextVar("listening", default=None)


class telling_imports:  # noqa: N801 - reads as the context manager that it is
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

    __slots__ = ("_before", "_listener")

    _before: Token[Callable[[str], None] | None]

    def __init__(self, listener: Callable[[str], None]) -> None:
        self._listener = listener

    def __enter__(self) -> None:
        self._before = _listening.set(self._listener)

    def __exit__(self, *exception: object) -> None:
        _listening.reset(self._before)


def tell_import(address: str) -> None:
    """Tell the listener, if there is one, that something was imported by name.

    Examples
    --------
    >>> tell_import("models:Net")
    """
    listener = _listening.get()
    if listener is not None:
        listener(address)
