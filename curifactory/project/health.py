"""What a project finds on this machine, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from curifactory.project.listing import iter_modules
from curifactory.project.project import Project
from curifactory.store.database import open_for_reading
from curifactory.store.filesystems import find_kind, is_on_network
from curifactory.store.layout import Layout

OLDEST_PYTHON = (3, 11)
_LITTLE_ROOM = 1_000_000_000
# The packages that every installation has, as they are installed; a test compares them with what is declared.
REQUIRED = (
    "blake3",
    "click",
    "cloudpickle",
    "filelock",
    "gitpython",
    "graphviz",
    "graphviz-pure",
    "jinja2",
    "markdown-it-py",
    "matplotlib",
    "msgspec",
    "pandas",
    "plotly",
    "pygments",
    "pyyaml",
    "rich",
    "threadpoolctl",
)
# Extra to its packages.
EXTRAS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "arrow": ("pyarrow",),
        "dask": ("distributed",),
        "examples": ("scikit-learn",),
        "mlflow": ("mlflow",),
        "notebook": ("ipykernel", "nbclient", "nbformat"),
        "pandas": ("lxml", "openpyxl", "tables"),
        "polars": ("polars", "pyarrow"),
        "ray": ("ray",),
        "remote": ("fsspec", "httpx2"),
        "server": ("starlette", "uvicorn"),
        "torch": ("safetensors", "torch"),
        "tune": ("optuna",),
    }
)
# What each is for; of an extra that this version has no use for nobody need be told that it is missing.
PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "arrow": "frames as parquet and orc, ParquetCacher",
        "dask": "--executor dask",
        "examples": "the example iris",
        "notebook": "notebooks",
        "pandas": "frames as hdf5, excel and xml",
        "polars": "frames of polars",
        "torch": "TorchCacher",
    }
)


class State(Enum):
    """How something is.

    Examples
    --------
    >>> State.MISSING.value
    'missing'
    """

    FINE = "fine"
    MISSING = "missing"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    subject : str
        What was looked at.
    state : State
        ``missing`` is what one can do without, a ``fault`` is not.
    found : str
        What there is.
    remedy : str
        What one can do; may be empty.
    """

    subject: str
    state: State
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the finding as JSON values."""
        return {
            "subject": self.subject,
            "state": self.state.value,
            "found": self.found,
            "remedy": self.remedy,
        }


def examine(project: Project, *, engine: str | None = None) -> list[Finding]:
    """Look at everything that a project needs, without changing a file.

    Parameters
    ----------
    project : Project
        The project.
    engine : str, optional
        Which container engine answers, if one does.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     {finding.subject for finding in examine(Project.find(Path(folder)))} >= {"python", "git", "data"}
    True
    """
    return [
        _look_at_python(),
        *_look_at_packages(),
        *_look_at_extras(),
        *_look_at_programs(engine),
        *_look_at_folders(project),
        _look_at_file_system(project),
        _look_at_room(project),
        _look_at_index(project),
        _look_at_scope(project),
    ]


def _look_at_python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return Finding("python", State.FAULT, found, f"Install Python {oldest} or newer.")
    return Finding("python", State.FINE, found)


def _look_at_packages() -> Iterator[Finding]:
    missing = [package for package in REQUIRED if find_version(package) is None]
    if missing:
        yield Finding(
            "packages",
            State.FAULT,
            f"{', '.join(missing)} missing",
            f"pip install {' '.join(missing)}",
        )
    else:
        yield Finding("packages", State.FINE, f"all {len(REQUIRED)} that are needed")


def _look_at_extras() -> Iterator[Finding]:
    for extra, purpose in PURPOSES.items():
        packages = EXTRAS[extra]
        missing = [package for package in packages if find_version(package) is None]
        if missing:
            found = f"{', '.join(missing)}, for {purpose}"
            yield Finding(f"extra {extra}", State.MISSING, found, f"pip install 'curifactory[{extra}]'")
        else:
            versions = [f"{package} {find_version(package)}" for package in packages]
            yield Finding(f"extra {extra}", State.FINE, ", ".join(versions))


def _look_at_programs(engine: str | None) -> Iterator[Finding]:
    git = shutil.which("git")
    if git is None:
        remedy = "Install git, so that runs are recorded with their commit: https://git-scm.com"
        yield Finding("git", State.MISSING, "is not installed", remedy)
    else:
        yield Finding("git", State.FINE, git)
    dot = shutil.which("dot")
    if dot is None:
        remedy = "Install Graphviz for finer graphs (apt install graphviz, brew install graphviz)."
        yield Finding("dot", State.MISSING, "is not installed: graphs are drawn without it", remedy)
    else:
        yield Finding("dot", State.FINE, dot)
    if engine is None:
        remedy = (
            "Install docker or podman, and start its daemon, to build images of runs; all else works without."
        )
        yield Finding("container engine", State.MISSING, "neither docker nor podman answers", remedy)
    else:
        yield Finding("container engine", State.FINE, shutil.which(engine) or engine)


def _look_at_folders(project: Project) -> Iterator[Finding]:
    for subject, folder in (
        ("data", project.data_folder),
        ("cache", project.cache_folder),
        ("runs", project.runs_folder),
        ("reports", project.reports_folder),
    ):
        nearest = _nearest(folder)
        if not nearest.is_dir():
            yield Finding(subject, State.FAULT, f"{nearest} is no folder", f"Move {nearest} out of the way.")
        elif not os.access(nearest, os.W_OK | os.X_OK):
            remedy = (
                f"Make it yours, or set another folder: curifactory config shows where {folder} comes from."
            )
            yield Finding(subject, State.FAULT, f"{nearest} cannot be written", remedy)
        else:
            made = "" if nearest == folder else " (made by the first run)"
            yield Finding(subject, State.FINE, f"{folder}{made}")


def _look_at_file_system(project: Project) -> Finding:
    path = str(project.data_folder)
    kind = find_kind(path) or "unknown kind"
    if is_on_network(path):
        remedy = "Fine for results. Where many processes write at once, a local CURIFACTORY_MANAGER_CACHE_PATH is quicker."
        return Finding(
            "file system", State.NOTE, f"{kind}, a network's: the index is kept without WAL", remedy
        )
    return Finding("file system", State.FINE, f"{kind}; the index is kept with WAL")


def _look_at_room(project: Project) -> Finding:
    usage = shutil.disk_usage(_nearest(project.data_folder))
    found = f"{usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.0f} GB"
    if usage.free < _LITTLE_ROOM:
        return Finding("room", State.NOTE, found, "See what could go: experiment cache gc")
    return Finding("room", State.FINE, found)


def _look_at_index(project: Project) -> Finding:
    path = Layout(project.cache_folder).index_path
    version = f"SQLite {sqlite3.sqlite_version}"
    if not path.exists():
        return Finding("index", State.FINE, f"none yet ({version})")
    connection = open_for_reading(str(path))
    if connection is None:
        return Finding(
            "index",
            State.NOTE,
            "is of another version or damaged; the next run makes it anew",
            "experiment reindex",
        )
    try:
        runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        traces = connection.execute("SELECT count(*) FROM traces").fetchone()[0]
    except sqlite3.Error as error:
        return Finding("index", State.NOTE, f"is damaged ({error})", "experiment reindex")
    finally:
        connection.close()
    return Finding("index", State.FINE, f"{runs} runs, {traces} traces ({version})")


def _look_at_scope(project: Project) -> Finding:
    """Tell whose code counts when it is decided what must be rerun."""
    own = sum(1 for folder in _code_folders(project) for _ in iter_modules(folder))
    wanted = project.settings.fingerprint
    lost = [name for name in wanted if not _is_importable(name)]
    if lost:
        remedy = "Install them, or take them out of the setting fingerprint."
        return Finding("code that counts", State.FAULT, f"{', '.join(lost)} cannot be found", remedy)
    files = f"{own} file{'' if own == 1 else 's'} of the project"
    packages = f" and of {', '.join(wanted)}" if wanted else ""
    return Finding("code that counts", State.FINE, f"below {project.root} ({files}){packages}")


def _code_folders(project: Project) -> list[Path]:
    return [project.experiments_folder, project.params_folder]


def find_version(package: str) -> str | None:
    """Return the version of an installed package, None if it is not installed; nothing is imported.

    Examples
    --------
    >>> find_version("surely-not-there") is None
    True
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_importable(module: str) -> bool:
    # A package may be broken in a way that only looking for it shows.
    with suppress(ImportError, ValueError, AttributeError):
        return importlib.util.find_spec(module) is not None
    return False


def _nearest(path: Path) -> Path:
    """Return the path itself, or the nearest above it that exists."""
    return next((each for each in (path, *path.parents) if each.exists()), Path("/"))
