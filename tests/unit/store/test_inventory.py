"""The inventory of artifacts, their verification, and what a collection finds, on a real store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from curifactory.core.trace import Artifact, Output, Trace
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.collection import Collector
from curifactory.store.collection_plan import Rules, WasteKind
from curifactory.store.digests import Facts, take_facts
from curifactory.store.index import Index
from curifactory.store.inventory import Item, SortBy, read_inventory, select_items, total_of
from curifactory.store.layout import Layout
from curifactory.store.runs import RunStore
from curifactory.store.trace_rows import find_file_facts
from curifactory.store.traces import TraceStore
from curifactory.store.uses import Use
from curifactory.store.verification import set_aside_modified, verify_inventory

NOW = datetime.fromisoformat("2026-11-21T10:15:00+01:00")
RUN = "iris_1_2026-11-20-T101500"


@dataclass(frozen=True)
class Store:
    layout: Layout
    files: ArtifactFiles
    traces: TraceStore
    runs: RunStore
    index: Index

    def save(
        self, key: str, name: str, content: str, *, stage: str = "iris.load", code: str = "c1", day: int = 20
    ) -> Trace:
        staging = self.files.new_staging()
        Path(staging, "out").write_text(content)
        files = self.files.commit([(f"{staging}/out", f"{self.layout.cache}/{name}")])
        self.files.discard_staging(staging)
        artifact = Artifact("data", "JsonCacher", "ck", files[0].digest, files, os.path.splitext(name)[0])
        outputs = (Output("data", "list", "1 item", artifact),)
        made_at = f"2026-11-{day:02}T10:00:00+01:00"
        trace = Trace(key, stage, code, {}, {}, {}, {}, outputs, RUN, made_at, 0.5)
        self.traces.commit(trace, parts={"load": code}, places={})
        return trace

    def inventory(self, uses: dict[str, Use] | None = None) -> list[Item]:
        return read_inventory(self.traces.iter_traces(), self.files, uses or {})

    def plan(self, current: bool | None = False, **rules: object) -> dict[WasteKind, list[str]]:
        collector = Collector(self.layout, self.files, self.traces, self.runs)
        options = {"keep_runs": 0, "is_current": lambda stage, code: current, **rules}
        found: dict[WasteKind, list[str]] = {}
        for each in collector.plan(Rules(**options), now=NOW).waste:
            found.setdefault(each.kind, []).append(
                os.path.relpath(each.rubbish.path, self.layout.cache.parent)
            )
        return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    layout = Layout(tmp_path / "data" / "cache")
    with Index(layout.index_path) as index:
        files = ArtifactFiles(layout, index)
        traces, runs = TraceStore(layout, index, files=files), RunStore(tmp_path / "runs", index)
        yield Store(layout, files, traces, runs, index)


def test_an_artifact_has_its_experiment_size_and_last_use(store: Store) -> None:
    store.save("k1", "a.json", "[1]")
    (item,) = store.inventory({"k1": Use("wide_2_2026-11-21-T090000", NOW, {"iris", "wide"})})
    assert (item.experiments, item.size_bytes, item.used_at) == (("iris", "wide"), 3, NOW)
    assert (item.state, item.stage_name, item.run) == (FileState.PRESENT, "load", RUN)


def test_what_the_index_knows_of_small_files_is_not_read_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcd":
        store.save(f"k{name}", f"{name}.json", f"[{name!r}]")
    (store.layout.cache / "b.json").write_text("[2]")
    os.utime(store.layout.cache / "c.json", ns=(1, 1))
    read: list[str] = []

    def read_one(path: str, **options: bool) -> Facts:
        read.append(os.path.basename(path))
        return take_facts(path, **options)

    store.index.flush()
    monkeypatch.setattr("curifactory.store.file_facts.take_facts", read_one)
    with Index(store.layout.index_path, read_only=True) as index:
        files = ArtifactFiles(store.layout, index)
        traces = TraceStore(store.layout, index, files=files)
        items = read_inventory(traces.iter_traces(), files, {}, find_file_facts(index))
    states = {item.key: item.state.value for item in items}
    assert states == {"ka": "present", "kb": "modified", "kc": "present", "kd": "present"}
    assert set(read) == {"b.json", "c.json"}


def test_a_name_that_has_passed_on_is_not_damage(store: Store) -> None:
    store.save("k1", "a.json", "[1]")
    store.save("k2", "a.json", "[2]", code="c2")
    assert {item.key: item.state.value for item in store.inventory()} == {"k1": "aside", "k2": "present"}
    for path in store.layout.superseded.iterdir():
        path.unlink()
    assert {item.key: item.state.value for item in store.inventory()} == {"k1": "missing", "k2": "present"}
    (store.layout.cache / "a.json").write_text("[3!]")
    assert {item.key: item.state.value for item in store.inventory()} == {"k1": "modified", "k2": "modified"}


def test_an_artifact_that_two_traces_have_is_listed_once(store: Store) -> None:
    store.save("k1", "a.json", "[1]")
    store.save("k2", "a.json", "[1]", code="c2")
    (item,) = store.inventory({"k2": Use(RUN, NOW)})
    assert item.key == "k2"


def test_artifacts_are_sorted_and_chosen(store: Store) -> None:
    store.save("k1", "a.json", "[1]", day=20)
    store.save("k2", "b.json", "[22]", day=18, stage="iris.train")
    store.save("k3", "c.json", "[]", day=19)
    items = store.inventory({"k3": Use(RUN, NOW)})
    order = {sort: [item.key for item in select_items(items, sort=sort)] for sort in SortBy}
    assert order[SortBy.SIZE] == ["k2", "k1", "k3"]
    assert order[SortBy.AGE] == ["k2", "k3", "k1"]
    assert order[SortBy.USED][0] == "k3"
    assert [item.key for item in select_items(items, stage="train")] == ["k2"]
    assert select_items(items, experiment="wide") == []
    assert total_of(items)["size_bytes"] == 9


def test_verifying_reads_bytes_that_lie_aside_too(store: Store) -> None:
    store.save("k1", "a.json", "[1]")
    store.save("k2", "a.json", "[2]", code="c2")
    (aside,) = store.layout.superseded.iterdir()
    status = aside.stat()
    aside.write_text("[9]")
    os.utime(aside, ns=(status.st_atime_ns, status.st_mtime_ns))

    found = verify_inventory(store.inventory(), store.files, store.layout)

    assert [(fault.item.key, fault.place) for fault in found.modified] == [("k1", str(aside))]
    assert found.whole == 1
    ((_, target),) = set_aside_modified(found.modified, store.files)
    assert Path(target).read_text() == "[9]"
    assert not aside.exists()


def test_a_collection_takes_files_manifests_and_what_lies_aside(store: Store) -> None:
    store.save("k1", "a.json", "[1]")
    store.save("k2", "a.json", "[2]")
    found = store.plan()
    assert found[WasteKind.ARTIFACT] == ["cache/a.json"]
    assert sorted(found[WasteKind.MANIFEST]) == [
        "manifests/iris.load/code-c1.json",
        "manifests/iris.load/k1.json",
        "manifests/iris.load/k2.json",
    ]
    assert len(found[WasteKind.SUPERSEDED]) == 1


@pytest.mark.parametrize("current", [True, None])
def test_a_collection_keeps_what_is_current_or_cannot_be_seen(store: Store, current: bool | None) -> None:
    store.save("k1", "a.json", "[1]")
    assert store.plan(current) == {}


def test_a_collection_keeps_bytes_that_a_kept_trace_has_too(store: Store) -> None:
    store.save("k1", "a.json", "[1]", code="old")
    store.save("k2", "a.json", "[1]", code="new")
    found = store.plan(is_current=lambda stage, code: code == "new")
    assert WasteKind.ARTIFACT not in found
    assert sorted(found[WasteKind.MANIFEST]) == [
        "manifests/iris.load/code-old.json",
        "manifests/iris.load/k1.json",
    ]


def test_a_collection_keeps_what_lies_aside_for_a_kept_trace(store: Store) -> None:
    store.save("k1", "a.json", "[1]", code="kept")
    store.save("k2", "a.json", "[2]", code="gone")
    found = store.plan(is_current=lambda stage, code: code == "kept")
    assert found[WasteKind.ARTIFACT] == ["cache/a.json"]
    assert WasteKind.SUPERSEDED not in found


def test_a_collection_leaves_modified_files_where_they_are(store: Store) -> None:
    store.save("k1", "a.json", "[1]")
    (store.layout.cache / "a.json").write_text("[1, 2]")
    assert WasteKind.ARTIFACT not in store.plan()


def test_age_is_counted_from_when_it_was_made(store: Store) -> None:
    store.save("k1", "a.json", "[1]", day=11)
    store.save("k2", "b.json", "[2]", day=20)
    found = store.plan(older_than=timedelta(days=5))
    assert found[WasteKind.ARTIFACT] == ["cache/a.json"]


def test_an_undone_collection_is_found_again_by_its_keys(store: Store) -> None:
    trace = store.save("k1", "a.json", "[1]")
    collector = Collector(store.layout, store.files, store.traces, store.runs)
    plan = collector.plan(Rules(keep_runs=0, is_current=lambda stage, code: False), now=NOW)
    collector.carry_out(plan, now=NOW)
    assert store.traces.find("k1", stage="iris.load") is None
    undone = collector.undo()
    assert undone is not None
    assert undone[1] == 3
    assert store.traces.find("k1") == trace
    assert store.traces.read_sets("iris.load", "c1") == [()]
    assert collector.undo() is None
