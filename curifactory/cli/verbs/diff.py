"""``experiment diff A B``: how two runs differ."""

from __future__ import annotations

import click

from curifactory.cli.words import RunVerb

_EPILOG = (
    "A and B are references, their unique beginnings, iris/-2 (the last but one of iris), -1 (the latest of all), or "
    "folders of runs. As in: experiment diff iris/-2 iris/-1"
)


@click.command("diff", cls=RunVerb, epilog=_EPILOG)
@click.argument("a")
@click.argument("b", default="-1")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(a: str, b: str, as_json: bool) -> int:
    """Compare the runs A and B: parameters, metrics, code, environment, calls. Without B it is the latest run.

    Of the calls it says which have read something else, and what; of their outputs whether the bytes are the same.
    """
    import sys

    from curifactory.cli.console import Console, printable
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project
    from curifactory.workflow.past_run import load_run
    from curifactory.workflow.runs.difference_text import ADDED, FAINT, HEAD, REMOVED, iter_lines

    project = Project.find()
    before, after = load_run(a, project=project), load_run(b, project=project)
    if before.reference == after.reference:
        told = f"Both are {printable(after.reference)}; two runs are named as in: experiment diff iris/-2 iris/-1"
        Console(sys.stderr).print(told)
    difference = before.diff(after)
    console = Console(sys.stdout)
    if as_json:
        import json

        console.print(json.dumps(difference.to_json(), ensure_ascii=False, indent=2))
        return ExitCode.COMPLETE
    styles = {HEAD: "bold", ADDED: "green", REMOVED: "red", FAINT: "bright_black"}
    for kind, line in iter_lines(difference):
        shown = printable(line)
        console.print(console.style(shown, styles[kind]) if kind in styles else shown, flush=False)
    console.flush()
    return ExitCode.COMPLETE
