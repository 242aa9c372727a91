"""The options that choose parameter sets, for verbs that look at an experiment as a run would."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from curifactory.workflow.request import RunRequest


def sweep_options() -> tuple[Callable[..., Any], ...]:
    """Return the options that say how changes with several values come together, and their words themselves.

    Examples
    --------
    >>> len(sweep_options())
    4
    """
    return (
        click.option(
            "--repeat",
            type=click.IntRange(1),
            default=1,
            metavar="TIMES",
            help="Look at all of it as done several times: --repeat 5.",
        ),
        click.option(
            "--zip",
            "side_by_side",
            is_flag=True,
            help="Take the first values of all changed parameters, then the second ones.",
        ),
        click.option("--chain", is_flag=True, help="Vary one changed parameter after the other."),
        click.argument("changes", nargs=-1, metavar="[PARAMETER=VALUE]…"),
    )


def set_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options ``-p``, ``-n``, ``--indices`` and ``--global-indices``, and changes of parameters."""
    for option in (
        *sweep_options(),
        click.option(
            "--global-indices",
            multiple=True,
            metavar="I|A-B",
            help="Keep the sets at these positions of all parameter files together, from 0; B is excluded.",
        ),
        click.option(
            "--indices",
            multiple=True,
            metavar="I|A-B",
            help="Keep the sets at these positions of each parameter file, from 0; B is excluded.",
        ),
        click.option(
            "-n",
            "--names",
            multiple=True,
            metavar="SET",
            help="Keep the parameter set of this name; may be given several times.",
        ),
        click.option(
            "-p",
            "--params",
            multiple=True,
            metavar="FILE",
            help="Take the parameter sets of this parameter file or experiment; may be given several times.",
        ),
    ):
        command = option(command)
    return command


def request_of(name: str, words: dict[str, Any]) -> RunRequest:
    """Return which experiment and parameter sets are meant.

    Examples
    --------
    >>> words = {"params": ("wide",), "names": (), "indices": (), "global_indices": ()}
    >>> request_of("iris", words).parameter_files
    ('wide',)
    """
    from curifactory.workflow.request import RunRequest

    return RunRequest(
        experiment=name,
        parameter_files=tuple(words["params"]),
        names=tuple(words["names"]),
        indices=tuple(words["indices"]),
        global_indices=tuple(words["global_indices"]),
        changes=tuple(words.get("changes", ())),
        sweep="chain" if words.get("chain") else "zip" if words.get("side_by_side") else "product",
        repeat=words.get("repeat", 1),
    )
