import os

import pytest

from curifactory.executors.tray import Tray


@pytest.fixture
def tray():
    tray = Tray.open()
    yield tray
    tray.close()


def test_a_message_is_taken_once_by_whichever_process_asks_first(tray):
    messages = [bytes([n]) * 100 for n in range(8)]
    for message in messages:
        assert tray.put(message)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        while (message := tray.take()) is not None:
            os.write(write, message[:1])
        os._exit(0)
    os.close(write)
    here = []
    while (message := tray.take()) is not None:
        here.append(message)
    os.waitpid(pid, 0)
    there = os.read(read, 100)
    os.close(read)
    assert sorted([*here, *(bytes([n]) * 100 for n in there)]) == messages


def test_what_is_too_large_or_too_much_is_refused_and_the_rest_is_whole(tray):
    assert not tray.put(bytes(1 << 20))
    count = 0
    while count < 100_000 and tray.put(b"x" * 1000):
        count += 1
    assert count < 100_000
    assert [tray.take() for _ in range(count)] == [b"x" * 1000] * count
    assert tray.take() is None


def test_nothing_is_laid_out_where_messages_are_only_taken(tray):
    other = Tray(tray._taken_from.dup())
    assert not other.put(b"one")
    tray.put(b"two")
    assert other.take() == b"two"
    other.close()
