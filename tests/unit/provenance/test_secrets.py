"""What is masked, and what is left readable although it looks like a secret's name."""

import copy

import pytest

from curifactory.provenance.secrets import (
    MASK,
    is_secret_name,
    mask_arguments,
    mask_text,
    mask_tree,
    mask_value,
)

SECRET_NAMES = [
    "password",
    "db_password",
    "PASSWD",
    "pwd",
    "passphrase",
    "secret",
    "clientSecret",
    "SECRET_KEY",
    "api_key",
    "apikey",
    "OPENAI_API_KEY",
    "apiKey",
    "aws_access_key_id",
    "private_key",
    "ssh-key",
    "token",
    "githubToken",
    "HF_TOKEN",
    "auth_token",
    "access_tokens",
    "SLURM_JWT",
    "credentials",
    "--db-password",
    "login.password",
]
PLAIN_NAMES = [
    "",
    "n",
    "max_tokens",
    "n_tokens",
    "pad_token",
    "eos_token",
    "mask_token",
    "tokenizer",
    "token_dim",
    "tokens",
    "sort_key",
    "key",
    "keys",
    "monkey",
    "compass",
    "passes",
    "secretary",
    "author",
    "password_length",
    "num_secrets_count",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_names_of_secrets_are_known(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_names_of_models_and_tables_are_not_taken_for_secrets(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://ann:hunter2@example.org/x.git", "https://***@example.org/x.git"),
        ("https://ghp_abc@github.com/ann/x", "https://***@github.com/ann/x"),
        ("postgresql+psycopg://u:p%40w@db:5432/x", "postgresql+psycopg://***@db:5432/x"),
        ("https://u:p@ss@example.org/x", "https://***@example.org/x"),
        ("ssh://git@example.org/x", "ssh://git@example.org/x"),
        ("ssh://git:pw@example.org/x", "ssh://***@example.org/x"),
        ("git@example.org:ann/x.git", "git@example.org:ann/x.git"),
        ("https://example.org/a@b", "https://example.org/a@b"),
        ("see https://a:b@c.org and https://d:e@f.org", "see https://***@c.org and https://***@f.org"),
        ("https://x.org/?access_token=abc&n=3", "https://x.org/?access_token=***&n=3"),
        ("s3://b/k?X-Amz-Signature=abc", "s3://b/k?X-Amz-Signature=***"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("key ghp_" + "a" * 36, "key ***"),
        ("AKIAABCDEFGHIJKLMNOP", "***"),
        ("a = b @ c", "a = b @ c"),
        ("plain words", "plain words"),
    ],
)
def test_texts_lose_what_shows_itself_as_a_credential(text, masked):
    assert mask_text(text) == masked


def test_a_private_key_is_masked_whole():
    text = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"
    assert mask_text(f"before\n{text}\nafter") == f"before\n{MASK}\nafter"


def test_a_tree_is_masked_at_every_depth_and_left_as_it_was():
    tree = {
        "n": 3,
        "login": {"user": "ann", "password": "x"},
        "urls": ["https://a:b@c.org"],
        "t": ({"token": "y"},),
    }
    before = copy.deepcopy(tree)
    assert mask_tree(tree) == {
        "n": 3,
        "login": {"user": "ann", "password": MASK},
        "urls": [f"https://{MASK}@c.org"],
        "t": ({"token": MASK},),
    }
    assert tree == before


def test_a_whole_branch_under_a_secrets_name_is_masked():
    assert mask_value("credentials", {"user": "ann", "any": ["thing"]}) == MASK


@pytest.mark.parametrize("value", [None, True, False, "", [], {}])
def test_one_can_see_that_a_secret_was_not_set(value):
    assert mask_value("api_key", value) == value


def test_numbers_are_secret_under_a_password_and_not_under_a_token():
    assert mask_value("password", 1234) == MASK
    assert mask_value("token", 1234) == 1234


def test_arguments_are_masked_in_every_spelling():
    arguments = [
        "experiment",
        "iris",
        "api_key=a",
        "--password=b",
        "--token",
        "c",
        "--token",
        "-n",
        "x",
        "https://u:p@h",
    ]
    assert mask_arguments(arguments) == [
        "experiment",
        "iris",
        "api_key=***",
        "--password=***",
        "--token",
        "***",
        "--token",
        "-n",
        "x",
        "https://***@h",
    ]
