"""The form of a trace on disk: one compact line of JSON that ends with its own digest."""

from __future__ import annotations

import binascii
import re
import sys
from functools import lru_cache
from json.encoder import encode_basestring as _quote
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from curifactory.core.trace import NO_METADATA, Artifact, Output, StoredFile, Trace, new_tuple
from curifactory.errors import CacheError
from curifactory.store.compact_json import from_json, to_json_strictly

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
# Enough to tell what changed; the key, which decides, holds all digits.
SHORT_HEX = 16

_HEX = 64
_SEAL_SIGNS = 22
_SEAL_BEGIN = b',"digest":"'
_SEAL_BYTES = len(_SEAL_BEGIN) + _SEAL_SIGNS + 2
_FORMAT = re.compile(rb'\{"format":(\d{1,9})[,}]')
_DIGEST = re.compile(r"[0-9a-f]{64}")


def shorten(identity: str) -> str:
    """Cut an identity after the first 16 digits of the first digest in it; the result is what the whole one begins with.

    Parameters
    ----------
    identity : str
        Such as ``hex``, ``kind:hex`` or ``kind:hex+more``; what is shorter than a digest is given back whole.

    Examples
    --------
    >>> shorten("blake3:" + "0123456789abcdef" * 4 + "+9f"), shorten("absent")
    ('blake3:0123456789abcdef', 'absent')
    """
    length = len(identity)
    if length < _HEX:
        return identity
    # The two that each call has, without a search.
    if length == _HEX:
        return identity[:SHORT_HEX]
    if identity[:7] == "blake3:":
        return identity[: 7 + SHORT_HEX]
    match = _DIGEST.search(identity)
    return identity if match is None else identity[: match.start() + SHORT_HEX]


def encode(trace: Trace) -> bytes:
    """Write a trace as the bytes of its manifest.

    The key stands in the manifest's name and counts for its digest. Digests that decide are kept whole, in base 64 (``~`` before
    bare ones, ``=`` before those of blake3); those of what was read are cut by `shorten`. A file is written as what follows the
    artifact's label, a label that ends with the names of stage and output with ``*`` for these.

    Raises
    ------
    CacheError
        If an artifact's metadata are not made of JSON values.

    Examples
    --------
    >>> trace = Trace(
    ...     "k" * 64, "iris.load", "c", {"n": "0" * 64}, {"n": "3"}, {}, {}, (), "iris_1", "2026-11-21", 0.5
    ... )
    >>> encode(trace)[:63]
    b'{"format":1,"stage":"iris.load","code":"c","reads":{"n":"000000'
    >>> decode(trace.key, encode(trace)).shown
    {'n': '3'}
    """
    key, stage, code, reads, shown, inputs, overrides, outputs, run, made_at, duration_s, reported = trace
    said, name = _head_text(stage, code)
    if reads:
        said += f',"reads":{{{",".join([_read_text(path, reads[path], shown.get(path)) for path in reads])}}}'
    if shown and not shown.keys() <= reads.keys():
        beside = [f"{_quote(path)}:{_quote(text)}" for path, text in shown.items() if path not in reads]
        said += f',"shown":{{{",".join(beside)}}}'
    if inputs:
        said += f',"inputs":{_identities_text(inputs)}'
    if overrides:
        said += f',"overrides":{_identities_text(overrides)}'
    try:
        made = ",".join([_output_text(output, name) for output in outputs])
    except (TypeError, ValueError) as error:
        raise CacheError(
            f"What the cachers of '{stage}' put into extra_metadata cannot be written as JSON: {error}.",
            hint="Use texts, numbers, lists and dictionaries with text keys there.",
        ) from error
    said += f',"outputs":[{made}],"made":[{_text_often(run)},{_quote(made_at)},{duration_s:.6f}]'
    if reported:
        said += ',"reported":true'
    # Half a surrogate pair, of a file name that is no text, is written as JSON writes it.
    return _seal(key, said.encode("utf-8", "backslashreplace"))


def decode(key: str, data: bytes, *, is_checked: bool = False) -> Trace | None:
    """Read the bytes of a manifest; None if they are not whole, or of a newer format.

    Parameters
    ----------
    key : str
        From the manifest's name.
    data : bytes
        What the file holds.
    is_checked : bool
        Whether somebody has made sure that the bytes are those that were written.

    Examples
    --------
    >>> decode("k", b'{"format":1,"stage":"iris.lo') is None
    True
    """
    body = _read(data) if is_checked else unseal(key, data)
    if body is None:
        return None
    try:
        get = body.get
        reads, shown = _unpack_reads(get("reads", {}))
        if "shown" in body:
            shown.update(body["shown"])
        # What many manifests say is one object for all of them.
        stage = sys.intern(body["stage"])
        name = stage.rpartition(".")[2]
        run, made_at, duration_s = body["made"]
        return Trace(
            key,
            stage,
            _unpack_often(body["code"]),
            reads,
            shown,
            get("inputs", {}),
            get("overrides", {}),
            tuple([_unpack_output(packed, name) for packed in body["outputs"]]),
            sys.intern(run),
            made_at,
            duration_s,
            get("reported", False),
        )
    except (KeyError, ValueError, TypeError, AttributeError, IndexError):
        # Sealed, so written by a version of ours that meant something else by this number.
        return None


def as_kept(trace: Trace) -> Trace:
    """Return a trace as `decode` reads it back, but for an artifact's metadata: they come back as JSON gives them.

    Examples
    --------
    >>> trace = Trace("k", "iris.load", "c", {"n": "0" * 64}, {}, {}, {}, (), "iris_1", "2026-11-21", 0.5)
    >>> as_kept(trace).reads
    {'n': '0000000000000000'}
    """
    key, stage, code, reads, shown, inputs, overrides, outputs, run, made_at, duration_s, reported = trace
    reads, inputs, overrides = _shorten_all(reads), _shorten_all(inputs), _shorten_all(overrides)
    duration_s = round(duration_s, 6)
    return new_tuple(
        Trace,
        (key, stage, code, reads, shown, inputs, overrides, outputs, run, made_at, duration_s, reported),
    )


def seal(name: str, body: Mapping[str, Any]) -> bytes:
    """Write JSON values as bytes that end with their own digest; ``name`` counts for it and is not written.

    Raises
    ------
    TypeError, ValueError
        If something is no JSON value.

    Examples
    --------
    >>> unseal("x", seal("x", {"format": 1, "a": [1]}))
    {'format': 1, 'a': [1]}
    >>> unseal("y", seal("x", {"format": 1, "a": [1]})) is None
    True
    """
    return _seal(name, to_json_strictly(body)[:-1])


def unseal(name: str, data: bytes) -> dict[str, Any] | None:
    """Read what `seal` wrote, without its digest; None if it is not whole, or of a newer format.

    Examples
    --------
    >>> unseal("x", b"") is None
    True
    """
    begin, ending = data[:-_SEAL_BYTES], data[-_SEAL_BYTES:]
    if ending != b'%b%b"}' % (_SEAL_BEGIN, _seal_of(name, begin)):
        return None
    body = _read(data)
    if body is not None:
        del body["digest"]
    return body


def is_newer(data: bytes) -> bool:
    """Say whether bytes look like a manifest of a format that this version does not know yet.

    Examples
    --------
    >>> is_newer(b'{"format":2,"stage":"x"}'), is_newer(b'{"format":1,"st'), is_newer(b"")
    (True, False, False)
    """
    match = _FORMAT.match(data)
    return match is not None and int(match[1]) > FORMAT


def has_metadata(trace: Trace) -> bool:
    """Say whether a trace holds values that are people's: only the standard library refuses what would not come back equal.

    Examples
    --------
    >>> has_metadata(Trace("k", "iris.load", "c", {}, {}, {}, {}, (), "iris_1", "2026-11-21", 0.5))
    False
    """
    for output in trace.outputs:  # noqa: SIM110 - a loop is half as long as a generator, and each call asks
        if output.artifact is not None and output.artifact.metadata:
            return True
    return False


def _shorten_all(identities: Mapping[str, str]) -> Mapping[str, str]:
    if not identities:
        return identities
    return {name: shorten(identity) for name, identity in identities.items()}


def _seal(name: str, begin: bytes) -> bytes:
    """End a JSON object, of which all but the last brace is there."""
    return b'%b,"digest":"%b"}' % (begin, _seal_of(name, begin))


def _read(data: bytes) -> dict[str, Any] | None:
    try:
        body = from_json(data)
    except ValueError:
        return None
    return body if isinstance(body, dict) and body.get("format") == FORMAT else None


def _seal_of(name: str, begin: bytes) -> bytes:
    digest = blake3(name.encode("utf-8", "surrogatepass") + b"\n" + begin).digest(length=16)
    return binascii.b2a_base64(digest, newline=False)[:_SEAL_SIGNS]


# What many manifests say.
_text_often = lru_cache(maxsize=1024)(_quote)


@lru_cache(maxsize=256)
def _head_text(stage: str, code: str) -> tuple[str, str]:
    """Write what the manifests of all calls of a stage begin with, and give its name without its module."""
    text = f'{{"format":{FORMAT},"stage":{_quote(stage)},"code":{_packed_text(code)}'
    return text, stage.rpartition(".")[2]


def _read_text(path: str, digest: str, shown: str | None) -> str:
    digest = shorten(digest)
    if " " in digest:
        beside = "" if shown is None else f",{_quote(shown)}"
        return f"{_quote(path)}:[{_quote(digest)}{beside}]"
    return f"{_quote(path)}:{_quote(digest if shown is None else f'{digest} {shown}')}"


def _identities_text(identities: Mapping[str, str]) -> str:
    pairs = [f"{_text_often(name)}:{_quote(shorten(identity))}" for name, identity in identities.items()]
    return f"{{{','.join(pairs)}}}"


def _unpack_reads(packed: Mapping[str, str | list[str]]) -> tuple[dict[str, str], dict[str, str]]:
    reads, shown = {}, {}
    for path, value in packed.items():
        if isinstance(value, str):
            digest, space, text = value.partition(" ")
            reads[path] = digest
            if space:
                shown[path] = text
        else:
            reads[path] = value[0]
            if len(value) > 1:
                shown[path] = value[1]
    return reads, shown


def _output_text(output: Output, stage_name: str) -> str:
    name, kind, summary, artifact = output
    if artifact is None:
        return f"[{_text_often(name)},{_text_often(kind)},{_quote(summary)}]"
    own_name, cacher, cacher_key, digest, files, label, own_kind, own_summary, metadata = artifact
    begin, middle, ending = _artifact_texts(name, kind, cacher, cacher_key, stage_name)
    stored = ",".join([_file_text(file, label, digest) for file in files])
    same = own_name == name and own_kind == kind and own_summary == summary
    more = f",{to_json_strictly(dict(metadata)).decode()}" if metadata or not same else ""
    if not same:
        more += f",[{_quote(own_name)},{_quote(own_kind)},{_quote(own_summary)}]"
    return f"{begin}{_quote(summary)}{middle}{_packed_text(digest)},{_label_text(label, ending)},[{stored}]{more}]"


@lru_cache(maxsize=1024)
def _artifact_texts(
    name: str, kind: str, cacher: str, cacher_key: str, stage_name: str
) -> tuple[str, str, str]:
    """Write what the artifacts of an output share: before their summaries, after them, and how their labels end."""
    return (
        f"[{_quote(name)},{_quote(kind)},",
        f",{_quote(cacher)},{_packed_text(cacher_key)},",
        f"_{stage_name}_{name}",
    )


def _unpack_output(packed: list[Any], stage_name: str) -> Output:
    if len(packed) == 3:
        return Output(*packed)
    name, kind, summary, cacher, cacher_key, digest, label, files = packed[:8]
    name, kind, cacher = sys.intern(name), sys.intern(kind), sys.intern(cacher)
    if isinstance(label, list):
        label = label[0]
    elif label.endswith("*"):
        label = f"{label[:-1]}_{stage_name}_{name}"
    digest = _unpack(digest)
    metadata = packed[8] if len(packed) > 8 else NO_METADATA
    own = packed[9] if len(packed) > 9 else (name, kind, summary)
    stored = tuple([_unpack_file(file, label, digest) for file in files])
    key = _unpack_often(cacher_key)
    artifact = Artifact(own[0], cacher, key, digest, stored, label, own[1], own[2], metadata)
    return Output(name, kind, summary, artifact)


def _label_text(label: str, ending: str) -> str:
    if label.endswith(ending):
        return _quote(f"{label[: -len(ending)]}*")
    return f"[{_quote(label)}]" if label.endswith("*") else _quote(label)


def _file_text(file: StoredFile, label: str, artifact_digest: str) -> str:
    path, digest, size_bytes, referenced = file
    place = _text_often(path[len(label) :]) if path.startswith(label) else f"[{_quote(path)}]"
    own = f",{_packed_text(digest)}" if digest != artifact_digest or referenced else ""
    return f"[{place},{size_bytes}{own}{',1' if referenced else ''}]"


def _unpack_file(packed: list[Any], label: str, digest: str) -> StoredFile:
    path = label + packed[0] if isinstance(packed[0], str) else packed[0][0]
    if len(packed) == 2:
        return StoredFile(path, digest, packed[1])
    return StoredFile(path, _unpack(packed[2]), packed[1], len(packed) > 3)


def _packed_text(text: str) -> str:
    """Write 64 hex digits in 43 signs, and every other text as it is."""
    mark, digits = ("=", text[7:]) if text[:7] == "blake3:" else ("~", text)
    if len(digits) == _HEX:
        try:
            raw = binascii.a2b_hex(digits)
        except ValueError:
            pass
        else:
            if raw.hex() == digits:
                # Nothing in it has to be quoted.
                return f'"{mark}{binascii.b2a_base64(raw, newline=False)[:-1].decode()}"'
    return _quote("!" + text if text[:1] in ("~", "=", "!") else text)


def _unpack(text: str) -> str:
    mark = text[:1]
    if mark == "~":
        return binascii.a2b_base64(text[1:] + "=").hex()
    if mark == "=":
        return "blake3:" + binascii.a2b_base64(text[1:] + "=").hex()
    return text[1:] if mark == "!" else text


@lru_cache(maxsize=1024)
def _unpack_often(text: str) -> str:
    """Unpack what many manifests share: one object for all of them."""
    return _unpack(text)
