"""A run's reference: how it is made of experiment, number and time, how it is read, and which names are safe in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from curifactory.errors import ConfigurationError
from curifactory.store.layout import safe_name

TIME_FORMAT = "%Y-%m-%d-T%H%M%S"
_TIME = r"\d{4}-\d\d-\d\d-T\d{6}"
_REFERENCE = re.compile(rf"(.+)_([1-9]\d*)_({_TIME})")
# The same from behind: what is no run is found out at once, and what is one without going back.
_BACKWARDS = re.compile(r"\d{6}T-\d\d-\d\d-\d{4}_\d*[1-9]_.")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """The parts of a reference; its text is the run's folder below the folder of runs.

    Parameters
    ----------
    experiment : str
        The safe form of the experiment's name, see :func:`safe_experiment`.
    number : int
        Which run of the experiment it is, from 1.
    time : str
        Local time of its start, such as ``2026-11-21-T101500``.

    Examples
    --------
    >>> str(Reference("iris", 4, "2026-11-21-T101500"))
    'iris_4_2026-11-21-T101500'
    """

    experiment: str
    number: int
    time: str

    def __str__(self) -> str:
        return f"{self.experiment}_{self.number}_{self.time}"

    @classmethod
    def make(cls, experiment: str, number: int, now: datetime) -> Reference:
        """Make the reference of a run that starts ``now`` (with time zone; local time is what it shows).

        Examples
        --------
        >>> from datetime import timezone
        >>> Reference.make("vision/iris", 2, datetime(2026, 11, 21, 10, 15).astimezone())
        Reference(experiment='vision/iris', number=2, time='2026-11-21-T101500')
        """
        return cls(safe_experiment(experiment), number, now.astimezone().strftime(TIME_FORMAT))

    @classmethod
    def parse(cls, text: str) -> Reference | None:
        """Read a reference back; None if the text is none.

        Examples
        --------
        >>> Reference.parse("a_1_7_2026-11-21-T101500")
        Reference(experiment='a_1', number=7, time='2026-11-21-T101500')
        >>> Reference.parse("iris_4") is None
        True
        """
        match = _REFERENCE.fullmatch(text)
        return None if match is None else cls(match[1], int(match[2]), match[3])


def is_reference(name: str) -> bool:
    """Say whether the name of a folder is that of a run.

    Examples
    --------
    >>> is_reference("iris_4_2026-11-21-T101500"), is_reference("vision")
    (True, False)
    """
    return _BACKWARDS.match(name[::-1]) is not None


def number_pattern(experiment: str) -> re.Pattern[str]:
    """Return what the references of one experiment fit, named by the last part of its safe form; its group is the number.

    Examples
    --------
    >>> number_pattern("a_1").fullmatch("a_1_7_2026-11-21-T101500")[1]
    '7'
    """
    return re.compile(rf"{re.escape(experiment)}_([1-9]\d*)_{_TIME}")


def safe_experiment(name: str) -> str:
    """Return an experiment's name in the form in which it names files and folders.

    ``/`` makes folders, and what is between them is made a safe name of its own, see
    :func:`curifactory.store.layout.safe_name`.

    Parameters
    ----------
    name : str
        Name as the person gave it.

    Returns
    -------
    str
        A relative path with forward slashes that stays below the folder it is joined to; different names give
        different ones.

    Raises
    ------
    ConfigurationError
        If the name is empty, or begins or ends with ``/``, or has two of them in a row.

    Examples
    --------
    >>> safe_experiment("iris"), safe_experiment("vision/iris"), safe_experiment("Größe 2")
    ('iris', 'vision/iris', 'Größe%202')
    >>> safe_experiment("../x")
    '%2E./x'
    """
    parts = name.split("/")
    if not all(parts):
        raise ConfigurationError(
            f"An experiment cannot be named {name!r}.",
            hint="A name has letters; a '/' in it stands between the name of a folder and what is in it.",
        )
    return "/".join(map(_safe_part, parts))


def _safe_part(part: str) -> str:
    safe = safe_name(part)
    # A folder of runs that looks like a run would hide those in it; `%5F` is never made by `safe_name`.
    return safe.replace("_", "%5F") if _REFERENCE.fullmatch(safe) else safe
