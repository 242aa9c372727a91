"""The decorators ``@stage`` and ``@aggregate``: they describe, and hand calls to the record's session."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, Unpack, cast

from curifactory.core.lazy import Lazy
from curifactory.core.needs import Needs, StageNeeds
from curifactory.core.record import Record
from curifactory.core.spec import StageSpec, cacher_tuple, input_names, output_specs
from curifactory.errors import DefinitionError, NoArtifactManagerError


class StageFunction(Protocol):
    """A decorated function: takes a record, returns it."""

    spec: StageSpec
    __name__: str
    __wrapped__: Callable[..., Any]

    def __call__(self, record: Record, *args: Any, **overrides: Any) -> Record:
        """Call the stage on a record."""
        ...


def stage(
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str | Lazy] | None = None,
    cachers: Sequence[Any] | None = None,
    suppress_missing_inputs: bool = False,
    *,
    depends: Sequence[Any] = (),
    version: Any = None,
    **needs: Unpack[StageNeeds],
) -> Callable[[Callable[..., Any]], StageFunction]:
    """Make a function of a record into a stage.

    Parameters
    ----------
    inputs : list of str, optional
        Names that are taken from ``record.state`` and given to the arguments of the same names.
    outputs : list of str or Lazy, optional
        Names in ``record.state`` of what is returned; several values are returned as a tuple.
    cachers : list, optional
        One class or instance for each output, None for one that is not cached.
    suppress_missing_inputs : bool
        Leave an input that is not in the state to the default of its argument.
    depends, version : list and Any, optional
        What the code cannot show: paths, names of packages, values; and a value to change when old results are void.
    **needs
        What it takes while it is executed: see :class:`~curifactory.core.needs.StageNeeds`.

    Returns
    -------
    callable
        The decorator. The stage takes a record, and keywords in place of inputs; it returns the record.

    Raises
    ------
    InputSignatureError, OutputSignatureError, CachersMismatchError
        Where the decorator is written, if it does not fit the function.

    Examples
    --------
    >>> @stage(inputs=["data"], outputs=["total"])
    ... def add_up(record, data):
    ...     return sum(data)
    >>> add_up.spec.outputs[0].name
    'total'
    """
    describe = _written(False, inputs, outputs, cachers, suppress_missing_inputs, depends, version, needs)

    def decorate(function: Callable[..., Any]) -> StageFunction:
        spec = describe.spec_of(function)

        @functools.wraps(function)
        def call(record: Record, *args: Any, **overrides: Any) -> Record:
            __tracebackhide__ = True  # notebooks and pytest then show the person's lines alone
            if args or not isinstance(record, Record) or record.manager is None:
                raise _unfit_call(spec, record, args)
            record.manager.call_stage(spec, record, None, overrides)
            return record

        return _described(call, spec)

    return decorate


def aggregate(
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str | Lazy] | None = None,
    cachers: Sequence[Any] | None = None,
    *,
    depends: Sequence[Any] = (),
    version: Any = None,
    **needs: Unpack[StageNeeds],
) -> Callable[[Callable[..., Any]], StageFunction]:
    """Make a function of a record and many records into a stage that compares or combines them.

    Each input is a dictionary from record to value, with the records that have it.

    Parameters
    ----------
    inputs, outputs, cachers, depends, version, **needs
        As in :func:`stage`.

    Returns
    -------
    callable
        The decorator. The aggregate is called with its record and a list of records; None takes all other records
        that the manager has at that moment.

    Raises
    ------
    InputSignatureError, OutputSignatureError, CachersMismatchError
        When the decorator does not fit the function.

    Examples
    --------
    >>> @aggregate(inputs=["score"], outputs=["best"])
    ... def find_best(record, records, score):
    ...     return max(score.values())
    >>> find_best.spec.aggregate
    True
    """
    describe = _written(True, inputs, outputs, cachers, False, depends, version, needs)

    def decorate(function: Callable[..., Any]) -> StageFunction:
        spec = describe.spec_of(function)

        @functools.wraps(function)
        def call(
            record: Record, records: Sequence[Record] | None = None, *args: Any, **overrides: Any
        ) -> Record:
            __tracebackhide__ = True  # notebooks and pytest then show the person's lines alone
            if args or not isinstance(record, Record) or record.manager is None:
                raise _unfit_call(spec, record, args)
            record.manager.call_stage(spec, record, records, overrides)
            return record

        return _described(call, spec)

    return decorate


class _Description(NamedTuple):
    """What stands in the parentheses of a decorator."""

    aggregate: bool
    inputs: Sequence[str] | None
    outputs: Sequence[str | Lazy] | None
    cachers: Sequence[Any] | None
    suppress_missing_inputs: bool
    depends: Sequence[Any]
    version: Any
    needs: StageNeeds

    def spec_of(self, function: Callable[..., Any]) -> StageSpec:
        """Return what it says about a function, checked."""
        name = function.__name__
        return StageSpec(
            function=function,
            aggregate=self.aggregate,
            inputs=input_names(name, self.inputs),
            outputs=output_specs(name, self.outputs),
            cachers=cacher_tuple(name, self.cachers),
            suppress_missing_inputs=self.suppress_missing_inputs,
            depends=tuple(self.depends),
            version=self.version,
            needs=Needs.of(name, **self.needs),
        )


def _written(aggregate: bool, inputs: Any, *others: Any) -> _Description:
    """Return what stands in the parentheses of a decorator, if it has any."""
    if callable(inputs):
        decorator = "@aggregate" if aggregate else "@stage"
        raise DefinitionError(
            f"{decorator} is written without parentheses.",
            hint=f"Write {decorator}(inputs=[…], outputs=[…]).",
        )
    return _Description(aggregate, inputs, *others)


def _described(call: Callable[..., Record], spec: StageSpec) -> StageFunction:
    call.spec = spec  # type: ignore[attr-defined]
    return cast(StageFunction, call)


def _unfit_call(spec: StageSpec, record: Any, args: tuple[Any, ...]) -> DefinitionError:
    if not isinstance(record, Record):
        return DefinitionError(
            f"Stage '{spec.name}' was called with {type(record).__name__}, not with a record.",
            hint=f"Write {spec.name}(cf.Record(manager, params)).",
        )
    if args:
        return DefinitionError(
            f"Stage '{spec.name}' was called with {len(args)} further positional value{'s' * (len(args) > 1)}.",
            hint="Inputs come from the state; give others by keyword, such as "
            f"{spec.name}(record, {next(iter(sorted(spec.keywords)), 'name')}=…).",
        )
    return NoArtifactManagerError(
        f"Stage '{spec.name}' was called on a record without a manager.",
        hint="Make it with cf.Record(manager, …).",
    )
