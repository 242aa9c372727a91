"""``curifactory doctor``: what is missing on this machine, and how to get it."""

from __future__ import annotations

import click

from curifactory.cli.words import Verb


@click.command("doctor", cls=Verb, epilog="Example: curifactory doctor --json")
@click.option("--json", "as_json", is_flag=True, help="Write JSON: curifactory doctor --json.")
def verb(as_json: bool) -> int:
    """Look at Python, packages, programs, folders, file system and index, and say what is missing and how to get it.

    The exit code is 1 if something is missing that no run can do without.
    """
    import sys

    from curifactory.cli.amounts import count
    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.project.health import State, examine
    from curifactory.project.project import Project
    from curifactory.publishing.container_engine import find_engine
    from curifactory.version import __version__

    project = Project.find()
    findings = examine(project, engine=find_engine())
    faults = [finding for finding in findings if finding.state is State.FAULT]
    console = Console(sys.stdout)
    if as_json:
        import json

        told = {
            "curifactory": __version__,
            "root": str(project.root),
            "findings": [finding.to_json() for finding in findings],
        }
        console.print(json.dumps(told, ensure_ascii=False, indent=2))
        return ExitCode.FAILED if faults else ExitCode.COMPLETE
    styles = {
        State.FINE: "green",
        State.MISSING: "bright_black",
        State.NOTE: "yellow",
        State.FAULT: "red",
    }
    rows = [
        [each.state.value, each.subject, f"{each.found}{f'. {each.remedy}' if each.remedy else ''}"]
        for each in findings
    ]
    console.print(f"curifactory {__version__}, project {project.root}", flush=False)
    console.print(flush=False)
    console.print_table(
        rows, paint=lambda place, column: styles[findings[place].state] if column == 0 else None
    )
    console.print(flush=False)
    if faults:
        console.print(f"{count(len(faults), 'fault')}: runs cannot work before that is mended.")
        return ExitCode.FAILED
    console.print("All that a run needs is there.")
    return ExitCode.COMPLETE
