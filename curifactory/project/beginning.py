"""Beginning a project: settings, folders, what git leaves out, and an example. Nothing that is there is changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from curifactory.errors import ConfigurationError, StoreError
from curifactory.project.examples import find_example
from curifactory.project.root import OLDER_FILE, PYPROJECT, SECTION, is_configured
from curifactory.project.settings import Settings

_IGNORED = "# What curifactory makes: results, runs, reports"
_CALM = {"GIT_TERMINAL_PROMPT": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a new project is to be like.

    Parameters
    ----------
    folder : Path
        Where; made if it is not there.
    settings : mapping of str to str
        Those that are not to have their defaults.
    example : str, optional
        Name of an example that is written into it.
    git, gitignore : bool
        Whether a repository is made where there is none, and ``.gitignore`` completed.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    example: str | None = None
    git: bool = True
    gitignore: bool = True


@dataclass(slots=True)
class Begun:
    """What was done.

    Attributes
    ----------
    made : list of str
        What was made, relative to the folder, in its order.
    kept : list of str
        What was there and stays as it was.
    needs : list of str
        Packages that the example needs and that are missing here.
    repository : Path or None
        The repository that the project lies in now.
    """

    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    repository: Path | None = None


def begin_project(wish: Beginning) -> Begun:
    """Make a project, or what is missing of one.

    Parameters
    ----------
    wish : Beginning
        What it is to be like.

    Raises
    ------
    ConfigurationError
        If there is no such example.
    StoreError
        If something cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     begun = begin_project(Beginning(folder=Path(folder), git=False))
    ...     begun.made
    ['pyproject.toml', 'experiments/', 'params/', 'data/', 'reports/', '.gitignore']
    """
    example = None if wish.example is None else find_example(wish.example)
    begun = Begun()
    try:
        wish.folder.mkdir(parents=True, exist_ok=True)
        _write_settings(wish, begun)
        for folder in _folders(wish.settings):
            _make_folder(wish.folder / folder, f"{folder}/", begun)
        if wish.gitignore:
            _ignore(wish, begun)
        if example is not None:
            for path, text in example.files.items():
                _write_new(wish.folder / path, path, text, begun)
            begun.needs += example.missing()
    except OSError as error:
        raise StoreError(
            f"The project cannot be made: {error.strerror}: {error.filename}.",
            hint="Choose a folder that you may write to, and where nothing else goes by these names.",
        ) from error
    begun.repository = find_repository(wish.folder)
    if wish.git and begun.repository is None and _make_repository(wish.folder):
        begun.made.append(".git/")
        begun.repository = wish.folder
    return begun


def _folders(settings: dict[str, str]) -> list[str]:
    defaults = Settings()
    given = {
        name: settings.get(name, getattr(defaults, name))
        for name in ("experiments_module_name", "params_module_name", "manager_cache_path", "reports_path")
    }
    modules = [
        str(given[name]).replace(".", "/") for name in ("experiments_module_name", "params_module_name")
    ]
    return [*modules, str(given["manager_cache_path"]), str(given["reports_path"])]


def _write_settings(wish: Beginning, begun: Begun) -> None:
    if is_configured(wish.folder):
        begun.kept.append(OLDER_FILE if (wish.folder / OLDER_FILE).is_file() else PYPROJECT)
        return
    lines = [f"[{SECTION}]", "# What can be set, and what is: curifactory config"]
    lines += [f"{name} = {_quote(value)}" for name, value in wish.settings.items()]
    text = "\n".join(lines) + "\n"
    file = wish.folder / PYPROJECT
    if not file.exists():
        _write_new(file, PYPROJECT, text, begun)
        return
    # A section of its own at the end leaves everything that others have written as it is.
    before = file.read_text(encoding="utf-8")
    with open(file, "a", encoding="utf-8") as stream:
        stream.write(f"{'' if before.endswith(chr(10)) or not before else chr(10)}\n{text}")
    begun.made.append(f"[{SECTION}] in {PYPROJECT}")


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _make_folder(folder: Path, shown: str, begun: Begun) -> None:
    if folder.is_dir():
        begun.kept.append(shown)
        return
    folder.mkdir(parents=True)
    begun.made.append(shown)


def _write_new(file: Path, shown: str, text: str, begun: Begun) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(file, "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        begun.kept.append(shown)
        return
    begun.made.append(shown)


def _ignore(wish: Beginning, begun: Begun) -> None:
    _, _, data, reports = _folders(wish.settings)
    wanted = [
        f"/{folder}/*" for folder in (data, reports) if not os.path.isabs(folder) and ".." not in folder
    ]
    wanted += [f"!/{reports}/style.css"] if f"/{reports}/*" in wanted else []
    wanted.append("__pycache__/")
    file = wish.folder / ".gitignore"
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    known = {line.strip() for line in before.splitlines()}
    missing = [line for line in wanted if line not in known]
    if not missing:
        begun.kept.append(".gitignore")
        return
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    with open(file, "a", encoding="utf-8") as stream:
        stream.write("\n".join([f"{gap}{_IGNORED}", *missing]) + "\n")
    begun.made.append("lines in .gitignore" if before else ".gitignore")


def find_repository(folder: Path) -> Path | None:
    """Return the folder of the git repository that a folder lies in, or would lie in; None if there is none."""
    begin = folder.resolve()
    return next((each for each in (begin, *begin.parents) if (each / ".git").exists()), None)


def _make_repository(folder: Path) -> bool:
    """Make a git repository; say whether there is one now. Without git there is none, and nothing is wrong with that."""
    if shutil.which("git") is None:
        return False
    done = subprocess.run(
        ["git", "init", "--quiet"],
        cwd=folder,
        env={**os.environ, **_CALM},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def check_setting(name: str, value: str) -> str | None:
    """Return what is wrong with the value of a setting that somebody types, or None.

    Examples
    --------
    >>> check_setting("experiments_module_name", "my experiments")
    "experiments_module_name is 'my experiments', a text; it must be a dotted module name such as 'experiments'."
    """
    from curifactory.project.sources import read_settings

    try:
        read_settings(Path("/"), environment={}, overrides={name: value})
    except ConfigurationError as error:
        return error.message.partition(": ")[2] or error.message
    return None
