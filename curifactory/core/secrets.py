"""What counts as a secret, and how it is masked in everything that is stored or shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

#: Stands wherever a secret would have been stored or shown.
MASK = "********"

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_PARTS = re.compile(r"[.\[\]]+")

_SECRET_WORDS = frozenset(
    ["authorization", "bearer", "cookie", "cookies", "credential", "jwt", "oauth", "passcode", "secrets"]
)
# Ends of words, as people also write PGPASSWORD and authtoken in one piece.
_SECRET_ENDS = (
    *("accesskey", "apikey", "apikeys", "privatekey", "secretkey", "credentials", "secret", "token"),
    *("passphrase", "passwd", "password", "passwords", "pwd"),
)
_KINDS_OF_KEYS = """access account api auth client deploy encryption license master private secret service session
    signing ssh"""
_KINDS_OF_PASSES = "admin database db email login mail root smtp user"
# Language models count and name tokens that are no secrets: a `pad_token` is a word of their alphabet.
_KINDS_OF_TOKENS = """additional begin bos class classes cls context count dim dimension drop dropout embedding
    embeddings end eos first freq frequency image index input last length limit mask masking max maximum mean merge min
    minimum n next num number oov output pad padding pattern per position prefix ratio sep separator size special start
    stop suffix text total type types unk unknown vocab vocabulary window word"""
_BEFORE_KEY = frozenset(_KINDS_OF_KEYS.split())
# Of many `tokens` a text is made; those that open something say what.
_BEFORE_TOKENS = _BEFORE_KEY | frozenset(
    ["bearer", "bot", "github", "gitlab", "hf", "id", "oauth", "refresh", "user"]
)
_BEFORE_PASS = frozenset(_KINDS_OF_PASSES.split())
_BEFORE_TOKEN = frozenset(_KINDS_OF_TOKENS.split())
# An `eos_token_id` is a number of the alphabet, but an `id_token` opens doors.
_AFTER_TOKEN = _BEFORE_TOKEN | {"id", "ids"}
# A last word that says that a name counts, describes or leads to a secret and does not hold it.
_DESCRIBING = frozenset(
    ["count", "dim", "file", "fraction", "index", "len", "length", "max", "min", "path", "size", "type"]
)
_SHELL_NAMES = frozenset({"pwd", "oldpwd"})

_ADDRESS = re.compile(
    r"""(?<![a-zA-Z0-9+.-])(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)
        (?P<user>[^/?#\s"'@]*(?:@[^/?#\s"'@]*)*      # all of it stands before the path
        |[^\[/?#\s"'@:]*:(?!\d*[/?#])[^\s"'@]{,500})@     # a password with a slash in it, and no port""",
    re.VERBOSE,
)
_HINT = re.compile("auth|bearer|cookie|credential|jwt|key|pass|pwd|secret|sig|token", re.IGNORECASE)
# Few texts hint at a secret, so these are compiled when one does.
# `name="…"`, `name: str = "…"`, `"name": "…"`, `["name"] = "…"`; the quotes may be escaped, as in JSON within JSON.
_QUOTED = r"""(?P<head>(?<![\w.%-])(?P<mark>\\?["'])?(?P<name>[\w.%-]++)(?(mark)(?P=mark)\]?\s*[:=]\s*
        |\s*(?::[^=\n"']{1,60})?=\s*)[bfruBFRU]{0,2}(?P<open>\\?(?:\"{3}|'{3}|["'])))
        (?P<value>(?:(?!(?P=open))(?:\\.|[^\\\n]))*)(?=(?P=open))"""
# `name=…` without spaces, as on a command line, in the query of an address or in a `repr`; `"name": 12`.
_BARE = r"""(?P<head>(?<![\w.%-])(?P<mark>\\?["'])?(?P<name>[\w.%-]++)(?(mark)(?P=mark)\s*:\s*(?=-?\d)|=(?!=)))
        (?P<value>[^\s"'&\#;,)}\]\\]+)"""
_HEADER = r"""(?P<head>\b(?:(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*(?:key|token|secret))["']?\s*:\s*["']?
        (?:(?:basic|bearer|digest|token)\ )?)[^\s"'][^\n"']*"""
_SIGNATURES = frozenset(["sig", "signature", "x-amz-signature", "x-amz-credential", "x-amz-security-token"])
_KNOWN_SHAPES = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|sk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{35}"
    r"|pypi-[A-Za-z0-9_-]{32,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=[Bb]earer )(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{8,}"
)
_SAYS_NOTHING = frozenset(["", "None", "none", "null", "True", "true", "False", "false", MASK])


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Say whether a name is one that people give to passwords, keys and tokens.

    The name alone decides, so that the answer is the same everywhere. Names that language models and tables use for
    what is no secret (``max_tokens``, ``pad_token``, ``sort_key``) are left alone, and so are names that say what a
    secret is like or where it lies (``password_length``, ``token_file``).

    Parameters
    ----------
    name : str
        Name of a field, a mapping's key, an option or an environment variable, in any of the usual spellings; a dotted
        path is secret if one of its parts is.

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
    return any(map(_is_secret_part, _PARTS.split(name)))


def holds_secret(name: str, value: Any) -> bool:
    """Say whether a named value has to be masked: the name is a secret's, and the value gives something away.

    None, truth values and what is empty give nothing away, so one can see that a secret was not set. Numbers under the
    name of a token are counts or places in a model's alphabet.

    Parameters
    ----------
    name : str
        As for :func:`is_secret_name`.
    value : Any
        What stands under it.

    Examples
    --------
    >>> holds_secret("password", "hunter2"), holds_secret("password", None), holds_secret("n", "hunter2")
    (True, False, False)
    >>> holds_secret("token", 7), holds_secret("db_password", 1234)
    (False, True)
    """
    if value is None or isinstance(value, bool) or not is_secret_name(name):
        return False
    if isinstance(value, (int, float, complex)):
        return not _is_of_token(name)
    return not (isinstance(value, (str, bytes, list, tuple, set, frozenset, Mapping)) and not value)


def mask_text(text: str) -> str:
    """Mask the credentials that a text shows, and leave the rest readable.

    These are users and passwords in addresses, what is assigned to a name that is a secret's, headers of requests,
    private keys, and the tokens of widespread services.

    Examples
    --------
    >>> mask_text("git clone https://me:hunter2@example.org/x.git")
    'git clone https://********@example.org/x.git'
    >>> mask_text("Client(api_key='abc', retries=3) got 401 for ssh://git@example.org/x?token=abc&n=3")
    "Client(api_key='********', retries=3) got 401 for ssh://git@example.org/x?token=********&n=3"
    """
    if "://" in text:
        text = _ADDRESS.sub(_mask_user, text)
    if ("=" in text or ":" in text) and _HINT.search(text):
        text = _mask_assigned(_BARE, _mask_assigned(_QUOTED, text))
        text = _compile(_HEADER, re.IGNORECASE).sub(_mask_header, text)
    return _KNOWN_SHAPES.sub(MASK, text)


def shows_secret(source: str) -> bool:
    """Say whether a secret is written into source code: as a literal under a secret's name, or by its shape.

    Code that passes secrets on (``connect(token=settings.token)``) shows none.

    Examples
    --------
    >>> shows_secret('api_key: str = "abc"'), shows_secret('api_key = os.environ["API_KEY"]')
    (True, False)
    """
    if "://" in source and any(
        "{" not in found["user"] and _mask_user(found) != found[0] for found in _ADDRESS.finditer(source)
    ):
        return True
    if _HINT.search(source) and _mask_assigned(_QUOTED, source) != source:
        return True
    return _KNOWN_SHAPES.search(source) is not None


def mask_value(name: str, value: Any) -> Any:
    """Mask a named value: whole if its name is a secret's, else what it shows by itself.

    Examples
    --------
    >>> mask_value("api_key", "abc"), mask_value("api_key", None), mask_value("n", 3)
    ('********', None, 3)
    """
    return MASK if holds_secret(name, value) else mask_tree(value)


def mask_tree(tree: Any) -> Any:
    """Copy a tree of mappings and lists with everything masked that is a secret by its name or shows itself as one.

    Parameters
    ----------
    tree : Any
        Mappings, lists, tuples and leaves. Nothing in it is changed.

    Returns
    -------
    Any
        The same tree, in which :data:`MASK` stands for each secret.

    Examples
    --------
    >>> mask_tree({"user": "me", "password": "hunter2", "urls": ["http://me:pw@host/"], "token": None})
    {'user': 'me', 'password': '********', 'urls': ['http://********@host/'], 'token': None}
    """
    if isinstance(tree, str):
        return mask_text(tree)
    if isinstance(tree, Mapping):
        return {
            mask_text(key) if isinstance(key, str) else key: mask_value(key, value)
            if isinstance(key, str)
            else mask_tree(value)
            for key, value in tree.items()
        }
    if isinstance(tree, (list, tuple)):
        masked = [mask_tree(item) for item in tree]
        return masked if isinstance(tree, list) else tuple(masked)
    return tree


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """Mask the words of a command: ``token=abc``, ``--password abc`` and ``--password=abc``, and addresses.

    Examples
    --------
    >>> mask_arguments(["experiment", "iris", "api_key=two words", "--db-password", "abc", "n=3"])
    ['experiment', 'iris', 'api_key=********', '--db-password', '********', 'n=3']
    """
    masked: list[str] = []
    follows_secret = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if follows_secret and not argument.startswith("-"):
            masked.append(MASK)
        elif equals and is_secret_name(name) and _gives_away(name, value):
            masked.append(f"{name}={MASK}")
        else:
            masked.append(mask_text(argument))
        follows_secret = argument.startswith("--") and not equals and is_secret_name(argument)
    return masked


def _is_secret_part(part: str) -> bool:
    if part.isupper() and part.lower() in _SHELL_NAMES:
        return False
    words = [word.lower() for word in _WORDS.findall(part)]
    if not words or words[-1] in _DESCRIBING:
        return False
    for position, word in enumerate(words):
        before = words[position - 1] if position else ""
        if word == "tokens":
            if before in _BEFORE_TOKENS:
                return True
        elif word == "token":
            if _BEFORE_TOKEN.isdisjoint(words[:position]) and _AFTER_TOKEN.isdisjoint(words[position + 1 :]):
                return True
        elif (
            word in _SECRET_WORDS
            or word.endswith(_SECRET_ENDS)
            or (word in ("key", "keys") and before in _BEFORE_KEY)
            or (word == "pass" and before in _BEFORE_PASS)
        ):
            return True
    # What stands before more, such as `auth_method`, only tells of it. A variable that ends so (OPENAI_KEY) is a
    # secret, a parameter (sort_key) is not.
    return words[-1] == "auth" or (part.isupper() and len(words) > 1 and words[-1] in ("key", "pass"))


def _is_of_token(name: str) -> bool:
    words = _WORDS.findall(name)
    return bool(words) and words[-1].lower() in ("token", "tokens")


def _gives_away(name: str, text: str) -> bool:
    return text not in _SAYS_NOTHING and not (_is_of_token(name) and text.replace("_", "").isdecimal())


def _mask_user(match: re.Match[str]) -> str:
    scheme, user = match["scheme"], match["user"]
    # `ssh://ann@host` names an account, and `git` one that everybody shares; neither is a credential.
    if user in ("git", MASK) or (scheme.lower().endswith("ssh://") and ":" not in user):
        return match[0]
    return f"{scheme}{MASK}@"


@cache
def _compile(pattern: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(pattern, flags | re.VERBOSE)


def _mask_assigned(pattern: str, text: str) -> str:
    pieces: list[str] = []
    kept = position = 0
    search = _compile(pattern).search
    while match := search(text, position):
        name = match["name"]
        secret = is_secret_name(name) or name.lower() in _SIGNATURES
        # What is no secret by its own name may have one within it: `client="Client(api_key='…')"`.
        position = match.end("name")
        if secret and _gives_away(name, match["value"]):
            pieces += (text[kept : match.start("value")], MASK)
            kept = position = match.end("value")
    return "".join([*pieces, text[kept:]]) if pieces else text


def _mask_header(match: re.Match[str]) -> str:
    return match["head"] + MASK
