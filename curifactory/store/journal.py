"""Files of one JSON value a line that only grow: a line is there whole, or it is not there."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from curifactory.errors import StoreError
from curifactory.store.faults import cache_error

if TYPE_CHECKING:
    import msgspec

Line = TypeVar("Line", bound=Mapping[str, Any])

# Importing msgspec costs as much as encoding some thousands of lines with the standard library.
LINES_WORTH_AN_IMPORT = 500
# Lone surrogates, huge integers and keys that are no texts: the standard library takes more.
_NOT_FOR_MSGSPEC = (TypeError, ValueError, UnicodeError, OverflowError)
_BYTES_WORTH_AN_IMPORT = 512 * 1024
_BLOCK_BYTES = 256 * 1024
_texts_decoded = itertools.count()


class Journal:
    """Appends JSON values to a file, each by one write.

    What a killed process leaves is a file whose last line may be torn: opening it for writing takes that piece off,
    :func:`read_journal` passes over it. A write that fails (a full disk) leaves the file as it was.

    Parameters
    ----------
    path : Path
        The file; made with its first line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     journal = Journal(Path(folder) / "calls.jsonl")
    ...     journal.append({"name": "load", "duration_s": 0.5})
    ...     journal.close()
    ...     read_journal(journal.path)
    [{'name': 'load', 'duration_s': 0.5}]
    """

    __slots__ = ("_descriptor", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one value as a line of its own.

        Raises
        ------
        StoreError
            If the line cannot be written.
        """
        self.write(encode_lines([row]))

    def write(self, lines: bytes) -> None:
        """Write encoded lines, each with its end of line.

        Raises
        ------
        StoreError
            If they cannot be written; the file is then as it was.
        """
        try:
            if self._descriptor < 0:
                self._descriptor = open_for_append(self.path)
            written = os.write(self._descriptor, lines)
            if written < len(lines):
                self._write_rest(lines, written)
        except OSError as error:
            raise store_error(error, "write", self.path) from error

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write_rest(self, lines: bytes, written: int) -> None:
        start = os.lseek(self._descriptor, 0, os.SEEK_END) - written
        try:
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:])
        except OSError:
            os.ftruncate(self._descriptor, start)
            raise


def store_error(error: OSError, doing: str, path: Path | str) -> StoreError:
    """Say an operating system's error as a `StoreError`, with its path and what to do.

    Examples
    --------
    >>> print(store_error(PermissionError(13, "Permission denied"), "read", "/runs/iris/run.json").message)
    Could not read '/runs/iris/run.json': permission is denied.
    """
    said = cache_error(error, doing, str(path))
    return StoreError(said.message, hint=said.hint)


def open_for_append(path: Path) -> int:
    """Open a file of lines for appending and take a torn last line off; return the descriptor.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.ftruncate(descriptor, _end_of_last_line(descriptor, size))
    return descriptor


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Read all lines of a journal.

    Lines at the end that are no JSON were torn off by a kill or a power loss and are passed over.

    Returns
    -------
    list of dict
        Empty if there is no such file.

    Raises
    ------
    StoreError
        If the file cannot be read, or a line is damaged that has a whole one below it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise store_error(error, "read", path) from error
    if len(content) > _BYTES_WORTH_AN_IMPORT or "msgspec" in sys.modules:
        import msgspec

        try:
            rows = msgspec.json.Decoder().decode_lines(content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        else:
            if all(isinstance(row, dict) for row in rows):
                return rows
    return _read_lines(content, path)


def iter_journal(path: Path, shape: type[Line], *, sought: bytes = b"") -> Iterator[Line]:
    r"""Go through a journal line by line, for who needs little of each and not all of them at once.

    Parameters
    ----------
    path : Path
        The file; nothing comes of one that is not there.
    shape : type
        A `TypedDict` of the entries that are needed; a line that has not all of them is passed over, wherever it stands.
    sought : bytes
        What a line must have in it to be looked at.

    Raises
    ------
    StoreError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from typing import TypedDict
    >>> shape = TypedDict("shape", {"n": int})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.jsonl")
    ...     _ = path.write_text('{"n": 1, "m": 2}\n{"m": 3}\n{"n": 4}\n{"n"')
    ...     list(iter_journal(path, shape))
    [{'n': 1}, {'n': 4}]
    """
    try:
        with open(path, "rb") as file:
            is_long = os.fstat(file.fileno()).st_size > _BYTES_WORTH_AN_IMPORT
            quick = _get_quick_decoder(shape) if is_long or "msgspec" in sys.modules else None
            for line in _iter_lines(file, sought):
                try:
                    row = _pick(line, shape) if quick is None else quick(line)
                except ValueError:
                    row = None if quick is None else _pick(line, shape)
                if row is not None:
                    yield row
    except FileNotFoundError:
        return
    except OSError as error:
        raise store_error(error, "read", path) from error


def get_decoder() -> Callable[[str], Any]:
    """Return the quickest function that turns JSON text into a value, for who has thousands of them.

    Examples
    --------
    >>> get_decoder()('{"n": 1}')
    {'n': 1}
    """
    import msgspec

    return msgspec.json.Decoder().decode


def decode_leniently(text: str) -> Any:
    r"""Turn JSON text into a value as :func:`get_decoder` does, also where it holds half a surrogate pair.

    Such a half stands for a byte of a path that is no UTF-8: the quick decoder refuses it, the standard library does not.

    Examples
    --------
    >>> decode_leniently(r'{"note": "a \ud800"}')["note"][0]
    'a'
    """
    if "msgspec" not in sys.modules and next(_texts_decoded) < LINES_WORTH_AN_IMPORT:
        return json.loads(text)
    import msgspec

    try:
        return get_decoder()(text)
    except (msgspec.MsgspecError, UnicodeError):
        return json.loads(text)


def encode(value: Any, *, use_msgspec: bool = False) -> bytes:
    """Encode a value as JSON in one line.

    What JSON does not know becomes what is nearest: numbers of numpy plain numbers, NaN and infinity null, anything
    else its text.

    Parameters
    ----------
    value : Any
        The value.
    use_msgspec : bool
        Whether to import msgspec for it; one that somebody has imported already is used in any case.

    Examples
    --------
    >>> encode({"name": "Größe", "score": float("nan")}).decode()
    '{"name":"Größe","score":null}'
    """
    if not use_msgspec and "msgspec" not in sys.modules:
        return _encode_slowly(value)
    try:
        return _get_quick_encoder().encode(value)
    except _NOT_FOR_MSGSPEC:
        return _encode_slowly(value)


def encode_lines(rows: Sequence[Any], *, use_msgspec: bool = False) -> bytes:
    r"""Encode values as :func:`encode` does, each as a line with its end.

    Examples
    --------
    >>> encode_lines([{"n": 1}, {"n": 2}])
    b'{"n":1}\n{"n":2}\n'
    """
    if use_msgspec or "msgspec" in sys.modules:
        try:
            return _get_quick_encoder().encode_lines(rows)
        except _NOT_FOR_MSGSPEC:
            pass
    return b"".join([encode(row) + b"\n" for row in rows])


def expect_many() -> None:
    """Get ready for very many values: what encodes and decodes them quickly is imported, and then used wherever it can be."""
    import msgspec  # noqa: F401


@cache
def _get_quick_decoder(shape: type[Line]) -> Callable[[bytes], Line]:
    import msgspec

    return msgspec.json.Decoder(shape).decode


def _iter_lines(file: BinaryIO, sought: bytes) -> Iterator[bytes]:
    # A block and the rest of its last line: most blocks have nothing in them of what few lines have.
    while block := file.read(_BLOCK_BYTES) + file.readline():
        if sought in block:
            yield from [line for line in block.split(b"\n") if line and sought in line]


def _pick(line: bytes, shape: type[Line]) -> Line | None:
    """Return of a line what a typed dictionary names, as the standard library reads it; None if it has not all of it."""
    try:
        row = json.loads(line)
        picked: Any = {name: row[name] for name in shape.__annotations__}
    except (ValueError, KeyError, TypeError):
        return None
    found: Line = picked
    return found


@cache
def _get_quick_encoder() -> msgspec.json.Encoder:
    import msgspec

    return msgspec.json.Encoder(enc_hook=_nearest)


def _encode_slowly(value: Any) -> bytes:
    try:
        text = _encoder.encode(value)
    except (TypeError, ValueError):
        text = _encoder.encode(_plain(value))
    return text.encode("utf-8", "backslashreplace")


def _nearest(value: Any) -> Any:
    """Return what JSON can say instead of a value that it does not know."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, float):
        return float(value)
    fields = getattr(value, "__struct_fields__", None)
    if fields is not None:
        return {name: getattr(value, name) for name in fields}
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", 0) == 0:
        plain = item()
        if isinstance(plain, bool | int | float | str):
            return plain
    return str(value)


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_nearest)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | int):
        return value
    return _plain(_nearest(value))


def _read_lines(content: bytes, path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    damaged = 0
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            damaged = damaged or number
        elif damaged:
            raise StoreError(
                f"Line {damaged} of {path} is damaged.",
                hint="Take the file from a copy, or delete that line.",
            )
        else:
            rows.append(row)
    return rows


def _end_of_last_line(descriptor: int, size: int) -> int:
    """Return the length of a file up to and with its last end of line."""
    end = size
    while end > 0:
        start = max(0, end - 65536)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
