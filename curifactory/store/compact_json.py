"""JSON values as bytes without a space too many: what is ours quickly, what is people's strictly."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

_decode = json.JSONDecoder().raw_decode
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def to_json(body: Any) -> bytes:
    """Write JSON values that are ours, quickly.

    Examples
    --------
    >>> from_json(to_json(["a", 1, {"b": None}]))
    ['a', 1, {'b': None}]
    """
    # Whoever writes thousands of lines has imported it; for a few manifests the import would cost more.
    if "msgspec" in sys.modules:
        try:
            return _get_quick_encoder()(body)
        except (TypeError, ValueError, OverflowError):
            pass  # Half a surrogate pair: the standard library takes more.
    return to_json_strictly(body)


def from_json(data: bytes) -> Any:
    """Read what `to_json` wrote.

    Raises
    ------
    ValueError
        If it is no JSON.
    """
    if "msgspec" in sys.modules:
        import msgspec

        try:
            return msgspec.json.decode(data)
        except (msgspec.MsgspecError, UnicodeError):
            pass  # Half a surrogate pair, infinity: the standard library takes more.
    return _decode(data.decode())[0]


def to_json_strictly(body: Any) -> bytes:
    """Write JSON values that are people's.

    Raises
    ------
    TypeError, ValueError
        If something is no JSON value.

    Examples
    --------
    >>> to_json_strictly({"n": [1, None]})
    b'{"n":[1,null]}'
    """
    text = _encode(body)
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A file name that is no text.
        return json.dumps(body, separators=(",", ":")).encode()


@cache
def _get_quick_encoder() -> Callable[[Any], bytes]:
    # Another thread may be importing it: this waits until it has come to its end.
    import msgspec

    return msgspec.json.Encoder().encode
