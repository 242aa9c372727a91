"""The lists of verbs, and what every verb's help has."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from curifactory.cli.curifactory_verbs import curifactory
from curifactory.cli.experiment_verbs import experiment
from curifactory.cli.groups import LazyGroup


def iter_verbs(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from iter_verbs(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


VERBS = dict([*iter_verbs(experiment, "experiment"), *iter_verbs(curifactory, "curifactory")])


@pytest.mark.parametrize("path", VERBS)
def test_the_help_of_every_verb_has_an_example(path: str) -> None:
    command = VERBS[path]
    # Without the line of its usage, which has the words, too.
    told = command.get_help(
        click.Context(command, info_name=path, max_content_width=10_000, terminal_width=10_000)
    )
    told = told.partition("\n")[2]
    assert path in told or (path == "experiment run" and ": iris --map" in told)


@pytest.mark.parametrize("width", [60, 80, 110])
@pytest.mark.parametrize(
    "group", [experiment, curifactory, experiment.get_command(click.Context(experiment), "cache")]
)
def test_no_sentence_is_cut_in_its_midst_where_verbs_are_listed(group: LazyGroup, width: int) -> None:
    told = group.get_help(click.Context(group, info_name="experiment", terminal_width=width))
    assert "..." not in told.partition("Commands:")[2]
    assert max(map(len, told.splitlines())) <= width
    for name in group.verbs:
        assert f"\n  {name} " in told
