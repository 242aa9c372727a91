"""``experiment tag RUN TAG…``: give a run tags, or take them away."""

from __future__ import annotations

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb

_EPILOG = f"{RUN_HELP} As in: experiment tag iris/-1 paper. experiment runs --tag paper finds them again."


@click.command("tag", cls=RunVerb, epilog=_EPILOG)
@click.argument("run")
@click.argument("tags", nargs=-1, required=True, metavar="TAG…")
@click.option("--remove", is_flag=True, help="Take the tags away.")
def verb(run: str, tags: tuple[str, ...], remove: bool) -> int:
    """Give a run tags: single words that runs are found by. What a tagged run has used is never collected by gc."""
    import sys

    from curifactory.cli.console import Console, printable
    from curifactory.core.nearest import suggest
    from curifactory.errors import DiscoveryError, ExitCode
    from curifactory.workflow.past_run import load_run
    from curifactory.workflow.runs.annotation import clean_tag

    found = load_run(run)
    wanted = [clean_tag(tag) for tag in tags]
    missing = [tag for tag in wanted if remove and tag not in found.tags]
    if missing:
        raise DiscoveryError(
            f"{found.reference} has no tag '{missing[0]}'.",
            hint=suggest(missing[0], found.tags, nothing="It has no tags."),
        )
    found.tag(*wanted, remove=remove)
    shown = " ".join(f"#{tag}" for tag in found.tags) or "none"
    Console(sys.stdout).print(f"tags of {printable(found.reference)}: {printable(shown)}")
    return ExitCode.COMPLETE
