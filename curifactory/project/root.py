"""Where a project begins: the folder that everything else is relative to."""

from __future__ import annotations

from pathlib import Path

from curifactory.core.working_folder import working_folder
from curifactory.errors import DiscoveryError

PYPROJECT = "pyproject.toml"
OLDER_FILE = "curifactory_config.json"
SECTION = "tool.curifactory"
EXPERIMENTS = "experiments"


def find_root(start: Path | None = None) -> Path:
    """Return the project's folder, seen from a folder in it.

    The nearest folder upwards that is configured (``[tool.curifactory]`` in its ``pyproject.toml``, or a
    ``curifactory_config.json``) is the root. Where nothing is configured it is the nearest one with a folder
    ``experiments``, then the top of the git work tree, then the folder itself.

    Parameters
    ----------
    start : Path, optional
        Where to begin; the working folder if None.

    Returns
    -------
    Path
        An absolute path without links or dots.

    Raises
    ------
    DiscoveryError
        If the working folder was removed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     below = Path(folder, "experiments", "deep")
    ...     below.mkdir(parents=True)
    ...     find_root(below) == Path(folder).resolve()
    True
    """
    folder = working_folder() if start is None else start
    if folder is None:
        raise DiscoveryError(
            "The working folder is gone: it was removed, or moved and made anew.",
            hint="Go to a folder that is there: cd.",
        )
    begin = Path(folder).resolve()
    upwards = [begin, *begin.parents]
    for each in upwards:
        if is_configured(each):
            return each
    for each in upwards:
        if (each / EXPERIMENTS).is_dir():
            return each
    for each in upwards:
        if (each / ".git").exists():
            return each
    return begin


def is_configured(folder: Path) -> bool:
    """Say whether a folder has settings of its own, well written or not."""
    if (folder / OLDER_FILE).is_file():
        return True
    try:
        text = (folder / PYPROJECT).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # A file that is no TOML cannot be asked; it counts by its words, so that reading the settings tells its fault.
    return SECTION in text and _has_section(text)


def _has_section(text: str) -> bool:
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return f"[{SECTION}" in text
    tool = document.get("tool")
    return isinstance(tool, dict) and "curifactory" in tool
