"""``Record``: the state of one parameter set while it flows through stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol

from curifactory.core.metric_types import normal_type
from curifactory.core.spec import StageSpec
from curifactory.core.state import Slot, State
from curifactory.errors import DefinitionError, NoArtifactManagerError


def find_set_name(record_name: str) -> str | None:
    """Return the name of the parameter set in the name of a record, None if it has none.

    Parameters
    ----------
    record_name : str
        From :meth:`Record.get_reference_name`.

    Examples
    --------
    >>> find_set_name("Record 0 (simple_lr)"), find_set_name("Record -1 (a (2))"), find_set_name("Record 3")
    ('simple_lr', 'a (2)', None)
    """
    _, found, rest = record_name.partition(" (")
    return rest.removesuffix(")") if found else None


class Session(Protocol):
    """What a record asks of the manager that it belongs to."""

    def add_record(self, record: Record, *, copied_from: Record | None) -> int:
        """Take a record into the run and return its index."""
        ...

    def call_stage(
        self, spec: StageSpec, record: Record, records: Sequence[Record] | None, overrides: Mapping[str, Any]
    ) -> None:
        """Apply a stage to a record."""
        ...

    def hash_of(self, record: Record) -> str:
        """Return the hash that names the record's files."""
        ...

    def path_of(self, record: Record, name: str, **options: Any) -> str:
        """Return a path in the cache for a file of the record."""
        ...

    def report(self, record: Record, reportable: Any) -> None:
        """Take a reportable into the run."""
        ...

    def log_metrics(
        self, record: Record, type: str, values: Mapping[str, Any], *, step: int | None, epoch: int | None
    ) -> None:
        """Take metrics into the run."""
        ...

    def show_record(self, record: Record) -> str | None:
        """Return a record as HTML for a notebook, None where nothing can draw it."""
        ...


class Record:
    """The state of one parameter set in a run; stages take it and give it back.

    Parameters
    ----------
    manager : ArtifactManager
        The session that the record belongs to.
    param_set : ExperimentParameters or None
        The parameters; None for a record that only compares others.
    hide : bool
        Whether the record stays out of the manager's list (and so out of what aggregates take by default).

    Attributes
    ----------
    state : State
        What stages have made so far, by name.
    params : ExperimentParameters or None
        The parameter set.
    stages : list of str
        Names of the stages that were called, in order.
    input_records : list of Record
        What an aggregate was given, or the source of a copy.
    output_slots : tuple of Slot
        What ``output`` gives the values of.

    Raises
    ------
    NoArtifactManagerError
        If the manager is None.

    Examples
    --------
    >>> Record(None, None)
    Traceback (most recent call last):
    curifactory.errors.NoArtifactManagerError: A record needs an ArtifactManager. Write cf.Record(manager, params).
    """

    def __init__(
        self, manager: Any, param_set: Any, hide: bool = False, *, copied_from: Record | None = None
    ) -> None:
        if not hasattr(manager, "add_record"):
            given = "" if manager is None else f", and was given {type(manager).__name__} in its place"
            raise NoArtifactManagerError(
                f"A record needs an ArtifactManager{given}.", hint="Write cf.Record(manager, params)."
            )
        self.manager = manager
        self.params = param_set
        self.state = State()
        self.stages: list[str] = []
        self.input_records: list[Record] = []
        self.is_aggregate = False
        self.combo_hash: str | None = None
        self.hidden = hide
        self.index = -1
        self.output_slots: tuple[Slot, ...] = ()
        self.index = manager.add_record(self, copied_from=copied_from)

    @property
    def output(self) -> Any:
        """What the last stage returned: the value, a tuple of several, or ``[]`` of a stage without outputs."""
        values = tuple(self.state.read_slot(slot) for slot in self.output_slots)
        if not values:
            return []
        return values[0] if len(values) == 1 else values

    @property
    def stage_cachers(self) -> list[Any] | None:
        """The placed cachers of the outputs while a stage is being executed; None outside."""
        return None

    def get_hash(self) -> str:
        """Return the hash that stands in the names of the record's files, ``"None"`` without parameters."""
        hash_text: str = self.manager.hash_of(self)
        return hash_text

    def get_record_index(self) -> int:
        """Return the index of the record in its manager, -1 if it is hidden."""
        return -1 if self.hidden else self.index

    def get_reference_name(self) -> str:
        """Return the name by which messages and reports speak of the record, such as ``Record 0 (simple_lr)``."""
        index = -1 if self.hidden else self.index
        return f"Record {index}" if self.params is None else f"Record {index} ({self.params.name})"

    def get_path(
        self,
        obj_name: str,
        subdir: str | None = None,
        prefix: str | None = None,
        stage_name: str | None = None,
        track: bool = True,
    ) -> str:
        """Return a path in the cache for a file that people write themselves.

        Parameters
        ----------
        obj_name : str
            Name of the file; its extension is kept.
        subdir : str, optional
            Folder below the cache folder.
        prefix : str, optional
            Stands in place of the experiment's name.
        stage_name : str, optional
            Stands in place of the stage's name.
        track : bool
            Whether the file belongs to a full store of the run.
        """
        path: str = self.manager.path_of(
            self, obj_name, subdir=subdir, prefix=prefix, stage_name=stage_name, track=track, folder=False
        )
        return path

    def get_dir(
        self,
        dir_name_suffix: str,
        subdir: str | None = None,
        prefix: str | None = None,
        stage_name: str | None = None,
        track: bool = True,
    ) -> str:
        """Return a folder in the cache for files that people write themselves; it exists when this returns.

        Parameters
        ----------
        dir_name_suffix : str
            Last part of the folder's name.
        subdir, prefix, stage_name, track
            As in :meth:`get_path`.
        """
        path: str = self.manager.path_of(
            self,
            dir_name_suffix,
            subdir=subdir,
            prefix=prefix,
            stage_name=stage_name,
            track=track,
            folder=True,
        )
        return path

    def checkpoint_dir(self) -> str:
        """Return a folder in which a long stage can put down how far it is, for the case that it is interrupted.

        The folder belongs to this call: the stage, its code, its inputs and all of its parameters. It is kept while the call
        is not finished, however it was ended, so that the same call finds there what it has left; it is removed when the
        call's result is saved. Only inside a stage.

        Returns
        -------
        str
            Absolute path; the folder exists.

        Raises
        ------
        DefinitionError
            Outside of a stage.
        """
        raise DefinitionError(
            "record.checkpoint_dir() belongs to the execution of a stage.",
            hint="Call it inside a stage, on the record of its first argument.",
        )

    def report(self, reportable: Any) -> None:
        """Show something in the run's report.

        Parameters
        ----------
        reportable : Reportable
            A figure, table, text, … from :mod:`curifactory.reporting`. It is rendered now.
        """
        self.manager.report(self, reportable)

    def log(
        self,
        type: str | Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        step: int | None = None,
        epoch: int | None = None,
    ) -> None:
        """Log metrics: ``log({"loss": 0.3}, step=10)`` or ``log("train", {"loss": 0.3}, step=10, epoch=1)``.

        Parameters
        ----------
        type : str or mapping
            What the metrics belong to, or the metrics themselves. Any word will do; ``training``, ``validate``,
            ``validation``, ``testing``, ``eval``, ``evaluate`` and ``evaluation`` mean ``train``, ``val`` and ``test``.
        metrics : mapping of str to float
            Names and values; what ``float()`` takes.
        step, epoch : int, optional
            When in the training.

        Raises
        ------
        DefinitionError
            If a name is no text, a value no number, or a step or an epoch no whole number.
        """
        kind, values = read_logging(type, metrics)
        self.manager.log_metrics(self, kind, values, step=step, epoch=epoch)

    def make_copy(self, param_set: Any = None, add_to_manager: bool = True) -> Record:
        """Return a new record with the same state, for example to go on with other parameters.

        Slots are shared, values are not copied; what happens to one record afterwards does not touch the other.

        Parameters
        ----------
        param_set : ExperimentParameters, optional
            Parameters of the copy; None keeps those of this record.
        add_to_manager : bool
            Whether the copy is among the manager's records.
        """
        params = self.params if param_set is None else param_set
        copied = Record(self.manager, params, hide=not add_to_manager, copied_from=self)
        copied.state.copy_bindings(self.state)
        copied.input_records = [self]
        copied.combo_hash = self.combo_hash if param_set is None else None
        copied.is_aggregate = self.is_aggregate
        return copied

    def __repr__(self) -> str:
        return f"<{self.get_reference_name()}: {', '.join(self.state) or 'empty state'}>"

    def _repr_html_(self) -> str | None:
        shown: str | None = self.manager.show_record(self)
        return shown

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise DefinitionError(
            "A record cannot be pickled or copied: it belongs to a running session.",
            hint="Keep what you need of it, such as record.params.name.",
        )


def read_logging(type: Any, metrics: Any) -> tuple[str, Mapping[str, Any]]:
    """Tell the type of metrics from the metrics, in both ways in which ``Record.log`` takes them.

    Raises
    ------
    DefinitionError
        If there are no metrics, or they are no mapping.

    Examples
    --------
    >>> read_logging({"loss": 0.3}, None), read_logging("training", {"loss": 0.3})
    (('', {'loss': 0.3}), ('train', {'loss': 0.3}))
    """
    if isinstance(type, str):
        kind, values = normal_type(type), metrics
    else:
        kind, values = "", type
        if metrics is not None:
            raise DefinitionError(
                f"record.log got {type!r} as the type of metrics.",
                hint='Write record.log("train", {"loss": 0.3}).',
            )
    # A training loop gives dictionaries, and asking an abstract class takes longer than all the rest of this.
    if values.__class__ is not dict and not isinstance(values, Mapping):
        raise DefinitionError(
            f"record.log got {values!r} as metrics.", hint="Write record.log({'accuracy': 0.9}, step=1)."
        )
    return kind, values
