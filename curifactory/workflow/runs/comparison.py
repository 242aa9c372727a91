"""Compares two runs: what each folder tells, the traces that lie beside them, and the repository of the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from curifactory.parameters.shown import diff_sets
from curifactory.provenance.git import find_root
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.rows import ParameterRow
from curifactory.store.run import Run
from curifactory.store.traces import TraceStore
from curifactory.workflow.runs.call_comparison import CallComparison
from curifactory.workflow.runs.call_pairs import find_renamed, pair, place_records, place_sets
from curifactory.workflow.runs.difference import (
    CodeDifference,
    EnvironmentDifference,
    MetricDifference,
    ParameterDifference,
    PartDifference,
    RunDifference,
)

_MACHINE = ("python", "implementation", "platform", "machine", "cpus")
_FACTS = ("host", "user", "curifactory", "seed")
_ABSENT = "absent"


def compare_runs(before: Run, after: Run, *, caches: tuple[Path, Path], root: Path) -> RunDifference:
    """Say how two runs differ.

    Parameters
    ----------
    before, after : Run
        The runs, here or copied from elsewhere.
    caches : (Path, Path)
        The cache folder of each, beside which lies what its calls have read.
    root : Path
        A folder of the project, whose repository may have their commits.

    Raises
    ------
    StoreError
        If a file of a run is damaged.
    """
    parameters = tuple(_compare_sets(before, after))
    layouts = [Layout(cache) for cache in caches]
    with (
        Index(layouts[0].index_path, read_only=True) as first,
        Index(layouts[1].index_path, read_only=True) as second,
    ):
        traces = TraceStore(layouts[0], first), TraceStore(layouts[1], second)
        calls = CallComparison(before, after, traces, parameters)
        compared = calls.compare()
    return RunDifference(
        before=before.reference,
        after=after.reference,
        parameters=parameters,
        metrics=tuple(_compare_metrics(before, after)),
        code=_compare_code(before, after, calls.parts, root),
        environment=tuple(_compare_environments(before, after)),
        calls=compared,
    )


def _compare_sets(before: Run, after: Run) -> Iterator[ParameterDifference]:
    then, now = place_sets(before, find_renamed(before, after)), place_sets(after, {})
    for (name, _), old, new in pair(then, now):
        if old is None or new is None:
            yield ParameterDifference(
                name, "", None if old is None else old.hash, None if new is None else new.hash
            )
            continue
        for path, text, other in _diff(old, new):
            yield ParameterDifference(
                new.name, path, None if text == _ABSENT else text, None if other == _ABSENT else other
            )


def _diff(old: ParameterRow, new: ParameterRow) -> list[tuple[str, str, str]]:
    if isinstance(old.value, Mapping) and isinstance(new.value, Mapping):
        return diff_sets(old.value, new.value)
    return [] if old.hash == new.hash else [("hash", old.hash, new.hash)]


def _compare_metrics(before: Run, after: Run) -> Iterator[MetricDifference]:
    renamed = find_renamed(before, after)
    names = {key: row.name for key, row in place_records(before, renamed).items()}
    names |= {key: row.name for key, row in place_records(after, {}).items()}
    for (place, kind, name), old, new in pair(_last_values(before, renamed), _last_values(after, {})):
        yield MetricDifference(names.get(place, place[0]), kind, name, old, new)


def _last_values(run: Run, renamed: Mapping[str, str]) -> dict[tuple[tuple[str, int], str, str], float]:
    places = {row.index: place for place, row in place_records(run, renamed).items()}
    return {
        (places.get(series.record, (f"Record {series.record}", 0)), series.type, series.name): series.last
        for series in run.metrics
    }


def _compare_code(before: Run, after: Run, parts: tuple[PartDifference, ...], root: Path) -> CodeDifference:
    from curifactory.provenance.past_sources import CodeOrigin, diff_sources, has_commit

    commits = [_commit(run) for run in (before, after)]
    shown = [
        f"{commit}{'+' if _is_dirty(run) else ''}"
        for commit, run in zip(commits, (before, after), strict=True)
    ]
    unknown = ""
    repository = find_root(root)
    for run, commit in zip((before, after), commits, strict=True):
        if not commit:
            unknown = f"{run.reference} ran outside of a git commit"
        elif repository is None or not has_commit(repository, commit):
            unknown = f"commit {commit[:12]} of {run.reference} is not in the repository here"
    found = None
    if not unknown and repository is not None:
        try:
            found = diff_sources(
                repository, CodeOrigin(commits[0], before.folder), CodeOrigin(commits[1], after.folder)
            )
        except OSError as error:
            unknown = f"the files could not be put together again ({error})"
        if found is None and not unknown:
            unknown = "git could not put the files together again"
    return CodeDifference(
        before=shown[0],
        after=shown[1],
        parts=parts,
        files=() if found is None else found.files,
        text="" if found is None else found.text,
        left_out=() if found is None else found.left_out,
        unknown=unknown,
    )


def _commit(run: Run) -> str:
    return str((run.facts.get("git") or {}).get("commit") or "")


def _is_dirty(run: Run) -> bool:
    return bool((run.facts.get("git") or {}).get("dirty"))


def _compare_environments(before: Run, after: Run) -> Iterator[EnvironmentDifference]:
    then, now = before.environment, after.environment
    yield from _differing(
        "machine", *({name: run.facts.get(name) for name in _FACTS} for run in (before, after))
    )
    if then and now:
        yield from _differing(
            "machine", *({name: each.get(name) for name in _MACHINE} for each in (then, now))
        )
        yield from _differing("package", then.get("packages") or {}, now.get("packages") or {})
        yield from _differing("variable", then.get("variables") or {}, now.get("variables") or {})


def _differing(
    kind: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[EnvironmentDifference]:
    for name, old, new in pair(before, after):
        if old != new:
            yield EnvironmentDifference(
                kind, name, None if old is None else str(old), None if new is None else str(new)
            )
