"""What counts as a secret, and how it is masked in everything that is stored or shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Stands wherever a secret would have been stored or shown.
MASK = "********"

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_URL_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<credentials>[^/?#\s]*)@")

_SECRET_WORDS = frozenset(
    (
        "auth",
        "authorization",
        "bearer",
        "cookie",
        "cookies",
        "credential",
        "jwt",
        "passcode",
        "secrets",
        "tokens",
    )
)
# Ends of words, as people also write PGPASSWORD and authtoken in one piece.
_SECRET_ENDS = (
    "apikey",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pwd",
    "secret",
    "token",
)
_KINDS_OF_KEYS = "access account api auth deploy encryption license private secret session signing ssh"
_KINDS_OF_PASSES = "admin database db email login mail root smtp user"
# Language models count and name tokens that are no secrets.
_KINDS_OF_TOKENS = """bos classes cls context count dim dimension drop dropout embedding embeddings eos freq frequency id
    ids index input length limit mask masking max maximum mean merge min minimum n new num number output pad padding
    pattern per position ratio sep size special stop total type types unk unknown vocab vocabulary window"""
_BEFORE_KEY = frozenset(_KINDS_OF_KEYS.split())
_BEFORE_PASS = frozenset(_KINDS_OF_PASSES.split())
_BESIDE_TOKEN = frozenset(_KINDS_OF_TOKENS.split())
_NO_SECRETS = frozenset({"pwd", "oldpwd"})


def is_secret_name(name: str) -> bool:
    """Say whether a parameter or environment variable of this name holds a secret.

    The name alone decides, so that the answer is the same everywhere. Names that language models use for what is no
    secret (``max_tokens``, ``pad_token``, ``tokenizer``) are left alone.

    Parameters
    ----------
    name : str
        Name of a field, a mapping's key or an environment variable; a dotted path counts by all of its parts.

    Returns
    -------
    bool
        True if its value must be masked.

    Examples
    --------
    >>> [is_secret_name(name) for name in ("api_key", "PGPASSWORD", "hfToken", "aws.access_key_id")]
    [True, True, True, True]
    >>> [is_secret_name(name) for name in ("max_tokens", "tokenizer", "sort_key", "PWD", "author")]
    [False, False, False, False, False]
    """
    if name.isupper() and name.lower() in _NO_SECRETS:
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    innocent = not _BESIDE_TOKEN.isdisjoint(words)
    for position, word in enumerate(words):
        named = word in _SECRET_WORDS or word.endswith(_SECRET_ENDS)
        if named and not (innocent and word in ("token", "tokens")):
            return True
        before = words[position - 1] if position else ""
        if (word in ("key", "keys") and before in _BEFORE_KEY) or (word == "pass" and before in _BEFORE_PASS):
            return True
    # An environment variable that ends so (OPENAI_KEY) is a secret, a parameter (sort_key) is not.
    return name.isupper() and len(words) > 1 and words[-1] in ("key", "pass")


def mask_text(text: str) -> str:
    """Mask the credentials of every URL within a text.

    A user name without a password is masked too: hosts take tokens in its place.

    Examples
    --------
    >>> mask_text("git clone https://me:hunter2@example.org/x.git")
    'git clone https://********@example.org/x.git'
    >>> mask_text("ssh://git@example.org/x.git")
    'ssh://git@example.org/x.git'
    """
    if "://" not in text:
        return text
    return _URL_CREDENTIALS.sub(_masked_credentials, text)


def mask_tree(tree: Any) -> Any:
    """Copy a tree of mappings and lists with everything masked that is a secret by its name or is a URL's credentials.

    Parameters
    ----------
    tree : Any
        Mappings, lists, tuples and leaves. Nothing in it is changed.

    Returns
    -------
    Any
        The same tree; the value of a secret name is :data:`MASK`, unless it is None, a truth value or empty.

    Examples
    --------
    >>> mask_tree({"user": "me", "password": "hunter2", "urls": ["http://me:pw@host/"], "token": None})
    {'user': 'me', 'password': '********', 'urls': ['http://********@host/'], 'token': None}
    """
    if isinstance(tree, str):
        return mask_text(tree)
    if isinstance(tree, Mapping):
        return {
            key: MASK
            if isinstance(key, str) and is_secret_name(key) and holds_secret(value)
            else mask_tree(value)
            for key, value in tree.items()
        }
    if isinstance(tree, (list, tuple)):
        masked = [mask_tree(item) for item in tree]
        return masked if isinstance(tree, list) else tuple(masked)
    return tree


def holds_secret(value: Any) -> bool:
    """Say whether the value of a secret name gives anything away: None, truth values and empty text do not.

    Examples
    --------
    >>> holds_secret("hunter2"), holds_secret(None), holds_secret("")
    (True, False, False)
    """
    if value is None or isinstance(value, bool):
        return False
    return not (isinstance(value, (str, bytes, list, tuple, set, frozenset, Mapping)) and not value)


def _masked_credentials(match: re.Match[str]) -> str:
    # `git@` in front of a host of repositories is the name of the service, not of a person.
    if match["credentials"] in ("git", MASK):
        return match[0]
    return f"{match['scheme']}{MASK}@"
