"""The canonical encoding of plain values: typed, tagged, length-delimited bytes that say all there is to a value.

Every encoding starts with a tag and says where it ends, so no two different trees of values share one. Types beyond
the plain ones are encoded by the neighbouring files, which `dispatch` finds by type.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from typing import Any

from curifactory.errors import UnidentifiableError

Encoder = Callable[[Any, "Walk"], bytes]

_SEAL_ABOVE = 4096
_REMEMBER_ABOVE = 512
_INLINE_BELOW = 65536
_NAN = b"f\x7f\xf8\x00\x00\x00\x00\x00\x00"
_LENGTHS = [b"%d:" % size for size in range(256)]
_STRINGS = [b"s%d:" % size for size in range(256)]
_pack_double = struct.Struct(">d").pack


class Refusal(Exception):  # noqa: N818 - it is no error: the face turns it into one
    """A value inside of the one that is encoded has no identity; carries the steps that lead to it, innermost first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str] = []

    def at(self, step: str) -> Refusal:
        """Note one more step of the path, going outwards."""
        self.steps.append(step)
        return self

    def as_error(self, path: str) -> UnidentifiableError:
        """Return the error that people see, with the whole path from `path` on."""
        where = path + "".join(reversed(self.steps))
        return UnidentifiableError(
            f"{where} cannot be identified: {self.reason}.",
            hint=(
                "Give it as a value that another process can rebuild (a name, numbers, a path), or say in "
                "hash_representations what stands for it: a function (param_set, value) -> value, or None to ignore it."
            ),
        )


class Walk:
    """One encoding under way: what is open above the current value, and who knows about types and code.

    Parameters
    ----------
    resolve : callable
        Gives the encoder for a type that `PLAIN` does not have.
    code_of : callable
        Is asked about every function, class and module that is met; returns a text that stands for its code, or None
        if its name says enough.
    module_name : callable
        Gives the name that a module has in every process; ``__main__`` is none.
    is_own : callable
        Says of the name of a module whether it belongs to the project.
    root : str, optional
        A folder; strings and paths below it are encoded relative to it.

    Attributes
    ----------
    names_sets : bool
        Whether the name of a parameter set counts that has nothing around it: nobody sees who reads it.
    is_ordered : bool
        Whether the order of dictionaries counts.
    has_order : bool
        Whether dictionaries were met whose order did not count.
    """

    __slots__ = (
        "buffered",
        "code_of",
        "has_order",
        "is_ordered",
        "is_own",
        "module_name",
        "names_sets",
        "open",
        "remembered",
        "resolve",
        "root",
    )

    def __init__(
        self,
        resolve: Callable[[type], Encoder],
        code_of: Callable[[Any], str | None],
        module_name: Callable[[str], str],
        is_own: Callable[[str], bool],
        *,
        root: str | None = None,
    ) -> None:
        self.resolve = resolve
        self.code_of = code_of
        self.module_name = module_name
        self.is_own = is_own
        self.root = root
        self.open: set[int] = set()
        self.remembered: dict[int, tuple[Any, bytes]] = {}
        self.buffered = 0
        self.names_sets = False
        self.is_ordered = False
        self.has_order = False

    def arrange(self, pairs: list[bytes]) -> list[bytes]:
        """Return the encoded entries of a mapping as they count: in canonical order, or as they are."""
        if not self.is_ordered and len(pairs) > 1:
            self.has_order = True
            pairs.sort()
        return pairs

    def enter(self, value: Any) -> None:
        """Note that the content of `value` is now being encoded.

        Raises
        ------
        Refusal
            If it already is: the value contains itself.
        """
        if id(value) in self.open:
            raise Refusal("it contains itself")
        self.open.add(id(value))

    def leave(self, value: Any, encoded: bytes) -> bytes:
        """Close `value`; long encodings are kept for the next time it is met and replaced by their digest."""
        self.open.discard(id(value))
        if len(encoded) > _SEAL_ABOVE:
            self.buffered += len(encoded)
            encoded = b"#" + hashlib.sha256(encoded).digest()
            self.remembered[id(value)] = (value, encoded)
        elif len(encoded) > _REMEMBER_ABOVE:
            self.remembered[id(value)] = (value, encoded)
        return encoded


def encode(value: Any, walk: Walk) -> bytes:
    """Encode any value.

    Raises
    ------
    Refusal
        If it or something in it has no identity that would be the same in another process.
    """
    encoder = PLAIN.get(type(value))
    if encoder is None:
        encoder = walk.resolve(type(value))
    return encoder(value, walk)


def encode_buffer(buffer: Any, walk: Walk) -> bytes:
    """Encode contiguous bytes, given as anything with the buffer protocol; long ones by their BLAKE3 digest."""
    view = memoryview(buffer)
    size = view.nbytes
    if size < _INLINE_BELOW:
        return b"b%d:%b" % (size, view.tobytes())
    import blake3

    walk.buffered += size
    return b"B%d:%b" % (size, blake3.blake3(view.cast("B") if size else b"").digest())


def text(value: str) -> bytes:
    r"""Encode a string.

    Examples
    --------
    >>> text("né")
    b's3:n\xc3\xa9'
    """
    try:
        data = value.encode()
    except UnicodeEncodeError:
        data = value.encode("utf-8", "surrogatepass")
    size = len(data)
    return (_STRINGS[size] if size < 256 else b"s%d:" % size) + data


def record(kind: bytes, *parts: bytes) -> bytes:
    """Join encoded parts under a kind: the frame of every encoding that is not plain.

    Examples
    --------
    >>> record(b"pair", b"T", b"N")
    b'@4:pair2:TN'
    """
    return b"@%b%b%b%b" % (_LENGTHS[len(kind)], kind, b"%d:" % len(parts), b"".join(parts))


def encode_items(value: Any, walk: Walk) -> list[bytes]:
    """Encode what an iterable yields, one after the other."""
    parts: list[bytes] = []
    append = parts.append
    resolve = walk.resolve
    try:
        for item in value:
            append((PLAIN.get(type(item)) or resolve(type(item)))(item, walk))
    except Refusal as refusal:
        raise refusal.at(f"[{len(parts)}]") from None
    return parts


def encode_pairs(value: Mapping[Any, Any], walk: Walk) -> list[bytes]:
    """Encode the entries of a mapping in its own order, each as its key followed by its value."""
    pairs: list[bytes] = []
    key = None
    resolve = walk.resolve
    try:
        for key, item in value.items():
            pairs.append(
                (PLAIN.get(type(key)) or resolve(type(key)))(key, walk)
                + (PLAIN.get(type(item)) or resolve(type(item)))(item, walk)
            )
    except Refusal as refusal:
        raise refusal.at(f"[{key!r}]" if isinstance(key, (str, int)) else f"[{type(key).__name__}]") from None
    return pairs


def _none(value: None, walk: Walk) -> bytes:
    return b"N"


def _bool(value: bool, walk: Walk) -> bytes:
    return b"T" if value else b"F"


def _int(value: int, walk: Walk) -> bytes:
    return b"i%x;" % value


def _float(value: float, walk: Walk) -> bytes:
    # Only not-a-number differs from itself.
    return b"f" + _pack_double(value) if value == value else _NAN  # noqa: PLR0124


def _complex(value: complex, walk: Walk) -> bytes:
    return b"c" + _float(value.real, walk) + _float(value.imag, walk)


def _str(value: str, walk: Walk) -> bytes:
    if walk.root is not None:
        below = relative_to(value, walk.root)
        if below is not None:
            return record(b"below-root", text(below))
    try:
        data = value.encode()
    except UnicodeEncodeError:
        return text(value)
    size = len(data)
    return (_STRINGS[size] if size < 256 else b"s%d:" % size) + data


def relative_to(path: str, root: str) -> str | None:
    """Return the part of `path` below `root` with forward slashes; None if it lies elsewhere.

    Examples
    --------
    >>> relative_to("/home/ann/project/data", "/home/ann/project")
    'data'
    >>> relative_to("/home/ann/projects", "/home/ann/project") is None
    True
    """
    if not path.startswith(root) or len(root) < 2:
        return None
    rest = path[len(root) :]
    if rest and rest[0] not in "/\\":
        return None
    return rest[1:].replace("\\", "/")


def _bytes(value: bytes, walk: Walk) -> bytes:
    return encode_buffer(value, walk)


def _bytearray(value: bytearray, walk: Walk) -> bytes:
    return record(b"bytearray", encode_buffer(bytes(value), walk))


def _sequence(tag: bytes) -> Encoder:
    def encode_sequence(value: Any, walk: Walk) -> bytes:
        known = walk.remembered.get(id(value)) if walk.remembered else None
        if known is not None:
            return known[1]
        walk.enter(value)
        parts = encode_items(value, walk)
        return walk.leave(value, b"%b%d:%b" % (tag, len(parts), b"".join(parts)))

    return encode_sequence


def _dict(value: dict[Any, Any], walk: Walk) -> bytes:
    known = walk.remembered.get(id(value))
    if known is not None:
        return known[1]
    walk.enter(value)
    pairs = walk.arrange(encode_pairs(value, walk))
    return walk.leave(value, b"{%d:%b" % (len(pairs), b"".join(pairs)))


def _set(tag: bytes) -> Encoder:
    def encode_set(value: Any, walk: Walk) -> bytes:
        known = walk.remembered.get(id(value))
        if known is not None:
            return known[1]
        walk.enter(value)
        items = sorted(value, key=_code_order) if any(map(callable, value)) else value
        parts = sorted(encode_items(items, walk))
        return walk.leave(value, b"%b%d:%b" % (tag, len(parts), b"".join(parts)))

    return encode_set


def _code_order(item: Any) -> tuple[str, str, int]:
    code = getattr(item, "__code__", None)
    line = getattr(code, "co_firstlineno", 0)
    return str(getattr(item, "__module__", "")), str(getattr(item, "__qualname__", "")), line


def _ellipsis(value: Any, walk: Walk) -> bytes:
    return b"E"


def _not_implemented(value: Any, walk: Walk) -> bytes:
    return b"I"


PLAIN: dict[type, Encoder] = {
    type(None): _none,
    bool: _bool,
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: _bytes,
    bytearray: _bytearray,
    list: _sequence(b"["),
    tuple: _sequence(b"("),
    dict: _dict,
    set: _set(b"S"),
    frozenset: _set(b"Z"),
    type(...): _ellipsis,
    type(NotImplemented): _not_implemented,
}
