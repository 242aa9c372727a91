"""Which runs are meant: conditions, labels, order, and names that nobody has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from curifactory.errors import ConfigurationError, CurifactoryError, DiscoveryError
from curifactory.store.facts import merge_facts
from curifactory.store.index import Index
from curifactory.store.metrics import METRICS_NAME
from curifactory.store.rows import PARAMETERS_NAME
from curifactory.store.runs import RunStore
from curifactory.workflow.runs.run_table import default_columns, list_cells, name_columns
from curifactory.workflow.runs.selection import Wanted, make_condition, read_key, select_runs

NOON = datetime(2026, 11, 21, 12).astimezone()


@pytest.fixture(params=["with the index", "without"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunStore]:
    if request.param == "without":
        yield RunStore(tmp_path / "runs")
        return
    with Index(tmp_path / "index.db") as index:
        yield RunStore(tmp_path / "runs", index)


def make_run(
    store: RunStore,
    experiment: str = "iris",
    *,
    sets: list[dict[str, Any]] | None = None,
    metrics: dict[str, list[Any]] | None = None,
    at: datetime = NOON,
    **facts: Any,
) -> str:
    """Make a run's folder; ``metrics`` has the last value of each record."""
    claimed = store.claim(experiment, now=at)
    rows = [
        {"name": str(number), "hash": f"{number}", "file": None, "class": "p.P", "value": {}, "shown": shown}
        for number, shown in enumerate(sets or [])
    ]
    (claimed.path / PARAMETERS_NAME).write_text(json.dumps(rows))
    lines = [
        {
            "record": record,
            "call": None,
            "type": "test",
            "step": None,
            "epoch": None,
            "at": NOON.isoformat(),
            "values": {name: each},
        }
        for name, values in (metrics or {}).items()
        for record, value in enumerate(values)
        for each in ([value / 2, value * 2, value] if name == "acc" and value != "inf" else [value])
    ]
    (claimed.path / METRICS_NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
    merge_facts(
        claimed.path,
        {"outcome": "complete", "finished_at": at.isoformat(), "duration_s": 1.5, "tags": [], **facts},
    )
    store.note(claimed.path)
    return claimed.reference


def find(store: RunStore, *texts: str, **options: Any) -> list[int]:
    """Return the numbers of the runs that are found."""
    query = options.pop("query", {})
    sort = options.pop("sort", None)
    wanted = Wanted(
        condition=make_condition(texts, query), sort=None if sort is None else read_key(sort), **options
    )
    return [row.number for row in select_runs(store, wanted).rows]


@pytest.fixture
def three(store: RunStore) -> RunStore:
    make_run(
        store, sets=[{"n": 50, "model": {"depth": 2}}], metrics={"acc": [0.8], "loss": [0.5]}, tags=["paper"]
    )
    make_run(
        store,
        sets=[{"n": 50, "model": {"depth": 3}}, {"n": 100, "model": {"depth": 3}}],
        metrics={"acc": [0.7, 0.75, 0.95], "val/f1": [0.5]},
        at=NOON + timedelta(days=1),
        notes="the new solver",
        git={"commit": "1f" * 20, "dirty": True},
    )
    make_run(
        store, sets=[{"n": "auto"}], outcome="failed", error="ValueError: no", at=NOON + timedelta(days=2)
    )
    return store


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("acc > 0.9", [2]),
        ("acc < 0.75", [2]),
        ("acc == 0.75", [2]),
        ("acc in (0.75, 5)", [2]),
        ("acc == 0.74", []),
        ("0.76 < acc < 0.9", [1]),
        ("acc.best > 1.8", [2]),
        ("acc.max == 1.6", [1]),
        ("acc.min < 0.36", [2]),
        ("metrics.acc.last > 0.9", [2]),
        ("test > 1 or acc > 0", None),
        ("metrics['val/f1'] == 0.5", [2]),
        ("metrics['test/acc'] == 0.75", [2]),
        ("metrics['test/acc'].best > 1.8", [2]),
        ("n >= 100", [2]),
        ("params.n == 50", [2, 1]),
        ("parameters.n == 'auto'", [3]),
        ("not params.n == 50", [3]),
        ("depth == 3 and n == 50", [2]),
        ("params.model.depth == 2", [1]),
        ("outcome == 'failed'", [3]),
        ("outcome != 'failed'", [2, 1]),
        ("'paper' in tags", [1]),
        ("tag == 'paper'", [1]),
        ("not tags", [3, 2]),
        ("'solver' in notes", [2]),
        ("dirty", [2]),
        ("'1f1f' in commit", [2]),
        ("commit is None", [3, 1]),
        ("acc is None", [3]),
        ("error is not None", [3]),
        ("number >= 2", [3, 2]),
        ("experiment == 'iris' and number == 1", [1]),
        ("started > '2026-11-22'", [3, 2]),
        ("took == 1.5", [3, 2, 1]),
        ("sets == 2", [2]),
        ("counts.ran == 0", [3, 2, 1]),
        ("live", []),
        ("reference == 'x'", []),
    ],
)
def test_runs_are_found_by_what_they_are(three: RunStore, text: str, numbers: list[int] | None) -> None:
    if numbers is None:
        with pytest.raises(DiscoveryError, match="named 'test'"):
            find(three, text)
    else:
        assert find(three, text) == numbers


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"n": 50}, [2, 1]),
        ({"n": (60, 100)}, [2]),
        ({"n": (50, 60), "depth": 2}, [1]),
        ({"n": [100, "auto"]}, [3, 2]),
        ({"acc": (0.9, 1.0)}, [2]),
        ({"outcome": "failed"}, [3]),
        ({"n": range(90, 110)}, [2]),
        ({"acc.best": (1.8, 2.0)}, [2]),
        ({"started": ("2026-11-21", "2026-11-21")}, [1]),
    ],
)
def test_values_of_a_query_are_equal_in_a_range_or_in_a_list(
    three: RunStore, query: dict[str, Any], numbers: list[int]
) -> None:
    assert find(three, query=query) == numbers


def test_a_range_has_two_ends() -> None:
    with pytest.raises(ConfigurationError, match="a tuple of 3 values"):
        make_condition([], {"n": (1, 2, 3)})


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({}, [3, 2, 1]),
        ({"reverse": True}, [1, 2, 3]),
        ({"limit": 2}, [3, 2]),
        ({"limit": 2, "reverse": True}, [1, 2]),
        ({"sort": "acc"}, [2, 1, 3]),
        ({"sort": "acc", "reverse": True}, [1, 2, 3]),
        ({"sort": "loss"}, [1, 3, 2]),
        ({"sort": "started"}, [3, 2, 1]),
        ({"sort": "number"}, [3, 2, 1]),
        ({"sort": "n"}, [2, 1, 3]),
        ({"sort": "outcome"}, [2, 1, 3]),
        ({"sort": "tags"}, [1, 3, 2]),
        ({"sort": "counts.ran"}, [3, 2, 1]),
        ({"tags": ("paper",)}, [1]),
        ({"tags": ("paper", "best")}, []),
        ({"outcomes": ("failed", "interrupted")}, [3]),
        ({"experiment": "iris", "limit": 1}, [3]),
        ({"experiment": "other"}, []),
    ],
)
def test_runs_are_sorted_and_cut(three: RunStore, options: dict[str, Any], numbers: list[int]) -> None:
    assert find(three, **options) == numbers


def test_how_many_there_are_is_known_when_few_are_asked_for(three: RunStore) -> None:
    for condition in (None, make_condition(["number > 0"], {})):
        selected = select_runs(three, Wanted(condition=condition, limit=2))
        assert (len(selected.rows), selected.found, selected.among) == (2, 3, 3)
    assert select_runs(three, Wanted(experiment="iris", limit=2)).found == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acuracy > 1", "named 'acuracy'. Did you mean 'acc'?"),
        ("params.model.dept == 1", "named 'params.model.dept'. Did you mean 'model.depth'?"),
        ("metrics.los > 1", "named 'metrics.los'. Did you mean 'loss'"),
        ("outcome == 'complete' and outcom == 'x'", "named 'outcom'. Did you mean 'outcome'?"),
        ("acc > 5 and dept > 1", "named 'dept'."),
        ("outcome == 'done'", "No run ends as 'done'."),
        ("outcome in ('failed', 'fail')", "No run ends as 'fail'. Did you mean 'failed'?"),
        ("started > 'noon'", "'noon' is no moment."),
    ],
)
def test_names_and_words_that_nobody_has_are_refused_with_the_nearest(
    three: RunStore, text: str, message: str
) -> None:
    with pytest.raises(CurifactoryError) as caught:
        find(three, text)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_name_to_sort_by_has_to_be_somebodys(three: RunStore) -> None:
    with pytest.raises(DiscoveryError, match="named 'los'"):
        find(three, sort="los")


def test_without_runs_no_name_is_wrong(store: RunStore) -> None:
    assert find(store, "acuracy > 1") == []


@pytest.mark.parametrize("text", ["", " ", "acc.", ".n", "acc > 1", "metrics['a'] > 1", "params["])
def test_what_is_no_name_is_refused(text: str) -> None:
    if text == "acc > 1":
        assert read_key(text).parts == ("acc > 1",)
        return
    with pytest.raises(ConfigurationError):
        read_key(text)


def test_what_a_listing_has_cut_is_read_from_the_folder(store: RunStore) -> None:
    long = "x" * 200
    make_run(store, sets=[{"text": long, **{f"f{number}": number for number in range(40)}, "last": 7}])
    make_run(store, sets=[{"seed": seed} for seed in range(20)])
    make_run(store, metrics={f"m{number}": [number] for number in range(60)})
    assert find(store, f"text == '{long}'") == [1]
    assert find(store, "last == 7") == [1]
    assert find(store, "seed == 19") == [2]
    assert find(store, "m59 == 59") == [3]


def test_a_table_has_values_lists_and_gaps(three: RunStore) -> None:
    rows = select_runs(three, Wanted()).rows
    folder = str(three.folder)
    columns = name_columns("number, acc,n,notes,started", rows, folder)
    assert list_cells(rows, columns, folder) == [
        [3, None, "auto", "", (NOON + timedelta(days=2)).isoformat()],
        [2, 0.95, [50, 100], "the new solver", (NOON + timedelta(days=1)).isoformat()],
        [1, 0.8, 50, "", NOON.isoformat()],
    ]
    titles = [title for title, _ in default_columns(rows)]
    assert {"reference", "metrics.acc", "metrics.val/f1", "params.model.depth"} <= set(titles)
    with pytest.raises(DiscoveryError, match="named 'nn'"):
        name_columns(["nn"], rows, folder)


def test_metrics_and_parameters_of_one_name_are_told_apart_by_their_rooms(store: RunStore) -> None:
    make_run(store, sets=[{"loss": "mse"}], metrics={"loss": [0.5]})
    assert find(store, "loss == 0.5 and params.loss == 'mse' and metrics.loss < 1") == [1]


def test_a_metric_may_be_called_like_a_fact(store: RunStore) -> None:
    make_run(store, metrics={"error": [0.5], "outcome": [1.0]})
    make_run(store, outcome="failed", error="ValueError: no")
    assert find(store, "error < 1") == [1]
    assert find(store, "'ValueError' in error") == [2]
    assert find(store, "outcome == 'failed'") == [2]
    assert find(store, "metrics.outcome == 1") == [1]
    assert find(store, sort="error") == [1, 2]


def test_what_is_infinite_is_compared_too(store: RunStore) -> None:
    make_run(store, metrics={"acc": ["inf"], "loss": [2.0]})
    make_run(store, metrics={"acc": [0.5]})
    assert find(store, "acc > 1") == [1]
    assert find(store, "acc.best > 1e300") == [1]
    assert find(store, sort="acc") == [1, 2]


def test_a_metric_of_several_types_is_that_of_testing_unless_a_type_is_named(store: RunStore) -> None:
    reference = make_run(store, metrics={"acc": [0.5, 0.7]})
    line = {"record": 0, "call": None, "type": "train", "step": None, "epoch": None}
    line |= {"at": NOON.isoformat(), "values": {"acc": 0.99}}
    with (store.folder / reference / METRICS_NAME).open("a") as file:
        file.write(json.dumps(line) + "\n")
    store.annotate(store.get(reference), add_tags=["seen"])
    assert find(store, "acc > 0.9") == find(store, "acc == 0.99") == []
    assert find(store, "acc == 0.7 and metrics['train/acc'] == 0.99") == [1]


EDGES = [0.0, -0.0, 0.1 + 0.2, 0.3, 0.9, 1e-320, 5e300, -2.5, 123456789012345.67, 1 / 3, 7]


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_a_bound_in_the_index_leaves_nobody_out(tmp_path: Path, sign: str) -> None:
    with Index(tmp_path / "index.db") as index:
        store, plain = RunStore(tmp_path / "runs", index), RunStore(tmp_path / "runs")
        for number, value in enumerate(EDGES):
            make_run(
                store, metrics={"loss": [value, EDGES[-1 - number]], 'a"b,"loss': [0.3], "größe µ": [value]}
            )
        make_run(store, sets=[{"loss": 0.5}])
        for name in ("loss", 'metrics["größe µ"]', 'metrics["a\\"b,\\"loss"]'):
            for value in EDGES:
                for text in (
                    f"{name} {sign} {value!r}",
                    f"{value!r} {sign} {name}",
                    f"-1 < {name} {sign} {value!r}",
                ):
                    assert find(store, text) == find(plain, text), text
        assert find(store, f"loss {sign} 1{'0' * 400}") == find(plain, f"loss {sign} 1{'0' * 400}")


def test_a_run_that_has_changed_behind_the_index_is_found_by_what_it_is_now(tmp_path: Path) -> None:
    with Index(tmp_path / "index.db") as index:
        store = RunStore(tmp_path / "runs", index)
        for value in (0.5, 0.95, 0.6):
            make_run(store, metrics={"acc": [value]})
        assert find(store, "acc > 0.9") == [2]
        first, second, _ = sorted(path for path in store.folder.glob("iris_*"))
        metrics = (second / METRICS_NAME).read_bytes()
        for folder in (second, first):
            (folder / METRICS_NAME).write_bytes(
                metrics.replace(b"0.95", b"0.8") if folder == second else metrics
            )
            merge_facts(folder, {"notes": "copied"})
        assert find(store, "acc > 0.9") == [1]


def test_of_a_run_that_cannot_be_read_it_is_told_that_it_is_there(three: RunStore) -> None:
    damaged = three.folder / select_runs(three, Wanted()).rows[1].reference / "run.json"
    damaged.write_text("{")
    for wanted in (Wanted(), Wanted(limit=20), Wanted(condition=make_condition(["n == 50"], {}))):
        selected = select_runs(three, wanted)
        assert (selected.among, list(selected.damaged)) == (2, [damaged.parent.name])
        assert "run.json is damaged" in selected.damaged[damaged.parent.name]


@pytest.mark.parametrize(
    "facts", ['{"started_at": "noon"}', '{"number": "x"}', '{"git": [1]}', "null", "", "[]"]
)
def test_facts_of_another_shape_are_damaged_too(three: RunStore, facts: str) -> None:
    damaged = three.folder / select_runs(three, Wanted()).rows[0].reference
    (damaged / "run.json").write_text(facts)
    assert list(select_runs(three, Wanted()).damaged) == [damaged.name]


def test_a_run_that_has_lost_its_facts_is_told_and_one_that_only_begins_is_not(three: RunStore) -> None:
    lost = three.folder / select_runs(three, Wanted()).rows[0].reference
    (lost / "run.json").unlink()
    begun = three.folder / "iris_9_2026-11-21-T101500"
    begun.mkdir()
    (begun / ".run.json.42").touch()
    assert list(select_runs(three, Wanted()).damaged) == [lost.name]
