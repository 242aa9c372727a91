"""The head of a report: what ran, how it ended, when, and where it can be found again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.core.outcomes import CallOutcome
from curifactory.reporting.view.quantities import format_duration, format_time

if TYPE_CHECKING:
    from curifactory.reporting.addresses import Addresses
    from curifactory.store.calls import CallRow
    from curifactory.store.run import Run


class Share(NamedTuple):
    """How many calls had one outcome."""

    outcome: str
    style: str
    symbol: str
    count: int  # type: ignore[assignment]  # nobody looks for a value in it


class Commit(NamedTuple):
    """The state of the work tree; ``remark`` says in words what the commit does not hold."""

    digest: str
    short: str
    branch: str
    dirty: bool
    remark: str
    remote: str


class Header(NamedTuple):
    """The facts of a run that stand above everything."""

    reference: str
    experiment: str
    number: str
    about: str
    outcome: str
    style: str
    started: str
    started_at: str
    finished_at: str
    duration: str
    shares: tuple[Share, ...]
    calls: int
    commit: Commit | None
    command: str
    host: str
    user: str
    python: str
    version: str
    seed: str
    resumes: str
    resumes_address: str | None
    parameter_files: tuple[str, ...]
    tags: tuple[str, ...]
    live: bool
    ended: bool
    error: str
    traceback: str


def gather_header(run: Run, addresses: Addresses | None = None) -> Header:
    """Put the head together from ``run.json`` and the outcomes of the calls."""
    facts, outcome = run.facts, run.outcome.value
    shares = count_outcomes(run.calls)
    number = facts.get("number")
    seed = facts.get("seed")
    resumes = str(facts.get("resumes") or "")
    return Header(
        reference=run.reference,
        experiment=facts.get("experiment") or "(no name)",
        number="" if number is None else str(number),
        about=first_line(facts.get("experiment_doc")),
        outcome=outcome,
        style=style_name(outcome),
        started=format_time(facts.get("started_at")),
        started_at=facts.get("started_at") or "",
        finished_at=facts.get("finished_at") or "",
        duration=format_duration(facts.get("duration_s")),
        shares=shares,
        calls=sum(share.count for share in shares),
        commit=_gather_commit(facts.get("git")),
        command=_read_command(facts),
        host=facts.get("host") or "",
        user=facts.get("user") or "",
        python=facts.get("python") or "",
        version=facts.get("curifactory") or "",
        seed="" if seed is None else str(seed),
        resumes=resumes,
        resumes_address=addresses.find_report(resumes) if addresses is not None else None,
        parameter_files=tuple(map(str, facts.get("parameter_files") or ())),
        tags=tuple(map(str, facts.get("tags") or ())),
        live=bool(facts.get("live")),
        ended=run.outcome.is_final,
        error=facts.get("error") or "",
        traceback=facts.get("traceback") or "",
    )


def count_outcomes(calls: Sequence[CallRow]) -> tuple[Share, ...]:
    """Count the calls of each outcome, in the order in which people want to know them."""
    counts = Counter(call.outcome for call in calls)
    return tuple(
        Share(kind.value, style_name(kind.value), kind.symbol, counts[kind])
        for kind in CallOutcome
        if counts[kind]
    )


def style_name(outcome: str) -> str:
    """Give an outcome as the name of a style; anything unknown in it goes, as it becomes a class of the page.

    Examples
    --------
    >>> style_name("partly failed"), style_name('x" onload="')
    ('partly-failed', 'x-onload')
    """
    return "".join(
        letter
        for letter in outcome.replace(" ", "-")
        if letter.isascii() and (letter.isalnum() or letter == "-")
    )


def first_line(text: str | None) -> str:
    """Give the first line of a docstring, or nothing."""
    stripped = (text or "").strip()
    return stripped.splitlines()[0].strip() if stripped else ""


def _read_command(facts: Mapping[str, Any]) -> str:
    """Give the command that would repeat the run; words in brackets say that there is none, as in a notebook."""
    line = str(facts.get("command_line") or " ".join(facts.get("command") or ()))
    return "" if line.startswith("(") else line


def _gather_commit(git: Mapping[str, Any] | None) -> Commit | None:
    if not git or not git.get("commit"):
        return None
    untracked = len(git.get("untracked") or ())
    remarks = ["uncommitted changes"] if git.get("dirty") else []
    if untracked:
        remarks.append(f"{untracked} untracked {'file' if untracked == 1 else 'files'}")
    return Commit(
        digest=git["commit"],
        short=git["commit"][:10],
        branch=git.get("branch") or "",
        dirty=bool(git.get("dirty")),
        remark=", ".join(remarks),
        remote=git.get("remote") or "",
    )
