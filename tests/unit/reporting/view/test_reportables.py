import pytest

from curifactory.errors import ReportError
from curifactory.reporting.addresses import PageAddresses, join_fragment
from curifactory.reporting.view.chip import Chips
from curifactory.reporting.view.reportables import gather_reportables, group_reportables
from curifactory.store.run import Run


@pytest.fixture
def gather(tmp_path):
    def gather(folder_in_the_making):
        run = Run.read(folder_in_the_making.write())
        addresses = PageAddresses(str(run.fragments_folder), str(tmp_path / "reports"), run.reference)
        return gather_reportables(run.reportables, run.calls, Chips(run.records), addresses)

    return gather


@pytest.fixture
def report_one(empty_run, gather):
    """Report one thing and give how it would be shown."""

    def report_one(*args, **kwargs):
        record = empty_run.add_record("a")
        call = empty_run.add_call("stage", record)
        empty_run.report(record, call, "thing", *args, **kwargs)
        return gather(empty_run)[0]

    return report_one


def test_named_groups_come_first_then_records(iris, gather):
    groups = group_reportables(gather(iris))
    assert [group.name for group in groups] == [
        "comparison",
        "Record 0 (simple_lr)",
        "Record 1 (simple_rf)",
        "Record 2 (None)",
    ]
    assert [each.name for each in groups[0].reportables] == ["scores"]


def test_a_reportable_says_where_it_came_from(iris, gather):
    iris.calls[2] |= {
        "outcome": "reused",
        "reason": {"kind": "unchanged", "run": "iris_1_x", "text": "unchanged"},
    }
    confusion = gather(iris)[0]
    assert (confusion.stage, confusion.call, confusion.run, confusion.chip.short) == (
        "test_model",
        2,
        "iris_1_x",
        "simple_lr",
    )
    assert confusion.files[0].address == "fragments/2/confusion.png"


def test_what_was_reported_outside_of_stages_belongs_to_its_record(empty_run, gather):
    empty_run.report(empty_run.add_record("a"), None, "note", "text", {"text": "x"})
    shown = gather(empty_run)[0]
    assert (shown.call, shown.stage, shown.run, shown.chip.short) == (None, "", "", "a")


def test_a_missing_file_is_said_in_its_place(iris, gather):
    iris.files.clear()
    assert gather(iris)[0].kind == "error"
    assert gather(iris)[0].data["message"] == "The file confusion.png is missing."


def test_an_unknown_kind_is_shown_as_its_data(report_one):
    shown = report_one("hologram", {"depth": 3})
    assert (shown.kind, shown.data["text"]) == ("json", '{\n  "depth": 3\n}')


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("table", {"rows": []}, "A fragment of kind 'table' needs 'columns' in its data."),
        (
            "table",
            {"columns": ["a"], "rows": [["1", "2"]]},
            "The rows of the table are not as long as its columns.",
        ),
        ("html", None, "A fragment of kind 'html' needs 'html' in its data."),
        ("text", {"text": 3}, "A fragment of kind 'text' needs 'text' in its data."),
        ("figure", {}, "It has no file."),
    ],
)
def test_a_fragment_that_is_not_whole_costs_only_itself(report_one, kind, data, message):
    shown = report_one(kind, data)
    assert (shown.kind, shown.data["message"]) == ("error", message)


def test_a_table_may_leave_out_what_follows_from_the_rest(report_one):
    data = report_one("table", {"columns": ["a", "b"], "rows": [["1", "2"]], "index": ["x"]}).data
    assert data["index"] == [["x"]]
    assert (data["index_names"], data["numeric"], data["shape"]) == ([""], [False, False], [1, 2])


def test_an_error_may_come_as_text(report_one):
    assert report_one("error", {"text": "broken"}).data["message"] == "broken"


def test_the_files_of_markup_are_found_from_the_page(report_one):
    files = {"a.png": b"1", "a.png.txt": b"2"}
    shown = report_one("html", {"html": '<img src="@files/a.png"><a href="@files/a.png.txt">'}, files=files)
    assert shown.data["html"] == '<img src="fragments/0/a.png"><a href="fragments/0/a.png.txt">'


def test_a_file_name_is_quoted_for_its_address(report_one):
    shown = report_one("image", {}, files={'a "b" 100%.png': b"1"})
    assert shown.files[0].address == "fragments/0/a%20%22b%22%20100%25.png"


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("0", "../../secret"),
        ("..", "secret"),
        ("0", "/etc/passwd"),
        ("", "x"),
        ("0", "a\0b"),
        ("a/b", "x"),
        ("0", "c:x"),
    ],
)
def test_a_fragment_never_leaves_its_folder(folder, file):
    with pytest.raises(ReportError, match="outside of its folder"):
        join_fragment("fragments", folder, file)


def test_a_run_that_names_other_files_shows_an_error_instead(report_one, empty_run):
    (empty_run.runs).mkdir(parents=True, exist_ok=True)
    (empty_run.runs / "secret.png").write_bytes(b"secret")
    empty_run.add_call("first", empty_run.add_record("z"))
    empty_run.report(0, 0, "theft", "image", {})
    empty_run.reportables[-1]["files"] = ["../../../secret.png"]
    shown = report_one("text", {"text": "x"})
    assert (shown.name, shown.kind) == ("theft", "error")
    assert "outside of its folder" in shown.data["message"]
