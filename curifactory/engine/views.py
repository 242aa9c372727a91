"""What a stage is given: views of its record, of other records and of the manager, which note what is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curifactory.core.record import Record, read_logging
from curifactory.core.spec import StageSpec
from curifactory.core.state import Slot, State
from curifactory.errors import DefinitionError

if TYPE_CHECKING:
    from curifactory.engine.activity import Activity


class StateView(State):
    """The state of a record as one call sees it: what was bound before the call was made, and what it binds itself."""

    __slots__ = ("_activity", "_path", "_record")

    def __init__(self, record: Record, activity: Activity, path: str) -> None:
        self._bindings = record.state.bindings
        self.resolve = record.state.resolve
        self._record = record
        self._activity = activity
        self._path = path

    def find_slot(self, name: str, before: int | None = None) -> Slot | None:
        """Return the slot that the call sees, and note that it was looked for."""
        own = self._activity.bound.get((id(self._record), name))
        if own is not None:
            return own
        self._activity.note(f"{self._path}.{name}")
        return super().find_slot(name, self._activity.call.number if before is None else before)

    def slots(self, before: int | None = None) -> dict[str, Slot]:
        """Return all entries that the call sees, and note that it was asked which there are."""
        self._activity.note(self._path.replace("state", "names"))
        found = self._record.state.slots(self._activity.call.number if before is None else before)
        own = {
            name: slot for (record, name), slot in self._activity.bound.items() if record == id(self._record)
        }
        return found | own

    def bind(self, name: str, slot: Slot | None) -> None:
        """Bind a name for the rest of the run, which makes the call one that cannot be reused."""
        self._record.state.bind(name, slot)
        if slot is not None:
            self._activity.bound[(id(self._record), name)] = slot
        self._activity.binds(name)

    def read_slot(self, slot: Slot) -> Any:
        """Return the value as stages get it."""
        if slot.lazy and not (self.resolve and slot.resolve):
            return super().read_slot(slot)
        return self._activity.value_of(slot)


class RecordView(Record):
    """A record as a stage sees it. It equals the record and stands for it as a key of dictionaries."""

    def __init__(self, record: Record, activity: Activity, *, own: bool) -> None:
        # No super().__init__: a view is no second record of the manager.
        self._record = record
        self._activity = activity
        self._own = own

    @property
    def params(self) -> Any:
        """The parameter set."""
        return self._activity.parameters_of(self._record)

    @property
    def state(self) -> StateView:  # type: ignore[override]
        """The state as it was when the call was made."""
        view = self.__dict__.get("_state")
        if view is None:
            view = self.__dict__["_state"] = StateView(
                self._record, self._activity, "state" if self._own else "records.state"
            )
        return view

    @property
    def manager(self) -> ManagerView:
        """The narrow view of the manager."""
        return ManagerView(self._record.manager, self._activity)

    @property
    def stage_cachers(self) -> list[Any] | None:
        """The placed cachers of the outputs, in their order."""
        return self._activity.cachers() if self._own else None

    @property
    def output(self) -> Any:
        """What the stage before returned."""
        names = [slot.name for slot in self._activity.note_last(self._record)]
        values = tuple(self.state[name] for name in names if name in self.state)
        return [] if not values else values[0] if len(values) == 1 else values

    def get_hash(self) -> str:
        """Return the hash in the record's file names; counts as reading the whole set."""
        self._activity.note_files()
        return self._record.get_hash()

    def get_reference_name(self) -> str:
        """Return the record's name; counts as reading it."""
        prefix = "" if self._own else "records."
        self._activity.note(f"{prefix}params.name")
        self._activity.note(f"{prefix}index")
        return self._record.get_reference_name()

    def get_path(self, obj_name: str, *args: Any, **options: Any) -> str:
        """Return the final path of a file that the stage writes itself."""
        names = ("subdir", "prefix", "stage_name", "track")
        return self._activity.path_of(
            obj_name, folder=False, **dict(zip(names, args, strict=False)), **options
        )

    def get_dir(self, dir_name_suffix: str, *args: Any, **options: Any) -> str:
        """Return the final path of a folder that the stage fills itself."""
        names = ("subdir", "prefix", "stage_name", "track")
        return self._activity.path_of(
            dir_name_suffix, folder=True, **dict(zip(names, args, strict=False)), **options
        )

    def checkpoint_dir(self) -> str:
        """Return the folder from which an interrupted execution of this call goes on."""
        return self._activity.checkpoint_folder()

    def report(self, reportable: Any) -> None:
        """Show something in the report, as reported by this call."""
        self._activity.telling.report(self._record, reportable)

    def log(
        self,
        type: str | Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        step: int | None = None,
        epoch: int | None = None,
    ) -> None:
        """Log metrics, as logged by this call."""
        # A training loop comes here at each of its steps: the usual way takes no turn.
        kind, values = (
            ("", type) if type.__class__ is dict and metrics is None else read_logging(type, metrics)
        )
        self._activity.telling.log(self._record, kind, values, step=step, epoch=epoch)

    def make_copy(self, param_set: Any = None, add_to_manager: bool = True) -> Record:
        """Refuse: records are made in ``run()``."""
        raise DefinitionError(
            f"Stage '{self._activity.call.name}' copies a record while it is being executed.",
            hint="Make records in run(), and hand them to stages.",
        )

    @property
    def index(self) -> int:  # type: ignore[override]
        """The record's index in its manager."""
        self._activity.note("index" if self._own else "records.index")
        return self._record.index

    @property
    def hidden(self) -> bool:  # type: ignore[override]
        """Whether the record is not among the manager's."""
        self._activity.note("index" if self._own else "records.index")
        return self._record.hidden

    @property
    def is_aggregate(self) -> bool:  # type: ignore[override]
        """Whether the record has been given to an aggregate as its own; of the one that is executed its code says so."""
        if not (self._own and self._activity.call.spec.aggregate):
            self._activity.cannot_be_reused(_reads_the_past(self._record, "is_aggregate"))
        return self._record.is_aggregate

    @property
    def input_records(self) -> list[Record]:  # type: ignore[override]
        """Views of the records that an aggregate was given, or of the one that this record is a copy of."""
        call = self._activity.call
        if self._own and call.spec.aggregate:
            return [self._activity.view_of(record) for record in call.records or ()]
        self._activity.cannot_be_reused(_reads_the_past(self._record, "input_records"))
        return [self._activity.view_of(record) for record in self._record.input_records]

    @property
    def stages(self) -> list[str]:  # type: ignore[override]
        """Names of the stages that were called on the record before this one."""
        self._activity.cannot_be_reused(_reads_the_past(self._record, "stages"))
        return list(self._record.stages)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_record"], name)
        if name not in ("combo_hash", "output_slots"):
            self._activity.cannot_be_reused(_reads_the_past(self._record, name))
        elif name == "combo_hash":
            self._activity.note_files()
        return value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RecordView):
            other = other._record
        return self._record is other

    def __hash__(self) -> int:
        return hash(self._record)


def _reads_the_past(record: Record, name: str) -> str:
    return f"it reads .{name} of {record.get_reference_name()}, which no trace can hold"


class ManagerView:
    """The manager as a stage sees it: names, paths and records; nothing that would change the run."""

    # What is told of a run before it starts counts by its value; what each run has of its own nobody could reuse.
    _BY_VALUE = frozenset({"cache_path", "experiment_name", "notes", "prefix", "reports_path", "runs_path"})
    _OF_THE_RUN = frozenset({"experiment_run_number", "get_reference_name", "reference", "run_folder"})
    _NAMING = frozenset({"get_artifact_path", "get_artifact_filename"})

    def __init__(self, manager: Any, activity: Activity) -> None:
        self._manager = manager
        self._activity = activity

    @property
    def records(self) -> list[Record]:
        """Views of the records that the manager had when the call was made; that there are no more counts as read."""
        self._activity.note("known")
        self._activity.note("index")
        known = self._manager.records[: self._activity.call.known_records]
        return [self._activity.view_of(record) for record in known]

    def add_record(self, record: Record, *, copied_from: Record | None) -> int:
        """Refuse: records are made in ``run()``."""
        raise DefinitionError(
            f"Stage '{self._activity.call.name}' makes a record while it is being executed.",
            hint="Make records in run(), and hand them to stages.",
        )

    def call_stage(
        self, spec: StageSpec, record: Record, records: Sequence[Record] | None, overrides: Mapping[str, Any]
    ) -> None:
        """Execute a stage inside a stage, at once and as a part of it."""
        self._activity.call_nested(spec, record, records, overrides)

    def log_metrics(
        self, record: Record, type: str, values: Mapping[str, Any], *, step: int | None, epoch: int | None
    ) -> None:
        """Log metrics as logged by this call."""
        # Logging is no reading: the record itself knows its index without a note.
        own = getattr(record, "_record", record)
        self._activity.telling.log(own, type, values, step=step, epoch=epoch)

    def show_record(self, record: Record) -> None:
        """Draw nothing: what a notebook shows of a record would be read past the trace."""

    def __getattr__(self, name: str) -> Any:
        if name in self._BY_VALUE:
            self._activity.note(f"manager.{name}")
        elif name in self._OF_THE_RUN:
            self._activity.cannot_be_reused(f"it reads manager.{name}, which is another in every run")
        elif name in self._NAMING:
            self._activity.note_files()
        else:
            known = self._BY_VALUE | self._OF_THE_RUN | self._NAMING | {"records"}
            raise AttributeError(
                f"A stage cannot use manager.{name}: it would read what no trace can see. "
                f"It has: {', '.join(sorted(known))}."
            )
        return getattr(self._manager, name)
