"""The file formats of ``PandasCacher``: extensions, methods of pandas, default arguments, what must be installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from curifactory.errors import DefinitionError

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FrameFormat:
    """One format.

    Parameters
    ----------
    name : str
        What people call it.
    extension : str
        Of its files.
    writer, reader : str
        Method of a frame that writes it, function of pandas that reads it.
    to_args, read_args : mapping
        Arguments when none are given.
    package, extra : str, optional
        What pandas needs for it, and the extra of curifactory that installs that.
    keeps_types : bool
        Whether a frame comes back with its types.
    takes_series : bool
        Whether a series comes back as one.
    same_bytes : bool
        Whether equal frames have equal bytes.
    """

    name: str
    extension: str
    writer: str
    reader: str
    to_args: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    read_args: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    package: str | None = None
    extra: str = "pandas"
    keeps_types: bool = False
    takes_series: bool = False
    same_bytes: bool = True


FORMATS: Mapping[str, FrameFormat] = MappingProxyType(
    {
        each.name: each
        for each in (
            FrameFormat("csv", ".csv", "to_csv", "read_csv", read_args={"index_col": 0}),
            FrameFormat(
                "json",
                ".json",
                "to_json",
                "read_json",
                to_args={"double_precision": 15},
                read_args={"precise_float": True},
            ),
            FrameFormat(
                "parquet",
                ".parquet",
                "to_parquet",
                "read_parquet",
                package="pyarrow",
                extra="arrow",
                keeps_types=True,
            ),
            FrameFormat("pickle", ".pkl", "to_pickle", "read_pickle", keeps_types=True, takes_series=True),
            FrameFormat("orc", ".orc", "to_orc", "read_orc", package="pyarrow", extra="arrow"),
            FrameFormat(
                "hdf5",
                ".h5",
                "to_hdf",
                "read_hdf",
                to_args={"key": "df"},
                package="tables",
                takes_series=True,
                same_bytes=False,
            ),
            FrameFormat(
                "excel", ".xlsx", "to_excel", "read_excel", read_args={"index_col": 0}, package="openpyxl"
            ),
            FrameFormat("xml", ".xml", "to_xml", "read_xml", to_args={"index": False}, package="lxml"),
        )
    }
)


def get_format(name: str) -> FrameFormat:
    """Return the format of a name.

    Raises
    ------
    DefinitionError
        If there is no such format; names those that there are.

    Examples
    --------
    >>> get_format("hdf5").extension
    '.h5'
    """
    found = FORMATS.get(name)
    if found is None:
        raise DefinitionError(
            f"PandasCacher has no format {name!r}.", hint=f"The formats are {', '.join(sorted(FORMATS))}."
        )
    return found
