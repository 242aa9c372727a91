"""Running an experiment by name: load, collect parameter sets, call ``run()`` once, settle the graph, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from curifactory.core import garbage
from curifactory.engine.plan import Plan
from curifactory.errors import CurifactoryError, StageError, say
from curifactory.manager.assembly import with_folders
from curifactory.manager.manager import ArtifactManager
from curifactory.parameters.checking import check_values
from curifactory.project.loading import LoadedExperiment
from curifactory.project.project import Project
from curifactory.project.selection import CollectedSets, SelectedSet
from curifactory.provenance.ranks import is_follower
from curifactory.workflow.asked_stages import are_defined, check_called
from curifactory.workflow.request import RunRequest

if TYPE_CHECKING:
    from curifactory.executors.executor import Executor
    from curifactory.workflow.sweeping import Swept


class ExperimentResult(NamedTuple):
    """What :func:`run_experiment` gives back.

    Attributes
    ----------
    result : Any
        What the experiment's ``run()`` returned.
    manager : ArtifactManager
        The manager of the run, with its records; their values can still be read.
    """

    result: Any
    manager: ArtifactManager


class _Prepared(NamedTuple):
    request: RunRequest
    project: Project
    experiment: LoadedExperiment
    sets: list[SelectedSet]
    swept: Swept | None = None


def run_experiment(
    experiment: str | RunRequest,
    param_files: Sequence[str] | None = None,
    *,
    project: Project | None = None,
    listeners: Sequence[Callable[[Any], None]] = (),
    keep_values: bool = True,
    quiet: bool = False,
    **options: Any,
) -> ExperimentResult:
    """Run an experiment, as the command ``experiment NAME`` does.

    Parameters
    ----------
    experiment : str or RunRequest
        Name of the experiment, or everything that is asked in one value.
    param_files : sequence of str, optional
        Names of parameter files.
    project : Project, optional
        The project; found from the working folder if not given.
    listeners : sequence of callable
        Take every event of the run.
    keep_values : bool
        Whether every value can be asked for late; otherwise big ones that no cacher keeps end with their last reader.
    quiet : bool
        Show neither warnings nor, in a notebook, a table of stages.
    **options
        Further fields of :class:`RunRequest`.

    Returns
    -------
    ExperimentResult
        ``(result, manager)``.

    Raises
    ------
    DiscoveryError, ConfigurationError, DefinitionError
        If the experiment or its parameters cannot be loaded; no run number is used up then.
    StageError
        If a stage or ``run()`` itself raised; the exception is its ``__cause__``. The run is recorded, and its report drawn.
    KeyboardInterrupt
        If the person interrupted the run; likewise recorded.
    """
    request = _request(experiment, param_files, options)
    prepared = _prepare(request, project)
    if not request.dry and not are_defined(request.overwrite_stages, prepared.project.root):
        # Only run() itself could know them. If it does not either, no run has begun.
        plan_experiment(request, project=project)
    manager = _make_manager(prepared, listeners, quiet=quiet)
    error: BaseException | None = None
    result = None
    try:
        result = _execute(prepared, manager, keep_values=keep_values)
    except BaseException as raised:  # noqa: BLE001 - whatever ends the run, it is recorded and raised again
        error = raised
    error = _finish(manager, error)
    _report(request, manager, failed=error is not None)
    if error is not None:
        _raise(error, manager)
    _publish(request, manager)
    return ExperimentResult(result, manager)


def _execute(prepared: _Prepared, manager: ArtifactManager, *, keep_values: bool) -> Any:
    _keep_request(prepared, manager)
    with garbage.calm():
        result = _call_run(prepared, manager)
        manager.engine.run_all(keep_values=keep_values)
    return result


def _finish(manager: ArtifactManager, error: BaseException | None) -> BaseException | None:
    """End a run and return what it has failed by."""
    try:
        manager.finish(error)
    except CurifactoryError as fault:
        return fault
    return error


def plan_experiment(request: RunRequest, *, project: Project | None = None) -> Plan:
    """Return what running an experiment would do, and why; nothing is written, and executed only what ``run()`` reads.

    Parameters
    ----------
    request : RunRequest
        What would be asked.
    project : Project, optional
        The project; found from the working folder if not given.

    Raises
    ------
    StageError
        If ``run()`` raised, or a stage that it needs a value of.
    """
    with planned(request, project=project) as (plan, _):
        return plan


@contextmanager
def planned(request: RunRequest, *, project: Project | None = None) -> Iterator[tuple[Plan, ArtifactManager]]:
    """Give the plan of a request together with the manager whose calls it is of.

    Nothing is written. Executed are only calls whose values ``run()`` itself reads, as it could not go on without them.

    Parameters
    ----------
    request : RunRequest
        What would be asked.
    project : Project, optional
        The project; found from the working folder if not given.

    Raises
    ------
    StageError
        If ``run()`` raised, or a stage that it needs a value of.
    """
    prepared = _prepare(replace(request, dry=True, eager=False), project)
    plan, manager = _plan(prepared, leave_blocks=True)
    try:
        yield plan, manager
    finally:
        manager.finish()


def _plan(prepared: _Prepared, *, leave_blocks: bool) -> tuple[Plan, ArtifactManager]:
    """Make a plan, whose calls wait also in blocks, as of ``with``, unless ``run()`` can only go on if they do not."""
    manager = _make_manager(prepared, (), quiet=True)
    manager.engine.set_options(replace(manager.engine.options, planning=leave_blocks))
    with ExitStack() as leaving:
        leaving.callback(manager.finish)
        try:
            with garbage.calm():
                _call_run(prepared, manager, planning=True)
                plan = manager.plan()
        except Exception as error:  # noqa: BLE001 - whatever a run() raises, the caller is told where
            if not manager.engine.has_left_blocks:
                _raise(error, manager)
        else:
            leaving.pop_all()
            return plan, manager
    # It has read what a call makes whose block was over by then: such calls are executed where they stand.
    return _plan(prepared, leave_blocks=False)


def select_sets(request: RunRequest, *, project: Project | None = None) -> CollectedSets:
    """Return the parameter sets that a request would run with, and what was imported for them.

    Where later sets depend on results, the first value of each parameter stands for the best one.

    Raises
    ------
    DiscoveryError, ConfigurationError
        If the experiment or its parameters cannot be loaded.
    """
    prepared = _prepare(request, project)
    swept = prepared.swept
    sets = swept.expect_sets() if swept is not None and swept.is_open else prepared.sets
    return CollectedSets(sets, prepared.project.parameter_modules)


def _request(
    experiment: str | RunRequest, param_files: Sequence[str] | None, options: dict[str, Any]
) -> RunRequest:
    if isinstance(experiment, RunRequest):
        request = replace(experiment, **options) if options else experiment
    else:
        request = RunRequest(experiment=experiment, **options)
    if is_follower():
        request = request.following()
    return request if param_files is None else replace(request, parameter_files=tuple(param_files))


def _prepare(request: RunRequest, project: Project | None) -> _Prepared:
    project = project or Project.find()
    if request.cache is not None:
        project = with_folders(project, cache_path=request.cache)
    if request.seed is not None:
        project = replace(project, settings=replace(project.settings, seed=request.seed))
    experiment = project.load_experiment(request.experiment)
    sets, modules = project.collect_sets(
        experiment,
        files=request.parameter_files,
        names=request.names,
        indices=request.indices,
        global_indices=request.global_indices,
    )
    project = replace(project, parameter_modules=modules)
    swept = _sweep(sets, request)
    if swept is not None and not swept.is_open:
        sets = swept.sets
    check_values((each.params, each.file) for each in sets)
    return _Prepared(request, project, experiment, sets, swept)


def _sweep(sets: list[SelectedSet], request: RunRequest) -> Swept | None:
    if not request.asks_for_sweep:
        return None
    from curifactory.workflow.sweeping import sweep_sets

    return sweep_sets(sets, request)


def _choose_executor(request: RunRequest) -> Executor | None:
    if request.executor is None and request.jobs is None:
        return None
    from curifactory.executors.choice import choose_executor

    return choose_executor(request.executor, request.jobs)


def _make_manager(
    prepared: _Prepared, listeners: Sequence[Callable[[Any], None]], *, quiet: bool
) -> ArtifactManager:
    request = prepared.request
    # Before the manager, with which a run begins.
    executor = _choose_executor(request)
    manager = ArtifactManager(
        request.experiment,
        dry=request.dry,
        dry_cache=request.dry_cache,
        prefix=request.prefix,
        lazy=request.lazy,
        ignore_lazy=request.ignore_lazy,
        store_full=request.store_full or request.docker,
        notes=request.notes,
        live=False,
        quiet=quiet,
        eager=request.eager,
        trust=request.trust,
        log=request.log,
        all_loggers=request.all_loggers,
        command=request.command or None,
        project=prepared.project,
        listeners=listeners,
    )
    manager.work_with(
        executor,
        keep_going=request.keep_going,
        retries=request.retries,
        timeout_s=request.timeout_s,
    )
    manager.overwrite = request.overwrite
    manager.overwrite_stages = request.overwrite_stages
    return manager


def _keep_request(prepared: _Prepared, manager: ArtifactManager) -> None:
    """Keep with the run what was asked."""
    request = prepared.request
    _keep_sets(prepared, manager)
    manager.keep_facts(
        parameter_files=sorted({each.file for each in prepared.sets if each.file}),
        experiment_file=str(prepared.experiment.file),
        experiment_doc=prepared.experiment.doc,
        request=request.to_json(),
        **({"resumes": request.resumes} if request.resumes else {}),
    )


def _keep_sets(prepared: _Prepared, manager: ArtifactManager) -> None:
    """Keep the sets with the run, and the sweep that they come from."""
    swept = prepared.swept
    sets = prepared.sets if swept is None else swept.sets
    manager.keep_sets([(each.params, each.file) for each in sets])
    if swept is not None:
        swept.keep(manager)


def _call_run(prepared: _Prepared, manager: ArtifactManager, *, planning: bool = False) -> Any:
    run, swept = prepared.experiment.run, prepared.swept
    manager.engine.run_code = getattr(run, "__code__", None)
    if swept is not None and swept.is_open:
        from curifactory.workflow.sweeping import OpenSets

        try:
            result = run(OpenSets(swept, manager, planning=planning), manager)
        finally:
            _keep_sets(prepared, manager)
    else:
        result = run([each.params for each in prepared.sets], manager)
    check_called(prepared.request.overwrite_stages, manager.engine.graph.calls, prepared.request.experiment)
    return result


def _publish(request: RunRequest, manager: ArtifactManager) -> None:
    """Make of the run what was asked for with it."""
    if manager.run_folder is None or not (request.notebook or request.docker):
        return
    from curifactory.workflow.past_run import load_run

    run = load_run(manager.reference, project=manager.project)
    if request.notebook:
        run.notebook()
    if request.docker:
        run.docker()


def _report(request: RunRequest, manager: ArtifactManager, *, failed: bool) -> None:
    if request.dry or not request.report:
        return
    try:
        manager.generate_report()
    except CurifactoryError as error:
        if not failed:
            raise
        # The run's own error is what the person has to see; the report can be drawn again later.
        manager.engine.warn(f"The report could not be drawn: {error}")


def _raise(error: BaseException, manager: ArtifactManager) -> NoReturn:
    """Raise what a caller of the run gets: our own errors and interruptions as they are, a person's as a StageError.

    Raises
    ------
    StageError
        Of an exception of a stage or of ``run()``.
    """
    if isinstance(error, CurifactoryError):
        _note_place(error, manager)
        raise error
    if not isinstance(error, Exception):
        raise error
    failed = manager.engine.failed
    if failed is None or failed[1] is not error:
        said = f"run() of '{manager.experiment_name}' raised {say(error)}"
    else:
        call = failed[0]
        said = (
            f"Stage '{call.name}' of {call.record.get_reference_name()} raised {say(error)} "
            f"(called at {manager.engine.place(call.line)})."
        )
    raise StageError(said) from error


def _note_place(error: CurifactoryError, manager: ArtifactManager) -> None:
    """Note on an error that no call was ended by where in the person's code it was raised, if it does not say so."""
    if getattr(error, "__notes__", None):
        return
    from curifactory.project.frames import find_frames

    frames = find_frames(error, manager.project.root)
    if frames and frames[-1].place not in error.message:
        error.add_note(f"at {frames[-1].place}")
