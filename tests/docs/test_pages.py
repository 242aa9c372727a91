"""Every public name, option and setting stands on its page, nothing else does, and no link is broken."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
PUBLIC = ["caching", "reporting", "parameters", "tracking", "training", "testing"]
BUILT = [name for name in PUBLIC if (ROOT / "curifactory" / name / "__init__.py").exists()]
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?:|mailto:)(?P<target>[^)\s#]*)(?:#(?P<anchor>[^)\s]+))?\)")
OPTION = re.compile(r"`(?P<flag>--?[a-z][a-z0-9-]*)")


def name_page(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read_page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def read_section(page: str, heading: str) -> str:
    """Give what stands under a heading, up to the next one that is as high or higher."""
    found = re.search(rf"^(#+) {re.escape(heading)}[ \t]*$", page, re.MULTILINE)
    assert found, f"no heading '{heading}'"
    rest = page[found.end() :]
    after = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: after.start()] if after else rest


def first_cells(section: str) -> set[str]:
    """List what stands in code quotes in the first column of the tables of a section."""
    rows = [row for row in section.splitlines() if row.startswith("| `")]
    return {
        re.split(r"[(\s]", name)[0] for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])
    }


def public_names(module: str) -> set[str]:
    return {name for name in importlib.import_module(module).__all__ if not name.startswith("__")}


# ---------------------------------------------------------------------------------------------- docs/reference.md


def test_the_reference_has_every_name_of_the_face() -> None:
    on_page = first_cells(read_section(read_page("reference.md"), "`curifactory`"))
    assert on_page == public_names("curifactory")


@pytest.mark.parametrize("name", BUILT)
def test_the_reference_has_every_name_of_a_public_room(name: str) -> None:
    on_page = first_cells(read_section(read_page("reference.md"), f"`curifactory.{name}`"))
    assert on_page == public_names(f"curifactory.{name}")


@pytest.mark.parametrize("name", ["", *BUILT])
def test_every_public_name_has_a_docstring(name: str) -> None:
    module = importlib.import_module(f"curifactory.{name}".rstrip("."))
    bare = [
        public
        for public in module.__all__
        if (inspect.isclass(value := getattr(module, public)) or inspect.isroutine(value))
        # A dataclass without a docstring gets its signature as one.
        and (not value.__doc__ or value.__doc__.startswith(f"{public}("))
    ]
    assert bare == []


# ------------------------------------------------------------------------------------------------ docs/command.md


def walk_commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Go through a command and all below it, each with the words that call it."""
    import click

    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from walk_commands(below, (*path, name))


def load_command(name: str) -> click.Command:
    command: click.Command = getattr(importlib.import_module(f"curifactory.cli.{name}_verbs"), name)
    return command


def list_commands() -> list[tuple[tuple[str, ...], click.Command]]:
    return [
        found
        for name in ("experiment", "curifactory")
        for found in walk_commands(load_command(name), (name,))
    ]


def flags_of(command: click.Command) -> set[str]:
    import click

    return {
        flag
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for flag in (*parameter.opts, *parameter.secondary_opts)
    }


def flags_on(section: str) -> set[str]:
    return {match["flag"] for match in OPTION.finditer(section)}


def test_every_flag_of_every_command_stands_under_its_heading() -> None:
    """What every command has stands once, above the first of them."""
    page = read_page("command.md")
    everywhere = flags_on(page[: page.index("\n## ")])
    missing = []
    for path, command in list_commands():
        section = read_section(page, f"`{' '.join(path)}`")
        own = re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0]
        missing += [
            f"{' '.join(path)} {flag}" for flag in sorted(flags_of(command) - flags_on(own) - everywhere)
        ]
    assert missing == []


def test_the_tables_of_options_are_what_the_commands_say() -> None:
    """They are written by ``python -m curifactory.cli.reference``."""
    from curifactory.cli.reference import render_page

    assert read_page("command.md") == render_page(read_page("command.md"))


def test_every_heading_of_a_command_has_its_command() -> None:
    headings = re.findall(r"^#{2,3} `([^`]+)`$", read_page("command.md"), re.MULTILINE)
    assert set(headings) == {" ".join(path) for path, _ in list_commands()}


def test_no_flag_stands_on_the_page_that_no_command_has() -> None:
    known = {flag for _, command in list_commands() for flag in flags_of(command)} | {"--help", "--version"}
    assert flags_on(read_page("command.md")) - known == set()


def test_every_command_and_every_flag_says_what_it_does() -> None:
    import click

    silent = [" ".join(path) for path, command in list_commands() if not command.get_short_help_str()]
    silent += [
        f"{' '.join(path)} {parameter.opts[0]}"
        for path, command in list_commands()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden and not parameter.help
    ]
    assert silent == []


# ----------------------------------------------------------------------------------------------- docs/settings.md


def write_default(value: object) -> str:
    """Write a default as it would stand in a TOML file."""
    if isinstance(value, Path | str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return str(list(value))
    return str(value).lower()


def test_every_setting_stands_on_its_page_with_its_default() -> None:
    from curifactory.project.settings import Settings

    rows = [row.split(" | ") for row in read_page("settings.md").splitlines() if row.startswith("| `")]
    on_page = {cells[0].strip("| `"): cells[1].strip("`") for cells in rows}
    assert on_page == {one.name: write_default(one.default) for one in dataclasses.fields(Settings)}


# ------------------------------------------------------------------------------------------------------- all pages


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_no_link_leads_nowhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = []
    for match in LINK.finditer(text):
        target = (page.parent / match["target"]).resolve() if match["target"] else page
        if not target.exists() or (match["anchor"] and match["anchor"] not in anchors(target)):
            broken.append(match[0])
    assert broken == []


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_a_page_has_one_title(page: Path) -> None:
    outside_code = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    assert len(re.findall(r"^# ", outside_code, re.MULTILINE)) == 1


def test_every_decision_stands_in_the_list() -> None:
    pages = {page.name for page in (DOCS / "decisions").glob("*.md")} - {"README.md"}
    listed = set(
        re.findall(r"\]\(([\w.-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))
    )
    assert pages == listed


def test_the_readme_opens_with_its_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```bash\n(.+?)\n```", text, re.MULTILINE | re.DOTALL)[:2]
    assert first.startswith("python3 -m venv ")
    assert first.endswith("experiment iris -p iris")
    assert second.startswith("python3 -m venv ")
    assert "pytest" in second
    assert "\n" not in first + second
    assert text.index(second) < text.index("\n## ")
