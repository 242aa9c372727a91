"""How two runs differ, as a value: parameters, metrics, code, environment, calls and what these have made."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from curifactory.core.reason import Reason


@dataclass(frozen=True, slots=True)
class ParameterDifference:
    """A parameter that differs in a set.

    Parameters
    ----------
    set : str
        Name of the parameter set.
    name : str
        Path of the parameter; empty if one run does not have the set at all.
    before, after : str or None
        The values as texts; None where there is none.
    """

    set: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """The last value of a metric in both runs; None where it was not logged.

    Parameters
    ----------
    record : str
        Name of the record.
    type, name : str
        As it was logged.
    before, after : float or None
        The last values.
    """

    record: str
    type: str
    name: str
    before: float | None
    after: float | None

    @property
    def is_same(self) -> bool:
        """Whether both runs have the same value."""
        before, after = self.before, self.after
        if before is None or after is None:
            return before is after
        return before == after or (math.isnan(before) and math.isnan(after))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; nan and the infinities are texts there."""
        return {
            "record": self.record,
            "type": self.type,
            "name": self.name,
            "before": _finite(self.before),
            "after": _finite(self.after),
            "same": self.is_same,
        }


@dataclass(frozen=True, slots=True)
class EnvironmentDifference:
    """Something of a run's surroundings that differs.

    Parameters
    ----------
    kind : str
        ``machine``, ``package`` or ``variable``.
    name : str
        Such as ``python``, ``host``, ``numpy``, ``OMP_NUM_THREADS``.
    before, after : str or None
        The values; None where there is none.
    """

    kind: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PartDifference:
    """A function, class or constant that calls use: what happened to it (``changed``, ``added``, ``removed``), and where."""

    part: str
    change: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDifference:
    """How the code differs.

    Parameters
    ----------
    before, after : str
        The commits, with ``+`` where files differed from them, ``+`` alone before the first one; empty without git.
    parts : tuple of PartDifference
        What differs of what calls of both runs have used.
    files : tuple of str
        Source files that differ, where both runs' sources are known.
    text : str
        Their difference in unified form.
    left_out : tuple of str
        Files that differ and are not shown.
    unknown : str
        Why the sources are not known; empty if they are.
    """

    before: str = ""
    after: str = ""
    parts: tuple[PartDifference, ...] = ()
    files: tuple[str, ...] = ()
    text: str = ""
    left_out: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def is_same(self) -> bool:
        """Whether nothing is known to differ."""
        return not (self.parts or self.files or self.left_out)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "before": self.before,
            "after": self.after,
            "parts": [asdict(part) for part in self.parts],
            "files": list(self.files),
            "text": self.text,
            "left_out": list(self.left_out),
            "unknown": self.unknown,
        }


@dataclass(frozen=True, slots=True)
class OutputDifference:
    """An output of a call in both runs: the digests of what was saved, None where nothing was."""

    name: str
    before: str | None
    after: str | None

    @property
    def is_same(self) -> bool | None:
        """Whether the bytes are the same; None if one of them was not saved."""
        return None if self.before is None or self.after is None else self.before == self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDifference:
    """A call in both runs.

    Parameters
    ----------
    name, stage : str
        Name of the stage, without and with its module.
    record : str
        Name of the record.
    before, after : str or None
        How the call ended in each run; None if a run does not have it.
    is_same : bool
        Whether both have read the same: code, parameters and inputs, and what they have saved is the same.
    reasons : tuple of Reason
        What differs of what they have read.
    outputs : tuple of OutputDifference
        What they have made.
    unknown : str
        Why nobody can say all that differs; empty if it is known.
    """

    name: str
    stage: str
    record: str
    before: str | None
    after: str | None
    is_same: bool
    reasons: tuple[Reason, ...] = ()
    outputs: tuple[OutputDifference, ...] = ()
    unknown: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "name": self.name,
            "stage": self.stage,
            "record": self.record,
            "before": self.before,
            "after": self.after,
            "same": self.is_same,
            "reasons": [reason.to_json() for reason in self.reasons],
            "outputs": [
                {"name": each.name, "before": each.before, "after": each.after, "same": each.is_same}
                for each in self.outputs
            ],
            "unknown": self.unknown,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDifference:
    """How two runs differ; reads as text, shows itself in a notebook, travels as JSON.

    Parameters
    ----------
    before, after : str
        References of the runs.
    parameters : tuple of ParameterDifference
        Parameters that differ.
    metrics : tuple of MetricDifference
        All metrics, those that are the same too.
    code : CodeDifference
        How the code differs.
    environment : tuple of EnvironmentDifference
        What differs of the machines, packages and variables.
    calls : tuple of CallDifference
        All calls, those that are the same too.

    Examples
    --------
    >>> difference = RunDifference(
    ...     before="iris_1", after="iris_2", parameters=(ParameterDifference("a", "n", "100", "200"),)
    ... )
    >>> print(difference)
    iris_1 → iris_2
    <BLANKLINE>
    parameters
      n  100 → 200  a
    """

    before: str
    after: str
    parameters: tuple[ParameterDifference, ...] = ()
    metrics: tuple[MetricDifference, ...] = ()
    code: CodeDifference = CodeDifference()
    environment: tuple[EnvironmentDifference, ...] = ()
    calls: tuple[CallDifference, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the runs have the same parameters, metrics, code and results; where they ran does not count."""
        return (
            not self.parameters
            and self.code.is_same
            and all(metric.is_same for metric in self.metrics)
            and all(call.is_same for call in self.calls)
        )

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON values; the names of keys are kept from version to version."""
        return {
            "before": self.before,
            "after": self.after,
            "same": self.is_same,
            "parameters": [asdict(each) for each in self.parameters],
            "metrics": [each.to_json() for each in self.metrics],
            "code": self.code.to_json(),
            "environment": [asdict(each) for each in self.environment],
            "calls": [each.to_json() for each in self.calls],
        }

    def __str__(self) -> str:
        from curifactory.workflow.runs.difference_text import iter_lines

        return "\n".join(line for _, line in iter_lines(self))

    def _repr_html_(self) -> str:
        from curifactory.workflow.runs.difference_text import render_html

        return render_html(self)


def _finite(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)
