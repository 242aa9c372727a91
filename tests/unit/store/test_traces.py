from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from curifactory.core.trace import NEVER_SEEN, Artifact, Output, Result, StoredFile, Trace
from curifactory.errors import CacheError
from curifactory.store import manifest, trace_rows
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.database import open_in_memory
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.read_sets import ReadSets
from curifactory.store.traces import TraceStore

STAGE = "experiments.iris.load"
HEX = "0123456789abcdef" * 4


def make_key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def make_trace(name: object, **changes) -> Trace:
    trace = Trace(
        key=make_key(name),
        stage=STAGE,
        code=HEX,
        reads={"n": HEX},
        shown={"n": "3"},
        inputs={},
        overrides={},
        outputs=(Output("data", "list", str(name)),),
        run="iris_1_2026-11-21-T101500",
        made_at="2026-11-21T10:15:00+01:00",
        duration_s=0.5,
    )
    return trace._replace(**changes)


def as_kept(trace: Trace) -> Trace:
    """Give a trace as a manifest keeps it."""
    return manifest.decode(trace.key, manifest.encode(trace))


class Store:
    def __init__(self, data: Path, *, read_only: bool = False) -> None:
        self.layout = Layout(data / "cache")
        self.said: list[str] = []
        self.read_only = read_only
        self.open()

    def open(self) -> None:
        self.index = Index(self.layout.index_path, read_only=self.read_only, warn=self.said.append)
        self.files = ArtifactFiles(self.layout, self.index)
        self.traces = TraceStore(self.layout, self.index, files=self.files, warn=self.said.append)

    def close(self) -> None:
        self.traces.close()
        self.files.close()
        self.index.close()

    def reopen(self, *, without_index: bool = False) -> None:
        self.close()
        if without_index:
            self.layout.index_path.unlink()
        self.open()

    def commit(self, trace: Trace, **changes) -> Trace:
        self.traces.commit(trace, **{"parts": {"load": HEX}, "places": {"load": "iris.py:3"}, **changes})
        return as_kept(trace)

    def find(self, key: str) -> Trace | None:
        """Find a trace, by the index what it made and by its manifest as a whole: both must say the same."""
        result, trace = self.traces.find_result(key, STAGE), self.traces.find(key, stage=STAGE)
        assert (result and result._replace(manifest=NEVER_SEEN, seen={})) == (trace and Result.of(trace))
        return trace

    def manifest(self, trace: Trace) -> Path:
        return self.layout.manifests / STAGE / f"{trace.key}.json"


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "data")
    yield store
    store.close()


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -------------------------------------------------------------------------------------------------------------- find


def test_a_trace_is_found_by_its_key_now_and_by_the_next_process(store):
    kept = store.commit(make_trace("a"))
    assert store.traces.find(kept.key) == kept
    store.reopen()
    assert store.traces.find(kept.key) == kept
    assert store.traces.find(make_key("b")) is None


def test_the_manifest_lies_under_stage_and_key_and_nothing_beside_it(store):
    kept = store.commit(make_trace("a"))
    store.close()
    names = sorted(path.name for path in (store.layout.manifests / STAGE).iterdir())
    assert names == sorted([f"{kept.key}.json", f"code-{HEX}.json"])
    assert os.listdir(store.layout.staging) == []
    assert not store.layout.cache.exists()
    assert store.traces.manifest_path(kept) == str(store.manifest(kept))


def test_a_deleted_index_loses_nothing(store):
    kept = [store.commit(make_trace(n, reads={f"p{n % 3}": HEX}, shown={})) for n in range(20)]
    store.reopen(without_index=True)
    assert [store.traces.find(trace.key) for trace in kept] == kept
    assert set(store.traces.read_sets(STAGE, HEX)) == {("p0",), ("p1",), ("p2",)}


def test_a_manifest_that_another_process_has_just_written_is_found_with_its_stage(store, tmp_path):
    other = Store(tmp_path / "data")
    # Its index is open from now on, and does not look through the manifests again.
    assert store.traces.find(make_key("a")) is store.find(make_key("a")) is None
    trace = make_trace("a")
    with other.index.batch():
        # Not committed to the index before the block ends.
        other.traces._read_sets._known[STAGE, HEX] = (time.monotonic(), [("n",)])
        other.commit(trace)
        assert store.traces.find(trace.key) is None
        assert store.find(trace.key) == as_kept(trace)
    other.close()


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: path.write_bytes(path.read_bytes().replace(b"iris_1", b"iris_2")),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
    ],
    ids=["emptied", "cut", "changed", "zeros"],
)
def test_a_damaged_manifest_is_a_miss_said_in_one_line_and_set_aside(store, damage, reopened):
    kept = store.commit(make_trace("a"))
    assert store.traces.find(kept.key) == kept
    if reopened:
        store.reopen()
    damage(store.manifest(kept))
    damaged = store.manifest(kept).read_bytes()
    assert store.traces.find(kept.key) is None
    assert store.find(kept.key) is None
    assert len(store.said) == 1
    assert str(store.manifest(kept)) in store.said[0]
    assert [path.read_bytes() for path in store.layout.superseded.iterdir()] == [damaged]
    store.commit(make_trace("a"))
    assert store.traces.find(kept.key) == kept


def test_a_flipped_bit_right_after_the_commit_is_noticed(store):
    for number in range(30):
        kept = store.commit(make_trace(number))
        data = bytearray(store.manifest(kept).read_bytes())
        data[number * 7] ^= 4
        with store.manifest(kept).open("r+b") as file:
            file.write(data)
        assert store.traces.find(kept.key) is None


def test_a_deleted_manifest_is_a_miss_even_if_the_index_knows_it(store):
    kept = store.commit(make_trace("a"))
    store.reopen()
    store.manifest(kept).unlink()
    assert store.traces.find(kept.key) is None
    assert store.said == []
    assert store.index.query("SELECT count(*) FROM traces") == [(0,)]


def test_a_manifest_that_cannot_be_read_is_a_miss(store, monkeypatch):
    kept = store.commit(make_trace("a"))
    store.reopen(without_index=True)
    store.index.query("SELECT 1")
    real = os.open

    def fail(path, *args, **kwargs):
        if str(path) == str(store.manifest(kept)):
            raise OSError(errno.EIO, "Input/output error", path)
        return real(path, *args, **kwargs)

    os.utime(store.manifest(kept))
    monkeypatch.setattr("os.open", fail)
    assert store.traces.find(kept.key) is None
    assert len(store.said) == 1


def test_a_manifest_under_a_name_that_is_not_its_own_is_no_trace(store):
    kept = store.commit(make_trace("a"))
    shutil.copy(store.manifest(kept), store.manifest(make_trace("b")))
    assert store.find(make_key("b")) is None
    store.traces.rebuild()
    assert store.traces.find(make_key("b")) is None
    assert store.traces.find(kept.key) == kept


def test_a_newer_format_is_a_miss_that_is_told_once_and_left_alone(store):
    kept = store.commit(make_trace("a"))
    for name in ("a", "b"):
        store.manifest(make_trace(name)).write_bytes(b'{"format":2,"stage":"x"}')
        assert store.find(make_key(name)) is None
    assert len(store.said) == 1
    assert "newer version" in store.said[0]
    assert store.manifest(kept).exists()


def test_rot_within_the_index_makes_no_false_trace(store):
    kept = store.commit(make_trace("a"))
    store.index.flush()
    other = kept.outputs[0].summary.encode()
    ((data,),) = store.index.query("SELECT result FROM traces")
    store.index.execute("UPDATE traces SET result = ?", (data.replace(b'"' + other, b'"z'),))
    store.reopen()
    assert store.index.query("SELECT result FROM traces") != [(data,)]
    assert store.find(kept.key) == kept
    assert store.index.query("SELECT result FROM traces") == [(data,)]


@pytest.mark.parametrize(
    "rot",
    [
        "UPDATE traces SET result = 7",
        "UPDATE traces SET result = 'text'",
        "UPDATE traces SET key = CAST(x'fffe' || substr(key, 3) AS TEXT)",
        "UPDATE read_sets SET reads = '[\"n'",
        "UPDATE read_sets SET reads = 7",
        "UPDATE read_sets SET reads = CAST(x'5b22ff225d' AS TEXT)",
    ],
)
@pytest.mark.parametrize("expected", [0, 12])
def test_an_index_that_has_rotted_in_one_place_stops_nothing(store, rot, expected):
    kept = [store.commit(make_trace(name)) for name in range(12)]
    store.close()
    with contextlib.closing(sqlite3.connect(store.layout.index_path)) as connection:
        connection.execute(rot)
        connection.commit()
    store.open()
    with store.traces.reading(expected):
        assert [store.find(trace.key) for trace in kept] == kept
        assert [store.traces.find_result(trace.key, STAGE) is None for trace in kept] == [False] * 12
    assert store.traces.read_sets(STAGE, HEX) in ([], [("n",)])
    assert store.traces.newest(STAGE) is not None
    store.commit(make_trace("new"))
    assert store.traces.read_sets(STAGE, HEX, fresh=True)[0] == ("n",)


def test_an_index_of_an_older_version_is_made_again_from_the_manifests(store):
    kept = [store.commit(make_trace(n, reads={f"p{n % 2}": HEX}, shown={})) for n in range(6)]
    store.close()
    with contextlib.closing(sqlite3.connect(store.layout.index_path)) as connection:
        # What it says was written otherwise; its checksums hold.
        connection.execute("UPDATE traces SET result = ?, crc = ?", (b"[7]", zlib.crc32(b"[7]")))
        connection.execute("PRAGMA user_version = 3")
        connection.commit()
    store.open()
    assert [store.traces.find(trace.key) for trace in kept] == kept
    assert set(store.traces.read_sets(STAGE, HEX)) == {("p0",), ("p1",)}
    assert store.said == []


def test_a_row_that_has_come_under_another_key_is_no_answer(store):
    one, two = store.commit(make_trace("a")), store.commit(make_trace("b"))
    store.close()
    with contextlib.closing(sqlite3.connect(store.layout.index_path)) as connection:
        connection.execute(
            "UPDATE traces SET (result, crc) = (SELECT result, crc FROM traces WHERE key = ?) WHERE key = ?",
            (two.key, one.key),
        )
        connection.commit()
    store.open()
    assert store.find(one.key) == one
    assert store.find(two.key) == two


def test_a_copied_store_finds_its_traces(store, tmp_path):
    kept = store.commit(make_trace("a"))
    store.close()
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    copy = Store(tmp_path / "copy")
    assert copy.traces.find(kept.key) == kept
    copy.close()


def test_reading_only_changes_no_file(store, tmp_path):
    kept, damaged = store.commit(make_trace("a")), store.commit(make_trace("b"))
    store.close()
    store.manifest(damaged).write_bytes(b"{}")
    before = snapshot(tmp_path / "data")
    for without_index in (False, True):
        if without_index:
            store.layout.index_path.unlink()
            before.pop("index.db")
        reader = Store(tmp_path / "data", read_only=True)
        assert reader.traces.find(kept.key) == kept
        assert reader.traces.find(damaged.key) is None
        assert reader.traces.newest(STAGE) == kept
        reader.close()
        assert snapshot(tmp_path / "data") == before


def test_checking_the_files_of_a_found_trace_reads_and_asks_nothing(store, monkeypatch):
    staging = store.files.new_staging()
    Path(staging, "x").write_bytes(b"x")
    (file,) = store.files.commit([(f"{staging}/x", str(store.layout.cache / "x.json"))])
    artifact = Artifact("data", "JsonCacher", HEX, file.digest, (file,), "x")
    kept = store.commit(make_trace("a", outputs=(Output("data", artifact=artifact),)))
    store.reopen()
    found = store.traces.find_result(kept.key, STAGE)
    monkeypatch.setattr("curifactory.store.file_facts.take_facts", lambda *_: pytest.fail("was read"))
    monkeypatch.setattr(store.index, "lookup", lambda *_: pytest.fail("was asked"))
    assert store.files.worst(found.outputs[0].artifact.files, found.seen) == (FileState.PRESENT, None)
    # And it is remembered for whoever asks without the trace.
    assert store.files.state(found.outputs[0].artifact.files[0]) is FileState.PRESENT


def count_open_folders() -> int:
    return sum(os.path.isdir(f"/dev/fd/{each}") for each in os.listdir("/dev/fd"))


@pytest.mark.parametrize("expected", [1, 1_000])
def test_what_happens_to_files_while_very_many_are_looked_at_is_seen(store, tmp_path, expected):
    staging = store.files.new_staging()
    finals = [
        str(store.layout.cache / "x.json"),
        str(store.layout.cache / "sub" / "y.json"),
        str(tmp_path / "z.json"),
    ]
    for name in "xyz":
        Path(staging, name).write_bytes(name.encode())
    files = store.files.commit(
        [(f"{staging}/{name}", final) for name, final in zip("xyz", finals, strict=True)]
    )
    assert files[2].path.startswith("../")
    artifact = Artifact("data", "JsonCacher", HEX, files[0].digest, files, "x")
    kept, other = (
        store.commit(make_trace("a", outputs=(Output("data", artifact=artifact),))),
        store.commit(make_trace("b")),
    )
    store.reopen()
    held = count_open_folders()
    with store.traces.reading(expected), store.traces.reading(expected):
        found = store.traces.find_result(kept.key, STAGE)
        assert found.outputs == kept.outputs
        assert store.files.worst(files, found.seen) == (FileState.PRESENT, None)
        for file, final in zip(reversed(files), reversed(finals), strict=True):
            os.unlink(final)
            assert store.files.worst(files, found.seen) == (FileState.MISSING, file)
        assert store.traces.find_result(make_key("none"), STAGE) is None
        # Each of these is asked for after one that was not there, and after one that was.
        assert store.traces.find_result(other.key, STAGE) is not None
        store.manifest(other).write_bytes(b"{}")
        assert store.traces.find_result(other.key, STAGE) is None
        assert store.traces.find_result(make_key("new"), "new stage") is None
        with contextlib.closing(Store(tmp_path / "data")) as another:
            another.commit(make_trace("new", stage="new stage"))
        assert store.traces.find_result(make_key("new"), "new stage") is not None
        assert count_open_folders() - held == (0 if expected == 1 else 2)
    assert count_open_folders() == held
    assert store.traces.find_result(kept.key, STAGE) is not None


def test_however_many_stages_there_are_few_folders_are_held_open(store):
    kept = [store.commit(make_trace(str(number), stage=f"stage {number}")) for number in range(100)]
    store.reopen()
    held = count_open_folders()
    with store.traces.reading(1_000):
        for trace in kept:
            assert store.traces.find_result(trace.key, trace.stage) is not None
        # Some systems let a program have no more than 256 files open.
        assert 0 < count_open_folders() - held < 50
    assert count_open_folders() == held


# ------------------------------------------------------------------------------------------------------------ commit


def test_a_trace_with_the_same_outputs_leaves_the_manifest_as_it_is(store):
    kept = store.commit(make_trace("a"))
    before = store.manifest(kept).stat()
    store.commit(make_trace("a", run="iris_2", duration_s=9.0))
    assert store.manifest(kept).stat().st_ino == before.st_ino
    assert store.traces.find(kept.key).run == kept.run


def test_a_trace_that_somebody_has_brought_is_found_once_it_was_made_again(store, tmp_path):
    elsewhere = Store(tmp_path / "elsewhere")
    trace = elsewhere.commit(make_trace("a"))
    elsewhere.close()
    store.commit(make_trace("other", stage="iris.other"))
    shutil.copytree(elsewhere.layout.manifests, store.layout.manifests, dirs_exist_ok=True)
    store.reopen()
    assert store.traces.read_sets(STAGE, HEX) == []
    store.commit(make_trace("a"))
    store.reopen()
    assert store.traces.read_sets(STAGE, HEX) == [("n",)]
    assert store.find(trace.key) == trace


def test_a_trace_with_other_outputs_replaces_the_manifest(store):
    store.commit(make_trace("a"))
    other = store.commit(make_trace("a", outputs=(Output("data", "list", "other"),), run="iris_2"))
    assert store.traces.find(other.key) == other
    store.reopen(without_index=True)
    assert store.traces.find(other.key) == other


def test_the_parts_of_a_code_are_written_once_and_found(store):
    store.commit(make_trace("a"))
    path = store.layout.manifests / STAGE / f"code-{HEX}.json"
    before = path.stat()
    store.reopen()
    store.commit(make_trace("b"), parts={"other": "ignored"})
    assert path.stat().st_ino == before.st_ino
    assert store.traces.parts_of(STAGE, HEX) == ({"load": HEX}, {"load": "iris.py:3"})
    assert store.traces.parts_of(STAGE, "other") is None


def test_damaged_parts_are_set_aside_and_written_again(store):
    store.commit(make_trace("a"))
    path = store.layout.manifests / STAGE / f"code-{HEX}.json"
    path.write_bytes(path.read_bytes()[:-5])
    assert store.traces.parts_of(STAGE, HEX) is None
    assert not path.exists()
    store.commit(make_trace("b"))
    assert store.traces.parts_of(STAGE, HEX) is not None


def make_report(folder: Path, text: str) -> str:
    folder.mkdir()
    (folder / "fragments.json").write_text(json.dumps([text]))
    (folder / "metrics.jsonl").write_text("{}\n")
    (folder / "chart.svg").write_text(text)
    return str(folder)


def test_a_report_folder_lies_beside_its_manifest_whatever_becomes_of_the_first_one(store, tmp_path):
    folder = make_report(tmp_path / "fragments", "one")
    store.commit(make_trace("a"), report_folder=folder)
    with open(f"{folder}/metrics.jsonl", "a") as file:
        file.write("later\n")
    shutil.rmtree(folder)
    found = store.traces.find(make_key("a"))
    assert found.reported
    where = Path(store.traces.report_folder(found.stage, found.key))
    assert where == store.layout.manifests / STAGE / f"{found.key}.report"
    assert (where / "chart.svg").read_text() == "one"
    assert (where / "metrics.jsonl").read_text() == "{}\n"


def test_a_newer_report_replaces_the_older_one(store, tmp_path):
    store.commit(make_trace("a"), report_folder=make_report(tmp_path / "1", "one"))
    store.commit(make_trace("a"), report_folder=make_report(tmp_path / "2", "two"))
    where = Path(store.traces.report_folder(STAGE, make_key("a")))
    assert (where / "chart.svg").read_text() == "two"
    assert store.traces.report_folder(STAGE, store.commit(make_trace("b")).key) is None


def test_a_stage_with_an_awkward_name_has_a_safe_folder(store):
    trace = make_trace("a", stage="notebook:../flowers/iris.load")
    kept = store.commit(trace)
    assert store.traces.find(kept.key, stage=trace.stage) == kept
    assert [path.name for path in store.layout.manifests.iterdir()] == ["notebook%3A..%2Fflowers%2Firis.load"]
    store.reopen(without_index=True)
    assert store.traces.find(kept.key) == kept


@pytest.mark.parametrize("call", ["rename", "write", "open"])
def test_an_error_of_the_disk_names_the_path_and_leaves_no_trace(store, monkeypatch, call):
    store.commit(make_trace("first"))
    real = getattr(os, call)

    def fail(path, *args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", path if isinstance(path, str) else None)

    monkeypatch.setattr(f"os.{call}", fail)
    with pytest.raises(CacheError, match="disk is full"):
        store.commit(make_trace("a"))
    monkeypatch.setattr(f"os.{call}", real)
    store.reopen(without_index=True)
    assert store.find(make_key("a")) is None
    kept = store.commit(make_trace("a"))
    assert store.traces.find(kept.key) == kept


def test_a_data_folder_that_was_moved_away_is_not_made_again(store, tmp_path):
    store.commit(make_trace("a"))
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(CacheError, match="moved or deleted"):
        store.commit(make_trace("b"))
    store.index.flush()
    assert not (tmp_path / "data").exists()


def test_durable_traces_are_synced_before_they_get_their_names(store, monkeypatch):
    synced, real = [], os.fsync
    monkeypatch.setattr("os.fsync", lambda descriptor: (synced.append(descriptor), real(descriptor)))
    store.commit(make_trace("a"))
    assert synced == []
    durable = TraceStore(store.layout, store.index, durable=True)
    durable.commit(make_trace("b"), parts={}, places={})
    assert len(synced) >= 2
    durable.close()


# --------------------------------------------------------------------------------------------------------- read sets


def test_read_sets_come_newest_first_and_once(store):
    for names in (["b", "a"], ["c"], ["a", "b"]):
        store.commit(make_trace(names, reads=dict.fromkeys(names, HEX), shown={}))
    for _ in range(2):
        assert store.traces.read_sets(STAGE, HEX) == [("c",), ("a", "b")]
        store.reopen()
    assert store.traces.read_sets(STAGE, "other code") == []


def test_a_new_read_set_is_seen_by_other_processes_at_once(store, tmp_path):
    other = Store(tmp_path / "data")
    assert other.traces.read_sets(STAGE, HEX) == []
    store.commit(make_trace("a"))
    assert other.traces.read_sets(STAGE, HEX, fresh=True) == [("n",)]
    time.sleep(0.25)
    assert other.traces.read_sets(STAGE, HEX) == [("n",)]
    other.close()


def test_more_than_sixteen_read_sets_are_merged_and_keys_come_from_the_union(store):
    for number in range(40):
        key_reads = store.traces.key_reads(STAGE, HEX, {f"p{number:02}", "always"})
        assert {f"p{number:02}", "always"} <= set(key_reads)
        store.commit(make_trace(number, reads=dict.fromkeys(key_reads, HEX), shown={}))
        sets = store.traces.read_sets(STAGE, HEX)
        assert len(sets) <= 16
        assert key_reads in sets
    # A call that reads what was read before is keyed by a set that is looked up, without a new one.
    before = store.traces.read_sets(STAGE, HEX)
    assert store.traces.key_reads(STAGE, HEX, {"p03", "p30"}) in before
    for without_index in (False, True):
        store.reopen(without_index=without_index)
        assert len(store.traces.read_sets(STAGE, HEX)) <= 16


def test_the_union_of_too_many_read_sets_holds_each_of_them(store):
    sets = ReadSets(store.index)
    for number in range(17):
        sets.add(STAGE, HEX, [f"p{number:02}"])
    found = sets.get(STAGE, HEX)
    assert len(found) == 16
    assert found[0] == ("p16",)
    assert set(found[1]) == {f"p{number:02}" for number in range(17)}
    assert ReadSets(store.index).get(STAGE, HEX) == found


# -------------------------------------------------------------------------------------------------- first and newest


def test_of_several_keys_the_first_trace_that_is_there_is_found(store):
    one, two = store.commit(make_trace("1")), store.commit(make_trace("2"))
    asked = []

    def keys(*names):
        for name in names:
            asked.append(name)
            yield make_key(name)

    for _ in range(2):
        assert store.traces.find_first(STAGE, keys("1", "2")) == one
        assert store.traces.find_first(STAGE, keys("gone", "2", "1")) == two
        assert asked == ["1", "gone", "2"]
        asked.clear()
        store.reopen()


def test_the_newest_trace_of_a_stage_is_found(store):
    store.commit(make_trace("new", made_at="2026-11-21T10:00:00+01:00"))
    store.commit(make_trace("old", made_at="2026-11-21T09:20:00+00:30"))
    store.commit(make_trace("else", stage="other", made_at="2027-01-01T00:00:00+00:00"))
    store.reopen()
    assert store.traces.find_first(STAGE, [make_key(n) for n in range(9)]) is None
    assert store.traces.newest(STAGE).outputs[0].summary == "new"
    store.manifest(make_trace("new")).unlink()
    store.reopen()
    assert store.traces.newest(STAGE).outputs[0].summary == "old"
    assert store.traces.newest("never") is None
    kept = store.commit(make_trace("first", stage="never"))
    assert store.traces.newest("never") == kept


# ----------------------------------------------------------------------------------------------------------- rebuild


def test_rebuilding_counts_what_is_whole_and_forgets_what_is_gone(store):
    kept = [store.commit(make_trace(number)) for number in range(10)]
    store.manifest(kept[0]).unlink()
    store.manifest(kept[1]).write_bytes(b"torn")
    (store.layout.manifests / "stray.txt").write_text("stray")
    assert store.traces.rebuild() == 8
    assert store.index.query("SELECT count(*) FROM traces") == [(8,)]
    assert len(store.said) == 1
    assert {trace.key for trace in store.traces.iter_traces()} == {trace.key for trace in kept[2:]}


def test_a_trace_of_another_process_is_seen_to_be_there_and_found_by_its_stage(store, tmp_path):
    other = Store(tmp_path / "elsewhere")
    kept = other.commit(make_trace("a"))
    other.close()
    assert not store.traces.is_there(kept.key, kept.stage)
    shutil.copytree(other.layout.manifests, store.layout.manifests)
    assert store.traces.is_there(kept.key, kept.stage)
    assert store.traces.find(kept.key, stage=kept.stage) == kept


KILLED = """
import os, signal, sys, threading
from pathlib import Path
from curifactory.core.trace import Output, Trace
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.traces import TraceStore

layout = Layout(Path(sys.argv[1]))
index = Index(layout.index_path)
traces = TraceStore(layout, index)
number = int(sys.argv[2])
# On a busy machine little may come about in a time, so it begins after some turns.
turns = int(sys.argv[4])
while True:
    if turns == 0:
        threading.Timer(float(sys.argv[3]), os.kill, (os.getpid(), signal.SIGKILL)).start()
    turns -= 1
    number += 1
    key = f"{number:064x}"
    trace = Trace(key, "s.load", "c", {f"p{number % 4}": "v"}, {}, {}, {}, (Output("x", "int", str(number)),), "r", "2026", 0.1)
    traces.commit(trace, parts={"load": "d"}, places={})
    os.write(1, f"{key}\\n".encode())
"""


def test_killed_at_any_moment_every_committed_trace_is_found(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    keys: list[str] = []
    for kill in range(20):
        wait_s = str(0.001 + 0.006 * kill)
        command = [sys.executable, "-c", KILLED, str(tmp_path / "data" / "cache")]
        command += [str(kill * 10**6), wait_s, str(kill)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        keys += ended.stdout.split()
        store = Store(tmp_path / "data")
        # Without the stage, so from the index: what the killed process had not flushed has been read again.
        assert [key for key in keys[-300:] if store.traces.find(key) is None] == []
        assert not keys or store.traces.read_sets("s.load", "c")
        store.close()
        assert store.said == []
    assert len(keys) > 100
    assert sum(1 for _ in store.traces.iter_traces()) >= len(keys)


def test_a_stored_file_without_facts_is_no_trouble(store):
    file = StoredFile("gone.json", f"blake3:{HEX}", 3)
    artifact = Artifact("data", "JsonCacher", HEX, file.digest, (file, file), "gone")
    kept = store.commit(make_trace("a", outputs=(Output("data", artifact=artifact),)))
    store.reopen()
    assert store.traces.find(kept.key) == kept
    assert store.files.state(file) is FileState.MISSING


def test_of_two_keys_that_end_alike_both_are_found(tmp_path):
    one, other = make_trace("one"), make_trace("other")
    other = other._replace(key=other.key[:-12] + one.key[-12:])
    store = Store(tmp_path)
    for trace in (one, other):
        store.traces.commit(trace, parts={}, places={})
    store.index.close()
    again = Store(tmp_path)
    found = [again.traces.find_result(trace.key, STAGE) for trace in (one, other)]
    again.index.close()
    assert [each.outputs for each in found] == [one.outputs, other.outputs]


@pytest.mark.parametrize(
    "sql", [trace_rows.SELECT, trace_rows.SELECT_FROM, trace_rows.SELECT_STAGE, trace_rows.DELETE]
)
def test_a_key_is_found_without_going_through_all_rows(sql):
    connection = open_in_memory()
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", ("9f", 1)[: 1 + ("?2" in sql)]).fetchall()
    connection.close()
    assert any("traces_by_key" in row[3] for row in plan)
