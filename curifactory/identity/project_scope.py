"""What counts as the project's own code, and what its modules are called in every process."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType

_INSTALLED = ("site-packages", "dist-packages")
_OURSELVES = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_MAIN = ("__main__", "__mp_main__")


@dataclass(frozen=True, slots=True)
class Scope:
    """The code whose changes matter.

    It is all Python code that nobody installed: below `root`, in editable installs and in folders that were put on the
    path, but neither in the standard library, nor in a ``site-packages`` or virtual environment, nor curifactory itself.
    What is defined in a notebook or at a prompt belongs to it.

    Parameters
    ----------
    root : Path
        The project's folder; places and names of scripts are relative to it.
    packages : tuple of str
        Installed packages whose code counts too.
    entrances : tuple of str
        Names of the modules that everything is imported from, such as those of an experiment and of its parameter files: what
        they and the modules that they import do when they are imported counts for all code.

    Examples
    --------
    >>> import json
    >>> Scope(Path.cwd()).contains(json)
    False
    >>> Scope(Path.cwd(), packages=("json",)).contains(json)
    True
    """

    root: Path
    packages: tuple[str, ...] = ()
    entrances: tuple[str, ...] = ()
    _root: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_root", os.path.realpath(self.root))

    @classmethod
    def unbounded(cls) -> Scope:
        """Return the scope that is used where no project is known: no root, all code that nobody installed."""
        return _unbounded()

    @property
    def root_path(self) -> str | None:
        """The real path of the root; None if it is the root of the whole file system."""
        return self._root if os.path.dirname(self._root) != self._root else None

    def contains(self, thing: ModuleType | Path | str) -> bool:
        """Whether a module (itself or its name) or a file belongs to the project.

        Parameters
        ----------
        thing : module, Path or str
            A string is a path if it has a separator or ends in ``.py``, otherwise the name of a loaded module.
        """
        if isinstance(thing, str) and (os.sep in thing or "/" in thing or thing.endswith(".py")):
            return self.contains_file(thing)
        if isinstance(thing, os.PathLike):
            return self.contains_file(os.fspath(thing))
        name = thing.__name__ if isinstance(thing, ModuleType) else thing
        if self.names(name):
            return True
        module = thing if isinstance(thing, ModuleType) else sys.modules.get(name)
        if module is None:
            return False
        return self.contains_module(name, module.__dict__)

    def contains_module(self, name: str, namespace: dict[str, object]) -> bool:
        """Whether the module with this name and namespace belongs to the project."""
        if self.names(name):
            return True
        file = namespace.get("__file__")
        if isinstance(file, str) and not file.startswith("<"):
            return _is_uninstalled(file)
        # A namespace package has folders instead of a file; a notebook and a prompt have neither.
        folders = namespace.get("__path__")
        if folders is not None:
            return any(_is_uninstalled(os.path.join(folder, "__init__.py")) for folder in list(folders))  # type: ignore[call-overload]
        return name in _MAIN

    def contains_file(self, path: str) -> bool:
        """Whether a file belongs to the project."""
        if _is_uninstalled(path):
            return True
        parts = path.replace("\\", "/").split("/")
        return any(package.split(".")[0] in parts for package in self.packages)

    def acts(self, module: ModuleType) -> bool:
        """Whether it counts what a module does when it is imported by another one.

        It does if it lies in the project's own folder, also by a link, or in a named package; where no root is known, in any
        folder that nobody installed.
        """
        if self.names(module.__name__):
            return True
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not _is_uninstalled(file):
            return False
        if self.root_path is None or _real(file).startswith(self._root + os.sep):
            return True
        return os.path.abspath(file).startswith((self._root + os.sep, os.path.abspath(self.root) + os.sep))

    def names(self, module: str) -> bool:
        """Whether a module is one of the named packages or inside of one."""
        if not self.packages:
            return False
        return any(module == package or module.startswith(package + ".") for package in self.packages)

    def relative(self, path: str) -> str:
        """Return the path relative to the root with forward slashes; paths elsewhere stay as they are."""
        real = _real(path)
        if real.startswith(self._root + os.sep):
            return real[len(self._root) + 1 :].replace(os.sep, "/")
        return path

    def module_name(self, name: str, file: str | None = None) -> str:
        """Return the name that a module has in every process: a script's ``__main__`` becomes its place below the root.

        Parameters
        ----------
        name : str
            What the module is called in this process.
        file : str, optional
            Its file, if that is known better than from ``sys.modules``.
        """
        if name not in _MAIN:
            return name
        main = sys.modules.get(name)
        spec = getattr(main, "__spec__", None)
        if spec is not None and file is None:
            return str(spec.name).removesuffix(".__main__")
        file = file or getattr(main, "__file__", None)
        if not isinstance(file, str) or file.startswith("<"):
            return "__main__"
        relative = self.relative(os.path.abspath(file)) if self.root_path else os.path.basename(file)
        if os.path.isabs(relative):
            relative = os.path.basename(relative)
        return os.path.splitext(relative)[0].replace("/", ".")


@lru_cache(maxsize=1)
def _unbounded() -> Scope:
    return Scope(Path(os.path.abspath(os.sep)))


@lru_cache(maxsize=1)
def _library_folders() -> tuple[str, ...]:
    # What `sysconfig` says as well, for which it reads all that this Python was built with, in every worker.
    library = os.path.dirname(os.__file__)
    compiled = os.path.join(sys.exec_prefix, os.path.relpath(library, sys.base_prefix))
    return tuple(os.path.realpath(each) + os.sep for each in (library, compiled))


@lru_cache(maxsize=4096)
def _real(path: str) -> str:
    return os.path.realpath(path)


@lru_cache(maxsize=4096)
def _is_uninstalled(path: str) -> bool:
    if path.startswith("<"):
        return False
    real = _real(path)
    parts = real.split(os.sep)
    if any(part in _INSTALLED for part in parts) or real.startswith(_library_folders()):
        return False
    if real.startswith(_OURSELVES + os.sep):
        return False
    environment = _environment_above(os.path.dirname(real))
    # `pip install -e git+…` puts working trees into the folder `src` of the environment.
    return environment is None or real.startswith(os.path.join(environment, "src") + os.sep)


@lru_cache(maxsize=4096)
def _environment_above(folder: str) -> str | None:
    if os.path.exists(os.path.join(folder, "pyvenv.cfg")):
        return folder
    above = os.path.dirname(folder)
    return None if above == folder else _environment_above(above)
