"""One call that is reused: its artifacts get their names, what it reported and logged is told again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curifactory.core.outcomes import CallOutcome
from curifactory.engine.facts import call_ended
from curifactory.engine.graph import Call, Want
from curifactory.engine.telling import tell_again

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine


def reuse_call(engine: Engine, call: Call) -> None:
    """Settle a call by its trace: nothing is executed, and nothing loaded before somebody reads it."""
    origin = call.origin
    assert origin is not None  # noqa: S101 - a call is reused only by a trace
    call.outcome = CallOutcome.REUSED
    if engine.options.writes and call.want >= Want.FILES:
        _name_outputs(engine, call)
    fragments = tell_again(engine, call) if origin.reported else 0
    engine.events.emit(call_ended(call, duration_s=call.duration_s, fragments=fragments))


def name_inputs(engine: Engine, call: Call) -> None:
    """Give what a call is about to read its name, where the call that it comes from was reused before anybody wanted it."""
    for slot in call.read_slots():
        producer = None if slot is None else slot.producer
        if (
            isinstance(producer, Call)
            and producer.outcome is CallOutcome.REUSED
            and producer.want < Want.FILES
        ):
            producer.want = Want.FILES
            if engine.options.writes:
                _name_outputs(engine, producer)


def _name_outputs(engine: Engine, call: Call) -> None:
    """Bring the bytes of a call's artifacts to their names, and to the names that this call gives them."""
    key, labels = call.key or "", engine.labels
    # Where calls wait, others may have set it aside since it was looked at.
    may_lie_aside = call.lies_aside or engine.options.deferred
    outputs = call.outputs
    # Files that the stage wrote by itself come after these.
    for position, ((spec, template), output) in enumerate(zip(call.stage.outputs, outputs, strict=False)):
        artifact = output.artifact
        if artifact is None:
            continue
        if may_lie_aside:
            engine.loader.bring_back(artifact, key)
        cacher = engine.saver.prototype(template, spec.name)
        wanted = labels.plain(call, cacher, spec.name)
        if wanted == artifact.label or artifact.label.startswith(f"{wanted}~") or call.absent is not None:
            labels.hold(artifact.label, key, call)
            continue
        label = labels.claim(call, cacher, spec.name, key)
        call.labels = {**call.labels, spec.name: label}
        named = output._replace(artifact=engine.loader.link(artifact, label))
        outputs = call.outputs = (*outputs[:position], named, *outputs[position + 1 :])
