"""The last lines of a run, eight at most: outcome, scores, report, and what one may do next."""

from __future__ import annotations

from pathlib import Path

from curifactory.cli.amounts import count, show_duration, show_number
from curifactory.cli.console import Console, align, printable
from curifactory.cli.tally import Tally
from curifactory.core.outcomes import CallOutcome, RunOutcome

_MOST_SCORES = 4
STYLES = {
    RunOutcome.COMPLETE: "green",
    RunOutcome.PARTLY_FAILED: "yellow",
    RunOutcome.FAILED: "red",
    RunOutcome.INTERRUPTED: "yellow",
}


def print_ending(
    console: Console, tally: Tally, *, outcome: RunOutcome, experiment: str, report: Path | None, dry: bool
) -> None:
    """Write what became of a run.

    Parameters
    ----------
    console : Console
        Where to.
    tally : Tally
        What was counted.
    outcome : RunOutcome
        How it ended.
    experiment : str
        Its experiment, for the next command.
    report : Path, optional
        The report's page, if there is one.
    dry : bool
        Whether nothing was kept.
    """
    name = "dry run" if dry else tally.reference or experiment
    console.print(
        f"{printable(name)} {console.style(outcome.value, STYLES.get(outcome, 'bold'))}{_say_counts(tally)}"
    )
    for line in _list_scores(tally):
        console.print(line)
    if report is not None:
        console.print(f"report  {console.link(report)}")
    console.print(f"next    {_say_next(tally, outcome, experiment, report, dry=dry)}")


def _say_counts(tally: Tally) -> str:
    duration = "" if tally.duration_s is None else f" after {show_duration(tally.duration_s)}"
    total, reused = sum(tally.counts.values()), tally.counts[CallOutcome.REUSED]
    needed = total - tally.counts[CallOutcome.NOT_NEEDED]
    if reused and reused == needed:
        origin = f" (from {printable(next(iter(tally.origins)))})" if len(tally.origins) == 1 else ""
        everything = "the one call was" if needed == 1 else f"all {needed} calls were"
        return f"{duration}: nothing had to run, {everything} reused{origin}"
    parts = [f"{tally.counts[outcome]} {outcome.value}" for outcome in CallOutcome if tally.counts[outcome]]
    warnings = [count(len(tally.warnings), "warning")] if tally.warnings else []
    return f"{duration}: {', '.join([*parts, *warnings]) or 'no stage was called'}"


def _list_scores(tally: Tally) -> list[str]:
    rows = [
        [name, "  ".join(f"{metric} {show_number(value)}" for metric, value in scores.items())]
        for name, scores in tally.scores.items()
    ]
    if len(rows) > _MOST_SCORES:
        left = len(rows) - _MOST_SCORES + 1
        rows = [*rows[: _MOST_SCORES - 1], [f"and {count(left, 'more record')}", ""]]
    heads = ["scores", *[""] * len(rows)]
    lines = ["  ".join(cells).rstrip() for cells in align(rows)] if rows else []
    return [f"{head:<6}  {line}" for head, line in zip(heads, lines, strict=False)]


def _say_next(tally: Tally, outcome: RunOutcome, experiment: str, report: Path | None, *, dry: bool) -> str:
    name = printable(experiment)
    if outcome in (RunOutcome.FAILED, RunOutcome.INTERRUPTED, RunOutcome.PARTLY_FAILED):
        # Not the experiment's name: the same command may have had many words more.
        again = f"experiment {name}" if dry or tally.reference is None else "experiment resume"
        return f"{again}  (goes on: what is finished is reused)"
    if dry:
        return f"experiment {name}  (the same, and its results are kept)"
    if report is not None and tally.executed:
        return "experiment open  (all runs side by side)"
    if tally.executed:
        return f"experiment show {printable(tally.reference or '-1')}  (its calls, metrics and parameters)"
    return f"experiment {name} --map  (what would run after a change, and why)"
