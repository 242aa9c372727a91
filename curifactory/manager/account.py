"""What a run tells of itself: at its start where it began and with what, at its end where reused results came from."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from curifactory.core.events import Warned
from curifactory.core.outcomes import RunOutcome
from curifactory.engine.execute import person_frames
from curifactory.errors import ConfigurationError, CurifactoryError, PartlyFailedError, say
from curifactory.manager.assembly import Parts
from curifactory.manager.description import describe_run, reading_git, result_folders
from curifactory.manager.origins import describe_origins
from curifactory.provenance.environment import read_environment
from curifactory.store.full_store import write_full_store
from curifactory.store.run import Run

_LISTED = 3


class Account:
    """Keeps the facts of one run in its folder; of a dry run it keeps nothing.

    Parameters
    ----------
    parts : Parts
        What the run works with.
    """

    __slots__ = ("_environment", "_facts", "_parts", "_sweeps")

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._facts: dict[str, Any] = {}
        self._environment: dict[str, Any] = {}
        self._sweeps: list[Mapping[str, Any]] = []

    def begin(
        self,
        *,
        experiment: str,
        outcome: RunOutcome,
        now: datetime,
        command: Sequence[str] | None,
        notes: str | None,
    ) -> None:
        """Write down where the run began: machine, commit, what was not committed, packages, words.

        Parameters
        ----------
        experiment, outcome, now, command, notes
            As in :func:`curifactory.manager.description.describe_run`.
        """
        recorder, run = self._parts.recorder, self._parts.run
        if recorder is None or run is None:
            return
        project = self._parts.project
        with reading_git(project) as read:
            self._environment = read_environment()
            recorder.write_document("environment.json", self._environment)
            git = read()
        self._facts = describe_run(
            experiment=experiment,
            reference=self._parts.reference,
            number=self._parts.number,
            outcome=outcome,
            started_at=now,
            command=command,
            notes=notes,
            git=git,
        )
        recorder.write_facts(**self._facts)
        if git is not None and git.is_dirty:
            from curifactory.provenance.patch import write_patch

            patch = write_patch(git, run.path, exclude=result_folders(project))
            recorder.write_facts(patch=patch.to_json())

    def keep(self, **facts: Any) -> None:
        """Keep further facts in ``run.json``."""
        if self._parts.recorder is not None:
            self._parts.recorder.write_facts(**facts)

    def keep_sweep(self, facts: Mapping[str, Any], place: int | None = None) -> int:
        """Keep a sweep in ``run.json``, or more of one that has its place there already; return the place."""
        if place is None:
            place = len(self._sweeps)
            self._sweeps.append(facts)
        else:
            self._sweeps[place] = facts
        self.keep(sweeps=self._sweeps)
        return place

    def keep_full_store(self) -> CurifactoryError | None:
        """Keep in the run's folder everything that it stands on; return what went wrong, if something did."""
        parts = self._parts
        if parts.run is None or parts.recorder is None:
            return None
        try:
            # Which calls there were is read from the folder.
            parts.recorder.flush()
            store = write_full_store(
                Run.read(parts.run.path),
                parts.run.path,
                files=parts.files,
                traces=parts.traces,
                root=parts.project.root,
            )
        except CurifactoryError as error:
            self._warn(f"The run has no full store: {error}")
            return error
        self.keep(full_store=store.to_json())
        if store.missing:
            self._warn(
                f"{len(store.missing)} of the files that the run stands on are not in its full store, since their bytes "
                f"are not there or not what was written: {', '.join(store.missing[:_LISTED])}."
            )
        return None

    def end(self, *, reused_from: Iterable[str], unread: Sequence[str] | None) -> None:
        """Write down what only the end of a run knows.

        Parameters
        ----------
        reused_from : iterable of str
            References of the runs that made what was reused.
        unread : sequence of str or None
            Parameters that no stage has read; None if that is not known.
        """
        facts: dict[str, Any] = {} if unread is None else {"unread_parameters": list(unread)}
        origins = describe_origins(reused_from, self._parts.runs, self._facts, self._environment)
        if origins:
            facts["origins"] = origins
        if facts:
            self.keep(**facts)

    def _warn(self, text: str) -> None:
        self._parts.events.emit(Warned(text, datetime.now().astimezone()))


def check_full_store(store_full: bool, *, dry: bool, dry_cache: bool) -> bool:
    """Return whether a full store is to be written.

    Raises
    ------
    ConfigurationError
        If nothing is to be saved that could be in one.
    """
    if store_full and (dry or dry_cache):
        raise ConfigurationError(
            f"A full store keeps artifacts, and {'--dry' if dry else '--dry-cache'} saves none: give one of them."
        )
    return store_full


def tell_end(error: BaseException | None) -> tuple[str | None, str | None]:
    """Return the line and the person's frames that are kept of what ended a run; an interruption says no more than that."""
    if error is None:
        return None, None
    line = say(error)
    frames = person_frames(error)
    if isinstance(error, KeyboardInterrupt):
        return str(error) or None, frames if frames.strip() != line else None
    return line, frames


def outcome_of(error: BaseException | None, *, live: bool) -> RunOutcome:
    """Return how a run has ended that was ended by an error, or by none."""
    if error is None:
        return RunOutcome.LIVE if live else RunOutcome.COMPLETE
    interrupted = isinstance(error, (KeyboardInterrupt, SystemExit))
    if isinstance(error, PartlyFailedError):
        return RunOutcome.PARTLY_FAILED
    return RunOutcome.INTERRUPTED if interrupted else RunOutcome.FAILED


def find_end_of_script() -> BaseException | None:
    """Return the exception that has ended the script which is this process; None if none has, and in a notebook or REPL.

    An exception that somebody has seen in a cell, or that a tool such as pytest has caught and kept, has ended nothing.
    """
    if hasattr(sys, "ps1"):
        return None
    error: BaseException | None = getattr(sys, "last_value", None)
    script = getattr(sys.modules.get("__main__"), "__dict__", None)
    step = None if error is None else error.__traceback__
    while step is not None:
        frame = step.tb_frame
        if frame.f_code.co_name == "<module>" and frame.f_globals is script:
            return error
        step = step.tb_next
    return None
