"""``experiment reindex``: build the index anew from the files that are the truth."""

from __future__ import annotations

import click

from curifactory.cli.words import Verb


@click.command("reindex", cls=Verb, epilog="Example: experiment reindex")
@click.option("--json", "as_json", is_flag=True, help="Write JSON: experiment reindex --json.")
def verb(as_json: bool) -> int:
    """Build the index anew from manifests and run folders.

    It may be deleted at any time and is mended by itself; this verb does it now and says what was found. The page of all
    runs is drawn anew as well.
    """
    import sys

    from curifactory.cli.amounts import count
    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project
    from curifactory.reporting.index import draw_index
    from curifactory.store.index import Index
    from curifactory.store.layout import Layout
    from curifactory.store.runs import RunStore
    from curifactory.store.traces import TraceStore

    project = Project.find()
    layout = Layout(project.cache_folder)
    page = None
    with Index(layout.index_path) as index:
        traces = TraceStore(layout, index).rebuild()
        store = RunStore(project.runs_folder, index)
        runs = store.rebuild()
        if runs or project.reports_folder.is_dir():
            mark = store.get_mark()
            page = draw_index(store.iter_rows(), project.reports_folder, mark=mark, css=project.report_css)
    if as_json:
        from curifactory.cli.json_answers import print_json

        shown = None if page is None else str(page)
        print_json({"index": str(layout.index_path), "page": shown, "traces": traces, "runs": runs})
        return ExitCode.COMPLETE
    Console(sys.stdout).print(f"{count(traces, 'trace')} and {count(runs, 'run')} are in the index.")
    return ExitCode.COMPLETE
