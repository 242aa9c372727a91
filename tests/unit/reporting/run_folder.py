"""Makes run folders by hand, as the store would leave them, for the pages to be drawn from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime.fromisoformat("2026-11-21T10:15:00.250000+01:00")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63606060f80f000104010000c2"
    "1e2c5b0000000049454e44ae426082"
)


@dataclass
class RunFolder:
    """A run folder in the making; ``write`` puts it on disk."""

    runs: Path
    experiment: str = "iris"
    number: int = 4
    facts: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    reportables: list[dict[str, Any]] = field(default_factory=list)
    parameters: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, Any] | None = None
    log: str = ""
    patch: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    started: datetime = START

    @property
    def reference(self) -> str:
        return f"{self.experiment}_{self.number}_{self.started:%Y-%m-%d-T%H%M%S}"

    @property
    def path(self) -> Path:
        return self.runs / self.reference

    def add_record(self, name: str | None, shown: dict[str, Any] | None = None) -> int:
        index = len(self.records)
        params_hash = "None" if name is None else f"{index:02x}" * 16
        self.records.append(
            {
                "index": index,
                "name": f"Record {index} ({name})",
                "params_name": name,
                "params_hash": params_hash,
                "copied_from": None,
            }
        )
        if shown is not None:
            self.parameters.append(
                {
                    "name": name,
                    "hash": params_hash,
                    "file": "params/iris.py",
                    "class": "params.iris:Params",
                    "value": {},
                    "shown": shown,
                }
            )
        return index

    def add_call(
        self,
        name: str,
        record: int,
        *,
        outcome: str = "ran",
        reason: dict[str, Any] | None = None,
        inputs: list[tuple[str, int | None]] | None = None,
        outputs: list[str] | None = None,
        run: str | None = None,
        duration_s: float = 0.25,
        aggregate: bool = False,
        error: str | None = None,
    ) -> int:
        index = len(self.calls)
        if reason is None and outcome == "reused":
            run = run or f"{self.experiment}_3_2026-11-20-T180000"
            reason = {"kind": "unchanged", "run": run, "text": f"nothing it read has changed (from {run})"}
        elif reason is None and outcome in {"ran", "failed"}:
            reason = {"kind": "never_run", "text": "never run"}
        self.calls.append(
            {
                "index": index,
                "name": name,
                "stage": f"experiments.{self.experiment}.{name}",
                "record": record,
                "record_name": self.records[record]["name"],
                "outcome": outcome,
                "reason": reason,
                "key": f"{index:064x}",
                "started_at": (START + timedelta(seconds=index)).isoformat(),
                "duration_s": duration_s if outcome in {"ran", "failed", "interrupted"} else 0.0,
                "line": f"experiments/{self.experiment}.py:{40 + index}",
                "aggregate": aggregate,
                "inputs": [
                    {
                        "name": each,
                        "call": call,
                        "record": None if call is None else self.calls[call]["record"],
                    }
                    for each, call in inputs or []
                ],
                "outputs": [self._output(each, name, index, run) for each in outputs or []],
                "fragments": 0,
                "error": error,
            }
        )
        return index

    def _output(self, name: str, stage: str, index: int, run: str | None) -> dict[str, Any]:
        path = f"{self.experiment}_{'0a' * 16}_{stage}_{name}.pkl"
        file = {"path": path, "digest": f"blake3:{index:064x}", "size_bytes": 5000 + 1300 * index}
        artifact = {"cacher": "PickleCacher", "digest": f"blake3:{index + 7:064x}", "files": [file]}
        return {
            "name": name,
            "type": "pandas.DataFrame",
            "summary": "(100, 5)",
            "run": run,
            "lazy": False,
            "artifact": artifact,
        }

    def log_metrics(self, record: int, call: int | None, kind: str = "", **values: Any) -> None:
        row = {
            "record": record,
            "call": call,
            "type": kind,
            "step": None,
            "epoch": None,
            "at": START.isoformat(),
        }
        self.metrics.append(row | {"values": values})

    def report(
        self,
        record: int,
        call: int | None,
        name: str,
        kind: str,
        data: Any = None,
        *,
        group: str | None = None,
        caption: str | None = None,
        files: dict[str, bytes] | None = None,
    ) -> None:
        folder = f"record-{record}" if call is None else str(call)
        for file, content in (files or {}).items():
            self.files[f"fragments/{folder}/{file}"] = content
        self.reportables.append(
            {
                "record": record,
                "call": call,
                "stage": None if call is None else self.calls[call]["name"],
                "folder": folder,
                "name": name,
                "kind": kind,
                "group": group,
                "caption": caption,
                "files": list(files or {}),
                "data": data,
            }
        )

    def write_escaped(self) -> Path:
        """Write the facts as ASCII, for text that UTF-8 cannot say."""
        notes = self.facts.pop("notes")
        folder = self.write()
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8")) | {"notes": notes}
        (folder / "run.json").write_text(json.dumps(facts), encoding="ascii")
        return folder

    def write(self) -> Path:
        """Write all files and give the folder."""
        facts = {
            "format": 1,
            "reference": self.reference,
            "experiment": self.experiment,
            "number": self.number,
            "outcome": "complete",
            "started_at": self.started.isoformat(),
            "finished_at": (self.started + timedelta(seconds=3.4)).isoformat(),
            "duration_s": 3.4,
            "command": ["experiment", "iris", "-p", "iris"],
            "command_line": "experiment iris -p iris",
            "host": "workstation",
            "user": "ada",
            "python": "3.13.1",
            "curifactory": "1.0.0",
            "pid": 4242,
            "notes": "",
            "tags": [],
            "parameter_files": ["iris"],
            "experiment_doc": "Which model tells the three species of iris apart best?\n\nMore of it.",
            "experiment_file": "experiments/iris.py",
            "git": None,
            "error": None,
            "traceback": None,
            "counts": {},
            "warnings": [],
            "live": False,
            "settings": {},
            "seed": None,
        } | self.facts
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "run.json", facts)
        write_json(self.path / "parameters.json", self.parameters)
        for name in ("records", "calls", "metrics", "reportables"):
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in getattr(self, name)]
            (self.path / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        if self.environment is not None:
            write_json(self.path / "environment.json", self.environment)
        for name, text in (("log.txt", self.log), ("patch.diff", self.patch)):
            if text:
                (self.path / name).write_text(text, encoding="utf-8")
        for name, content in self.files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return self.path


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def make_iris(runs: Path, number: int = 4) -> RunFolder:
    """Give a run of two models, their comparison, and everything that a report can show."""
    run = RunFolder(runs, "iris", number)
    run.facts = {
        "notes": "The forest again, now with balanced classes.\nLess is more?",
        "tags": ["paper"],
        "git": {
            "commit": "3f2a9c1b7d4e5f60718293a4b5c6d7e8f9012345",
            "branch": "main",
            "dirty": True,
            "root": "/home/ada/flowers",
            "remote": "https://example.org/ada/flowers.git",
            "untracked": ["notes.txt"],
        },
        "warnings": [{"text": "The work tree has uncommitted changes.", "at": START.isoformat()}],
    }
    run.environment = {
        "python": "3.13.1 (main, Nov  2 2026)",
        "platform": "Linux-6.8-x86_64-with-glibc2.39",
        "packages": {"numpy": "2.4.6", "pandas": "3.1.1", "scikit-learn": "1.9.1", "Jinja2": "3.1.6"},
        "variables": {"PATH": "/usr/bin", "API_TOKEN": "***"},
    }
    run.log = "10:15:00 run started\n10:15:01 load_data ran\n10:15:03 run complete\n"
    run.patch = (
        "diff --git a/experiments/iris.py b/experiments/iris.py\n--- a/experiments/iris.py\n"
        "+++ b/experiments/iris.py\n@@ -1,2 +1,2 @@\n-n = 100\n+n = 200\n unchanged\n"
    )
    scores = []
    for name, model, n, accuracy, loss in (
        ("simple_lr", "sklearn.linear_model.LogisticRegression", 100, 0.94, 0.31),
        ("simple_rf", "sklearn.ensemble.RandomForestClassifier", 200, 0.9687, 0.12),
    ):
        record = run.add_record(
            name, {"balanced": name == "simple_lr", "n": n, "seed": 1, "model_type": model}
        )
        load = run.add_call("load_data", record, outcome="reused", outputs=["training_data", "testing_data"])
        changed = {"kind": "parameter_changed", "name": "n", "old": "100", "new": "200"}
        changed["text"] = "parameter n: 100 → 200"
        train = run.add_call(
            "train_model",
            record,
            reason=changed,
            inputs=[("training_data", load)],
            outputs=["model"],
            duration_s=1.31,
        )
        test = run.add_call(
            "test_model",
            record,
            inputs=[("model", train), ("testing_data", load)],
            outputs=["score"],
            duration_s=0.042,
        )
        run.log_metrics(record, test, "test", accuracy=accuracy, loss=loss, flowers=50)
        run.report(
            record,
            test,
            "confusion",
            "image",
            {},
            caption="How many flowers of each species the model took for which.",
            files={"confusion.png": PIXEL},
        )
        scores.append(("score", test))
    run.add_record(None)
    compare = run.add_call(
        "compare_models", 2, inputs=scores, outputs=["scores"], aggregate=True, duration_s=0.09
    )
    run.report(
        2,
        compare,
        "scores",
        "table",
        {
            "columns": ["accuracy", "f1", "remark"],
            "index": [["simple_lr"], ["simple_rf"]],
            "index_names": ["model"],
            "rows": [["0.9400", "0.9398", "linear"], ["0.9687", None, "forest"]],
            "numeric": [True, True, False],
            "shape": [2, 3],
        },
        group="comparison",
        caption="1 is perfect.",
    )
    run.report(2, compare, "settings", "json", {"text": '{\n  "depth": 3\n}', "cut": False})
    return run
