"""``NumpyCacher``: arrays as ``.npy``, dictionaries of arrays as ``.npz``; lazy ones are mapped into memory."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING, Any, Literal

from curifactory.caching.cacheable import Cacheable
from curifactory.caching.fixed_zip import fixed_entry
from curifactory.caching.type_names import with_article
from curifactory.errors import CacheError

if TYPE_CHECKING:
    import numpy as np

# NumPy refuses to read headers of more than 10,000 bytes.
_LONGEST_DESCRIPTION = 9_000

MapMode = Literal["r", "r+", "c"]


class NumpyCacher(Cacheable):
    """Saves a NumPy array of any shape, or a dictionary of text to arrays.

    Parameters
    ----------
    path_override : str, optional
        As for :class:`Cacheable`; ends with ``.npz`` for a dictionary.
    allow_pickle : bool
        Take arrays of Python objects too; their elements are pickled.
    **kwargs
        As for :class:`Cacheable`.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = NumpyCacher(f"{folder}/weights.npz")
    ...     cacher.save({"layer": np.ones((2, 3)), "bias": np.zeros(3)})
    ...     cacher.load()["layer"].shape
    (2, 3)
    """

    extension = ".npy"
    lossless = True

    def __init__(
        self,
        path_override: str | os.PathLike[str] | None = None,
        *,
        allow_pickle: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(path_override, **kwargs)
        self.allow_pickle = allow_pickle
        self.runs_code = allow_pickle

    def save(self, obj: Any) -> None:
        """Write the array or arrays.

        Raises
        ------
        CacheError
            If the value is something else, has Python objects, or a type that the format does not know.
        """
        if type(obj) is dict:
            self._save_all(obj)
            return
        self._check(obj, "it")

        with open(self._path_to_write(".npy"), "wb") as file:
            self._write(file, obj)
        self.extra_metadata["format"] = "npy"

    def load(self, mmap_mode: MapMode | None = None) -> Any:
        """Read the array or arrays.

        Parameters
        ----------
        mmap_mode : str, optional
            Map an array into memory instead of reading it: ``"r"`` read only, ``"c"`` copy on write, ``"r+"`` changes the
            file. Arrays of a dictionary are always read.

        Raises
        ------
        CacheError
            If the file is not what ``save`` writes.
        """
        import numpy as np

        path = self._path_to_read()
        try:
            if path.endswith(".npz"):
                with open(path, "rb") as file, np.load(file, allow_pickle=self.allow_pickle) as arrays:
                    return {name: arrays[name] for name in arrays.files}
            with open(path, "rb") as file:
                if mmap_mode is None or not _is_mappable(file):
                    return np.lib.format.read_array(file, allow_pickle=self.allow_pickle)
            # Without the subclass: an array is what was saved.
            return np.asarray(np.lib.format.open_memmap(path, mode=mmap_mode))
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise CacheError(
                f"{path} holds no arrays: {error}.", hint="Delete it to have it made again."
            ) from error

    def load_lazy(self) -> Any:
        """Map the array into memory: nothing is read until it is used, and changes to it stay in memory."""
        return self.load(mmap_mode="c")

    def _save_all(self, arrays: dict[Any, Any]) -> None:
        for name, array in arrays.items():
            if type(name) is not str or "\0" in name:
                raise self.refusal(f"the key {name!r} cannot name an array.", hint="Use texts as keys.")
            self._check(array, f"value[{name!r}]")

        with zipfile.ZipFile(self._path_to_write(".npz"), "w") as archive:
            for name, array in arrays.items():
                with archive.open(fixed_entry(f"{name}.npy"), "w", force_zip64=True) as file:
                    self._write(file, array)
        self.extra_metadata["format"] = "npz"

    def _write(self, file: Any, array: Any) -> None:
        import numpy as np

        # Only version 3 of the format knows all letters in names of fields; left to itself, NumPy warns about it.
        version = None if _description(array.dtype).isascii() else (3, 0)
        np.lib.format.write_array(file, np.asarray(array), version=version, allow_pickle=self.allow_pickle)

    def _check(self, array: Any, where: str) -> None:
        import numpy as np

        kind = type(array)
        if kind is not np.ndarray and kind is not np.memmap:
            raise self.refusal(
                f"{where} is {with_article(kind)}, no numpy.ndarray.",
                hint="Return an array or a dictionary of arrays, or use PickleCacher.",
            )
        dtype = array.dtype
        if dtype.hasobject:
            if not self.allow_pickle:
                raise self.refusal(
                    f"{where} has Python objects ({dtype}).",
                    hint="Give it another dtype, or use NumpyCacher(allow_pickle=True).",
                )
        elif not _survives(dtype):
            raise self.refusal(
                f"{where} has the dtype {dtype}, which the .npy format does not keep.",
                hint="Use PickleCacher.",
            )

    def _path_to_write(self, extension: str) -> str:
        own = self._path_extension()
        if self.path_override is None:
            return self.get_path(extension)
        if own != extension:
            raise self.refusal(
                f"the file of {'a dictionary of arrays' if extension == '.npz' else 'an array'} ends with "
                f"{extension}, this one with {own or 'nothing'}.",
                hint=f"Give it a path_override that ends with {extension}.",
            )
        return self.get_path()

    def _path_to_read(self) -> str:
        if self.path_override is not None:
            return self.get_path()
        known = self.extra_metadata.get("format")
        if known is not None:
            return self.get_path(f".{known}")
        found = [path for path in (self.get_path(".npy"), self.get_path(".npz")) if os.path.exists(path)]
        if len(found) == 2:
            raise CacheError(
                f"There are both {found[0]} and {found[1]}.",
                hint="Delete the one that is not meant, or give the path.",
            )
        return found[0] if found else self.get_path(".npy")

    def check(self) -> bool:
        """Return whether the file is there and not to be overwritten."""
        overwrite = getattr(getattr(self.record, "params", None), "overwrite", False)
        return not overwrite and os.path.exists(self._path_to_read())


def _survives(dtype: np.dtype[Any]) -> bool:
    import numpy as np

    try:
        read_back = np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype))
    except (TypeError, ValueError):
        return False
    return bool(read_back == dtype) and len(_description(dtype).encode()) < _LONGEST_DESCRIPTION


def _description(dtype: np.dtype[Any]) -> str:
    import numpy as np

    return repr(np.lib.format.dtype_to_descr(dtype))


def _is_mappable(file: Any) -> bool:
    """Say whether the array has bytes to map, and leave the file at its beginning."""
    import numpy as np

    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(file)
    file.seek(0)
    return bool(np.prod(shape) and dtype.itemsize and not dtype.hasobject)
