import json

from curifactory.reporting.addresses import PageAddresses
from curifactory.reporting.comparison import COMPARISON, encode_comparison
from curifactory.reporting.report import draw_report
from curifactory.reporting.view.report import gather_report
from curifactory.store.run import Run


def compare(folder_in_the_making, reports="reports"):
    run = Run.read(folder_in_the_making.write())
    view = gather_report(run, PageAddresses(str(run.fragments_folder), str(reports), run.reference))
    text = encode_comparison(run, view).decode("ascii")
    head, tail = "window.curifactoryComparison(", ");\n"
    assert text.startswith(head)
    assert text.endswith(tail)
    return json.loads(text[len(head) : -len(tail)])


def test_records_have_their_parameters_and_metrics(iris):
    about = compare(iris)
    assert about["paths"] == ["balanced", "n", "seed", "model_type"]
    assert about["metrics"] == ["test accuracy", "test loss", "test flowers"]
    name, values, scores = about["records"][1]
    assert (name, values[:3], scores) == ("simple_rf", ["false", "200", "1"], [0.9687, 0.12, 50])
    # The aggregate's record has neither.
    assert len(about["records"]) == 2


def test_code_and_environment_are_there(iris):
    about = compare(iris)
    assert about["code"]["commit"].startswith("3f2a9c1b7d")
    assert about["code"]["patch"].startswith("diff --git")
    assert ["pandas", "3.1.1"] in about["environment"]
    assert about["environment"][0] == ["Python", "3.13.1 (main, Nov  2 2026)"]
    # Variables of the machine stay in the report.
    assert "API_TOKEN" not in json.dumps(about)


def test_results_lead_to_the_report_and_small_ones_are_there(iris):
    results = {each["name"]: each for each in compare(iris)["results"]}
    assert results["confusion"]["picture"].startswith("fragments/")
    assert results["settings"]["text"].startswith("{")
    assert results["scores"]["table"] == {
        "columns": ["model", "accuracy", "f1", "remark"],
        "rows": [["simple_lr", "0.9400", "0.9398", "linear"], ["simple_rf", "0.9687", None, "forest"]],
    }
    assert all(each["anchor"] for each in results.values())


def test_what_is_no_number_becomes_a_gap(empty_run):
    empty_run.log_metrics(0, None, loss="nan", accuracy=0.5)
    about = compare(empty_run)
    assert about["records"] == [["Record 0", [], [None, 0.5]]]


def test_a_large_table_stays_in_the_report(empty_run):
    rows = [["1"] for _ in range(1000)]
    data = {
        "columns": ["a"],
        "index": None,
        "index_names": [],
        "rows": rows,
        "numeric": [True],
        "shape": [1000, 1],
    }
    empty_run.add_call("stage", empty_run.add_record("a"))
    empty_run.report(0, 0, "large", "table", data)
    assert compare(empty_run)["results"][0]["table"] is None


def test_it_lies_beside_the_report_and_is_plain_text(iris, tmp_path):
    iris.facts["notes"] = "</script>"
    iris.patch = "+\u2028</script>é\n"
    path = draw_report(iris.write(), tmp_path / "reports").parent / COMPARISON
    assert "</script>" in path.read_text(encoding="ascii")


def test_of_very_many_records_the_first_are_there(empty_run, monkeypatch):
    monkeypatch.setattr("curifactory.reporting.comparison.MOST_RECORDS", 3)
    for number in range(5):
        empty_run.add_record(f"set_{number}", {"n": number})
    about = compare(empty_run)
    assert (len(about["records"]), about["left_out"]) == (3, 2)
