"""Which code of stages is the present one: the experiments are imported, and their stages' fingerprints taken."""

from __future__ import annotations

import sys
from typing import Any

from curifactory.engine.identify import Identifier
from curifactory.errors import CurifactoryError
from curifactory.identity.fingerprint import does_something
from curifactory.identity.reach import stage_spec
from curifactory.project.project import Project

_NOTEBOOK = "notebook:"
_LOCAL = "<locals>"


class CurrentCode:
    """Says whether the code of a trace is what its stage has now.

    Parameters
    ----------
    project : Project
        The project. All its experiments are imported; one that cannot be leaves what it has to be seen unknown.
    """

    def __init__(self, project: Project) -> None:
        self._root = project.root
        self._identifiers = [Identifier(project.scope_of(""), label_prefix="")]
        for listed in project.list_experiments():
            try:
                project.load_experiment(listed.name)
            except CurifactoryError:
                # It keeps what it has made: nobody knows what its stages are.
                continue
            scope = project.scope_of(listed.name)
            if does_something(scope):
                # What it has made says so.
                self._identifiers.append(Identifier(scope, label_prefix=""))

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
