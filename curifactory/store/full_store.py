"""Full stores: everything that a run stands on, by its manifests, in a folder that is a cache of its own."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from curifactory.core.outcomes import CallOutcome
from curifactory.core.trace import Artifact, Output, StoredFile, Trace
from curifactory.errors import ConfigurationError
from curifactory.store import manifest, moves
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.facts import FACTS_NAME
from curifactory.store.faults import as_cache_errors
from curifactory.store.layout import Layout, safe_name
from curifactory.store.ownership import Ownership
from curifactory.store.run import Run
from curifactory.store.staging import Staging
from curifactory.store.superseded import name_aside
from curifactory.store.traces import TraceStore

ARTIFACTS_NAME = "artifacts"
REFERENCES_NAME = "references"
# In the manifest of an artifact whose cacher says that it is no part of full stores.
NOT_KEPT = "kept"

_OUTSIDE = "outside"
_SETTLED = (CallOutcome.RAN, CallOutcome.REUSED)


@dataclasses.dataclass(frozen=True, slots=True)
class FullStore:
    """What a full store holds.

    Parameters
    ----------
    folder : Path
        Where it lies; its cache folder is ``artifacts`` in it.
    calls : int
        How many calls' manifests are there.
    files : int
        How many files and folders of artifacts are there.
    size_bytes : int
        Their length together.
    missing : tuple of str
        Paths of files that could not be kept since their bytes are nowhere, or are not what was written.
    """

    folder: Path
    calls: int
    files: int
    size_bytes: int
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return for ``run.json`` what is there."""
        return {
            "calls": self.calls,
            "files": self.files,
            "size_bytes": self.size_bytes,
            "missing": list(self.missing),
        }


def find_artifacts(folder: Path) -> Path | None:
    """Return the cache folder of a run's full store, None if the run has none.

    Examples
    --------
    >>> find_artifacts(Path("/nowhere")) is None
    True
    """
    artifacts = folder / ARTIFACTS_NAME
    return artifacts if artifacts.is_dir() and Layout(artifacts).manifests.is_dir() else None


def cache_folder_of(path: Path) -> Path:
    """Return the cache folder that is meant by a path: of a run's folder its full store, else the path itself.

    Parameters
    ----------
    path : Path
        What was written after ``--cache``.

    Raises
    ------
    ConfigurationError
        If it is the folder of a run that has no full store.

    Examples
    --------
    >>> cache_folder_of(Path("/elsewhere/cache")).as_posix()
    '/elsewhere/cache'
    """
    if not (path / FACTS_NAME).is_file():
        return path
    artifacts = find_artifacts(path)
    if artifacts is None:
        raise ConfigurationError(
            f"The run in {path} has no full store, so it cannot be a cache.",
            hint="Run it again with --store-full; then its folder has all artifacts.",
        )
    return artifacts


def write_full_store(
    run: Run,
    folder: Path,
    *,
    files: ArtifactFiles,
    traces: TraceStore,
    root: Path,
    root_from_cache: str | None = None,
) -> FullStore:
    """Keep what a run's calls have made or reused: files of artifacts, what they refer to, reports, manifests.

    Files are linked where the file system can, else copied; of files that somebody may write to in place there are
    always copies. A manifest comes after its files, so that a full store that was cut short is a smaller one, never a
    false one.

    Parameters
    ----------
    run : Run
        The run; its calls say which traces are meant.
    folder : Path
        Where to: ``artifacts``, ``manifests``, ``superseded`` and ``references`` are made in it.
    files : ArtifactFiles
        Where the artifacts lie now.
    traces : TraceStore
        Where the manifests lie now.
    root : Path
        The project's folder; what lies in it is named relative to it.
    root_from_cache : str, optional
        How one comes from ``artifacts`` to the project's folder, if the store is to be used elsewhere.

    Returns
    -------
    FullStore
        What is there now.

    Raises
    ------
    CacheError
        If it cannot be written: disk full, no permission.
    """
    writer = _Writer(folder, files, root, root_from_cache)
    calls = 0
    with as_cache_errors("write the full store"):
        os.makedirs(folder / ARTIFACTS_NAME, exist_ok=True)
        if files.ownership.is_ours:
            Ownership(folder / ARTIFACTS_NAME).claim()
        try:
            for trace in _iter_traces(run, traces):
                writer.put(trace, traces)
                calls += 1
        finally:
            writer.close()
    return FullStore(folder, calls, writer.count, writer.size_bytes, tuple(writer.missing))


def _iter_traces(run: Run, traces: TraceStore) -> Iterator[Trace]:
    seen = set()
    for call in run.calls:
        if call.key is None or call.outcome not in _SETTLED or (call.stage, call.key) in seen:
            continue
        seen.add((call.stage, call.key))
        trace = traces.find(call.key, stage=call.stage)
        if trace is not None:
            yield trace


class _Writer:
    def __init__(self, folder: Path, files: ArtifactFiles, root: Path, root_from_cache: str | None) -> None:
        self._folder = str(folder)
        self._artifacts = str(folder / ARTIFACTS_NAME)
        self._files = files
        self._root = str(root)
        self._root_from_cache = root_from_cache or os.path.relpath(root, self._artifacts)
        self._staging = Staging(str(folder / "staging"))
        self._held: dict[str, str] = {}
        self.missing: list[str] = []
        self.count = 0
        self.size_bytes = 0

    def put(self, trace: Trace, traces: TraceStore) -> None:
        """Keep a trace: its files, its report, the parts of its code, and last its manifest."""
        kept = trace._replace(outputs=tuple(self._put_output(each) for each in trace.outputs))
        source = traces.manifest_path(trace)
        stage_folder = f"{self._folder}/manifests/{os.path.basename(os.path.dirname(source))}"
        os.makedirs(stage_folder, exist_ok=True)
        report = traces.report_folder(trace.stage, trace.key)
        if report is not None:
            self._link(report, f"{stage_folder}/{trace.key}.report")
        parts = f"{os.path.dirname(source)}/code-{safe_name(trace.code)}.json"
        if os.path.isfile(parts):
            self._link(parts, f"{stage_folder}/{os.path.basename(parts)}")
        target = f"{stage_folder}/{trace.key}.json"
        if kept == trace:
            self._link(source, target)
        else:
            self._write(target, manifest.encode(kept))

    def close(self) -> None:
        self._staging.close()
        moves.remove(f"{self._folder}/staging")

    def _put_output(self, output: Output) -> Output:
        artifact = output.artifact
        if artifact is None or artifact.metadata.get(NOT_KEPT) is False:
            return output
        label = artifact.label
        if _is_outside(label):
            label = self._inside(label)
        # A folder before what lies in it.
        order = sorted(artifact.files, key=lambda file: file.path)
        stored = {id(file): self._put_file(file, artifact, label) for file in order}
        files = tuple(stored[id(file)] for file in artifact.files)
        if files == artifact.files and label == artifact.label:
            return output
        return output._replace(artifact=artifact._replace(files=files, label=label))

    def _put_file(self, file: StoredFile, artifact: Artifact, label: str) -> StoredFile:
        if file.referenced:
            return self._put_reference(file)
        source = self._files.find_bytes(file)
        path = file.path
        if _is_outside(path):
            below = path.startswith(artifact.label)
            path = label + path[len(artifact.label) :] if below else self._inside(path)
        if source is None:
            self._miss(file)
        else:
            self._keep(source, path, file)
        return file._replace(path=path)

    def _put_reference(self, file: StoredFile) -> StoredFile:
        """Keep a copy of what belongs to somebody else; outside of the cache it goes on being looked for where it was."""
        source = self._files.path_of(file)
        if self._files.state(file) is not FileState.PRESENT:
            self._miss(file)
            return file
        if not _is_outside(file.path):
            self._keep(source, file.path, file)
            return file
        in_project = source.startswith(f"{self._root}/")
        name = os.path.relpath(source, self._root) if in_project else f"absolute/{source.lstrip('/')}"
        target = f"{self._folder}/{REFERENCES_NAME}/{name}"
        if not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            moves.copy(source, target)
            self._add(file)
        path = f"{self._root_from_cache}/{name}" if in_project else source
        return file._replace(path=path)

    def _keep(self, source: str, path: str, file: StoredFile) -> None:
        if self._held.get(path) == file.digest:
            return
        target = f"{self._artifacts}/{path}"
        if path in self._held:
            # The name has passed on during this run's life: these bytes lie aside, as they would in the cache.
            target = f"{self._folder}/superseded/{name_aside(file.digest, path)}"
        else:
            self._held[path] = file.digest
        if os.path.lexists(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if file.referenced:
            moves.copy(source, target)
        else:
            self._link(source, target)
        self._add(file)

    def _link(self, source: str, target: str) -> None:
        if os.path.lexists(target):
            return
        scratch = self._staging.new()
        try:
            moves.link(source, target, scratch=scratch)
        finally:
            self._staging.discard(scratch)

    def _write(self, target: str, data: bytes) -> None:
        scratch = self._staging.new()
        made = f"{scratch}/manifest"
        with open(made, "wb") as file:
            file.write(data)
        os.replace(made, target)
        self._staging.discard(scratch)

    def _inside(self, path: str) -> str:
        """Return the path in the store for what lies outside of the cache, so that the store is whole by itself."""
        absolute = self._files.layout.absolute(path)
        if absolute.startswith(f"{self._root}/"):
            return f"{_OUTSIDE}/{os.path.relpath(absolute, self._root)}"
        return f"{_OUTSIDE}/absolute/{absolute.lstrip('/')}"

    def _miss(self, file: StoredFile) -> None:
        if file.path not in self.missing:
            self.missing.append(file.path)

    def _add(self, file: StoredFile) -> None:
        self.count += 1
        self.size_bytes += file.size_bytes


def _is_outside(path: str) -> bool:
    return path.startswith(("/", "../"))
