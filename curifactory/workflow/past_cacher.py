"""Which cacher made an artifact of a past run: the stage's own, if it can be found, else a shipped one by its name."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from curifactory.caching.cacheable import Cacheable
from curifactory.core.spec import StageSpec
from curifactory.engine.named_code import NamedCode
from curifactory.engine.saving import fresh_cacher
from curifactory.errors import CacheError, CurifactoryError
from curifactory.project.loading import find_module_file
from curifactory.project.modules import import_file
from curifactory.project.project import Project

_NOTEBOOK = "notebook:"


class PastCachers:
    """Finds cachers by what a run has written down of them: class name and key.

    Parameters
    ----------
    project : Project
        Whose stages are looked at.
    command : sequence of str
        Words that started the run: a script among them is not imported, which would run it again.
    """

    def __init__(self, project: Project, command: Sequence[str]) -> None:
        self._project = project
        self._command = tuple(command)
        self._code = NamedCode(project.scope_of(""))

    def find(self, stage: str, output: str, *, name: str, key: str) -> Any:
        """Return a fresh cacher for an output.

        Parameters
        ----------
        stage : str
            Module-qualified name of the stage.
        output : str
            Name of the output.
        name : str
            Name of the cacher's class.
        key : str
            Identity of the cacher; empty if it is not known any more.

        Raises
        ------
        CacheError
            If there is no class of that name: the stage cannot be imported, and it is none that is shipped.
        """
        alike = None
        for found in self._candidates(stage, output, name):
            self._code.seen.clear()
            if not key or self._code.cacher_key(found) == key:
                return found
            alike = alike or found
        if alike is None:
            raise CacheError(
                f"The cacher {name} of '{output}' is not to be found: {stage} cannot be imported or has another one now.",
                hint="Give it: artifact.load(cacher=…).",
            )
        warnings.warn(
            f"{name} of '{output}' is not known to be as it was when {stage} was run: its arguments or its code may differ.",
            stacklevel=4,
        )
        return alike

    def _candidates(self, stage: str, output: str, name: str) -> Iterator[Any]:
        """Give cachers of that class name, the likeliest and cheapest first."""
        from curifactory import caching

        loaded = [_cacher_of(thing, output, name) for thing in find_loaded(stage)]
        yield from filter(None, loaded)
        shipped = getattr(caching, name, None) if name in caching.__all__ else None
        # Without arguments it is the right one surely where its key says so; then nobody's code need be imported.
        plain = _make_plain(shipped, output) if isinstance(shipped, type) else None
        if plain is not None:
            yield plain
        if not any(loaded):
            imported = _cacher_of(self._import_stage(stage), output, name)
            if imported is not None:
                yield imported

    def _import_stage(self, stage: str) -> Any:
        """Import the module of a stage and return the stage, None if that cannot be done."""
        if stage.startswith(_NOTEBOOK):
            return None
        packages = (
            self._project.settings.experiments_module_name,
            self._project.settings.params_module_name,
        )
        for module, qualname in _splits(stage):
            file = find_module_file(module, root=self._project.root, package="")
            if file is None or self._is_script(file):
                continue
            try:
                loaded = import_file(module, file, root=self._project.root, packages=packages, what=module)
            except CurifactoryError:
                return None
            return _find_inside(loaded, qualname)
        return None

    def _is_script(self, file: Path) -> bool:
        return any(Path(word).name == file.name for word in self._command if word.endswith(".py"))


def _splits(stage: str) -> Iterator[tuple[str, str]]:
    """Give the ways to read a stage's name as module and qualified name, the longest module first."""
    parts = stage.split(".")
    for length in range(len(parts) - 1, 0, -1):
        yield ".".join(parts[:length]), ".".join(parts[length:])


def find_loaded(stage: str) -> Iterator[Any]:
    """Give what goes by a stage's name in the modules that are loaded; a notebook's stages are in ``__main__``.

    Examples
    --------
    >>> list(find_loaded("json.dumps")) != [], list(find_loaded("nowhere.stage"))
    (True, [])
    """
    if stage.startswith(_NOTEBOOK):
        parts = stage.removeprefix(_NOTEBOOK).split(".")
        # The name of an experiment may have dots.
        names = [("__main__", ".".join(parts[start:])) for start in range(1, len(parts))]
    else:
        names = list(_splits(stage))
    for module, qualname in names:
        found = _find_inside(sys.modules.get(module), qualname)
        if found is not None:
            yield found


def _find_inside(module: Any, qualname: str) -> Any:
    thing = module
    for part in qualname.split("."):
        thing = getattr(thing, part, None)
    return thing


def _cacher_of(stage: Any, output: str, name: str) -> Any:
    """Return a fresh cacher of an output from a decorated function, None if it has none of that class."""
    spec = getattr(stage, "spec", None)
    if not isinstance(spec, StageSpec):
        return None
    for each, template in zip(spec.outputs, spec.cachers or (), strict=False):
        kind = template if isinstance(template, type) else type(template)
        if each.name == output and kind.__name__ == name and issubclass(kind, Cacheable):
            return fresh_cacher(template, output)
    return None


def _make_plain(kind: type, output: str) -> Any:
    try:
        return fresh_cacher(kind, output) if issubclass(kind, Cacheable) else None
    except TypeError:
        # It cannot be without arguments.
        return None
