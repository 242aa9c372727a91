import xml.etree.ElementTree as ET

import pytest

from curifactory.reporting.graph import drawing, view
from curifactory.reporting.graph.dot import render_dot
from curifactory.reporting.graph.drawing import Draftsman, draw, find_programs
from curifactory.reporting.graph.structure import build_graph
from curifactory.reporting.graph.view import GraphView
from curifactory.reporting.view.chip import Chips
from curifactory.store.run import Run

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<b>bold</b>",
    "<TABLE><TR><TD>x</TD></TR></TABLE>",
    'a"; b [label="x"]; "',
    "back\\slash\\n\\N\\G",
    "a\nb\tc",
    "&lt;&amp;",
]


def show(folder_in_the_making, *, linked=True):
    run = Run.read(folder_in_the_making.write())
    return GraphView(run.calls, Chips(run.records), linked=linked)


def texts_of(svg):
    return [" ".join("".join(text.itertext()).split()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_picture_shows_names_outcomes_and_durations(iris):
    shown = show(iris)
    texts = texts_of(shown.svg)
    assert {
        "load_data",
        "reused",
        "train_model",
        "ran · 1.3 s",
        "Record 0 (simple_lr)",
        "training_data",
    } <= set(texts)
    assert shown.note == ""
    assert not shown.large


def test_a_click_on_a_node_leads_to_its_call(iris):
    links = {
        element.get("{http://www.w3.org/1999/xlink}href")
        for element in ET.fromstring(show(iris).svg).iter(f"{SVG}a")
    }
    assert {f"#call-{number}" for number in range(7)} <= links
    assert "#call" not in show(iris, linked=False).svg


def test_nodes_carry_their_outcome_for_the_style_of_the_page(iris):
    classes = [element.get("class") for element in ET.fromstring(show(iris).svg).iter(f"{SVG}g")]
    assert classes.count("node ran") == 5
    assert classes.count("node reused") == 2


def test_the_picture_has_no_titles_ids_or_comments(iris):
    svg = show(iris).svg
    assert "<title" not in svg
    assert "<!--" not in svg
    assert ' id="' not in svg


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_in_the_picture(empty_run, name):
    record = empty_run.add_record("a")
    empty_run.records[0] |= {"name": name, "params_name": name}
    first = empty_run.add_call("stage", record, outputs=[name])
    second = empty_run.add_call("stage", record, inputs=[(name, first)])
    for call in (first, second):
        empty_run.calls[call]["name"] = name
    svg = show(empty_run).svg
    shown = " ".join(name.split())
    assert texts_of(svg).count(shown) == 4  # two nodes, one edge, one record
    assert {element.tag for element in ET.fromstring(svg).iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "g", "a", "text", "path", "polygon", "polyline")
    }


def test_without_a_program_the_text_stands_alone(iris, monkeypatch):
    monkeypatch.setattr(drawing, "find_programs", list)
    shown = show(iris)
    assert shown.svg == ""
    assert "neither dot nor graphviz-pure" in shown.note
    assert [line.name for line in shown.boxes[0].lines] == ["load_data", "train_model", "test_model"]
    assert shown.boxes[0].lines[2].inputs == "model from train_model; testing_data from load_data"


def test_a_program_that_fails_is_as_good_as_none(tmp_path):
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    assert draw(str(broken), "digraph {}") is None
    assert draw(str(tmp_path / "nowhere"), "digraph {}") is None


def test_a_program_that_hangs_is_not_waited_for(tmp_path, monkeypatch):
    hanging = tmp_path / "dot"
    hanging.write_text("#!/bin/sh\nexec sleep 30\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(drawing, "LONGEST_WAIT_S", 0.2)
    assert draw(str(hanging), "digraph {}") is None


def test_the_next_program_is_tried(tmp_path, monkeypatch):
    programs = [str(tmp_path / "nowhere"), *find_programs()]
    monkeypatch.setattr(drawing, "find_programs", lambda: programs)
    assert Draftsman("digraph { a -> b }").wait() is not None


def test_the_program_of_an_environment_that_is_not_activated_is_found(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert [program.rpartition("/")[2] for program in find_programs()] == ["graphviz-pure"]


def test_very_many_different_records_are_text(empty_run, monkeypatch):
    monkeypatch.setattr(view, "MOST_STACKED_NODES", 5)
    for number in range(6):
        empty_run.add_call(f"stage_{number}", empty_run.add_record(f"set_{number}"))
    shown = show(empty_run)
    assert shown.svg == ""
    assert "6 calls" in shown.note


def test_the_text_names_inputs_of_an_aggregate_once(empty_run):
    ends = [
        ("score", empty_run.add_call("train", empty_run.add_record(f"set_{number}"))) for number in range(3)
    ]
    empty_run.add_call("compare", empty_run.add_record(None), inputs=ends, aggregate=True)
    assert show(empty_run).boxes[3].lines[0].inputs == "score from train of 3 records"


def test_labels_on_edges_give_way_when_they_are_too_many(empty_run):
    record = empty_run.add_record("a")
    last = empty_run.add_call("stage", record)
    for _ in range(45):
        last = empty_run.add_call("stage", record, inputs=[("value", last)])
    run = Run.read(empty_run.write())
    dot = render_dot(build_graph(run.calls, Chips(run.records)), linked=True)
    assert "[edgetooltip=value]" in dot
    assert "[label=value]" not in dot


def test_a_run_without_calls_has_no_picture_and_no_excuse(empty_run):
    shown = show(empty_run)
    assert (shown.svg, shown.note, shown.boxes) == ("", "", ())


def heights_of(svg):
    """Give the height of each box's name in the picture, by the name."""
    texts = [
        (" ".join("".join(text.itertext()).split()), text) for text in ET.fromstring(svg).iter(f"{SVG}text")
    ]
    return {name: float(text.get("y")) for name, text in texts if name.startswith("Record")}


def test_records_stand_in_their_order_whether_or_not_something_connects_them(empty_run):
    made = [empty_run.add_call("load", empty_run.add_record(name)) for name in "abc"]
    for record, call in enumerate(made):
        empty_run.add_call("train", record, inputs=[("data", call)])
    alone = show(empty_run).svg
    total = empty_run.add_record("sum")
    empty_run.add_call("total", total, inputs=[("data", call) for call in made], aggregate=True)
    for svg in (alone, show(empty_run).svg):
        heights = heights_of(svg)
        assert heights["Record 0 (a)"] < heights["Record 1 (b)"] < heights["Record 2 (c)"]


def test_what_takes_nothing_in_stands_at_the_left(empty_run):
    short, long = empty_run.add_record("short"), empty_run.add_record("long")
    first = empty_run.add_call("begin", short)
    last = empty_run.add_call("begin", long)
    for number in range(4):
        last = empty_run.add_call(f"step_{number}", long, inputs=[("x", last)])
    empty_run.add_call(
        "total", empty_run.add_record("sum"), inputs=[("x", first), ("x", last)], aggregate=True
    )
    texts = [
        text
        for text in ET.fromstring(show(empty_run).svg).iter(f"{SVG}text")
        if "".join(text.itertext()) == "begin"
    ]
    places = [float(text.get("x")) for text in texts]
    assert len(places) == 2
    assert abs(places[0] - places[1]) < 5
