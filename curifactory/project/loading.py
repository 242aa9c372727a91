"""Experiments by name: the module, its ``run``, and what is wrong with it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from curifactory.core.nearest import suggest
from curifactory.errors import DefinitionError, DiscoveryError
from curifactory.project.listing import GET_PARAMS, RUN, list_experiments, show_path
from curifactory.project.modules import import_file


class LoadedExperiment(NamedTuple):
    """An experiment that has been imported and can be run.

    Parameters
    ----------
    name : str
        Dotted name below the experiments folder.
    module : module
        The module itself.
    run : callable
        Its ``run(param_sets, manager)``.
    doc : str
        Its docstring; may be empty.
    file : Path
        Where it lies.
    """

    name: str
    module: ModuleType
    run: Callable[[Any, Any], Any]
    doc: str
    file: Path


def load_experiment(name: str, *, root: Path, package: str, packages: tuple[str, ...]) -> LoadedExperiment:
    """Import an experiment.

    Parameters
    ----------
    name : str
        Dotted name below the experiments folder.
    root : Path
        The project.
    package : str
        Dotted name of the experiments folder.
    packages : tuple of str
        All folders that the project claims, see `import_file`.

    Raises
    ------
    DiscoveryError
        If there is no such experiment, it cannot be loaded, or it has no ``run``.
    DefinitionError
        If ``run`` cannot be called with parameter sets and a manager, or a stage is badly written.
    """
    file = find_module_file(name, root=root, package=package)
    if file is None:
        folder = root.joinpath(*package.split("."))
        known = [listed.name for listed in list_experiments(folder, root=root)]
        raise DiscoveryError(
            f"No experiment named '{name}'.",
            hint=suggest(
                as_dotted(name, package),
                known,
                nothing=f"There is none in {show_path(folder, root)}/ yet. Make one with: curifactory init --example iris",
            ),
        )
    what = f"Experiment '{name}'"
    module = import_file(f"{package}.{name}", file, root=root, packages=packages, what=what)
    return LoadedExperiment(name, module, _get_run(module, name, file, root), module.__doc__ or "", file)


def find_module_file(name: str, *, root: Path, package: str) -> Path | None:
    """Return the file of a dotted name below a folder of the project, None if there is no such file.

    Examples
    --------
    >>> find_module_file("../secrets", root=Path("/"), package="experiments") is None
    True
    """
    parts = name.split(".")
    if not all(part and part not in ("..", "__init__") and not set(part) & set("/\\\0:") for part in parts):
        return None
    folder = root.joinpath(*package.split("."))
    for file in (folder.joinpath(*parts[:-1], f"{parts[-1]}.py"), folder.joinpath(*parts, "__init__.py")):
        # A file system that ignores letter case would find Iris.py under the name iris.
        if file.is_file() and (
            file.name == "__init__.py" or file.name in {each.name for each in file.parent.iterdir()}
        ):
            return file
    return None


def as_dotted(name: str, package: str) -> str:
    """Return the dotted name that somebody meant who wrote a path.

    Examples
    --------
    >>> as_dotted("experiments/vision/iris.py", "experiments"), as_dotted("params/small.yaml", "params")
    ('vision.iris', 'small')
    """
    dotted = re.sub(r"\.(py|ya?ml)$", "", name).replace("\\", "/").strip("./").replace("/", ".")
    return dotted.removeprefix(f"{package}.")


def _get_run(module: ModuleType, name: str, file: Path, root: Path) -> Callable[[Any, Any], Any]:
    shown = show_path(file, root)
    run: Callable[[Any, Any], Any] | None = getattr(module, RUN, None)
    if run is None:
        if hasattr(module, GET_PARAMS):
            hint = f"It only gives parameters: name it with -p {name}, after an experiment."
        else:
            hint = "Write: def run(param_sets, manager): …"
        raise DiscoveryError(f"Experiment '{name}' has no run() ({shown}).", hint=hint)
    if not callable(run):
        raise DefinitionError(
            f"run of experiment '{name}' is no function but {type(run).__name__} ({shown}).",
            hint="Write: def run(param_sets, manager): …",
        )
    place = _show_place(run, shown)
    if (
        inspect.iscoroutinefunction(run)
        or inspect.isgeneratorfunction(run)
        or inspect.isasyncgenfunction(run)
    ):
        raise DefinitionError(
            f"run() of experiment '{name}' is a coroutine or generator, which calling does not execute ({place}).",
            hint="Write a plain function: def run(param_sets, manager): …",
        )
    try:
        signature = inspect.signature(run)
    except (TypeError, ValueError):
        return run  # written in C, which does not say what it takes
    try:
        signature.bind(object(), object())
    except TypeError:
        taken = ", ".join(str(each) for each in signature.parameters.values()) or "nothing"
        raise DefinitionError(
            f"run() of experiment '{name}' takes ({taken}) but is called with (param_sets, manager) ({place}).",
            hint="Write: def run(param_sets, manager): …",
        ) from None
    return run


def _show_place(function: Any, shown: str) -> str:
    code = getattr(function, "__code__", None)
    return f"{shown}:{code.co_firstlineno}" if code is not None else shown
