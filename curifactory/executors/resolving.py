"""From the name of a function to the work that it begins."""

from __future__ import annotations

import importlib

from curifactory.executors.executor import Setup, Work


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
