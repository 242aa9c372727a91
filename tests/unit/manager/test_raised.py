"""Exceptions that travel: what they say, where they were raised, and what they followed from."""

from __future__ import annotations

import copyreg
import pickle
import threading
import traceback

import pytest

from curifactory.engine.travel import pack
from curifactory.manager.raised import Raised


def divide(number):
    return 1 / number


def divide_kindly(number):
    try:
        return divide(number)
    except ZeroDivisionError as error:
        raise ValueError("not by zero") from error


def divide_twice(number):
    try:
        return divide(number)
    except ZeroDivisionError:
        return divide(number)


def divide_with_a_lock(number):
    raise RuntimeError(threading.Lock(), number)


def send(function):
    """Return an exception that a function raises, and the same after its journey."""
    try:
        function(0)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error, pickle.loads(pack(Raised(error)))
    return pytest.fail("nothing was raised")


@pytest.mark.parametrize("function", [divide, divide_kindly, divide_twice])
def test_a_traceback_arrives_as_it_was(function):
    error, arrived = send(function)
    assert "".join(traceback.format_exception(arrived)) == "".join(traceback.format_exception(error))
    assert type(arrived.__cause__) is type(error.__cause__)


def test_notes_travel_too():
    error = ValueError("no")
    error.add_note("of the third row")
    assert pickle.loads(pack(Raised(error))).__notes__ == ["of the third row"]


def test_one_that_cannot_travel_is_told_by_another_one_at_the_same_place():
    _, arrived = send(divide_with_a_lock)
    assert isinstance(arrived, RuntimeError)
    assert type(arrived).__name__ == "RuntimeError"
    assert str(arrived).startswith("(<unlocked _thread.lock object")
    assert traceback.extract_tb(arrived.__traceback__)[-1].name == "divide_with_a_lock"


class ListedError(Exception):
    def __reduce__(self):
        return ListedError, (), None, iter([1])


def test_one_that_says_of_itself_more_than_can_be_made_again_is_told_by_another_one():
    arrived = pickle.loads(pack(Raised(ListedError())))
    assert type(arrived) is not ListedError
    assert (type(arrived).__name__, type(arrived).__module__) == ("ListedError", ListedError.__module__)


class SilentError(UnicodeError):
    def __init__(self, lock, _more):
        self.lock = lock

    def __str__(self):
        raise RuntimeError("no words")


def test_one_that_cannot_even_say_what_it_is_is_caught_as_what_it_was():
    error = SilentError(threading.Lock(), 2)
    error.add_note("of the third row")
    arrived = pickle.loads(pack(Raised(error)))
    assert isinstance(arrived, UnicodeError)
    assert str(arrived) == "its text cannot be shown, since __str__ raised RuntimeError"
    assert arrived.__notes__ == ["of the third row"]
    assert str(pickle.loads(pack(Raised(arrived)))) == str(arrived)


def test_a_group_that_cannot_travel_is_told_all_the_same():
    arrived = pickle.loads(pack(Raised(ExceptionGroup("many", [ValueError(threading.Lock())]))))
    assert (type(arrived).__name__, str(arrived)) == ("ExceptionGroup", "many (1 sub-exception)")


def make_with(kind, said, _context):
    return kind(*said)


def with_context(error):
    return make_with, (type(error), error.args, error.__context__)


@pytest.mark.parametrize("way", [None, with_context], ids=["its own way", "the way of a library"])
def test_one_that_follows_from_itself_arrives(monkeypatch, way):
    for kind in (ValueError, KeyError):
        monkeypatch.delitem(copyreg.dispatch_table, kind, raising=False)
        if way is not None:
            monkeypatch.setitem(copyreg.dispatch_table, kind, way)
    error = ValueError("first")
    error.__context__ = other = KeyError("second")
    other.__context__ = error
    assert type(pickle.loads(pack(Raised(error))).__context__) is KeyError
