"""File-name parts that are safe: what people call things never leaves its folder, and two names never meet."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from hashlib import sha256

# Four parts, `~` with 8 digits and `_metadata.json` stay below the 255 bytes of a file name.
LONGEST_PART_BYTES = 56

# Not among the ordinary characters, so that a name that was changed is never the name of something else.
_MARK = "="
_DIGITS = 10

_ORDINARY = re.compile(r"[A-Za-z0-9_-]([A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_LONGEST_RESERVED = 4
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@lru_cache(maxsize=4096)
def safe_name(text: str) -> str:
    """Return a part of a file name for something that a person has named.

    Ordinary names (letters of any script, digits, ``.``, ``_``, ``-``) stay as they are. All others keep what is
    readable and get the first digits of their digest, behind a ``=`` that no ordinary name has.

    Parameters
    ----------
    text : str
        Any text: also empty, very long, or with ``/``, ``..`` and NUL.

    Returns
    -------
    str
        At most 56 bytes in UTF-8; never empty, hidden or a path. Different texts give different names.

    Examples
    --------
    >>> safe_name("train_model"), safe_name("größe")
    ('train_model', 'größe')
    >>> safe_name("../../etc/passwd")
    'etc_passwd=3754d6cb3a'
    """
    if _is_ordinary(text):
        return text
    readable = "".join(
        character if _is_ordinary_character(character) else "_"
        for character in unicodedata.normalize("NFC", text)
    )
    readable = re.sub(r"_*\.\.[._]*|__+", "_", readable).strip("._")
    room = LONGEST_PART_BYTES - len(_MARK) - _DIGITS
    readable = readable.encode()[:room].decode(errors="ignore") or "name"
    digest = sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]
    return f"{readable}{_MARK}{digest}"


def _is_ordinary(text: str) -> bool:
    if _LONGEST_RESERVED < len(text) <= LONGEST_PART_BYTES and text.isascii() and text.isalnum():
        # Such as each hash: no look at its characters one by one.
        return True
    if _RESERVED.fullmatch(text):
        return False
    if text.isascii():
        return len(text) <= LONGEST_PART_BYTES and _ORDINARY.fullmatch(text) is not None
    return (
        text[0] != "."
        and text[-1] != "."
        and all(map(_is_ordinary_character, text))
        and unicodedata.is_normalized("NFC", text)
        and len(text.encode()) <= LONGEST_PART_BYTES
    )


def _is_ordinary_character(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in "._-"
    # Letters, numbers, and the marks that belong to letters of many scripts.
    return unicodedata.category(character)[0] in "LNM"
