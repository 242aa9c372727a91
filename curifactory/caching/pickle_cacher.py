"""``PickleCacher``: any Python value that can be pickled."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from curifactory.caching.cacheable import Cacheable
from curifactory.caching.pickled_names import NamingPickler, find_unpicklable, has_sets
from curifactory.caching.type_names import with_article
from curifactory.errors import UnidentifiableError


class PickleCacher(Cacheable):
    """Saves a value with :mod:`pickle`, protocol 5.

    Loading runs code that the file names: load only what your own project has made.

    Attributes
    ----------
    names : tuple of str
        ``module:qualified.name`` of each class and function that the last saved pickle refers to. Also stands in
        ``extra_metadata["names"]``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = PickleCacher(f"{folder}/pair.pkl")
    ...     cacher.save((1, {"a"}))
    ...     cacher.load()
    (1, {'a'})
    """

    extension = ".pkl"
    lossless = True
    runs_code = True
    names: tuple[str, ...] = ()

    def save(self, obj: Any) -> None:
        """Pickle the value.

        Raises
        ------
        CacheError
            If it cannot be pickled; names the part that cannot.
        """
        with open(self.get_path(), "wb") as file:
            pickler = NamingPickler(file)
            try:
                pickler.dump(obj)
            except OSError:
                raise
            except Exception as error:
                path, part = find_unpicklable(obj)
                raise self.refusal(
                    f"{path} is {with_article(type(part))} that cannot be pickled ({error}).",
                    hint="Leave that part out of the output, define functions and classes at the top of a module, "
                    "or write a cacher for this type.",
                ) from error
        self.names = pickler.names()
        if self.names:
            self.extra_metadata["names"] = list(self.names)

    def load(self) -> Any:
        """Unpickle the value."""
        with open(self.get_path(), "rb") as file:
            return pickle.load(file)

    def digest(self, value: Any, files: Sequence[str]) -> str | None:
        """Return the canonical digest of a value with sets, whose bytes differ between processes.

        Parameters
        ----------
        value : object
            What was saved.
        files : sequence of str
            Where it was saved.
        """
        if not has_sets(value):
            return None
        from curifactory.identity.canonical import digest

        try:
            return f"canonical:{digest(value, path='value', as_read=True)}"
        except UnidentifiableError:
            return None
