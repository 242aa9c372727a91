"""The words that were typed."""

from __future__ import annotations

import click
import pytest

from curifactory.cli.experiment_verbs import VERBS, experiment
from curifactory.cli.verbs.run import verb as run_verb
from curifactory.cli.words import SHORT, TYPED, command_words


def parse(*words: str) -> dict[str, object]:
    """Return what the words of a run amount to."""
    return run_verb.make_context("run", list(words)).params


def resolve(*words: str) -> tuple[str | None, list[str], bool]:
    """Return the verb that the words of the command lead to, what is left for it, and whether it was left out."""
    context = experiment.make_context("experiment", list(words))
    name, _, rest = experiment.resolve_command(context, [*context._protected_args, *context.args])
    return name, rest, SHORT in context.meta


@pytest.mark.parametrize(
    ("words", "name", "notes"),
    [
        (["iris", "--notes"], "iris", ""),
        (["iris", "--notes", "first try"], "iris", "first try"),
        (["iris", "--notes=first try"], "iris", "first try"),
        (["--notes", "iris"], "iris", ""),
        (["--notes", "iris", "-p", "wide"], "iris", ""),
        (["-p", "wide", "--notes", "iris"], "iris", ""),
        (["--notes", "first try", "iris"], "iris", "first try"),
        (["--notes", "--overwrite", "iris"], "iris", ""),
        (["iris"], "iris", None),
    ],
)
def test_notes_never_swallow_the_experiment(words: list[str], name: str, notes: str | None) -> None:
    params = parse(*words)
    assert (params["name"], params["notes"]) == (name, notes)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["iris", "--print-params"], ""),
        (["--print-params", "iris"], ""),
        (["iris", "--print-params", "simple_lr"], "simple_lr"),
        (["--print-params", "simple_lr", "iris"], "simple_lr"),
    ],
)
def test_the_set_to_print_may_be_left_out(words: list[str], shown: str) -> None:
    params = parse(*words)
    assert (params["name"], params["print_params"]) == ("iris", shown)


def test_a_name_that_was_not_given_is_missed() -> None:
    with pytest.raises(click.MissingParameter, match="name"):
        parse("--overwrite", "--notes")


@pytest.mark.parametrize(
    ("words", "verb", "rest", "short"),
    [
        (["iris"], "run", ["iris"], True),
        (["iris", "--help"], "run", ["iris", "--help"], True),
        (["--dry", "iris"], "run", ["--dry", "iris"], True),
        (["run", "ls"], "run", ["ls"], False),
        (["ls"], "ls", [], False),
        (["--debug", "iris"], "run", ["iris"], True),
        (["--debug", "ls", "--json"], "ls", ["--json"], False),
        (["show", "-1"], "show", ["-1"], False),
        (["lsx"], "run", ["lsx"], True),
    ],
)
def test_the_verb_run_may_be_left_out(words: list[str], verb: str, rest: list[str], short: bool) -> None:
    assert resolve(*words) == (verb, rest, short)


@pytest.mark.parametrize("words", [["-1"], ["-1", "--json"], ["--json", "-1"], ["--", "-1"]])
def test_a_number_from_the_end_is_a_run_and_no_option(words: list[str]) -> None:
    context = click.Context(experiment)
    show = experiment.get_command(context, "show")
    assert show is not None
    assert show.make_context("show", words).params["run"] == "-1"


def test_every_verb_can_be_imported_and_says_what_it_does() -> None:
    context = click.Context(experiment)
    for name in VERBS:
        command = experiment.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.get_short_help_str()


def test_the_command_that_is_kept_has_no_notes() -> None:
    context = run_verb.make_context("run", ["--notes", "iris", "-p", "wide"])
    assert command_words(["experiment"], context.meta[TYPED]) == ("experiment", "iris", "-p", "wide")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["iris", "--lazy", "--ignore-lazy"], "--lazy and --ignore-lazy contradict each other"),
        (["iris", "--quiet", "-v"], "--quiet and --verbose contradict each other"),
        (["iris", "--map", "--hashes"], "--map and --hashes are different questions"),
        (["iris", "--json"], "--json goes with --map"),
    ],
)
def test_options_that_contradict_each_other_are_refused(words: list[str], said: str) -> None:
    context = run_verb.make_context("run", words)
    with pytest.raises(click.UsageError, match=said):
        run_verb.invoke(context)


@pytest.mark.parametrize(
    ("words", "a", "b"),
    [
        (["-2", "-1"], "-2", "-1"),
        (["-1", "iris/-2"], "-1", "iris/-2"),
        (["iris_1", "-2", "--json"], "iris_1", "-2"),
        (["--json", "-2"], "-2", "-1"),
        (["--", "-2", "-3"], "-2", "-3"),
    ],
)
def test_numbers_are_runs_where_they_stand(words: list[str], a: str, b: str) -> None:
    from curifactory.cli.verbs.diff import verb

    params = verb.make_context("diff", list(words)).params
    assert (params["a"], params["b"]) == (a, b)


def test_every_number_of_many_is_a_run() -> None:
    from curifactory.cli.verbs.remove import verb

    assert verb.make_context("rm", ["-1", "iris", "-3", "--yes"]).params["runs"] == ("-1", "iris", "-3")
