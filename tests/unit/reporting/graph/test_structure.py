from curifactory.reporting.graph.structure import MOST_NODES, build_graph
from curifactory.reporting.view.chip import Chips
from curifactory.store.run import Run


def graph_of(folder_in_the_making):
    run = Run.read(folder_in_the_making.write())
    return build_graph(run.calls, Chips(run.records))


def make_sweep(run, count, outcome_of=lambda _: "ran"):
    ends = []
    for number in range(count):
        record = run.add_record(f"set_{number}")
        load = run.add_call("load", record, outcome="reused", outputs=["data"])
        train = run.add_call(
            "train", record, outcome=outcome_of(number), inputs=[("data", load)], outputs=["score"]
        )
        ends.append(("score", train))
    run.add_call("compare", run.add_record(None), inputs=ends, aggregate=True)


def test_records_are_boxes_and_inputs_are_edges(iris):
    graph = graph_of(iris)
    assert [[node.name for node in box.nodes] for box in graph.boxes] == [
        ["load_data", "train_model", "test_model"],
        ["load_data", "train_model", "test_model"],
        ["compare_models"],
    ]
    assert {(edge.source, edge.target): edge.names for edge in graph.edges} == {
        (0, 1): ("training_data",),
        (1, 2): ("model",),
        (0, 2): ("testing_data",),
        (3, 4): ("training_data",),
        (4, 5): ("model",),
        (3, 5): ("testing_data",),
        (2, 6): ("score",),
        (5, 6): ("score",),
    }
    assert not graph.is_stacked


def test_several_inputs_from_one_call_are_one_edge(empty_run):
    record = empty_run.add_record("a")
    load = empty_run.add_call("load", record)
    empty_run.add_call("use", record, inputs=[("x", load), ("y", load)])
    assert [edge.names for edge in graph_of(empty_run).edges] == [("x", "y")]


def test_many_records_that_went_the_same_way_are_stacked(empty_run):
    make_sweep(empty_run, 300)
    graph = graph_of(empty_run)
    assert graph.size == 3
    assert [len(box.chips) for box in graph.boxes] == [300, 1]
    assert graph.boxes[0].nodes[1].count == 300
    assert graph.boxes[0].nodes[1].outcomes == (("ran", 300),)
    assert len(graph.edges) == 2


def test_a_record_that_failed_stands_apart_from_the_stack(empty_run):
    make_sweep(empty_run, 100, lambda number: "failed" if number == 7 else "ran")
    graph = graph_of(empty_run)
    assert [len(box.chips) for box in graph.boxes] == [99, 1, 1]
    assert [node.style for node in graph.boxes[1].nodes] == ["reused", "failed"]


def test_where_outcomes_leave_too_many_boxes_they_do_not_count(empty_run):
    for number in range(256):
        record = empty_run.add_record(f"set_{number}")
        for bit in range(8):
            empty_run.add_call(f"stage_{bit}", record, outcome="ran" if number >> bit & 1 else "reused")
    graph = graph_of(empty_run)
    assert graph.size == 8
    assert graph.boxes[0].nodes[0].style == "mixed"
    assert dict(graph.boxes[0].nodes[0].outcomes) == {"ran": 128, "reused": 128}


def test_few_calls_are_never_stacked(empty_run):
    make_sweep(empty_run, (MOST_NODES - 1) // 2)
    assert not graph_of(empty_run).is_stacked


def test_a_run_without_calls_has_an_empty_graph(empty_run):
    graph = graph_of(empty_run)
    assert (graph.size, graph.edges) == (0, ())
