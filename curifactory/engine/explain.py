"""Why a call has to run: what differs from the last trace of the same stage and record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import Trace
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identified, Identifier, find_repetition
from curifactory.engine.named_code import CODE_NAMES
from curifactory.engine.previous import find_previous
from curifactory.engine.seeding import SEED
from curifactory.engine.told_code import tell_part
from curifactory.identity.fingerprint import compare
from curifactory.parameters.reads import WHOLE
from curifactory.parameters.sets import REPEAT
from curifactory.parameters.shown import diff_shown, shown_code
from curifactory.store.traces import TraceStore

# Manifests keep the beginnings of digests, which is enough to tell a person what has changed.
_KEPT_DIGITS = 16
_PARAMETERS = "params."
_RECORDS = "records."
# What a stage can read besides parameters and inputs; where it is kept as it was, its values are told.
_SURROUNDINGS = {
    "files": "the naming of its files",
    "index": "the place of its record",
    "known": "the records that there are",
    "last": "what the stage before returned",
    "manager.cache_path": "the cache folder",
    "names": "what the record's state has",
    SEED: "the seed of the run",
}
_SURROUNDINGS_OF_RECORDS = {
    "index": "the places of the records",
    "last": "what the stages before returned",
    "names": "what the records' states have",
    "params.*": "the parameters of the records",
}
_WITH_VALUES = frozenset({"index", SEED})
_MOST_NAMES = 3
# One object for all calls of which nothing more can be said.
_NEVER_RUN = Reason(ReasonKind.NEVER_RUN)
_NOT_SEEN = Reason(ReasonKind.PARAMETERS_NOT_SEEN)
# What says nothing of a record where it is another one of this very run that it is compared with.
_OF_ANOTHER = frozenset((ReasonKind.PARAMETER_CHANGED, ReasonKind.SURROUNDINGS_CHANGED))


def explain(
    call: Call,
    traces: TraceStore,
    identifier: Identifier,
    *,
    run: str,
    inputs: bool = True,
    foreseen: Identified | None = None,
) -> Reason:
    """Return the first difference between a call and the last trace of its stage that fits best.

    Parameters
    ----------
    call : Call
        A call for which no trace holds.
    traces : TraceStore
        Where earlier traces are.
    identifier : Identifier
        Gives the call's present values.
    run : str
        Reference of the present run.
    inputs : bool
        Whether the call's inputs are known, so that they can be compared.
    foreseen : Identified, optional
        What the call was taken for when no trace was found.
    """
    previous = find_previous(call)
    if previous is None:
        return _NEVER_RUN
    trace, is_own = previous
    # A first run of many sets asks this for each call, most often after another set's.
    if (
        not is_own
        and foreseen is not None
        and trace.run == run
        and trace.code == identifier.code_of(call)
        and _has_other_values(trace, foreseen)
    ):
        return _NOT_SEEN
    first = next(iter_differences(call, trace, traces, identifier, inputs=inputs), _NOT_SEEN)
    if is_own:
        return first
    # Another record has run with other values: nothing of this one has changed, beside the code that both have.
    if first.kind is ReasonKind.INPUT_CHANGED or first.kind is ReasonKind.OVERRIDE_CHANGED:
        return Reason(ReasonKind.INPUTS_NOT_SEEN, {"name": first.particulars["name"]})
    # What the stage last had in an earlier run may tell what a set of a new name is made from.
    return _NOT_SEEN if trace.run == run and first.kind in _OF_ANOTHER else first


def _has_other_values(trace: Trace, foreseen: Identified) -> bool:
    """Whether a call of the same code that reads what a trace has read finds other parameters there."""
    before, now = trace.reads, foreseen.reads
    return before.keys() == now.keys() and any(
        path.startswith(_PARAMETERS) and not is_same(before[path], value) for path, value in now.items()
    )


def iter_differences(
    call: Call, previous: Trace, traces: TraceStore, identifier: Identifier, *, inputs: bool = True
) -> Iterator[Reason]:
    """Go through everything in which a call differs from an earlier trace: code, parameters, inputs, keywords.

    Parameters
    ----------
    call : Call
        The call.
    previous : Trace
        A trace of the same stage.
    traces : TraceStore
        Knows the parts of earlier code.
    identifier : Identifier
        Gives the call's present values.
    inputs : bool
        Whether the call's inputs are known, so that they can be compared.

    Raises
    ------
    UnidentifiableError
        If a value that was read has no identity now.
    NotYetKnownError
        If an input is not known yet and ``inputs`` is true.
    """
    found = False
    for reason in chain(
        iter_code_differences(call, previous, traces, identifier),
        _iter_parameter_differences(call, previous, identifier),
        _iter_input_differences(call, previous, identifier) if inputs else (),
        _iter_keyword_differences(call, previous, identifier),
        _iter_other_differences(call, previous, identifier) if inputs else (),
    ):
        found = True
        yield reason
    if not found and inputs:
        yield from _iter_code_behind_inputs(call)


def iter_code_differences(
    call: Call, previous: Trace, traces: TraceStore, identifier: Identifier
) -> Iterator[Reason]:
    """Go through the parts of a call's code that are not what they were for a trace."""
    now = identifier.fingerprint_of(call.spec)
    if previous.code == now.digest:
        return
    before = traces.parts_of(previous.stage, previous.code)
    changes = () if before is None else compare(before[0], now)
    for part, change, place in changes:
        was_at = "" if before is None else before[1].get(part, "")
        yield tell_part(part, change, place, module=call.spec.module, was_at=was_at)
    if not changes:
        yield Reason(ReasonKind.CODE_CHANGED, {"part": call.name, "place": ""})


def is_same(before: str, now: str) -> bool:
    """Compare a kept digest, which may be cut, with a whole one.

    Examples
    --------
    >>> is_same("blake3:0123456789abcdef", "blake3:0123456789abcdef0011"), is_same("absent", "absent!")
    (True, False)
    """
    return before == now or (len(before) >= _KEPT_DIGITS and now.startswith(before))


def explain_read(path: str, before: str, now: str) -> Reason:
    """Name what a stage has read besides its own parameters and declared inputs, and that is not what it was.

    Parameters
    ----------
    path : str
        What was read, as traces keep it.
    before, now : str
        Its identities.

    Examples
    --------
    >>> for path in ("seed", "files", "state.extra", "records.params.n"):
    ...     print(explain_read(path, "7", "8"))
    the seed of the run changed (7 → 8)
    the naming of its files changed
    input extra changed
    parameter n of the records changed
    """
    of_records = path.startswith(_RECORDS)
    rest = path.removeprefix(_RECORDS)
    kind, _, name = rest.partition(".")
    if kind == "code":
        return Reason(ReasonKind.CODE_CHANGED, {"part": name.rpartition(":")[2], "place": ""})
    if kind == "state":
        return Reason(ReasonKind.INPUT_CHANGED, {"name": name})
    if kind == "params" and (code := shown_code(name)) is not None:
        return Reason(ReasonKind.CODE_CHANGED, {"part": f"{code} of the records", "place": ""})
    what = (_SURROUNDINGS_OF_RECORDS if of_records else _SURROUNDINGS).get(rest)
    if what is None:
        what = f"parameter {name} of the records" if kind == "params" else path
    values = f" ({before} → {now})" if path in _WITH_VALUES else ""
    return Reason(ReasonKind.SURROUNDINGS_CHANGED, {"what": what, "values": values})


def _iter_parameter_differences(call: Call, previous: Trace, identifier: Identifier) -> Iterator[Reason]:
    # What values are says more than which there are, of which classes.
    for path, before in sorted(previous.reads.items(), key=_is_no_value):
        if not path.startswith(_PARAMETERS) or is_same(before, identifier.read_values(call, [path])[path]):
            continue
        name = path.removeprefix(_PARAMETERS)
        old = previous.shown.get(name)
        code = shown_code(name)
        if code is not None:
            yield Reason(ReasonKind.CODE_CHANGED, {"part": code, "place": ""})
        elif old is None:
            # Read as a whole: a trace does not keep all values of the set.
            yield _NOT_SEEN
        else:
            now = {} if call.parameters is None else call.parameters.shown([name])
            for part, then, value in diff_shown(name, previous.shown, now):
                particulars = {"name": part, "old": then, "new": value}
                yield Reason(ReasonKind.PARAMETER_CHANGED, particulars)
    played, repeat = find_repetition(previous.inputs), str(getattr(call.record.params, REPEAT, 0))
    if played != repeat:
        yield Reason(ReasonKind.PARAMETER_CHANGED, {"name": REPEAT, "old": played, "new": repeat})


def _is_no_value(read: tuple[str, str]) -> bool:
    return ":" in read[0] or read[0].endswith(WHOLE)


def _iter_input_differences(call: Call, previous: Trace, identifier: Identifier) -> Iterator[Reason]:
    for name in _differing(previous.inputs, identifier.input_identities(call)):
        if name == REPEAT and name not in call.input_names:
            continue
        yield Reason(ReasonKind.INPUT_CHANGED, {"name": name})


def _iter_keyword_differences(call: Call, previous: Trace, identifier: Identifier) -> Iterator[Reason]:
    now = identifier.override_identities(call) if call.overrides else {}
    for name in _differing(previous.overrides, now):
        yield Reason(ReasonKind.OVERRIDE_CHANGED, {"name": name})


def _iter_other_differences(call: Call, previous: Trace, identifier: Identifier) -> Iterator[Reason]:
    """Go through reads that are no parameters of the call's own set: undeclared entries, parameters of other records."""
    for path, before in previous.reads.items():
        if path.startswith(_PARAMETERS):
            continue
        now = identifier.read_values(call, [path])[path]
        if not is_same(before, now):
            yield explain_read(path, before, now)


def _iter_code_behind_inputs(call: Call) -> Iterator[Reason]:
    """Name the classes that inputs are instances of: if nothing else differs, it is their code."""
    for name, slot in call.input_slots():
        outputs = getattr(slot.producer, "outputs", ())
        artifact = outputs[slot.position].artifact if slot.position < len(outputs) else None
        classes = [] if artifact is None else list(artifact.metadata.get(CODE_NAMES, ()))
        if classes:
            shown = [each.partition(":")[2] for each in classes[:_MOST_NAMES]]
            more = ", …" if len(classes) > _MOST_NAMES else ""
            part = f"{', '.join(shown)}{more} behind input {name}"
            yield Reason(ReasonKind.CODE_CHANGED, {"part": part, "place": ""})


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in [*now, *(name for name in before if name not in now)]:
        if not is_same(before.get(name, ""), now.get(name, "")):
            yield name
