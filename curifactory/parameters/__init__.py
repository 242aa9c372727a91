"""Parameter sets: what they are, how they are written, changed and multiplied, stored and shown."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curifactory.parameters.default_classes import register_default as register_default
    from curifactory.parameters.instances import instantiate as instantiate
    from curifactory.parameters.ranges import Range as Range
    from curifactory.parameters.sets import ExperimentParameters as ExperimentParameters
    from curifactory.parameters.sets import set_hash_functions as set_hash_functions
    from curifactory.parameters.sweeps import chain as chain
    from curifactory.parameters.sweeps import product as product
    from curifactory.parameters.sweeps import zipped as zipped
    from curifactory.parameters.trees import ParameterTree as ParameterTree
    from curifactory.parameters.trees import plain_tree as plain_tree
    from curifactory.parameters.updates import update as update

_HOMES = {
    "ExperimentParameters": "curifactory.parameters.sets",
    "ParameterTree": "curifactory.parameters.trees",
    "Range": "curifactory.parameters.ranges",
    "chain": "curifactory.parameters.sweeps",
    "instantiate": "curifactory.parameters.instances",
    "plain_tree": "curifactory.parameters.trees",
    "product": "curifactory.parameters.sweeps",
    "register_default": "curifactory.parameters.default_classes",
    "set_hash_functions": "curifactory.parameters.sets",
    "update": "curifactory.parameters.updates",
    "zipped": "curifactory.parameters.sweeps",
}

__all__ = [*_HOMES]  # noqa: PLE0604 (made from the table of homes)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'curifactory.parameters' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
