"""The public face of curifactory: about thirty names, each loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curifactory.core.lazy import Lazy as Lazy
    from curifactory.core.record import Record as Record
    from curifactory.core.stages import aggregate as aggregate
    from curifactory.core.stages import stage as stage
    from curifactory.errors import CacheError as CacheError
    from curifactory.errors import CachersMismatchError as CachersMismatchError
    from curifactory.errors import ConfigurationError as ConfigurationError
    from curifactory.errors import CurifactoryError as CurifactoryError
    from curifactory.errors import DefinitionError as DefinitionError
    from curifactory.errors import DiscoveryError as DiscoveryError
    from curifactory.errors import EmptyCachersError as EmptyCachersError
    from curifactory.errors import InputSignatureError as InputSignatureError
    from curifactory.errors import MissingInputError as MissingInputError
    from curifactory.errors import NoArtifactManagerError as NoArtifactManagerError
    from curifactory.errors import OutputSignatureError as OutputSignatureError
    from curifactory.errors import ParameterError as ParameterError
    from curifactory.errors import PartlyFailedError as PartlyFailedError
    from curifactory.errors import StageError as StageError
    from curifactory.errors import UnidentifiableError as UnidentifiableError
    from curifactory.manager.manager import ArtifactManager as ArtifactManager
    from curifactory.parameters.ranges import Range as Range
    from curifactory.parameters.sets import ExperimentParameters as ExperimentParameters
    from curifactory.parameters.sets import set_hash_functions as set_hash_functions
    from curifactory.workflow.experiment import run_experiment as run_experiment
    from curifactory.workflow.past_run import load_run as load_run
    from curifactory.workflow.procedure import Procedure as Procedure
    from curifactory.workflow.request import RunRequest as RunRequest
    from curifactory.workflow.resumption import resume as resume
    from curifactory.workflow.runs.catalogue import runs as runs
    from curifactory.workflow.task import Task as Task

# From here on it is known what was imported when.
import curifactory.identity.loadings  # noqa: F401 (it watches)
from curifactory.version import __version__

_HOMES = {
    "ArtifactManager": "curifactory.manager.manager",
    "CacheError": "curifactory.errors",
    "CachersMismatchError": "curifactory.errors",
    "ConfigurationError": "curifactory.errors",
    "CurifactoryError": "curifactory.errors",
    "DefinitionError": "curifactory.errors",
    "DiscoveryError": "curifactory.errors",
    "EmptyCachersError": "curifactory.errors",
    "ExperimentParameters": "curifactory.parameters.sets",
    "InputSignatureError": "curifactory.errors",
    "Lazy": "curifactory.core.lazy",
    "MissingInputError": "curifactory.errors",
    "NoArtifactManagerError": "curifactory.errors",
    "OutputSignatureError": "curifactory.errors",
    "ParameterError": "curifactory.errors",
    "Procedure": "curifactory.workflow.procedure",
    "Range": "curifactory.parameters.ranges",
    "Record": "curifactory.core.record",
    "RunRequest": "curifactory.workflow.request",
    "PartlyFailedError": "curifactory.errors",
    "StageError": "curifactory.errors",
    "Task": "curifactory.workflow.task",
    "UnidentifiableError": "curifactory.errors",
    "aggregate": "curifactory.core.stages",
    "load_run": "curifactory.workflow.past_run",
    "resume": "curifactory.workflow.resumption",
    "run_experiment": "curifactory.workflow.experiment",
    "runs": "curifactory.workflow.runs.catalogue",
    "set_hash_functions": "curifactory.parameters.sets",
    "stage": "curifactory.core.stages",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is not None:
        value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value
    if name in ("caching", "parameters", "reporting", "testing"):
        return importlib.import_module(f"curifactory.{name}")
    raise AttributeError(f"module 'curifactory' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
