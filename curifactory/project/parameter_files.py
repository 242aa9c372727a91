"""Parameter files by name: where one lies, and the checked sets that its ``get_params()`` gives."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.core.nearest import suggest
from curifactory.errors import ConfigurationError, CurifactoryError, DiscoveryError
from curifactory.project.listing import GET_PARAMS, YAML, list_parameter_files, read_outline, show_path
from curifactory.project.loading import as_dotted, find_module_file
from curifactory.project.modules import add_place, import_file, put_first, show_error

if TYPE_CHECKING:
    from curifactory.parameters.sets import ExperimentParameters
    from curifactory.parameters.yaml_text import Document


class ParameterFile(NamedTuple):
    """A file with parameter sets: one in Python with a ``get_params``, or one in YAML.

    Parameters
    ----------
    name : str
        As it is written after ``-p``.
    module_name : str
        Dotted name from the project's root.
    file : Path
        Where it lies.
    shown : str
        Where it lies, as messages and runs show it.
    """

    name: str
    module_name: str
    file: Path
    shown: str


def find_parameter_file(name: str, *, root: Path, params: str, experiments: str) -> ParameterFile | None:
    """Return the parameter file of a name: one below ``params``, else an experiment that gives parameters.

    Parameters
    ----------
    name : str
        Dotted name.
    root : Path
        The project.
    params, experiments : str
        Dotted names of its folders.
    """
    candidates: list[ParameterFile] = []
    written = find_yaml_file(name, root=root, params=params)
    for package in (params, experiments):
        file = find_module_file(name, root=root, package=package)
        if file is not None:
            candidates.append(ParameterFile(name, f"{package}.{name}", file, show_path(file, root)))
        if written is not None:
            if file is not None:
                raise DiscoveryError(
                    f"Two parameter files are named '{name}': {show_path(file, root)} and {show_path(written, root)}.",
                    hint="Rename one of them.",
                )
            # One in the parameters' folder comes before any experiment.
            return ParameterFile(name, "", written, show_path(written, root))
    for candidate in candidates:
        outline = read_outline(candidate.file, root=root)
        if outline.error or GET_PARAMS in outline.names:
            return candidate
    # One that does not seem to have the function may still get it in a way that reading does not show.
    return candidates[0] if candidates else None


def get_parameter_file(name: str, *, root: Path, params: str, experiments: str) -> ParameterFile:
    """Return the parameter file of a name; see `find_parameter_file`.

    Raises
    ------
    DiscoveryError
        If there is none.
    """
    found = find_parameter_file(name, root=root, params=params, experiments=experiments)
    if found is not None:
        return found
    folders = [root.joinpath(*package.split(".")) for package in (params, experiments)]
    known = [listed.name for listed in list_parameter_files(*folders, root=root)]
    places = " or ".join(f"{show_path(folder, root)}/" for folder in folders)
    raise DiscoveryError(
        f"No parameter file named '{name}'.",
        hint=suggest(as_dotted(name, params), known, nothing=f"There is none in {places} yet."),
    )


def load_sets(found: ParameterFile, *, root: Path, packages: tuple[str, ...]) -> list[ExperimentParameters]:
    """Read a parameter file in YAML, or import one in Python, and return its checked sets.

    Raises
    ------
    DiscoveryError
        If the file cannot be loaded, has no ``get_params``, or that raises.
    ConfigurationError
        If it returned no list, an empty one, something that is no parameter set, or two sets of one name.
    """
    if found.file.suffix in YAML:
        return load_yaml_sets(found, root=root, packages=packages)
    module = import_parameters(found, root=root, packages=packages)
    return call_get_params(module, what=_name_of(found), shown=found.shown, root=root)


def import_parameters(found: ParameterFile, *, root: Path, packages: tuple[str, ...]) -> ModuleType:
    """Import a parameter file in Python.

    Raises
    ------
    DiscoveryError
        If it cannot be loaded.
    """
    return import_file(found.module_name, found.file, root=root, packages=packages, what=_name_of(found))


def _name_of(found: ParameterFile) -> str:
    return f"Parameter file '{found.name}'"


def find_yaml_file(name: str, *, root: Path, params: str) -> Path | None:
    """Return the YAML file of a dotted name below the parameters' folder, None if there is none.

    Examples
    --------
    >>> find_yaml_file("small", root=Path("/none"), params="params") is None
    True
    """
    parts = name.split(".")
    if not all(part and not set(part) & set("/\\\0:") for part in parts):
        return None
    folder = root.joinpath(*params.split("."), *parts[:-1])
    return next((file for end in YAML if (file := folder / f"{parts[-1]}{end}").is_file()), None)


def load_yaml_sets(
    found: ParameterFile, *, root: Path, packages: tuple[str, ...]
) -> list[ExperimentParameters]:
    """Read a parameter file in YAML, with what it extends and includes, and return its checked sets.

    Raises
    ------
    ParameterError
        With everything that is wrong, each with its line and column.
    ConfigurationError
        If sets have the same name.
    """
    from curifactory.parameters import yaml_files

    def read(name: str) -> Document | None:
        file = find_yaml_file(name, root=root, params=packages[-1])
        return None if file is None else _read_document(file, show_path(file, root))

    # Classes that a file names are those of the project.
    put_first(root)
    document = _read_document(found.file, found.shown)
    return yaml_files.load_sets(document, name=found.name.rpartition(".")[2], find=read)


def _read_document(file: Path, shown: str) -> Document:
    from curifactory.parameters.yaml_text import read_yaml

    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DiscoveryError(f"{shown} cannot be read: {error}.") from error
    return read_yaml(text, shown=shown)


def call_get_params(module: ModuleType, *, what: str, shown: str, root: Path) -> list[ExperimentParameters]:
    """Call the ``get_params`` of a module and return its checked sets; see `load_sets` for what it raises."""
    from curifactory.parameters.sets import check_sets

    function = getattr(module, GET_PARAMS, None)
    hint = "Write: def get_params(): return [Params(name='first'), …]"
    if not callable(function):
        raise DiscoveryError(f"{what} has no get_params() ({shown}).", hint=hint)
    try:
        inspect.signature(function).bind()
    except TypeError:
        code = getattr(function, "__code__", None)
        place = f"{shown}:{code.co_firstlineno}" if code is not None else shown
        raise DiscoveryError(
            f"get_params() takes {inspect.signature(function)} but is called without arguments ({place}).",
            hint=hint,
        ) from None
    except ValueError:
        pass  # written in C, which does not say what it takes
    try:
        returned = function()
    except CurifactoryError as error:
        add_place(error, root)
        raise
    except (Exception, SystemExit) as error:
        # What a class without @dataclass is given comes to the base of all parameter classes.
        undecorated = str(error).startswith(
            "ExperimentParameters.__init__() got an unexpected keyword argument"
        )
        raise ConfigurationError(
            f"{what} cannot be used: get_params() raised {show_error(error, root)}.",
            hint="Is @dataclass missing above the parameter class?" if undecorated else None,
        ) from error
    try:
        return check_sets(returned, source=shown)
    except ConfigurationError as error:
        _add_lines(error, module, returned, root)
        raise


def _add_lines(error: ConfigurationError, module: ModuleType, returned: Any, root: Path) -> None:
    """Note on an error where names stand that are given to several sets."""
    from collections import Counter

    from curifactory.project.reading import Reading

    file = getattr(module, "__file__", None)
    if file is None or not isinstance(returned, (list, tuple)):
        return
    counts = Counter(name for each in returned if isinstance(name := getattr(each, "name", None), str))
    lines = Reading(root).find_set_lines(Path(file))
    places = sorted({line for name, count in counts.items() if count > 1 for line in lines.get(name, ())})
    if places:
        shown = show_path(Path(file), root)
        error.add_note("at " + " and ".join(f"{shown}:{line}" for line in places))
