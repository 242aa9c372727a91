"""The map of calls that may be shared within the run: they are neither said to run nor said to be reused."""

from __future__ import annotations

import json
from typing import Any

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    source: int = 0
    hidden: int = 0

def get_params():
    return [Params(name=f"p{n}", n=n, source=n // 2, hidden=n) for n in range(4)]

@cf.stage(None, ["rows"], [JsonCacher])
def load(record):
    return [record.params.source]

@cf.stage(["rows"], ["clean"], [JsonCacher])
def clean(record, rows):
    %(body)s
    return rows

@cf.stage(["clean"], ["model"], [JsonCacher])
def train(record, clean):
    return [*clean, record.params.n]

@cf.aggregate(["model"], ["best"], [JsonCacher])
def compare(record, records, model):
    return [model[each] for each in records]

def run(param_sets, manager):
    for params in param_sets:
        train(clean(load(cf.Record(manager, params))))
    compare(cf.Record(manager, None), list(manager.records)[:4])
"""


def write(project: Any, body: str = "pass") -> None:
    project.write("experiments/case.py", EXPERIMENT % {"body": body})


def ask(project: Any, *words: str) -> Any:
    return json.loads(project.experiment("case", "--map", "--json", *words).stdout)


def verdicts(told: Any, name: str) -> list[tuple[str, str]]:
    return [
        (call["verdict"], call["reason"]["text"])
        for call in sorted(told["calls"], key=lambda call: call["record"])
        if call["name"] == name
    ]


def test_what_may_be_shared_is_neither_said_to_run_nor_to_be_reused(project: Any) -> None:
    write(project)
    told = ask(project)
    assert verdicts(told, "load") == [
        ("run", "never run"),
        ("perhaps", "may be the same as load of Record 0 (p0)"),
        ("run", "never run"),
        ("perhaps", "may be the same as load of Record 2 (p2)"),
    ]
    # What reads from such a call reads the same if it is the same.
    assert [verdict for verdict, _ in verdicts(told, "clean")] == ["run", "perhaps", "run", "perhaps"]
    assert [verdict for verdict, _ in verdicts(told, "train")] == ["run"] * 4
    assert told["totals"] == {"run": 9, "perhaps": 4, "reuse": 0, "not needed": 0}
    project.experiment("case", "--no-report")
    counts = json.loads(project.experiment("runs", "--json").stdout)[0]["counts"]
    assert (counts["ran"], counts["reused"]) == (9, 4)


def test_what_the_code_is_known_to_read_counts_and_not_what_it_speaks_of(project: Any) -> None:
    write(project, "getattr(record.params, 'hidden')")
    # Nobody can see that yet.
    assert [verdict for verdict, _ in verdicts(ask(project), "clean")] == ["run"] * 4
    project.experiment("case", "--no-report")
    project.write(
        "experiments/case.py",
        (project.root / "experiments/case.py").read_text().replace("n // 2", "n // 2 + 7"),
    )
    told = ask(project)
    assert [verdict for verdict, _ in verdicts(told, "load")] == ["run", "perhaps", "run", "perhaps"]
    assert "may be" not in "".join(text for _, text in verdicts(told, "clean"))


def test_what_is_asked_for_or_repeated_runs(project: Any) -> None:
    write(project)
    assert ask(project, "--overwrite")["totals"]["run"] == 13
    loads = verdicts(ask(project, "--overwrite-stage", "load"), "load")
    assert [verdict for verdict, _ in loads] == ["run"] * 4
