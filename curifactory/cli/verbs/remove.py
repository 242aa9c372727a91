"""``experiment rm RUN…``: move runs and their reports to the trash, and bring them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb

if TYPE_CHECKING:
    from curifactory.cli.console import Console
    from curifactory.project.project import Project
    from curifactory.workflow.runs.removal import Removable


_EPILOG = f"{RUN_HELP} As in: experiment rm iris_2 iris_3 --yes"


@click.command("rm", cls=RunVerb, epilog=_EPILOG)
@click.argument("runs", nargs=-1, metavar="RUN…")
@click.option("--yes", is_flag=True, help="Do it; without this the plan is shown and nothing is changed.")
@click.option("--undo", is_flag=True, help="Bring back the runs that were removed last.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(runs: tuple[str, ...], yes: bool, undo: bool, as_json: bool) -> int:
    """Move runs and their reports to data/trash. What they have made stays in the cache.

    The plan comes first; --yes carries it out. experiment rm --undo brings them back; the first experiment cache gc
    after the trash time (setting trash_days) removes them for good. A run that goes on is not touched.
    """
    import sys

    from curifactory.cli.console import Console
    from curifactory.cli.json_answers import print_json
    from curifactory.cli.store import open_runs
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project
    from curifactory.workflow.runs.removal import plan_removal, remove_runs

    if undo and (runs or yes):
        raise click.UsageError("--undo brings back what was removed last: give no runs with it.")
    project = Project.find()
    console = Console(sys.stdout)
    if undo:
        _bring_back(console, project, as_json=as_json)
        return ExitCode.COMPLETE
    if not runs:
        raise click.UsageError("Missing argument 'RUN…'.")
    store = open_runs(project)
    planned = plan_removal(project, [store.get(run) for run in runs])
    put = remove_runs(project, planned) if yes else None
    if as_json:
        folder = None if put is None else str(put.folder)
        print_json({"runs": [each.to_json() for each in planned], "done": yes, "folder": folder})
        return ExitCode.COMPLETE
    _print_plan(console, planned)
    if put is not None:
        console.print(f"moved to {put.folder}; experiment rm --undo brings back what was removed")
    else:
        named = " ".join(run.reference for run in planned)
        console.print(f"Nothing was changed. Do it with: experiment rm {named} --yes")
    return ExitCode.COMPLETE


def _print_plan(console: Console, planned: list[Removable]) -> None:
    from curifactory.cli.amounts import count, show_size

    console.print_table(
        [
            [run.reference, show_size(run.size_bytes), "with its report" if run.has_report else "no report"]
            for run in planned
        ]
    )
    total = sum(run.size_bytes for run in planned)
    console.print(f"together {count(len(planned), 'run')}, {show_size(total)}")


def _bring_back(console: Console, project: Project, *, as_json: bool) -> None:
    from curifactory.cli.amounts import show_moment
    from curifactory.cli.console import printable
    from curifactory.cli.json_answers import print_json
    from curifactory.errors import DiscoveryError
    from curifactory.workflow.runs.removal import undo_removal

    done = undo_removal(project)
    if done is None:
        raise DiscoveryError("No removed runs lie in the trash: there is nothing to bring back.")
    last, references = done
    if as_json:
        print_json({"at": last.at.isoformat(), "runs": references})
        return
    shown = ", ".join(map(printable, references))
    console.print(f"brought back what was removed at {show_moment(last.at)}: {shown}")
