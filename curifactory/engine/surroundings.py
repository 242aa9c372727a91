"""What an engine works with: the store, the events, the code that is the project's, and who executes calls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curifactory.core.events import EventStream
from curifactory.engine.hands import Hands
from curifactory.identity.fingerprint import Scope
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.last_uses import LastUses
from curifactory.store.layout import Layout
from curifactory.store.traces import TraceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the engine works with.

    Parameters
    ----------
    layout : Layout
        Where things lie.
    files : ArtifactFiles
        Bytes of artifacts.
    traces : TraceStore
        Manifests and their index.
    last_uses : LastUses
        Which of them earlier runs had.
    events : EventStream
        Where everything is told.
    scope : Scope
        What is the project's own code.
    root : Path
        The project's folder; places in code are shown relative to it.
    fragments : Path or None
        Where reportables are rendered to; None when nothing is written.
    hands : Hands
        Who executes calls.
    """

    layout: Layout
    files: ArtifactFiles
    traces: TraceStore
    last_uses: LastUses
    events: EventStream
    scope: Scope
    root: Path
    fragments: Path | None
    hands: Hands
