"""A workshop in which modules are written, edited and fingerprinted, here or in a process of its own."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from curifactory.identity.fingerprint import Fingerprint, Scope, compare, fingerprint

ROOT = Path(__file__).resolve().parents[3]
_A_WHILE_NS = 30_000_000

_TAKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import importlib
from pathlib import Path
from curifactory.identity.fingerprint import Scope, fingerprint
module, name = sys.argv[2].rsplit(":")
for extra in sys.argv[3:]:
    importlib.import_module(extra)
taken = fingerprint(getattr(importlib.import_module(module), name), scope=Scope(Path(sys.argv[1])))
print(json.dumps([taken.digest, dict(taken.parts)]))
"""


@dataclass
class Workshop:
    """A project's folder on the path."""

    root: Path
    written: set[str] = field(default_factory=set)

    @property
    def scope(self) -> Scope:
        return Scope(self.root)

    def write(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text), encoding="utf-8")
        self.written.add(path.split("/", maxsplit=1)[0].removesuffix(".py"))
        return target

    def edit(self, path: str, before: str, after: str) -> None:
        target = self.root / path
        text = target.read_text(encoding="utf-8")
        assert before in text
        target.write_text(text.replace(before, after), encoding="utf-8")

    def load(self, module: str) -> Any:
        """Import a module as a new process would, some time after it was written."""
        self.forget()
        self.settle()
        importlib.invalidate_caches()
        return importlib.import_module(module)

    def settle(self) -> None:
        """Let what was written just now have been written a while ago."""
        for path in self.root.rglob("*.py"):
            if path.stat().st_mtime_ns > time.time_ns() - _A_WHILE_NS:
                moment = path.stat().st_mtime_ns - _A_WHILE_NS
                os.utime(path, ns=(moment, moment))

    def forget(self) -> None:
        for name in list(sys.modules):
            if name.split(".")[0] in self.written:
                del sys.modules[name]

    def take(self, target: str = "work:run", **options: Any) -> Fingerprint:
        """Import anew and fingerprint ``module:function``."""
        module, name = target.split(":")
        return fingerprint(getattr(self.load(module), name), scope=self.scope, **options)

    def changed(self, before: Fingerprint, target: str = "work:run") -> list[str]:
        """Name the parts that differ now."""
        return [part for part, _, _ in compare(before.parts, self.take(target))]

    def take_elsewhere(
        self, target: str = "work:run", *, seed: int = 0, also: tuple[str, ...] = ()
    ) -> tuple[str, dict]:
        """Fingerprint in a process of its own, after other modules were imported."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed)}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        command = [sys.executable, "-c", _TAKE, str(self.root), target, *also]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        digest, parts = json.loads(done.stdout)
        return digest, parts


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.syspath_prepend(str(root))
    # Edits follow each other within a second, which is all that the time in cached byte code can tell apart.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Workshop(root)
    yield made
    made.forget()
