"""``Procedure``: a sequence of stages that is applied to one parameter set after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curifactory.core.record import Record
from curifactory.core.stages import StageFunction
from curifactory.errors import NoArtifactManagerError


class Procedure:
    """Stages in an order, applied together.

    Parameters
    ----------
    stages : sequence of stages
        In the order in which they are applied. The first may be an aggregate.
    manager : ArtifactManager, optional
        Used for new records; may also be given to :meth:`run`.
    name : str, optional
        For the reader.
    previous_proc : Procedure, optional
        Its records are what an aggregate at the beginning takes.
    records : list of Record, optional
        What an aggregate at the beginning takes, without a previous procedure.

    Attributes
    ----------
    records : list of Record
        The records that were run so far.
    record : Record or None
        The last of them.

    Examples
    --------
    >>> from curifactory.core.stages import stage
    >>> @stage(outputs=["x"])
    ... def begin(record):
    ...     return 1
    >>> Procedure([begin], name="short").name
    'short'
    """

    def __init__(
        self,
        stages: Sequence[StageFunction],
        manager: Any = None,
        name: str | None = None,
        previous_proc: Procedure | None = None,
        records: Sequence[Record] | None = None,
    ) -> None:
        self.stages = list(stages)
        self.manager = manager
        self.name = name
        self.previous_proc = previous_proc
        self.given_records = records
        self.records: list[Record] = []
        self.record: Record | None = None

    def run(
        self,
        param_set: Any,
        record: Record | None = None,
        hide: bool = False,
        manager: Any = None,
        records: Sequence[Record] | None = None,
    ) -> Record:
        """Apply the stages to a parameter set, or to a record that is there already.

        Parameters
        ----------
        param_set : ExperimentParameters or None
            Parameters of the new record; not used if a record is given.
        record : Record, optional
            The record to go on with.
        hide : bool
            Whether a new record stays out of the manager's list.
        manager : ArtifactManager, optional
            Used for this run if the procedure was made without one.
        records : sequence of Record, optional
            What an aggregate at the beginning takes, this time.

        Returns
        -------
        Record
            The record after the last stage.

        Raises
        ------
        NoArtifactManagerError
            If a record has to be made and there is no manager.
        """
        if record is None:
            used = self.manager if self.manager is not None else manager
            if used is None:
                raise NoArtifactManagerError(
                    f"Procedure {self.name or ''} has no manager to make a record with.".replace("  ", " "),
                    hint="Give one to Procedure(…, manager=manager) or to run(…, manager=manager).",
                )
            record = Record(used, param_set, hide=hide)
        taken = records if records is not None else self._taken_records()
        for position, stage in enumerate(self.stages):
            takes_records = position == 0 and stage.spec.aggregate
            record = stage(record, taken) if takes_records else stage(record)
        self.records.append(record)
        self.record = record
        return record

    def _taken_records(self) -> Sequence[Record] | None:
        return self.previous_proc.records if self.previous_proc is not None else self.given_records
