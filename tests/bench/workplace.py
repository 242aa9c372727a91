"""``Workplace``: a folder on disk to measure in, with throwaway projects and the commands in them."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_MOST_UNWRITTEN = 64 * 1024**2
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Place:
    """A throwaway project.

    Parameters
    ----------
    root : Path
        Its folder.
    """

    root: Path

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project and the folders above it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text), encoding="utf-8")
        return target

    def forget(self) -> None:
        """Put everything that runs have left out of the way; nothing is deleted before the end of all measuring."""
        aside = Path(tempfile.mkdtemp(prefix="forgotten-", dir=self.root.parent))
        for name in ("data", "reports"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.root / name, aside / name)

    def keep_in_git(self) -> None:
        """Make the project a repository with one commit, as people's projects are."""
        self.write(".gitignore", "data/\nreports/\n__pycache__/\n")
        name = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        for words in (("init", "-q"), ("add", "."), (*name, "commit", "-q", "-m", "begin")):
            subprocess.run(["git", *words], cwd=self.root, env=child_environment(), check=True)

    def command(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """Run a Python command in the project as a process and return what it wrote.

        Raises
        ------
        RuntimeError
            If it failed, with all that it wrote.
        """
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env={**child_environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Stand in the project."""
        before, path = os.getcwd(), list(sys.path)
        os.chdir(self.root)
        try:
            yield
        finally:
            os.chdir(before)
            sys.path[:] = path
            for name in [name for name in sys.modules if name.partition(".")[0] == "experiments"]:
                del sys.modules[name]


class Workplace:
    """Gives out projects below one folder, and removes them all in the end.

    In the end, not sooner: ext4 passes over the places of files that were deleted in the last minutes, five of them with newer
    kernels, so that after many deletions making a file costs ten times as much.

    Parameters
    ----------
    folder : Path, optional
        Where; the system's folder for temporary files if not given.
    keep : bool
        Leave the removing to somebody else.
    """

    def __init__(self, folder: Path | None = None, *, keep: bool = False) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.root = Path(tempfile.mkdtemp(prefix="curifactory-bench-", dir=folder))
        self._keep = keep
        self._made = 0

    def project(self) -> Place:
        """Make an empty project."""
        self._made += 1
        place = Place(self.root / f"project-{self._made}")
        place.write("pyproject.toml", "[tool.curifactory]\n")
        return place

    def close(self) -> None:
        """Remove everything, unless it is to be kept."""
        if not self._keep:
            shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def child_environment() -> dict[str, str]:
    """Return the environment of measured processes: byte code is kept on disk, nothing of ours leaks in."""
    dropped = ("PYTHON", "GIT_", "CURIFACTORY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    kept |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    found = importlib.util.find_spec("curifactory")
    if found is None or found.origin is None or str(ROOT) in found.origin:
        kept["PYTHONPATH"] = str(ROOT)
    return kept


def rest(most_s: float = 60) -> None:
    """Wait until the system has written what it was given to write, which slows down whoever writes more; no longer than some seconds."""
    until_s = time.monotonic() + most_s
    with contextlib.suppress(OSError, ValueError):
        while _count_unwritten() > _MOST_UNWRITTEN and time.monotonic() < until_s:
            time.sleep(1)


def _count_unwritten() -> int:
    """Return how many bytes wait for a disk, as far as Linux tells."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return sum(
        1024 * int(line.split()[1]) for line in lines if line.partition(":")[0] in ("Dirty", "Writeback")
    )


def find_filesystem(folder: Path) -> str:
    """Return the type of the file system that a folder lies on, as far as Linux tells."""
    best, kind = "", "unknown"
    with contextlib.suppress(OSError):
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
            _, mount, name, *_ = line.split()
            inside = str(folder) == mount or str(folder).startswith(mount.rstrip("/") + "/")
            if inside and len(mount) >= len(best):
                best, kind = mount, name
    return kind
