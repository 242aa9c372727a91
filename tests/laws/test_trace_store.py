"""Whatever happens to a store, what it says to be there has exactly the bytes that were digested."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from curifactory.core.trace import Artifact, Output, Result, StoredFile, Trace
from curifactory.errors import CacheError
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.digests import take_facts
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.manifest import decode, encode
from curifactory.store.traces import TraceStore

NAMES = ("one.bin", "two.bin", "sub/three.bin", "dir")
CONTENTS = (b"", b"a", b"b", b"ab", b"long" * 20_000)
STAGE = "experiments.iris.load"

names = st.sampled_from(NAMES)
contents = st.sampled_from(CONTENTS)
numbers = st.integers(0, 2**16)


def write(path: Path, content: bytes, *, as_folder: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if as_folder:
        (path / "sub").mkdir(parents=True)
        (path / "sub" / "data").write_bytes(content)
        (path / "size").write_bytes(b"%d" % len(content))
    else:
        path.write_bytes(content)


def read(path: Path) -> object:
    """Read everything at a path, by other means than the store's."""
    if path.is_dir():
        return {
            below.relative_to(path).as_posix(): below.read_bytes() if below.is_file() else None
            for below in path.rglob("*")
        }
    return path.read_bytes() if path.exists() else None


class StoreMachine(RuleBasedStateMachine):
    """Saves, damages, deletes and goes back, in any order."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(dir=folder))
        self.layout = Layout(self.root / "data" / "cache")
        self.outside = self.root / "outside.bin"
        # What was written under each digest, and every trace that was ever committed.
        self.truth: dict[str, object] = {}
        self.made: dict[str, Trace] = {}
        self.counter = 0
        # Damage that keeps size, mtime and inode shows only when the bytes are read.
        self.hidden: set[Path] = set()
        # What another process knows, which waits while this one goes on.
        self.waiting: list[Any] = []
        self.open()
        self.another_process_goes_on()

    def open(self) -> None:
        self.reading = ExitStack()
        self.index = Index(self.layout.index_path, warn=lambda text: None)
        self.files = ArtifactFiles(self.layout, self.index)
        self.traces = TraceStore(self.layout, self.index, files=self.files, warn=lambda text: None)

    def close(self) -> None:
        self.reading.close()
        self.traces.close()
        self.files.close()
        self.index.close()

    def teardown(self) -> None:
        self.close()
        self.another_process_goes_on()
        self.close()
        shutil.rmtree(self.root)

    def damageable(self) -> list[Path]:
        folders = (self.layout.cache, self.layout.superseded, self.layout.manifests)
        return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())

    @rule(name=names, content=contents, as_folder=st.booleans(), key=st.integers(0, 9))
    def commit(self, name: str, content: bytes, as_folder: bool, key: int) -> None:
        staging = self.files.new_staging()
        write(Path(staging, "staged"), content, as_folder=as_folder)
        expected = read(Path(staging, "staged"))
        (file,) = self.files.commit([(f"{staging}/staged", str(self.layout.cache / name))])
        self.files.discard_staging(staging)
        assert self.truth.setdefault(file.digest, expected) == expected
        self.commit_trace(file, key)
        assert self.files.state(file) is FileState.PRESENT

    def commit_trace(self, file: StoredFile, key: int) -> None:
        self.counter += 1
        digest = hashlib.sha256(f"{key}".encode()).hexdigest()
        artifact = Artifact("data", "AnyCacher", "k", file.digest, (file,), os.path.splitext(file.path)[0])
        trace = Trace(
            digest, STAGE, f"code{key % 2}", {f"p{key % 3}": "v"}, {}, {}, {}, (Output("data", "bytes", "", artifact),),
            f"run_{self.counter}", "2026-11-21T10:15:00+01:00", 0.1,
        )  # fmt: skip
        self.traces.commit(trace, parts={"load": "d"}, places={})
        found = self.traces.find(digest)
        assert found is not None
        assert found.outputs == trace.outputs
        self.made[digest] = decode(digest, encode(found))

    @rule(content=contents)
    def count_a_file_of_somebody_else(self, content: bytes) -> None:
        self.outside.write_bytes(content)
        (file,) = self.files.commit([], [str(self.outside)])
        assert file.referenced
        self.truth.setdefault(file.digest, content)
        self.commit_trace(file, 9)

    @rule()
    def another_process_goes_on(self) -> None:
        waiting, self.waiting = self.waiting, [self.index, self.files, self.traces, self.reading]
        if waiting:
            self.index, self.files, self.traces, self.reading = waiting
        else:
            self.open()

    @rule(is_begin=st.booleans())
    def look_at_what_there_is_now(self, is_begin: bool) -> None:
        self.reading.close()
        if is_begin:
            self.reading.enter_context(self.traces.reading())

    @precondition(lambda self: self.made)
    @rule(number=numbers)
    def go_back(self, number: int) -> None:
        trace = self.any_trace(number)
        if trace is None:
            return
        for file in self.stored(trace):
            if self.files.state(file) is FileState.ASIDE:
                try:
                    self.files.restore(file)
                except CacheError:
                    assert self.hidden
                    assert self.files.state(file) is not FileState.ASIDE
                else:
                    assert self.files.state(file) is FileState.PRESENT

    @precondition(lambda self: self.made)
    @rule(number=numbers, name=names)
    def give_a_second_name(self, number: int, name: str) -> None:
        trace = self.any_trace(number)
        for file in self.stored(trace) if trace is not None else ():
            try:
                other = self.files.link(file, str(self.layout.cache / name))
            except CacheError:
                assert self.hidden or self.files.state(file) in (FileState.MISSING, FileState.MODIFIED)
            else:
                self.check(other)

    @precondition(lambda self: self.made)
    @rule(number=numbers)
    def set_aside_what_does_not_fit(self, number: int) -> None:
        trace = self.any_trace(number)
        for file in self.stored(trace) if trace is not None else ():
            if not file.referenced and self.files.read_through(file) is not FileState.PRESENT:
                self.files.set_aside(file.path)
                assert self.files.state(file) in (FileState.MISSING, FileState.ASIDE)

    @rule(
        number=numbers,
        how=st.sampled_from(["delete", "cut", "empty", "flip", "grow", "flip in secret", "touch"]),
    )
    def damage(self, number: int, how: str) -> None:
        candidates = self.damageable()
        if not candidates:
            return
        path = candidates[number % len(candidates)]
        size = path.stat().st_size
        if how == "delete":
            path.unlink()
        elif how == "cut":
            os.truncate(path, size // 2)
        elif how == "empty":
            os.truncate(path, 0)
        elif how == "grow":
            with path.open("ab") as file:
                file.write(b"more")
        elif how == "touch":
            os.utime(path)
        elif size:
            self.flip(path, number % size, in_secret=how == "flip in secret")

    def flip(self, path: Path, place: int, *, in_secret: bool) -> None:
        before = path.stat()
        with path.open("r+b") as file:
            file.seek(place)
            byte = file.read(1)
            file.seek(place)
            file.write(bytes([byte[0] ^ 16]))
        if in_secret:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            self.hidden.add(path)

    @rule(how=st.sampled_from(["delete", "cut", "noise", "nothing"]))
    def reopen(self, how: str) -> None:
        self.close()
        path = self.layout.index_path
        if path.exists():
            if how == "delete":
                path.unlink()
            elif how == "cut":
                os.truncate(path, path.stat().st_size // 2)
            elif how == "noise":
                path.write_bytes(hashlib.sha256(b"noise").digest() * (path.stat().st_size // 32))
        self.open()

    @rule()
    def reopen_after_a_kill(self) -> None:
        # What a killed process leaves: rows that were never committed, and its note that it writes.
        self.index._pending.clear()
        self.index._incomplete = True
        self.close()
        self.open()

    @rule()
    def rebuild(self) -> None:
        whole = {trace.key for trace in self.traces.iter_traces()}
        assert self.traces.rebuild() == len(whole)
        assert all(self.traces.find(key) is not None for key in whole)

    @rule(name=names, content=contents)
    def somebody_writes_over_a_name(self, name: str, content: bytes) -> None:
        path = self.layout.cache / name
        if path.is_dir():
            shutil.rmtree(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def any_trace(self, number: int) -> Trace | None:
        return self.traces.find(sorted(self.made)[number % len(self.made)], stage=STAGE)

    def stored(self, trace: Trace | Result) -> tuple[StoredFile, ...]:
        return trace.outputs[0].artifact.files

    def check(self, file: StoredFile) -> None:
        where = self.files.find_bytes(file)
        if where is None:
            return
        places = {Path(where), *Path(where).rglob("*")}
        # A hard link may share what was damaged in secret under another name.
        inodes = {path.stat().st_ino for path in self.hidden if path.exists()}
        if any(path.stat().st_ino in inodes for path in places):
            truthful = read(Path(where)) == self.truth[file.digest]
            assert (take_facts(where).digest == file.digest) == truthful
            if where == self.files.path_of(file):
                assert (self.files.read_through(file) is FileState.PRESENT) == truthful
        else:
            assert read(Path(where)) == self.truth[file.digest]

    @invariant()
    def what_is_said_to_be_there_is_there(self) -> None:
        for key, made in self.made.items():
            result, trace = self.traces.find_result(key, STAGE), self.traces.find(key, stage=STAGE)
            if result is not None:
                # A manifest that was damaged in secret is believed by its stat facts.
                assert result.outputs == made.outputs
                if self.files.worst(result.outputs[0].artifact.files, result.seen)[0] is FileState.PRESENT:
                    self.check(*self.stored(result))
            if trace is None:
                continue
            assert trace._replace(run=made.run) == made
            for file in self.stored(trace):
                self.check(file)


def test_what_a_store_says_to_be_there_has_the_digested_bytes(tmp_path):
    run_state_machine_as_test(
        lambda: StoreMachine(tmp_path),
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
