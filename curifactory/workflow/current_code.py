"""Which code of stages is the present one: the experiments are imported, and their stages' fingerprints taken."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from curifactory.engine.identify import Identifier
from curifactory.errors import CurifactoryError
from curifactory.identity.fingerprint import Scope, does_something
from curifactory.identity.reach import stage_spec
from curifactory.project.project import Project
from curifactory.store.run import Run
from curifactory.store.runs import RunStore

_NOTEBOOK = "notebook:"
_LOCAL = "<locals>"


class CurrentCode:
    """Says whether the code of a trace is what its stage has now.

    Parameters
    ----------
    project : Project
        The project. All its experiments are imported; one that cannot be leaves what it has to be seen unknown.
    given : iterable of tuple of str
        Parameter files and experiments by name that were given to runs together.
    """

    def __init__(self, project: Project, given: Iterable[tuple[str, ...]] = ()) -> None:
        self._root = project.root
        experiments = [
            each.name for each in project.list_experiments() if _can(project.load_experiment, each.name)
        ]
        parameters = [
            each.name for each in project.list_parameter_files() if _can(project.import_parameters, each.name)
        ]
        groups = {(), *((name,) for name in parameters), *given}
        self._identifiers = [
            Identifier(scope, label_prefix="") for scope in _scopes_of(project, experiments, sorted(groups))
        ]

    def is_current(self, stage: str, code: str) -> bool | None:
        """Say whether a stage has this code now.

        Parameters
        ----------
        stage : str
            Module-qualified name, as it stands in a trace.
        code : str
            Digest of the fingerprint in the trace.

        Returns
        -------
        bool or None
            None if nobody can tell: the module is there but none of the experiments imports it, or the stage is made
            inside of a function. A stage of a notebook has no code of its own any more once its session has ended.
        """
        if stage.startswith(_NOTEBOOK):
            return False
        parts = stage.split(".")
        for length in range(len(parts) - 1, 0, -1):
            module = sys.modules.get(".".join(parts[:length]))
            if module is not None and getattr(module, "__file__", None) is not None:
                return self._compare(module, parts[length:], code)
            if self._has_file(parts[:length]):
                return None
        return False

    def _compare(self, module: Any, names: list[str], code: str) -> bool | None:
        thing = module
        for name in names:
            if name == _LOCAL:
                return None
            thing = getattr(thing, name, None)
        spec = stage_spec(thing)
        if spec is None:
            return False
        try:
            return any(each.fingerprint_of(spec).digest == code for each in self._identifiers)
        except CurifactoryError:
            return None

    def _has_file(self, parts: list[str]) -> bool:
        place = self._root.joinpath(*parts)
        return place.with_name(f"{place.name}.py").is_file() or (place / "__init__.py").is_file()


def _can(load: Callable[[str], Any], name: str) -> bool:
    """Whether a file can be imported; one that cannot keeps what it has made: nobody knows what its stages are."""
    try:
        load(name)
    except CurifactoryError:
        return False
    return True


def list_given_files(runs: RunStore) -> set[tuple[str, ...]]:
    """Return which parameter files runs were given, by name: the files of one run together, in its order."""
    found = set()
    for row in runs.iter_rows():
        try:
            request = Run.read(runs.folder / row.reference).facts.get("request") or {}
        except CurifactoryError:
            continue
        found.add(tuple(map(str, request.get("parameter_files") or ())))
    return found


def _scopes_of(project: Project, experiments: list[str], groups: list[tuple[str, ...]]) -> Iterator[Scope]:
    """Yield who may have made what there is: nobody in particular, and the files that do something when they are imported."""
    yield project.scope_of("")
    acting: dict[tuple[str, ...], None] = {(): None}
    for names in groups:
        modules = _modules_of(project, names)
        if does_something(Scope(project.root, tuple(project.settings.fingerprint), modules)):
            acting[modules] = None
    for name, given in product(experiments, acting):
        scope = replace(project, parameter_modules=given).scope_of(name)
        if does_something(scope):
            yield scope


def _modules_of(project: Project, names: Iterable[str]) -> tuple[str, ...]:
    """Return what is imported for parameter files, as far as they are there and can be."""
    modules: dict[str, None] = {}
    for name in names:
        try:
            own = project.import_parameters(name)
            # Of one in YAML those of its classes.
            found = [own] if own is not None else [type(each).__module__ for each in project.load_sets(name)]
        except CurifactoryError:
            continue
        modules |= dict.fromkeys(found)
    return tuple(modules)
