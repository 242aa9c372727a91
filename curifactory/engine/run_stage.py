"""What a stage is in one run: its identity, its outputs as the run treats them, and what its code may read."""

from __future__ import annotations

from types import CodeType
from typing import Any

from curifactory.core.spec import OutputSpec, StageSpec, code_of
from curifactory.engine.options import EngineOptions

_STATE_WORDS = frozenset({"state", "output"})


class RunStage:
    """A stage as all its calls of a run share it.

    Each call asks it for dozens of things; of a class with slots they are had in half the time that a named tuple takes.

    Parameters
    ----------
    spec : StageSpec
        What the decorator says.
    stage_id : str
        Module-qualified name, the same in every process.
    options : EngineOptions
        Those of the run.

    Attributes
    ----------
    name : str
        Name of the stage.
    is_aggregate : bool
        Whether its inputs are gathered from many records.
    inputs : tuple of str
        Names that are taken from the state.
    outputs : tuple of (OutputSpec, cacher)
        Each output with its cacher, None for one that is not cached, as this run treats it.
    bare_outputs : tuple of OutputSpec
        The outputs without their cachers.
    output_parts : tuple of str
        Their number and their names, as they stand in keys of calls.
    lazy_outputs : tuple of bool
        Whether each of them stays on disk until it is used.
    leaves_trace : bool
        Whether a call's trace is wanted: always under a command, in a live context only if an output is cached.
    is_saved : bool
        Whether it is, and this run writes.
    may_read_state : bool
        Whether the code speaks of a state, so that it may read what it does not declare.
    """

    __slots__ = (
        "bare_outputs", "inputs", "is_aggregate", "is_saved", "lazy_outputs", "leaves_trace", "may_read_state",
        "name", "output_parts", "outputs", "spec", "stage_id",
    )  # fmt: skip

    def __init__(self, spec: StageSpec, stage_id: str, options: EngineOptions) -> None:
        self.spec = spec
        self.name = spec.name
        self.is_aggregate = spec.aggregate
        self.inputs = spec.inputs
        self.stage_id = stage_id
        self.outputs = outputs = effective_outputs(spec, options)
        self.output_parts = (str(len(outputs)), *(output.name for output, _ in outputs))
        self.bare_outputs = tuple([output for output, _ in outputs])
        self.lazy_outputs = tuple([output.lazy for output, _ in outputs])
        self.leaves_trace = not options.live or any(cacher is not None for _, cacher in outputs)
        self.is_saved = options.writes and self.leaves_trace
        self.may_read_state = mentions_state(spec)


def effective_outputs(spec: StageSpec, options: EngineOptions) -> tuple[tuple[OutputSpec, Any], ...]:
    """Return each output with its cacher (None: not cached), as this run treats it; the spec stays as it is."""
    cachers = spec.cachers or (None,) * len(spec.outputs)
    pairs = []
    for output, cacher in zip(spec.outputs, cachers, strict=True):
        lazy = (output.lazy or options.lazy) and not options.ignore_lazy
        resolve = output.resolve or options.ignore_lazy
        is_as_said = (lazy, resolve) == output[1:]
        effective = output if is_as_said else OutputSpec(output.name, lazy=lazy, resolve=resolve)
        # A value can be dropped only if it can be loaded again, so a lazy output is pickled if nothing else is said.
        pairs.append((effective, _pickle_cacher() if cacher is None and (lazy or output.lazy) else cacher))
    return tuple(pairs)


def _pickle_cacher() -> Any:
    from curifactory.caching.pickle_cacher import PickleCacher

    return PickleCacher


def mentions_state(spec: StageSpec) -> bool:
    """Return whether a stage may read entries that it does not declare, as far as its own code shows."""
    if spec.aggregate and not spec.inputs:
        return True
    code = code_of(spec.function)
    return code is None or _names_state(code)


def _names_state(code: CodeType) -> bool:
    if not _STATE_WORDS.isdisjoint(code.co_names):
        return True
    return any(isinstance(constant, CodeType) and _names_state(constant) for constant in code.co_consts)
