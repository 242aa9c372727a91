"""Parameter sets: what they are, how they are read, stored and shown."""

from __future__ import annotations

from curifactory.parameters.sets import ExperimentParameters, set_hash_functions

__all__ = ["ExperimentParameters", "set_hash_functions"]
