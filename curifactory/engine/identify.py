"""The key of a call: a digest over its code and the values of everything that it read."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from curifactory.core.outcomes import Verdict
from curifactory.core.record import Record
from curifactory.core.spec import StageSpec, code_of
from curifactory.core.state import Slot
from curifactory.core.trace import Output
from curifactory.engine.graph import Call
from curifactory.engine.holding import is_unchanged
from curifactory.engine.named_code import CODE_NAMES, NamedCode
from curifactory.engine.parameters import ParameterIdentities, ParameterIdentity
from curifactory.engine.run_stage import RunStage
from curifactory.engine.seeding import SEED
from curifactory.errors import UnidentifiableError
from curifactory.identity.canonical import digest
from curifactory.identity.fingerprint import Fingerprint, Scope, Taken, hold_changed_globals, take
from curifactory.parameters.sets import REPEAT

ABSENT = "absent"
IGNORED = "ignored"
_KEY_FORMAT = "2"
# In no identity of an input.
_BESIDE = ", "


class NotYetKnownError(Exception):
    """The identity of a slot depends on a call that has not been settled."""

    def __init__(self, producer: Call) -> None:
        super().__init__(producer.describe())
        self.producer = producer


class Identified(NamedTuple):
    """What a call is if it reads certain paths: their values, its inputs and keywords, and the key that they make."""

    key: str
    reads: dict[str, str]
    inputs: dict[str, str]
    overrides: dict[str, str]


class _Seen:
    """The fingerprint of a stage, and at which look it was last found to hold."""

    __slots__ = ("fingerprint", "is_current", "look", "spec", "surprise")

    def __init__(self, spec: StageSpec, taken: Taken) -> None:
        # Held, so that no other stage gets its id.
        self.spec = spec
        assert taken.result is not None  # noqa: S101 - a function always has a fingerprint
        self.fingerprint = taken.result
        self.is_current = taken.reach.ledger.is_current
        self.surprise = taken.reach.ledger.surprise
        self.look = 0


class Identifier:
    """Gives calls their keys and slots their identities.

    Read paths
    ----------
    ``last`` is what the record's last stage has returned, by the names of its outputs;
    ``params.`` and a path of :mod:`curifactory.parameters.reads` is what was read of the call's parameter set (``params.*``
    all of it); ``state.x`` an entry that was read without being declared, ``names`` which entries there are; ``index`` the record's index; ``known`` how many records the manager had. ``records.…`` is the same of all records of an aggregate, in their order.
    ``files`` stands for names of files that the stage asked for, and so for the experiment and the record's hash;
    ``code.module:Name`` is the code of what was imported by name;
    ``manager.x`` is what the manager says of the run, such as the name of the experiment.
    """

    __slots__ = (
        "_begins",
        "_label_prefix",
        "_look",
        "_parameters",
        "_scope",
        "_stage_ids",
        "_taken",
        "named_code",
        "parameters_of",
    )  # fmt: skip

    def __init__(self, scope: Scope, *, label_prefix: str) -> None:
        self._scope = scope
        #: Gives the identity of a parameter set as it is now.
        self._parameters = ParameterIdentities(scope)
        self.parameters_of = self._parameters.of
        self._label_prefix = label_prefix
        self.named_code = NamedCode(scope)
        self._stage_ids: dict[int, tuple[StageSpec, str]] = {}
        self._look = 0
        self._taken: dict[int, _Seen] = {}
        # How keys of calls of a stage begin: the code, the parts of that begin, their text, whether one of them has a NUL.
        self._begins: dict[RunStage, tuple[str, tuple[str, ...], str, bool]] = {}

    def look_again(self) -> None:
        """Take code for unknown: people's code has been executed since it was looked at, and may have changed it."""
        self._look += 1
        self._parameters.look = self._look
        self.named_code.seen.clear()

    def fingerprint_of(self, spec: StageSpec) -> Fingerprint:
        """Return the fingerprint of a stage's code as it is now, looked at once until :meth:`look_again`."""
        seen = self._taken.get(id(spec))
        if seen is None or seen.look != self._look:
            if seen is None or not seen.is_current():
                taken = take(spec.function, scope=self._scope, depends=spec.depends, version=spec.version)
                seen = self._taken[id(spec)] = _Seen(spec, taken)
            seen.look = self._look
        return seen.fingerprint

    def last_fingerprint_of(self, spec: StageSpec) -> Fingerprint:
        """Return the fingerprint that a stage's code had when it was last looked at."""
        seen = self._taken.get(id(spec))
        return self.fingerprint_of(spec) if seen is None else seen.fingerprint

    def look_after(self, spec: StageSpec) -> str | None:
        """Take code for unknown, and what a stage has done to globals for a memo that does not count: it was just executed.

        Returns
        -------
        str or None
            Why a file that the stage has read when it was executed is not the one that counts.
        """
        seen = self._taken.get(id(spec))
        surprise = None if seen is None else seen.surprise()
        self.look_again()
        if hold_changed_globals(spec.function, scope=self._scope):
            # There is something to tell of it now.
            self._taken.pop(id(spec), None)
        return surprise

    def stage_id_of(self, spec: StageSpec) -> str:
        """Return the module-qualified name of a stage, the same in every process.

        A script's ``__main__`` is called by its file; a stage of a notebook or prompt by its experiment.
        """
        known = self._stage_ids.get(id(spec))
        if known is None:
            module = self._scope.module_name(spec.module, _file_of(spec))
            if module == "__main__":
                module = f"notebook:{self._label_prefix}"
            qualname = spec.stage_id[len(spec.module) + 1 :]
            known = self._stage_ids[id(spec)] = (spec, f"{module}.{qualname}")
        return known[1]

    def code_of(self, call: Call) -> str:
        """Return the digest of the code of a call's stage."""
        code = call.code
        if code is None:
            code = call.code = self.fingerprint_of(call.stage.spec).digest
        return code

    def slot_identity(self, slot: Slot) -> str:
        """Return what makes a slot's value the same value: an artifact's digest, else the call that made it.

        Raises
        ------
        UnidentifiableError
            If a value that was put in by hand has no identity.
        """
        if slot.held is not None and not is_unchanged(slot, _load_again):
            # What a person has been given and then changed is from now on a value put in by hand.
            slot.producer, slot.held = None, None
        producer = slot.producer
        if not isinstance(producer, Call):
            return digest(slot.value, path=f"state['{slot.name}']", scope=self._scope, as_read=True)
        if producer.verdict is not Verdict.REUSE and not producer.settled:
            raise NotYetKnownError(producer)
        outputs = producer.kept_outputs
        if outputs is None:
            outputs = producer.outputs
        artifact = outputs[slot.position].artifact if outputs else None
        if artifact is None:
            return f"call:{self.settled_key(producer)}:{slot.name}"
        _, _, cacher_key, content, _, _, _, _, metadata = artifact
        identity = f"{content}+{cacher_key[:16]}"
        if metadata:
            identity += self._metadata_identity(metadata)
        if len(outputs) > len(producer.stage.outputs):
            # What the outputs may speak of.
            identity += _digest_files(outputs[len(producer.stage.outputs) :])[:32]
        return identity

    def _metadata_identity(self, metadata: Mapping[str, Any]) -> str:
        """Return what stands for the metadata of an artifact in its identity: code that its pickle names, and the rest."""
        names = metadata.get(CODE_NAMES)
        code = self.named_code.identity(names) if names else ""
        if len(metadata) > (names is not None):
            # What loading goes by stands beside the bytes.
            code = _digest_text((code, _metadata_text(metadata)))
        return code[:32]

    def settled_key(self, call: Call) -> str:
        """Return the key of a call that was executed or reused, made now if nobody has asked before."""
        if call.key is None:
            call.key = self.key(call, call.observed)
        return call.key

    def input_identities(self, call: Call) -> dict[str, str]:
        """Return the identity of each declared input; one that is missing is ``absent``.

        How many records an aggregate is given is an input too: ``len(records)`` needs no read that could be noted.
        """
        found = {}
        for name, slot in zip(call.input_names, call.inputs):  # noqa: B905 - asked to look it takes twice as long
            found[name] = ABSENT if slot is None else self.slot_identity(slot)
        if call.stage.spec.aggregate:
            positions = {id(record): position for position, record in enumerate(call.records or ())}
            for name, pairs in call.record_inputs.items():
                rows = [(positions.get(id(record), -1), self.slot_identity(slot)) for record, slot in pairs]
                found[name] = _digest_text(rows)
            _put_beside(found, "records", str(len(call.records or ())))
        repeat = getattr(call.record.params, REPEAT, 0)
        if repeat:
            # A repetition is played anew, whatever its stages read.
            _put_beside(found, REPEAT, str(repeat))
        return found

    def override_identities(self, call: Call) -> dict[str, str]:
        """Return the digest of each keyword that was given to the call."""
        return {name: self._override_identity(call, name, value) for name, value in call.overrides.items()}

    def read_values(self, call: Call, paths: Iterable[str]) -> dict[str, str]:
        """Return what each read path stands for now."""
        found = {}
        identity = None
        for path in paths:
            if not path.startswith("params."):
                found[path] = self._read_value(call, path)
                continue
            if identity is None:
                identity = call.parameters or self.parameters_of(call.record.params)
            found[path] = identity.reads.known.get(path[7:]) or _parameter_value(identity, path[7:])
        return found

    def identify(self, call: Call, read_set: Sequence[str]) -> Identified:
        """Return what the call is if it reads these paths."""
        reads = self.read_values(call, read_set)
        inputs = self.input_identities(call)
        overrides = self.override_identities(call) if call.overrides else {}
        return Identified(self.key_of(call, reads, inputs, overrides), reads, inputs, overrides)

    def key(self, call: Call, read_set: Sequence[str]) -> str:
        """Return the key that the call has if it reads these paths: 64 hex digits."""
        return self.identify(call, read_set).key

    def combined_hash(self, call: Call) -> str:
        """Return the hash that names an aggregate's files: its own parameters and its records, in their order."""
        own = self.parameters_of(call.record.params).whole
        return _digest_text((own, [record.get_hash() for record in call.records or ()]))[:32]

    def momentary_key(self, call: Call) -> str:
        """Return a key of this very execution, for a call that nothing can identify."""
        return _digest_text(
            (call.stage.stage_id, self.code_of(call), os.getpid(), time.time_ns(), call.index)
        )

    def key_of(
        self, call: Call, reads: Mapping[str, str], inputs: Mapping[str, str], overrides: Mapping[str, str]
    ) -> str:
        """Return the key from values that have been taken already."""
        code = call.code or self.code_of(call)
        stage = call.stage
        known = self._begins.get(stage)
        if known is None or known[0] != code:
            begin = (_KEY_FORMAT, stage.stage_id, code, *stage.output_parts)
            known = self._begins[stage] = code, begin, "\0".join((*begin, "")), "\0" in "".join(begin)
        _, begin, text, has_nul = known
        parts: list[str] = []
        for values in (reads, inputs, overrides):
            if not values:
                parts.append("0")
            elif len(values) == 1:
                ((name, value),) = values.items()
                parts += "1", name, value
            else:
                parts.append(str(len(values)))
                for item in sorted(values.items()):
                    parts += item
        text += "\0".join(parts)
        if has_nul or "\0" in "".join(parts):
            # One of them has what stands between them.
            text = ascii([*begin, *parts])
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def _override_identity(self, call: Call, name: str, value: Any) -> str:
        path = f"{call.name}(…, {name})"
        if isinstance(value, Mapping) and any(isinstance(key, Record) for key in value):
            positions = {id(record): position for position, record in enumerate(call.records or ())}
            rows = [
                (
                    positions.get(id(key), -1),
                    key.get_hash() if isinstance(key, Record) else digest(key, path=path, scope=self._scope),
                    digest(item, path=path, scope=self._scope, as_read=True),
                )
                for key, item in value.items()
            ]
            return _digest_text(rows)
        return digest(value, path=path, scope=self._scope, as_read=True)

    def _read_value(self, call: Call, path: str) -> str:
        if path.startswith("records."):
            rows = [self._record_value(call, record, path[8:]) for record in call.records or ()]
            return _digest_text(rows)
        return self._record_value(call, call.record, path)

    def _record_value(self, call: Call, record: Record, path: str) -> str:
        kind, _, rest = path.partition(".")
        if kind == "params":
            identity = call.parameters if record is call.record else None
            return _parameter_value(identity or self.parameters_of(record.params), rest)
        if kind == "state":
            slot = record.state.find_slot(rest, call.number)
            return ABSENT if slot is None else self.slot_identity(slot)
        if kind == "last":
            outputs = call.engine.last_outputs(call, record)
            return _digest_text([slot.name for slot in outputs])
        if kind == "names":
            return _digest_text(list(record.state.slots(call.number)))
        if kind == "index":
            return str(record.get_record_index())
        if kind == SEED:
            return str(call.engine.options.seed)
        if kind == "known":
            return str(call.known_records)
        if kind == "code":
            return self.named_code.identity([rest])
        if kind == "files":
            return _digest_text((self._label_prefix, call.label_hash, call.name))
        if kind == "manager":
            return _digest_text(str(getattr(record.manager, rest, None)))
        raise UnidentifiableError(f"'{path}' is not a path that this version of curifactory knows.")


def _parameter_value(identity: ParameterIdentity, path: str) -> str:
    if path == "*":
        return identity.whole
    if identity.params is None:
        return ABSENT
    return identity.reads.of(path) or IGNORED


def _load_again(slot: Slot) -> Any:
    producer = slot.producer
    assert isinstance(producer, Call)  # noqa: S101 - only calls have artifacts
    return producer.engine.values.load_again(slot)


def find_repetition(inputs: Mapping[str, str]) -> str:
    """Return which repetition it was that had these identities of inputs; ``"0"`` if it was none.

    Examples
    --------
    >>> find_repetition({"repeat_index": "2"}), find_repetition({"x": "9f"})
    ('2', '0')
    """
    found = inputs.get(REPEAT, "").partition(_BESIDE)[0]
    return found if found.isdecimal() else "0"


def _put_beside(found: dict[str, str], name: str, value: str) -> None:
    """Put a number among identities of inputs, beside that of an input of this very name if there is one."""
    found[name] = f"{value}{_BESIDE}{found[name]}" if name in found else value


def _digest_files(own: Sequence[Output]) -> str:
    """Return a digest of the files that a stage wrote by itself."""
    return _digest_text([each.artifact.digest for each in own if each.artifact is not None])


def _metadata_text(metadata: Mapping[str, Any]) -> str:
    kept = {name: item for name, item in metadata.items() if name != CODE_NAMES}
    # As it comes back from the store, where all names are texts: others could not be sorted, or would be in another order.
    return json.dumps(json.loads(json.dumps(kept)), sort_keys=True)


def _file_of(spec: StageSpec) -> str | None:
    """Return the file of a stage of ``__main__``, None if a notebook or a prompt has compiled it."""
    if spec.module not in ("__main__", "__mp_main__"):
        return None
    code = code_of(spec.function)
    if code is None or not os.path.isfile(code.co_filename):
        return None
    # A notebook compiles its cells from files in a temporary folder, which are gone with the kernel.
    return None if "ipykernel" in code.co_filename else str(code.co_filename)


def _digest_text(value: Any) -> str:
    return sha256(repr(value).encode()).hexdigest()
