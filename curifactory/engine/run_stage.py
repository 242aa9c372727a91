"""What a stage is in one run: its identity, its outputs as the run treats them, and what its code may read."""

from __future__ import annotations

import inspect
from types import CodeType
from typing import Any, NamedTuple

from curifactory.core.spec import OutputSpec, StageSpec
from curifactory.engine.options import EngineOptions

_STATE_WORDS = frozenset({"state", "output"})


class RunStage(NamedTuple):
    """A stage as all its calls of a run share it.

    Parameters
    ----------
    spec : StageSpec
        What the decorator says.
    stage_id : str
        Module-qualified name, the same in every process.
    outputs : tuple of (OutputSpec, cacher)
        Each output with its cacher, None for one that is not cached, as this run treats it.
    output_parts : tuple of str
        Their number and their names, as they stand in keys of calls.
    has_cacher : bool
        Whether an output is cached.
    may_read_state : bool
        Whether the code speaks of a state, so that it may read what it does not declare.
    """

    spec: StageSpec
    stage_id: str
    outputs: tuple[tuple[OutputSpec, Any], ...]
    output_parts: tuple[str, ...]
    has_cacher: bool
    may_read_state: bool

    @classmethod
    def of(cls, spec: StageSpec, stage_id: str, options: EngineOptions) -> RunStage:
        """Return what a stage is under the options of a run."""
        outputs = effective_outputs(spec, options)
        parts = (str(len(outputs)), *(output.name for output, _ in outputs))
        has_cacher = any(cacher is not None for _, cacher in outputs)
        return cls(spec, stage_id, outputs, parts, has_cacher, mentions_state(spec))


def effective_outputs(spec: StageSpec, options: EngineOptions) -> tuple[tuple[OutputSpec, Any], ...]:
    """Return each output with its cacher (None: not cached), as this run treats it; the spec stays as it is."""
    from curifactory.caching.pickle_cacher import PickleCacher

    cachers = spec.cachers or (None,) * len(spec.outputs)
    pairs = []
    for output, cacher in zip(spec.outputs, cachers, strict=True):
        lazy = (output.lazy or options.lazy) and not options.ignore_lazy
        # A value can be dropped only if it can be loaded again, so a lazy output is pickled if nothing else is said.
        wanted = PickleCacher if cacher is None and (lazy or output.lazy) else cacher
        pairs.append(
            (OutputSpec(output.name, lazy=lazy, resolve=output.resolve or options.ignore_lazy), wanted)
        )
    return tuple(pairs)


def mentions_state(spec: StageSpec) -> bool:
    """Return whether a stage may read entries that it does not declare, as far as its own code shows."""
    if spec.aggregate and not spec.inputs:
        return True
    code = getattr(inspect.unwrap(spec.function), "__code__", None)
    return code is None or _names_state(code)


def _names_state(code: CodeType) -> bool:
    if not _STATE_WORDS.isdisjoint(code.co_names):
        return True
    return any(isinstance(constant, CodeType) and _names_state(constant) for constant in code.co_consts)
