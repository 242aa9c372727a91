"""The other end of a run that has many hands: a process that executes calls for the one that has the graph."""

from __future__ import annotations

import contextlib
import importlib
import io
import linecache
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What most projects and their first calls come to: imported before anybody waits for a worker.
import curifactory.caching.json_cacher
import curifactory.caching.pickle_cacher
import curifactory.core.stages  # noqa: F401
from curifactory.core.events import CallEnded, CallStarted, EventStream
from curifactory.core.record import Record
from curifactory.engine.hands import Hands
from curifactory.engine.options import EngineOptions
from curifactory.engine.performing import LackingError, PerformingEngine
from curifactory.engine.shipping import Performed, ShippedCall
from curifactory.engine.surroundings import Surroundings
from curifactory.engine.travel import pack
from curifactory.executors.executor import Failed, Tell, Work
from curifactory.identity.fingerprint import Scope
from curifactory.manager.raised import Raised
from curifactory.project.project import Project
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.index import Index
from curifactory.store.last_uses import LastUses
from curifactory.store.layout import Layout
from curifactory.store.traces import TraceStore

# What a call tells on its way is gathered for so long, so that a training loop does not drown its reader.
_TELL_AFTER_S = 0.2

# How what is printed becomes bytes: at once, whatever it is.
_AS_TEXT: Mapping[str, Any] = {
    "encoding": "utf-8",
    "errors": "backslashreplace",
    "newline": "",
    "line_buffering": False,
    "write_through": True,
}

BEGIN = f"{__name__}:begin"
_MAIN = ("__main__", "__mp_main__")
# Whether work was begun in this process before.
_has_begun: list[bool] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a worker has to know of a run.

    Parameters
    ----------
    project : Project
        With the folders of this run.
    experiment : str
        Whose module is imported as the command does it; empty if there is none.
    options : EngineOptions
        Of the run's engine.
    fragments, stand_in : str or None
        Where reportables go, and where stages write in a run that leaves the cache as it is.
    spill : str
        Where values go that no cacher keeps.
    session : mapping of str to Any
        What a stage may ask the manager for.
    """

    project: Project
    experiment: str
    options: EngineOptions
    fragments: str | None
    stand_in: str | None
    spill: str
    session: Mapping[str, Any]


def begin(initial: bytes) -> Work:
    """Return the work of executing calls of one run.

    Parameters
    ----------
    initial : bytes
        Its pickled :class:`RunFacts`.
    """
    facts: RunFacts = pickle.loads(initial)
    if _has_begun:
        # A cluster's process outlives runs, and what an earlier one has imported is another version, or another project's.
        forget_modules(facts.project.scope_of(facts.experiment))
    _has_begun.append(True)
    if facts.experiment:
        # As the command does it, so that modules have the same names and lie in the same places.
        facts.project.load_experiment(facts.experiment)
        for name in facts.project.parameter_modules:
            importlib.import_module(name)
    return _Worker(facts).work


def forget_modules(scope: Scope) -> None:
    """Forget all modules that a person may edit, so that they are imported as they are now.

    Parameters
    ----------
    scope : Scope
        Says which these are.
    """
    # There may be anything in place of a module, such as None for one that is not to be imported. A folder without an
    # `__init__.py` is looked for through the one above it, so all are found before the first one goes.
    forgotten = [
        name
        for name, module in list(sys.modules.items())
        if name not in _MAIN and scope.contains_module(name, getattr(module, "__dict__", {}))
    ]
    for name in forgotten:
        del sys.modules[name]
    importlib.invalidate_caches()
    linecache.clearcache()


class _Worker:
    def __init__(self, facts: RunFacts) -> None:
        layout = Layout(facts.project.cache_folder)
        index = Index(layout.index_path, read_only=True)
        files = ArtifactFiles(
            layout, index, durable=facts.project.settings.durable, trusts=facts.project.settings.trust
        )
        events = EventStream()
        self._teller = _Teller()
        events.subscribe(self._teller)
        self._session = Session(facts.session)
        self._engine = PerformingEngine(
            facts.options,
            Surroundings(
                layout=layout,
                files=files,
                traces=TraceStore(layout, index, files=files),
                last_uses=LastUses(
                    facts.project.runs_folder, facts.options.experiment, run=facts.options.run
                ),
                events=events,
                scope=facts.project.scope_of(facts.experiment),
                root=facts.project.root,
                fragments=None if facts.fragments is None else Path(facts.fragments),
                hands=Hands(),
            ),
            session=self._session,
            spill_folder=facts.spill,
            stand_in=facts.stand_in,
        )
        self._session.engine = self._engine

    def work(self, payload: bytes, tell: Tell) -> bytes:
        shipped: ShippedCall = pickle.loads(payload)
        teller = self._teller
        try:
            with teller.telling(tell):
                done = self._engine.perform(shipped)
        finally:
            self._session.forget()
            self._engine.graph.calls.clear()
        if done.error is not None:
            raise Failed(_encode(done))
        return _encode(done)


class Session:
    """Stands for the manager of the run: it has what a stage may ask for, and the records that were sent.

    Parameters
    ----------
    facts : mapping of str to Any
        Names, paths and notes of the run.
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self._records: list[Record] | None = None
        self.engine: Any = None

    def take(self, records: list[Record] | None) -> None:
        """Take the records of a call."""
        self._records = records

    def forget(self) -> None:
        """Let go of the records of a call that is over."""
        self._records = None

    @property
    def records(self) -> list[Record]:
        """The records that the manager had when the call was made."""
        if self._records is None:
            raise LackingError(-1)
        return self._records

    def add_record(self, record: Record, *, copied_from: Record | None) -> int:
        """Take a record; its index is given to it afterwards."""
        return record.index

    def hash_of(self, record: Record) -> str:
        """Return the hash that names the record's files."""
        return str(self.engine.hash_of(record))

    def get_reference_name(self) -> str:
        """Return the name of the run."""
        return str(self._facts["reference"])

    def get_artifact_path(
        self,
        obj_name: str,
        record: Record,
        subdir: str | None = None,
        prefix: str | None = None,
        stage_name: str | None = None,
    ) -> str:
        """Return the path in the cache for a file of a record."""
        stage = stage_name or (record.stages[-1] if record.stages else "")
        path: str = self.engine.labels.own_path(
            obj_name, params_hash=record.get_hash(), stage=stage, prefix=prefix, subdir=subdir
        )
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_facts"][name]
        except KeyError:
            raise AttributeError(name) from None


class _Teller:
    """Sends what a call tells on its way: events, and what it prints.

    It prints into the same streams as the calls before it, since what those have set up may hold them, as loggers do.
    """

    def __init__(self) -> None:
        self._tell: Tell | None = None
        self._pid = os.getpid()
        self._events: list[Any] = []
        self._sent_at = 0.0
        self._streams = [self._open_stream(name) for name in ("stdout", "stderr")]

    def __call__(self, event: Any) -> None:
        if self._tell is None or isinstance(event, (CallStarted, CallEnded)):
            return
        self._events.append(event)
        if time.monotonic() - self._sent_at > _TELL_AFTER_S:
            self.flush()

    def flush(self) -> None:
        if self._is_copy():
            return
        self._sent_at = time.monotonic()
        events, self._events = self._events, []
        tell = self._tell
        if events and tell is not None:
            tell(pickle.dumps(("told", events)))

    def say(self, stream: str, text: str) -> None:
        tell = self._tell
        if tell is None or self._is_copy():
            target = sys.__stderr__ if stream == "stderr" else sys.__stdout__
            if target is not None:
                target.write(text)
                target.flush()
            return
        self.flush()
        tell(pickle.dumps(("said", stream, text)))

    def _is_copy(self) -> bool:
        """Whether this is a child that a stage has forked: what it tells would tear what its parent does."""
        return os.getpid() != self._pid

    @contextlib.contextmanager
    def telling(self, tell: Tell) -> Iterator[None]:
        """Let what is told in the block be sent, and what is printed be printed by the process that has the terminal."""
        self._tell, self._sent_at = tell, time.monotonic()
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = [text for text, _ in self._streams]
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            self._streams = list(map(self._settle_stream, self._streams))
            self.flush()
            self._tell = None

    def _open_stream(self, name: str) -> tuple[io.TextIOWrapper, _Said]:
        said = _Said(self, name)
        return io.TextIOWrapper(said, **_AS_TEXT), said

    def _settle_stream(self, stream: tuple[io.TextIOWrapper, _Said]) -> tuple[io.TextIOWrapper, _Said]:
        """Have all said that was printed, and return what the next call prints into, whatever this one has made of it."""
        text, said = stream
        try:
            # It is as it was before, also for a call that has turned it to another encoding; what waits in it is written.
            text.reconfigure(**_AS_TEXT)
        except ValueError:
            # A stage has closed it, or has taken its buffer away.
            stream = self._open_stream(said.name)
        said.flush_all()
        return stream


class _Said(io.BufferedIOBase):
    """What is printed, sent on in whole lines: as text, and under a stream that takes texts."""

    def __init__(self, teller: _Teller, name: str) -> None:
        self._teller = teller
        # By thread: what is printed comes in pieces, and those of two threads make no line. Nor is a lock needed, which a
        # child could find taken for ever that is forked meanwhile.
        self._begun: dict[int, bytearray] = {}
        self.name = name

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        # For programs that a stage starts: they print where the command does.
        return 2 if self.name == "stderr" else 1

    def write(self, content: Any) -> int:
        written = bytes(content)
        begun = self._begun.setdefault(threading.get_ident(), bytearray())
        known = len(begun)
        begun += written
        end = begun.rfind(b"\n", known) + 1
        lines = begun[:end]
        del begun[:end]
        self._say(lines)
        return len(written)

    def flush(self) -> None:
        self._say(self._begun.pop(threading.get_ident(), bytearray()))

    def flush_all(self) -> None:
        while self._begun:
            self._say(self._begun.popitem()[1])

    def _say(self, content: bytearray) -> None:
        if content:
            self._teller.say(self.name, content.decode("utf-8", "replace"))


def _encode(done: Performed) -> bytes:
    """Return what came of a call as bytes."""
    raised: Any = None if done.error is None else Raised(done.error)
    done.error = raised
    return pack(done)
