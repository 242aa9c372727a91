"""How values that JSON lacks are written as JSON: a table of tags, each with its writer and its reader."""

from __future__ import annotations

import base64
import datetime as dt
import importlib
import math
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple
from uuid import UUID

#: Arrays above this are shown, not stored: they belong into artifacts.
LARGEST_ARRAY_BYTES = 65_536
_ZONE = "zoneinfo.ZoneInfo"


class Tag(NamedTuple):
    """One tag: the JSON object ``{name: write(value)}`` stands for a value, and ``read`` makes the value of it."""

    name: str
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def find_tag(value: Any) -> Tag | None:
    """Return the tag for a value without parts; None if there is none, or it would not come back equal.

    Examples
    --------
    >>> find_tag(b"ab").name, find_tag(b"ab").write(b"ab")
    ('$bytes', 'YWI=')
    >>> find_tag(object()) is None
    True
    """
    cls = type(value)
    tag = _BY_TYPE.get(cls) or _BY_TYPE_NAME.get(f"{cls.__module__}.{cls.__qualname__}")
    if tag is not None:
        return tag if _is_complete(value) else None
    if isinstance(value, PurePath):
        return _PATH
    if cls.__module__ == "numpy":
        return _find_array_tag(value)
    return None


def find_reader(name: str) -> Callable[[Any], Any] | None:
    """Return what reads the content of a tag; None if the tag is not one of this table."""
    tag = _BY_NAME.get(name)
    return None if tag is None else tag.read


def needs_tag(value: Any) -> bool:
    r"""Say whether a number or text of JSON's own kinds would not survive as JSON in UTF-8.

    Examples
    --------
    >>> needs_tag(1.5), needs_tag(float("nan")), needs_tag("\ud800")
    (False, True, True)
    """
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, str) and not value.isascii() and _has_surrogates(value)


def _is_complete(value: Any) -> bool:
    """Say whether the writer of a value's type can say all of it: not of clocks with a time zone of somebody else's."""
    if _is_zone(value):
        return value.key is not None
    if isinstance(value, (dt.datetime, dt.time)):
        zone: Any = value.tzinfo
        return zone is None or type(zone) is dt.timezone or (_is_zone(zone) and zone.key is not None)
    if isinstance(value, slice):
        return all(part is None or type(part) is int for part in (value.start, value.stop, value.step))
    return True


def _is_zone(value: Any) -> bool:
    return f"{type(value).__module__}.{type(value).__qualname__}" == _ZONE


def _import(module: str) -> Any:
    return importlib.import_module(module)


def _has_surrogates(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _write_bytes(value: bytes | bytearray) -> str:
    return base64.b64encode(value).decode("ascii")


def _read_bytes(content: str) -> bytes:
    return base64.b64decode(content, validate=True)


def _write_path(value: PurePath) -> dict[str, str]:
    kind = "path" if isinstance(value, Path) else "pure"
    return {
        "text": str(value),
        "kind": kind,
        "flavour": "windows" if isinstance(value, PureWindowsPath) else "posix",
    }


def _read_path(content: dict[str, str]) -> PurePath:
    flavour = PureWindowsPath if content["flavour"] == "windows" else PurePosixPath
    # A path of another system can be spoken of here, but not be opened.
    if content["kind"] == "path" and issubclass(type(Path()), flavour):
        return Path(content["text"])
    return flavour(content["text"])


def _write_moment(value: dt.datetime | dt.time) -> dict[str, Any]:
    content: dict[str, Any] = {"text": value.replace(tzinfo=None).isoformat()}
    if value.fold:
        content["fold"] = value.fold
    zone: Any = value.tzinfo
    if _is_zone(zone):
        content["zone"] = zone.key
    elif isinstance(zone, dt.timezone):
        content["offset"] = _write_span(zone.utcoffset(None))
    return content


def _read_zone(content: dict[str, Any]) -> dt.tzinfo | None:
    if "zone" in content:
        return _import("zoneinfo").ZoneInfo(content["zone"])  # type: ignore[no-any-return]
    return dt.timezone(_read_span(content["offset"])) if "offset" in content else None


def _read_datetime(content: dict[str, Any]) -> dt.datetime:
    moment = dt.datetime.fromisoformat(content["text"])
    return moment.replace(tzinfo=_read_zone(content), fold=content.get("fold", 0))


def _read_time(content: dict[str, Any]) -> dt.time:
    moment = dt.time.fromisoformat(content["text"])
    return moment.replace(tzinfo=_read_zone(content), fold=content.get("fold", 0))


def _write_span(value: dt.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _read_span(content: list[int]) -> dt.timedelta:
    return dt.timedelta(*content)


def _write_array(value: Any) -> dict[str, Any]:
    import numpy as np

    contiguous = np.ascontiguousarray(value)
    return {"dtype": value.dtype.str, "shape": list(value.shape), "bytes": _write_bytes(contiguous.tobytes())}


def _read_array(content: dict[str, Any]) -> Any:
    import numpy as np

    flat = np.frombuffer(_read_bytes(content["bytes"]), dtype=np.dtype(content["dtype"]))
    return flat.reshape(content["shape"]).copy()


def _write_scalar(value: Any) -> dict[str, str]:
    return {"dtype": value.dtype.str, "bytes": _write_bytes(value.tobytes())}


def _read_scalar(content: dict[str, str]) -> Any:
    import numpy as np

    return np.frombuffer(_read_bytes(content["bytes"]), dtype=np.dtype(content["dtype"]))[0]


def _find_array_tag(value: Any) -> Tag | None:
    import numpy as np

    dtype = getattr(value, "dtype", None)
    # Objects have no bytes of their own; the fields of records are not in `dtype.str`.
    if not isinstance(dtype, np.dtype) or dtype.hasobject or dtype.names is not None or dtype.itemsize == 0:
        return None
    if type(value) is np.ndarray:
        return _ARRAY if value.nbytes <= LARGEST_ARRAY_BYTES else None
    return _SCALAR if isinstance(value, np.generic) else None


_PATH = Tag("$path", _write_path, _read_path)
_ARRAY = Tag("$array", _write_array, _read_array)
_SCALAR = Tag("$scalar", _write_scalar, _read_scalar)
_BY_TYPE: dict[type, Tag] = {
    bytes: Tag("$bytes", _write_bytes, _read_bytes),
    bytearray: Tag("$bytearray", _write_bytes, lambda content: bytearray(_read_bytes(content))),
    complex: Tag(
        "$complex",
        lambda value: [repr(value.real), repr(value.imag)],
        lambda content: complex(*map(float, content)),
    ),
    dt.date: Tag("$date", dt.date.isoformat, dt.date.fromisoformat),
    dt.datetime: Tag("$datetime", _write_moment, _read_datetime),
    dt.time: Tag("$time", _write_moment, _read_time),
    dt.timedelta: Tag("$timedelta", _write_span, _read_span),
    dt.timezone: Tag(
        "$timezone",
        lambda value: _write_span(value.utcoffset(None)),
        lambda content: dt.timezone(_read_span(content)),
    ),
    float: Tag("$float", repr, float),
    range: Tag(
        "$range", lambda value: [value.start, value.stop, value.step], lambda content: range(*content)
    ),
    slice: Tag(
        "$slice", lambda value: [value.start, value.stop, value.step], lambda content: slice(*content)
    ),
    str: Tag(
        "$text",
        lambda value: _write_bytes(value.encode("utf-8", "surrogatepass")),
        lambda content: _read_bytes(content).decode("utf-8", "surrogatepass"),
    ),
    type(...): Tag("$ellipsis", lambda value: True, lambda content: ...),
    UUID: Tag("$uuid", str, UUID),
}
# Nobody has values of these who has not imported their modules, and these take longer than all others together.
_BY_TYPE_NAME: dict[str, Tag] = {
    "decimal.Decimal": Tag("$decimal", str, lambda content: _import("decimal").Decimal(content)),
    "fractions.Fraction": Tag("$fraction", str, lambda content: _import("fractions").Fraction(content)),
    _ZONE: Tag("$zone", str, lambda content: _import("zoneinfo").ZoneInfo(content)),
}
_BY_NAME: dict[str, Tag] = {
    tag.name: tag for tag in (*_BY_TYPE.values(), *_BY_TYPE_NAME.values(), _PATH, _ARRAY, _SCALAR)
}
