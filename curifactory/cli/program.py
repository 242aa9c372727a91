"""A program: a command that has a process of its own."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

from curifactory.core import garbage
from curifactory.errors import ExitCode


def run_program(program: str, *, verbs: str) -> NoReturn:
    """Be a program: answer a shell that completes words, or execute the command that was typed.

    Parameters
    ----------
    program : str
        Its name.
    verbs : str
        The module that has its command, under that name. It is imported here, after the process is known to be ours.
    """
    garbage.own_process()
    try:
        code = _run(program, verbs)
    except KeyboardInterrupt:
        # While modules are imported nobody else takes it.
        sys.stderr.write("Interrupted.\n")
        code = ExitCode.INTERRUPTED
    modules = sys.modules.get("curifactory.project.modules")
    if modules is None or not modules.may_have_imported():
        garbage.pass_over()
    sys.exit(code)


def _run(program: str, verbs: str) -> int:
    command = getattr(importlib.import_module(verbs), program)
    asked = os.environ.get(f"_{program.upper()}_COMPLETE")
    if asked:
        from curifactory.cli.completion import answer

        return answer(command, program, asked)
    from curifactory.cli.outcome import run_command

    return run_command(command, sys.argv[1:], program=program)
