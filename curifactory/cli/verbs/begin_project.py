"""``curifactory init``: begin a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from curifactory.cli.words import Verb

if TYPE_CHECKING:
    from curifactory.cli.console import Console
    from curifactory.project.beginning import Beginning, Begun

_QUESTIONS = (
    ("experiments_module_name", "Experiments module name"),
    ("params_module_name", "Parameters module name"),
    ("manager_cache_path", "Data path"),
    ("notebooks_path", "Notebooks path"),
    ("reports_path", "Reports path"),
)


@click.command(
    "init", cls=Verb, epilog="Example: curifactory init --example iris flowers; cd flowers; experiment iris"
)
@click.argument(
    "folder",
    required=False,
    default=".",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="[FOLDER]",
)
@click.option(
    "--example",
    metavar="EXAMPLE",
    help="Write this example into it: curifactory init --example iris. So far there is iris.",
)
@click.option(
    "-i", "--ask", is_flag=True, help="Ask for names, folders, git and .gitignore: curifactory init -i."
)
def verb(folder: Path, example: str | None, ask: bool) -> int:
    """Begin a project in FOLDER, or here: settings, folders, .gitignore, a git repository.

    Nothing is asked, and nothing that is there is overwritten.
    """
    import sys

    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.project.beginning import Beginning, begin_project

    wish = Beginning(folder=folder.expanduser(), example=example)
    if ask:
        wish = _ask(wish)
    begun = begin_project(wish)
    _print_begun(Console(sys.stdout), begun, wish)
    return ExitCode.COMPLETE


def _ask(wish: Beginning) -> Beginning:
    import shutil
    from dataclasses import replace

    from curifactory.project.beginning import check_setting, find_repository
    from curifactory.project.settings import Settings

    defaults = Settings()
    answers: dict[str, str] = {}
    for name, question in _QUESTIONS:
        default = str(getattr(defaults, name))
        while True:
            answer = click.prompt(question, default=default).strip()
            fault = check_setting(name, answer)
            if fault is None:
                break
            click.echo(fault)
        if answer.rstrip("/") != default:
            answers[name] = answer.rstrip("/") or answer
    git = False
    if find_repository(wish.folder) is None and shutil.which("git") is not None:
        git = click.confirm("Make a git repository?", default=True)
    ignore = click.confirm("Add curifactory's folders to .gitignore?", default=True)
    return replace(wish, settings=answers, git=git, gitignore=ignore)


def _print_begun(console: Console, begun: Begun, wish: Beginning) -> None:
    import shlex

    from curifactory.cli.console import printable

    here = wish.folder.resolve() == Path.cwd()
    place = "here" if here else f"in {printable(str(wish.folder))}"
    if begun.made:
        console.print(f"A project begins {place}.")
        console.print(f"made    {', '.join(begun.made)}")
    else:
        console.print(f"There is a project {place} already.")
    if begun.kept:
        console.print(f"kept    {', '.join(begun.kept)}, as they were")
    if begun.repository is None and wish.git:
        console.print("git     is not installed: runs are recorded without a commit")
    # Three commands that can be typed just so.
    commands = [] if here else [f"cd {shlex.quote(str(wish.folder))}"]
    if begun.needs:
        from curifactory.project.examples import EXTRA

        commands.append(f"pip install 'curifactory[{EXTRA}]'")
    if wish.example is not None:
        commands += [f"experiment {wish.example} -p {wish.example}", f"experiment {wish.example} --map"]
        commands.append("experiment open")
    else:
        commands += ["curifactory init --example iris", "experiment ls", "curifactory doctor"]
    for head, command in zip(["next", "", ""], commands, strict=False):
        console.print(f"{head:<6}  {command}")
