"""Imports the modules of one project, whatever else goes by their names."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from curifactory.core import garbage
from curifactory.core.nearest import find_nearest
from curifactory.errors import CurifactoryError, DiscoveryError, ExitCode
from curifactory.project.absent import find_meant_module, find_meant_name
from curifactory.project.listing import show_path

if TYPE_CHECKING:
    from curifactory.project.frames import PersonFrame

# Packages that are installed under another name than they are imported by.
_DISTRIBUTIONS = {
    "Bio": "biopython",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "gitpython",
    "igraph": "python-igraph",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}
_first: set[str] = set()


def import_file(name: str, file: Path, *, root: Path, packages: Iterable[str], what: str) -> ModuleType:
    """Import a module of the project from the file where it is known to lie.

    Parameters
    ----------
    name : str
        Dotted name from the project's root, such as ``experiments.iris``.
    file : Path
        Its file.
    root : Path
        The project; comes first on ``sys.path``.
    packages : iterable of str
        Dotted names of folders that belong to the project even if an installed package is called the same.
    what : str
        Begins messages, such as ``Experiment 'iris'``.

    Raises
    ------
    DiscoveryError
        If the module or one that it imports does not parse, needs something that is not installed, or raises.
    CurifactoryError
        What a stage or a parameter class that is badly written raises; the place is added as a note.
    """
    put_first(root)
    importlib.invalidate_caches()
    for package in (*packages, name.rpartition(".")[0]):
        _claim(package, root)
    loaded = sys.modules.get(name)
    if loaded is not None and not _is_same(getattr(loaded, "__file__", None), file):
        _forget(name)
    try:
        module = importlib.import_module(name)
    except CurifactoryError as error:
        add_place(error, root)
        # Whatever it says of a stage that runs: nothing has been run yet.
        error.exit_code = ExitCode.WRONG_USE
        raise
    except SyntaxError as error:
        raise DiscoveryError(f"{what} cannot be loaded: {_show_syntax(error, root)}.") from error
    except ModuleNotFoundError as error:
        raise _missing_module(error, root=root, what=what) from error
    except (Exception, SystemExit) as error:
        raise DiscoveryError(
            f"{what} cannot be loaded: {show_error(error, root)}.", hint=_find_hint(error)
        ) from error
    if not _is_same(getattr(module, "__file__", None), file):
        raise DiscoveryError(
            f"{what} cannot be loaded: Python finds another module called '{name}', {getattr(module, '__file__', None)}.",
            hint=f"Rename {show_path(file, root)}, or take the other one off the path.",
        )
    return module


def _find_hint(error: BaseException) -> str | None:
    said = str(error)
    if isinstance(error, (ImportError, AttributeError)) and "partially initialized" in said:
        return "Modules that import each other: move what both need into a third one."
    if isinstance(error, TypeError) and said.startswith("non-default argument"):
        return "The fields that a parameter class begins with have defaults: give yours one, or write @dataclass(kw_only=True)."
    return find_meant_name(error)


def may_have_imported() -> bool:
    """Say whether this process can have code of a project in it."""
    return bool(_first)


def put_first(root: Path) -> None:
    """Put a project's folder first on ``sys.path``, so that its modules win over installed ones."""
    folder = str(root)
    if not _first:
        # From here on there can be something of the person's.
        garbage.pass_over()
    _first.add(folder)
    if sys.path[:1] != [folder]:
        sys.path[:] = [folder, *(place for place in sys.path if place != folder)]


def add_place(error: CurifactoryError, root: Path) -> None:
    """Note on an error where in the project it was raised."""
    frames = _find_frames(error, root)
    if frames:
        error.add_note(f"at {frames[-1].place}")


def show_error(error: BaseException, root: Path) -> str:
    """Return what was raised and the innermost line of the project that it came from."""
    said = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        shown = f"it ends the program ({type(error).__name__}{f': {said}' if said else ''})"
    else:
        shown = f"{type(error).__name__}{f': {said}' if said else ''}"
    frames = _find_frames(error, root)
    return f"{shown.rstrip('.')} ({frames[-1].place})" if frames else shown.rstrip(".")


def _find_frames(error: BaseException, root: Path) -> list[PersonFrame]:
    from curifactory.project.frames import find_frames

    return find_frames(error, root)


def _show_syntax(error: SyntaxError, root: Path) -> str:
    where = show_path(Path(error.filename), root) if error.filename else "a file"
    source = (error.text or "").strip()
    said = f"{where}:{error.lineno or 1}: {type(error).__name__}: {error.msg}"
    return f"{said}: {source}" if source else said


def _missing_module(error: ModuleNotFoundError, *, root: Path, what: str) -> DiscoveryError:
    missing = error.name or ""
    top = missing.partition(".")[0]
    frames = _find_frames(error, root)
    place = f" ({frames[-1].place})" if frames else ""
    here = sorted({entry.name.partition(".")[0] for entry in os.scandir(root) if _is_module(entry)})
    if not top:
        return DiscoveryError(f"{what} cannot be loaded: {show_error(error, root)}.")
    if top in here:
        return DiscoveryError(
            f"{what} imports '{missing}', which this project does not have{place}.",
            hint=find_meant_module(missing, root),
        )
    near = find_nearest(top, here, limit=1)
    hint = f"Install it with: pip install {_DISTRIBUTIONS.get(top, top)}"
    if near:
        hint = f"Did you mean '{near[0]}' of this project? {hint}"
    if top in sys.modules and top != missing:
        # Part of a package that is there: another version of it is meant.
        return DiscoveryError(
            f"{what} imports '{missing}', which the installed '{top}' does not have{place}.",
            hint=find_meant_module(missing, root),
        )
    return DiscoveryError(f"{what} needs the package '{top}', which is not installed{place}.", hint=hint)


def _is_module(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".py") or (entry.name.isidentifier() and entry.is_dir())


def _claim(package: str, root: Path) -> None:
    """Make a dotted name stand for the project's folder of that name.

    A folder without ``__init__.py`` loses against an installed package of the same name even if it comes first on
    ``sys.path``; so it gets a module of its own. What was loaded from elsewhere under the name is forgotten.
    """
    parent, folder = "", root
    for part in package.split("."):
        if not part:
            return
        name, folder = f"{parent}.{part}".lstrip("."), folder / part
        if not folder.is_dir():
            return
        loaded = sys.modules.get(name)
        if loaded is not None and not any(
            _is_same(place, folder) for place in getattr(loaded, "__path__", ())
        ):
            _forget(name)
            loaded = None
        if loaded is None and not (folder / "__init__.py").exists():
            _make_package(name, folder)
        parent = name


def _make_package(name: str, folder: Path) -> None:
    specification = importlib.machinery.ModuleSpec(name, None, is_package=True)
    specification.submodule_search_locations = [str(folder)]
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    parent, _, own = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], own, module)


def _forget(name: str) -> None:
    for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        del sys.modules[loaded]


def _is_same(place: str | None, path: Path) -> bool:
    if place is None:
        return False
    if place == str(path):
        return True
    try:
        return os.path.samefile(place, path)
    except OSError:
        return False
