from curifactory.reporting.addresses import InlineAddresses
from curifactory.reporting.view import calls as calls_module
from curifactory.reporting.view.calls import gather_calls
from curifactory.reporting.view.chip import Chips
from curifactory.store.run import Run


def calls_of(folder_in_the_making):
    run = Run.read(folder_in_the_making.write())
    return gather_calls(run.calls, Chips(run.records), InlineAddresses(str(run.fragments_folder)))


def test_a_call_says_why_how_long_and_from_what(iris):
    call = calls_of(iris).shown[2]
    assert (call.name, call.outcome, call.reason, call.duration) == (
        "test_model",
        "ran",
        "never run",
        "42 ms",
    )
    assert [(each.name, each.call, each.maker, each.chip) for each in call.inputs] == [
        ("model", 1, "train_model", None),
        ("testing_data", 0, "load_data", None),
    ]
    assert (call.outputs[0].type, call.outputs[0].summary, call.outputs[0].cacher) == (
        "pandas.DataFrame",
        "(100, 5)",
        "PickleCacher",
    )
    assert (call.outputs[0].size, call.outputs[0].digest) == ("7.4 KiB", "000000000000")


def test_inputs_of_an_aggregate_name_their_records(iris):
    compare = calls_of(iris).shown[6]
    assert compare.aggregate
    assert [each.chip.short for each in compare.inputs] == ["simple_lr", "simple_rf"]


def test_a_reused_call_names_the_run_that_made_it_and_took_no_time(iris):
    load = calls_of(iris).shown[0]
    assert (load.run, load.duration) == ("iris_3_2026-11-20-T180000", "")
    assert load.outputs[0].run == "iris_3_2026-11-20-T180000"


def test_an_input_put_in_by_hand_has_no_call(empty_run):
    empty_run.add_call("use", empty_run.add_record("a"), inputs=[("x", None)])
    assert calls_of(empty_run).shown[0].inputs[0].call is None


def test_an_output_without_a_cacher_has_no_file(empty_run):
    empty_run.add_call("make", empty_run.add_record("a"), outputs=["x"])
    empty_run.calls[0]["outputs"][0]["artifact"] = None
    output = calls_of(empty_run).shown[0].outputs[0]
    assert (output.files, output.size, output.cacher) == ((), "", "")


def test_of_very_many_calls_the_failed_ones_are_kept(empty_run, monkeypatch):
    monkeypatch.setattr(calls_module, "MOST_CALLS", 3)
    record = empty_run.add_record("a")
    for number in range(6):
        empty_run.add_call(
            f"stage_{number}", record, outcome="failed" if number == 5 else "ran", error="Traceback"
        )
    view = calls_of(empty_run)
    assert [call.index for call in view.shown] == [0, 1, 5]
    assert view.left_out == 3
