"""From the name of a function to the work that it begins, and what is told where that fails."""

from __future__ import annotations

import importlib
import traceback

from curifactory.errors import CurifactoryError
from curifactory.executors.executor import Failed, Setup, Work


def begin_work(setup: Setup) -> Work:
    """Return the work of a setup.

    Examples
    --------
    >>> setup = Setup(begin="curifactory.executors.resolving:echo", initial=b"", path=(), folder=".")
    >>> begin_work(setup)(b"payload", print)
    b'payload'
    """
    module, _, name = setup.begin.partition(":")
    work: Work = getattr(importlib.import_module(module), name)(setup.initial)
    return work


def echo(initial: bytes) -> Work:
    """Begin the work that gives back what it was given, behind ``initial``; for trying an executor."""
    return lambda payload, _: initial + payload


def tell_fault(error: BaseException) -> bytes | str:
    """Return what is told of a job that could not be done: its own words, message and hint of what we know, else where it was raised.

    Examples
    --------
    >>> tell_fault(CurifactoryError("No experiment named 'iris'.", hint="Is the project there?"))
    "No experiment named 'iris'. Is the project there?"
    """
    if isinstance(error, Failed):
        return error.result
    return str(error) if isinstance(error, CurifactoryError) else "".join(traceback.format_exception(error))
