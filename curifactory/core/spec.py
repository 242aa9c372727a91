"""What a decorator says about a stage, checked when it is written: ``StageSpec``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

from curifactory.core.lazy import Lazy
from curifactory.core.needs import NOTHING, Needs
from curifactory.errors import (
    CachersMismatchError,
    DefinitionError,
    EmptyCachersError,
    InputSignatureError,
    OutputSignatureError,
)


class OutputSpec(NamedTuple):
    """One name of a decorator's ``outputs``."""

    name: str
    lazy: bool = False
    resolve: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class StageSpec:
    """A stage or aggregate as its decorator describes it. Built once, never changed.

    Parameters
    ----------
    function : callable
        The person's function.
    aggregate : bool
        Whether inputs are gathered from many records.
    inputs : tuple of str
        Names that are taken from the state.
    outputs : tuple of OutputSpec
        Names that the returned values get.
    cachers : tuple or None
        One class or instance for each output; None when nothing is cached.
    suppress_missing_inputs : bool
        Whether an input that is not there is left to the argument's default.
    depends : tuple
        What the code cannot show: paths, packages, objects.
    version : Any
        A value that people change to say that the stage means something else now.
    needs : Needs
        What it needs while it is executed.
    """

    function: Callable[..., Any]
    aggregate: bool
    inputs: tuple[str, ...]
    outputs: tuple[OutputSpec, ...]
    cachers: tuple[Any, ...] | None
    suppress_missing_inputs: bool
    depends: tuple[Any, ...] = ()
    version: Any = None
    needs: Needs = NOTHING
    name: str = field(init=False)
    module: str = field(init=False)
    stage_id: str = field(init=False)
    keywords: frozenset[str] = field(init=False)
    takes_any_keyword: bool = field(init=False)

    def __post_init__(self) -> None:
        keywords, takes_any = _keywords(self.function, 2 if self.aggregate else 1)
        module = getattr(self.function, "__module__", None) or "__main__"
        qualname = self.function.__qualname__.replace("<locals>.", "")
        for name, value in (
            ("name", self.function.__name__),
            ("module", module),
            ("stage_id", f"{module}.{qualname}"),
            ("keywords", frozenset(keywords)),
            ("takes_any_keyword", takes_any),
        ):
            object.__setattr__(self, name, value)
        self._check_inputs(keywords)
        self._check_outputs()
        self._check_cachers()

    @property
    def place(self) -> str:
        """File and line of the function, for messages."""
        code = code_of(self.function)
        return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else self.module

    def _check_inputs(self, keywords: Mapping[str, bool]) -> None:
        twice = _repeated(self.inputs)
        if twice:
            raise InputSignatureError(f"Stage '{self.name}' ({self.place}) names the input '{twice}' twice.")
        for name in self.inputs:
            if name not in keywords and not self.takes_any_keyword:
                self._check_beginning(name)
                raise InputSignatureError(
                    f"Stage '{self.name}' ({self.place}) names the input '{name}', but its function has no argument "
                    f"'{name}'.",
                    hint=f"It has: {', '.join(keywords) or 'none'}. Arguments are called exactly as the inputs.",
                )
            if self.suppress_missing_inputs and not keywords.get(name, True):
                raise InputSignatureError(
                    f"Stage '{self.name}' ({self.place}) suppresses missing inputs, but its argument '{name}' has no "
                    "default.",
                    hint=f"Write {name}=None, so that the stage can be called without it.",
                )
        required = [
            name for name, has_default in keywords.items() if not has_default and name not in self.inputs
        ]
        if required and not self.aggregate and self.inputs and self.suppress_missing_inputs:
            raise InputSignatureError(
                f"Stage '{self.name}' ({self.place}) has the argument '{required[0]}', which is no input and has no "
                "default."
            )

    def _check_beginning(self, name: str) -> None:
        """Refuse an input that stands where the records belong: every aggregate is forgotten them in once."""
        if name in list(inspect.signature(self.function).parameters)[: 2 if self.aggregate else 1]:
            begins = "record, records" if self.aggregate else "record"
            raise InputSignatureError(
                f"The arguments of {'aggregate' if self.aggregate else 'stage'} '{self.name}' ({self.place}) begin with "
                f"the input '{name}'.",
                hint=f"Write: def {self.name}({begins}, {', '.join(self.inputs)}).",
            )

    def _check_outputs(self) -> None:
        names = [output.name for output in self.outputs]
        twice = _repeated(names)
        if twice:
            raise OutputSignatureError(
                f"Stage '{self.name}' ({self.place}) names the output '{twice}' twice."
            )

    def _check_cachers(self) -> None:
        if self.cachers is None:
            return
        if not self.cachers and self.outputs:
            raise EmptyCachersError(
                f"Stage '{self.name}' ({self.place}) has cachers=[] and {_count(self.outputs, 'output')}.",
                hint="Leave cachers out if nothing is to be cached, or give one cacher for each output.",
            )
        if len(self.cachers) != len(self.outputs):
            raise CachersMismatchError(
                f"Stage '{self.name}' ({self.place}) has {_count(self.outputs, 'output')} and "
                f"{_count(self.cachers, 'cacher')}.",
                hint="Give one cacher for each output, in the same order; None for an output that is not cached.",
            )
        for cacher in self.cachers:
            if cacher is not None and not (
                callable(getattr(cacher, "save", None)) and callable(getattr(cacher, "load", None))
            ):
                raise CachersMismatchError(
                    f"Stage '{self.name}' ({self.place}) has the cacher {cacher!r}, which has no save and load.",
                    hint="A cacher is a subclass of curifactory.caching.Cacheable, or an instance of one.",
                )


def output_specs(stage: str, outputs: Sequence[str | Lazy] | None) -> tuple[OutputSpec, ...]:
    """Turn a decorator's ``outputs`` into specs.

    Raises
    ------
    OutputSignatureError
        If it is a bare string or has something that is neither a name nor a ``Lazy``.

    Examples
    --------
    >>> output_specs("train", ["model", Lazy("history")])[1].lazy
    True
    """
    if isinstance(outputs, (str, Lazy)):
        raise OutputSignatureError(
            f"Stage '{stage}' has outputs={outputs!r}, which is not a list.",
            hint=f"Write outputs=[{outputs!r}].",
        )
    specs = []
    for output in outputs or ():
        if isinstance(output, Lazy):
            specs.append(OutputSpec(output.name, lazy=True, resolve=output.resolve))
        elif isinstance(output, str) and output:
            specs.append(OutputSpec(output))
        else:
            raise OutputSignatureError(
                f"Stage '{stage}' has the output {output!r}.",
                hint="An output is a name or Lazy(name); the order is inputs, outputs, cachers.",
            )
    return tuple(specs)


def input_names(stage: str, inputs: Sequence[str] | None) -> tuple[str, ...]:
    """Check a decorator's ``inputs``.

    Raises
    ------
    InputSignatureError
        If it is a bare string or has something that is not a name.

    Examples
    --------
    >>> input_names("train", None)
    ()
    """
    if isinstance(inputs, str):
        raise InputSignatureError(
            f"Stage '{stage}' has inputs={inputs!r}, which is not a list.", hint=f"Write inputs=[{inputs!r}]."
        )
    names = tuple(inputs or ())
    for name in names:
        if not isinstance(name, str) or not name:
            raise InputSignatureError(f"Stage '{stage}' has the input {name!r}.", hint="An input is a name.")
    return names


def cacher_tuple(stage: str, cachers: Any) -> tuple[Any, ...] | None:
    """Check that a decorator's ``cachers`` is a list.

    Raises
    ------
    CachersMismatchError
        If it is a single cacher.

    Examples
    --------
    >>> cacher_tuple("train", None) is None
    True
    """
    if cachers is None:
        return None
    if not isinstance(cachers, (list, tuple)):
        raise CachersMismatchError(
            f"Stage '{stage}' has cachers={cachers!r}, which is not a list.",
            hint="Write cachers=[…], one for each output.",
        )
    return tuple(cachers)


def code_of(function: Callable[..., Any]) -> CodeType | None:
    """Return the code of a stage's function, behind its wrappers; None if it is no Python.

    Examples
    --------
    >>> code_of(code_of).co_name, code_of(len)
    ('code_of', None)
    """
    if hasattr(function, "__wrapped__"):
        function = inspect.unwrap(function)
    return getattr(function, "__code__", None)


def _keywords(function: Callable[..., Any], leading: int) -> tuple[dict[str, bool], bool]:
    """Return each argument after the leading ones with whether it has a default, and whether ``**kwargs`` is there."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise DefinitionError(f"{function!r} cannot be a stage: its signature cannot be read.") from error
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise DefinitionError(
            f"'{function.__qualname__}' is a coroutine, which calling does not execute.",
            hint="Write a plain function, and asyncio.run(…) in it.",
        )
    kinds = inspect.Parameter
    positional = [p for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    any_positional = any(p.kind is kinds.VAR_POSITIONAL for p in parameters)
    if len(positional) < leading and not any_positional:
        wanted = "(record, records, …)" if leading == 2 else "(record, …)"
        raise InputSignatureError(
            f"'{function.__qualname__}' must begin with {wanted}.",
            hint="The first argument of a stage is the record"
            + (", the second of an aggregate is the list of records." if leading == 2 else "."),
        )
    rest = positional[leading:] + [p for p in parameters if p.kind is kinds.KEYWORD_ONLY]
    keywords = {p.name: p.default is not kinds.empty for p in rest if p.kind is not kinds.POSITIONAL_ONLY}
    return keywords, any(p.kind is kinds.VAR_KEYWORD for p in parameters)


def _count(things: Sequence[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _repeated(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
