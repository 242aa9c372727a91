"""Where reused results come from: the runs that made them, and in what their surroundings differed from today's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from curifactory.errors import CurifactoryError
from curifactory.store.run import Run
from curifactory.store.runs import RunStore

_MOST_PACKAGES = 50
_COMPARED = ("host", "python", "curifactory")


def describe_origins(
    references: Iterable[str], runs: RunStore, facts: Mapping[str, Any], environment: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return one row for each run that reused results come from.

    Parameters
    ----------
    references : iterable of str
        References of the runs.
    runs : RunStore
        Where they are kept.
    facts, environment : mapping
        What is known of the present run.

    Returns
    -------
    list of dict
        ``reference``, ``started_at``, ``commit``, ``dirty`` and ``differs``: what was otherwise then, each as
        ``[then, now]``, with changed packages under their names. A run whose folder is gone has its reference alone.
    """
    return [_describe(reference, runs, facts, environment) for reference in sorted(references)]


def _describe(
    reference: str, runs: RunStore, facts: Mapping[str, Any], environment: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        run = runs.find(reference)
    except CurifactoryError:
        run = None
    if run is None:
        return {"reference": reference}
    git, now = run.facts.get("git") or {}, facts.get("git") or {}
    differs: dict[str, list[Any]] = {
        name: [run.facts.get(name), facts.get(name)]
        for name in _COMPARED
        if run.facts.get(name) != facts.get(name)
    }
    if git.get("commit") != now.get("commit"):
        differs["commit"] = [git.get("commit"), now.get("commit")]
    differs.update(_changed_packages(run, environment))
    return {
        "reference": reference,
        "started_at": run.facts.get("started_at"),
        "commit": git.get("commit"),
        "dirty": bool(git.get("dirty")),
        "differs": differs,
    }


def _changed_packages(run: Run, environment: Mapping[str, Any]) -> dict[str, list[Any]]:
    then = run.environment.get("packages") or {}
    now = environment.get("packages") or {}
    names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    return {f"package {name}": [then.get(name), now.get(name)] for name in names[:_MOST_PACKAGES]}
