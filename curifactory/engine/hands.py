"""Who executes the calls of a run: this process, or an executor that is started when there is something for it to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from curifactory.core.outcomes import Verdict
from curifactory.engine.graph import Call
from curifactory.engine.plan import has_to_run

if TYPE_CHECKING:
    from curifactory.executors.executor import Executor, Setup


class Hands:
    """Keeps the executor of a run.

    Parameters
    ----------
    setup : callable, optional
        Gives what workers need; asked for when the executor is started.

    Attributes
    ----------
    executor : Executor or None
        Executes calls; without one, or with one that works in this process, they are executed here.

    Examples
    --------
    >>> Hands().executor_for([]) is None
    True
    """

    __slots__ = ("_is_started", "_setup", "executor")

    def __init__(self, setup: Callable[[], Setup] | None = None) -> None:
        self.executor: Executor | None = None
        self._setup = setup
        self._is_started = False

    def executor_for(self, calls: Sequence[Call]) -> Executor | None:
        """Return the executor for calls that are about to be settled, started; None if they are executed here."""
        executor = self.executor
        if executor is None or executor.in_process or self._setup is None:
            return None
        to_run = [call for call in calls if call.verdict is not Verdict.REUSE or has_to_run(call)]
        if not to_run or (len(to_run) == 1 and not executor.is_remote and _may_take_any_time(to_run[0])):
            # Nothing to be done at the same time as something else, and nothing that could not be done here.
            return None
        if not self._is_started:
            self._is_started = True
            executor.start(self._setup())
        return executor

    def close(self, *, at_once: bool = False) -> None:
        """Let go of the executor's workers, which are started again if there is more to do.

        Parameters
        ----------
        at_once : bool
            Stop what they are doing.
        """
        if self.executor is not None and self._is_started:
            self._is_started = False
            self.executor.close(at_once=at_once)


def _may_take_any_time(call: Call) -> bool:
    """Whether nobody has to be there to stop a call that takes too long."""
    return call.spec.needs.timeout_s is None and call.engine.options.timeout_s is None
