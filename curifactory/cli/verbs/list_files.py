"""``experiment ls``: the experiments and parameter files of the project, found without importing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from curifactory.cli.words import Verb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curifactory.cli.console import Console
    from curifactory.project.checking import Fault
    from curifactory.project.listing import Listed


@click.command("ls", cls=Verb, epilog="Example: experiment ls --check")
@click.option(
    "--check",
    is_flag=True,
    help="Import them, too, and tell everything that is wrong: experiment ls --check.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON: experiment ls --json.")
def verb(check: bool, as_json: bool) -> int:
    """List experiments and parameter files with the first line of their docstring.

    They are read, not imported; a file that does not parse is listed with its error. With --check they are imported in a
    process of its own, get_params() is called, and every fault is told with file and line; the exit code is then 1 if
    there is one.
    """
    import sys

    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project

    project = Project.find()
    found = {"experiments": project.list_experiments(), "params": project.list_parameter_files()}
    console = Console(sys.stdout)
    faults: list[Fault] | None = None
    if check:
        from curifactory.project.checking import check_project

        faults = check_project(project)
    if as_json:
        import json

        told: dict[str, object] = {
            kind: [each.to_json(project.root) for each in files] for kind, files in found.items()
        }
        if faults is not None:
            told["faults"] = [fault.to_json() for fault in faults]
        console.print(json.dumps(told, ensure_ascii=False, indent=2))
    elif faults is not None:
        # A file with an experiment and its sets is in both lists.
        _print_faults(console, faults, len({each.file for files in found.values() for each in files}))
    elif any(found.values()):
        _print_files(console, found)
    else:
        console.print("No experiments yet. Make one with: curifactory init --example iris")
    return ExitCode.FAILED if faults else ExitCode.COMPLETE


def _print_files(console: Console, found: Mapping[str, Sequence[Listed]]) -> None:
    from curifactory.cli.console import printable

    for kind, files in found.items():
        if kind == "params":
            console.print(flush=False)
        console.print(f"{kind.upper()}:", flush=False)
        for each in files:
            line = f"{each.name} - {each.doc}" if each.doc else each.name
            if each.error:
                line = f"{line} {console.style('[ERROR - ' + printable(each.error) + ']', 'red')}"
                console.print(f"\t{line}", flush=False)
            else:
                console.print(f"\t{printable(line)}", flush=False)
    console.flush()


def _print_faults(console: Console, faults: Sequence[Fault], looked_at: int) -> None:
    """Write each fault as editors take it: file, line, what is wrong."""
    from curifactory.cli.amounts import count
    from curifactory.cli.console import printable

    for fault in faults:
        first, *more = fault.error.split("\n")
        console.print(f"{console.style(printable(fault.place), 'bold')}: {printable(first)}", flush=False)
        for line in more:
            console.print(f"    {printable(line.strip())}", flush=False)
    said = f"{count(len(faults), 'fault')} in" if faults else "Nothing is wrong with"
    console.print(f"{said} {count(looked_at, 'file')}.")
