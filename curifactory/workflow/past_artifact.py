"""An artifact of a past run: what is known of it, where its bytes lie now, and its value when somebody asks for it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curifactory.caching.placement import Placement
from curifactory.core.trace import Artifact, StoredFile
from curifactory.engine.loading import DamagedArtifactError, load_whole, tell_state
from curifactory.engine.saving import fresh_cacher
from curifactory.errors import CacheError, CurifactoryError, MissingEntryError
from curifactory.project.modules import put_first
from curifactory.project.project import Project
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.calls import ArtifactRow, CallRow, OutputRow
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.traces import TraceStore
from curifactory.workflow.past_cacher import PastCachers


@dataclass(frozen=True, slots=True)
class PastStore:
    """What the artifacts of a run are found and loaded with; no file is changed.

    Parameters
    ----------
    project : Project
        Whose stages and classes the values are of.
    layout : Layout
        Where the artifacts lie.
    files : ArtifactFiles
        Knows how their files are.
    traces : TraceStore
        Knows what the calls have made.
    cachers : PastCachers
        Finds the cachers.
    """

    project: Project
    layout: Layout
    files: ArtifactFiles
    traces: TraceStore
    cachers: PastCachers

    @classmethod
    def open(cls, project: Project, cache: Path, facts: Mapping[str, Any]) -> PastStore:
        """Open a cache folder and its bookkeeping for reading.

        Parameters
        ----------
        project : Project
            The project.
        cache : Path
            The cache folder.
        facts : mapping
            What ``run.json`` says.
        """
        layout = Layout(cache)
        index = Index(layout.index_path, read_only=True)
        files = ArtifactFiles(layout, index, trusts=project.settings.trust)
        traces = TraceStore(layout, index, files=files)
        return cls(project, layout, files, traces, PastCachers(project, facts.get("command") or ()))


class PastArtifact:
    """An output of a call that was saved. Nothing is read of it before :meth:`load`.

    Parameters
    ----------
    store : PastStore
        Where its bytes are found.
    call : CallRow
        The call that made it, or that reused it.
    output : OutputRow
        The output.
    row : ArtifactRow
        What was saved.
    experiment : str
        Name of the run's experiment.

    Attributes
    ----------
    name : str
        Name of the output.
    stage : str
        Module-qualified name of the stage.
    type, summary : str
        Of the value: such as ``pandas.DataFrame`` and ``150 × 5``.
    cacher : str
        Name of the cacher's class.
    digest : str
        Identity of the content.
    size_bytes : int
        Length of all files.
    made_in : str or None
        Reference of the run that made it; None for the run that was loaded.
    """

    def __init__(
        self, store: PastStore, call: CallRow, output: OutputRow, row: ArtifactRow, *, experiment: str
    ) -> None:
        self.name = output.name
        self.stage = call.stage
        self.type = output.type
        self.summary = output.summary
        self.cacher = row.cacher
        self.digest = row.digest
        self.size_bytes = row.size_bytes
        self.made_in = output.run
        self._store = store
        self._call = call
        self._row = row
        self._experiment = experiment

    @property
    def paths(self) -> list[Path]:
        """Where the files lie now: under their own names, or aside where those have passed to newer ones.

        Raises
        ------
        CacheError
            If a file is missing or was modified.
        """
        return [Path(path) for path in self._find_bytes(self._stored()).values()]

    @property
    def path(self) -> Path:
        """Where the principal file lies now.

        Raises
        ------
        CacheError
            If a file is missing or was modified.
        """
        return self.paths[0]

    def load(self, cacher: Any = None, *, trust: bool = False) -> Any:
        """Load the value; each time anew.

        The bytes are checked against what the run has written down. The value is read by the cacher of the stage, if
        the stage is to be found, else by the shipped cacher of that name.

        Parameters
        ----------
        cacher : Cacheable, optional
            A cacher, as a class or instance, to load with in place of what is found.
        trust : bool
            Whether a file that can run code is loaded although the store came from elsewhere.

        Returns
        -------
        Any
            The value. Pickles run code that they name: load only runs of your own project.

        Raises
        ------
        CacheError
            If a file is missing or was modified since, no cacher is found, or the cacher cannot read the files.
        UntrustedError
            If it could run code, the store came from elsewhere, and nobody has said that it is to be trusted.
        """
        return self._load(cacher, trust=trust)[0]

    def compare(self, other: PastArtifact) -> tuple[float | None, float]:
        """Load this artifact and another, and let the cacher say how far apart their values are.

        Parameters
        ----------
        other : PastArtifact
            The same output of another run.

        Returns
        -------
        distance : float or None
            As :meth:`curifactory.caching.Cacheable.compare` gives it.
        tolerance : float
            How far apart they may be and count as close.

        Raises
        ------
        CacheError
            If one of them cannot be loaded, or the cacher cannot compare them.
        """
        value, reader = self._load(None)
        again = other.load()
        try:
            return reader.compare(value, again), float(reader.tolerance)
        except Exception as error:
            raise CacheError(
                f"{type(reader).__name__} could not compare '{self.name}' of {self.stage}: {type(error).__name__}: {error}"
            ) from error

    def is_loadable(self) -> bool:
        """Whether its bytes and its cacher are to be found; nothing is read."""
        stored = self._stored()
        try:
            self._find_bytes(stored)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self._store.cachers.find(self.stage, self.name, name=self.cacher, key=stored.cacher_key)
        except (CurifactoryError, UserWarning):
            return False
        return bool(self.cacher)

    def _load(self, cacher: Any, *, trust: bool = False) -> tuple[Any, Any]:
        stored = self._stored()
        self._find_bytes(stored)
        if str(self._store.project.root) not in sys.path:
            # What was pickled names modules of the project.
            put_first(self._store.project.root)

        def place() -> Any:
            places = self._find_bytes(stored)
            reader = self._place(cacher, stored, places)
            if not trust:
                self._store.files.ownership.check(reader, next(iter(places.values())))
            return reader

        def explain(reader: Any, error: BaseException) -> CacheError:
            return CacheError(
                f"{type(reader).__name__} could not load '{self.name}' of {self.stage} from {self.path}: "
                f"{type(error).__name__}: {error}",
                hint="Its classes must be importable, in a notebook defined; or give another cacher: load(cacher=…).",
            )

        try:
            return load_whole(self._store.files, stored.files, place, explain)
        except DamagedArtifactError as error:
            raise self._fault(error.file, error.state) from None

    def _place(self, cacher: Any, stored: Artifact, places: Mapping[str, str]) -> Any:
        if cacher is None:
            reader = self._store.cachers.find(self.stage, self.name, name=self.cacher, key=stored.cacher_key)
        else:
            reader = fresh_cacher(cacher, self.name)
        label = stored.label or self._row.files[0].path.removesuffix(reader.extension)
        placement = Placement(
            label,
            str(self._store.layout.cache),
            project_folder=str(self._store.project.root),
            experiment=self._experiment,
            stage=self._call.name,
            output=self.name,
        )
        placement.redirects.update((path, actual) for path, actual in places.items() if path != actual)
        reader.place(placement)
        reader.extra_metadata = dict(stored.metadata)
        return reader

    def _stored(self) -> Artifact:
        """Return the artifact as its manifest has it; without a manifest, what the run itself has kept."""
        trace = None
        if self._call.key is not None:
            trace = self._store.traces.find(self._call.key, stage=self.stage)
        for output in () if trace is None else trace.outputs:
            artifact = output.artifact
            if output.name == self.name and artifact is not None and artifact.digest == self.digest:
                return artifact
        files = tuple(StoredFile(file.path, file.digest, file.size_bytes) for file in self._row.files)
        return Artifact(self.name, self.cacher, "", self.digest, files, "")

    def _find_bytes(self, stored: Artifact) -> dict[str, str]:
        """Return each file's own path with the path where its bytes lie now."""
        found = {}
        for file in stored.files:
            actual = self._store.files.find_bytes(file)
            if actual is None:
                raise self._fault(file, self._store.files.state(file))
            found[self._store.files.path_of(file)] = actual
        return found

    def _fault(self, file: StoredFile, state: FileState) -> CacheError:
        path = self._store.files.path_of(file)
        return CacheError(
            f"'{self.name}' of {self.stage} cannot be loaded: {path} {tell_state(state)}.",
            hint="Take the file from a copy, run the experiment again, which makes it anew, or say where the cache lies: "
            "load_run(…, cache=…).",
        )

    def __repr__(self) -> str:
        told = ", ".join(filter(None, (self.type, self.summary, self.cacher)))
        return f"<artifact {self.name}: {told}>"

    def _repr_html_(self) -> str:
        from curifactory.reporting.display import display_facts
        from curifactory.reporting.view.quantities import format_size

        try:
            place = str(self.path)
        except CurifactoryError as error:
            place = error.message
        pairs = [
            ("type", self.type),
            ("value", self.summary),
            ("stage", self.stage),
            ("cacher", self.cacher),
            ("size", format_size(self.size_bytes)),
            ("file", place),
            ("made in", self.made_in or ""),
        ]
        return display_facts(self.name, [pair for pair in pairs if pair[1]]).html


class PastArtifacts(Mapping[str, PastArtifact]):
    """The artifacts of a record by name.

    Parameters
    ----------
    found : mapping of str to PastArtifact
        What was saved.
    not_saved : mapping of str to str
        Name of each output that has no file, with the stage that made it.
    """

    def __init__(self, found: Mapping[str, PastArtifact], not_saved: Mapping[str, str]) -> None:
        self._found = dict(found)
        self._not_saved = dict(not_saved)

    def __getitem__(self, name: str) -> PastArtifact:
        try:
            return self._found[name]
        except KeyError:
            raise MissingEntryError(self._explain(name), hint=self._hint()) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: {artifact!r}' for name, artifact in self._found.items())}}}"

    def _explain(self, name: str) -> str:
        stage = self._not_saved.get(name)
        if stage is not None:
            return f"'{name}' was not saved: {stage} has no cacher for it."
        return f"The record has no artifact '{name}'."

    def _hint(self) -> str:
        return f"It has: {', '.join(map(repr, self._found)) or 'none'}."
