"""``experiment accept``: keep results although the code that made them has been rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.json_answers import json_option, print_json
from curifactory.cli.sets import request_of, set_options
from curifactory.cli.words import Verb

if TYPE_CHECKING:
    from curifactory.cli.console import Console
    from curifactory.workflow.accept import Acceptance


@click.command("accept", cls=Verb, epilog="Example: experiment accept iris --stage train_model")
@click.argument("name")
@set_options
@click.option("--stage", metavar="STAGE", help="Accept the changed code of this stage only.")
@click.option("--yes", is_flag=True, help="Do it; without this it is shown what would be accepted.")
@json_option("Write JSON.")
def verb(name: str, stage: str | None, yes: bool, as_json: bool, **words: Any) -> int:
    """Keep the results of the experiment NAME although code has changed, as after a refactoring.

    Shows which calls would keep their results and the parts of their code that have changed; --yes does it, and the
    next run reuses them. Refused is a call whose parameters, inputs or keywords have changed too; the exit code is then 1.
    """
    import sys

    sys.dont_write_bytecode = sys.dont_write_bytecode or not yes
    from curifactory.cli.console import Console
    from curifactory.engine.accepting import AcceptedAs
    from curifactory.errors import ExitCode
    from curifactory.workflow.accept import planned_acceptance

    with planned_acceptance(request_of(name, words), stage=stage) as acceptance:
        written = acceptance.carry_out() if yes else 0
        if as_json:
            print_json({**acceptance.to_json(), "done": yes, "written": written})
        else:
            _print_acceptance(Console(sys.stdout), acceptance, done=yes)
        refused = acceptance.select(AcceptedAs.REFUSED)
    return ExitCode.FAILED if refused else ExitCode.COMPLETE


def _print_acceptance(console: Console, acceptance: Acceptance, *, done: bool) -> None:
    from curifactory.cli.amounts import count
    from curifactory.cli.console import printable
    from curifactory.engine.accepting import AcceptedAs

    styles = {"accept": "green", "follows": "cyan", "refuse": "red", "leave": "bright_black"}
    lines = []
    for each in acceptance.calls:
        changes = ", ".join(str(change) for change in each.changes)
        if each.refusal is not None:
            changes = f"{each.refusal}, and {changes}" if changes else str(each.refusal)
        elif each.verdict is AcceptedAs.FOLLOWS and not changes:
            changes = "reads what is accepted"
        lines.append([each.verdict.value, each.call.name, each.call.record.get_reference_name(), changes])
    if lines:
        console.print_table(
            lines, paint=lambda place, column: styles[lines[place][0]] if column == 0 else None
        )
    accepted = len(acceptance.accepted)
    refused = len(acceptance.select(AcceptedAs.REFUSED))
    if not accepted:
        console.print("There is nothing to accept: no call differs from its last run in its code alone.")
    elif done:
        console.print(f"{count(accepted, 'call')} accepted; the next run reuses what they have made.")
    else:
        name = printable(acceptance.experiment)
        console.print(
            f"{count(accepted, 'call')} would be accepted. Do it with: experiment accept {name} --yes"
        )
    if refused:
        console.print(f"{count(refused, 'call')} refused: more than the code has changed, so they run again.")
