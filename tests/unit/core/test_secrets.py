"""What counts as a secret, and what is left of one in stored trees, texts and commands."""

from __future__ import annotations

import copy

import pytest

from curifactory.core.secrets import (
    MASK,
    holds_secret,
    is_secret_name,
    mask_arguments,
    mask_text,
    mask_tree,
    mask_value,
    shows_secret,
)

SECRET_NAMES = """
    API_KEY api_key apiKey APIKEY apikey APIKey OPENAI_KEY OPENAI_API_KEY WANDB_API_KEY AWS_SECRET_ACCESS_KEY
    AWS_ACCESS_KEY_ID aws_access_key_id private_key ssh_key ssh-key session_key client_key master_key account_key
    github_token GITHUB_TOKEN githubToken hfToken HF_TOKEN token access_token access_tokens auth_token authtoken
    id_token X-Auth-Token password PASSWD passwd PGPASSWORD db_password --db-password login.password passphrase DB_PASS
    db_pass pwd db_pwd secret SECRETS clientSecret client_secret SECRET_KEY credential credentials credentials.user auth
    basic_auth authorization Authorization bearer jwt SLURM_JWT cookie oauth optimizer.api_key options[password]
"""
OTHER_NAMES = """
    tokens max_tokens n_tokens tokens_per_batch token_count token_dim tokenizer tokenize pad_token eos_token mask_token
    eos_token_id token_ids token_embedding next_token_loss author authors auth_method auth_url key keys sort_key
    label_key keyboard monkey turkey PWD OLDPWD PATH HOME n_passes low_pass pass_count passes passing compass secretary
    password_length num_secrets_count private_key_path token_file lr n
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_name_like_a_secret_is_one(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["", *OTHER_NAMES.split()])
def test_a_name_that_only_sounds_alike_is_none(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://me:pw@host/x", f"https://{MASK}@host/x"),
        ("https://ghp_abc@github.com/x.git", f"https://{MASK}@github.com/x.git"),
        ("https://me:p@ss@host/x", f"https://{MASK}@host/x"),
        ("https://me:p/ss@host/x", f"https://{MASK}@host/x"),
        ("postgresql+psycopg://u:p%40w@db:5432/x", f"postgresql+psycopg://{MASK}@db:5432/x"),
        ("a https://u:p@h/ and postgres://u:p@h/db", f"a https://{MASK}@h/ and postgres://{MASK}@h/db"),
        ("ssh://git:pw@example.org/x", f"ssh://{MASK}@example.org/x"),
    ],
)
def test_credentials_in_addresses_are_masked(text, masked):
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "git+ssh://git@host/x",
        "ssh://ann@host/x",
        "git@github.com:a/b.git",
        "https://host/path?mail=a@b",
        "https://host:8080/a@b",
        "http://[::1]:80/a@b",
        '{"url":"https://host","mail":"a@b"}',
        "https://host",
        "mail me@host",
        "a = b @ c",
        f"https://{MASK}@host",
        "plain words",
        "Unexpected token: '}'",
        "if token == 'x':",
        "token=None, password='', tokens=12, max_tokens=3",
        "basic understanding of bearer certificates",
    ],
)
def test_what_shows_no_credential_stays_as_it_is(text):
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://x.org/?access_token=abc&n=3", f"https://x.org/?access_token={MASK}&n=3"),
        ("s3://b/k?X-Amz-Signature=abc", f"s3://b/k?X-Amz-Signature={MASK}"),
        ("Client(api_key='a b', n=3)", f"Client(api_key='{MASK}', n=3)"),
        ("{'password': 'x', 'pin_password': 1234}", f"{{'password': '{MASK}', 'pin_password': {MASK}}}"),
        (r"{\"api_key\": \"abc\"}", rf"{{\"api_key\": \"{MASK}\"}}"),
        ('d["api_key"] = "x"', f'd["api_key"] = "{MASK}"'),
        ("api_key: str = 'it\\'s'", f"api_key: str = '{MASK}'"),
        ('{"client": "C(api_key=\'abc\')"}', f'{{"client": "C(api_key=\'{MASK}\')"}}'),
        ("SomeError: refused C(api_key='abc')", f"SomeError: refused C(api_key='{MASK}')"),
        ("host=h password=abc dbname=y", f"host=h password={MASK} dbname=y"),
        ("Authorization: Bearer abcdef123456", f"Authorization: Bearer {MASK}"),
        ("Authorization: Basic dXNlcjpw", f"Authorization: Basic {MASK}"),
        ("Cookie: a=b; c=d\nnext", f"Cookie: {MASK}\nnext"),
        ("key ghp_" + "a" * 36, f"key {MASK}"),
        ("AKIAABCDEFGHIJKLMNOP", MASK),
    ],
)
def test_texts_lose_what_shows_itself_as_a_credential(text, masked):
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text", ["api_key='abc'", "https://u:p@h", "Cookie: a=b", "password=x", "{'token': 'x'}"]
)
def test_a_masked_text_is_not_masked_again(text):
    assert mask_text(mask_text(text)) == mask_text(text) != text


def test_a_private_key_is_masked_whole():
    text = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"
    assert mask_text(f"before\n{text}\nafter") == f"before\n{MASK}\nafter"


@pytest.mark.parametrize(
    "source",
    [
        'api_key = "abc"',
        'api_key: str = "abc"',
        'f(token="abc")',
        "URL = 'https://u:p@h'",
        "{'password': 'x'}",
    ],
)
def test_a_secret_in_source_code_is_seen(source):
    assert shows_secret(source)


@pytest.mark.parametrize(
    "source",
    [
        "f(token=self.token)",
        'api_key = os.environ["API_KEY"]',
        "token: str",
        'password: str = ""',
        'pad_token = "[PAD]"',
        'f"https://{user}:{password}@host"',
    ],
)
def test_code_that_only_passes_secrets_on_shows_none(source):
    assert not shows_secret(source)


def test_a_tree_is_masked_at_every_depth_and_left_as_it_was():
    tree = {
        "a": [{"password": "x", "n": 1}],
        "secret": {"deep": "y"},
        "t": ("https://u:p@h", {"token": "y"}),
        3: "z",
        "http://u:p@h": 1,
    }
    before = copy.deepcopy(tree)
    assert mask_tree(tree) == {
        "a": [{"password": MASK, "n": 1}],
        "secret": MASK,
        "t": (f"https://{MASK}@h", {"token": MASK}),
        3: "z",
        f"http://{MASK}@h": 1,
    }
    assert tree == before


def test_a_whole_branch_under_a_secrets_name_is_masked():
    assert mask_value("credentials", {"user": "ann", "any": ["thing"]}) == MASK


@pytest.mark.parametrize("value", [None, True, False, "", b"", [], {}, ()])
def test_one_can_see_that_a_secret_was_not_set(value):
    assert not holds_secret("token", value)
    assert mask_tree({"token": value}) == {"token": value}


@pytest.mark.parametrize("value", ["x", b"x", ["x"], {"a": 1}])
def test_what_gives_something_away_is_masked(value):
    assert holds_secret("token", value)
    assert mask_tree({"token": value}) == {"token": MASK}


@pytest.mark.parametrize("value", [0, 1234, 0.5])
def test_numbers_are_secret_under_a_password_and_not_under_a_token(value):
    assert mask_value("password", value) == MASK
    assert mask_value("token", value) == value


def test_no_value_is_secret_under_a_plain_name():
    assert not holds_secret("n", "hunter2")


def test_arguments_are_masked_in_every_spelling():
    arguments = ["experiment", "iris", "api_key=a b", "--password=b", "--token", "c", "--token", "-n", "x"]
    assert mask_arguments([*arguments, "https://u:p@h", "token=12"]) == [
        "experiment",
        "iris",
        f"api_key={MASK}",
        f"--password={MASK}",
        "--token",
        MASK,
        "--token",
        "-n",
        "x",
        f"https://{MASK}@h",
        "token=12",
    ]
