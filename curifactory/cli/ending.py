"""The last lines of a run, eight at most: outcome, scores, report, and what one may do next."""

from __future__ import annotations

from pathlib import Path

from curifactory.cli.again import words_again
from curifactory.cli.amounts import count, show_duration, show_number
from curifactory.cli.best_scores import Scores, choose_best
from curifactory.cli.console import Console, align, printable
from curifactory.cli.tally import Tally
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.workflow.request import RunRequest

_MOST_SCORES = 4
STYLES = {
    RunOutcome.COMPLETE: "green",
    RunOutcome.PARTLY_FAILED: "yellow",
    RunOutcome.FAILED: "red",
    RunOutcome.INTERRUPTED: "yellow",
}


def print_ending(
    console: Console, tally: Tally, *, outcome: RunOutcome, request: RunRequest, report: Path | None
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
    request : RunRequest
        What was asked for; a next command asks for the same sets.
    report : Path, optional
        The report's page, if there is one.
    """
    name = "dry run" if request.dry else tally.reference or request.experiment
    console.print(
        f"{printable(name)} {console.style(outcome.value, STYLES.get(outcome, 'bold'))}{_say_counts(tally)}"
    )
    for line in _list_scores(tally, request):
        console.print(line)
    if report is not None:
        console.print(f"report  {console.link(report)}")
    console.print(f"next    {_say_next(tally, outcome, request, report)}")


def _say_counts(tally: Tally) -> str:
    duration = "" if tally.duration_s is None else f" after {show_duration(tally.duration_s)}"
    total, reused = sum(tally.counts.values()), tally.counts[CallOutcome.REUSED]
    needed = total - tally.counts[CallOutcome.NOT_NEEDED]
    warnings = [count(len(tally.warnings), "warning")] if tally.warnings else []
    if reused and reused == needed:
        origin = f" (from {printable(next(iter(tally.origins)))})" if len(tally.origins) == 1 else ""
        everything = "the one call was" if needed == 1 else f"all {needed} calls were"
        return f"{duration}: {', '.join([f'nothing had to run, {everything} reused{origin}', *warnings])}"
    parts = [f"{tally.counts[outcome]} {outcome.value}" for outcome in CallOutcome if tally.counts[outcome]]
    return f"{duration}: {', '.join([*parts, *warnings]) or 'no stage was called'}"


def _list_scores(tally: Tally, request: RunRequest) -> list[str]:
    scores: Scores = tally.scores
    left, by = 0, None
    if len(scores) > _MOST_SCORES:
        left = len(scores) - _MOST_SCORES + 1
        scores, by = choose_best(
            scores, _MOST_SCORES - 1, use_best=request.use_best, minimize=request.minimize
        )
    rows = [
        [name, "  ".join(f"{' '.join(key).lstrip()} {show_number(value)}" for key, value in metrics.items())]
        for name, metrics in scores
    ]
    lines = ["  ".join(cells).rstrip() for cells in align(rows)] if rows else []
    if left:
        best = "" if by is None else f"; these have the best {printable(by)}"
        lines.append(f"and {count(left, 'more record')}{best}")
    heads = ["scores", *[""] * len(lines)]
    return [f"{head:<6}  {line}" for head, line in zip(heads, lines, strict=False)]


def _say_next(tally: Tally, outcome: RunOutcome, request: RunRequest, report: Path | None) -> str:
    again = printable(words_again(request))
    if outcome in (RunOutcome.FAILED, RunOutcome.INTERRUPTED, RunOutcome.PARTLY_FAILED):
        # What was kept of a run knows all of its words.
        same = again if request.dry or tally.reference is None else "experiment resume"
        return f"{same}  (goes on: what is finished is reused)"
    if request.dry:
        return f"{again}  (the same, and its results are kept)"
    if report is not None and tally.executed:
        return "experiment open  (all runs side by side)"
    if tally.executed:
        return f"experiment show {printable(tally.reference or '-1')}  (its calls, metrics and parameters)"
    return f"{again} --map  (what would run after a change, and why)"
