"""``experiment cache verify``: read all bytes, and say what is not as it was written."""

from __future__ import annotations

import click

from curifactory.cli.words import Verb


@click.command("verify", cls=Verb, epilog="Example: experiment cache verify --json")
@click.option(
    "--set-aside",
    is_flag=True,
    help="Move modified files to data/superseded, so that their calls run again when they are needed.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(set_aside: bool, as_json: bool) -> int:
    """Read all bytes of all artifacts and say which were modified, are missing, or cannot be read.

    The exit code is 1 if any was modified since it was written, or cannot be read. Files are only told of, not touched,
    unless --set-aside is given.
    """
    import sys

    from curifactory.cli.amounts import count, show_size
    from curifactory.cli.console import Console, printable
    from curifactory.cli.store import open_cache
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project
    from curifactory.store.inventory import read_inventory
    from curifactory.store.verification import set_aside_modified, verify_inventory

    with open_cache(Project.find(), writes=set_aside) as cache:
        items = read_inventory(cache.traces.iter_traces(), cache.files, {})
        found = verify_inventory(items, cache.files, cache.layout)
        moved = set_aside_modified(found.modified, cache.files) if set_aside else []
    code = ExitCode.FAILED if found.modified or found.unreadable else ExitCode.COMPLETE
    if as_json:
        from curifactory.cli.json_answers import print_json

        places = [{"path": fault.file.path, "place": place} for fault, place in moved]
        print_json({**found.to_json(), "set_aside": places})
        return code
    console = Console(sys.stdout)
    told = (("modified", found.modified), ("missing", found.missing), ("unreadable", found.unreadable))
    for word, faults in told:
        style = "yellow" if word == "missing" else "red"
        for fault in faults:
            made = f"{fault.item.stage_name} of {fault.item.run}"
            path = printable(fault.file.path)
            console.print(f"{console.style(word, style)}  {path}  ({printable(made)})", flush=False)
    for fault, place in moved:
        console.print(f"set aside  {printable(fault.file.path)}  →  {printable(place)}", flush=False)
    console.print(
        f"{count(found.whole, 'file')}, {show_size(found.size_bytes)}, as written; "
        f"{len(found.modified)} modified, {len(found.missing)} missing"
        + (f", {len(found.unreadable)} unreadable" if found.unreadable else "")
    )
    if found.unreadable:
        console.print(
            "Give yourself the right to read those that are unreadable, then run the same command again."
        )
    if found.modified and not set_aside:
        console.print(
            "Move modified files aside, so that their calls run again: experiment cache verify --set-aside"
        )
    return code
