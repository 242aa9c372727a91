"""Answers in JSON: standard output has nothing but them, whatever code of the project prints while it is imported or runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

_KEPT = f"{__name__}.kept"
_OUTPUT, _ERRORS = 1, 2


def json_option(text: str) -> Callable[[Any], Any]:
    """Give a verb that imports code of the project the option ``--json``, in ``as_json``.

    Parameters
    ----------
    text : str
        The help of the option.
    """
    return click.option("--json", "as_json", is_flag=True, help=text, callback=_keep_output)


def print_json(value: Any) -> None:
    """Write a value as JSON."""
    import json

    from curifactory.cli.console import Console

    context = click.get_current_context(silent=True)
    kept: _Kept | None = None if context is None else context.meta.get(_KEPT)
    text = json.dumps(value, ensure_ascii=False, indent=2)
    if kept is None:
        Console(sys.stdout).print(text)
        return
    with kept.given_back():
        Console(kept.stream).print(text)


class _Kept:
    """Standard output, which is kept from all but the answer: from prints, and from what other programs and libraries write."""

    def __init__(self) -> None:
        self.stream = sys.stdout
        self._descriptor: int | None = None
        # Somebody else's stream, as of a test, may have no descriptor.
        with suppress(OSError, ValueError, AttributeError):
            self.stream.flush()
            if (self.stream.fileno(), sys.stderr.fileno()) == (_OUTPUT, _ERRORS):
                self._descriptor = os.dup(_OUTPUT)
                os.dup2(_ERRORS, _OUTPUT)
        sys.stdout = sys.stderr

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """Give it back in the block."""
        if self._descriptor is None:
            yield
            return
        os.dup2(self._descriptor, _OUTPUT)
        try:
            yield
        finally:
            os.dup2(_ERRORS, _OUTPUT)

    def close(self) -> None:
        """Give it back."""
        sys.stdout = self.stream
        if self._descriptor is not None:
            os.dup2(self._descriptor, _OUTPUT)
            os.close(self._descriptor)


def _keep_output(context: click.Context, _: click.Parameter, asked: bool) -> bool:
    """Send to standard error what would be written to standard output, until the verb has ended."""
    if asked and not context.resilient_parsing:
        kept = context.meta[_KEPT] = _Kept()
        context.call_on_close(kept.close)
    return asked
