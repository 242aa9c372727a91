"""The examples that a new project can begin with."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from curifactory.core.nearest import suggest
from curifactory.errors import ConfigurationError, StoreError

_FILES = MappingProxyType({"iris": ("experiments/iris.py", "params/iris.py")})
_NEEDS = MappingProxyType({"iris": (("sklearn", "scikit-learn"),)})
EXTRA = "examples"
# They come with the package; in a checkout, where nothing was installed, they are the project's own.
_PLACES = (Path(__file__).parent / "files", Path(__file__).parents[2])


@dataclass(frozen=True, slots=True)
class Example:
    """An example.

    Parameters
    ----------
    name : str
        As it is written on the command line.
    files : mapping of str to str
        Path in the project to text.
    needs : tuple of (str, str)
        Module and name of each package that it needs besides this one.
    """

    name: str
    files: MappingProxyType[str, str]
    needs: tuple[tuple[str, str], ...]

    def missing(self) -> list[str]:
        """Return the packages that are not installed here."""
        return [package for module, package in self.needs if importlib.util.find_spec(module) is None]


def list_examples() -> list[str]:
    """Return the names of the examples.

    Examples
    --------
    >>> list_examples()
    ['iris']
    """
    return list(_FILES)


def find_example(name: str) -> Example:
    """Return an example with its files.

    Raises
    ------
    ConfigurationError
        If there is none of this name.
    StoreError
        If its files are missing from this installation.

    Examples
    --------
    >>> list(find_example("iris").files)
    ['experiments/iris.py', 'params/iris.py']
    """
    if name not in _FILES:
        raise ConfigurationError(f"No example named '{name}'.", hint=suggest(name, list(_FILES), nothing=""))
    paths = _FILES[name]
    for place in _PLACES:
        if all((place / path).is_file() for path in paths):
            files = {path: (place / path).read_text(encoding="utf-8") for path in paths}
            return Example(name, MappingProxyType(files), _NEEDS[name])
    raise StoreError(
        f"The files of the example '{name}' are missing from this installation.",
        hint="Install curifactory again.",
    )
