"""``PandasCacher`` and its two short forms: frames in the file formats that pandas writes."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from curifactory import optional
from curifactory.caching.cacheable import Cacheable
from curifactory.caching.fixed_zip import fix_zip_dates
from curifactory.caching.frame_formats import FrameFormat, get_format
from curifactory.caching.parquet_cacher import comes_back
from curifactory.caching.type_names import with_article
from curifactory.core.secrets import mask_tree
from curifactory.errors import CurifactoryError, UnidentifiableError

_log = logging.getLogger(__name__)


class PandasCacher(Cacheable):
    """Saves a ``pandas.DataFrame``; with ``pickle`` and ``hdf5`` also a ``Series``.

    Only ``pickle`` and ``parquet`` know all types of columns and indexes. What is loaded from another format may differ from
    what was saved, so the first reader gets the loaded frame like every later one.

    Parameters
    ----------
    path_override : str, optional
        As for :class:`Cacheable`.
    format : str
        ``csv``, ``json``, ``parquet``, ``pickle``, ``orc``, ``hdf5``, ``excel`` or ``xml``.
    to_args, read_args : mapping, optional
        Arguments of pandas' ``to_…`` and ``read_…`` function; they stand in place of the default ones.
    **kwargs
        As for :class:`Cacheable`.

    Raises
    ------
    DefinitionError
        If there is no such format.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = PandasCacher(f"{folder}/numbers.csv", format="csv")
    ...     cacher.save(pd.DataFrame({"a": [1, 2]}))
    ...     cacher.load()["a"].sum()
    np.int64(3)
    """

    def __init__(
        self,
        path_override: str | os.PathLike[str] | None = None,
        format: str = "pickle",
        to_args: Mapping[str, Any] | None = None,
        read_args: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        chosen = get_format(format)
        self.format = format
        self.extension = chosen.extension
        self.lossless = chosen.keeps_types
        # pandas keeps objects in HDF5 as pickles.
        self.runs_code = format in ("pickle", "hdf5")
        self.to_args = dict(chosen.to_args if to_args is None else to_args)
        self.read_args = dict(chosen.read_args if read_args is None else read_args)
        super().__init__(path_override, **kwargs)

    def save(self, obj: Any) -> None:
        """Write the frame.

        Raises
        ------
        CacheError
            If the value is no frame, or the format cannot hold it.
        ConfigurationError
            If the format needs a package that is not installed.
        """
        self._require_package()
        import pandas as pd

        if isinstance(obj, pd.Series) and not self._format.takes_series:
            raise self.refusal(
                f"it is a pandas.Series, which comes back from {self.format} as a DataFrame.",
                hint="Save series.to_frame(), or use format='pickle'.",
            )
        if not isinstance(obj, (pd.DataFrame, pd.Series)):
            raise self.refusal(
                f"it is {with_article(type(obj))}, no pandas.DataFrame.",
                hint="Use a cacher for that type.",
            )
        path = self.get_path()
        arguments = _with_fixed_time(self.to_args, path)
        try:
            getattr(obj, self._format.writer)(path, **arguments)
        except (OSError, CurifactoryError):
            raise
        except Exception as error:
            raise self.refusal(
                f"{self.format} cannot hold this frame ({error}).",
                hint="Use format='pickle', or change the columns.",
            ) from error
        if self.format != "hdf5" and zipfile.is_zipfile(path):
            fix_zip_dates(path)
        if self.format == "parquet":
            self.lossless = comes_back(obj, "pandas.DataFrame")
        self.extra_metadata.update(
            pandas_version=pd.__version__,
            format=self.format,
            to_args=_as_json(self.to_args),
            read_args=_as_json(self.read_args),
        )

    def load(self) -> Any:
        """Read the frame.

        Raises
        ------
        ConfigurationError
            If the format needs a package that is not installed.
        """
        self._require_package()
        import pandas as pd

        written = self.extra_metadata.get("pandas_version")
        if written is not None and written != pd.__version__:
            _log.warning("%s was written with pandas %s, this is %s", self._target(), written, pd.__version__)
        arguments = dict(self.read_args)
        if (
            self.format == "csv"
            and not arguments.keys() & {"float_precision", "engine"}
            and not _reads_exactly(pd)
        ):
            arguments["float_precision"] = "round_trip"
        return getattr(pd, self._format.reader)(self.get_path(), **arguments)

    def digest(self, value: Any, files: Sequence[str]) -> str | None:
        """Return the digest of the frame itself for ``hdf5``, whose files hold the time of their making.

        Parameters
        ----------
        value : pandas.DataFrame
            What was saved.
        files : sequence of str
            Where it was saved.
        """
        if self._format.same_bytes:
            return None
        from curifactory.identity.canonical import digest

        try:
            return f"canonical:{digest(value, path='value', as_read=True)}"
        except UnidentifiableError:
            return None

    def _require_package(self) -> None:
        package = self._format.package
        if package is not None and not self._goes_without(package):
            optional.require(
                package, extra=self._format.extra, purpose=f"{type(self).__name__}(format={self.format!r})"
            )

    @property
    def _format(self) -> FrameFormat:
        return get_format(self.format)

    def _goes_without(self, package: str) -> bool:
        # pandas can do these with other packages, if it is told to.
        own_engine = "engine" in self.to_args and "engine" in self.read_args
        own_parser = self.to_args.get("parser") == self.read_args.get("parser") == "etree"
        return own_parser if package == "lxml" else own_engine


class PandasCsvCacher(PandasCacher):
    """Saves a frame as CSV, the index as the first column.

    Parameters
    ----------
    path_override : str, optional
        As for :class:`Cacheable`.
    to_csv_args, read_csv_args : mapping, optional
        Arguments of ``DataFrame.to_csv`` and ``pandas.read_csv``; the latter are ``index_col=0`` and exact numbers if not
        given.
    **kwargs
        As for :class:`Cacheable`.

    Examples
    --------
    >>> PandasCsvCacher(to_csv_args={"sep": ";"}).to_args
    {'sep': ';'}
    """

    def __init__(
        self,
        path_override: str | os.PathLike[str] | None = None,
        to_csv_args: Mapping[str, Any] | None = None,
        read_csv_args: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(path_override, format="csv", to_args=to_csv_args, read_args=read_csv_args, **kwargs)


class PandasJsonCacher(PandasCacher):
    """Saves a frame as JSON.

    Parameters
    ----------
    path_override : str, optional
        As for :class:`Cacheable`.
    to_json_args, read_json_args : mapping, optional
        Arguments of ``DataFrame.to_json`` and ``pandas.read_json``; numbers keep 15 digits if not given.
    **kwargs
        As for :class:`Cacheable`.

    Examples
    --------
    >>> PandasJsonCacher().to_args
    {'double_precision': 15}
    """

    def __init__(
        self,
        path_override: str | os.PathLike[str] | None = None,
        to_json_args: Mapping[str, Any] | None = None,
        read_json_args: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            path_override, format="json", to_args=to_json_args, read_args=read_json_args, **kwargs
        )


PandasCSVCacher = PandasCsvCacher
"""The same, under the other name by which people know it."""


def _with_fixed_time(arguments: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Let gzip leave the time out of its header."""
    compression = arguments.get("compression", "infer")
    method = compression.get("method") if isinstance(compression, Mapping) else compression
    if method != "gzip" and not (method == "infer" and path.endswith(".gz")):
        return {**arguments}
    options = dict(compression) if isinstance(compression, Mapping) else {}
    return {**arguments, "compression": {"mtime": 0, **options, "method": "gzip"}}


def _reads_exactly(pandas: Any) -> bool:
    """Say whether numbers in CSV are read exactly by themselves; before pandas 3.1 the last digit may be off by one."""
    major, minor = pandas.__version__.split(".")[:2]
    return (int(major), int(minor)) >= (3, 1)


def _as_json(arguments: Mapping[str, Any]) -> dict[str, Any]:
    # For people to read: `load` takes its own. Credentials of a storage do not belong into a manifest.
    plain = (str, int, float, bool, type(None))
    return {
        name: value if isinstance(value, plain) else repr(value)
        for name, value in mask_tree(arguments).items()
    }
