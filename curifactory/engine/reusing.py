"""One call that is reused: its artifacts get their names, what it reported and logged is told again."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curifactory.core.events import MetricLogged, Reported
from curifactory.core.outcomes import CallOutcome
from curifactory.core.trace import Fragment, Output, Trace
from curifactory.engine.facts import call_ended
from curifactory.engine.graph import Call, Want
from curifactory.engine.saving import fresh_cacher

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine


def reuse_call(engine: Engine, call: Call) -> None:
    """Settle a call by its trace: nothing is executed, and nothing loaded before somebody reads it."""
    trace = call.trace
    assert trace is not None  # noqa: S101 - a call is reused only by a trace
    call.outcome = CallOutcome.REUSED
    if engine.options.writes and call.want >= Want.FILES:
        call.outputs = tuple(
            _named(engine, call, position, output) for position, output in enumerate(call.outputs)
        )
    fragments = _tell_again(engine, call, trace) if trace.reported else 0
    engine.remember_use(call)
    engine.events.emit(call_ended(call, duration_s=trace.duration_s, fragments=fragments))


def _named(engine: Engine, call: Call, position: int, output: Output) -> Output:
    """Bring an artifact's bytes to its name, and to the name that this call gives it."""
    artifact = output.artifact
    if artifact is None or position >= len(call.output_specs):
        return output
    engine.loader.bring_back(artifact, call.key or "")
    spec, template = call.output_specs[position]
    cacher = fresh_cacher(template, spec.name)
    wanted = engine.labels.plain(call, cacher, spec.name)
    if wanted == artifact.label or artifact.label.startswith(f"{wanted}~") or call.absent is not None:
        engine.labels.hold(artifact.label, call.key or "", call)
        return output
    label = engine.labels.claim(call, cacher, spec.name, call.key or "")
    return dataclasses.replace(output, artifact=engine.loader.link(artifact, label))


def _tell_again(engine: Engine, call: Call, trace: Trace) -> int:
    """Emit what the call reported and logged when it was executed, under the present record."""
    source = engine.traces.report_folder(trace)
    if source is None:
        return 0
    target = engine.fragments_folder(str(call.index))
    fragments = [_fragment(row) for row in _read_json(os.path.join(source, "fragments.json"))]
    for fragment in fragments:
        if target is not None:
            for name in fragment.files:
                _link_file(os.path.join(source, name), os.path.join(target, name))
        engine.events.emit(Reported(call.record.index, call.index, call.name, str(call.index), fragment))
    metrics = os.path.join(source, "metrics.jsonl")
    if os.path.exists(metrics):
        now = datetime.now().astimezone()
        with open(metrics, encoding="utf-8") as file:
            for line in file:
                kind, values, step, epoch, _ = json.loads(line)
                engine.events.emit(
                    MetricLogged(call.record.index, call.index, kind, values, step, epoch, now)
                )
    return len(fragments)


def _fragment(row: dict[str, Any]) -> Fragment:
    return Fragment(**{**row, "files": tuple(row["files"])})


def _read_json(path: str) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        rows: list[dict[str, Any]] = json.load(file)
    return rows


def _link_file(source: str, target: str) -> None:
    import shutil

    if os.path.exists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        # No links on this file system, or across two: a copy serves as well.
        shutil.copyfile(source, target)
