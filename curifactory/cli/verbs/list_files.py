"""``experiment ls``: the experiments and parameter files of the project, found without importing them."""

from __future__ import annotations

import click

from curifactory.cli.words import Verb


@click.command("ls", cls=Verb)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(as_json: bool) -> int:
    """List experiments and parameter files with the first line of their docstring.

    They are read, not imported. A file that does not parse is listed with its error.
    """
    import sys

    from curifactory.cli.console import Console, printable
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project

    project = Project.find()
    found = {"experiments": project.list_experiments(), "params": project.list_parameter_files()}
    console = Console(sys.stdout)
    if as_json:
        import json

        listed = {kind: [each.to_json(project.root) for each in files] for kind, files in found.items()}
        console.print(json.dumps(listed, ensure_ascii=False, indent=2))
        return ExitCode.COMPLETE
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
    return ExitCode.COMPLETE
