"""Answers in JSON: standard output has nothing but them, whatever code of the project prints while it is imported or runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TextIO

import click

_STREAM = f"{__name__}.stream"


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
    stream: TextIO | None = None if context is None else context.meta.get(_STREAM)
    Console(stream or sys.stdout).print(json.dumps(value, ensure_ascii=False, indent=2))


def _keep_output(context: click.Context, _: click.Parameter, asked: bool) -> bool:
    """Send to standard error what would be written to standard output, until the verb has ended."""
    if not asked or context.resilient_parsing:
        return asked
    own = sys.stdout
    context.meta[_STREAM] = own
    sys.stdout = sys.stderr

    @context.call_on_close
    def give_back() -> None:
        sys.stdout = own

    return asked
