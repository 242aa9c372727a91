"""The command that made a run, as one line that a shell would take, or honest words where there was none."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

from curifactory.core.secrets import mask_arguments

NOTEBOOK = "(a notebook)"
INTERACTIVE = "(an interactive session)"
EMBEDDED = "(inside of another program)"


def read_arguments() -> list[str]:
    """Return the words of the command that started this process, secrets masked; empty where there was no command.

    Examples
    --------
    >>> isinstance(read_arguments(), list)
    True
    """
    arguments = _process_arguments()
    return mask_arguments(arguments) if isinstance(arguments, list) else []


def command_line(arguments: Sequence[str] | None = None) -> str:
    """Return a command as one line, quoted for the shell, secrets masked.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words of the command, the program first; its folder is left out. Without them those of this process are
        taken: the program ``experiment`` by its name, a script as ``python script.py``, a module as ``python -m module``.

    Returns
    -------
    str
        The line; words in brackets where there is no command that would do the same again: in a notebook, an
        interactive session, or a program that embeds Python.

    Examples
    --------
    >>> command_line(["/opt/bin/experiment", "iris", "-p", "iris", "note=two words"])
    "experiment iris -p iris 'note=two words'"
    """
    if arguments is None:
        found = _process_arguments()
        if isinstance(found, str):
            return found
        arguments = found
    if not arguments:
        return EMBEDDED
    return shlex.join(mask_arguments([os.path.basename(arguments[0]), *arguments[1:]]))


def _process_arguments() -> list[str] | str:
    """Return the words of this process's command, or the words that say why there are none."""
    if _is_notebook():
        return NOTEBOOK
    if hasattr(sys, "ps1") or sys.flags.interactive or ("IPython" in sys.modules and _is_ipython()):
        return INTERACTIVE
    arguments = list(getattr(sys, "argv", []))
    if not arguments or not arguments[0]:
        return INTERACTIVE if sys.stdin is not None and sys.stdin.isatty() else EMBEDDED
    program = os.path.basename(arguments[0])
    if arguments[0] == "-c":
        return ["python", "-c", *_after(list(sys.orig_argv), "-c")]
    module = _module_name()
    if module is not None:
        return ["python", "-m", module, *arguments[1:]]
    if program.endswith((".py", ".pyc")):
        return ["python", *arguments]
    return [program, *arguments[1:]]


def _module_name() -> str | None:
    """Return the name after ``python -m``, if this process was started so."""
    # `python -m` leaves the path of the module's file in `sys.argv[0]`; only the specification still has its name.
    specification = getattr(sys.modules.get("__main__"), "__spec__", None)
    if specification is None or "-m" not in sys.orig_argv:
        return None
    return str(specification.name.removesuffix(".__main__"))


def _after(words: list[str], option: str) -> list[str]:
    return words[words.index(option) + 1 :] if option in words else []


def _is_ipython() -> bool:
    get_ipython = getattr(sys.modules["IPython"], "get_ipython", None)
    return get_ipython is not None and get_ipython() is not None


def _is_notebook() -> bool:
    """Say whether a Jupyter kernel runs this process."""
    if "ipykernel" not in sys.modules or "IPython" not in sys.modules:
        return False
    shell = getattr(sys.modules["IPython"], "get_ipython", lambda: None)()
    return shell is not None and getattr(shell, "kernel", None) is not None
