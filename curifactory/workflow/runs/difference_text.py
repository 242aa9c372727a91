"""How the difference of two runs reads: lines for a terminal, and markup for a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curifactory.workflow.runs.difference import (
        CallDifference,
        MetricDifference,
        OutputDifference,
        RunDifference,
    )

# What a line is, for those who show it in colours.
PLAIN, HEAD, ADDED, REMOVED, FAINT = "plain", "head", "added", "removed", "faint"
MOST_LINES = 400
_MOST_NAMES = 4
_INDENT = "  "

Line = tuple[str, str]


def iter_lines(difference: RunDifference) -> Iterator[Line]:
    """Give the lines of a difference, each with what it is: only what differs, and how much is the same.

    Parameters
    ----------
    difference : RunDifference
        The difference.
    """
    yield HEAD, f"{difference.before} → {difference.after}"
    sections = (
        ("parameters", _list_parameters(difference)),
        ("metrics", _list_metrics(difference)),
        ("code", _list_code(difference)),
        ("environment", _list_environment(difference)),
        ("calls", _list_calls(difference)),
    )
    is_empty = True
    for name, found in sections:
        lines = list(found)
        if lines:
            is_empty = False
            yield PLAIN, ""
            yield HEAD, name
            yield from ((kind, f"{_INDENT}{text}".rstrip()) for kind, text in lines)
    if is_empty:
        yield PLAIN, "Nothing differs."


def render_html(difference: RunDifference) -> str:
    """Write a difference as markup; all that people wrote is text in it."""
    colors = {ADDED: "color:#2a7d2a", REMOVED: "color:#c0392b", FAINT: "opacity:.6", HEAD: "font-weight:bold"}
    lines = [
        f'<span style="{colors[kind]}">{escape(line)}</span>' if kind in colors else escape(line)
        for kind, line in iter_lines(difference)
    ]
    return f'<pre class="curifactory-difference">{chr(10).join(lines)}</pre>'


def show_number(value: float | None) -> str:
    """Write a number as it is compared with another: all digits that count, at most ten.

    Examples
    --------
    >>> show_number(0.93333333333333), show_number(100.0), show_number(None)
    ('0.9333333333', '100', 'none')
    """
    return "none" if value is None else f"{value:.10g}"


def _list_parameters(difference: RunDifference) -> Iterator[Line]:
    sets: dict[tuple[str, str | None, str | None], list[str]] = {}
    for each in difference.parameters:
        sets.setdefault((each.name, each.before, each.after), []).append(each.set)
    rows = []
    for (name, before, after), names in sets.items():
        shown = f"{', '.join(names[:_MOST_NAMES])}{f' and {len(names) - _MOST_NAMES} more' if len(names) > _MOST_NAMES else ''}"
        if not name:
            rows.append([f"set {shown}", "only before" if after is None else "only after", ""])
        else:
            rows.append([name, f"{_or_absent(before)} → {_or_absent(after)}", shown])
    yield from _align(rows)


def _list_metrics(difference: RunDifference) -> Iterator[Line]:
    changed = [each for each in difference.metrics if not each.is_same]
    yield from _align([_show_metric(each) for each in changed])
    same = len(difference.metrics) - len(changed)
    if same:
        yield FAINT, f"{same} {_others(same) if changed else ''}{'is' if same == 1 else 'are'} the same"


def _show_metric(metric: MetricDifference) -> list[str]:
    before, after = metric.before, metric.after
    name = f"{metric.type} {metric.name}".lstrip()
    by = "" if before is None or after is None else f"({after - before:+.4g})"
    return [metric.record, name, f"{show_number(before)} → {show_number(after)}", by]


def _list_code(difference: RunDifference) -> Iterator[Line]:
    code = difference.code
    if code.before != code.after:
        yield PLAIN, f"commit {_short(code.before)} → {_short(code.after)}"
    yield from _align([[each.part, each.change, each.place] for each in code.parts])
    lines = code.text.splitlines()
    for line in lines[:MOST_LINES]:
        kind = PLAIN
        if line.startswith(("+++", "---", "@@")):
            kind = HEAD if line[0] != "@" else FAINT
        elif line.startswith("+"):
            kind = ADDED
        elif line.startswith("-"):
            kind = REMOVED
        yield kind, line
    if len(lines) > MOST_LINES:
        yield FAINT, f"… {len(lines) - MOST_LINES} more lines, all of them with --json"
    if code.left_out:
        shown = ", ".join(code.left_out[:_MOST_NAMES])
        more = f" and {len(code.left_out) - _MOST_NAMES} more" if len(code.left_out) > _MOST_NAMES else ""
        yield FAINT, f"not shown: {shown}{more}"
    is_open = any(call.unknown for call in difference.calls)
    if code.unknown and (code.parts or code.before != code.after or is_open):
        yield FAINT, f"lines are not shown: {code.unknown}"


def _list_environment(difference: RunDifference) -> Iterator[Line]:
    yield from _align(
        [[each.name, f"{each.before or 'none'} → {each.after or 'none'}"] for each in difference.environment]
    )


def _list_calls(difference: RunDifference) -> Iterator[Line]:
    changed = [each for each in difference.calls if not each.is_same]
    yield from _align([[each.name, each.record, _why(each), _made(each)] for each in changed])
    same = len(difference.calls) - len(changed)
    if same:
        yield FAINT, f"{same} {'other ' if changed else ''}{'call is' if same == 1 else 'calls are'} the same"


def _why(call: CallDifference) -> str:
    if call.before is None or call.after is None:
        return "only after" if call.before is None else "only before"
    # An aggregate has many inputs of one name.
    reasons = ", ".join(dict.fromkeys(map(str, call.reasons)))
    if reasons:
        return reasons
    return call.unknown or "nothing that it read differs"


def _made(call: CallDifference) -> str:
    if call.before is None or call.after is None:
        return ""
    found = [f"{each.name} {_compare(each)}" for each in call.outputs]
    if call.before != call.after and not {call.before, call.after} <= {"ran", "reused"}:
        found.insert(0, f"{call.before} → {call.after}")
    return ", ".join(found)


def _compare(output: OutputDifference) -> str:
    if output.is_same is not None:
        return "the same" if output.is_same else "different"
    if output.before is None and output.after is None:
        return "not saved"
    return "saved only after" if output.before is None else "saved only before"


def _align(rows: Iterable[list[str]]) -> Iterator[Line]:
    found = [[" ".join(cell.split("\n")) for cell in row] for row in rows]
    if not found:
        return
    widths = [max(map(len, column)) for column in zip(*found, strict=True)]
    for row in found:
        yield PLAIN, "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _others(count: int) -> str:
    return "other " if count == 1 else "others "


def _or_absent(text: str | None) -> str:
    return "absent" if text is None else text


def _short(commit: str) -> str:
    name = commit.removesuffix("+")
    if not name:
        return "none yet" if commit else "none"
    return f"{name[:12]}{commit[len(name) :]}"
