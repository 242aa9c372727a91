"""What can be set for a project, with its default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, one attribute each; paths of a loaded project are absolute.

    Examples
    --------
    >>> Settings().experiments_module_name
    'experiments'
    """

    experiments_module_name: str = "experiments"
    """Dotted name of the folder that experiments lie in."""

    params_module_name: str = "params"
    """Dotted name of the folder that parameter files lie in."""

    manager_cache_path: Path = Path("data")
    """Folder of everything that runs keep; ``cache_path`` and ``runs_path`` lie in it unless they are set."""

    cache_path: Path = Path("data/cache")
    """Folder of artifacts. Manifests and the index lie beside it, in the folder above."""

    runs_path: Path = Path("data/runs")
    """Folder with one folder for each run: its facts, calls, metrics and log."""

    logs_path: Path = Path("logs")
    """Folder of logs of projects that were begun with earlier versions. Now a log lies in its run's folder."""

    notebooks_path: Path = Path("notebooks")
    """Folder of the notebooks that are made from runs."""

    reports_path: Path = Path("reports")
    """Folder of reports and of their index; ``report_css_path`` lies in it unless it is set."""

    report_css_path: Path = Path("reports/style.css")
    """Style sheet of your own that reports take on top of theirs; it need not exist."""

    fingerprint: tuple[str, ...] = ()
    """Names of installed packages whose code counts like the project's own: a change in them reruns what uses it."""

    all_loggers: bool = False
    """Whether the log of a run has what other libraries say through ``logging``, and not only the project's own code."""

    durable: bool = False
    """Whether results survive a power cut and not only a kill; every artifact then waits for the disk (about 2 ms)."""

    trust: bool = False
    """Whether pickles are loaded from a data folder that came from elsewhere, too; they can run code."""

    trash_days: int = 7
    """For how many days what ``experiment cache gc`` has cleared away can be brought back, at least."""

    seed: int | None = None
    """From which the random numbers of each call follow, those of Python, NumPy and torch; nothing is seeded without it."""
