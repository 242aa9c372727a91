"""``experiment cache why``: explain each call of an experiment as it would be decided now."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.json_answers import json_option, print_json
from curifactory.cli.sets import request_of, set_options
from curifactory.cli.words import Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curifactory.cli.console import Console
    from curifactory.workflow.why import CallExplanation, ComparedInput, ComparedRead, Explanation

# What a read begins with that is no value: see `curifactory.parameters.reads`.
_READ = MappingProxyType(
    {
        "class": "the code of the class of",
        "code": "the code of",
        "doc": "the docstring of the class of",
        "fields": "the names in",
        "type": "the class of",
    }
)


@click.command("why", cls=Verb, epilog="Example: experiment cache why iris")
@click.argument("name")
@set_options
@click.option("--stage", metavar="STAGE", help="Explain the calls of this stage only.")
@json_option("Write JSON.")
def verb(name: str, stage: str | None, as_json: bool, **words: Any) -> int:
    """Explain each call of the experiment NAME as it would be decided now, against its last run.

    Below its verdict and reason stands everything that was compared: parameters, code, inputs, and the files there are.
    """
    import sys

    sys.dont_write_bytecode = True
    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.workflow.why import explain_experiment

    explanation = explain_experiment(request_of(name, words), stage=stage)
    if as_json:
        print_json(explanation.to_json())
    else:
        print_explanation(Console(sys.stdout), explanation)
    return ExitCode.COMPLETE


def print_explanation(console: Console, explanation: Explanation) -> None:
    """Write one paragraph a call."""
    from curifactory.cli.console import align, printable

    if explanation.last_run is None:
        console.print(f"No run of {printable(explanation.experiment)} has finished a call yet.")
    else:
        console.print(f"against {printable(explanation.last_run)}", flush=False)
    for call in explanation.calls:
        row = call.row
        console.print(flush=False)
        head = [printable(text) for text in (row.name, row.record_name, row.verdict.value, str(row.reason))]
        console.print("  ".join([console.style(head[0], "bold"), *head[1:]]), flush=False)
        for cells in align(list(_iter_particulars(call, explanation.last_run))):
            console.print("    " + "  ".join(cells).rstrip(), flush=False)
    console.flush()


def _iter_particulars(call: CallExplanation, last_run: str | None) -> Iterator[list[str]]:
    from curifactory.cli.amounts import show_size

    if call.compared_with_another:
        yield [
            "compared with",
            f"what {call.row.name} last made for another record ({call.compared_with})",
            "",
        ]
    elif call.compared_with is not None and call.compared_with != last_run:
        yield ["compared with", call.compared_with, ""]
    for part in call.code:
        declared = part.part.removeprefix("depends on ")
        kind = "code" if declared == part.part else "depends"
        yield [kind, declared, f"{part.change}  {part.place}".rstrip()]
    for read in call.parameters:
        yield ["parameter", _name_read(read.name), _say_read(read)]
    for each in call.inputs:
        yield [each.kind, each.name, _say_input(each)]
    for file in call.files:
        yield ["file", file.path, f"{file.state}  {show_size(file.size_bytes)}"]


def _name_read(path: str) -> str:
    """Return what was read in a person's words: not all of it is a value."""
    kind, colon, rest = path.partition(":")
    return f"{_READ[kind]} {rest or 'the set'}" if colon and kind in _READ else path


def _say_read(read: ComparedRead) -> str:
    if read.before is None and read.now is None:
        return "changed" if read.changed else "as before"
    if read.changed:
        return f"{read.before or '?'} → {read.now or '?'}"
    return f"{read.now or read.before}, as before"


def _say_input(each: ComparedInput) -> str:
    origin = f"from {', '.join(each.made_by)}, " if each.made_by else ""
    if each.changed is None:
        return f"{origin}not known before that has run"
    return f"{origin}{'changed' if each.changed else 'as before'}"
