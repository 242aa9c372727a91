"""Masks what must not be stored or shown: credentials in addresses and values of names like tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MASK = "***"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    [
        "apikey",
        "apikeys",
        "apitoken",
        "authtoken",
        "accesskey",
        "secretkey",
        "privatekey",
        "passwd",
        "password",
        "passwords",
        "passphrase",
        "passcode",
        "pwd",
        "secret",
        "secrets",
        "credential",
        "credentials",
        "cookie",
        "jwt",
        "bearer",
        "authorization",
    ]
)
_KEY_OWNERS = frozenset(
    [
        "access",
        "account",
        "api",
        "auth",
        "client",
        "deploy",
        "encryption",
        "license",
        "master",
        "private",
        "secret",
        "service",
        "session",
        "signing",
        "ssh",
    ]
)
# A `pad_token` is a word of a language model's alphabet, an `auth_token` opens a door.
_TOKEN_OWNERS_THAT_SPEAK = frozenset(
    [
        "additional",
        "begin",
        "bos",
        "class",
        "cls",
        "end",
        "eos",
        "first",
        "image",
        "last",
        "mask",
        "max",
        "min",
        "next",
        "num",
        "number",
        "oov",
        "pad",
        "padding",
        "prefix",
        "sep",
        "separator",
        "special",
        "start",
        "stop",
        "suffix",
        "text",
        "unk",
        "unknown",
        "word",
    ]
)
# Words that say that a name counts or describes a secret and does not hold it.
_DESCRIBING_WORDS = frozenset(
    [
        "count",
        "dim",
        "file",
        "fraction",
        "index",
        "len",
        "length",
        "max",
        "min",
        "num",
        "number",
        "path",
        "size",
        "type",
    ]
)
_ADDRESS = re.compile(r"(?<![a-zA-Z0-9+.-])([a-zA-Z][a-zA-Z0-9+.-]*://)([^/?#\s\"'@]*(?:@[^/?#\s\"'@]*)*)@")
_QUERY = re.compile(r"(?<=[?&;])([\w.%~-]+)=([^&#;\s\"']+)")
_SIGNATURES = frozenset(("sig", "signature", "x-amz-signature", "x-amz-credential", "x-amz-security-token"))
_KNOWN_SHAPES = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|sk-[A-Za-z0-9_-]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{8,}"
)


def is_secret_name(name: str) -> bool:
    """Say whether a name is one that people give to passwords, keys and tokens.

    Parameters
    ----------
    name : str
        Name of a parameter, variable or option, in any of the usual spellings.

    Returns
    -------
    bool
        True for ``db_password``, ``OPENAI_API_KEY`` or ``githubToken``; False for ``max_tokens``, ``pad_token`` or
        ``sort_key``, which models and tables use for other things.

    Examples
    --------
    >>> [
    ...     is_secret_name(name)
    ...     for name in ("db_password", "githubToken", "max_tokens", "pad_token", "sort_key")
    ... ]
    [True, True, False, False, False]
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _DESCRIBING_WORDS:
        return False
    if not _SECRET_WORDS.isdisjoint(words):
        return True
    for before, word in zip(["", *words], words, strict=False):
        if word in {"key", "keys"} and before in _KEY_OWNERS:
            return True
    last = words[-1]
    owner = words[-2] if len(words) > 1 else ""
    if last == "token":
        return owner not in _TOKEN_OWNERS_THAT_SPEAK
    return last == "tokens" and owner in _KEY_OWNERS


def mask_text(text: str) -> str:
    """Mask the credentials that a text shows by their shape, whatever its name is.

    These are users and passwords in addresses, tokens and signatures in their queries, private keys, and the tokens of
    widespread services.

    Examples
    --------
    >>> mask_text("https://ann:hunter2@example.org/iris.git")
    'https://***@example.org/iris.git'
    >>> mask_text("git@example.org:ann/iris.git")
    'git@example.org:ann/iris.git'
    """
    if "://" in text:
        text = _ADDRESS.sub(_mask_user, text)
    if "=" in text:
        text = _QUERY.sub(_mask_query, text)
    return _KNOWN_SHAPES.sub(MASK, text)


def mask_value(name: str, value: Any) -> Any:
    """Mask a named value: whole if its name is a secret's, else what it shows by its shape.

    Truth values, None and empty texts say nothing and are kept, so that one sees whether a secret was set. Numbers
    are kept under the name of a token, since models count tokens.

    Examples
    --------
    >>> mask_value("api_key", "abc"), mask_value("api_key", None), mask_value("n", 3)
    ('***', None, 3)
    """
    if is_secret_name(name) and not (value is None or isinstance(value, bool) or value in ("", [], {})):
        if isinstance(value, int | float) and _WORDS.findall(name)[-1].lower() in {"token", "tokens"}:
            return value
        return MASK
    return mask_tree(value)


def mask_tree(tree: Any) -> Any:
    """Mask a tree of mappings, lists and texts; gives a new tree and leaves the given one as it was.

    Examples
    --------
    >>> mask_tree({"n": 3, "login": {"user": "ann", "password": "hunter2"}})
    {'n': 3, 'login': {'user': 'ann', 'password': '***'}}
    """
    if isinstance(tree, str):
        return mask_text(tree)
    if isinstance(tree, Mapping):
        return {
            key: mask_value(key, value) if isinstance(key, str) else mask_tree(value)
            for key, value in tree.items()
        }
    if isinstance(tree, tuple):
        return tuple(mask_tree(value) for value in tree)
    if isinstance(tree, list):
        return [mask_tree(value) for value in tree]
    return tree


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """Mask the words of a command: ``token=abc``, ``--password abc`` and ``--password=abc``, and addresses.

    Examples
    --------
    >>> mask_arguments(["experiment", "iris", "api_key=abc", "--db-password", "abc", "n=3"])
    ['experiment', 'iris', 'api_key=***', '--db-password', '***', 'n=3']
    """
    masked: list[str] = []
    follows_secret = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if follows_secret and not argument.startswith("-"):
            masked.append(MASK)
        elif equals and is_secret_name(name):
            masked.append(f"{name}={MASK}")
        else:
            masked.append(mask_text(argument))
        follows_secret = argument.startswith("--") and not equals and is_secret_name(argument)
    return masked


def _mask_user(match: re.Match[str]) -> str:
    scheme, user = match.groups()
    # `ssh://git@host` names an account that everybody shares; it is no credential.
    if scheme.lower().endswith("ssh://") and ":" not in user:
        return match.group()
    return f"{scheme}{MASK}@"


def _mask_query(match: re.Match[str]) -> str:
    name = match.group(1)
    return f"{name}={MASK}" if name.lower() in _SIGNATURES or is_secret_name(name) else match.group()
