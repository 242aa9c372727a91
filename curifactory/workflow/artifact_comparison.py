"""Two runs of the same code, artifact by artifact: equal, close, different, or not made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from curifactory.core.outcomes import CallOutcome
from curifactory.errors import CurifactoryError
from curifactory.store.calls import CallRow, OutputRow
from curifactory.store.run import Run
from curifactory.workflow.past_artifact import PastArtifact, PastStore

_SETTLED = (CallOutcome.RAN, CallOutcome.REUSED)
_Place = tuple[str, str, int]


class Likeness(Enum):
    """How an artifact that was made again stands to the first.

    Examples
    --------
    >>> Likeness.CLOSE.is_reproduced, Likeness.MISSING.is_reproduced
    (True, False)
    """

    EQUAL = "equal"
    CLOSE = "close"
    DIFFERENT = "different"
    MISSING = "missing"

    @property
    def is_reproduced(self) -> bool:
        """Whether it counts as reproduced."""
        return self in (Likeness.EQUAL, Likeness.CLOSE)


@dataclass(frozen=True, slots=True)
class ComparedArtifact:
    """One artifact of a run beside the one that was made again.

    Parameters
    ----------
    stage, record, output : str
        Which it is.
    cacher : str
        Name of the cacher's class.
    likeness : Likeness
        How they stand to each other.
    then, now : str or None
        The digests.
    distance : float or None
        How far apart the values are, if they were compared; see :meth:`curifactory.caching.Cacheable.compare`.
    tolerance : float or None
        How far they may be.
    note : str
        What else there is to say.
    """

    stage: str
    record: str
    output: str
    cacher: str
    likeness: Likeness
    then: str
    now: str | None
    distance: float | None = None
    tolerance: float | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; the names of keys are kept from version to version."""
        return {
            "stage": self.stage,
            "record": self.record,
            "output": self.output,
            "cacher": self.cacher,
            "likeness": self.likeness.value,
            "then": self.then,
            "now": self.now,
            "distance": None if self.distance is None else _finite(self.distance),
            "tolerance": self.tolerance,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Side:
    """A run and the store that its artifacts are loaded from."""

    run: Run
    store: PastStore


def compare_artifacts(then: Side, now: Side, *, tolerance: float | None = None) -> list[ComparedArtifact]:
    """Compare every artifact that a run has with what was made again.

    Parameters
    ----------
    then : Side
        The run.
    now : Side
        The run that has done it again.
    tolerance : float, optional
        How far apart values may be that count as close; what each cacher says if None.

    Returns
    -------
    list of ComparedArtifact
        In the order of the calls.
    """
    again = {(*place, output.name): (call, output) for place, call, output in _iter_artifacts(now.run)}
    found = []
    for place, call, output in _iter_artifacts(then.run):
        other = again.get((*place, output.name))
        found.append(_compare(then, now, call, output, other, tolerance))
    return found


def _iter_artifacts(run: Run) -> Iterator[tuple[_Place, CallRow, OutputRow]]:
    """Give each artifact with its call; a call is known by stage, record, and how many such came before it."""
    counts: Counter[tuple[str, str]] = Counter()
    for call in run.calls:
        name = (call.stage, call.record_name)
        place = (*name, counts[name])
        counts[name] += 1
        if call.outcome in _SETTLED:
            for output in call.outputs:
                if output.artifact is not None:
                    yield place, call, output


def _compare(
    then: Side,
    now: Side,
    call: CallRow,
    output: OutputRow,
    other: tuple[CallRow, OutputRow] | None,
    tolerance: float | None,
) -> ComparedArtifact:
    row = output.artifact
    assert row is not None  # noqa: S101 - only outputs with an artifact are gone through
    about = (call.name, call.record_name, output.name, row.cacher)
    if other is None or other[1].artifact is None:
        return ComparedArtifact(*about, Likeness.MISSING, row.digest, None, note="it was not made again")
    digest = other[1].artifact.digest
    if digest == row.digest:
        return ComparedArtifact(*about, Likeness.EQUAL, row.digest, digest)
    if not row.cacher:
        note = "a file that the stage writes by itself; its bytes differ"
        return ComparedArtifact(*about, Likeness.DIFFERENT, row.digest, digest, note=note)
    first = PastArtifact(then.store, call, output, row, experiment=then.run.experiment)
    second = PastArtifact(now.store, *other, other[1].artifact, experiment=now.run.experiment)
    try:
        distance, allowed = first.compare(second)
    except CurifactoryError as error:
        note = f"it cannot be compared more closely: {error.message}"
        return ComparedArtifact(*about, Likeness.DIFFERENT, row.digest, digest, note=note)
    allowed = allowed if tolerance is None else tolerance
    close = distance is not None and distance <= allowed
    note = "it differs in more than numbers" if distance is None else ""
    likeness = Likeness.CLOSE if close else Likeness.DIFFERENT
    return ComparedArtifact(*about, likeness, row.digest, digest, distance, allowed, note)


def _finite(number: float) -> float | str:
    """Return a number as JSON has it; the infinities are texts there."""
    return number if number - number == 0 else str(number)
