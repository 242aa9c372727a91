"""The map of an experiment."""

from __future__ import annotations

import io

from curifactory.cli.console import Console
from curifactory.cli.map import map_to_json, print_map
from curifactory.core.outcomes import Verdict
from curifactory.core.reason import Reason, ReasonKind
from curifactory.engine.plan import Plan, PlanRow


def row(
    index: int,
    name: str,
    record: int,
    verdict: Verdict,
    reason: Reason,
    *,
    needed: bool = True,
    files: tuple[str, ...] = (),
) -> PlanRow:
    return PlanRow(
        index, name, f"iris.{name}", record, f"Record {record} (set)", verdict, reason, needed, files
    )


CODE = Reason(ReasonKind.CODE_CHANGED, {"part": "scale()", "place": " (features.py:14)"})
PLAN = Plan(
    (
        row(
            0,
            "load",
            0,
            Verdict.REUSE,
            Reason(ReasonKind.UNCHANGED, {"run": "iris_3"}),
            files=("iris_9f_load_data.pkl",),
        ),
        row(1, "load", 1, Verdict.RUN, Reason(ReasonKind.NEVER_RUN), needed=False),
        row(2, "train_model", 0, Verdict.RUN, CODE),
        row(3, "compare", 2, Verdict.PERHAPS, Reason(ReasonKind.INPUT_RUNS, {"name": "train_model"})),
    )
)


def show(plan: Plan, *, verbose: bool = False) -> list[str]:
    stream = io.StringIO()
    print_map(Console(stream), plan, verbose=verbose)
    return stream.getvalue().splitlines()


def test_a_call_is_one_line_grouped_by_record_and_aligned() -> None:
    assert show(PLAN) == [
        "load         Record 0 (set)  reuse       nothing it read has changed (from iris_3)",
        "train_model  Record 0 (set)  run         code of scale() changed (features.py:14)",
        "load         Record 1 (set)  not needed  nothing needs it",
        "compare      Record 2 (set)  perhaps     depends on train_model",
        "4 calls: 1 run, 1 perhaps, 1 reuse, 1 not needed",
    ]


def test_files_of_what_is_reused_are_shown_on_request() -> None:
    lines = show(PLAN, verbose=True)
    assert lines[1].strip() == "iris_9f_load_data.pkl"
    assert len(lines) == 6


def test_an_experiment_without_calls_says_so() -> None:
    assert show(Plan(())) == ["run() calls no stage."]


def test_the_json_has_the_totals_and_every_call() -> None:
    data = map_to_json(PLAN, experiment="iris")
    assert data["experiment"] == "iris"
    assert data["totals"] == {"run": 1, "perhaps": 1, "reuse": 1, "not needed": 1}
    assert data["calls"][2] == {
        "index": 2,
        "name": "train_model",
        "stage": "iris.train_model",
        "record": 0,
        "record_name": "Record 0 (set)",
        "verdict": "run",
        "reason": CODE.to_json(),
        "needed": True,
        "files": [],
    }
