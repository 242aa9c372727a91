"""The engine that builds images: docker or podman, whichever answers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import IO

from curifactory.errors import StoreError

_ENGINES = ("docker", "podman")
_PATIENCE_S = 20.0


def find_engine() -> str | None:
    """Return the name of the engine that answers, None if none does; a program without its daemon does not.

    Examples
    --------
    >>> find_engine() in (None, "docker", "podman")
    True
    """
    for name in _ENGINES:
        if shutil.which(name) is None:
            continue
        try:
            done = subprocess.run(
                [name, "info"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return name
    return None


def build_image(engine: str, folder: Path, tag: str, *, output: IO[str] | None = None) -> None:
    """Build an image.

    Parameters
    ----------
    engine : str
        ``docker`` or ``podman``.
    folder : Path
        What it is built from.
    tag : str
        What it is called.
    output : file, optional
        Takes what the engine says.

    Raises
    ------
    StoreError
        If it cannot be built; what the engine said last is in the message.
    """
    command = [engine, "build", "--tag", tag, str(folder)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    last = ""
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        with process.stdout as said:
            for line in said:
                last = line.strip() or last
                if output is not None:
                    output.write(line)
                    output.flush()
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if code != 0:
        raise StoreError(
            f"{engine} could not build the image {tag} from {folder}: {last or f'exit code {code}'}.",
            hint="What it is built from is kept there.",
        )


def make_tag(reference: str) -> str:
    """Return a run's reference as the name of an image.

    Examples
    --------
    >>> make_tag("vision/Iris_4_2026-11-21-T101500")
    'vision-iris:4-2026-11-21-t101500'
    """
    name, _, rest = reference.rpartition("_")
    name, _, number = name.rpartition("_")
    clean = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "run"
    return f"{clean}:{number}-{rest.lower()}" if number else f"{clean}:latest"
