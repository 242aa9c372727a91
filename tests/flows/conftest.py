"""What the flow tests of the engine share: runs in this process, each with the project's modules imported anew."""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Ended:
    """A run that has ended, as its folder tells of it.

    Parameters
    ----------
    result : Any
        What the experiment's ``run()`` returned.
    manager : ArtifactManager
        The manager of the run; values can still be read.
    calls : list of dict
        The rows of ``calls.jsonl``.
    warnings : list of str
        What the run had to say.
    """

    result: Any
    manager: Any
    calls: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def executed(self) -> dict[str, int]:
        """How many calls of each stage were executed."""
        return dict(Counter(call["name"] for call in self.calls if call["outcome"] == "ran"))

    @property
    def reasons(self) -> dict[str, str]:
        """The reason of the last call of each stage, as a sentence."""
        return {call["name"]: call["reason"]["text"] for call in self.calls if call["reason"]}


@dataclass(frozen=True)
class InProcess:
    """Runs a project's experiments in this process, which is much quicker than a command for each."""

    project: Any

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        self.project.write(path, text)

    def edit(self, path: str, changes: Mapping[str, str]) -> None:
        """Replace texts in a file of the project; each must be there."""
        text = (self.project.root / path).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text, f"{path} has no {old!r}"
            text = text.replace(old, new)
        self.project.write(path, text)

    def cached(self, pattern: str) -> list[Path]:
        """Return the artifacts whose names fit a pattern."""
        return sorted((self.project.root / "data/cache").glob(pattern))

    def run(self, experiment: str = "case", **options: Any) -> Ended:
        """Run an experiment as a process of its own would, with its files as they are now."""
        from curifactory import run_experiment

        self.forget_modules()
        options.setdefault("report", False)
        result, manager = run_experiment(experiment, **options)
        if manager.run_folder is None:
            return Ended(result, manager)
        calls = Path(manager.run_folder, "calls.jsonl")
        about = json.loads(Path(manager.run_folder, "run.json").read_text(encoding="utf-8"))
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        return Ended(
            result,
            manager,
            [json.loads(line) for line in lines],
            [each["text"] for each in about["warnings"]],
        )

    def forget_modules(self) -> None:
        """Forget every module of the project, so that its files are read again."""
        root = str(self.project.root)
        for name, module in list(sys.modules.items()):
            places = [vars(module).get("__file__"), *(vars(module).get("__path__") or ())]
            if any(str(place).startswith(root) for place in places if place):
                del sys.modules[name]
        importlib.invalidate_caches()


@pytest.fixture
def here(project: Any, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """Give an empty project whose experiments run in this process."""
    monkeypatch.chdir(project.root)
    return InProcess(project)
