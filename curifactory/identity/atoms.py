"""Encoders for the standard library's values: numbers, dates, paths, patterns, addresses, collections."""

from __future__ import annotations

import os
import pathlib
from typing import Any

from curifactory.identity.encoding import (
    Encoder,
    Refusal,
    Walk,
    encode,
    encode_buffer,
    encode_items,
    encode_pairs,
    record,
    relative_to,
    text,
)


def _by_text(kind: bytes) -> Encoder:
    def encode_text(value: Any, walk: Walk) -> bytes:
        return record(kind, text(str(value)))

    return encode_text


def _by_attributes(kind: bytes, *names: str) -> Encoder:
    def encode_attributes(value: Any, walk: Walk) -> bytes:
        return record(kind, *[encode(getattr(value, name), walk) for name in names])

    return encode_attributes


def _datetime(value: Any, walk: Walk) -> bytes:
    naive = value.replace(tzinfo=None).isoformat()
    return record(b"datetime", text(naive), b"i%x;" % value.fold, encode(value.tzinfo, walk))


def _time(value: Any, walk: Walk) -> bytes:
    naive = value.replace(tzinfo=None).isoformat()
    return record(b"time", text(naive), b"i%x;" % value.fold, encode(value.tzinfo, walk))


def _zone_info(value: Any, walk: Walk) -> bytes:
    if value.key is None:
        raise Refusal("it is a time zone that was read from a file and has no key")
    return record(b"zone", text(value.key))


def _path(value: pathlib.PurePath, walk: Walk) -> bytes:
    if walk.root is not None:
        below = relative_to(os.fspath(value), walk.root)
        if below is not None:
            return record(b"path-below-root", text(below))
    # A path of this machine's own kind is written alike on all of them, so that a relative one means the same everywhere.
    native = isinstance(value, (pathlib.Path, type(pathlib.PurePath())))
    kind = b"path" if native else b"path-" + type(value).__name__.encode()
    return record(kind, text(value.as_posix()))


def _pattern(value: Any, walk: Walk) -> bytes:
    return record(b"pattern", encode(value.pattern, walk), b"i%x;" % value.flags)


def _memoryview(value: memoryview, walk: Walk) -> bytes:
    shape = encode(value.shape, walk)
    return record(b"memoryview", text(value.format), shape, encode_buffer(value.tobytes(), walk))


def _array(value: Any, walk: Walk) -> bytes:
    return record(b"array", text(value.typecode), encode_buffer(value.tobytes(), walk))


def _ordered(kind: bytes) -> Encoder:
    def encode_ordered(value: Any, walk: Walk) -> bytes:
        walk.enter(value)
        return walk.leave(value, record(kind, *encode_pairs(value, walk)))

    return encode_ordered


def _unordered(kind: bytes) -> Encoder:
    def encode_unordered(value: Any, walk: Walk) -> bytes:
        walk.enter(value)
        return walk.leave(value, record(kind, *walk.arrange(encode_pairs(value, walk))))

    return encode_unordered


def _default_dict(value: Any, walk: Walk) -> bytes:
    walk.enter(value)
    factory = encode(value.default_factory, walk)
    return walk.leave(value, record(b"defaultdict", factory, *walk.arrange(encode_pairs(value, walk))))


def _deque(value: Any, walk: Walk) -> bytes:
    walk.enter(value)
    return walk.leave(value, record(b"deque", encode(value.maxlen, walk), *encode_items(value, walk)))


def _chain_map(value: Any, walk: Walk) -> bytes:
    walk.enter(value)
    return walk.leave(value, record(b"chainmap", *encode_items(value.maps, walk)))


def _namespace(value: Any, walk: Walk) -> bytes:
    walk.enter(value)
    return walk.leave(value, record(b"namespace", *sorted(encode_pairs(value.__dict__, walk))))


def _items_view(value: Any, walk: Walk) -> bytes:
    return record(b"view-" + type(value).__name__.encode(), *sorted(encode_items(value, walk)))


def _forward_reference(value: Any, walk: Walk) -> bytes:
    # What else it holds is filled in when somebody evaluates it.
    module = value.__forward_module__
    return record(b"forward", text(value.__forward_arg__), text(str(getattr(module, "__name__", module))))


def _logger(value: Any, walk: Walk) -> bytes:
    return record(b"logger", text(value.name))


BY_NAME: dict[str, Encoder] = {
    "decimal.Decimal": _by_text(b"decimal"),
    "fractions.Fraction": _by_attributes(b"fraction", "numerator", "denominator"),
    "uuid.UUID": _by_attributes(b"uuid", "int"),
    "datetime.datetime": _datetime,
    "datetime.date": _by_text(b"date"),
    "datetime.time": _time,
    "datetime.timedelta": _by_attributes(b"timedelta", "days", "seconds", "microseconds"),
    "zoneinfo.ZoneInfo": _zone_info,
    "builtins.range": _by_attributes(b"range", "start", "stop", "step"),
    "builtins.slice": _by_attributes(b"slice", "start", "stop", "step"),
    "builtins.memoryview": _memoryview,
    "array.array": _array,
    "re.Pattern": _pattern,
    "ipaddress.IPv4Address": _by_text(b"ipv4"),
    "ipaddress.IPv6Address": _by_text(b"ipv6"),
    "ipaddress.IPv4Network": _by_text(b"ipv4-network"),
    "ipaddress.IPv6Network": _by_text(b"ipv6-network"),
    "ipaddress.IPv4Interface": _by_text(b"ipv4-interface"),
    "ipaddress.IPv6Interface": _by_text(b"ipv6-interface"),
    "collections.OrderedDict": _ordered(b"ordereddict"),
    "collections.Counter": _unordered(b"counter"),
    "collections.defaultdict": _default_dict,
    "collections.deque": _deque,
    "collections.ChainMap": _chain_map,
    "builtins.mappingproxy": _unordered(b"mappingproxy"),
    "types.SimpleNamespace": _namespace,
    "builtins.dict_keys": _items_view,
    "typing.ForwardRef": _forward_reference,
    "annotationlib.ForwardRef": _forward_reference,
    "logging.Logger": _logger,
    "logging.RootLogger": _logger,
    "pathlib.PurePath": _path,
    "pathlib._local.PurePath": _path,
}
