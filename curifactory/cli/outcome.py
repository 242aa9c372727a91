"""The one place that turns what a command returned or raised into an exit code and, for errors, a text."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, cast

import click

from curifactory.cli.console import Console, fault_of_stream, open_streams, printable
from curifactory.cli.words import DEBUG, NO_COLOR
from curifactory.core.nearest import find_nearest
from curifactory.core.streams import close_quietly, is_gone
from curifactory.errors import CacheError, CurifactoryError, ExitCode, StageError

# What the engine's note begins with on an error that has ended a call.
OF_STAGE = "in stage '"
_CLOSED = (
    "Standard output is closed, so that nobody would see the answer. Send it to a file, or to /dev/null."
)


def run_command(command: click.Command, words: Sequence[str], *, program: str) -> int:
    """Execute a command and return its exit code; whatever it raises becomes a text on standard error.

    Parameters
    ----------
    command : click.Command
        What to execute; its callback returns an exit code or None.
    words : sequence of str
        The words after the program's name.
    program : str
        The program's name.

    Examples
    --------
    >>> @click.command()
    ... def fail():
    ...     raise CurifactoryError("The disk is full.", hint="Make room.")
    >>> run_command(fail, [], program="fail")
    1
    """
    if not open_streams():
        Console(sys.stderr).print(_CLOSED)
        return ExitCode.FAILED
    options = list(words)[: list(words).index("--") if "--" in words else None]
    debug = DEBUG in options
    if NO_COLOR in options:
        # For what the experiment starts, too: its own output is part of what is seen.
        os.environ["NO_COLOR"] = "1"
    try:
        with command.make_context(program, list(words)) as context:
            code = command.invoke(context)
    except click.exceptions.Exit as end:
        code = end.exit_code
    except BrokenPipeError:
        close_quietly(sys.stdout)
        return ExitCode.COMPLETE
    # Everything at all: a person must never be met by a traceback of this package that was not asked for.
    except BaseException as error:  # noqa: BLE001
        if isinstance(error, OSError) and _is_of_click(error):
            # It writes the help.
            error = fault_of_stream(sys.stdout, error)
            close_quietly(sys.stdout)
        code = show_error(error, Console(sys.stderr), debug=debug)
    return _finish(code)


def _is_of_click(error: OSError) -> bool:
    """Say whether it is something that click could not write."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__") == click.echo.__module__


def _finish(code: object) -> int:
    errors: TextIO | None = sys.__stderr__
    try:
        if errors is not None:
            errors.flush()
    except (OSError, ValueError):
        # Nobody is left to be told, and Python would have an exit code of its own for it.
        close_quietly(cast("TextIO", errors))
    # A person's code may have put anything in its place, and nothing at all.
    stream: TextIO | None = sys.stdout
    try:
        if stream is not None:
            stream.flush()
    except Exception as error:  # noqa: BLE001
        own: TextIO | None = sys.__stdout__
        if own is None or stream is not own:
            sys.stdout = cast("TextIO", own)
            return _finish(code)
        if not code and not is_gone(own, error):
            code = show_error(fault_of_stream(own, error), Console(sys.stderr), debug=False)
        close_quietly(own)
    return int(code) if isinstance(code, int) else int(ExitCode.COMPLETE)


def show_error(error: BaseException, console: Console, *, debug: bool, root: Path | None = None) -> int:
    """Write an error as a person should see it and return the exit code.

    Parameters
    ----------
    error : BaseException
        What was raised.
    console : Console
        Where to write.
    debug : bool
        Whether everything is to be shown, frames of this package included.
    root : Path, optional
        The project; found from the working folder if None.
    """
    if isinstance(error, SystemExit):
        return _code_of_exit(error, console)
    if debug and not isinstance(error, click.ClickException):
        sys.stdout.flush()
        console.print("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        console.print("Interrupted.")
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        console.print(_say_usage(error))
        return ExitCode.WRONG_USE
    if debug:
        return _code_of(error)
    if isinstance(error, CurifactoryError) and not isinstance(error, StageError):
        from curifactory.cli.faults import known_root, show_frames

        root = root or known_root()
        console.print(_say_known(error, root))
        # A cacher of the person's own is told with its lines, as a stage is.
        raised = error if is_of_stage(error) else error.__cause__ if isinstance(error, CacheError) else None
        if raised is not None:
            show_frames(raised, console, root)
        return error.exit_code
    from curifactory.cli.faults import show_fault

    show_fault(error, console, root)
    return _code_of(error)


def _code_of(error: BaseException) -> int:
    return error.exit_code if isinstance(error, CurifactoryError) else ExitCode.FAILED


def _code_of_exit(error: SystemExit, console: Console) -> int:
    where = "".join(f" ({note})" for note in getattr(error, "__notes__", []) if is_of_stage(error))
    if error.code is None or isinstance(error.code, int):
        if where:
            console.print(f"sys.exit({error.code or 0}) was called{printable(where)}.")
        return error.code or 0
    console.print(f"{printable(str(error.code))}{printable(where)}")
    return ExitCode.FAILED


def _say_usage(error: click.ClickException) -> str:
    """Return what is wrong with the words of a command on one line, and the nearest ones that are right."""
    if isinstance(error, click.NoSuchOption):
        near = find_nearest(error.option_name, error.possibilities or [])
        hint = f" Did you mean {' or '.join(near)}?" if near else " --help lists the options."
        return f"No such option: {printable(error.option_name)}.{hint}"
    message = printable(error.format_message())
    if isinstance(error, click.MissingParameter) and error.ctx is not None:
        # What a word is for its place among the others says.
        words = [
            each.human_readable_name for each in error.ctx.command.params if isinstance(each, click.Argument)
        ]
        return f"{message} Write: {' '.join([error.ctx.command_path, *words])}"
    return message if message.endswith((".", "?", "!", "…")) else f"{message}."


def _say_known(error: CurifactoryError, root: Path) -> str:
    """Return message and hint: on one line, or, where several faults are told at once, one line each.

    Lines of the project's code are named as in all messages, from its root on, and each place once.
    """
    lines = error.message.split("\n")
    if error.hint and len(lines) == 1:
        lines[0] = f"{lines[0]} {error.hint}"
    elif error.hint:
        lines.append(error.hint)
    lines = [re.sub(rf"{re.escape(str(root))}/([^\s:]+\.py:\d)", r"\1", line) for line in lines]
    for note in getattr(error, "__notes__", []):
        if not any(f"({note.removeprefix('at ')})" in line for line in lines):
            lines[-1] += f" ({note})"
    return "\n".join(printable(line) for line in lines)


def is_of_stage(error: BaseException) -> bool:
    """Say whether an error has ended a call, which the engine notes on it.

    Examples
    --------
    >>> is_of_stage(CurifactoryError("The disk is full."))
    False
    """
    return any(str(note).startswith(OF_STAGE) for note in getattr(error, "__notes__", ()))
