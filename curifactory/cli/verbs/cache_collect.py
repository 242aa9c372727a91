"""``experiment cache gc``: clear away what nobody would use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from curifactory.cli.json_answers import json_option, print_json
from curifactory.cli.words import Verb

if TYPE_CHECKING:
    from curifactory.cli.console import Console
    from curifactory.project.project import Project
    from curifactory.store.collection_plan import CollectionPlan
    from curifactory.store.store_lock import StoreLock
    from curifactory.store.trash import TrashFolder

# A run that is just ending is given the time for it.
_PATIENCE_S = 2.0
_NOUNS = {
    "artifact": "artifact file",
    "manifest": "manifest",
    "superseded": "superseded file",
    "staging": "staging folder",
    "checkpoint": "checkpoint",
}


@click.command("gc", cls=Verb, epilog="Example: experiment cache gc --yes")
@click.option(
    "--keep-runs",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Keep what the last N runs of each experiment have used.",
)
@click.option(
    "--older-than",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="Collect only what was not made or used for this long.",
)
@click.option("--yes", is_flag=True, help="Do it; without this the plan is shown and nothing is changed.")
@click.option("--wait", is_flag=True, help="With --yes: wait until no run goes on, for as long as it takes.")
@json_option("Write JSON.")
def verb(keep_runs: int, older_than: int | None, yes: bool, wait: bool, as_json: bool) -> int:
    """Move to data/trash what no recent run, no tagged run and no present code would use.

    The plan comes first; --yes carries it out. experiment cache undo brings it back; the first collection after
    the trash time (setting trash_days) removes it for good. While a run goes on nothing is moved, and nothing
    younger than the oldest open session of a notebook is touched.
    """
    import sys

    sys.dont_write_bytecode = sys.dont_write_bytecode or not yes
    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode

    plan, put = _collect(keep_runs=keep_runs, older_than=older_than, yes=yes, wait=wait)
    if as_json:
        print_json({**plan.to_json(), "done": yes, "folder": None if put is None else str(put.folder)})
        return ExitCode.COMPLETE
    console = Console(sys.stdout)
    _print_plan(console, plan)
    if put is not None:
        console.print(f"moved to {put.folder}; experiment cache undo brings it back")
    elif not yes and (plan.waste or plan.trash):
        console.print("Nothing was changed. Do it with: experiment cache gc --yes, and the same options")
    return ExitCode.COMPLETE


def _collect(
    *, keep_runs: int, older_than: int | None, yes: bool, wait: bool
) -> tuple[CollectionPlan, TrashFolder | None]:
    """Plan a collection and carry it out if that is wanted, with the store for itself then."""
    from contextlib import ExitStack
    from datetime import datetime, timedelta

    from curifactory.cli.store import open_cache
    from curifactory.project.project import Project
    from curifactory.store.collection import Collector
    from curifactory.store.collection_plan import Rules
    from curifactory.store.layout import Layout
    from curifactory.store.store_lock import StoreLock
    from curifactory.workflow.current_code import CurrentCode, list_given_files

    project = Project.find()
    with ExitStack() as stack:
        lock = StoreLock(Layout(project.cache_folder))
        if yes:
            _take_alone(lock, project, wait=wait)
            stack.callback(lock.release)
        cache = stack.enter_context(open_cache(project, writes=yes))
        collector = Collector(cache.layout, cache.files, cache.traces, cache.runs, lock)
        rules = Rules(
            keep_runs=keep_runs,
            is_current=CurrentCode(project, list_given_files(cache.runs)).is_current,
            older_than=None if older_than is None else timedelta(days=older_than),
            trash_days=project.settings.trash_days,
        )
        now = datetime.now().astimezone()
        plan = collector.plan(rules, now=now)
        return plan, collector.carry_out(plan, now=now) if yes else None


def _take_alone(lock: StoreLock, project: Project, *, wait: bool) -> None:
    """Wait a moment for runs to end, or as long as it takes; otherwise say which goes on, and refuse."""
    import sys

    from curifactory.cli.console import Console
    from curifactory.errors import StoreError

    if lock.take_alone(wait_s=_PATIENCE_S):
        return
    told = _tell_users(project)
    if not wait:
        raise StoreError(
            f"{told} Nothing was moved.",
            hint="Wait until it has ended, with: experiment cache gc --yes --wait",
        )
    Console(sys.stderr).print(f"{told} Waiting until it has ended.")
    lock.take_alone(wait_s=None)


def _tell_users(project: Project) -> str:
    from datetime import datetime

    from curifactory.cli.console import printable
    from curifactory.cli.store import open_runs
    from curifactory.store.collection import goes_on

    now = datetime.now().astimezone()
    live_runs = [row.reference for row in open_runs(project).iter_rows() if goes_on(row, now)]
    if not live_runs:
        return f"Another process uses the store in {project.cache_folder.parent}."
    names = ", ".join(map(printable, live_runs[:3])) + (", …" if len(live_runs) > 3 else "")
    return f"{'Runs go' if len(live_runs) > 1 else 'A run goes'} on: {names}."


def _print_plan(console: Console, plan: CollectionPlan) -> None:
    from curifactory.cli.amounts import count, show_moment, show_size
    from curifactory.cli.console import printable

    if plan.live_run is not None:
        console.print(f"{printable(plan.live_run)} goes on; nothing younger than it is touched.", flush=False)
    if plan.unseen_stages:
        shown = ", ".join(map(printable, plan.unseen_stages))
        console.print(f"kept, as their present code cannot be seen: {shown}", flush=False)
    if not plan.waste and not plan.trash:
        console.print(f"There is nothing to collect; kept: {count(plan.kept_traces, 'result')}.")
        return
    for kind, (number, size_bytes) in plan.count().items():
        console.print(f"{count(number, _NOUNS[kind.value])}, {show_size(size_bytes)}", flush=False)
    for each in plan.trash:
        console.print(
            f"the trash of {show_moment(each.at)}, {show_size(each.size_bytes)}, for good", flush=False
        )
    console.print(
        f"together {show_size(plan.size_bytes)}: {count(plan.traces, 'result')} that nobody would use; "
        f"kept: {plan.kept_traces}"
    )
