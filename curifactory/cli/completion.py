"""Completion of words at a TAB: what shells ask, what they are answered, and the scripts that make them ask."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from types import MappingProxyType

import click
from click.shell_completion import CompletionItem, ShellComplete, _resolve_context, _resolve_incomplete

from curifactory.cli.candidates import find_candidates
from curifactory.cli.groups import BARE
from curifactory.cli.words import RunVerb

SHELLS = ("bash", "zsh", "fish")
PROGRAMS = ("experiment", "curifactory")

# What is completed, by what stands for it in help: the metavar of an option, or an argument's name in capitals.
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "NAME": "experiments",
        "FILE": "parameter_files",
        "SET": "sets",
        "[SET]": "sets",
        "STAGE": "stages",
        "RUN": "runs",
        "RUNS": "runs",
        "A": "runs",
        "B": "runs",
        "PARAMETER=VALUE": "fields",
        "KEY": "keys",
        "KEY,…": "columns",
        "WHO": "executors",
        "EXAMPLE": "examples",
        "TAG": "tags",
        "FOLDER": "dir",
        "PATH": "file",
    }
)
_SAME_VALUE = ("dir", "file")


class Completion(ShellComplete):
    """Answers what can follow the words of a command."""

    name = "any"
    bare = False

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what the last word can become.

        Parameters
        ----------
        args : list of str
            The words before it, without the program's name.
        incomplete : str
            What there is of it.
        """
        context = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
        context.meta[BARE] = self.bare
        meant, begun = _resolve_incomplete(context, args, incomplete)
        if isinstance(meant, click.Option):
            # Where an option still lacks its value, click has not looked at any other word.
            context = _resolve_context(self.cli, self.ctx_args, self.prog_name, [*args, begun])
        if isinstance(meant, click.Parameter):
            own = _complete_parameter(context, meant, begun)
            return meant.shell_complete(context, begun) if own is None else own
        return meant.shell_complete(context, begun)


def complete_experiments(begun: str) -> list[CompletionItem]:
    """Return the experiments that a word can be."""
    return [CompletionItem(name, help=text) for name, text in find_candidates("experiments", {}, begun)]


def _complete_parameter(
    context: click.Context, parameter: click.Parameter, begun: str
) -> list[CompletionItem] | None:
    """Return the completions of a value; None if click knows them, such as those of a choice."""
    if isinstance(parameter.type, click.Choice):
        return None
    word = parameter.metavar or (parameter.name or "").upper()
    kind = _KINDS.get(word) or _KINDS.get(word.strip("[].… "))
    if kind is None and isinstance(parameter, click.Argument) and isinstance(context.command, RunVerb):
        kind = "runs" if word.startswith("RUN") else None
    if kind is None:
        return None
    if kind in _SAME_VALUE or (kind == "parameter_files" and parameter.name != "params"):
        return [CompletionItem(begun, type="dir" if kind == "dir" else "file")]
    found = find_candidates(kind, context.params, begun)
    return [
        CompletionItem(value, type="part" if kind == "fields" and value.endswith("=") else "plain", help=text)
        for value, text in found
    ]


def answer(command: click.Command, program: str, instruction: str) -> int:
    """Write what a shell has asked for and return the exit code.

    Parameters
    ----------
    command : click.Command
        The program's command.
    program : str
        Its name.
    instruction : str
        The value of the variable ``_PROGRAM_COMPLETE``: ``bash_complete`` asks for words, ``bash_source`` for the script.
    """
    shell, _, what = instruction.partition("_")
    if shell not in SHELLS or what not in ("source", "complete"):
        return 1
    if what == "source":
        from curifactory.cli.completion_scripts import render_script

        click.echo(render_script(shell, program))
        return 0
    before, begun = _typed(os.environ)
    completion = Completion(command, {}, program, f"_{program.upper()}_COMPLETE")
    completion.bare = shell == "bash"
    found = completion.get_completions(before, begun)
    # Of `--params=wi` it is `wi` that is completed.
    option = begun[: begun.index("=") + 1] if begun.startswith("--") and "=" in begun else ""
    hidden = _hidden_beginning(os.environ, begun) if shell == "bash" else ""
    lines = [_write(item, shell, option, hidden) for item in found]
    if lines:
        click.echo("\n".join(lines))
    return 0


def _typed(environment: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the words before the one that is completed, and what there is of that one."""
    line = environment.get("COMP_LINE")
    if line is not None:
        # The line up to the cursor, as it was typed: bash tears words apart at `=` and `:`.
        words = _split(line)
        begun = "" if not words or line[-1:].isspace() else words.pop()
        return words[1:], begun
    words = _split(environment.get("COMP_WORDS", ""))
    place = environment.get("COMP_CWORD", "")
    if not place.isdecimal():
        # fish gives the word itself.
        return (words[1:-1] if place and words[-1:] == _split(place)[-1:] else words[1:]), place
    number = int(place)
    return words[1:number], words[number] if number < len(words) else ""


def _split(line: str) -> list[str]:
    """Split a line into words; a quotation that is not closed yet counts as closed."""
    for ending in ("", "'", '"', "\\"):
        try:
            return shlex.split(f"{line}{ending}")
        except ValueError:
            continue
    return line.split()


def _hidden_beginning(environment: Mapping[str, str], begun: str) -> str:
    """Return the part of a word that bash takes for words of its own, such as ``--params=``."""
    if "COMP_LINE" not in environment:
        return ""
    breaks = environment.get("COMP_WORDBREAKS", "=:")
    ends = [begun.rfind(sign) for sign in "=:" if sign in breaks]
    return begun[: max(ends) + 1]


def _write(item: CompletionItem, shell: str, option: str, hidden: str) -> str:
    value = f"{option}{item.value}"
    if shell == "bash":
        return f"{item.type},{value.removeprefix(hidden)}"
    told = " ".join((item.help or "").split())
    if shell == "zsh":
        return f"{item.type}\n{value}\n{told or '_'}"
    return f"{item.type},{value}\t{told}" if told else f"{item.type},{value}"
