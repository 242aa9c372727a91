"""The Executor door: something that takes jobs and tells how each of them ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol

Tell = Callable[[bytes], None]
Work = Callable[[bytes, Tell], bytes]
# How long a process may take until it has what its first job needs, before the time of that job passes.
PREPARATION_S = 300.0


class Setup(NamedTuple):
    """What a worker needs before its first job.

    Parameters
    ----------
    begin : str
        ``module:function`` of a function that takes ``initial`` and returns the work: a function of a job's payload and of
        another function, by which it may tell something on its way; it returns the job's result.
    initial : bytes
        Given to it.
    path : tuple of str
        ``sys.path`` of the worker.
    folder : str
        Working folder of the worker.
    threads : int
        How many threads numerical libraries may use in a job that does not ask for more.
    """

    begin: str
    initial: bytes
    path: tuple[str, ...]
    folder: str
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work.

    Parameters
    ----------
    number : int
        What it is called in what the executor gives back.
    payload : bytes
        What the work is given.
    threads : int
        How many cores it keeps busy.
    memory_bytes : int
        How much memory it is going to use at most; 0 if nobody knows.
    resources : mapping of str to float
        What else it needs for itself, such as ``{"gpu": 1}``.
    timeout_s : float, optional
        After which it is stopped. What its process does before its first job is none of that time.
    leads_on : bool
        Whether another one waits for its end, and is to be begun before those that are ready now.
    """

    number: int
    payload: bytes
    threads: int = 1
    memory_bytes: int = 0
    resources: Mapping[str, float] = field(default_factory=dict)
    timeout_s: float | None = None
    leads_on: bool = False


class Failed(Exception):  # noqa: N818 - it is no fault of ours
    """Raised by work that has failed and tells of it in its own words.

    As far as an executor can see to it, what lies ready behind it is not begun before it has been heard of.

    Parameters
    ----------
    result : bytes
        What it tells: the ``result`` of the job's end, which is ``RAISED``.
    """

    def __init__(self, result: bytes) -> None:
        super().__init__(result)
        self.result = result


class Ending(Enum):
    """How a job ended."""

    DONE = "done"
    RAISED = "raised"
    DIED = "died"
    TIMED_OUT = "timed out"


class Ended(NamedTuple):
    """A job is over.

    Parameters
    ----------
    number : int
        Which job.
    ending : Ending
        How.
    result : bytes
        What the work returned, if it is done, or told with :class:`Failed`.
    detail : str
        What went wrong, if something did: a traceback, or the signal that ended the worker.
    """

    number: int
    ending: Ending
    result: bytes = b""
    detail: str = ""

    @classmethod
    def as_told(cls, number: int, kind: str, content: bytes | str) -> Ended:
        """Return the end of a job as a worker tells it: ``done``, or ``raised`` with a traceback or its own words.

        Examples
        --------
        >>> Ended.as_told(3, "raised", "ValueError")
        Ended(number=3, ending=<Ending.RAISED: 'raised'>, result=b'', detail='ValueError')
        """
        ending = Ending.DONE if kind == "done" else Ending.RAISED
        if isinstance(content, bytes):
            return cls(number, ending, content)
        return cls(number, ending, detail=content)


class Told(NamedTuple):
    """A job tells something on its way."""

    number: int
    message: bytes


class Waits(NamedTuple):
    """A job that was handed over has not begun for some time; said for people, once."""

    number: int
    detail: str


class Executor(Protocol):
    """Takes jobs, does them somewhere, and tells how they ended.

    Laws, which :class:`curifactory.testing.ExecutorLaws` tries:

    - Every job that was submitted ends exactly once, unless it is recalled or the executor is closed before.
    - A job that was recalled has not begun, and never does.
    - What a job tells comes before its end, in its order.
    - Work that raises ends as ``RAISED``; a worker that dies, as ``DIED``, within five seconds; no other job suffers.
    - ``has_room`` is True of every job while nothing runs, whatever it asks for.
    - After ``close`` no process of its own is left.

    Attributes
    ----------
    name : str
        For messages.
    in_process : bool
        Whether jobs are done in this very process, one after the other, so that nothing has to travel.
    is_remote : bool
        Whether they are done on machines that somebody has chosen for them.
    """

    name: str
    in_process: bool
    is_remote: bool

    def start(self, setup: Setup) -> None:
        """Take what workers need; they may start now or later."""
        ...

    def has_room(self, job: Job) -> bool:
        """Whether a job would begin at once, or as soon as makes no difference to anybody."""
        ...

    def submit(self, job: Job) -> None:
        """Take a job; one for which there is no room waits."""
        ...

    def recall(self) -> Collection[int]:
        """Take back the jobs that have not begun, and return their numbers: nothing will be heard of them.

        As long as the executor cannot be sure of a job, that one counts as begun.
        """
        ...

    def wait(self, timeout_s: float | None = None) -> Sequence[Ended | Told | Waits]:
        """Return what has happened, waiting for it if nothing has.

        Parameters
        ----------
        timeout_s : float, optional
            Return nothing after this time; without it, only if no job is there.
        """
        ...

    def close(self, *, at_once: bool = False) -> None:
        """Let go of all workers.

        Parameters
        ----------
        at_once : bool
            Stop what is running; otherwise it is expected that nothing is.
        """
        ...
