"""``curifactory config``: every setting of the project, its value, and where it comes from."""

from __future__ import annotations

from typing import Any

import click

from curifactory.cli.words import Verb


@click.command("config", cls=Verb, epilog="Example: curifactory config --json")
@click.option("--json", "as_json", is_flag=True, help="Write JSON: curifactory config --json.")
def verb(as_json: bool) -> int:
    """Show each setting with its value and where that comes from: environment, pyproject.toml or default."""
    import dataclasses
    import sys

    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project
    from curifactory.project.sources import DEFAULT

    project = Project.find()
    settings = {
        field.name: {
            "value": _plain(getattr(project.settings, field.name)),
            "source": project.sources[field.name],
        }
        for field in dataclasses.fields(project.settings)
    }
    console = Console(sys.stdout)
    if as_json:
        import json

        told = {"root": str(project.root), "settings": settings}
        console.print(json.dumps(told, ensure_ascii=False, indent=2))
        return ExitCode.COMPLETE
    rows = [["setting", "value", "from"]]
    rows += [[name, _show(each["value"]), each["source"]] for name, each in settings.items()]

    def paint(place: int, column: int) -> str | None:
        if place == 0:
            return "bold"
        return "bright_black" if rows[place][2] == DEFAULT else None

    console.print(f"project  {project.root}", flush=False)
    console.print(flush=False)
    console.print_table(rows, paint=paint)
    return ExitCode.COMPLETE


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    from pathlib import Path

    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _show(value: Any) -> str:
    """Write a value as it would stand in a TOML file, texts without quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
