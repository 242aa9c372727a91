"""Keeps the tables of options in ``docs/command.md`` what the commands say: ``python -m curifactory.cli.reference``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

BEGIN = "<!-- options: {} -->"
END = "<!-- end of options -->"
# Said once for all commands, and shown with those that stand for all: the two programs.
_EVERYWHERE = frozenset(("--help", "--debug", "--no-color"))
_BLOCK = re.compile(r"<!-- options: (?P<about>[^>]*?) -->\n.*?<!-- end of options -->\n", re.DOTALL)
_HEADING = re.compile(r"^#{2,3} `(?P<command>[^`]+)`$", re.MULTILINE)
_TABLE = re.compile(r"^\| option \| what it does \|\n\|---\|---\|\n(?:\|.*\n)*", re.MULTILINE)


def iter_commands() -> Iterator[tuple[str, click.Command]]:
    """Give every command of both programs with the words that call it."""
    from curifactory.cli.curifactory_verbs import curifactory
    from curifactory.cli.experiment_verbs import experiment

    for program in (experiment, curifactory):
        yield from _walk(program, program.name or "")


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from _walk(below, f"{path} {name}")


def render_table(command: click.Command, *, only: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> str:
    r"""Write the options of a command as a table, in the order of its help.

    Parameters
    ----------
    command : click.Command
        Whose options.
    only, without : tuple of str
        Options to be written, or left out because they stand in another table; any one word of an option names it.

    Examples
    --------
    >>> option = click.Option(["-n", "--number"], metavar="N", help="Show at most this many: -n 5.")
    >>> print(render_table(click.Command("runs", params=[option])), end="")
    | option | what it does |
    |---|---|
    | `-n`, `--number N` | Show at most this many: -n 5. |
    """
    context = click.Context(command, help_option_names=["--help"])
    rows = ["| option | what it does |", "|---|---|"]
    for parameter in command.get_params(context):
        if not isinstance(parameter, click.Option) or parameter.hidden:
            continue
        flags = (*parameter.opts, *parameter.secondary_opts)
        if (only and not set(flags) & set(only)) or set(flags) & set(without):
            continue
        if not only and not isinstance(command, click.Group) and set(flags) <= _EVERYWHERE:
            continue
        rows.append(f"| {_write_flags(parameter, context)} | {_write_help(parameter, context)} |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else ""


def _write_flags(option: click.Option, context: click.Context) -> str:
    value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    *short, last = [*option.opts, *option.secondary_opts]
    return ", ".join([*(f"`{flag}`" for flag in short), f"`{last}{_cell(value)}`"])


def _write_help(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    return _cell(" ".join((record[1] if record else option.help or "").split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def render_page(page: str) -> str:
    """Return a page with the tables of all commands as they are now.

    A heading of a command that has no table yet gets one; text between them stays as it is.

    Parameters
    ----------
    page : str
        What ``docs/command.md`` holds.
    """
    for path, command in iter_commands():
        page = _render_section(page, path, command)
    return page


def _render_section(page: str, path: str, command: click.Command) -> str:
    heading = next((found for found in _HEADING.finditer(page) if found["command"] == path), None)
    if heading is None:
        return page
    after = re.search(r"^#{1,3} ", page[heading.end() :], re.MULTILINE)
    end = heading.end() + after.start() if after else len(page)
    section = page[heading.end() : end]
    if not _BLOCK.search(section):
        block = f"{BEGIN.format(path)}\n{END}\n"
        replaced = _TABLE.sub(lambda _: block, section, count=1)
        section = _TABLE.sub("", replaced) if replaced != section else f"{section.rstrip()}\n\n{block}\n"
    # A block may name the options that it shows; one that names none shows what no other does.
    named = [_options_of(found["about"], path) for found in _BLOCK.finditer(section)]
    elsewhere = tuple(flag for flags in named for flag in flags)

    def render(found: re.Match[str]) -> str:
        only = _options_of(found["about"], path)
        table = render_table(command, only=only, without=() if only else elsewhere)
        # A blank line on either side, or it would be no table.
        return f"{BEGIN.format(found['about'])}\n\n{table}\n{END}\n" if table else ""

    section = _BLOCK.sub(render, section)
    return page[: heading.end()] + re.sub(r"\n{3,}", "\n\n", section) + page[end:]


def _options_of(about: str, path: str) -> tuple[str, ...]:
    return tuple(about.removeprefix(path).split())


def main() -> int:
    """Write the page anew; the exit code is 1 if ``--check`` was asked for and it is not what it should be."""
    page = Path(next((word for word in sys.argv[1:] if not word.startswith("-")), "docs/command.md"))
    before = page.read_text(encoding="utf-8")
    after = render_page(before)
    if "--check" in sys.argv[1:]:
        return int(before != after)
    page.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
