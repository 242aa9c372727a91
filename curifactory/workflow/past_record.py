"""A record of a past run: its parameters, its artifacts, what it logged and reported."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curifactory.core.nearest import suggest
from curifactory.core.outcomes import CallOutcome
from curifactory.errors import ConfigurationError, MissingEntryError
from curifactory.parameters.lossless import load_set
from curifactory.project.modules import put_first
from curifactory.project.project import Project
from curifactory.store.calls import CallRow, OutputRow
from curifactory.store.rows import ParameterRow, RecordRow, ReportableRow
from curifactory.store.run import Run
from curifactory.workflow.past_artifact import PastArtifact, PastArtifacts, PastStore

_SETTLED = (CallOutcome.RAN, CallOutcome.REUSED)


class PastReportable:
    """Something that a run has reported; a notebook shows it.

    Attributes
    ----------
    name, kind : str
        Its name, and what it is: ``figure``, ``table``, …
    group, caption, stage : str or None
        As given; the stage that reported it.
    data : Any
        JSON values.
    paths : list of Path
        Its files.
    """

    def __init__(self, run: Run, row: ReportableRow) -> None:
        fragment = row.fragment
        self.name = fragment.name
        self.kind = fragment.kind
        self.group = fragment.group
        self.caption = fragment.caption
        self.stage = row.stage
        self.record = row.record
        self.data = fragment.data
        self.paths = [run.fragments_folder / row.folder / file for file in fragment.files]
        self._run = run
        self._row = row

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"

    def _repr_html_(self) -> str:
        from curifactory.reporting.display import display_row

        return display_row(self._run, self._row).html


class PastRecord:
    """A record as a run has left it.

    Parameters
    ----------
    run : Run
        The run.
    row : RecordRow
        What the run has kept of the record itself.
    store : PastStore
        Where artifacts are loaded from.
    parameters : PastParameters
        The parameter sets of the run.

    Attributes
    ----------
    index : int
        Number of the record.
    name : str
        Its reference name, such as ``Record 0 (simple_lr)``.
    params_name : str or None
        Name of its parameter set.
    params_hash : str
        Hash of its parameter set.
    """

    def __init__(self, run: Run, row: RecordRow, store: PastStore, parameters: PastParameters) -> None:
        self.index = row.index
        self.name = row.name
        self.params_name = row.params_name
        self.params_hash = row.params_hash
        self._run = run
        self._row = row
        self._store = store
        self._parameters = parameters

    @property
    def params(self) -> Any:
        """The parameter set, built again; None of a record without parameters.

        Raises
        ------
        ConfigurationError
            If it cannot be built again, for example because its class is gone.
        """
        row = self._parameters.find_row(self._row)
        return None if row is None else self._parameters.rebuild(row)

    @property
    def shown_params(self) -> Any:
        """The parameters as a readable tree, for which no class is needed; None of a record without parameters."""
        row = self._parameters.find_row(self._row)
        return None if row is None else row.shown

    @property
    def artifacts(self) -> PastArtifacts:
        """What its calls have saved, by name; of a copy also what they took from the record it is a copy of."""
        found: dict[str, PastArtifact] = {}
        not_saved: dict[str, str] = {}
        for call, output in self._outputs():
            if output.artifact is None:
                not_saved[output.name] = call.name
                found.pop(output.name, None)
            else:
                found[output.name] = PastArtifact(
                    self._store, call, output, output.artifact, experiment=self._run.experiment
                )
                not_saved.pop(output.name, None)
        return PastArtifacts(found, not_saved)

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric; of one with a type, under ``type/name``."""
        return {
            f"{series.type}/{series.name}" if series.type else series.name: series.last
            for series in self._run.metrics
            if series.record == self.index
        }

    @property
    def reportables(self) -> list[PastReportable]:
        """What was reported for it."""
        return [PastReportable(self._run, row) for row in self._run.reportables if row.record == self.index]

    @property
    def calls(self) -> list[CallRow]:
        """Its calls."""
        return [call for call in self._run.calls if call.record == self.index]

    def _outputs(self) -> Iterator[tuple[CallRow, OutputRow]]:
        by_index = {call.index: call for call in self._run.calls}
        own = [call for call in self._run.calls if call.record == self.index and call.outcome in _SETTLED]
        for call in own if self._row.copied_from is not None else ():
            # Exactly what the copy was seen to take; which other entries it had nobody has written down.
            for taken in () if call.is_aggregate else call.inputs:
                maker = None if taken.call is None else by_index.get(taken.call)
                if maker is not None and maker.record != self.index:
                    yield from ((maker, output) for output in maker.outputs if output.name == taken.name)
        for call in own:
            yield from ((call, output) for output in call.outputs)

    def __repr__(self) -> str:
        return f"<{self.name}: {', '.join(self.artifacts) or 'no artifacts'}>"

    def _repr_html_(self) -> str:
        from curifactory.reporting.display import display_past_record

        return display_past_record(self._run, self._row, parameters=self.shown_params).html


class PastParameters(Mapping[str, Any]):
    """The parameter sets of a run by name, each built again when it is asked for.

    Of several sets with one name, as a notebook may have them, the latest goes by it; each is there by its hash.

    Parameters
    ----------
    rows : sequence of ParameterRow
        What the run has kept.
    project : Project
        Whose classes the sets are of.
    """

    def __init__(self, rows: Sequence[ParameterRow], project: Project) -> None:
        self._rows = {row.name: row for row in rows}
        self._by_hash = {row.hash: row for row in rows}
        self._project = project

    def find_row(self, record: RecordRow) -> ParameterRow | None:
        """Return what is kept of a record's set, None of a record without parameters."""
        if record.params_name is None:
            return None
        return self._by_hash.get(record.params_hash) or self._rows.get(record.params_name)

    def rebuild(self, row: ParameterRow) -> Any:
        """Build a set again.

        Raises
        ------
        ConfigurationError
            With everything that is missing.
        """
        if str(self._project.root) not in sys.path:
            put_first(self._project.root)
        try:
            return load_set(row.value)
        except ConfigurationError as error:
            error.hint = f"{error.hint or ''} What it held can be read without: record.shown_params.".strip()
            raise

    def __getitem__(self, name: str) -> Any:
        row = self._rows.get(name) or self._by_hash.get(name)
        if row is None:
            raise MissingEntryError(
                f"The run has no parameter set '{name}'.",
                hint=suggest(name, list(self), nothing="It has none."),
            )
        return self.rebuild(row)

    def __contains__(self, name: object) -> bool:
        return name in self._rows or name in self._by_hash

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<parameter sets: {', '.join(self._rows) or 'none'}>"
