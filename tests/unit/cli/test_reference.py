"""The tables of options in the documentation."""

from __future__ import annotations

import click

from curifactory.cli.reference import render_page, render_table

NUMBER = click.Option(["-n", "--number"], metavar="A|B", help="Show\nso many.")
QUIET = click.Option(["--quiet"], is_flag=True, help="Say nothing.")
SECRET = click.Option(["--secret"], hidden=True)


def test_a_table_has_each_option_with_its_value_and_help() -> None:
    table = render_table(click.Command("x", params=[NUMBER, QUIET, SECRET]))
    assert table.splitlines()[2:] == [
        "| `-n`, `--number A\\|B` | Show so many. |",
        "| `--quiet` | Say nothing. |",
    ]


def test_options_can_be_picked_and_left_out() -> None:
    command = click.Command("x", params=[NUMBER, QUIET])
    assert "--quiet" not in render_table(command, only=("-n",))
    assert "--number" not in render_table(command, without=("-n",))


def test_a_page_that_is_right_stays_as_it_is_and_one_without_tables_gets_them() -> None:
    page = "# The command\n\n## `experiment ls`\n\nLists files.\n\n## `experiment run`\n\n| option | what it does |\n|---|---|\n| old | x |\n"
    made = render_page(page)
    assert "| `--check` | " in made
    assert "| old | x |" not in made
    assert render_page(made) == made
    assert made.startswith(
        "# The command\n\n## `experiment ls`\n\nLists files.\n\n<!-- options: experiment ls -->\n"
    )
