from curifactory.core.outcomes import Verdict
from curifactory.core.reason import Reason, ReasonKind
from curifactory.engine.plan import Plan, PlanRow


def row(index, verdict, *, needed=True, name="train", kind=ReasonKind.NEVER_RUN):
    return PlanRow(index, name, f"iris.{name}", 0, "Record 0 (a)", verdict, Reason(kind), needed)


def test_a_plan_says_in_one_line_what_it_amounts_to() -> None:
    plan = Plan((row(0, Verdict.REUSE), row(1, Verdict.RUN), row(2, Verdict.RUN), row(3, Verdict.PERHAPS)))
    assert repr(plan) == "<plan of 4 calls: 2 run, 1 reuse, 1 perhaps>"
    assert repr(Plan((row(0, Verdict.RUN),))) == "<plan of 1 call: 1 run>"
    assert repr(Plan(())) == "<plan of 0 calls: nothing to do>"


def test_a_plan_prints_a_line_for_each_call() -> None:
    plan = Plan((row(0, Verdict.RUN), row(1, Verdict.RUN, needed=False, name="plot")))
    assert str(plan).splitlines()[1:] == [
        "  train  Record 0 (a)  run: never run",
        "  plot  Record 0 (a)  not needed: never run",
    ]


def test_a_notebook_shows_a_plan_as_a_table_with_everything_escaped() -> None:
    shown = Plan((row(0, Verdict.RUN, name="<script>"),))._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert "never run" in shown
