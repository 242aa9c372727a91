"""``experiment cache undo``: bring back what the last collection has cleared away."""

from __future__ import annotations

import click

from curifactory.cli.words import Verb


@click.command("undo", cls=Verb, epilog="Example: experiment cache undo")
def verb() -> int:
    """Bring back what the last experiment cache gc has moved to the trash.

    What was made again in the meantime stays as it is.
    """
    import sys

    from curifactory.cli.amounts import count, show_moment
    from curifactory.cli.console import Console
    from curifactory.cli.store import open_cache
    from curifactory.errors import DiscoveryError, ExitCode
    from curifactory.project.project import Project
    from curifactory.store.collection import Collector

    with open_cache(Project.find(), writes=True) as cache:
        done = Collector(cache.layout, cache.files, cache.traces, cache.runs).undo()
    if done is None:
        raise DiscoveryError("The trash is empty: there is nothing to bring back.")
    last, restored = done
    console = Console(sys.stdout)
    console.print(f"brought back what was cleared away at {show_moment(last.at)}: {count(restored, 'thing')}")
    return ExitCode.COMPLETE
