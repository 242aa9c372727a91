"""``Lazy``: an output that stays in the cache until somebody asks for its value."""

from __future__ import annotations

from typing import Any, Protocol

from curifactory.errors import CacheError


class LazySource(Protocol):
    """What a handle needs of the slot behind it."""

    def load(self) -> Any:
        """Return the value."""
        ...

    def bound_cacher(self) -> Any:
        """Return the cacher of the artifact, placed so that ``get_path()`` answers where its file lies."""
        ...


class Lazy:
    """Wraps the name of an output so that its value is saved and dropped, and loaded when it is asked for.

    Parameters
    ----------
    name : str
        Name of the output.
    resolve : bool
        Whether stages and ``record.state[...]`` get the value (True) or this handle (False), for example to hand the path
        of the file, ``lazy.cacher.get_path()``, to another program.

    Examples
    --------
    >>> Lazy("corpus")
    Lazy("corpus")
    >>> str(Lazy("corpus", resolve=False))
    'corpus'
    """

    __slots__ = ("_source", "name", "resolve")
    # The class is public under curifactory.caching; this is the name that people see and import.
    __module__ = "curifactory.caching"

    def __init__(self, name: str, resolve: bool = True) -> None:
        self.name = name
        self.resolve = resolve
        self._source: LazySource | None = None

    @classmethod
    def of(cls, source: LazySource, name: str, *, resolve: bool) -> Lazy:
        """Return a fresh handle of one slot; handles are never shared between records."""
        handle = cls(name, resolve)
        handle._source = source
        return handle

    @property
    def cacher(self) -> Any:
        """The cacher of the artifact, or None for a ``Lazy`` that only stands in a decorator."""
        return None if self._source is None else self._source.bound_cacher()

    def load(self) -> Any:
        """Load the value from the cache.

        Raises
        ------
        CacheError
            If this is the ``Lazy`` of a decorator, which belongs to no record.
        """
        if self._source is None:
            raise CacheError(
                f"Lazy('{self.name}') of a decorator has no value.",
                hint="Ask the record: set record.state.resolve = False and take record.state['…'].",
            )
        return self._source.load()

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f'Lazy("{self.name}")'
