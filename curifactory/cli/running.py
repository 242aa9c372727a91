"""Runs an experiment for the command line, or answers what a run would do."""

from __future__ import annotations

import importlib
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from curifactory.cli.console import Console, printable
from curifactory.cli.ending import print_ending
from curifactory.cli.interruption import interruptible
from curifactory.cli.json_answers import print_json
from curifactory.cli.logged_errors import LoggedErrors
from curifactory.cli.outcome import show_error
from curifactory.cli.past import Past
from curifactory.cli.progress import Progress, open_progress
from curifactory.cli.tally import Tally
from curifactory.core.events import Listener
from curifactory.core.nearest import suggest
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.errors import DiscoveryError, ExitCode
from curifactory.parameters.sets import file_hash_of
from curifactory.parameters.shown import shown_set
from curifactory.project.loading import find_module_file
from curifactory.project.project import Project
from curifactory.project.selection import SelectedSet
from curifactory.provenance.ranks import is_follower
from curifactory.workflow.request import RunRequest

_NOTES = "\n# Notes on this run of {name}. Lines that begin with # are left out.\n"
_DRAWING = ("curifactory.reporting.index", "curifactory.reporting.report", "jinja2")
_CODES = {
    RunOutcome.FAILED: ExitCode.FAILED,
    RunOutcome.PARTLY_FAILED: ExitCode.PARTLY_FAILED,
    RunOutcome.INTERRUPTED: ExitCode.INTERRUPTED,
}


class Manner(NamedTuple):
    """How a run is shown.

    Parameters
    ----------
    verbose, quiet, debug : bool
        How much to say.
    plain, table : bool
        Whether lines, or the table, are wanted in a terminal whatever else is asked.
    log_errors : bool
        Whether standard error comes into the log, too.
    """

    verbose: bool = False
    quiet: bool = False
    debug: bool = False
    plain: bool = False
    table: bool = False
    log_errors: bool = False


def run(request: RunRequest, manner: Manner) -> int:
    """Run an experiment, show it while it goes on, and tell its end.

    Parameters
    ----------
    request : RunRequest
        What to run and how.
    manner : Manner
        How it is shown.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    CurifactoryError
        If the run could not begin; what happens in a run is shown here.
    """
    project = Project.find()
    if is_follower():
        # The first process of the launch tells everything; the others would tell it again.
        manner, request = manner._replace(quiet=True), request.following()
    # What cannot be shown is no reason to stop.
    output, errors = Console(sys.stdout, raises=False), Console(sys.stderr, raises=False)
    _keep_folder_clean(request)
    _say_twice_named(request, errors, quiet=manner.quiet)
    if request.notes == "":
        request = replace(request, notes=edit_notes(request.experiment, project))
    tally = Tally()
    progress = _open_progress(output, errors, manner, project)
    code: int = ExitCode.COMPLETE
    try:
        _execute(request, manner, project, tally, progress)
    # Ctrl-C and sys.exit() in a stage too: a run that has begun tells how it ended.
    except BaseException as error:
        progress.close()
        if tally.reference is None and not request.dry:
            raise
        code = show_error(error, errors, debug=manner.debug, root=project.root)
        if code == ExitCode.WRONG_USE:
            if not (tally.executed or tally.counts[CallOutcome.REUSED]):
                return code
            # Wrong use is told before anything has run; this is a stage, or a run(), that has failed.
            code = ExitCode.FAILED
    progress.close()
    outcome = tally.outcome or (RunOutcome.COMPLETE if code == ExitCode.COMPLETE else RunOutcome.FAILED)
    if not manner.quiet:
        print_ending(output, tally, outcome=outcome, request=request, report=_find_report(project, tally))
    if tally.reference is not None and code == ExitCode.COMPLETE:
        _publish(request, tally.reference, project, Console(sys.stderr) if manner.quiet else output)
    output.check()
    return code or _CODES.get(outcome, ExitCode.COMPLETE)


def _open_progress(output: Console, errors: Console, manner: Manner, project: Project) -> Progress:
    return open_progress(
        output,
        errors,
        verbose=manner.verbose,
        quiet=manner.quiet,
        table=not manner.plain and (manner.table or not manner.verbose),
        past=Past(project),
    )


def _execute(request: RunRequest, manner: Manner, project: Project, *listeners: Listener) -> None:
    # What is made of the run is told of after its end.
    asked = replace(request, notebook=False, docker=False)
    if asked.report and not asked.dry:
        _import_drawing()
    from curifactory.workflow.experiment import run_experiment

    if asked.executor is not None or asked.jobs is not None:
        from curifactory.manager.early_hands import begin_hands

        begin_hands(asked.executor, asked.jobs)
    with interruptible(), LoggedErrors(sys.stderr) if manner.log_errors else nullcontext():
        run_experiment(asked, project=project, listeners=listeners, keep_values=False, quiet=True)


def _import_drawing() -> None:
    """Import what draws the report before anything of the person's is imported: only then is it passed over.

    See :func:`curifactory.core.garbage.pass_over`.
    """
    for name in _DRAWING:
        importlib.import_module(name)


def _publish(request: RunRequest, reference: str, project: Project, console: Console) -> None:
    """Make of a run that has ended what was asked for with it."""
    if not (request.notebook or request.docker):
        return
    from curifactory.workflow.past_run import load_run

    if request.notebook:
        path = load_run(reference, project=project).notebook()
        console.print(f"notebook  {console.link(path)}")
    if request.docker:
        from curifactory.cli.verbs.docker import make_image

        make_image(console, load_run(reference, project=project))


def show_map(request: RunRequest, *, verbose: bool, as_json: bool) -> int:
    """Write what a run would do."""
    from curifactory.cli.map import map_to_json, print_map
    from curifactory.workflow.experiment import plan_experiment

    _keep_folder_clean(request, always=True)
    _say_twice_named(request, Console(sys.stderr), quiet=False)
    plan = plan_experiment(request, project=Project.find())
    if as_json:
        print_json(map_to_json(plan, experiment=request.experiment))
    else:
        print_map(Console(sys.stdout), plan, verbose=verbose)
    return ExitCode.COMPLETE


def show_hashes(request: RunRequest, *, as_json: bool) -> int:
    """Write the hash and name of each parameter set."""
    chosen = _collect(request)
    if as_json:
        print_json(
            [
                {"hash": file_hash_of(each.params), "name": each.params.name, "file": each.file}
                for each in chosen
            ]
        )
        return ExitCode.COMPLETE
    console = Console(sys.stdout)
    for each in chosen:
        console.print(f"{file_hash_of(each.params)} {printable(each.params.name)}", flush=False)
    console.flush()
    return ExitCode.COMPLETE


def show_paths(request: RunRequest, *, as_json: bool) -> int:
    """Write the files that a run would make or reuse."""
    from curifactory.workflow.expected_files import expected_files

    _keep_folder_clean(request, always=True)
    _say_twice_named(request, Console(sys.stderr), quiet=False)
    files = expected_files(request, project=Project.find())
    if as_json:
        print_json([each.to_json() for each in files])
        return ExitCode.COMPLETE
    console = Console(sys.stdout)
    for each in files:
        console.print(printable(each.path), flush=False)
    console.flush()
    return ExitCode.COMPLETE


def show_params(request: RunRequest, name: str | None, *, verbose: bool) -> int:
    """Write the parameter sets as JSON, or one of them.

    Parameters
    ----------
    request : RunRequest
        Says which sets there are.
    name : str, optional
        Name, or beginning of the hash, of the one to show.
    verbose : bool
        Whether to tell also how each field counts in the hash.

    Raises
    ------
    DiscoveryError
        If no set has this name or hash.
    """
    chosen = _collect(request)
    if name is None:
        print_json([_set_to_json(each, verbose=verbose) for each in chosen])
        return ExitCode.COMPLETE
    found = [each for each in chosen if each.params.name == name]
    found = found or [each for each in chosen if file_hash_of(each.params).startswith(name)]
    if len(found) != 1:
        known = [each.params.name for each in chosen]
        many = f"{len(found)} parameter sets have a hash that begins with '{name}'."
        raise DiscoveryError(
            many if found else f"No parameter set named '{name}'.",
            hint="Write more of it." if found else suggest(name, known, nothing="There is none."),
        )
    print_json(_set_to_json(found[0], verbose=verbose))
    return ExitCode.COMPLETE


def _collect(request: RunRequest) -> list[SelectedSet]:
    _keep_folder_clean(request, always=True)
    _say_twice_named(request, Console(sys.stderr), quiet=False)
    from curifactory.workflow.experiment import select_sets

    return select_sets(request, project=Project.find()).sets


def _set_to_json(chosen: SelectedSet, *, verbose: bool) -> dict[str, Any]:
    params = chosen.params
    cls = type(params)
    told: dict[str, Any] = {
        "name": params.name,
        "hash": file_hash_of(params),
        "file": chosen.file,
        "class": f"{cls.__module__}:{cls.__qualname__}",
        "parameters": shown_set(params),
    }
    if verbose:
        from curifactory.identity.parameters import describe_set

        told["strategies"] = {field: strategy for field, (strategy, _) in describe_set(params).items()}
    return told


def edit_notes(name: str, project: Project) -> str | None:
    """Open the person's editor for notes that were left out; None if nothing was written.

    Raises
    ------
    DiscoveryError
        If there is no such experiment: nobody should write notes in vain.
    click.ClickException
        If there is no terminal, or no editor.
    """
    import click

    if find_module_file(name, root=project.root, package=project.settings.experiments_module_name) is None:
        project.load_experiment(name)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "--notes without a text opens an editor, which needs a terminal. Write --notes=TEXT."
        )
    text = click.edit(_NOTES.format(name=name), extension=".md")
    lines = [line for line in (text or "").splitlines() if not line.startswith("#")]
    return "\n".join(lines).strip() or None


def _keep_folder_clean(request: RunRequest, *, always: bool = False) -> None:
    """Let imports leave no byte code behind where nothing at all may be written."""
    if request.dry or always:
        sys.dont_write_bytecode = True


def _say_twice_named(request: RunRequest, errors: Console, *, quiet: bool) -> None:
    twice = [
        name for name in dict.fromkeys(request.parameter_files) if request.parameter_files.count(name) > 1
    ]
    for name in [] if quiet else twice:
        errors.print(f"Parameter file '{printable(name)}' was named more than once; it counts once.")


def _find_report(project: Project, tally: Tally) -> Path | None:
    if tally.reference is None:
        return None
    page = project.reports_folder / tally.reference / "index.html"
    return page if page.is_file() else None
