"""What was asked of a run that bears on the engine, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How calls are to be decided and saved.

    Parameters
    ----------
    experiment : str
        Name of the experiment; begins file names unless ``prefix`` is given.
    run : str
        Reference of the run; stands in its traces.
    prefix : str, optional
        Begins file names in place of the experiment's name.
    live : bool
        Whether this is a notebook, REPL or script, where each call is executed when it is made.
    eager : bool
        Whether a command executes each call when it is made too.
    planning : bool
        Whether somebody only looks at what would happen, so that a call waits wherever it is made.
    overwrite : bool
        Execute every call that is needed.
    overwrite_stages : frozenset of str
        Execute the calls of these stages.
    writes : bool
        Whether artifacts and traces are saved.
    follows : bool
        Whether another process of the same launch saves them: what stages go on from lies where that one has it.
    lazy, ignore_lazy : bool
        Treat every output as ``Lazy``, or none.
    keep_all : bool
        Want the files of every call, not of the last ones alone: a full store of the run has them all.
    keep_going : bool
        Go on after a call has failed, with all that does not need it.
    retries : int
        How often a call is tried again at least; a stage may say more.
    timeout_s : float, optional
        After which an execution is stopped, unless its stage says otherwise.
    seed : int, optional
        From which each call's own seed follows; without one nothing is seeded.

    Attributes
    ----------
    deferred : bool
        Whether calls wait until their values are needed or ``run()`` has returned.
    """

    experiment: str
    run: str
    prefix: str | None = None
    live: bool = False
    eager: bool = False
    planning: bool = False
    overwrite: bool = False
    overwrite_stages: frozenset[str] = frozenset()
    writes: bool = True
    follows: bool = False
    lazy: bool = False
    ignore_lazy: bool = False
    keep_all: bool = False
    keep_going: bool = False
    retries: int = 0
    timeout_s: float | None = None
    seed: int | None = None
    deferred: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "deferred", not (self.live or self.eager))

    @property
    def file_prefix(self) -> str:
        """What file names begin with."""
        return self.prefix if self.prefix is not None else self.experiment
