"""``experiment docker RUN``: write what an image of a run is built from, and build it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb

if TYPE_CHECKING:
    from curifactory.cli.console import Console
    from curifactory.workflow.past_run import PastRun

_EPILOG = f"{RUN_HELP} As in: experiment docker iris/-1 --tag iris:paper"


@click.command("docker", cls=RunVerb, epilog=_EPILOG)
@click.argument("run", default="-1")
@click.option("--tag", metavar="NAME", help="Call the image so; its name is made of the run's without it.")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write what it is built from into this folder; below data/images without it.",
)
@click.option(
    "--build/--no-build",
    default=None,
    help="Build the image, or only write what it is built from. Without a word it is built if docker or podman answers.",
)
def verb(run: str, tag: str | None, to: Path | None, build: bool | None) -> int:
    """Make an image of a run: its commit and patch, its exact packages, its artifacts. Without RUN it is the latest."""
    import sys

    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.workflow.past_run import load_run

    make_image(Console(sys.stdout), load_run(run), to=to, tag=tag, build=build)
    return ExitCode.COMPLETE


def make_image(
    console: Console,
    run: PastRun,
    *,
    to: Path | None = None,
    tag: str | None = None,
    build: bool | None = None,
) -> None:
    """Write what an image of a run is built from, build it if that is possible, and tell of both.

    Parameters
    ----------
    console : Console
        Where to tell.
    run : PastRun
        The run.
    to, tag, build
        As for :meth:`curifactory.workflow.publication.Publication.docker`.
    """
    import sys

    from curifactory.cli.console import printable

    image = run.docker(to, tag=tag, build=build, output=sys.stderr)
    if not image.code_as_it_was:
        console.print(
            "beware  The code of the run was not recorded; the experiment is in the image as it is now."
        )
    for package in image.not_from_index:
        console.print(
            f"beware  {printable(package)} came from a folder or an address and is not in the image"
        )
    console.print(f"docker  {console.link(image.folder)}")
    if image.engine is not None:
        console.print(f"image   {printable(image.tag)}, by {image.engine}")
    elif build is not False:
        console.print(
            "image   not built: neither docker nor podman answers. "
            f"Later: docker build --tag {printable(image.tag)} {printable(str(image.folder))}"
        )
