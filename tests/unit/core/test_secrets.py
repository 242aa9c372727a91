"""What counts as a secret, and what is left of one in stored trees and texts."""

from __future__ import annotations

import pytest

from curifactory.core.secrets import MASK, holds_secret, is_secret_name, mask_text, mask_tree

SECRET_NAMES = [
    "API_KEY",
    "api_key",
    "apiKey",
    "APIKEY",
    "OPENAI_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "github_token",
    "GITHUB_TOKEN",
    "hfToken",
    "token",
    "tokens",
    "access_token",
    "password",
    "PGPASSWORD",
    "db_password",
    "passwd",
    "passphrase",
    "DB_PASS",
    "db_pass",
    "db_pwd",
    "client_secret",
    "secret",
    "SECRETS",
    "credentials",
    "private_key",
    "ssh_key",
    "auth",
    "authorization",
    "bearer",
    "jwt",
    "session_key",
    "WANDB_API_KEY",
    "cookie",
    "optimizer.api_key",
    "Authorization",
    "X-Auth-Token",
]
OTHER_NAMES = [
    "max_tokens",
    "n_tokens",
    "tokens_per_batch",
    "token_count",
    "tokenizer",
    "tokenize",
    "pad_token",
    "eos_token_id",
    "author",
    "authors",
    "key",
    "keys",
    "sort_key",
    "label_key",
    "PWD",
    "OLDPWD",
    "PATH",
    "HOME",
    "n_passes",
    "low_pass",
    "pass_count",
    "keyboard",
    "secretary",
    "lr",
    "n",
    "monkey",
    "compass",
    "token_embedding",
    "turkey",
    "passing",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_like_a_secret_is_one(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_a_name_that_only_sounds_alike_is_none(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://me:pw@host/x", f"https://{MASK}@host/x"),
        ("https://ghp_abc@github.com/x.git", f"https://{MASK}@github.com/x.git"),
        ("https://me:p@ss@host/x", f"https://{MASK}@host/x"),
        ("a https://u:p@h/ and postgres://u:p@h/db", f"a https://{MASK}@h/ and postgres://{MASK}@h/db"),
        ("git+ssh://git@host/x", "git+ssh://git@host/x"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("https://host/path?mail=a@b", "https://host/path?mail=a@b"),
        ("https://host", "https://host"),
        ("mail me@host", "mail me@host"),
        (f"https://{MASK}@host", f"https://{MASK}@host"),
    ],
)
def test_credentials_in_urls_are_masked_and_nothing_else(text, masked):
    assert mask_text(text) == masked


def test_a_tree_is_masked_at_every_depth_and_left_as_it_was():
    tree = {"a": [{"password": "x", "n": 1}], "secret": {"deep": "y"}, "t": ("https://u:p@h",), 3: "z"}
    assert mask_tree(tree) == {
        "a": [{"password": MASK, "n": 1}],
        "secret": MASK,
        "t": (f"https://{MASK}@h",),
        3: "z",
    }
    assert tree["a"][0]["password"] == "x"
    assert tree["secret"] == {"deep": "y"}


@pytest.mark.parametrize("value", [None, True, False, "", b"", [], {}, ()])
def test_what_gives_nothing_away_is_shown(value):
    assert not holds_secret(value)
    assert mask_tree({"token": value}) == {"token": value}


@pytest.mark.parametrize("value", ["x", 1234, 0, b"x", ["x"], {"a": 1}])
def test_what_gives_something_away_is_masked(value):
    assert holds_secret(value)
    assert mask_tree({"token": value}) == {"token": MASK}
