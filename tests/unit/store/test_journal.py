"""Files of lines that only grow, and what is read of one that a kill has torn."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import curifactory
from curifactory.errors import StoreError
from curifactory.store.journal import Journal, encode, read_journal

ROWS = [{"n": number, "text": "größe\n\x1b\u2028"} for number in range(20)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.jsonl"


def write(path, rows):
    journal = Journal(path)
    for row in rows:
        journal.append(row)
    journal.close()


def test_what_was_appended_is_read_back_in_order(path):
    write(path, ROWS)
    write(path, ROWS)
    assert read_journal(path) == ROWS * 2


def test_a_line_is_there_when_append_returns(path):
    journal = Journal(path)
    for count, row in enumerate(ROWS, start=1):
        journal.append(row)
        assert len(read_journal(path)) == count
    journal.close()


def test_a_file_that_is_not_there_has_no_lines_and_is_not_made(path):
    Journal(path).close()
    assert read_journal(path) == []
    assert not path.exists()


def test_a_last_line_torn_at_any_byte_is_passed_over(path):
    write(path, ROWS[:3])
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        # A line that lacks nothing but its end is whole.
        lines = sum(end - 1 <= length for end in ends)
        assert read_journal(path) == ROWS[:lines]


def test_a_journal_that_goes_on_takes_the_torn_line_off(path):
    write(path, ROWS[:3])
    path.write_bytes(path.read_bytes()[:-5])
    write(path, ROWS[5:7])
    assert read_journal(path) == [*ROWS[:2], *ROWS[5:7]]


def test_a_torn_line_longer_than_one_look_back_is_taken_off(path):
    path.write_bytes(b'{"n":1}\n{"text":"' + b"x" * 200_000)
    write(path, [{"n": 2}])
    assert read_journal(path) == [{"n": 1}, {"n": 2}]


def test_zeros_that_a_power_loss_leaves_at_the_end_are_passed_over(path):
    write(path, ROWS[:2])
    with path.open("ab") as file:
        file.write(b"\0" * 100 + b"\n" + b"\0" * 50)
    assert read_journal(path) == ROWS[:2]


@pytest.mark.parametrize("damage", [b"{torn", b"\xff\xfe", b"[1]", b"3"])
def test_a_damaged_line_with_a_whole_one_below_it_is_an_error_that_names_it(path, damage):
    path.write_bytes(b'{"n":1}\n' + damage + b'\n{"n":2}\n')
    with pytest.raises(StoreError, match=f"Line 2 of {path}"):
        read_journal(path)


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path):
    with pytest.raises(StoreError, match=str(tmp_path)):
        read_journal(tmp_path)


def test_a_write_that_fails_leaves_the_file_as_it_was(path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom curifactory.errors import StoreError\n"
        "from curifactory.store.journal import Journal\njournal = Journal(Path(sys.argv[1]))\n"
        "journal.append({'n': 1})\n"
        "try:\n    journal.append({'text': 'x' * 5000})\nexcept StoreError as error:\n    print(error.message)\n"
        "journal.append({'n': 2})\n"
    )

    def limit():
        # A file size limit is a disk that fills up in the middle of a write.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    environment = os.environ | {"PYTHONPATH": str(Path(curifactory.__file__).parents[1])}
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(
        command, preexec_fn=limit, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert str(path) in done.stdout
    assert read_journal(path) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("use_msgspec", [False, True])
@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"a": float("nan"), "b": [float("inf")]}, {"a": None, "b": [None]}),
        ({"a": np.float64(0.5), "b": np.int64(3), "c": np.bool_(True)}, {"a": 0.5, "b": 3, "c": True}),
        ({"a": np.float32("nan")}, {"a": None}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({1: "one"}, {"1": "one"}),
        ({"a": 2**80}, {"a": 2**80}),
        ({"a": Path("/x")}, {"a": "/x"}),
        ({"a": "\ud800"}, {"a": "\ud800"}),
        ({"a": "\u2028\n"}, {"a": "\u2028\n"}),
    ],
)
def test_what_json_does_not_know_becomes_what_is_nearest(value, read, use_msgspec, monkeypatch):
    if not use_msgspec:
        monkeypatch.delitem(sys.modules, "msgspec", raising=False)
    line = encode(value, use_msgspec=use_msgspec)
    assert b"\n" not in line
    assert json.loads(line) == read
