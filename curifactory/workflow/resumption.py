"""Finishing a run that was interrupted or has failed: the same request again, in the present tree, linked to the first."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.secrets import MASK
from curifactory.engine.identify import Identifier
from curifactory.errors import ConfigurationError, CurifactoryError, DiscoveryError, StoreError
from curifactory.identity.reach import stage_spec
from curifactory.parameters.sets import file_hash_of
from curifactory.project.project import Project
from curifactory.project.selection import SelectedSet
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.run import Run
from curifactory.store.runs import RunStore
from curifactory.store.traces import TraceStore
from curifactory.workflow.experiment import ExperimentResult, run_experiment, select_sets
from curifactory.workflow.past_cacher import find_loaded
from curifactory.workflow.request import RunRequest

_UNFINISHED = (RunOutcome.INTERRUPTED, RunOutcome.FAILED, RunOutcome.PARTLY_FAILED)
_SETTLED = (CallOutcome.RAN, CallOutcome.REUSED)
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Resumption:
    """What is to be finished.

    Parameters
    ----------
    run : Run
        The run that did not come to its end.
    request : RunRequest
        What it was asked for, with the words for the record and the reference of the run.
    finished, calls : int
        How many of its calls were finished, of how many.
    changes : tuple of str
        What has changed since in the code and the parameters, in sentences; what it concerns runs anew.
    """

    run: Run
    request: RunRequest
    finished: int
    calls: int
    changes: tuple[str, ...]


def resume(
    query: str | None = None,
    *,
    project: Project | None = None,
    listeners: Sequence[Callable[[Any], None]] = (),
    **options: Any,
) -> ExperimentResult:
    """Finish a run that was interrupted, failed or partly failed, as ``experiment resume`` does.

    It is run again as it was asked for, in the present tree: what is finished is reused, and the new run says which one
    it resumes.

    Parameters
    ----------
    query : str, optional
        The run: a reference, its unique beginning, ``iris/-1``, ``-1``; the latest that was not finished if not given.
    project : Project, optional
        The project; found from the working folder if not given.
    listeners : sequence of callable
        Take every event of the new run.
    **options
        Further fields of :class:`RunRequest`, which win over those of the run.

    Returns
    -------
    ExperimentResult
        ``(result, manager)`` of the new run.

    Raises
    ------
    DiscoveryError
        If there is no such run, or none that was not finished.
    ConfigurationError
        If the run is complete or goes on.
    StoreError
        If what it was asked for was not recorded.
    StageError
        If a stage raises again.
    """
    project = project or Project.find()
    prepared = prepare_resumption(query, project)
    return run_experiment(prepared.request, project=project, listeners=listeners, **options)


def prepare_resumption(query: str | None, project: Project) -> Resumption:
    """Find the run that is to be finished, and what has changed since; nothing is run or written.

    Parameters
    ----------
    query, project
        As for :func:`resume`.

    Raises
    ------
    DiscoveryError, ConfigurationError, StoreError
        As :func:`resume`.
    """
    layout = Layout(project.cache_folder)
    with Index(layout.index_path, read_only=True) as index:
        runs = RunStore(project.runs_folder, index)
        run = runs.get(query) if query else _find_unfinished(runs)
        _check(run)
        request = _request_of(run)
        # Its stages are looked at, so they have to be there; an experiment that cannot be loaded is told of now.
        project.load_experiment(request.experiment)
        traces = TraceStore(layout, index, files=ArtifactFiles(layout, index))
        sets, modules = select_sets(request, project=project)
        project = replace(project, parameter_modules=modules)
        changes = (*_changed_sets(run, request, sets), *_changed_code(run, traces, project))
    settled = sum(call.outcome in _SETTLED for call in run.calls)
    return Resumption(run, request, settled, len(run.calls), changes)


def _find_unfinished(runs: RunStore) -> Run:
    resumed: set[str] = set()
    for row in runs.iter_rows():
        facts = row.facts
        if facts.get("resumes"):
            resumed.add(str(facts["resumes"]))
        if row.outcome in _UNFINISHED and not row.is_live and row.reference not in resumed:
            return Run.read(runs.folder / row.reference)
    raise DiscoveryError("There is no run that was not finished: nothing to resume.")


def _check(run: Run) -> None:
    outcome = run.outcome
    if outcome is RunOutcome.COMPLETE:
        raise ConfigurationError(
            f"{run.reference} is complete: there is nothing to finish.",
            hint=f"`experiment {run.experiment}` runs the experiment again and reuses what has not changed.",
        )
    if run.is_live or outcome is RunOutcome.LIVE:
        raise ConfigurationError(
            f"{run.reference} is a session of a notebook or script, which has no end that could be reached.",
            hint="Execute the notebook or script again; what is finished is reused.",
        )
    if outcome is RunOutcome.RUNNING:
        raise ConfigurationError(
            f"{run.reference} goes on: process {run.facts.get('pid')} on {run.facts.get('host')} works on it.",
            hint="Wait for it, or interrupt it with Ctrl-C first.",
        )


def _request_of(run: Run) -> RunRequest:
    asked = run.facts.get("request")
    if asked is None:
        raise StoreError(
            f"What {run.reference} was asked for was not recorded: it ended before that.",
            hint=f"Run it anew: experiment {run.experiment}.",
        )
    if MASK in json.dumps(asked):
        raise StoreError(
            f"{run.reference} was given a secret, which is not recorded.",
            hint="Give the same command again; what is finished is reused.",
        )
    request = RunRequest.from_json(asked)
    return replace(
        request,
        # What was to run whatever could be reused, and has, is not forced to once more.
        overwrite=False,
        overwrite_stages=_not_yet_overwritten(run, request),
        notes=run.facts.get("notes"),
        command=tuple(map(str, run.facts.get("command") or ())),
        resumes=run.reference,
    )


def _not_yet_overwritten(run: Run, request: RunRequest) -> tuple[str, ...]:
    names = {call.name for call in run.calls}
    finished = {call.name for call in run.calls if call.outcome in _SETTLED}
    asked = names if request.overwrite else set(request.overwrite_stages)
    return tuple(sorted(asked - finished))


def _changed_sets(run: Run, request: RunRequest, sets: list[SelectedSet]) -> list[str]:
    then = {row.name: row.hash for row in run.parameters}
    if not then or request.use_best is not None:
        # Which sets there are depends on results, of which some were not there yet.
        return []
    now = {each.params.name: file_hash_of(each.params) for each in sets}
    told = [
        (names, said)
        for names, said in (
            ([name for name in then if name in now and then[name] != now[name]], "changed"),
            ([name for name in now if name not in then], "new"),
            ([name for name in then if name not in now], "not there any more"),
        )
        if names
    ]
    return [f"parameter {_join(names)}: {said}" for names, said in told]


def _changed_code(run: Run, traces: TraceStore, project: Project) -> list[str]:
    """Return which stages of finished calls have other code now, by their fingerprints."""
    identifier = Identifier(project.scope_of(run.experiment), label_prefix="")
    changed: list[str] = []
    seen: set[tuple[str, str]] = set()
    for call in run.calls:
        trace = None if call.key is None else traces.find(call.key, stage=call.stage)
        if trace is None or (call.stage, trace.code) in seen:
            continue
        seen.add((call.stage, trace.code))
        spec = next(filter(None, map(stage_spec, find_loaded(call.stage))), None)
        try:
            same = spec is not None and identifier.fingerprint_of(spec).digest == trace.code
        except CurifactoryError:
            same = False
        if not same and call.name not in changed:
            changed.append(call.name)
    return [f"code of {_join(changed)}: changed"] if changed else []


def _join(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
