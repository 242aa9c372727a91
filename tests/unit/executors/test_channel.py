import os
import pickle
import socket
import threading

import pytest

from curifactory.executors.channel import Channel


@pytest.fixture
def ends():
    here, there = map(Channel, socket.socketpair())
    yield here, there
    here.close()
    there.close()


def test_messages_come_out_as_they_were_put_in(ends):
    here, there = ends
    sent = [b"", b"x", os.urandom(70_000), b"last"]
    writer = threading.Thread(target=lambda: [here.send(each) for each in sent])
    writer.start()
    assert [there.receive() for _ in sent] == sent
    writer.join()


def test_who_takes_does_not_wait_for_the_rest_of_a_message(ends):
    here, there = ends
    assert there.take() == []
    end = socket.socket(fileno=os.dup(here.fileno()))
    whole = (5).to_bytes(8, "little") + b"hello"
    end.sendall(whole + whole[:9])
    assert there.take() == [b"hello"]
    assert there.take() == []
    end.sendall(whole[9:])
    assert there.take() == [b"hello"]
    assert not there.is_over
    end.close()


def test_what_came_before_the_end_is_not_lost(ends):
    here, there = ends
    here.send(pickle.dumps("last words"))
    here.close()
    said = []
    while not there.is_over:
        said += there.take()
    assert [pickle.loads(each) for each in said] == ["last words"]
    with pytest.raises(EOFError):
        there.receive()


def test_who_sends_to_nobody_is_told(ends):
    here, there = ends
    there.close()
    with pytest.raises(BrokenPipeError):
        here.send(b"hello?")
