"""Why a call is run or reused: a small value with a kind and its particulars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from curifactory.core.members import with_plain_members


@with_plain_members
class ReasonKind(Enum):
    """The kinds of reasons; each value is the template of its sentence.

    Examples
    --------
    >>> ReasonKind.NEVER_RUN.name
    'NEVER_RUN'
    """

    NEVER_RUN = "never run"
    PARAMETER_CHANGED = "parameter {name}: {old} → {new}"
    PARAMETERS_NOT_SEEN = "not run with these parameters yet"
    CODE_CHANGED = "code of {part} changed{place}"
    FILE_READ_CHANGED = "file {file} changed ({how})"
    PACKAGE_CHANGED = "package {name} {old} → {new}"
    INPUT_CHANGED = "input {name} changed"
    INPUTS_NOT_SEEN = "not run with these inputs yet ({name})"
    OVERRIDE_CHANGED = "keyword {name} changed"
    SURROUNDINGS_CHANGED = "{what} changed{values}"
    ARTIFACT_MISSING = "output {file} is missing"
    ARTIFACT_MODIFIED = "output {file} was modified since it was written"
    ARTIFACT_UNREADABLE = "output {file} cannot be read"
    REPORT_DAMAGED = "what it reported is missing or was modified"
    FILE_CHANGED = "file {file} changed"
    FILE_UNREADABLE = "file {file} cannot be read"
    NO_ARTIFACT = "has no {cacher} artifact"
    ASKED_FOR = "asked for ({by})"
    NO_CACHER = "has no cacher"
    FOR_ITS_EFFECT = "runs for its effect"
    UNIDENTIFIABLE = "{what} cannot be identified"
    BINDS_STATE = "puts {name} into the state by itself"
    INPUT_RUNS = "depends on {name}"
    MAY_BE_ALIKE = "may be the same as {name}"
    UNCHANGED = "nothing it read has changed (from {run})"
    NOT_NEEDED = "nothing needs it"
    PREPARED = "its value is needed again"


#: Kinds that speak of what belongs to a stage's code.
OF_CODE = frozenset((ReasonKind.CODE_CHANGED, ReasonKind.FILE_READ_CHANGED, ReasonKind.PACKAGE_CHANGED))
#: Kinds that say why no trace holds, and not what was asked for, what a stage is, or how its files are.
OF_COMPARISON = OF_CODE | {
    ReasonKind.NEVER_RUN,
    ReasonKind.PARAMETERS_NOT_SEEN,
    ReasonKind.PARAMETER_CHANGED,
    ReasonKind.INPUT_CHANGED,
    ReasonKind.INPUTS_NOT_SEEN,
    ReasonKind.OVERRIDE_CHANGED,
    ReasonKind.SURROUNDINGS_CHANGED,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A kind and its particulars; reads as a sentence, travels as JSON.

    Parameters
    ----------
    kind : ReasonKind
        What sort of reason this is.
    particulars : mapping of str to str
        The values of the names in the kind's template.

    Examples
    --------
    >>> str(Reason(ReasonKind.PARAMETER_CHANGED, {"name": "n", "old": "100", "new": "200"}))
    'parameter n: 100 → 200'
    >>> Reason.from_json({"kind": "never_run"}).to_json()
    {'kind': 'never_run', 'text': 'never run'}
    """

    kind: ReasonKind
    particulars: Mapping[str, str] = field(default_factory=dict)
    # Many calls have one reason, and each of them is told of twice.
    _json: Mapping[str, Any] | None = field(default=None, init=False, repr=False, compare=False)

    def __str__(self) -> str:
        text: str = self.to_json()["text"]
        return text

    def to_json(self) -> Mapping[str, Any]:
        """Return the reason as JSON values, its sentence included; the same mapping each time, not to be written to."""
        found = self._json
        if found is None:
            text = self.kind.value.format(**self.particulars) if self.particulars else self.kind.value
            found = {"kind": self.kind.name.lower(), **self.particulars, "text": text}
            object.__setattr__(self, "_json", found)
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reason:
        """Read back what :meth:`to_json` gave.

        Raises
        ------
        KeyError
            If the kind is not one of :class:`ReasonKind`.
        """
        particulars = {name: value for name, value in data.items() if name not in ("kind", "text")}
        return cls(ReasonKind[data["kind"].upper()], particulars)
